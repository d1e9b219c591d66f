//! The three coding passes over one bit-plane.
//!
//! Source: ISO/IEC 15444-1 D.3 and D.4. Each pass walks words of 16 columns (see
//! [`super::neighbours`]); which samples of a word it codes is a mask, so that its loop sees those
//! alone.

use super::MAX_SAMPLES;
use super::context::{SIGN_CODING, TURN, ZeroCoding};
use super::mq::{Contexts, Mq, REFINEMENT, RUN, UNIFORM};
use super::neighbours::{COLUMNS, FIRST_ROWS, WORDS, around, later, mark};
use super::planes::{Place, Planes};
use super::raw::Raw;

/// Where the decisions of significance propagation and of refinement come from.
pub(super) trait Coder: Clone {
    /// One decision in `context`.
    fn decide(&mut self, contexts: &mut Contexts, context: usize) -> u64;

    /// The sign of a sample with the neighbourhood `lane`: 1 is negative.
    fn sign(&mut self, contexts: &mut Contexts, lane: u64) -> u64;
}

impl Coder for Mq<'_> {
    #[inline(always)]
    fn decide(&mut self, contexts: &mut Contexts, context: usize) -> u64 {
        self.decide(contexts, context)
    }

    #[inline(always)]
    fn sign(&mut self, contexts: &mut Contexts, lane: u64) -> u64 {
        let entry = SIGN_CODING[(lane >> 4) as usize & 0xFF];
        self.decide(contexts, usize::from(entry)) ^ u64::from(entry >> TURN)
    }
}

impl Coder for Raw<'_> {
    #[inline(always)]
    fn decide(&mut self, _: &mut Contexts, _: usize) -> u64 {
        self.bit()
    }

    #[inline(always)]
    fn sign(&mut self, _: &mut Contexts, _: u64) -> u64 {
        self.bit()
    }
}

impl Planes {
    /// The neighbourhood of sample `bit` of the word at `place`.
    #[inline(always)]
    fn lane(&self, place: Place, bit: u32) -> u64 {
        self.lanes[(place.column + (bit >> 2) as usize) & (COLUMNS - 1)] >> ((bit & 3) * 16)
    }

    /// Makes sample `bit` of the word at `place` significant in bit-plane `plane`.
    #[inline(always)]
    fn found<const CAUSAL: bool>(&mut self, place: Place, bit: u32, negative: u64, plane: u32) {
        let column = place.column + (bit >> 2) as usize;
        mark::<CAUSAL>(&mut self.lanes, column, bit & 3, negative, place.columns);
        self.magnitudes[(place.sample + bit as usize) & (MAX_SAMPLES - 1)] =
            3 << plane | u32::from(negative != 0) << 31;
    }

    /// Significance propagation: insignificant samples with a significant neighbour.
    pub(super) fn propagate<C: Coder, const CAUSAL: bool>(
        &mut self,
        coder: &mut C,
        zero_coding: &ZeroCoding,
        plane: u32,
    ) {
        let mut local = coder.clone();
        let shape = self.shape;
        for stripe in 0..shape.stripes {
            for at in 0..shape.words {
                let place = shape.place(stripe, at);
                let before = self.significant[place.word & (WORDS - 1)];
                let open = shape.valid(stripe, at) & !before;
                let mut members =
                    around::<CAUSAL>(&self.significant, place.word, shape.pitch()) & open;
                let mut visited = members;
                let mut found = 0;
                while members != 0 {
                    let bit = members.trailing_zeros();
                    members &= members - 1;
                    let lane = self.lane(place, bit);
                    let context = zero_coding[(lane & 0xFF) as usize];
                    if local.decide(&mut self.contexts, usize::from(context)) != 0 {
                        let negative = local.sign(&mut self.contexts, lane);
                        self.found::<CAUSAL>(place, bit, negative, plane);
                        found |= 1 << bit;
                        members |= later(bit) & open;
                        visited |= later(bit) & open;
                    }
                }
                self.visited[place.word & (WORDS - 1)] = visited;
                self.significant[place.word & (WORDS - 1)] = before | found;
            }
        }
        *coder = local;
    }

    /// Magnitude refinement: samples that were significant before this bit-plane.
    pub(super) fn refine<C: Coder, const CAUSAL: bool>(&mut self, coder: &mut C, plane: u32) {
        let mut local = coder.clone();
        let shape = self.shape;
        for stripe in 0..shape.stripes {
            for at in 0..shape.words {
                let place = shape.place(stripe, at);
                let word = place.word & (WORDS - 1);
                let mut members = self.significant[word] & !self.visited[word];
                // Samples that are refined for the first time, and those of them without neighbours.
                let first = members & !self.refined[word];
                let alone = if first == 0 {
                    0
                } else {
                    first & !around::<CAUSAL>(&self.significant, place.word, shape.pitch())
                };
                self.refined[word] |= members;
                while members != 0 {
                    let bit = members.trailing_zeros();
                    members &= members - 1;
                    let less = (first >> bit & 1) + (alone >> bit & 1);
                    let context = REFINEMENT + 2 - less as usize;
                    let upper = local.decide(&mut self.contexts, context) as u32;
                    let sample = (place.sample + bit as usize) & (MAX_SAMPLES - 1);
                    self.magnitudes[sample] = self.magnitudes[sample]
                        .wrapping_add(upper << plane << 1)
                        .wrapping_sub(1 << plane);
                }
            }
        }
        *coder = local;
    }

    /// Clean-up: all samples that the other two passes have left.
    pub(super) fn clean_up<const CAUSAL: bool>(
        &mut self,
        coder: &mut Mq<'_>,
        zero_coding: &ZeroCoding,
        plane: u32,
    ) {
        let mut local = coder.clone();
        let shape = self.shape;
        for stripe in 0..shape.stripes {
            for at in 0..shape.words {
                let place = shape.place(stripe, at);
                let word = place.word & (WORDS - 1);
                let before = self.significant[word];
                let mut members = shape.valid(stripe, at) & !before & !self.visited[word];
                let mut found = 0;
                let mut runs = self.runs::<CAUSAL>(members, place.word);
                while members != 0 {
                    let mut bit = members.trailing_zeros();
                    if runs >> bit & 1 == 0 {
                        members &= members - 1;
                        let context = zero_coding[(self.lane(place, bit) & 0xFF) as usize];
                        if local.decide(&mut self.contexts, usize::from(context)) == 0 {
                            continue;
                        }
                    } else {
                        if local.decide(&mut self.contexts, RUN) == 0 {
                            members &= !(0xF << bit);
                            continue;
                        }
                        let high = local.decide(&mut self.contexts, UNIFORM);
                        let low = local.decide(&mut self.contexts, UNIFORM);
                        let zeros = (high << 1 | low) as u32;
                        members &= !(((2 << zeros) - 1) << bit);
                        bit += zeros;
                    }
                    let lane = self.lane(place, bit);
                    let negative = local.sign(&mut self.contexts, lane);
                    self.found::<CAUSAL>(place, bit, negative, plane);
                    found |= 1 << bit;
                    runs &= !(0x10 << (bit & !3));
                }
                self.significant[word] = before | found;
            }
        }
        *coder = local;
    }

    /// The first rows of the columns that are coded as runs: all four samples of `members` and none
    /// with a significant neighbour.
    #[inline(always)]
    fn runs<const CAUSAL: bool>(&self, members: u64, word: usize) -> u64 {
        let whole = members & members >> 1 & members >> 2 & members >> 3 & FIRST_ROWS;
        if whole == 0 {
            return 0;
        }
        let near = around::<CAUSAL>(&self.significant, word, self.shape.pitch());
        whole & !(near | near >> 1 | near >> 2 | near >> 3)
    }
}
