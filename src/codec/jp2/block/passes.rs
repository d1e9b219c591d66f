//! The three coding passes over one bit-plane.
//!
//! Source: ISO/IEC 15444-1 D.3 and D.4. Each pass walks words of 16 columns (see
//! [`super::neighbours`]); which samples of a word it codes is a mask, so that its loop sees those
//! alone.

use super::context::TURN;
use super::mq::{Contexts, Mq, REFINEMENT, RUN, State, UNIFORM};
use super::neighbours::{FIRST_ROWS, SAMPLES, WORDS, around, later};
use super::planes::Planes;
use super::raw::Raw;

/// Where the decisions of significance propagation and of refinement come from.
pub(super) trait Coder: Clone {
    /// One decision in `context`.
    fn decide(&mut self, contexts: &mut Contexts, context: u8) -> u64;

    /// One decision of a context whose state is at hand.
    fn decide_in(&mut self, state: &mut State) -> u64;

    /// The sign of a sample whose entry of sign coding is `coding`: 1 is negative.
    fn sign(&mut self, contexts: &mut Contexts, coding: u8) -> u64;
}

impl Coder for Mq<'_> {
    #[inline(always)]
    fn decide(&mut self, contexts: &mut Contexts, context: u8) -> u64 {
        self.decide(contexts, context)
    }

    #[inline(always)]
    fn decide_in(&mut self, state: &mut State) -> u64 {
        self.decide_in(state)
    }

    #[inline(always)]
    fn sign(&mut self, contexts: &mut Contexts, coding: u8) -> u64 {
        self.decide(contexts, coding & (TURN - 1)) ^ u64::from(coding / TURN)
    }
}

impl Coder for Raw<'_> {
    #[inline(always)]
    fn decide(&mut self, _: &mut Contexts, _: u8) -> u64 {
        self.bit()
    }

    #[inline(always)]
    fn decide_in(&mut self, _: &mut State) -> u64 {
        self.bit()
    }

    #[inline(always)]
    fn sign(&mut self, _: &mut Contexts, _: u8) -> u64 {
        self.bit()
    }
}

impl Planes {
    /// The context of zero coding of the sample at `at`.
    #[inline(always)]
    fn zero_context(&self, at: usize) -> u8 {
        self.zero_coding[usize::from(self.neighbourhoods.lane(at))]
    }

    /// Makes the sample at `at` significant in bit-plane `plane`, with the sign that follows.
    #[inline(always)]
    fn found<C: Coder, const CAUSAL: bool>(
        &mut self,
        coder: &mut C,
        at: usize,
        columns: usize,
        plane: u32,
    ) {
        let coding = self.neighbourhoods.sign_coding(at);
        self.neighbourhoods.mark::<CAUSAL>(at, columns);
        let negative = coder.sign(&mut self.contexts, coding);
        self.neighbourhoods
            .mark_sign::<CAUSAL>(at, negative, columns);
        self.magnitudes[at & (SAMPLES - 1)] = 3 << plane | ((negative & 1) as u32) << 31;
    }

    /// Takes the `upper` half of the sample at `at` for bit-plane `plane`, or the lower one.
    #[inline(always)]
    fn sharpen(&mut self, at: usize, upper: u64, plane: u32) {
        let magnitude = &mut self.magnitudes[at & (SAMPLES - 1)];
        *magnitude = magnitude
            .wrapping_add(((upper & 1) as u32) << plane << 1)
            .wrapping_sub(1 << plane);
    }

    /// Significance propagation: insignificant samples with a significant neighbour.
    #[inline(never)]
    pub(super) fn propagate<C: Coder, const CAUSAL: bool>(&mut self, coder: &mut C, plane: u32) {
        let mut local = coder.clone();
        let shape = self.shape;
        for stripe in 0..shape.stripes {
            for at in 0..shape.words {
                let here = shape.place(stripe, at);
                let before = self.significant[here.word & (WORDS - 1)];
                let open = shape.valid(stripe, at) & !before;
                let mut members =
                    around::<CAUSAL>(&self.significant, here.word, shape.pitch()) & open;
                let mut visited = members;
                let mut found = 0;
                let mut bit = members.trailing_zeros();
                let mut context = self.zero_context(here.sample + bit as usize);
                while members != 0 {
                    members &= members - 1;
                    // The next sample is looked up before this one's decision, as the way on is
                    // mostly this one and its look-ups take longer than the decision.
                    let next = members.trailing_zeros();
                    let next_context = self.zero_context(here.sample + next as usize);
                    if local.decide(&mut self.contexts, context) == 0 {
                        (bit, context) = (next, next_context);
                        continue;
                    }
                    let sample = here.sample + bit as usize;
                    self.found::<_, CAUSAL>(&mut local, sample, shape.columns(), plane);
                    found |= 1 << bit;
                    members |= later(bit) & open;
                    visited |= later(bit) & open;
                    bit = members.trailing_zeros();
                    context = self.zero_context(here.sample + bit as usize);
                }
                self.visited[here.word & (WORDS - 1)] = visited;
                self.significant[here.word & (WORDS - 1)] = before | found;
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
                let here = shape.place(stripe, at);
                let word = here.word & (WORDS - 1);
                let mut members = self.significant[word] & !self.visited[word];
                let first = members & !self.refined[word];
                if first == 0 {
                    // Most words, and all in one context, whose state stays in a register.
                    let mut state = *self.contexts.state(REFINEMENT + 2);
                    while members != 0 {
                        let upper = local.decide_in(&mut state);
                        self.sharpen(
                            here.sample + members.trailing_zeros() as usize,
                            upper,
                            plane,
                        );
                        members &= members - 1;
                    }
                    *self.contexts.state(REFINEMENT + 2) = state;
                    continue;
                }
                // Samples that are refined for the first time and have no neighbours.
                let alone = first & !around::<CAUSAL>(&self.significant, here.word, shape.pitch());
                self.refined[word] |= members;
                while members != 0 {
                    let bit = members.trailing_zeros();
                    members &= members - 1;
                    let less = (first >> bit & 1) + (alone >> bit & 1);
                    let context = REFINEMENT + 2 - (less & 3) as u8;
                    let upper = local.decide(&mut self.contexts, context);
                    self.sharpen(here.sample + bit as usize, upper, plane);
                }
            }
        }
        *coder = local;
    }

    /// Clean-up: all samples that the other two passes have left.
    #[inline(never)]
    pub(super) fn clean_up<const CAUSAL: bool>(&mut self, coder: &mut Mq<'_>, plane: u32) {
        let mut local = coder.clone();
        let shape = self.shape;
        for stripe in 0..shape.stripes {
            for at in 0..shape.words {
                let here = shape.place(stripe, at);
                let word = here.word & (WORDS - 1);
                let before = self.significant[word];
                let mut members = shape.valid(stripe, at) & !before & !self.visited[word];
                let mut found = 0;
                let mut runs = self.runs::<CAUSAL>(members, here.word);
                while members != 0 {
                    let mut bit = members.trailing_zeros();
                    if runs >> bit & 1 == 0 {
                        members &= members - 1;
                        let context = self.zero_context(here.sample + bit as usize);
                        if local.decide(&mut self.contexts, context) == 0 {
                            continue;
                        }
                    } else if local.decide_rare(&mut self.contexts, RUN) == 0 {
                        members &= !(0xF << bit);
                        continue;
                    } else {
                        let high = local.decide(&mut self.contexts, UNIFORM);
                        let low = local.decide(&mut self.contexts, UNIFORM);
                        let zeros = ((high << 1 | low) & 3) as u32;
                        members &= !(((2 << zeros) - 1) << bit);
                        bit += zeros;
                    }
                    let sample = here.sample + bit as usize;
                    self.found::<_, CAUSAL>(&mut local, sample, shape.columns(), plane);
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
