//! Passes and files in one submission: what leaves the device is what engine and encoder of the host give.

use std::sync::Arc;

use triforium::encoding::{JpegSettings, Subsampling};
use triforium::raster::{Channels, Raster};
use triforium::render::Target;
use triforium::render::gpu::{Job, Output};
use triforium::{codec, metrics};

use crate::device::{DEVICE, on_cpu, on_device};
use crate::random::{Noise, any_job, dimensions, job, picture};

fn encoded(raster: Raster, jpeg: JpegSettings) -> Vec<u8> {
    codec::jpeg::file(raster, jpeg).unwrap()
}

fn as_file(job: &Job, settings: JpegSettings) -> Arc<Job> {
    let source = job.source.raster().unwrap().clone();
    let target = Target::Jpeg(settings);
    Arc::new(Job::new(source, job.passes.clone(), target))
}

/// Panics unless a job came to the host's bytes; whether they are a file.
fn is_right_file(job: &Job, output: &Output) -> bool {
    let pixels = on_cpu(job);
    match (output, job.target) {
        (Output::Jpeg(file), Target::Jpeg(settings)) => {
            assert!(*file == encoded(pixels, settings), "{:?}", job.passes);
            true
        }
        (Output::Pixels(raster), _) => {
            assert!(*raster == pixels, "{:?}", job.passes);
            false
        }
        (Output::Jpeg(_), Target::Rows) => panic!("a file that nobody asked for"),
    }
}

#[test]
fn files_and_pixels_of_one_batch_are_the_hosts_to_the_byte() {
    let mut noise = Noise::new(21);
    let mut jobs = Vec::new();
    for quality in [1, 30, 80, 92, 100] {
        for round in 0..12 {
            let settings = JpegSettings {
                quality,
                ..JpegSettings::default()
            };
            let job = any_job(&mut noise, if round == 0 { 300 } else { 90 });
            jobs.push(match round % 3 {
                0 => job,
                _ => as_file(&job, settings),
            });
        }
    }
    let mut files = 0;
    for (job, output) in jobs.iter().zip(on_device(&jobs)) {
        files += usize::from(is_right_file(job, &output.unwrap()));
    }
    assert!((10..40).contains(&files), "{files}");
}

#[test]
fn files_that_are_longer_than_was_likely_are_fetched_whole() {
    metrics::install().unwrap();
    let refetches = || {
        let text = metrics::render();
        let value = |line: &str| {
            let value = line.strip_prefix("triforium_gpu_refetches_total ")?;
            value.parse::<u64>().ok()
        };
        text.lines().find_map(value).unwrap_or(0)
    };
    let mut noise = Noise::new(23);
    let dimensions = dimensions(128, 96);
    let mut jobs: Vec<_> = (0..8)
        .map(|_| {
            let samples = (0..3 * dimensions.area()).map(|_| noise.below(256) as u8);
            let raster = Raster::from_u8(dimensions, Channels::Rgb, samples.collect()).unwrap();
            // No other test has told the device how long files of this quality are.
            let settings = JpegSettings {
                quality: 99,
                ..JpegSettings::default()
            };
            as_file(&job(raster, vec![]), settings)
        })
        .collect();
    jobs.push(any_job(&mut noise, 60));
    let before = refetches();
    for (job, output) in jobs.iter().zip(on_device(&jobs)) {
        is_right_file(job, &output.unwrap());
    }
    assert_eq!(refetches(), before + 1);
}

#[test]
fn a_batch_of_files_alone_brings_no_pixels_back() {
    let source = picture(dimensions(64, 48), Channels::Rgb, 5);
    let jobs: Vec<_> = (0..3)
        .map(|_| as_file(&job(source.clone(), vec![]), JpegSettings::default()))
        .collect();
    for (job, output) in jobs.iter().zip(on_device(&jobs)) {
        assert!(is_right_file(job, &output.unwrap()));
    }
}

#[test]
fn what_the_device_does_not_encode_comes_back_as_pixels() {
    let source = picture(dimensions(33, 20), Channels::Rgb, 6);
    let job = job(source, vec![]);
    for settings in [
        JpegSettings {
            progressive: true,
            ..JpegSettings::default()
        },
        JpegSettings {
            subsampling: Subsampling::S444,
            ..JpegSettings::default()
        },
    ] {
        let jobs = [as_file(&job, settings)];
        for output in on_device(&jobs) {
            assert!(!is_right_file(&jobs[0], &output.unwrap()));
        }
        let shape = job.source.shape();
        let footprint = |target| DEVICE.executor.footprint(shape, &[], target);
        assert_eq!(footprint(Target::Jpeg(settings)), None);
        assert!(footprint(Target::Rows).is_some());
    }
}
