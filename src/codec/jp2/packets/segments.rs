//! Where a block's codeword is terminated: passes → segments.
//!
//! Source: ISO/IEC 15444-1 D.4.2 and D.6; ISO/IEC 15444-15 for the high-throughput coder.

/// Table A.19: arithmetic coding is left out of most passes.
const BYPASS: u8 = 1;

/// Table A.19: every pass is terminated.
const TERMINATE_ALL: u8 = 4;

/// ISO/IEC 15444-15: the high-throughput coder.
const HIGH_THROUGHPUT: u8 = 64;

/// Passes before the first that bypasses arithmetic coding (Table D.9).
const PASSES_BEFORE_BYPASS: u8 = 10;

pub(super) const fn is_high_throughput(modes: u8) -> bool {
    modes & HIGH_THROUGHPUT != 0
}

/// Passes of one block that are in one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) passes: u8,
    /// Whether the segment begins with them.
    pub(super) starts: bool,
}

/// Cuts passes into segments.
#[derive(Debug)]
pub(super) struct Segments {
    modes: u8,
    before: u8,
    left: u8,
}

impl Segments {
    /// Of `passes` that follow `before` others.
    pub(super) const fn new(modes: u8, before: u8, passes: u8) -> Self {
        Self {
            modes,
            before,
            left: passes,
        }
    }

    /// Passes that still go into the segment of the next one, and whether that begins it.
    const fn room(&self) -> (u8, bool) {
        if is_high_throughput(self.modes) {
            // Cleanup alone, then propagation and refinement together.
            return match self.before {
                0 => (1, true),
                some => of_three(some - 1),
            };
        }
        if self.modes & TERMINATE_ALL != 0 {
            return (1, true);
        }
        if self.modes & BYPASS == 0 {
            return (u8::MAX, self.before == 0);
        }
        match self.before.checked_sub(PASSES_BEFORE_BYPASS) {
            // Propagation and refinement in raw bits, then cleanup.
            Some(place) => of_three(place),
            None => (PASSES_BEFORE_BYPASS - self.before, self.before == 0),
        }
    }
}

/// Of two passes in one segment and one in another, over and over.
const fn of_three(place: u8) -> (u8, bool) {
    match place % 3 {
        0 => (2, true),
        1 => (1, false),
        _ => (1, true),
    }
}

impl Iterator for Segments {
    type Item = Taken;

    fn next(&mut self) -> Option<Taken> {
        let (room, starts) = self.room();
        let passes = room.min(self.left);
        self.before = self.before.saturating_add(passes);
        self.left -= passes;
        (passes > 0).then_some(Taken { passes, starts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(modes: u8, before: u8, passes: u8) -> Vec<(u8, bool)> {
        let taken = Segments::new(modes, before, passes);
        taken.map(|taken| (taken.passes, taken.starts)).collect()
    }

    #[test]
    fn passes_are_cut_where_the_modes_terminate() {
        assert_eq!(cut(0, 0, 30), [(30, true)]);
        assert_eq!(cut(2 | 8, 4, 30), [(30, false)]);
        assert_eq!(cut(4, 0, 2), [(1, true), (1, true)]);
        assert_eq!(cut(1, 0, 14), [(10, true), (2, true), (1, true), (1, true)]);
        assert_eq!(cut(1, 8, 3), [(2, false), (1, true)]);
        assert_eq!(cut(1, 11, 2), [(1, false), (1, true)]);
        assert_eq!(cut(1 | 4, 9, 2), [(1, true), (1, true)]);
        assert_eq!(cut(64, 0, 3), [(1, true), (2, true)]);
        assert_eq!(cut(64, 2, 2), [(1, false), (1, true)]);
        assert_eq!(cut(0, 0, 0), []);
    }
}
