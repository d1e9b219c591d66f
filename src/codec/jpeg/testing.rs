//! What the tests of this room share.

/// Numbers that are the same in every run.
pub(super) struct Seeded(pub(super) u64);

impl Seeded {
    /// The next, below `limit`.
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        u32::try_from((self.0 >> 33) % u64::from(limit)).unwrap()
    }
}
