//! A plain encoder of code-blocks, sample by sample as annexes C and D of ISO/IEC 15444-1 say it.
//! It shares no table and no idea with the decoder.

use crate::codec::jp2::block::{Band, Modes};

/// The style bit by which every pass ends its segment (Table A.19).
pub(super) const TERMINATE: u8 = 4;

/// Table C.2: `Qe`, NMPS, NLPS, SWITCH.
const TABLE: [(u32, usize, usize, u8); 47] = [
    (0x5601, 1, 1, 1),
    (0x3401, 2, 6, 0),
    (0x1801, 3, 9, 0),
    (0x0AC1, 4, 12, 0),
    (0x0521, 5, 29, 0),
    (0x0221, 38, 33, 0),
    (0x5601, 7, 6, 1),
    (0x5401, 8, 14, 0),
    (0x4801, 9, 14, 0),
    (0x3801, 10, 14, 0),
    (0x3001, 11, 17, 0),
    (0x2401, 12, 18, 0),
    (0x1C01, 13, 20, 0),
    (0x1601, 29, 21, 0),
    (0x5601, 15, 14, 1),
    (0x5401, 16, 14, 0),
    (0x5101, 17, 15, 0),
    (0x4801, 18, 16, 0),
    (0x3801, 19, 17, 0),
    (0x3401, 20, 18, 0),
    (0x3001, 21, 19, 0),
    (0x2801, 22, 19, 0),
    (0x2401, 23, 20, 0),
    (0x2201, 24, 21, 0),
    (0x1C01, 25, 22, 0),
    (0x1801, 26, 23, 0),
    (0x1601, 27, 24, 0),
    (0x1401, 28, 25, 0),
    (0x1201, 29, 26, 0),
    (0x1101, 30, 27, 0),
    (0x0AC1, 31, 28, 0),
    (0x09C1, 32, 29, 0),
    (0x08A1, 33, 30, 0),
    (0x0521, 34, 31, 0),
    (0x0441, 35, 32, 0),
    (0x02A1, 36, 33, 0),
    (0x0221, 37, 34, 0),
    (0x0141, 38, 35, 0),
    (0x0111, 39, 36, 0),
    (0x0085, 40, 37, 0),
    (0x0049, 41, 38, 0),
    (0x0025, 42, 39, 0),
    (0x0015, 43, 40, 0),
    (0x0009, 44, 41, 0),
    (0x0005, 45, 42, 0),
    (0x0001, 45, 43, 0),
    (0x5601, 46, 46, 0),
];

/// The MQ encoder of C.2. The first byte of `bytes` stands before the segment.
pub(super) struct MqEncoder {
    bytes: Vec<u8>,
    a: u32,
    c: u32,
    ct: u32,
}

impl MqEncoder {
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0],
            a: 0x8000,
            c: 0,
            ct: 12,
        }
    }

    pub(super) fn code(&mut self, state: &mut (usize, u8), bit: u8) {
        let (qe, more, less, switch) = TABLE[state.0];
        self.a -= qe;
        if bit == state.1 {
            if self.a & 0x8000 != 0 {
                self.c += qe;
                return;
            }
            if self.a < qe {
                self.a = qe;
            } else {
                self.c += qe;
            }
            state.0 = more;
        } else {
            if self.a < qe {
                self.c += qe;
            } else {
                self.a = qe;
            }
            state.1 ^= switch;
            state.0 = less;
        }
        while self.a & 0x8000 == 0 {
            self.a <<= 1;
            self.c <<= 1;
            self.ct -= 1;
            if self.ct == 0 {
                self.byte_out();
            }
        }
    }

    fn byte_out(&mut self) {
        let last = self.bytes.last_mut().unwrap();
        if *last != 0xFF && self.c >= 0x800_0000 {
            *last += 1;
            self.c &= 0x7FF_FFFF;
        }
        if *last == 0xFF {
            self.bytes.push(u8::try_from(self.c >> 20).unwrap());
            self.c &= 0xF_FFFF;
            self.ct = 7;
        } else {
            self.bytes.push(u8::try_from(self.c >> 19).unwrap());
            self.c &= 0x7_FFFF;
            self.ct = 8;
        }
    }

    pub(super) fn flush(mut self) -> Vec<u8> {
        let limit = self.c + self.a;
        self.c |= 0xFFFF;
        if self.c >= limit {
            self.c -= 0x8000;
        }
        self.c <<= self.ct;
        self.byte_out();
        self.c <<= self.ct;
        self.byte_out();
        if self.bytes.last() == Some(&0xFF) {
            self.bytes.pop();
        }
        self.bytes.remove(0);
        self.bytes
    }
}

/// The MQ decoder of C.3, step by step as the flow charts go.
pub(super) struct MqDecoder<'a> {
    bytes: &'a [u8],
    at: usize,
    a: u32,
    c: u32,
    ct: u32,
}

impl<'a> MqDecoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self {
            bytes,
            at: 0,
            a: 0x8000,
            c: 0,
            ct: 0,
        };
        decoder.c = decoder.byte(0) << 16;
        decoder.byte_in();
        decoder.c <<= 7;
        decoder.ct -= 7;
        decoder
    }

    /// A byte; after the end there is a marker.
    fn byte(&self, at: usize) -> u32 {
        self.bytes.get(at).copied().unwrap_or(0xFF).into()
    }

    fn byte_in(&mut self) {
        let next = self.byte(self.at + 1);
        if self.byte(self.at) != 0xFF {
            self.at += 1;
            self.c = self.c.wrapping_add(next << 8);
            self.ct = 8;
        } else if next > 0x8F {
            self.c = self.c.wrapping_add(0xFF00);
            self.ct = 8;
        } else {
            self.at += 1;
            self.c = self.c.wrapping_add(next << 9);
            self.ct = 7;
        }
    }

    pub(super) fn decode(&mut self, state: &mut (usize, u8)) -> u8 {
        let (qe, more, less, switch) = TABLE[state.0];
        self.a -= qe;
        let lower = self.c >> 16 < qe;
        let exchanged = self.a < qe;
        if lower {
            self.a = qe;
        } else {
            self.c -= qe << 16;
            if self.a & 0x8000 != 0 {
                return state.1;
            }
        }
        let symbol = if lower == exchanged {
            state.0 = more;
            state.1
        } else {
            let symbol = 1 - state.1;
            state.1 ^= switch;
            state.0 = less;
            symbol
        };
        while self.a & 0x8000 == 0 {
            if self.ct == 0 {
                self.byte_in();
            }
            self.a <<= 1;
            self.c <<= 1;
            self.ct -= 1;
        }
        symbol
    }
}

#[derive(Default)]
struct RawEncoder {
    bytes: Vec<u8>,
    byte: u8,
    used: u32,
}

impl RawEncoder {
    fn put(&mut self, bit: u8) {
        let room = if self.bytes.last() == Some(&0xFF) {
            7
        } else {
            8
        };
        self.byte = self.byte << 1 | bit;
        self.used += 1;
        if self.used == room {
            self.bytes.push(self.byte);
            self.byte = 0;
            self.used = 0;
        }
    }

    fn flush(mut self) -> Vec<u8> {
        while self.used != 0 {
            self.put(0);
        }
        if self.bytes.last() == Some(&0xFF) {
            self.bytes.push(0);
        }
        self.bytes
    }
}

enum Coder {
    Mq(MqEncoder),
    Raw(RawEncoder),
}

#[derive(Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the standard's own state variables"
)]
struct Sample {
    magnitude: u32,
    negative: bool,
    significant: bool,
    visited: bool,
    refined: bool,
    /// The last bit-plane that was coded.
    last: u32,
}

/// What came out of [`encode`].
pub(super) struct Encoded {
    /// Bytes and passes of each codeword segment.
    pub(super) segments: Vec<(Vec<u8>, u8)>,
    /// What a decoder makes of them.
    pub(super) expected: Vec<i32>,
}

struct Encoder {
    width: usize,
    height: usize,
    band: Band,
    modes: Modes,
    samples: Vec<Sample>,
    states: [(usize, u8); 19],
    coder: Coder,
}

const fn first_states() -> [(usize, u8); 19] {
    let mut states = [(0, 0); 19];
    states[0].0 = 4;
    states[17].0 = 3;
    states[18].0 = 46;
    states
}

/// Codes the first `passes` passes of `coefficients`, which have `planes` bit-planes at most.
pub(super) fn encode(
    coefficients: &[i32],
    width: usize,
    band: Band,
    modes: Modes,
    planes: u8,
    passes: u32,
) -> Encoded {
    let samples = coefficients
        .iter()
        .map(|&value| Sample {
            magnitude: value.unsigned_abs(),
            negative: value < 0,
            last: u32::from(planes),
            ..Sample::default()
        })
        .collect();
    let mut encoder = Encoder {
        width,
        height: coefficients.len() / width,
        band,
        modes,
        samples,
        states: first_states(),
        coder: Coder::Mq(MqEncoder::new()),
    };
    let segments = encoder.run(u32::from(planes), passes);
    let expected = encoder.samples.iter().map(expected).collect();
    Encoded { segments, expected }
}

fn expected(sample: &Sample) -> i32 {
    let kept = i32::try_from(u64::from(sample.magnitude) >> sample.last).unwrap();
    if kept == 0 {
        return 0;
    }
    let value = (2 * kept + 1) << sample.last;
    if sample.negative { -value } else { value }
}

impl Encoder {
    fn run(&mut self, planes: u32, passes: u32) -> Vec<(Vec<u8>, u8)> {
        let mut segments = Vec::new();
        let mut held = 0;
        let passes = passes.min(3 * planes - 2);
        for number in 0..passes {
            let plane = planes - 1 - number.div_ceil(3);
            let bypass = |n: u32| self.modes.has(Modes::BYPASS) && n >= 10 && !n.is_multiple_of(3);
            if held == 0 {
                self.coder = if bypass(number) {
                    Coder::Raw(RawEncoder::default())
                } else {
                    Coder::Mq(MqEncoder::new())
                };
            }
            let ends = self.modes.has(TERMINATE)
                || bypass(number) != bypass(number + 1)
                || number + 1 == passes;
            match number % 3 {
                0 => self.clean_up(plane),
                1 => self.propagate(plane),
                _ => self.refine(plane),
            }
            held += 1;
            if self.modes.has(Modes::RESET) {
                self.states = first_states();
            }
            if ends {
                let done = std::mem::replace(&mut self.coder, Coder::Mq(MqEncoder::new()));
                let bytes = match done {
                    Coder::Mq(mq) => mq.flush(),
                    Coder::Raw(raw) => raw.flush(),
                };
                segments.push((bytes, held));
                held = 0;
            }
        }
        segments
    }

    fn put(&mut self, context: usize, bit: u8) {
        match &mut self.coder {
            Coder::Mq(mq) => mq.code(&mut self.states[context], bit),
            Coder::Raw(raw) => raw.put(bit),
        }
    }

    /// A neighbour that is seen from `(x, y)`.
    fn seen(&self, x: usize, y: usize, dx: isize, dy: isize) -> Option<&Sample> {
        if self.modes.has(Modes::CAUSAL) && dy == 1 && y % 4 == 3 {
            return None;
        }
        let x = x.checked_add_signed(dx).filter(|&x| x < self.width)?;
        let y = y.checked_add_signed(dy).filter(|&y| y < self.height)?;
        Some(&self.samples[y * self.width + x]).filter(|sample| sample.significant)
    }

    fn count(&self, x: usize, y: usize, places: &[(isize, isize)]) -> usize {
        let seen = |&&(dx, dy): &&(isize, isize)| self.seen(x, y, dx, dy).is_some();
        places.iter().filter(seen).count()
    }

    fn zero_context(&self, x: usize, y: usize) -> usize {
        let across = self.count(x, y, &[(-1, 0), (1, 0)]);
        let down = self.count(x, y, &[(0, -1), (0, 1)]);
        let diagonal = self.count(x, y, &[(-1, -1), (1, -1), (-1, 1), (1, 1)]);
        let (h, v) = match self.band {
            Band::Ll | Band::Lh => (across, down),
            Band::Hl => (down, across),
            Band::Hh => {
                let hv = (across + down).min(2);
                return match diagonal {
                    0 => hv,
                    1 => 3 + hv,
                    2 => 6 + hv.min(1),
                    _ => 8,
                };
            }
        };
        if h == 2 {
            8
        } else if h == 1 {
            if v > 0 { 7 } else { 5 + diagonal.min(1) }
        } else if v > 0 {
            2 + v
        } else {
            diagonal.min(2)
        }
    }

    fn near(&self, x: usize, y: usize) -> bool {
        self.zero_context(x, y) != 0
    }

    fn put_sign(&mut self, x: usize, y: usize) {
        let at = y * self.width + x;
        let negative = self.samples[at].negative;
        let value = |sample: Option<&Sample>| match sample {
            None => 0,
            Some(sample) if sample.negative => -1,
            Some(_) => 1,
        };
        let h = value(self.seen(x, y, -1, 0)) + value(self.seen(x, y, 1, 0));
        let v = value(self.seen(x, y, 0, -1)) + value(self.seen(x, y, 0, 1));
        let (context, turn) = match (h.clamp(-1, 1), v.clamp(-1, 1)) {
            (1, 1) => (13, 0),
            (1, 0) => (12, 0),
            (1, -1) => (11, 0),
            (0, 1) => (10, 0),
            (0, 0) => (9, 0),
            (0, -1) => (10, 1),
            (-1, 1) => (11, 1),
            (-1, 0) => (12, 1),
            _ => (13, 1),
        };
        let turn = if matches!(self.coder, Coder::Raw(_)) {
            0
        } else {
            turn
        };
        self.put(context, u8::from(negative) ^ turn);
        self.samples[at].significant = true;
    }

    fn bit(&self, at: usize, plane: u32) -> u8 {
        u8::from(self.samples[at].magnitude >> plane & 1 == 1)
    }

    fn zero(&mut self, x: usize, y: usize, plane: u32) {
        let at = y * self.width + x;
        let bit = self.bit(at, plane);
        let context = self.zero_context(x, y);
        self.put(context, bit);
        self.samples[at].last = plane;
        if bit == 1 {
            self.put_sign(x, y);
        }
    }

    fn scan(&self) -> Vec<(usize, usize)> {
        let mut order = Vec::new();
        for top in (0..self.height).step_by(4) {
            for x in 0..self.width {
                order.extend((top..(top + 4).min(self.height)).map(|y| (x, y)));
            }
        }
        order
    }

    fn propagate(&mut self, plane: u32) {
        for (x, y) in self.scan() {
            let at = y * self.width + x;
            if !self.samples[at].significant && self.near(x, y) {
                self.zero(x, y, plane);
                self.samples[at].visited = true;
            }
        }
    }

    fn refine(&mut self, plane: u32) {
        for (x, y) in self.scan() {
            let at = y * self.width + x;
            if !self.samples[at].significant || self.samples[at].visited {
                continue;
            }
            let context = if self.samples[at].refined {
                16
            } else {
                14 + usize::from(self.near(x, y))
            };
            self.put(context, self.bit(at, plane));
            self.samples[at].refined = true;
            self.samples[at].last = plane;
        }
    }

    fn clean_up(&mut self, plane: u32) {
        for top in (0..self.height).step_by(4) {
            for x in 0..self.width {
                self.clean_column(x, top, plane);
            }
        }
        if self.modes.has(Modes::SYMBOLS) {
            for bit in [1, 0, 1, 0] {
                self.put(18, bit);
            }
        }
        for sample in &mut self.samples {
            sample.visited = false;
        }
    }

    fn clean_column(&mut self, x: usize, top: usize, plane: u32) {
        let mut y = top;
        let left = |encoder: &Self, y: usize| {
            let sample = &encoder.samples[y * encoder.width + x];
            !sample.significant && !sample.visited
        };
        let run =
            top + 4 <= self.height && (top..top + 4).all(|y| left(self, y) && !self.near(x, y));
        if run {
            let at = |y: usize| y * self.width + x;
            let first = (top..top + 4).find(|&y| self.bit(at(y), plane) == 1);
            let ends = first.unwrap_or(top + 3);
            for y in top..=ends {
                let at = y * self.width + x;
                self.samples[at].last = plane;
            }
            self.put(17, u8::from(first.is_some()));
            let Some(first) = first else { return };
            let zeros = u8::try_from(first - top).unwrap();
            self.put(18, zeros >> 1);
            self.put(18, zeros & 1);
            self.put_sign(x, first);
            y = first + 1;
        }
        while y < (top + 4).min(self.height) {
            if left(self, y) {
                self.zero(x, y, plane);
            }
            y += 1;
        }
    }
}
