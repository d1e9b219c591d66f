//! Files that the device encodes against those of the library in the build.

use std::sync::{LazyLock, Mutex, MutexGuard};

use triforium::codec;
use triforium::encoding::{JpegSettings, Subsampling};
use triforium::geometry::Dimensions;
use triforium::raster::{Channels, Raster};
use triforium::render::gpu::{Bare, Fault};

/// Bytes a pixel that no file of these tests has.
const ENOUGH: u32 = 4;

static DEVICE: LazyLock<Mutex<Bare>> = LazyLock::new(|| {
    let adapter = std::env::var("GPU_TESTS_ADAPTER").unwrap_or_default();
    Mutex::new(Bare::open(&adapter).expect("an adapter; Debian's mesa-vulkan-drivers has one"))
});

/// The device, for one test at a time.
fn device() -> MutexGuard<'static, Bare> {
    DEVICE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Numbers that look random and are the same in every run (Marsaglia's xorshift32).
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 >> 8
    }

    fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.next() % (high - low + 1)
    }
}

fn byte(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

/// A picture of one of five kinds: noise, black and white noise, one colour, slopes, waves with an edge.
fn picture(noise: &mut Noise, width: u32, height: u32, channels: Channels, kind: u32) -> Raster {
    let count = u32::try_from(channels.count()).unwrap();
    let mut samples = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for c in 0..count {
                let wave = |far: u32| ((x + 3 * c) * far / 7 % 256).abs_diff(y * far / 9 % 256);
                samples.push(match kind % 5 {
                    0 => byte(noise.next()),
                    1 => 255 * byte(noise.next() & 1),
                    2 => byte(40 + 90 * c),
                    3 => byte(2 * x + y + 20 * c),
                    _ => byte((wave(11) / 2 + if x > y { 90 } else { 0 }).min(255)),
                });
            }
        }
    }
    let dimensions = Dimensions::new(width, height).unwrap();
    Raster::from_u8(dimensions, channels, samples).unwrap()
}

fn settings(quality: u32) -> JpegSettings {
    JpegSettings {
        quality: byte(quality),
        ..JpegSettings::default()
    }
}

fn library(raster: &Raster, jpeg: JpegSettings) -> Vec<u8> {
    codec::jpeg::file(raster.clone(), jpeg).unwrap()
}

/// Panics unless each file is the library's.
fn same(pictures: &[(Raster, JpegSettings)], files: &[Result<Vec<u8>, Fault>]) {
    assert!(codec::jpeg::is_standard(), "these tests need libjpeg-turbo");
    assert_eq!(files.len(), pictures.len());
    for ((raster, settings), file) in pictures.iter().zip(files) {
        let (file, library) = (file.as_ref().unwrap(), library(raster, *settings));
        let differs = file
            .iter()
            .zip(&library)
            .position(|(own, other)| own != other);
        assert!(
            *file == library,
            "{} {:?} at {}: {} bytes for {}, first difference {differs:?}",
            raster.dimensions(),
            raster.format().channels,
            settings.quality,
            file.len(),
            library.len(),
        );
    }
}

const KINDS: [Channels; 2] = [Channels::Gray, Channels::Rgb];

#[test]
fn files_of_many_sizes_kinds_and_qualities_in_one_dispatch_are_the_librarys() {
    let mut noise = Noise(1);
    let mut pictures = Vec::new();
    for number in 0..120 {
        let (width, height) = (noise.between(1, 70), noise.between(1, 70));
        let channels = KINDS[(number % 2) as usize];
        let quality = [1, 10, 50, 75, 80, 85, 92, 100][(number / 2 % 8) as usize];
        let kind = noise.next();
        pictures.push((
            picture(&mut noise, width, height, channels, kind),
            settings(quality),
        ));
    }
    let run = device().jpeg(&pictures, ENOUGH).unwrap();
    same(&pictures, &run.files);
}

#[test]
fn files_at_every_edge_of_two_units_are_the_librarys() {
    let mut noise = Noise(2);
    let mut pictures = Vec::new();
    for side in 1..=33 {
        for (width, height) in [(side, 1), (1, side), (side, 17), (16, side), (side, side)] {
            for channels in KINDS {
                let picture = picture(&mut noise, width, height, channels, side);
                pictures.push((picture, settings(90)));
            }
        }
    }
    let run = device().jpeg(&pictures, ENOUGH).unwrap();
    same(&pictures, &run.files);
}

#[test]
fn every_quality_has_the_librarys_quantisers() {
    let mut noise = Noise(3);
    let pictures: Vec<_> = (1..=100)
        .map(|quality| {
            let channels = KINDS[(quality % 2) as usize];
            (
                picture(&mut noise, 24, 24, channels, quality / 2),
                settings(quality),
            )
        })
        .collect();
    let run = device().jpeg(&pictures, ENOUGH).unwrap();
    same(&pictures, &run.files);
}

#[test]
fn a_file_with_more_groups_than_threads_scan_them_is_the_librarys() {
    let mut noise = Noise(4);
    // 264 × 65 blocks: 269 groups of 64, so that threads of the scan take two.
    let wide = picture(&mut noise, 2112, 520, Channels::Gray, 4);
    let pictures = [(wide, settings(80))];
    let run = device().jpeg(&pictures, ENOUGH).unwrap();
    same(&pictures, &run.files);
}

#[test]
fn more_files_than_threads_that_place_them_are_the_librarys() {
    let mut noise = Noise(5);
    let pictures: Vec<_> = (0..600)
        .map(|kind| {
            let (width, height) = (noise.between(1, 9), noise.between(1, 9));
            (
                picture(&mut noise, width, height, Channels::Rgb, kind),
                settings(80),
            )
        })
        .collect();
    let run = device().jpeg(&pictures, ENOUGH).unwrap();
    same(&pictures, &run.files);
}

#[test]
fn a_file_does_not_depend_on_its_batch() {
    let mut noise = Noise(6);
    let pictures: Vec<_> = (0..12)
        .map(|kind| {
            let (width, height) = (noise.between(20, 60), noise.between(20, 60));
            (
                picture(&mut noise, width, height, KINDS[kind as usize % 2], kind),
                settings(60 + kind),
            )
        })
        .collect();
    let device = device();
    let together = device.jpeg(&pictures, ENOUGH).unwrap().files;
    let mut turned = pictures.clone();
    turned.reverse();
    let mut backwards = device.jpeg(&turned, ENOUGH).unwrap().files;
    backwards.reverse();
    assert_eq!(together, backwards);
    for (picture, file) in pictures.iter().zip(&together) {
        let alone = device.jpeg(std::slice::from_ref(picture), ENOUGH).unwrap();
        assert_eq!(alone.files[0], *file);
    }
}

#[test]
fn files_beyond_the_guess_are_overflow_and_those_before_them_are_whole() {
    let mut noise = Noise(7);
    let mut pictures: Vec<_> = (0..3)
        .map(|_| (picture(&mut noise, 40, 40, Channels::Rgb, 2), settings(80)))
        .collect();
    for _ in 0..3 {
        pictures.push((picture(&mut noise, 64, 64, Channels::Rgb, 0), settings(100)));
    }
    pictures.push((picture(&mut noise, 8, 8, Channels::Gray, 2), settings(80)));
    // Room for 1 KiB each, and nothing for pixels.
    let run = device().jpeg(&pictures, 0).unwrap();
    same(&pictures[..3], &run.files[..3]);
    assert!(
        run.files[3..]
            .iter()
            .all(|file| *file == Err(Fault::Overflow))
    );
}

#[test]
fn files_longer_than_was_likely_are_fetched_whole() {
    let mut noise = Noise(8);
    let pictures: Vec<_> = (0..3)
        .map(|_| (picture(&mut noise, 90, 70, Channels::Rgb, 0), settings(100)))
        .collect();
    let run = device().jpeg(&pictures, 1).unwrap();
    assert!(run.apart > 0);
    same(&pictures, &run.files);
}

#[test]
fn what_the_device_does_not_write_is_unfit() {
    let dimensions = Dimensions::new(4, 4).unwrap();
    let rgba = Raster::from_u8(dimensions, Channels::Rgba, vec![0; 64]).unwrap();
    let run = device().jpeg(&[(rgba, settings(80))], ENOUGH);
    assert_eq!(run.unwrap_err(), Fault::Unfit);
    let rgb = Raster::from_u8(dimensions, Channels::Rgb, vec![0; 48]).unwrap();
    for wrong in [
        JpegSettings {
            progressive: true,
            ..settings(80)
        },
        JpegSettings {
            subsampling: Subsampling::S444,
            ..settings(80)
        },
    ] {
        let run = device().jpeg(&[(rgb.clone(), wrong)], ENOUGH);
        assert_eq!(run.unwrap_err(), Fault::Unfit);
    }
}
