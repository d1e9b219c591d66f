//! The three coding passes over one bit-plane.
//!
//! Source: ISO/IEC 15444-1 D.3 and D.4. Each pass walks words of 16 columns (see
//! [`super::neighbours`]); which samples of a word it codes is a mask, so that its loop sees those
//! alone.

use super::MAX_SAMPLES;
use super::context::{TURN, ZeroCoding, sign_coding_of};
use super::mq::{Contexts, Mq, REFINEMENT, RUN, UNIFORM};
use super::neighbours::{FIRST_ROWS, WORDS, around, later};
use super::planes::{Place, Planes};
use super::raw::Raw;

/// Where the decisions of significance propagation and of refinement come from.
pub(super) trait Coder: Clone {
    /// One decision in `context`.
    fn decide(&mut self, contexts: &mut Contexts, context: u8) -> u64;

    /// The sign of a sample whose entry of sign coding is `coding`: 1 is negative.
    fn sign(&mut self, contexts: &mut Contexts, coding: u8) -> u64;
}

impl Coder for Mq<'_> {
    #[inline(always)]
    fn decide(&mut self, contexts: &mut Contexts, context: u8) -> u64 {
        self.decide(contexts, context)
    }

    #[inline(always)]
    fn sign(&mut self, contexts: &mut Contexts, coding: u8) -> u64 {
        self.decide(contexts, coding & !(1 << TURN)) ^ u64::from(coding >> TURN)
    }
}

impl Coder for Raw<'_> {
    #[inline(always)]
    fn decide(&mut self, _: &mut Contexts, _: u8) -> u64 {
        self.bit()
    }

    #[inline(always)]
    fn sign(&mut self, _: &mut Contexts, _: u8) -> u64 {
        self.bit()
    }
}

/// What the neighbourhood of a sample says.
#[derive(Clone, Copy)]
struct Seen {
    /// The context of zero coding.
    context: u8,
    /// The neighbourhood itself.
    lane: u8,
}

impl Planes {
    /// What is looked up of sample `bit` of the word at `place`.
    #[inline(always)]
    fn look(&self, zero_coding: &ZeroCoding, place: Place, bit: u32) -> Seen {
        let at = place.column * 4 + bit as usize;
        let lane = self.neighbourhoods.lane(at);
        Seen {
            context: zero_coding[usize::from(lane)],
            lane,
        }
    }

    /// The entry of sign coding of sample `bit`.
    #[inline(always)]
    fn sign_coding(&self, lane: u8, place: Place, bit: u32) -> u8 {
        let signs = self.neighbourhoods.signs(place.column * 4 + bit as usize);
        sign_coding_of(lane, signs)
    }

    /// Makes sample `bit` of the word at `place` significant.
    #[inline(always)]
    fn mark<const CAUSAL: bool>(&mut self, place: Place, bit: u32) {
        let column = place.column + (bit >> 2) as usize;
        self.neighbourhoods
            .mark::<CAUSAL>(column, bit & 3, place.columns);
    }

    /// Gives the same sample its sign, and its magnitude in bit-plane `plane`.
    #[inline(always)]
    fn found(&mut self, place: Place, bit: u32, negative: u64, plane: u32) {
        let column = place.column + (bit >> 2) as usize;
        self.neighbourhoods
            .mark_sign(column, bit & 3, negative, place.columns);
        self.magnitudes[(place.sample + bit as usize) & (MAX_SAMPLES - 1)] =
            3 << plane | (negative as u32) << 31;
    }

    /// Significance propagation: insignificant samples with a significant neighbour.
    #[inline(never)]
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
                let mut bit = members.trailing_zeros() & 63;
                let mut seen = self.look(zero_coding, place, bit);
                while members != 0 {
                    members &= members - 1;
                    // The next sample is looked up before this one's decision, as the way on is
                    // mostly this one and its look-ups take longer than the decision.
                    let next = members.trailing_zeros() & 63;
                    let next_seen = self.look(zero_coding, place, next);
                    if local.decide(&mut self.contexts, seen.context) == 0 {
                        (bit, seen) = (next, next_seen);
                        continue;
                    }
                    self.mark::<CAUSAL>(place, bit);
                    let coding = self.sign_coding(seen.lane, place, bit);
                    let negative = local.sign(&mut self.contexts, coding);
                    self.found(place, bit, negative, plane);
                    found |= 1 << bit;
                    members |= later(bit) & open;
                    visited |= later(bit) & open;
                    bit = members.trailing_zeros() & 63;
                    seen = self.look(zero_coding, place, bit);
                }
                self.visited[place.word & (WORDS - 1)] = visited;
                self.significant[place.word & (WORDS - 1)] = before | found;
            }
        }
        *coder = local;
    }

    /// Magnitude refinement: samples that were significant before this bit-plane.
    #[inline(never)]
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
                    let context = REFINEMENT + 2 - less as u8;
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
    #[inline(never)]
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
                let mut bit = members.trailing_zeros() & 63;
                let mut seen = self.look(zero_coding, place, bit);
                while members != 0 {
                    if runs >> bit & 1 == 0 {
                        members &= members - 1;
                        let next = members.trailing_zeros() & 63;
                        let next_seen = self.look(zero_coding, place, next);
                        if local.decide(&mut self.contexts, seen.context) == 0 {
                            (bit, seen) = (next, next_seen);
                            continue;
                        }
                    } else if local.decide_rare(&mut self.contexts, RUN) == 0 {
                        members &= !(0xF << bit);
                        bit = members.trailing_zeros() & 63;
                        seen = self.look(zero_coding, place, bit);
                        continue;
                    } else {
                        let high = local.decide(&mut self.contexts, UNIFORM);
                        let low = local.decide(&mut self.contexts, UNIFORM);
                        let zeros = (high << 1 | low) as u32;
                        members &= !(((2 << zeros) - 1) << bit);
                        bit = (bit + zeros) & 63;
                        seen = self.look(zero_coding, place, bit);
                    }
                    self.mark::<CAUSAL>(place, bit);
                    let coding = self.sign_coding(seen.lane, place, bit);
                    let negative = local.sign(&mut self.contexts, coding);
                    self.found(place, bit, negative, plane);
                    found |= 1 << bit;
                    runs &= !(0x10 << (bit & !3));
                    bit = members.trailing_zeros() & 63;
                    seen = self.look(zero_coding, place, bit);
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
