//! Bytes → binary decisions: the MQ decoder.
//!
//! Source: ISO/IEC 15444-1 annex C. The register holds 16 active bits at its top and up to 48 bits
//! that wait below them, so that bytes are taken several at a time.

use std::hint::select_unpredictable;

/// Contexts there are: 9 for zero coding, 5 for signs, 3 for refinement, run length, uniform.
pub(super) const CONTEXTS: usize = 19;
/// First context of sign coding.
pub(super) const SIGN: u8 = 9;
/// First context of magnitude refinement.
pub(super) const REFINEMENT: u8 = 14;
/// The run-length context.
pub(super) const RUN: u8 = 17;
/// The uniform context.
pub(super) const UNIFORM: u8 = 18;

/// Where the active bits of interval, code and `Qe` lie.
const ACTIVE: u32 = 48;
/// The smallest interval after renormalisation, 0.75 in the standard's words.
const HALF: u64 = 1 << 63;

/// Table C.2: `Qe`, the next state after a more and a less probable symbol, the switch.
const STATES: [(u16, u8, u8, bool); 47] = [
    (0x5601, 1, 1, true),
    (0x3401, 2, 6, false),
    (0x1801, 3, 9, false),
    (0x0AC1, 4, 12, false),
    (0x0521, 5, 29, false),
    (0x0221, 38, 33, false),
    (0x5601, 7, 6, true),
    (0x5401, 8, 14, false),
    (0x4801, 9, 14, false),
    (0x3801, 10, 14, false),
    (0x3001, 11, 17, false),
    (0x2401, 12, 18, false),
    (0x1C01, 13, 20, false),
    (0x1601, 29, 21, false),
    (0x5601, 15, 14, true),
    (0x5401, 16, 14, false),
    (0x5101, 17, 15, false),
    (0x4801, 18, 16, false),
    (0x3801, 19, 17, false),
    (0x3401, 20, 18, false),
    (0x3001, 21, 19, false),
    (0x2801, 22, 19, false),
    (0x2401, 23, 20, false),
    (0x2201, 24, 21, false),
    (0x1C01, 25, 22, false),
    (0x1801, 26, 23, false),
    (0x1601, 27, 24, false),
    (0x1401, 28, 25, false),
    (0x1201, 29, 26, false),
    (0x1101, 30, 27, false),
    (0x0AC1, 31, 28, false),
    (0x09C1, 32, 29, false),
    (0x08A1, 33, 30, false),
    (0x0521, 34, 31, false),
    (0x0441, 35, 32, false),
    (0x02A1, 36, 33, false),
    (0x0221, 37, 34, false),
    (0x0141, 38, 35, false),
    (0x0111, 39, 36, false),
    (0x0085, 40, 37, false),
    (0x0049, 41, 38, false),
    (0x0025, 42, 39, false),
    (0x0015, 43, 40, false),
    (0x0009, 44, 41, false),
    (0x0005, 45, 42, false),
    (0x0001, 45, 43, false),
    (0x5601, 46, 46, false),
];

/// One adaptive state with the more probable symbol, in one word so that a store of it is soon
/// loaded again: `Qe` at the top like the interval, its place in [`AFTER`] further down, the symbol as
/// the lowest bit.
#[derive(Debug, Clone, Copy)]
pub(super) struct State(u64);

/// By how much a state multiplies its place: the bytes of a row of [`AFTER`].
const PLACE: u64 = 16;

/// The states after a more and after a less probable symbol of each state with its symbol. 128 of
/// them, so that no index can miss.
static AFTER: [[State; 2]; 128] = after();

const fn after() -> [[State; 2]; 128] {
    let mut after = [[State(0); 2]; 128];
    let mut at = 0;
    while at < STATES.len() {
        let (_, more, less, switch) = STATES[at];
        let mut symbol = 0;
        while symbol < 2 {
            let turned = if switch { 1 - symbol } else { symbol };
            after[2 * at + symbol] = [
                State::new(more as usize, symbol),
                State::new(less as usize, turned),
            ];
            symbol += 1;
        }
        at += 1;
    }
    after
}

impl State {
    const fn new(at: usize, symbol: usize) -> Self {
        let qe = STATES[at].0 as u64;
        Self((qe << ACTIVE) | ((2 * at + symbol) as u64 * PLACE) | symbol as u64)
    }

    #[inline(always)]
    const fn qe(self) -> u64 {
        self.0 >> ACTIVE << ACTIVE
    }

    #[inline(always)]
    const fn symbol(self) -> u64 {
        self.0 & 1
    }

    /// The state after a more probable symbol, or after a less probable one where `less` is 1.
    #[inline(always)]
    fn after(self, less: u64) -> Self {
        let [more, other] = AFTER[((self.0 & (127 * PLACE)) / PLACE) as usize];
        // Both are loaded before it is known which one it is.
        Self(more.0 ^ (more.0 ^ other.0) & 0_u64.wrapping_sub(less))
    }
}

/// The adaptive states of all contexts; 256 of them, so that no index can miss.
#[derive(Debug, Clone)]
pub(super) struct Contexts([State; 256]);

impl Contexts {
    /// The states with which a code-block begins (Table D.7).
    pub(super) const fn new() -> Self {
        let mut states = [State::new(0, 0); 256];
        states[0] = State::new(4, 0);
        states[RUN as usize] = State::new(3, 0);
        states[UNIFORM as usize] = State::new(46, 0);
        Self(states)
    }

    /// The state of one context.
    pub(super) const fn state(&mut self, context: u8) -> &mut State {
        &mut self.0[context as usize]
    }

    /// The same again.
    pub(super) fn reset(&mut self) {
        static NEW: Contexts = Contexts::new();
        self.0[..CONTEXTS].copy_from_slice(&NEW.0[..CONTEXTS]);
    }
}

/// The bytes of one segment that are still to be read.
#[derive(Debug, Clone, Copy)]
struct Source<'a> {
    bytes: &'a [u8],
    /// Whether the byte before was 0xFF: the next one has seven bits, or is a marker.
    stuffed: bool,
}

impl Source<'_> {
    /// Adds bytes to the code register until it has at least 24 bits below the active ones. After
    /// the end, and at a marker, there are ones without end.
    ///
    /// By value, so that a decoder on the stack stays in registers. Source: C.3.4, the procedure
    /// BYTEIN.
    #[inline(never)]
    fn fill(mut self, mut code: u64, mut waiting: i32) -> (Self, u64, i32) {
        while waiting < 24 {
            if !self.stuffed
                && waiting <= 0
                && let Some(&eight) = self.bytes.first_chunk::<8>()
            {
                // Six of them, unless one of the first five is 0xFF: the last one only concerns what
                // follows.
                let word = u64::from_be_bytes(eight);
                let full =
                    word & (!word).wrapping_sub(0x0101_0101_0101_0101) & 0x8080_8080_8080_8080;
                if full >> 24 == 0 {
                    code = code.wrapping_add(word >> 16 << -waiting);
                    waiting += 48;
                    self.stuffed = eight[5] == 0xFF;
                    self.bytes = &self.bytes[6..];
                    continue;
                }
            }
            // A carry waits until its place is active, lest it be seen too early.
            if self.stuffed && waiting >= 0 && matches!(self.bytes.first(), Some(0x80..=0x8F)) {
                break;
            }
            let (value, bits) = match self.bytes.split_first() {
                Some((&byte, rest)) if !self.stuffed || byte <= 0x8F => {
                    self.bytes = rest;
                    let bits = if self.stuffed { 7 } else { 8 };
                    self.stuffed = byte == 0xFF;
                    (byte, bits)
                }
                _ => (0xFF, 8),
            };
            code = code.wrapping_add(u64::from(value) << (48 - waiting - bits));
            waiting += bits;
        }
        (self, code, waiting)
    }
}

/// The decoder of one codeword segment.
#[derive(Debug, Clone)]
pub(super) struct Mq<'a> {
    /// The interval, at least [`HALF`] between decisions.
    interval: u64,
    code: u64,
    /// Bits of the code below the active ones.
    waiting: i32,
    source: Source<'a>,
}

impl<'a> Mq<'a> {
    /// A decoder at the start of `bytes`.
    ///
    /// Source: C.3.5, the procedure INITDEC: the first bit of the code is zero, and then the bytes.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let source = Source {
            bytes,
            stuffed: false,
        };
        let (source, code, waiting) = source.fill(0, -15);
        Self {
            interval: HALF,
            code,
            waiting,
            source,
        }
    }

    /// The next decision in `context`, 0 or 1, where both are likely.
    ///
    /// Source: C.3.2, the procedures DECODE, `MPS_EXCHANGE`, `LPS_EXCHANGE` and RENORMD. Every
    /// other such decision renormalises, as good as at random, so nothing here is a branch but the
    /// need of bytes. The result is a number, lest it become one.
    #[inline(always)]
    pub(super) fn decide(&mut self, contexts: &mut Contexts, context: u8) -> u64 {
        self.decide_in(&mut contexts.0[usize::from(context)])
    }

    /// The next decision of a context whose state is at hand.
    #[inline(always)]
    pub(super) fn decide_in(&mut self, state: &mut State) -> u64 {
        let upper = self.interval.wrapping_sub(state.qe());
        let (beyond, lower) = self.code.overflowing_sub(state.qe());
        self.settle(state, upper, beyond, lower)
    }

    /// The next decision in `context`, 0 or 1, where one of them is rare: mostly there is nothing to
    /// renormalise.
    #[inline(always)]
    pub(super) fn decide_rare(&mut self, contexts: &mut Contexts, context: u8) -> u64 {
        let state = &mut contexts.0[usize::from(context)];
        let upper = self.interval.wrapping_sub(state.qe());
        let (beyond, lower) = self.code.overflowing_sub(state.qe());
        if !lower && upper >= HALF {
            self.interval = upper;
            self.code = beyond;
            return state.symbol();
        }
        self.settle(state, upper, beyond, lower)
    }

    /// Takes the lower sub-interval, whose size is `Qe`, or the `upper` one with the code `beyond`.
    #[inline(always)]
    fn settle(&mut self, state: &mut State, upper: u64, beyond: u64, lower: bool) -> u64 {
        let before = *state;
        let qe = before.qe();
        let less = u64::from(lower != (upper < qe));
        let interval = select_unpredictable(lower, qe, upper);
        let code = select_unpredictable(lower, self.code, beyond);
        // Without renormalisation the state stays.
        let after = before.after(less).0;
        *state = State(select_unpredictable(interval < HALF, after, before.0));
        let shift = 63 - (interval | 1).ilog2();
        self.interval = interval << shift;
        self.code = code << shift;
        self.waiting -= shift.cast_signed();
        if self.waiting < 0 {
            (self.source, self.code, self.waiting) = self.source.fill(self.code, self.waiting);
        }
        before.symbol() ^ less
    }
}
