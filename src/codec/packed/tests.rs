//! Rasters of all shapes come back; damaged bytes do no harm.

use proptest::prelude::*;

use super::*;
use crate::raster::{Channels, Depth};

const CHANNELS: [Channels; 4] = [
    Channels::Gray,
    Channels::GrayAlpha,
    Channels::Rgb,
    Channels::Rgba,
];

/// A raster whose samples wander by up to `step` from one to the next.
fn wandering(width: u32, height: u32, format: PixelFormat, step: u16, seed: u64) -> Raster {
    let dimensions = Dimensions::new(width, height).expect("not empty");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut value = random.u16(..);
    let length = usize::try_from(dimensions.area()).expect("small") * format.channels.count();
    let mut next = || {
        value = value
            .wrapping_add(random.u16(..=step))
            .wrapping_sub(random.u16(..=step));
        value
    };
    let samples = match format.depth {
        Depth::Eight => Samples::U8((0..length).map(|_| next().to_le_bytes()[0]).collect()),
        Depth::Sixteen => Samples::U16((0..length).map(|_| next()).collect()),
    };
    Raster::new(dimensions, format.channels, samples).expect("filled")
}

fn formats() -> impl Strategy<Value = PixelFormat> {
    let depths = prop_oneof![Just(Depth::Eight), Just(Depth::Sixteen)];
    (0_usize..4, depths).prop_map(|(channels, depth)| PixelFormat {
        channels: CHANNELS[channels],
        depth,
    })
}

proptest! {
    #[test]
    fn every_raster_comes_back(
        width in 1_u32..=70,
        height in 1_u32..=40,
        format in formats(),
        step in prop_oneof![Just(0_u16), 1_u16..40, Just(u16::MAX)],
        seed: u64,
    ) {
        let raster = wandering(width, height, format, step, seed);
        let bytes = pack(&raster);
        let back = unpack(&bytes, raster.dimensions(), raster.format()).expect("whole");
        prop_assert_eq!(&back, &raster);
        for cut in [0, bytes.len() / 2, bytes.len() - 1] {
            prop_assert!(unpack(&bytes[..cut], raster.dimensions(), format).is_err());
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        prop_assert!(unpack(&longer, raster.dimensions(), format).is_err());
    }

    #[test]
    fn any_bytes_are_survived(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        width in 1_u32..=40,
        height in 1_u32..=40,
        format in formats(),
    ) {
        let dimensions = Dimensions::new(width, height).expect("not empty");
        if let Ok(raster) = unpack(&bytes, dimensions, format) {
            prop_assert_eq!(raster.dimensions(), dimensions);
        }
    }
}

#[test]
fn a_whole_cell_of_a_smooth_picture_becomes_small() {
    for channels in CHANNELS {
        let raster = wandering(256, 256, PixelFormat::eight(channels), 2, 7);
        let bytes = pack(&raster);
        assert!(
            bytes.len() < raster.samples().len() * 6 / 10,
            "{}",
            bytes.len()
        );
        let back = unpack(&bytes, raster.dimensions(), raster.format()).expect("whole");
        assert_eq!(back, raster);
    }
}

#[test]
fn a_flat_cell_of_16_bits_is_little_more_than_its_heads() {
    let dimensions = Dimensions::new(256, 256).expect("not empty");
    let samples = vec![0x1234; 3 << 16];
    let raster = Raster::from_u16(dimensions, Channels::Rgb, samples).expect("filled");
    let bytes = pack(&raster);
    assert!(bytes.len() < 6 * 1024 + 6 * 8 * 64, "{}", bytes.len());
}

#[test]
fn nothing_is_reserved_for_what_cannot_be_there() {
    let dimensions = Dimensions::new(u32::MAX, u32::MAX).expect("not empty");
    assert!(unpack(&[0; 64], dimensions, PixelFormat::eight(Channels::Rgba)).is_err());
}
