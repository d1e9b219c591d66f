//! A small generator, so that every run sees the same blocks.

/// Begins where its number says.
pub(in super::super) struct Random(pub(in super::super) u64);

impl Random {
    pub(in super::super) fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        u32::try_from(self.0 >> 33).unwrap()
    }

    pub(in super::super) fn below(&mut self, limit: u32) -> u32 {
        self.next() % limit
    }

    pub(in super::super) fn byte(&mut self, limit: u32) -> u8 {
        u8::try_from(self.below(limit)).unwrap()
    }
}
