//! LZW as it was before TIFF 6.0: codes with their least bit first, that grow when they have to, as in GIF.
//!
//! Source: TIFF 5.0, appendix F, as the writers of its time had it.

use weezl::decode::Decoder;
use weezl::{BitOrder, LzwStatus};

use crate::error::{Error, Result};

/// A stream under way.
pub(in super::super) struct Old(Decoder);

impl Old {
    /// A stream before its first byte.
    pub(in super::super) fn new() -> Self {
        Self(Decoder::new(BitOrder::Lsb, 8))
    }

    /// Turns some of `bytes` into some of `out`: how many of each.
    pub(in super::super) fn step(
        &mut self,
        bytes: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, usize)> {
        let result = self.0.decode_bytes(bytes, out);
        match result.status {
            Ok(LzwStatus::Ok | LzwStatus::NoProgress | LzwStatus::Done) => {
                Ok((result.consumed_in, result.consumed_out))
            }
            Err(cause) => Err(Error::corrupt("an LZW tile is damaged").with_source(cause)),
        }
    }
}
