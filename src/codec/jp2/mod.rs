//! JPEG 2000, as a JP2 or JPH file or a bare code stream → rows.
//!
//! [`open`] parses boxes and the code stream's headers and checks all of it against the limits. A window
//! then reads and decodes the code-blocks that it needs, and no others: `packets` knows where their bytes
//! lie, `block` decodes them, `wavelet` puts the bands together, `decode` makes rows of what comes out.
//! Reductions of the wavelet are the levels of the pyramid.
//!
//! A caller may rely on this: the pixels of a window are those of the whole level, bit for bit.
//!
//! Source: ISO/IEC 15444-1, and ISO/IEC 15444-15 for the high-throughput coder.

mod block;
mod boxes;
mod bytes;
mod channels;
mod codestream;
mod decode;
mod header;
mod metadata;
mod packets;
mod palette;
mod spaces;
mod wavelet;

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
/// [`crate::error::ErrorKind::NotImplemented`] for what is not read (more than 16 bits or four inks, colours
/// that are sampled more finely than the first), [`crate::error::ErrorKind::Upstream`] from the reader.
pub(super) fn open(
    reader: Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    decode::picture(reader, limits)
}

#[cfg(test)]
mod tests;
