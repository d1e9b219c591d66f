//! The high-throughput decoder against a plain encoder, and on damaged segments.

mod encoder;

use super::super::tests::random::Random;
use super::super::{Band, Block, Decoder, Modes, Segment};
use crate::error::{Error, ErrorKind, Result};

use encoder::Plain;

impl Random {
    /// Coefficients in clusters of like sizes, below two to the power of `planes`.
    fn clusters(&mut self, samples: usize, planes: u32) -> Vec<i32> {
        let mut level = 0;
        (0..samples)
            .map(|_| {
                if self.below(20) == 0 {
                    level = self.below(planes + 1);
                }
                let size = i32::try_from(self.next() & ((1 << level) - 1)).unwrap();
                if self.below(2) == 0 { size } else { -size }
            })
            .collect()
    }
}

fn decode(
    segments: &[Segment<'_>],
    (width, height): (usize, usize),
    planes: u8,
    causal: bool,
) -> Result<Vec<i32>> {
    let causal = if causal { Modes::CAUSAL } else { 0 };
    let block = Block {
        width: u32::try_from(width).unwrap(),
        height: u32::try_from(height).unwrap(),
        band: Band::Hl,
        modes: Modes(Modes::HIGH_THROUGHPUT | causal),
        planes,
        segments,
    };
    let stride = width + 5;
    let mut out = vec![i32::MIN; stride * height];
    Decoder::new().decode(&block, &mut out, stride)?;
    let (rows, beyond): (Vec<_>, Vec<_>) =
        out.chunks(stride).map(|row| row.split_at(width)).unzip();
    // What lies beyond the block is left as it was; a decoder that writes there shows.
    if beyond.concat().iter().any(|&value| value != i32::MIN) {
        return Err(Error::internal("it writes beside the block"));
    }
    Ok(rows.concat())
}

/// The value at the middle of what is known of a coefficient, in halves.
fn middle(value: i32, last: u32) -> i32 {
    let kept = i32::try_from(value.unsigned_abs() >> last).unwrap();
    if kept == 0 {
        0
    } else {
        ((2 * kept + 1) << last) * value.signum()
    }
}

#[track_caller]
fn round_trip(coefficients: &[i32], width: usize, planes: u8, passes: u8, causal: bool) {
    let plain = Plain {
        coefficients,
        width,
    };
    let plane = u32::from(planes - 1);
    let clean_up = plain.clean_up(plane);
    let mut segments = vec![Segment {
        bytes: &clean_up,
        passes: 1,
    }];
    let mut last = vec![plane; coefficients.len()];
    let mut refinement = Vec::new();
    if passes > 0 {
        (refinement, last) = plain.refine(plane - 1, passes > 1, causal);
    }
    if !refinement.is_empty() {
        segments.push(Segment {
            bytes: &refinement,
            passes,
        });
    }
    let expected: Vec<i32> = coefficients
        .iter()
        .zip(last)
        .map(|(&value, last)| middle(value, last))
        .collect();
    let size = (width, coefficients.len() / width);
    let decoded = decode(&segments, size, planes, causal).unwrap();
    assert_eq!(decoded, expected, "{size:?}, {planes} planes, {passes}");
}

#[test]
fn blocks_of_every_size_come_back() {
    let mut random = Random(1);
    let sizes = [
        (1, 1),
        (1, 2),
        (2, 1),
        (3, 3),
        (4, 4),
        (5, 7),
        (6, 5),
        (16, 16),
        (17, 5),
        (31, 33),
        (34, 9),
        (63, 64),
        (64, 63),
        (64, 64),
        (1024, 4),
        (1000, 3),
        (4, 1024),
        (3, 1023),
        (1, 1024),
        (1024, 1),
    ];
    for (width, height) in sizes {
        for planes in [1, 3] {
            let coefficients = random.clusters(width * height, 9);
            round_trip(&coefficients, width, planes, 0, false);
        }
    }
}

/// Segments of magnitudes with few and with many bits, so that every offset of an exponent occurs.
#[test]
fn magnitudes_of_all_bits_come_back() {
    let mut random = Random(2);
    for bits in 1..30 {
        for _ in 0..4 {
            let coefficients = random.clusters(20 * 14, bits);
            round_trip(&coefficients, 20, 1, 0, false);
        }
        let sparse: Vec<i32> = (0..900)
            .map(|_| {
                if random.below(30) == 0 {
                    i32::try_from(random.next() & ((1 << bits) - 1)).unwrap()
                } else {
                    0
                }
            })
            .collect();
        round_trip(&sparse, 30, 1, 0, false);
    }
}

#[test]
fn refinement_adds_one_bit_plane() {
    let mut random = Random(3);
    for passes in [1, 2] {
        for causal in [false, true] {
            for _ in 0..30 {
                let width = 1 + random.below(40) as usize;
                let height = 1 + random.below(40) as usize;
                let coefficients = random.clusters(width * height, 7);
                let planes = 2 + random.byte(3);
                round_trip(&coefficients, width, planes, passes, causal);
            }
        }
    }
}

#[test]
fn a_block_without_segments_is_zero() {
    for planes in [0, 4] {
        let empty = [Segment {
            bytes: &[],
            passes: 0,
        }];
        for segments in [&empty[..], &[]] {
            let decoded = decode(segments, (5, 3), planes, false).unwrap();
            assert_eq!(decoded, [0; 15]);
        }
    }
}

#[test]
fn lengths_that_no_segment_has_are_refused() {
    // Too short, a length below 2, one beyond the segment, one beyond 4079.
    let long = [0xFF; 5000];
    let cases: [&[u8]; 5] = [&[], &[2], &[0, 1, 0], &[0, 0x0F, 0x01], &long];
    for bytes in cases {
        let segments = [Segment { bytes, passes: 1 }];
        let error = decode(&segments, (8, 8), 3, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{} bytes", bytes.len());
    }
}

#[test]
fn exponents_beyond_an_integer_are_refused() {
    let mut coefficients = vec![0; 64];
    coefficients[9] = i32::MAX;
    let plain = Plain {
        coefficients: &coefficients,
        width: 8,
    };
    let bytes = plain.clean_up(0);
    let segments = [Segment {
        bytes: &bytes,
        passes: 1,
    }];
    let error = decode(&segments, (8, 8), 1, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn several_sets_are_not_read() {
    let bytes = [0, 0x02, 0x00];
    let segment = |passes| Segment {
        bytes: &bytes[..],
        passes,
    };
    for segments in [
        &[segment(2)][..],
        &[segment(1), segment(3)],
        &[segment(1), segment(2), segment(1)],
    ] {
        let error = decode(segments, (4, 4), 3, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotImplemented);
    }
}

/// Damage gives wrong values or a typed error, and values stay within the bits that there are.
#[test]
fn damaged_segments_decode_to_something_or_are_refused() {
    let mut random = Random(4);
    let (mut decoded, mut refused) = (0, 0);
    for _ in 0..3000 {
        let width = 1 + random.below(64) as usize;
        let height = 1 + random.below(64) as usize;
        let length = 2 + random.below(300) as usize;
        let full = 1 + random.below(9);
        let mut bytes: Vec<u8> = (0..length)
            .map(|_| {
                if random.below(full) == 0 {
                    0xFF
                } else {
                    random.byte(256)
                }
            })
            .collect();
        // A length that is right, most of the time.
        let shared = 2 + random.below(u32::try_from(length).unwrap()) as usize;
        bytes[length - 2] &= 0xF0;
        bytes[length - 2] |= u8::try_from(shared & 0xF).unwrap();
        bytes[length - 1] = u8::try_from(shared >> 4).unwrap();
        let refinement: Vec<u8> = (0..random.below(60)).map(|_| random.byte(256)).collect();
        let segments = [
            Segment {
                bytes: &bytes,
                passes: 1,
            },
            Segment {
                bytes: &refinement,
                passes: random.byte(3),
            },
        ];
        let causal = random.below(2) == 0;
        match decode(&segments, (width, height), random.byte(31), causal) {
            Ok(values) => {
                decoded += 1;
                assert!(values.iter().all(|&value| value > i32::MIN));
            }
            Err(error) => {
                refused += 1;
                assert_eq!(error.kind(), ErrorKind::Corrupt);
            }
        }
    }
    assert!(decoded > 100 && refused > 100, "{decoded} and {refused}");
}

#[test]
fn a_segment_cut_at_any_byte_never_panics() {
    let mut random = Random(5);
    let coefficients = random.clusters(33 * 31, 8);
    let plain = Plain {
        coefficients: &coefficients,
        width: 33,
    };
    let bytes = plain.clean_up(1);
    let (refinement, _) = plain.refine(0, true, false);
    let whole = decode(
        &[Segment {
            bytes: &bytes,
            passes: 1,
        }],
        (33, 31),
        2,
        false,
    )
    .unwrap();
    let mut differ = 0;
    for cut in 0..refinement.len() {
        let segments = [
            Segment {
                bytes: &bytes,
                passes: 1,
            },
            Segment {
                bytes: &refinement[..cut],
                passes: 2,
            },
        ];
        let decoded = decode(&segments, (33, 31), 2, false).unwrap();
        // What the clean-up pass says stays within half of its plane.
        let near = decoded
            .iter()
            .zip(&whole)
            .all(|(&a, &b)| (a - b).abs() <= 3 && (b == 0 || a.signum() == b.signum()));
        assert!(near, "cut at {cut}");
        differ += usize::from(decoded != whole);
    }
    assert!(differ > refinement.len() / 2);
}
