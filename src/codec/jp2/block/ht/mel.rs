//! Bytes → events of quads that have no significant neighbour: the adaptive run-length coder.
//!
//! Source: ISO/IEC 15444-15, clauses 7.1.3 and 7.3.3.

/// How many zeros a full run has in each state, as a power of two (Table 2).
const EXPONENTS: [u8; 13] = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5];

/// The MEL decoder of one block.
#[derive(Debug, Clone)]
pub(super) struct Mel<'a> {
    /// The bytes that are still to be read; the last one only has its upper bits.
    bytes: &'a [u8],
    /// Bits that wait, the next one highest.
    held: u64,
    waiting: u32,
    /// Whether the byte before was 0xFF: the next one has seven bits.
    stuffed: bool,
    exponent: usize,
    /// Events still to be told: twice the zeros, and one more where a one follows them.
    run: u32,
}

impl<'a> Mel<'a> {
    /// A decoder at the start of `shared`, which ends with the VLC codewords and their length.
    pub(super) fn new(shared: &'a [u8]) -> Self {
        Self {
            bytes: &shared[..shared.len().saturating_sub(1)],
            held: 0,
            waiting: 0,
            stuffed: false,
            exponent: 0,
            run: 0,
        }
    }

    /// Whether the next event is a one.
    #[inline(always)]
    pub(super) fn event(&mut self) -> bool {
        if self.run == 0 {
            self.refill();
        }
        if self.run >= 2 {
            self.run -= 2;
            return false;
        }
        self.run = 0;
        true
    }

    /// The next codeword. After the last byte there are ones.
    #[inline(never)]
    fn refill(&mut self) {
        while self.waiting <= 48 {
            let (byte, bits) = match self.bytes {
                [last] => (last | 0xF, 8),
                [first, ..] => (*first, 8),
                [] => (0xFF, 8),
            };
            self.bytes = self.bytes.get(1..).unwrap_or_default();
            let bits = if self.stuffed { 7 } else { bits };
            let kept = u64::from(byte & (0xFF >> (8 - bits)));
            self.held |= kept << (64 - self.waiting - bits);
            self.waiting += bits;
            self.stuffed = byte == 0xFF;
        }
        let exponent = u32::from(EXPONENTS[self.exponent]);
        if self.held >> 63 == 1 {
            self.run = 2 << exponent;
            self.exponent = (self.exponent + 1).min(EXPONENTS.len() - 1);
            self.held <<= 1;
            self.waiting -= 1;
        } else {
            let zeros = (self.held << 1 >> 1 >> (63 - exponent) & 0x1F) as u32;
            self.run = 2 * zeros + 1;
            self.exponent = self.exponent.saturating_sub(1);
            self.held <<= exponent + 1;
            self.waiting -= exponent + 1;
        }
    }
}
