//! Streams that are written here, with each way to predict, and what is damaged.

use std::sync::Arc;

use super::open;
use crate::cancel::Cancel;
use crate::codec::DecodeLimits;
use crate::codec::jpeg::{TileColour, decode_tile};
use crate::error::ErrorKind;
use crate::geometry::Dimensions;
use crate::raster::{Samples, gather};
use crate::reader::RangeReader;

const WIDTH: usize = 7;
const HEIGHT: usize = 5;

/// How a stream is written.
#[derive(Clone, Copy)]
struct Way {
    precision: u8,
    selector: u8,
    shift: u8,
    components: usize,
    interleaved: bool,
    /// Rows between restart markers.
    rows: usize,
}

const PLAIN: Way = Way {
    precision: 8,
    selector: 1,
    shift: 0,
    components: 1,
    interleaved: true,
    rows: 0,
};

fn sample(way: Way, component: usize, x: usize, y: usize) -> u16 {
    let mixed = x * 7919 + y * 104_729 + component * 1299 + x * y * 31;
    let most = (1_u32 << way.precision) - 1;
    let sample = u16::try_from(mixed % (most as usize + 1)).unwrap();
    sample >> way.shift << way.shift
}

/// Codes of 5 bits for each of the 17 sizes of a difference.
fn coded(differences: &[u16]) -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    let mut put = |value: u32, count: u32| {
        bits.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    };
    for difference in differences {
        let signed = i32::from(difference.cast_signed());
        let size = if signed == -32768 {
            16
        } else {
            32 - signed.unsigned_abs().leading_zeros()
        };
        put(size, 5);
        if size < 16 {
            let value = if signed < 0 { signed - 1 } else { signed };
            put(value.cast_unsigned() & ((1 << size) - 1), size);
        }
    }
    bits.resize(bits.len().next_multiple_of(8), true);
    let bytes = bits
        .chunks(8)
        .map(|eight| eight.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit)));
    bytes
        .flat_map(|byte| {
            if byte == 0xff {
                vec![0xff, 0]
            } else {
                vec![byte]
            }
        })
        .collect()
}

fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).unwrap();
    [&[0xff, marker], length.to_be_bytes().as_slice(), payload].concat()
}

fn predicted(way: Way, component: usize, x: usize, y: usize, first: bool) -> i32 {
    let at = |x: usize, y: usize| i32::from(sample(way, component, x, y) >> way.shift);
    match (first, x) {
        (true, 0) => 1 << (way.precision - way.shift - 1),
        (true, _) => at(x - 1, y),
        (false, 0) => at(x, y - 1),
        (false, _) => {
            let (left, above, corner) = (at(x - 1, y), at(x, y - 1), at(x - 1, y - 1));
            [
                left,
                above,
                corner,
                left + above - corner,
                left + ((above - corner) >> 1),
                above + ((left - corner) >> 1),
                (left + above) >> 1,
            ][usize::from(way.selector) - 1]
        }
    }
}

fn scan(way: Way, components: &[usize]) -> Vec<u8> {
    let mut head = vec![u8::try_from(components.len()).unwrap()];
    head.extend(
        components
            .iter()
            .flat_map(|c| [u8::try_from(*c).unwrap() + 1, 0]),
    );
    head.extend([way.selector, 0, way.shift]);
    let mut bytes = segment(0xda, &head);
    let mut differences = Vec::new();
    for y in 0..HEIGHT {
        let restart = way.rows > 0 && y > 0 && y % way.rows == 0;
        if restart {
            bytes.extend(coded(&std::mem::take(&mut differences)));
            bytes.extend([0xff, 0xd0 + u8::try_from((y / way.rows - 1) % 8).unwrap()]);
        }
        for x in 0..WIDTH {
            for component in components {
                let value = i32::from(sample(way, *component, x, y) >> way.shift);
                let difference = value - predicted(way, *component, x, y, restart || y == 0);
                differences.push(u16::try_from(difference & 0xffff).unwrap());
            }
        }
    }
    bytes.extend(coded(&differences));
    bytes
}

fn stream(way: Way) -> Vec<u8> {
    let count = u8::try_from(way.components).unwrap();
    let mut frame = vec![way.precision, 0, 5, 0, 7, count];
    frame.extend((1..=count).flat_map(|name| [name, 0x11, 0]));
    let mut table = vec![0, 0, 0, 0, 0, 17];
    table.resize(17, 0);
    table.extend(0..17);
    let mut bytes = [
        &[0xff, 0xd8][..],
        &segment(0xc3, &frame),
        &segment(0xc4, &table),
    ]
    .concat();
    if way.rows > 0 {
        let interval = u16::try_from(way.rows * WIDTH).unwrap();
        bytes.extend(segment(0xdd, &interval.to_be_bytes()));
    }
    let all: Vec<usize> = (0..way.components).collect();
    if way.interleaved {
        bytes.extend(scan(way, &all));
    } else {
        for one in all {
            bytes.extend(scan(way, &[one]));
        }
    }
    bytes.extend([0xff, 0xd9]);
    bytes
}

fn samples(bytes: Vec<u8>) -> crate::error::Result<Vec<u16>> {
    let reader: Arc<dyn RangeReader> = Arc::new(bytes);
    let picture = open(reader, &DecodeLimits::default())?.expect("a lossless one");
    let cancel = Cancel::new();
    let window = picture.facts().pyramid.dimensions().window();
    let mut rows = picture.decode(0, window, &cancel)?;
    Ok(match gather(rows.as_mut(), &cancel)?.samples() {
        Samples::U8(all) => all.iter().map(|sample| u16::from(*sample)).collect(),
        Samples::U16(all) => all.clone(),
    })
}

fn check(way: Way) {
    let (full, most) = (
        if way.precision > 8 { 65535_u32 } else { 255 },
        (1_u32 << way.precision) - 1,
    );
    let mut wanted = Vec::new();
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            for component in 0..way.components {
                let stored = u32::from(sample(way, component, x, y));
                wanted.push(u16::try_from((stored * full + most / 2) / most).unwrap());
            }
        }
    }
    assert_eq!(samples(stream(way)).unwrap(), wanted);
}

#[test]
fn every_prediction_of_every_depth_gives_its_samples() {
    for selector in 1..=7 {
        for precision in 2..=16 {
            check(Way {
                precision,
                selector,
                ..PLAIN
            });
        }
    }
}

#[test]
fn components_stand_together_or_apart_with_restarts_and_without_lower_bits() {
    for (interleaved, rows, shift) in [(true, 0, 0), (false, 0, 0), (true, 2, 0), (false, 1, 3)] {
        for precision in [8, 16] {
            check(Way {
                precision,
                selector: 4,
                shift,
                components: 3,
                interleaved,
                rows,
            });
        }
    }
}

#[test]
fn damage_is_told() {
    let whole = stream(PLAIN);
    for end in 0..whole.len() - 2 {
        let cut = samples(whole[..end].to_vec());
        assert_eq!(cut.unwrap_err().kind(), ErrorKind::Corrupt, "{end}");
    }
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        let reader: Arc<dyn RangeReader> = Arc::new(changed);
        if let Ok(Some(picture)) = open(reader, &DecodeLimits::default()) {
            let window = picture.facts().pyramid.dimensions().window();
            let rows = picture.decode(0, window, &Cancel::new());
            let _either = rows.and_then(|mut rows| gather(rows.as_mut(), &Cancel::new()));
        }
    }
}

#[test]
fn a_tile_has_the_containers_colours() {
    let way = Way {
        components: 3,
        ..PLAIN
    };
    let shown = Dimensions {
        width: 7,
        height: 3,
    };
    let decode = |colour| {
        let limits = DecodeLimits::default();
        decode_tile(&stream(way), colour, shown, &limits, &Cancel::new())
    };
    let raster = decode(TileColour::Rgb).unwrap();
    assert_eq!(raster.dimensions(), shown);
    let wrong = decode(TileColour::Gray).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_tile_that_is_stored_far_larger_than_it_is_shown_is_refused_unread() {
    let shown = Dimensions {
        width: 7,
        height: 3,
    };
    // The whole stream, of 7 by 5 samples of two bytes, is what has to be held.
    for (max_bytes, kind) in [(70, None), (69, Some(ErrorKind::TooLarge))] {
        let limits = DecodeLimits {
            max_bytes,
            ..DecodeLimits::default()
        };
        let tile = decode_tile(
            &stream(PLAIN),
            TileColour::Gray,
            shown,
            &limits,
            &Cancel::new(),
        );
        assert_eq!(tile.err().map(|error| error.kind()), kind, "{max_bytes}");
    }
}
