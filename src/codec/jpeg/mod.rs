//! JPEG masters and derivatives: baseline, progressive and lossless, gray and colour.
//!
//! [`open`] parses the markers with our own parser, so that limits are checked before a decoder sees
//! the file; pixels come as scan lines from whichever library is in the build (`scanlines`). In
//! builds with a native library a master has the levels 1, 2, 4 and 8 by scaled inverse DCT, and a
//! window's pixels equal the same pixels of a whole decode, bit for bit: the margins that
//! upsampling looks at are decoded too. Far down in a sequential file a window is reached through an
//! index (`index`). A stream that ends before the window's last row is corrupt, one that lacks its end
//! marker alone is not; corrupt, too, is one whose coding is seen to be damaged above it; JPEG has no
//! checksums, so damage that still decodes is not seen.

mod attach;
#[cfg_attr(
    not(any(feature = "turbojpeg", feature = "mozjpeg")),
    expect(dead_code, reason = "places far down in a scan are the index's alone")
)]
mod coded;
#[cfg(any(feature = "turbojpeg", feature = "mozjpeg"))]
mod ffi;
mod header;
#[cfg(any(feature = "turbojpeg", feature = "mozjpeg"))]
mod index;
mod lossless;
mod markers;
mod metadata;
mod mosaic;
mod outline;
mod passage;
mod picture;
mod scanlines;
mod stack;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tile;

use std::io;
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::encoding::JpegSettings;
use crate::error::{Error, ErrorKind, Parameter, Result};
use crate::raster::{Channels, Depth, OneStrip, Raster, Rows};
use crate::reader::RangeReader;

use super::{Attached, DecodeLimits, Picture};

pub(super) use metadata::metadata;
pub(super) use mosaic::Heads;
pub use mosaic::{Components, Mosaic};
pub(super) use outline::Outline;
pub use stack::Stack;
pub use tile::{TileColour, decode_tile};

/// Largest side of a picture that is written, in pixels.
///
/// Source: ITU-T T.81 holds 65535; the libraries stop at 65500.
pub const MAX_SIDE_PX: u32 = 65_500;

/// Whether a master that begins with `head` is a JPEG.
///
/// Source: ITU-T T.81 B.1.1.3: the SOI marker, then the first byte of another.
pub fn matches(head: &[u8]) -> bool {
    head.starts_with(&[0xff, 0xd8, 0xff])
}

/// Opens the JPEG behind `reader`: markers are parsed, nothing is decoded.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Corrupt`] for damaged markers,
/// [`crate::error::ErrorKind::NotImplemented`] for 12 bits in builds that do not decode them, other depths,
/// hierarchical coding, [`crate::error::ErrorKind::TooLarge`] beyond `limits`, and those of the reader.
pub fn open(reader: Arc<dyn RangeReader>, limits: &DecodeLimits) -> Result<Arc<dyn Picture>> {
    let refused = match picture::JpegPicture::open(Arc::clone(&reader), limits) {
        Ok(picture) => return Ok(Arc::new(picture)),
        Err(error) if error.kind() == ErrorKind::NotImplemented => error,
        Err(error) => return Err(error),
    };
    lossless::open(reader, limits)?.ok_or(refused)
}

/// Writes `rows` as a JPEG file to `sink`, in pieces, as they are pulled.
///
/// Shapes: gray rows give one component, RGB rows three; a progressive file, and any file in builds
/// without a native library, is held until the last row.
///
/// # Errors
///
/// [`crate::error::ErrorKind::BadRequest`] about the format above 65500 pixels a side;
/// [`crate::error::ErrorKind::Internal`] for rows with opacity or 16 bits;
/// [`crate::error::ErrorKind::Cancelled`] when the sink refuses bytes; those of `rows` and `cancel`.
pub fn encode(
    rows: &mut dyn Rows,
    settings: &JpegSettings,
    cancel: &Cancel,
    sink: &mut dyn io::Write,
) -> Result<()> {
    let shape = rows.shape();
    let format = shape.format;
    if format.depth != Depth::Eight || !matches!(format.channels, Channels::Gray | Channels::Rgb) {
        return Err(Error::internal(format!("writing {format:?} as JPEG")));
    }
    if shape.dimensions.width.max(shape.dimensions.height) > MAX_SIDE_PX {
        return Err(Error::bad_request(
            Parameter::Format,
            format!(
                "a JPEG image has at most {MAX_SIDE_PX} pixels a side; ask for a smaller size or \
                 another format"
            ),
        ));
    }
    scanlines::encode(rows, *settings, cancel, sink)
}

/// The JPEG file of one picture.
///
/// # Errors
///
/// As [`encode`].
pub fn file(raster: Raster, settings: JpegSettings) -> Result<Vec<u8>> {
    let (mut rows, mut file) = (OneStrip::from(raster), Vec::new());
    encode(&mut rows, &settings, &Cancel::new(), &mut file)?;
    Ok(file)
}

/// Writes `rows` to `sink` with what is `attached`.
///
/// # Errors
///
/// As [`encode`].
pub(super) fn encode_with(
    rows: &mut dyn Rows,
    settings: JpegSettings,
    attached: &Attached,
    cancel: &Cancel,
    sink: &mut dyn io::Write,
) -> Result<()> {
    if *attached == Attached::default() {
        return encode(rows, &settings, cancel, sink);
    }
    encode(
        rows,
        &settings,
        cancel,
        &mut attach::Attaching::new(sink, attached),
    )
}

/// Whether a baseline file that [`encode`] writes is libjpeg's own, byte for byte, as the GPU's are
/// ([`crate::codec`]'s other libraries choose other tables or transforms).
pub const fn is_standard() -> bool {
    cfg!(feature = "turbojpeg")
}

/// Whether this build reads samples of 12 bits.
pub fn decodes_twelve_bits() -> bool {
    scanlines::decodes_twelve_bits()
}

/// What decodes and encodes in this build, for keys of what is remembered: `libjpeg-turbo 3.1.0`.
pub fn versions() -> &'static str {
    scanlines::versions()
}
