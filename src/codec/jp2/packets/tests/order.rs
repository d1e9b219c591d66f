//! The order of packets against the loops of B.12.1, written down as they stand there.

use super::super::progression::{Next, Precinct, Visitor};
use super::*;
use crate::codec::jp2::codestream::Progression;

/// What a stream's headers say, with what the loops depend on.
#[derive(Debug, Clone)]
struct Made {
    grid: [u32; 8],
    steps: Vec<(u8, u8)>,
    progression: u8,
    layers: u16,
    decompositions: u8,
    precincts: Vec<u8>,
    /// Contents of a POC segment.
    changes: Vec<u8>,
}

fn segment(code: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).expect("small");
    [
        &code.to_be_bytes(),
        length.to_be_bytes().as_slice(),
        content,
    ]
    .concat()
}

impl Made {
    fn random(random: &mut fastrand::Rng) -> Self {
        let decompositions = random.u8(0..4);
        let mut axis = || {
            let start = random.u32(0..40);
            let end = start + random.u32(1..200);
            let origin = random.u32(0..=start);
            let tile = random.u32(start - origin + 1..300);
            (end, start, tile, origin)
        };
        let (x, y) = (axis(), axis());
        Self {
            grid: [x.0, y.0, x.1, y.1, x.2, y.2, x.3, y.3],
            steps: vec![(1, 1), (random.u8(1..4), random.u8(1..4)), (2, 1)],
            progression: random.u8(0..5),
            layers: random.u16(1..4),
            decompositions,
            precincts: (0..=decompositions)
                .map(|_| random.u8(2..7) << 4 | random.u8(2..7))
                .collect(),
            changes: Vec::new(),
        }
    }

    fn stream(&self) -> Option<Codestream> {
        let mut size = vec![0, 0];
        size.extend(self.grid.iter().flat_map(|number| number.to_be_bytes()));
        size.extend([0, 3]);
        size.extend(self.steps.iter().flat_map(|step| [7, step.0, step.1]));
        let mut coding = vec![1, self.progression];
        coding.extend(self.layers.to_be_bytes());
        coding.extend([0, self.decompositions, 0, 0, 0, 1]);
        coding.extend(&self.precincts);
        let steps = vec![0x48; usize::from(self.decompositions) * 3 + 1];
        let mut bytes = [vec![0xFF, 0x4F], segment(0xFF51, &size)].concat();
        bytes.extend(segment(0xFF52, &coding));
        bytes.extend(segment(0xFF5C, &[vec![0x40], steps].concat()));
        if !self.changes.is_empty() {
            bytes.extend(segment(0xFF5F, &self.changes));
        }
        let across = (self.grid[0] - self.grid[6]).div_ceil(self.grid[4]);
        let down = (self.grid[1] - self.grid[7]).div_ceil(self.grid[5]);
        for tile in 0..u16::try_from(across * down).ok()? {
            let content = [&tile.to_be_bytes()[..], &[0, 0, 0, 14, 0, 1]].concat();
            bytes.extend(segment(0xFF90, &content));
            bytes.extend([0xFF, 0x93]);
        }
        bytes.extend([0xFF, 0xD9]);
        stream(&bytes).ok()
    }
}

/// Takes note of packets, as a walk would meet them.
#[derive(Default)]
struct Noted {
    packets: Vec<(usize, usize, u32, u16)>,
    through: std::collections::BTreeMap<(usize, usize, u32), u16>,
}

impl Noted {
    fn note(&mut self, precinct: (usize, usize, u32), layer: u16) {
        let through = self.through.entry(precinct).or_default();
        if layer >= *through {
            *through = layer + 1;
            let (component, resolution, place) = precinct;
            self.packets.push((component, resolution, place, layer));
        }
    }
}

impl Visitor for Noted {
    fn packet(&mut self, precinct: Precinct, layer: u16) -> Result<Next> {
        let Precinct {
            component,
            resolution,
            place,
        } = precinct;
        self.note((component, resolution, place), layer);
        Ok(Next::More)
    }

    fn step(&mut self, _count: u64) -> Result<()> {
        Ok(())
    }
}

/// One tile's loops.
struct Loops<'a> {
    made: &'a Made,
    x: Span,
    y: Span,
    noted: Noted,
}

impl Loops<'_> {
    /// trx0 or try0, trx1 or try1 (B-14).
    fn resolution(&self, span: Span, step: u8, resolution: usize) -> (u64, u64) {
        let halvings = usize::from(self.made.decompositions) - resolution;
        let one = |point: u32| u64::from(point.div_ceil(step.into())).div_ceil(1 << halvings);
        (one(span.start), one(span.end))
    }

    fn exponents(&self, resolution: usize) -> (u32, u32) {
        let byte = self.made.precincts[resolution];
        (u32::from(byte & 15), u32::from(byte >> 4))
    }

    /// B-16.
    fn counts(&self, component: usize, resolution: usize) -> (u64, u64) {
        let steps = self.made.steps[component];
        let count = |span: Span, step: u8, exponent: u32| {
            let (start, end) = self.resolution(span, step, resolution);
            if end > start {
                end.div_ceil(1 << exponent) - (start >> exponent)
            } else {
                0
            }
        };
        let (across, down) = self.exponents(resolution);
        let counts = (count(self.x, steps.0, across), count(self.y, steps.1, down));
        if counts.0 == 0 || counts.1 == 0 {
            (0, 0)
        } else {
            counts
        }
    }

    /// The condition of B.12.1.3 on one axis.
    fn begins(&self, at: u32, span: Span, step: u8, resolution: usize, exponent: u32) -> bool {
        let halvings =
            u32::from(self.made.decompositions) - u32::try_from(resolution).expect("small");
        let side = u64::from(step) << (exponent + halvings);
        let start = self.resolution(span, step, resolution).0 << halvings;
        u64::from(at).is_multiple_of(side)
            || at == span.start && !start.is_multiple_of(1 << (exponent + halvings))
    }

    /// The packets of a component's resolution at one point of the grid (B-20).
    fn at(&mut self, (x, y): (u32, u32), component: usize, resolution: usize, layers: u16) {
        let steps = self.made.steps[component];
        let (across, down) = self.exponents(resolution);
        let (columns, rows) = self.counts(component, resolution);
        if columns == 0
            || rows == 0
            || !self.begins(x, self.x, steps.0, resolution, across)
            || !self.begins(y, self.y, steps.1, resolution, down)
        {
            return;
        }
        let place = |at: u32, span: Span, step: u8, exponent: u32| {
            let halvings = usize::from(self.made.decompositions) - resolution;
            let here = u64::from(at).div_ceil(u64::from(step) << halvings) >> exponent;
            here - (self.resolution(span, step, resolution).0 >> exponent)
        };
        let number = place(x, self.x, steps.0, across) + columns * place(y, self.y, steps.1, down);
        let number = u32::try_from(number).expect("small");
        for layer in 0..layers {
            self.noted.note((component, resolution, number), layer);
        }
    }

    fn run(
        &mut self,
        progression: u8,
        resolutions: std::ops::Range<usize>,
        components: std::ops::Range<usize>,
        layers: u16,
    ) {
        let resolutions = || resolutions.clone();
        let components = || components.clone();
        let (x, y) = (self.x, self.y);
        let points = || (y.start..y.end).flat_map(move |y| (x.start..x.end).map(move |x| (x, y)));
        let plane = |own: &mut Self, layer: u16, resolution: usize| {
            for component in components() {
                let (columns, rows) = own.counts(component, resolution);
                for place in 0..u32::try_from(columns * rows).expect("small") {
                    own.noted.note((component, resolution, place), layer);
                }
            }
        };
        match progression {
            0 => (0..layers).for_each(|l| resolutions().for_each(|r| plane(self, l, r))),
            1 => resolutions().for_each(|r| (0..layers).for_each(|l| plane(self, l, r))),
            2 => resolutions().for_each(|r| {
                points().for_each(|p| components().for_each(|c| self.at(p, c, r, layers)));
            }),
            3 => points().for_each(|p| {
                components().for_each(|c| resolutions().for_each(|r| self.at(p, c, r, layers)));
            }),
            _ => components().for_each(|c| {
                points().for_each(|p| resolutions().for_each(|r| self.at(p, c, r, layers)));
            }),
        }
    }
}

/// The order of one tile, ours and by the loops.
fn both(made: &Made, stream: &Codestream, tile: u32) -> (Noted, Noted) {
    let (components, _) = geometry::components(stream, tile).expect("small");
    let plan = Plan::new(stream, tile);
    let order = Order {
        components: &components,
        plan: &plan,
    };
    let mut ours = Noted::default();
    order.visit(&mut ours).expect("nothing fails");
    let (x, y) = stream.tile_spans(tile);
    let mut loops = Loops {
        made,
        x,
        y,
        noted: Noted::default(),
    };
    let most = usize::from(made.decompositions) + 1;
    if made.changes.is_empty() {
        loops.run(made.progression, 0..most, 0..3, made.layers);
    }
    for change in made.changes.chunks_exact(7) {
        let [
            first,
            component,
            high,
            low,
            last,
            last_component,
            progression,
        ] = *change
        else {
            panic!("seven bytes");
        };
        let layers = u16::from_be_bytes([high, low]).min(made.layers);
        let last = usize::from(last).min(most);
        let components = usize::from(component)..usize::from(last_component).min(3);
        loops.run(progression, first.into()..last, components, layers);
    }
    (ours, loops.noted)
}

#[test]
fn packets_come_in_the_order_of_the_standards_loops() {
    let mut random = fastrand::Rng::with_seed(12);
    let (mut streams, mut packets) = (0, 0);
    while streams < 120 {
        let mut made = Made::random(&mut random);
        if random.bool() {
            for _ in 0..random.usize(1..4) {
                let first = random.u8(0..=made.decompositions);
                let component = random.u8(0..3);
                made.changes.extend([
                    first,
                    component,
                    0,
                    random.u8(1..5),
                    random.u8(first + 1..8),
                    random.u8(component + 1..5),
                    random.u8(0..5),
                ]);
            }
        }
        let Some(stream) = made.stream().filter(|stream| stream.size.tiles() < 40) else {
            continue;
        };
        streams += 1;
        for tile in 0..stream.size.tiles() {
            let (ours, loops) = both(&made, &stream, tile);
            assert_eq!(ours.packets, loops.packets, "{made:?}, tile {tile}");
            packets += ours.packets.len();
        }
    }
    assert!(packets > 10_000, "{packets} packets");
}

#[test]
fn an_order_without_changes_is_that_of_the_coding_style() {
    let mut made = Made::random(&mut fastrand::Rng::with_seed(3));
    made.progression = 3;
    let stream = made.stream().expect("consistent");
    assert_eq!(stream.coding_of(0).progression(), Progression::Pcrl);
    assert!(!Plan::new(&stream, 0).is_changed());
}
