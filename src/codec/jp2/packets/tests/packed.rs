//! Packet headers moved into PPM and PPT segments: the same blocks as where they were.

use super::super::precinct::State;
use super::super::progression::{Next, Precinct, Visitor};
use super::*;
use crate::codec::jp2::codestream::START;

/// Where the header and the body of a packet are in a stream of one tile-part.
struct Ranges<'a> {
    packets: Packets<'a>,
    order: &'a Order<'a>,
    states: std::collections::BTreeMap<(usize, usize, u32), State>,
    records: Records,
    budget: Budget<'a>,
    /// Where SOP, header and body begin, and the end.
    found: Vec<[u64; 4]>,
}

impl Visitor for Ranges<'_> {
    fn packet(&mut self, precinct: Precinct, layer: u16) -> Result<Next> {
        let key = (precinct.component, precinct.resolution, precinct.place);
        let resolution = self.order.resolution(precinct)?;
        let state = self.states.entry(key).or_insert_with(|| {
            let mut state = State::default();
            state.reset(resolution, precinct.place);
            state
        });
        let mut start = self.packets.position();
        let packet = self.packets.read(
            (state, layer),
            (&mut self.records, record::NONE),
            &mut self.budget,
        )?;
        let end = self.packets.position();
        let body = packet.map_or(0, |number| {
            let entries = self.records.packet(number).expect("just read").0;
            entries
                .flat_map(|entry| entry.lengths())
                .map(u64::from)
                .sum::<u64>()
        });
        // SOP segments stay where bodies are.
        let start_of_packet = start..start + if self.order.plan.has_starts { 6 } else { 0 };
        start = start_of_packet.end;
        self.found
            .push([start_of_packet.start, start, end - body, end]);
        Ok(Next::More)
    }

    fn step(&mut self, _count: u64) -> Result<()> {
        Ok(())
    }
}

/// A stream of one tile-part, cut: what is before SOT, all packet headers, all bodies.
struct Cut {
    before: Vec<u8>,
    headers: Vec<Vec<u8>>,
    bodies: Vec<u8>,
}

fn cut(name: &str) -> Cut {
    let bytes = fixture(name);
    let stream = stream(&bytes).expect(name);
    let data = stream.tile_data(&bytes, 0).expect(name);
    assert_eq!((stream.size.tiles(), data.parts.len()), (1, 1), "{name}");
    let (components, _) = geometry::components(&stream, 0).expect(name);
    let plan = Plan::new(&stream, 0);
    let order = Order {
        components: &components,
        plan: &plan,
    };
    let (parts, cancel) = (Joined::new(&data.parts), Cancel::new());
    let mut ranges = Ranges {
        packets: Packets::new(&plan, Feed::of_file(&bytes, &parts), None),
        order: &order,
        states: std::collections::BTreeMap::new(),
        records: Records::default(),
        budget: Budget::new(parts.length(), &cancel),
        found: Vec::new(),
    };
    order.visit(&mut ranges).expect(name);
    let start = usize::try_from(data.parts[0].offset).expect("small");
    let packets = &bytes[start..];
    let range = |from: u64, to: u64| {
        let place = |at: u64| usize::try_from(at).expect("small");
        packets[place(from)..place(to)].to_vec()
    };
    let first = bytes
        .windows(4)
        .position(|four| four == START)
        .expect("SOC");
    let tile = bytes
        .windows(4)
        .position(|four| four == [0xFF, 0x90, 0, 10])
        .expect("SOT");
    Cut {
        before: bytes[first..tile].to_vec(),
        headers: ranges.found.iter().map(|f| range(f[1], f[2])).collect(),
        bodies: (ranges.found.iter())
            .flat_map(|f| [range(f[0], f[1]), range(f[2], f[3])].concat())
            .collect(),
    }
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

/// A tile-part of tile 0.
fn tile_part(number: u8, count: u8, header: &[u8], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(14 + header.len() + data.len()).expect("small");
    let content = [&[0, 0], &length.to_be_bytes()[..], &[number, count]].concat();
    [&segment(0xFF90, &content), header, &[0xFF, 0x93], data].concat()
}

const NAMES: [&str; 5] = [
    "file3.jp2",
    "untiled-97.j2k",
    "p0_02.j2k",
    "p0_16.j2k",
    "p1_07.j2k",
];

fn blocks(bytes: &Vec<u8>, name: &str) -> Vec<Told> {
    let stream = stream(bytes).expect(name);
    let index = TileIndex::read(bytes, &stream, 0, &Cancel::new()).expect(name);
    assert_eq!(unread(bytes, &stream, 0), 0, "{name}");
    all_told(&index, bytes)
}

#[test]
fn headers_in_the_tiles_own_segments_lead_to_the_same_blocks() {
    for name in NAMES {
        let cut = cut(name);
        let headers = cut.headers.concat();
        let middle = headers.len() / 2;
        let segments = [
            segment(0xFF61, &[&[7], &headers[middle..]].concat()),
            segment(0xFF61, &[&[3], &headers[..middle]].concat()),
        ];
        let part = tile_part(0, 1, &segments.concat(), &cut.bodies);
        let bytes = [cut.before, part, vec![0xFF, 0xD9]].concat();
        assert!(
            blocks(&bytes, name) == blocks(&fixture(name), name),
            "{name}"
        );
    }
}

#[test]
fn headers_in_the_main_header_lead_to_the_same_blocks() {
    for name in NAMES {
        let cut = cut(name);
        // Bodies of two parts, cut anywhere: a body may go on in the next part.
        let headers = [cut.headers[..1].concat(), cut.headers[1..].concat()];
        let half = cut.bodies.len() / 2;
        let told = headers.iter().flat_map(|part| {
            let length = u32::try_from(part.len()).expect("small");
            [&length.to_be_bytes()[..], part].concat()
        });
        let told: Vec<u8> = told.collect();
        let packed = [
            segment(0xFF60, &[&[0], &told[..3]].concat()),
            segment(0xFF60, &[&[1], &told[3..]].concat()),
        ];
        let bytes = [
            cut.before,
            packed.concat(),
            tile_part(0, 2, &[], &cut.bodies[..half]),
            tile_part(1, 2, &[], &cut.bodies[half..]),
        ];
        let bytes = bytes.concat();
        let joined = |told: Vec<Told>| -> Vec<_> {
            let content = |pieces: Vec<(Vec<u8>, u8, bool)>| -> (Vec<u8>, u32) {
                let passes = pieces.iter().map(|piece| u32::from(piece.1)).sum();
                (
                    pieces.into_iter().flat_map(|piece| piece.0).collect(),
                    passes,
                )
            };
            told.into_iter()
                .map(|block| (block.0, block.1, block.2, content(block.3)))
                .collect()
        };
        assert!(
            joined(blocks(&bytes, name)) == joined(blocks(&fixture(name), name)),
            "{name}"
        );
    }
}

#[test]
fn packed_headers_that_are_missing_are_corrupt() {
    let cut = cut("p1_07.j2k");
    let headers = cut.headers.concat();
    let length = u32::try_from(headers.len()).expect("small").to_be_bytes();
    let packed = segment(0xFF60, &[&[0], &length[..], &headers[..]].concat());
    let parts = [tile_part(0, 2, &[], &cut.bodies), tile_part(1, 2, &[], &[])].concat();
    let bytes = [cut.before, packed, parts].concat();
    let stream = stream(&bytes).expect("headers are good");
    let error =
        TileIndex::read(&bytes, &stream, 0, &Cancel::new()).expect_err("one part's are missing");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
