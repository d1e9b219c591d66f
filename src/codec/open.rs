//! A master's first bytes → its format's decoder.
//!
//! The format is told by magic bytes, never by a name. Every decoder parses its own headers; what
//! they may claim is checked by [`check_dimensions`] before anything is reserved.

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Dimensions;
use crate::reader::RangeReader;

use super::{DecodeLimits, Picture, bmp, gif, heif, jp2, jpeg, jxl, pdf_pages, png, tiff, webp};

/// Bytes that are read to tell the format: the longest magic is a JP2 signature box of 12.
const HEAD_BYTES: u64 = 64;

/// Opens `page` (1 is the first) of the master behind `reader`.
///
/// # Errors
///
/// [`ErrorKind::NotImplemented`] for bytes of no known format, [`ErrorKind::Corrupt`] for an empty
/// file or damaged headers, [`ErrorKind::NotFound`] for a page that the image does not have,
/// [`ErrorKind::TooLarge`] when the headers ask for more than `limits`, and those of the reader.
pub fn open(
    reader: Arc<dyn RangeReader>,
    page: u32,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    if reader.length() == 0 {
        return Err(Error::corrupt("the file is empty"));
    }
    let head = reader.read_vec(0, reader.length().min(HEAD_BYTES))?;
    if tiff::matches(&head) {
        return tiff::open(reader, page, limits);
    }
    if pdf_pages::matches(&head) {
        return pdf_pages::open(reader, page, limits);
    }
    let open_single = if jpeg::matches(&head) {
        jpeg::open
    } else if png::matches(&head) {
        png::open
    } else if webp::matches(&head) {
        webp::open
    } else if jp2::matches(&head) {
        jp2::open
    } else if gif::matches(&head) {
        gif::open
    } else if bmp::matches(&head) {
        bmp::open
    } else if jxl::matches(&head) {
        jxl::open
    } else if heif::matches(&head) {
        heif::open
    } else {
        return Err(Error::new(
            ErrorKind::NotImplemented,
            "the source file is in no format that this server reads",
        ));
    };
    if page != 1 {
        return Err(Error::new(ErrorKind::NotFound, "the image has 1 page"));
    }
    open_single(reader, limits)
}

/// Whether a file that begins with `head`, its first 64 bytes or all it has, is in a format that
/// [`open`] knows.
pub fn is_master(head: &[u8]) -> bool {
    let known = [
        tiff::matches,
        jpeg::matches,
        png::matches,
        webp::matches,
        jp2::matches,
        gif::matches,
        bmp::matches,
        jxl::matches,
        heif::matches,
        pdf_pages::matches,
    ];
    known.iter().any(|matches| matches(head))
}

/// Refuses dimensions beyond `limits`.
///
/// # Errors
///
/// [`ErrorKind::TooLarge`], naming the limit.
pub(super) fn check_dimensions(dimensions: Dimensions, limits: &DecodeLimits) -> Result<()> {
    let longest = dimensions.width.max(dimensions.height);
    if longest > limits.max_side_px {
        return Err(too_large(
            dimensions,
            &format!("{} pixels a side", limits.max_side_px),
        ));
    }
    if dimensions.area() > limits.max_area_px {
        return Err(too_large(
            dimensions,
            &format!("{} pixels", limits.max_area_px),
        ));
    }
    Ok(())
}

/// `width` × `height` as dimensions within `limits`.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`] if a side is 0, and as [`check_dimensions`].
pub(super) fn dimensions_within(
    width: u32,
    height: u32,
    limits: &DecodeLimits,
) -> Result<Dimensions> {
    let dimensions = Dimensions::new(width, height)
        .ok_or_else(|| Error::corrupt("its headers say that it has no pixels"))?;
    check_dimensions(dimensions, limits)?;
    Ok(dimensions)
}

fn too_large(dimensions: Dimensions, limit: &str) -> Error {
    let words = format!("the source image has {dimensions} pixels, and the limit is {limit}");
    Error::new(ErrorKind::TooLarge, words)
}
