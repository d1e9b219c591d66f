//! JPEG 2000, as a JP2 or JPH file or a bare code stream → rows.
//!
//! [`open`] parses boxes and the code stream's headers with this crate's own code and checks all of
//! it against the limits before the wavelet decoder sees a byte. That decoder is then given one tile
//! at a time, as a small code stream of its own that is put together from checked parts; it never
//! sees the file. Reductions of the wavelet are the levels of the pyramid.
//!
//! A caller may rely on this: the pixels of a window are those of the whole level, bit for bit.

#![cfg_attr(
    not(feature = "openjpeg"),
    expect(
        dead_code,
        unused_imports,
        reason = "without the decoder, headers are checked and nobody asks for what they hold"
    )
)]

mod boxes;
mod bytes;
mod channels;
mod codestream;
mod header;
mod metadata;
mod palette;

#[cfg(not(feature = "openjpeg"))]
#[path = "disabled.rs"]
mod decoder;
#[cfg(feature = "openjpeg")]
#[path = "enabled/mod.rs"]
mod decoder;

pub(super) use metadata::metadata;

use std::sync::Arc;

use crate::codec::{DecodeLimits, Picture};
use crate::error::Result;
use crate::reader::RangeReader;

/// Whether a file that begins with `head` is JPEG 2000: a JP2 signature box or a code stream.
///
/// Needs the first 12 bytes. Source: ISO/IEC 15444-1 I.5.1 for the box, A.4.1 and A.5.1 for the
/// markers SOC and SIZ.
pub(super) fn matches(head: &[u8]) -> bool {
    head.starts_with(&boxes::SIGNATURE) || head.starts_with(&codestream::START)
}

/// Parses the headers of a JPEG 2000 master.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Corrupt`] for damaged or truncated files,
/// [`crate::error::ErrorKind::TooLarge`] for what the limits forbid,
/// [`crate::error::ErrorKind::NotImplemented`] for what is not read (more than four components or
/// 16 bits, inks, packed packet headers in the main header) and for everything in a build without
/// the decoder, [`crate::error::ErrorKind::Upstream`] from the reader.
pub(super) fn open(
    reader: Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    decoder::picture(reader, limits)
}

#[cfg(test)]
mod tests;
