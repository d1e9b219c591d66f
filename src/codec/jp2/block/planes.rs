//! The state of one code-block while its bit-planes are decoded.

use crate::error::{Error, Result};

use super::context::{ZeroCoding, zero_coding_of};
use super::mq::{Contexts, Mq, UNIFORM};
use super::neighbours::{FIRST_ROWS, Neighbourhoods, SAMPLES, WORDS};
use super::raw::Raw;
use super::{Band, Block, Modes};

/// Passes before the coder may be bypassed (Table D.9).
const CODED_ALWAYS: u32 = 10;

/// How a block is cut: stripes of four rows, words of 16 columns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) stripes: usize,
    /// Words of a stripe, without the border.
    pub(super) words: usize,
    /// The samples that there are in the last word of a stripe.
    last_word: u64,
    /// The samples that there are in a word of the last stripe.
    last_stripe: u64,
}

/// Where one word's samples, lanes and masks lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Its masks.
    pub(super) word: usize,
    /// Its first sample: the neighbourhood and the magnitude.
    pub(super) sample: usize,
}

impl Shape {
    pub(super) fn new(block: &Block<'_>) -> Self {
        let width = block.width as usize;
        let words = width.div_ceil(16);
        let over = words * 16 - width;
        let rows = (block.height - 1) % 4 + 1;
        Self {
            width,
            height: block.height as usize,
            stripes: block.height.div_ceil(4) as usize,
            words,
            last_word: u64::MAX >> (4 * over),
            last_stripe: FIRST_ROWS * ((1 << rows) - 1),
        }
    }

    /// Words from one stripe to the next.
    pub(super) const fn pitch(&self) -> usize {
        self.words + 2
    }

    /// Columns from one stripe to the next.
    pub(super) const fn columns(&self) -> usize {
        self.width + 2
    }

    #[inline(always)]
    pub(super) const fn place(&self, stripe: usize, word: usize) -> Place {
        Place {
            word: (stripe + 1) * self.pitch() + word + 1,
            sample: 4 * ((stripe + 1) * self.columns() + word * 16 + 1),
        }
    }

    /// The samples of a word that lie in the block.
    #[inline(always)]
    pub(super) const fn valid(&self, stripe: usize, word: usize) -> u64 {
        let mut valid = u64::MAX;
        if word + 1 == self.words {
            valid = self.last_word;
        }
        if stripe + 1 == self.stripes {
            valid &= self.last_stripe;
        }
        valid
    }
}

/// Masks, neighbourhoods and magnitudes of one block. Sizes are powers of two, so that indices that
/// are cut to them cannot miss.
///
/// Contexts lie first: they are what is asked for most.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Planes {
    pub(super) contexts: Contexts,
    pub(super) shape: Shape,
    /// Samples that are significant.
    pub(super) significant: [u64; WORDS],
    /// Samples that significance propagation has coded in this bit-plane.
    pub(super) visited: [u64; WORDS],
    /// Samples that have been refined.
    pub(super) refined: [u64; WORDS],
    pub(super) neighbourhoods: Neighbourhoods,
    /// Magnitudes in halves with the sign in bit 31, in the order in which samples are coded and
    /// with the border that neighbourhoods have.
    pub(super) magnitudes: [u32; SAMPLES],
    /// The contexts of zero coding in the block's sub-band.
    pub(super) zero_coding: ZeroCoding,
}

/// The kinds of passes, in the order in which a bit-plane has them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Propagation,
    Refinement,
    CleanUp,
}

/// Pass `number` of a block: which bit-plane below the first it is of, and its kind. The first
/// bit-plane has a clean-up pass alone.
const fn pass(number: u32) -> (u32, Pass) {
    let kind = match number % 3 {
        0 => Pass::CleanUp,
        1 => Pass::Propagation,
        _ => Pass::Refinement,
    };
    (number.div_ceil(3), kind)
}

impl Planes {
    #[expect(
        clippy::large_stack_arrays,
        reason = "made once a thread, and boxed at once"
    )]
    pub(super) const fn new() -> Self {
        Self {
            shape: Shape {
                width: 0,
                height: 0,
                stripes: 0,
                words: 0,
                last_word: 0,
                last_stripe: 0,
            },
            contexts: Contexts::new(),
            significant: [0; WORDS],
            visited: [0; WORDS],
            refined: [0; WORDS],
            neighbourhoods: Neighbourhoods::new(),
            magnitudes: [0; SAMPLES],
            zero_coding: *zero_coding_of(Band::Ll),
        }
    }

    /// Decodes all segments of `block` and writes its coefficients.
    pub(super) fn decode(
        &mut self,
        block: &Block<'_>,
        out: &mut [i32],
        stride: usize,
    ) -> Result<()> {
        if block.width == 0 || block.height == 0 {
            return Ok(());
        }
        self.clear(block);
        let mut number = 0;
        for segment in block.segments {
            let passes = number..number + u32::from(segment.passes);
            number = passes.end;
            if block.modes.has(Modes::CAUSAL) {
                self.segment::<true>(block, segment.bytes, passes);
            } else {
                self.segment::<false>(block, segment.bytes, passes);
            }
        }
        self.write(out, stride)
    }

    fn clear(&mut self, block: &Block<'_>) {
        self.shape = Shape::new(block);
        self.contexts.reset();
        let rows = self.shape.stripes + 2;
        let words = (rows * self.shape.pitch()).min(WORDS);
        self.significant[..words].fill(0);
        self.visited[..words].fill(0);
        self.refined[..words].fill(0);
        let samples = (rows * self.shape.columns() * 4).min(SAMPLES);
        self.neighbourhoods.clear(samples);
        self.magnitudes[..samples].fill(0);
        self.zero_coding = *zero_coding_of(block.band);
    }

    /// The passes of one codeword segment. Those beyond the last bit-plane are left out.
    fn segment<const CAUSAL: bool>(
        &mut self,
        block: &Block<'_>,
        bytes: &[u8],
        passes: std::ops::Range<u32>,
    ) {
        let mut mq = None;
        let mut raw = None;
        for number in passes {
            let (below, kind) = pass(number);
            let Some(plane) = u32::from(block.planes).checked_sub(below + 1) else {
                return;
            };
            let bypassed =
                block.modes.has(Modes::BYPASS) && number >= CODED_ALWAYS && kind != Pass::CleanUp;
            if bypassed {
                let raw = raw.get_or_insert_with(|| Raw::new(bytes));
                match kind {
                    Pass::Propagation => self.propagate::<_, CAUSAL>(raw, plane),
                    Pass::Refinement | Pass::CleanUp => self.refine::<_, CAUSAL>(raw, plane),
                }
            } else {
                let mq = mq.get_or_insert_with(|| Mq::new(bytes));
                match kind {
                    Pass::Propagation => self.propagate::<_, CAUSAL>(mq, plane),
                    Pass::Refinement => self.refine::<_, CAUSAL>(mq, plane),
                    Pass::CleanUp => self.finish::<CAUSAL>(block, mq, plane),
                }
            }
            if block.modes.has(Modes::RESET) {
                self.contexts.reset();
            }
        }
    }

    /// A clean-up pass, with the segmentation symbols after it (D.5). They are read and not asked
    /// about: a decoder that finds them wrong has nothing better than what it has decoded.
    fn finish<const CAUSAL: bool>(&mut self, block: &Block<'_>, mq: &mut Mq<'_>, plane: u32) {
        self.clean_up::<CAUSAL>(mq, plane);
        if block.modes.has(Modes::SYMBOLS) {
            for _ in 0..4 {
                mq.decide(&mut self.contexts, UNIFORM);
            }
        }
    }

    /// Magnitudes in the order of coding → signed rows.
    fn write(&self, out: &mut [i32], stride: usize) -> Result<()> {
        let width = self.shape.width;
        for y in 0..self.shape.height {
            let row = out
                .get_mut(y * stride..)
                .and_then(|rest| rest.get_mut(..width))
                .ok_or_else(|| Error::internal("a code-block does not fit its sub-band"))?;
            let samples = &self.magnitudes[self.shape.place(y / 4, 0).sample..][..4 * width];
            let (columns, _) = samples.as_chunks::<4>();
            for (value, column) in row.iter_mut().zip(columns) {
                *value = signed(column[y % 4]);
            }
        }
        Ok(())
    }
}

/// A magnitude with its sign in bit 31 → the number.
const fn signed(magnitude: u32) -> i32 {
    let size = (magnitude & i32::MAX.cast_unsigned()).cast_signed();
    let sign = magnitude.cast_signed() >> 31;
    (size ^ sign) - sign
}
