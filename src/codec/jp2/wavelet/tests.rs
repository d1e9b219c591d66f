//! Bands made by the forward transform, put together again, whole and in windows.

use super::super::codestream::Span;
use super::*;
use crate::error::Result;

/// A rectangle of samples at its place.
#[derive(Debug, Clone)]
struct Plane<S> {
    x: Span,
    y: Span,
    samples: Vec<S>,
}

impl<S: Copy> Plane<S> {
    fn new(x: Span, y: Span, at: impl Fn(u32, u32) -> S) -> Self {
        let rows =
            (y.start..y.end).flat_map(|row| (x.start..x.end).map(move |column| (column, row)));
        Self {
            x,
            y,
            samples: rows.map(|(column, row)| at(column, row)).collect(),
        }
    }

    fn at(&self, column: u32, row: u32) -> S {
        let width = self.x.length() as usize;
        self.samples[(row - self.y.start) as usize * width + (column - self.x.start) as usize]
    }

    /// A part of it; `x` and `y` lie inside.
    fn part(&self, x: Span, y: Span) -> Self {
        Self::new(x, y, |column, row| self.at(column, row))
    }

    /// Its columns as rows.
    fn turned(&self) -> Self {
        Self::new(self.y, self.x, |column, row| self.at(row, column))
    }
}

/// A part of a band, row by row.
struct Rows<S> {
    plane: Plane<S>,
    next: usize,
}

impl<S: Copy> Band<S, ()> for Rows<S> {
    fn next_row(&mut self, (): &mut ()) -> Result<&mut [S]> {
        let width = self.plane.x.length() as usize;
        let start = self.next * width;
        self.next += 1;
        Ok(&mut self.plane.samples[start..start + width])
    }
}

/// The forward transforms, sample by sample (F.4.8).
trait Forward: Wavelet {
    /// The line `samples` whose first one is at place `start`, transformed in place.
    fn forward(samples: &mut [Self::Sample], start: u32);

    fn random(random: &mut fastrand::Rng) -> Self::Sample;

    /// One that is heard through every step.
    fn loud() -> Self::Sample;

    fn times(sample: Self::Sample, gain: f32) -> Self::Sample;
}

/// Changes the samples at places of one parity by their neighbours, mirrored at both ends.
fn step<S: Copy>(samples: &mut [S], start: u32, odd: bool, change: impl Fn(S, S, S) -> S) {
    let last = samples.len() - 1;
    for index in 0..samples.len() {
        if (start as usize + index) % 2 == usize::from(odd) {
            let before = if index == 0 { 1 } else { index - 1 };
            let after = if index == last { last - 1 } else { index + 1 };
            samples[index] = change(samples[index], samples[before], samples[after]);
        }
    }
}

impl Forward for Reversible {
    fn forward(samples: &mut [i32], start: u32) {
        if let [lone] = samples {
            *lone *= if start.is_multiple_of(2) { 1 } else { 2 };
            return;
        }
        step(samples, start, true, |s, a, b| s - (a + b).div_euclid(2));
        step(samples, start, false, |s, a, b| {
            s + (a + b + 2).div_euclid(4)
        });
    }

    fn random(random: &mut fastrand::Rng) -> i32 {
        random.i32(-40_000..40_000)
    }

    fn loud() -> i32 {
        1 << 20
    }

    fn times(sample: i32, _gain: f32) -> i32 {
        sample
    }
}

impl Forward for Irreversible {
    fn forward(samples: &mut [f32], start: u32) {
        if let [lone] = samples {
            *lone *= if start.is_multiple_of(2) { 1.0 } else { 2.0 };
            return;
        }
        let steps: [(bool, f64); 4] = [
            (true, -1.586_134_342_059_924),
            (false, -0.052_980_118_572_961),
            (true, 0.882_911_075_530_934),
            (false, 0.443_506_852_043_971),
        ];
        let mut wide: Vec<f64> = samples.iter().map(|s| f64::from(*s)).collect();
        for (odd, coefficient) in steps {
            step(&mut wide, start, odd, |s, a, b| s + coefficient * (a + b));
        }
        let k = 1.230_174_104_914_001;
        for (index, (sample, value)) in samples.iter_mut().zip(wide).enumerate() {
            let odd = !(start as usize + index).is_multiple_of(2);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the words under test are these"
            )]
            let narrow = (if odd { value * k } else { value / k }) as f32;
            *sample = narrow;
        }
    }

    fn random(random: &mut fastrand::Rng) -> f32 {
        random.f32() * 255.0 - 128.0
    }

    fn loud() -> f32 {
        1e6
    }

    fn times(sample: f32, gain: f32) -> f32 {
        sample * gain
    }
}

/// One decomposition: LL, HL, LH and HH.
fn decomposed<W: Forward>(plane: &Plane<W::Sample>) -> [Plane<W::Sample>; 4] {
    let mut rows = plane.turned();
    for line in rows.samples.chunks_mut(plane.y.length().max(1) as usize) {
        W::forward(line, plane.y.start);
    }
    let mut both = rows.turned();
    for line in both.samples.chunks_mut(plane.x.length().max(1) as usize) {
        W::forward(line, plane.x.start);
    }
    let half = |span: Span, odd: u32| Span {
        start: (span.start + 1 - odd) / 2,
        end: (span.end + 1 - odd) / 2,
    };
    [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(right, down)| {
        Plane::new(half(plane.x, right), half(plane.y, down), |column, row| {
            both.at(2 * column + right, 2 * row + down)
        })
    })
}

/// The bands of a picture, from the smallest resolution up.
struct Bands<S> {
    lowest: Plane<S>,
    /// What the resolution covers, and its HL, LH and HH.
    levels: Vec<(Span, Span, [Plane<S>; 3])>,
}

impl<S: Copy> Bands<S> {
    fn of<W: Forward<Sample = S>>(picture: &Plane<S>, decompositions: usize) -> Self {
        let (mut lowest, mut levels) = (picture.clone(), Vec::new());
        for _ in 0..decompositions {
            let [ll, hl, lh, hh] = decomposed::<W>(&lowest);
            levels.insert(0, (lowest.x, lowest.y, [hl, lh, hh]));
            lowest = ll;
        }
        Self { lowest, levels }
    }

    /// The samples of a window of the largest resolution.
    fn window<W: Forward<Sample = S>>(&self, x: Span, y: Span) -> Vec<S> {
        let (mut wanted_x, mut wanted_y) = (x, y);
        let mut reaches = Vec::new();
        for (whole_x, whole_y, _) in self.levels.iter().rev() {
            let reach = (
                Reach::new::<W>(wanted_x, *whole_x),
                Reach::new::<W>(wanted_y, *whole_y),
            );
            (wanted_x, wanted_y) = (reach.0.low(), reach.1.low());
            reaches.insert(0, reach);
        }
        let rows = |plane: &Plane<S>, x: Span, y: Span| Rows {
            plane: plane.part(x, y),
            next: 0,
        };
        let mut synthesis = Synthesis::<W, _>::new(rows(&self.lowest, wanted_x, wanted_y));
        for ((_, _, [hl, lh, hh]), (x, y)) in self.levels.iter().zip(reaches) {
            let mut bands = [
                rows(hl, x.high(), y.low()),
                rows(lh, x.low(), y.high()),
                rows(hh, x.high(), y.high()),
            ];
            for (band, gain) in bands.iter_mut().zip(Synthesis::<W, Rows<S>>::gains(x, y)) {
                for sample in &mut band.plane.samples {
                    *sample = W::times(*sample, gain);
                }
            }
            synthesis.add(x, y, bands);
        }
        let mut samples = Vec::new();
        for _ in y.start..y.end {
            samples.extend_from_slice(synthesis.next_row(&mut ()).expect("inside"));
        }
        samples
    }
}

/// Rectangles at odd and even places, down to single lines and samples.
fn rectangles() -> Vec<(Span, Span)> {
    let span = |start, length| Span {
        start,
        end: start + length,
    };
    let mut all = Vec::new();
    for (start, length) in [
        (0, 1),
        (1, 1),
        (2, 1),
        (3, 1),
        (0, 2),
        (5, 2),
        (7, 3),
        (0, 17),
        (11, 40),
    ] {
        for (other, across) in [(0, 1), (1, 1), (0, 33), (13, 24), (6, 2), (9, 5)] {
            all.push((span(start, length), span(other, across)));
        }
    }
    all
}

/// Decomposes pictures and puts them together again, and hands over both.
fn each_picture<W: Forward>(
    mut check: impl FnMut(&Plane<W::Sample>, &Bands<W::Sample>, &mut fastrand::Rng),
) {
    let mut random = fastrand::Rng::with_seed(5);
    for (x, y) in rectangles() {
        for decompositions in 0..5 {
            let mut samples = Plane::new(x, y, |_, _| W::Sample::default());
            samples.samples.fill_with(|| W::random(&mut random));
            let bands = Bands::of::<W>(&samples, decompositions);
            check(&samples, &bands, &mut random);
        }
    }
}

#[test]
fn f_3_the_5_3_filter_gives_back_every_sample() {
    each_picture::<Reversible>(|picture, bands, _| {
        let whole = bands.window::<Reversible>(picture.x, picture.y);
        assert_eq!(whole, picture.samples, "{:?} {:?}", picture.x, picture.y);
    });
}

#[test]
fn f_3_the_9_7_filter_gives_back_every_sample_but_for_rounding() {
    each_picture::<Irreversible>(|picture, bands, _| {
        let whole = bands.window::<Irreversible>(picture.x, picture.y);
        for (got, sample) in whole.iter().zip(&picture.samples) {
            assert!(
                (got - sample).abs() < 0.05,
                "{got} for {sample}, {:?} {:?}",
                picture.x,
                picture.y
            );
        }
    });
}

/// Some windows of each picture are the same parts of the whole.
fn windows_are_parts<W: Forward>()
where
    W::Sample: PartialEq + std::fmt::Debug,
{
    each_picture::<W>(|picture, bands, random| {
        let whole = Plane {
            samples: bands.window::<W>(picture.x, picture.y),
            ..*picture
        };
        for _ in 0..6 {
            let mut span = |all: Span| {
                let start = random.u32(all.start..all.end);
                let end = random.u32(start + 1..=all.end);
                Span { start, end }
            };
            let (x, y) = (span(picture.x), span(picture.y));
            assert_eq!(
                bands.window::<W>(x, y),
                whole.part(x, y).samples,
                "{x:?} {y:?} of {picture:?}"
            );
        }
    });
}

#[test]
fn a_window_of_the_5_3_filter_is_a_part_of_the_whole() {
    windows_are_parts::<Reversible>();
}

#[test]
fn a_window_of_the_9_7_filter_is_a_part_of_the_whole_bit_for_bit() {
    windows_are_parts::<Irreversible>();
}

/// The outermost columns that a window takes of each band change it.
fn no_column_is_taken_in_vain<W: Forward>()
where
    W::Sample: PartialEq + std::fmt::Debug,
{
    let mut random = fastrand::Rng::with_seed(8);
    let span = |start, end| Span { start, end };
    for (start, end) in [(20, 30), (21, 30), (20, 31), (21, 31), (16, 17), (17, 18)] {
        let mut picture = Plane::new(span(3, 60), span(5, 9), |_, _| W::Sample::default());
        picture.samples.fill_with(|| W::random(&mut random));
        let bands = Bands::of::<W>(&picture, 1);
        let expected = bands.window::<W>(span(start, end), picture.y);
        let reach = Reach::new::<W>(span(start, end), picture.x);
        for (band, columns) in [(0, reach.high()), (1, reach.low())] {
            for column in [columns.start, columns.end - 1] {
                let (x, y, mut planes) = bands.levels[0].clone();
                let plane = &mut planes[band];
                let at = (column - plane.x.start) as usize;
                let width = plane.x.length() as usize;
                for line in plane.samples.chunks_mut(width) {
                    line[at] = W::loud();
                }
                let changed = Bands {
                    lowest: bands.lowest.clone(),
                    levels: vec![(x, y, planes)],
                };
                let got = changed.window::<W>(span(start, end), picture.y);
                assert_ne!(got, expected, "{start} to {end}, band {band}, {column}");
            }
        }
    }
}

#[test]
fn a_window_of_the_5_3_filter_takes_no_column_in_vain() {
    no_column_is_taken_in_vain::<Reversible>();
}

#[test]
fn a_window_of_the_9_7_filter_takes_no_column_in_vain() {
    no_column_is_taken_in_vain::<Irreversible>();
}
