//! The block decoders against an encoder that knows nothing of them.

mod encoder;
pub(super) mod random;

use super::mq::{Contexts, Mq};
use super::{Band, Block, Decoder, Modes, Segment};
use crate::error::ErrorKind;

use encoder::{Encoded, MqDecoder, MqEncoder, TERMINATE, encode};
use random::Random;

impl Random {
    /// Coefficients of a natural kind: mostly small, in clusters, some large.
    fn coefficients(&mut self, samples: usize, planes: u8) -> Vec<i32> {
        let mut level = 0;
        (0..samples)
            .map(|_| {
                if self.below(16) == 0 {
                    level = self.below(u32::from(planes) + 1);
                }
                let size = (self.next() & ((1 << level) - 1)) >> self.below(3);
                let size = i32::try_from(size).unwrap();
                if self.below(2) == 0 { size } else { -size }
            })
            .collect()
    }
}

const BANDS: [Band; 4] = [Band::Ll, Band::Hl, Band::Lh, Band::Hh];

/// Decodes what `encoded` holds; `width` samples a row.
fn decode(encoded: &Encoded, width: usize, band: Band, modes: Modes, planes: u8) -> Vec<i32> {
    let segments: Vec<_> = encoded
        .segments
        .iter()
        .map(|(bytes, passes)| Segment {
            bytes,
            passes: *passes,
        })
        .collect();
    let height = encoded.expected.len() / width;
    let block = Block {
        width: u32::try_from(width).unwrap(),
        height: u32::try_from(height).unwrap(),
        band,
        modes,
        planes,
        segments: &segments,
    };
    let stride = width + 3;
    let mut out = vec![i32::MIN; stride * height];
    Decoder::new().decode(&block, &mut out, stride).unwrap();
    out.chunks(stride)
        .flat_map(|row| {
            assert!(row[width..].iter().all(|&beyond| beyond == i32::MIN));
            &row[..width]
        })
        .copied()
        .collect()
}

#[track_caller]
fn round_trip(
    coefficients: &[i32],
    width: usize,
    band: Band,
    modes: Modes,
    planes: u8,
    passes: u32,
) {
    let encoded = encode(coefficients, width, band, modes, planes, passes);
    let decoded = decode(&encoded, width, band, modes, planes);
    assert_eq!(
        decoded, encoded.expected,
        "{width} wide, {band:?}, {modes:?}, {planes} planes, {passes} passes"
    );
}

/// ISO/IEC 15444-1 annex J.1: the test sequence of the MQ coder.
#[test]
fn the_standards_sequence_decodes() {
    let coded = [
        0x84, 0xC7, 0x3B, 0xFC, 0xE1, 0xA1, 0x43, 0x04, 0x02, 0x20, 0x00, 0x00, 0x41, 0x0D, 0xBB,
        0x86, 0xF4, 0x31, 0x7F, 0xFF, 0x88, 0xFF, 0x37, 0x47, 0x1A, 0xDB, 0x6A, 0xDF, 0xFF, 0xAC,
    ];
    let plain: [u8; 32] = [
        0x00, 0x02, 0x00, 0x51, 0x00, 0x00, 0x00, 0xC0, 0x03, 0x52, 0x87, 0x2A, 0xAA, 0xAA, 0xAA,
        0xAA, 0x82, 0xC0, 0x20, 0x00, 0xFC, 0xD7, 0x9E, 0xF6, 0xBF, 0x7F, 0xED, 0x90, 0x4F, 0x46,
        0xA3, 0xBF,
    ];
    let mut mq = Mq::new(&coded);
    let mut contexts = Contexts::new();
    for byte in plain {
        let bits = (0..8).fold(0, |bits, _| bits << 1 | mq.decide(&mut contexts, 1));
        assert_eq!(bits, u64::from(byte));
    }
}

#[test]
fn decisions_of_many_contexts_come_back() {
    let mut random = Random(1);
    for skew in [1, 2, 3, 10, 100, 1000] {
        let decisions: Vec<(u8, u8)> = (0..20_000)
            .map(|_| (1 + random.byte(8), u8::from(random.below(skew) == 0)))
            .collect();
        let mut states = [(0, 0); 19];
        let mut encoder = MqEncoder::new();
        for &(context, bit) in &decisions {
            encoder.code(&mut states[usize::from(context)], bit);
        }
        let bytes = encoder.flush();
        let mut mq = Mq::new(&bytes);
        let mut contexts = Contexts::new();
        for (context, bit) in decisions {
            assert_eq!(mq.decide(&mut contexts, context), u64::from(bit));
        }
    }
}

/// Bytes that no encoder writes too: decoders agree on them, and so do damaged files' pixels.
#[test]
fn any_bytes_decode_as_the_flow_charts_say() {
    let mut random = Random(9);
    for _ in 0..600 {
        // Carries, one after the other, and now and then a marker.
        let mut bytes = Vec::new();
        while bytes.len() < 300 {
            bytes.extend([0xFF, 0x80 + random.byte(17)]);
            bytes.extend((0..random.below(2)).map(|_| random.byte(256)));
        }
        let mut plain = MqDecoder::new(&bytes);
        let mut states = [(0, 0); 19];
        let mut mq = Mq::new(&bytes);
        let mut contexts = Contexts::new();
        for number in 0..3000 {
            let context = 1 + random.byte(4);
            let expected = plain.decode(&mut states[usize::from(context)]);
            let decided = mq.decide(&mut contexts, context);
            assert_eq!(decided, u64::from(expected), "{number} of {bytes:x?}");
        }
    }
}

#[test]
fn blocks_of_every_size_come_back() {
    let mut random = Random(2);
    let sizes = [
        (1, 1),
        (1, 2),
        (2, 1),
        (3, 3),
        (4, 4),
        (5, 7),
        (15, 4),
        (16, 16),
        (17, 5),
        (31, 33),
        (32, 32),
        (33, 9),
        (48, 21),
        (63, 64),
        (64, 63),
        (64, 64),
        (65, 60),
        (128, 32),
        (1024, 4),
        (1000, 3),
        (4, 1024),
        (3, 1023),
        (1, 1024),
        (2, 777),
        (512, 8),
        (511, 6),
        (1024, 1),
    ];
    for (width, height) in sizes {
        for band in BANDS {
            let coefficients = random.coefficients(width * height, 9);
            round_trip(&coefficients, width, band, Modes::default(), 10, 100);
        }
    }
}

#[test]
fn every_combination_of_modes_comes_back() {
    let mut random = Random(3);
    for modes in 0..64 {
        for band in BANDS {
            let width = 1 + random.below(40) as usize;
            let height = 1 + random.below(40) as usize;
            let coefficients = random.coefficients(width * height, 12);
            round_trip(&coefficients, width, band, Modes(modes), 12, 100);
        }
    }
}

#[test]
fn a_block_that_ends_after_any_pass_is_at_the_middle() {
    let mut random = Random(4);
    for modes in [0, Modes::BYPASS, Modes::BYPASS | TERMINATE, Modes::CAUSAL] {
        for passes in 1..30 {
            let coefficients = random.coefficients(37 * 22, 8);
            round_trip(&coefficients, 37, Band::Hl, Modes(modes), 9, passes);
        }
    }
}

#[test]
fn thirty_planes_fit_and_thirty_one_are_refused() {
    let mut random = Random(5);
    let mut coefficients = random.coefficients(64, 30);
    coefficients[0] = (1 << 30) - 1;
    coefficients[1] = -((1 << 30) - 1);
    round_trip(&coefficients, 8, Band::Hh, Modes::default(), 30, 100);
    let block = Block {
        width: 8,
        height: 8,
        band: Band::Hh,
        modes: Modes::default(),
        planes: 31,
        segments: &[],
    };
    let error = Decoder::new().decode(&block, &mut [0; 64], 8).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotImplemented);
}

#[test]
fn a_block_without_passes_is_zero() {
    let mut decoder = Decoder::new();
    let mut out = [7; 64];
    for planes in [0, 5] {
        let segments = [Segment {
            bytes: &[1, 2, 3],
            passes: u8::from(planes == 0),
        }];
        let block = Block {
            width: 8,
            height: 8,
            band: Band::Ll,
            modes: Modes::default(),
            planes,
            segments: &segments[..usize::from(planes == 0)],
        };
        decoder.decode(&block, &mut out, 8).unwrap();
        assert_eq!(out, [0; 64]);
        out = [7; 64];
    }
}

#[test]
fn sizes_that_no_block_has_are_refused() {
    for (width, height) in [
        (65, 64),
        (1025, 1),
        (1, 1025),
        (1024, 5),
        (u32::MAX, u32::MAX),
    ] {
        let block = Block {
            width,
            height,
            band: Band::Ll,
            modes: Modes::default(),
            planes: 5,
            segments: &[],
        };
        let error = Decoder::new().decode(&block, &mut [], 8).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn one_decoder_decodes_many_blocks_as_a_fresh_one_does() {
    let mut random = Random(6);
    let mut decoder = Decoder::new();
    for _ in 0..50 {
        let width = 1 + random.below(64) as usize;
        let height = 1 + random.below(64) as usize;
        let modes = Modes(random.byte(64));
        let coefficients = random.coefficients(width * height, 11);
        let encoded = encode(&coefficients, width, Band::Lh, modes, 11, 100);
        let segments: Vec<_> = encoded
            .segments
            .iter()
            .map(|(bytes, passes)| Segment {
                bytes,
                passes: *passes,
            })
            .collect();
        let block = Block {
            width: u32::try_from(width).unwrap(),
            height: u32::try_from(height).unwrap(),
            band: Band::Lh,
            modes,
            planes: 11,
            segments: &segments,
        };
        let mut out = vec![0; width * height];
        decoder.decode(&block, &mut out, width).unwrap();
        assert_eq!(out, encoded.expected);
    }
}

/// After the end there are ones, as after a marker (C.3.4): bytes that end early decode like the
/// same bytes before a marker, and what came before the cut is kept.
#[test]
fn a_segment_cut_at_any_byte_reads_on_as_ones() {
    let mut random = Random(7);
    let coefficients = random.coefficients(32 * 32, 9);
    let whole = encode(&coefficients, 32, Band::Ll, Modes::default(), 9, 100);
    let (bytes, passes) = &whole.segments[0];
    let decoded = |bytes: &[u8]| {
        let cut = Encoded {
            segments: vec![(bytes.to_vec(), *passes)],
            expected: whole.expected.clone(),
        };
        decode(&cut, 32, Band::Ll, Modes::default(), 9)
    };
    let wrong = |values: &[i32]| {
        let pairs = values.iter().zip(&whole.expected);
        pairs.map(|(a, b)| i64::from((a - b).abs())).sum::<i64>()
    };
    for length in 0..bytes.len() {
        let marked = [&bytes[..length], &[0xFF, 0xD9, 0x12]].concat();
        assert_eq!(
            decoded(&bytes[..length]),
            decoded(&marked),
            "{length} bytes"
        );
    }
    assert_eq!(decoded(bytes), whole.expected);
    let half = wrong(&decoded(&bytes[..bytes.len() / 2]));
    assert!(half > 0 && half < wrong(&decoded(&[])) / 4, "{half}");
}

#[test]
fn random_bytes_decode_to_something_in_range() {
    let mut random = Random(8);
    let mut decoder = Decoder::new();
    for _ in 0..2000 {
        let width = 1 + random.below(64);
        let height = 1 + random.below(64);
        let planes = random.byte(31);
        let bytes: Vec<u8> = (0..random.below(200))
            .map(|_| {
                if random.below(4) == 0 {
                    0xFF
                } else {
                    random.byte(256)
                }
            })
            .collect();
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let segments = [first, second].map(|bytes| Segment {
            bytes,
            passes: random.byte(100),
        });
        let block = Block {
            width,
            height,
            band: BANDS[random.below(4) as usize],
            modes: Modes(random.byte(64)),
            planes,
            segments: &segments,
        };
        let mut out = vec![0; (width * height) as usize];
        decoder.decode(&block, &mut out, width as usize).unwrap();
        let limit = 1_u64 << (planes + 1);
        assert!(
            out.iter()
                .all(|&value| u64::from(value.unsigned_abs()) < limit)
        );
    }
}
