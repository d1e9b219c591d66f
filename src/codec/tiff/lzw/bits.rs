//! Bytes → codes of 9 to 12 bits, the most significant bit first.

/// Bits that have been taken from the bytes and not yet used.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Bits {
    /// The next bit is the highest; behind the last all are 0, or those of bytes not yet taken.
    buffer: u64,
    count: u32,
}

impl Bits {
    /// The next code of `width` bits; none where `bytes` from `at` on, which moves, have too few.
    #[inline]
    pub(super) fn code(&mut self, width: u32, bytes: &[u8], at: &mut usize) -> Option<usize> {
        if self.count < width {
            self.refill(bytes, at);
            if self.count < width {
                return None;
            }
        }
        let code = self.buffer >> (64 - width);
        self.buffer <<= width;
        self.count -= width;
        Some(usize::try_from(code & 0xfff).unwrap_or_default())
    }

    #[inline]
    fn refill(&mut self, bytes: &[u8], at: &mut usize) {
        if let Some(word) = bytes.get(*at..).and_then(<[u8]>::first_chunk::<8>) {
            self.buffer |= u64::from_be_bytes(*word) >> self.count;
            let taken = (63 - self.count) / 8;
            *at += taken as usize;
            self.count += taken * 8;
        } else {
            while let Some(byte) = bytes.get(*at)
                && self.count <= 56
            {
                self.buffer |= u64::from(*byte) << (56 - self.count);
                *at += 1;
                self.count += 8;
            }
        }
    }
}
