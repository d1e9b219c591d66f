//! Bytes → bits as they are: the segments that bypass the MQ decoder.
//!
//! Source: ISO/IEC 15444-1 D.6. After a byte 0xFF the next one has seven bits; after the end there
//! are ones.

/// The bits of one codeword segment.
#[derive(Debug, Clone)]
pub(super) struct Raw<'a> {
    bytes: &'a [u8],
    byte: u8,
    /// Bits of `byte` that are still to be read.
    left: u32,
}

impl<'a> Raw<'a> {
    /// Bits from the start of `bytes`.
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            byte: 0,
            left: 0,
        }
    }

    /// The next bit.
    #[inline]
    pub(super) fn bit(&mut self) -> u64 {
        if self.left == 0 {
            let stuffed = self.byte == 0xFF;
            (self.byte, self.left) = match self.bytes.split_first() {
                Some((&byte, rest)) if !stuffed || byte <= 0x8F => {
                    self.bytes = rest;
                    (byte, if stuffed { 7 } else { 8 })
                }
                _ => (0xFF, 8),
            };
        }
        self.left -= 1;
        u64::from(self.byte >> self.left & 1)
    }
}
