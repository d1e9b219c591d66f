//! A JPEG file → itself as an answer, without what its header says to others than readers of its pixels.
//!
//! Kept are the segments that decoding needs; EXIF, XMP, comments, previews and profiles stay behind, as
//! they do wherever a derivative is encoded. The coded data are passed as they are.

use bytes::Bytes;

use crate::codec::Stored;
use crate::codec::stored::Proof;
use crate::error::Result;
use crate::reader::RangeReader;

use super::header::{Header, Stored as Components};
use super::markers::{Markers, SOS};
use super::{Outline, TileColour};

/// Most bytes of the segments that are kept: tables, frame and scan of a real file have a few hundred.
const MOST_HEAD_BYTES: usize = 64 << 10;

/// Bytes at the end of a file in which the end of its stream is looked for.
const TAIL_BYTES: u64 = 8;

/// The whole file, unless some reader might not show it as it is meant, or it is not complete.
///
/// # Errors
///
/// Those of the reader.
pub(super) fn whole(reader: &dyn RangeReader, header: &Header) -> Result<Option<Stored>> {
    if header.stored.is_inks() || header.precision != 8 {
        return Ok(None);
    }
    let Some((head, coded_at)) = head(reader, header.first_scan_at)? else {
        return Ok(None);
    };
    let outline = Outline::of(&head);
    let fits = outline.is_some_and(|outline| {
        outline.dimensions == header.dimensions && outline.colour == colour(header.stored)
    });
    let tail = header.length.saturating_sub(coded_at).min(TAIL_BYTES);
    let tail = reader.read_vec(header.length - tail, tail)?;
    Ok((fits && Outline::ends(&tail)).then(|| Stored {
        head: Bytes::from(head),
        offset: coded_at,
        length: header.length - coded_at,
        replaced: &[],
        proof: Proof::Given,
    }))
}

/// The segments that are kept, first scan's included, and where the coded data begin.
fn head(reader: &dyn RangeReader, first_scan_at: u64) -> Result<Option<(Vec<u8>, u64)>> {
    let mut markers = Markers::new(reader, first_scan_at.saturating_add(2))?;
    let mut head = vec![0xff, 0xd8];
    loop {
        let (marker, length) = markers.next_segment()?;
        if marker == 0xe2 && markers.payload(length)?.starts_with(b"MPF\0") {
            // Further pictures stand behind this one.
            return Ok(None);
        }
        let kept = matches!(marker, 0xc0..=0xdf | 0xe0 | 0xee);
        if kept && let Ok(size) = u16::try_from(length + 2) {
            head.extend([0xff, marker]);
            head.extend(size.to_be_bytes());
            head.extend_from_slice(markers.payload(length)?);
        }
        markers.skip(length);
        if marker == SOS {
            return Ok(Some((head, markers.position())));
        }
        if head.len() > MOST_HEAD_BYTES {
            return Ok(None);
        }
    }
}

fn colour(stored: Components) -> TileColour {
    match stored {
        Components::Gray => TileColour::Gray,
        Components::YCbCr => TileColour::YCbCr,
        Components::Rgb => TileColour::Rgb,
        Components::Pair => TileColour::Pair,
        Components::Cmyk | Components::Ycck | Components::Four => TileColour::Four,
    }
}
