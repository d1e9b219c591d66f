//! Masters that are cut short or damaged, where what is whole is wanted: `Damaged::Decode`.

use super::*;
use crate::cancel::Cancel;
use crate::codec::Damaged;
use crate::geometry::Window;
use crate::raster::{Raster, Samples, gather};

fn limits(damaged: Damaged) -> DecodeLimits {
    DecodeLimits {
        max_side_px: 2000,
        max_area_px: 1 << 20,
        max_bytes: 64 << 20,
        damaged,
        ..DecodeLimits::default()
    }
}

/// The pixels of the full level.
fn pixels(bytes: &[u8], damaged: Damaged) -> Result<Raster> {
    let picture = open(Arc::new(bytes.to_vec()), &limits(damaged))?;
    let whole = picture.facts().pyramid.dimensions().window();
    let cancel = Cancel::new();
    let mut rows = picture.decode(0, whole, &cancel)?;
    gather(rows.as_mut(), &cancel)
}

fn samples(raster: &Raster) -> &[u8] {
    let Samples::U8(samples) = raster.samples() else {
        panic!("eight bits");
    };
    samples
}

/// How many samples differ from the whole picture's, and by how much in the mean.
fn difference(part: &Raster, whole: &Raster) -> (usize, f64) {
    assert_eq!(part.dimensions(), whole.dimensions());
    let pairs = samples(part).iter().zip(samples(whole));
    let by = |(part, whole): (&u8, &u8)| u32::from(part.abs_diff(*whole));
    let all: Vec<u32> = pairs.map(by).collect();
    let sum = all.iter().map(|by| f64::from(*by)).sum::<f64>();
    let count = all.iter().filter(|by| **by > 0).count();
    (count, sum / all.len() as f64)
}

#[test]
fn tiles_before_the_cut_are_whole_and_those_behind_it_are_blank() {
    let bytes = fixture("offsets-97.j2k");
    let whole = pixels(&bytes, Damaged::Refuse).expect("whole");
    let cut = &bytes[..bytes.len() * 6 / 10];
    let refused = pixels(cut, Damaged::Refuse).expect_err("cut short");
    assert_eq!(refused.kind(), ErrorKind::Corrupt);
    let part = pixels(cut, Damaged::Decode).expect("what is whole");
    let (count, _) = difference(&part, &whole);
    let all = samples(&whole).len();
    assert!(
        count > all / 5 && count < all / 2,
        "{count} of {all} differ"
    );
    // The first tile of four in a row, and the last.
    let (width, pixel) = (whole.dimensions().width as usize, samples(&whole).len());
    let pixel = pixel / (width * whole.dimensions().height as usize);
    let row =
        |of: &Raster, y: usize| samples(of)[y * width * pixel..(y * width + 160) * pixel].to_vec();
    assert!((0..120).all(|y| row(&part, y) == row(&whole, y)));
    let last = &samples(&part)[all - pixel..];
    assert!(
        samples(&part)[all - 20 * pixel..]
            .chunks(pixel)
            .all(|at| at == last)
    );
}

#[test]
fn the_first_packets_of_a_tile_give_a_rougher_picture() {
    for (name, mean) in [("file3.jp2", 12.0), ("untiled-97.j2k", 12.0)] {
        let bytes = fixture(name);
        let whole = pixels(&bytes, Damaged::Refuse).expect("whole");
        let mut means = Vec::new();
        for percent in [90, 60] {
            let cut = &bytes[..bytes.len() * percent / 100];
            assert!(pixels(cut, Damaged::Refuse).is_err(), "{name}");
            let part = pixels(cut, Damaged::Decode).expect("what is whole");
            means.push(difference(&part, &whole).1);
        }
        assert!(means[0] < mean && means[1] >= means[0], "{name}: {means:?}");
    }
}

#[test]
fn a_damaged_packet_ends_its_tile_and_no_other() {
    let bytes = fixture("offsets-97.j2k");
    let whole = pixels(&bytes, Damaged::Refuse).expect("whole");
    let tile = |number: u8| [0xFF, 0x90, 0, 10, 0, number];
    let start = |number| {
        bytes
            .windows(6)
            .position(|six| six == tile(number))
            .expect("SOT")
    };
    let data = start(5)
        + bytes[start(5)..]
            .windows(2)
            .position(|two| two == [0xFF, 0x93])
            .expect("SOD");
    // A packet that never ends: all bits of its header are 1.
    let mut damaged = bytes.clone();
    for (at, byte) in damaged[data + 2..data + 40].iter_mut().enumerate() {
        *byte = if at % 2 == 0 { 0xFF } else { 0x7F };
    }
    let refused = pixels(&damaged, Damaged::Refuse).expect_err("damaged");
    assert_eq!(refused.kind(), ErrorKind::Corrupt);
    let part = pixels(&damaged, Damaged::Decode).expect("all other tiles");
    let (count, _) = difference(&part, &whole);
    let all = samples(&whole).len();
    assert!(count > 0 && count < all / 10, "{count} of {all} differ");
}

#[test]
fn changed_bytes_are_passed_over_where_they_can_be() {
    let mut random = fastrand::Rng::with_seed(1544);
    let names = [
        "high-throughput.j2c",
        "p1_06.j2k",
        "jp2-6res-rgb-64x56x8-multitiled-lossy.jp2",
    ];
    let originals = names.map(fixture);
    let (mut refused, mut passed) = (0, 0);
    for round in 0..1500 {
        let mut bytes = originals[round % originals.len()].clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(0..bytes.len());
            bytes[at] = random.u8(..);
        }
        let bytes = &bytes[..random.usize(bytes.len() / 2..=bytes.len())];
        let strict = pixels(bytes, Damaged::Refuse);
        match (strict, pixels(bytes, Damaged::Decode)) {
            (Ok(strict), lenient) => {
                let lenient = lenient.expect("as before");
                assert!(strict.samples() == lenient.samples());
            }
            (Err(_), Ok(_)) => passed += 1,
            (Err(_), Err(error)) => {
                let kind = error.kind();
                let typed = [
                    ErrorKind::Corrupt,
                    ErrorKind::NotImplemented,
                    ErrorKind::TooLarge,
                ];
                assert!(typed.contains(&kind), "{}", error.chain());
                refused += 1;
            }
        }
    }
    assert!(
        passed > 500 && passed > refused,
        "{passed} passed, {refused} refused"
    );
}

#[test]
fn a_window_of_a_damaged_master_is_a_part_of_its_level() {
    let bytes = fixture("file3.jp2");
    let cut = bytes[..bytes.len() * 7 / 10].to_vec();
    let whole = pixels(&cut, Damaged::Decode).expect("what is whole");
    let picture = open(Arc::new(cut), &limits(Damaged::Decode)).expect("its headers");
    let window = Window {
        x: 100,
        y: 300,
        width: 120,
        height: 90,
    };
    let cancel = Cancel::new();
    let mut rows = picture.decode(0, window, &cancel).expect("rows");
    let part = gather(rows.as_mut(), &cancel).expect("pixels");
    let row = |of: &Raster, x: usize, y: usize| {
        let width = of.dimensions().width as usize;
        samples(of)[(y * width + x) * 3..(y * width + x + 120) * 3].to_vec()
    };
    assert!((0..90).all(|y| row(&part, 0, y) == row(&whole, 100, 300 + y)));
}
