//! How long files of a quality are, by those that came before.

use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes a pixel of what was encoded, for each quality, of gray and of colour. It follows at once when
/// files grow and an eighth of the way when they shrink.
#[derive(Debug)]
pub(in super::super) struct Rates([[AtomicU32; 101]; 2]);

/// Of a byte a pixel: what the numbers are counted in.
const UNIT: u64 = 1 << 16;

/// Bits of a block at most: DC 9 + 11, 63 AC of 16 + 10 each.
pub(super) const BLOCK_BITS: u64 = 20 + 63 * 26;

impl Rates {
    /// As if all files had had so many bytes a pixel.
    pub(in super::super) fn new(bytes_per_px: u32) -> Self {
        let rate = bytes_per_px.saturating_mul(1 << 16);
        Self(std::array::from_fn(|_| {
            std::array::from_fn(|_| AtomicU32::new(rate))
        }))
    }

    /// Bytes that a file of so many pixels is likely to have.
    pub(super) fn guess(&self, gray: bool, quality: u8, pixels: u64) -> u64 {
        pixels.saturating_mul(self.of(gray, quality).load(Ordering::Relaxed).into()) / UNIT
    }

    /// Learns from files of one kind in one batch.
    pub(super) fn learn(&self, gray: bool, quality: u8, pixels: u64, bytes: u64) {
        if pixels == 0 {
            return;
        }
        let seen = u32::try_from(bytes.saturating_mul(UNIT) / pixels).unwrap_or(u32::MAX);
        let rate = self.of(gray, quality);
        let old = rate.load(Ordering::Relaxed);
        let new = seen.max(old - old.saturating_sub(seen) / 8);
        rate.store(new, Ordering::Relaxed);
    }

    fn of(&self, gray: bool, quality: u8) -> &AtomicU32 {
        &self.0[usize::from(gray)][usize::from(quality.min(100))]
    }
}

impl Default for Rates {
    /// One byte a pixel: more than photographs have at any quality below the highest.
    fn default() -> Self {
        Self::new(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_grows_at_once_and_shrinks_slowly() {
        let rates = Rates::default();
        assert_eq!(rates.guess(false, 80, 1000), 1000);
        rates.learn(false, 80, 1000, 3000);
        assert_eq!(rates.guess(false, 80, 1000), 3000);
        rates.learn(false, 80, 1000, 1400);
        assert_eq!(rates.guess(false, 80, 1000), 2800);
        assert_eq!(rates.guess(true, 80, 1000), 1000);
        assert_eq!(rates.guess(false, 81, 1000), 1000);
    }
}
