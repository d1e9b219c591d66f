//! Pixels that are written to staging memory as they come: the same results, one submission each.

use std::sync::Arc;

use triforium::geometry::Window;
use triforium::plan::Pass;
use triforium::raster::{Channels, PixelFormat, Raster, RowSink as _, Shape};
use triforium::render::Target;
use triforium::render::gpu::{Fault, Job, Output, Source};

use crate::device::{DEVICE, on_cpu, on_device};
use crate::random::{Noise, any_job, dimensions, picture};

fn shape(raster: &Raster) -> Shape {
    Shape {
        dimensions: raster.dimensions(),
        format: raster.format(),
    }
}

/// The same job with its pixels in staging memory, written in pieces of any size.
fn staged(job: &Job, noise: &mut Noise) -> Arc<Job> {
    let raster = job.source.raster().unwrap();
    let mut staging = DEVICE.executor.staging(shape(raster)).unwrap();
    let whole = raster.dimensions();
    let mut y = 0;
    while y < whole.height {
        let height = 1 + noise.below(whole.height - y);
        let mut x = 0;
        while x < whole.width {
            let width = 1 + noise.below(whole.width - x);
            let part = Window {
                x,
                y,
                width,
                height,
            };
            staging.paste(raster, part, x, y).unwrap();
            x += width;
        }
        y += height;
    }
    Arc::new(Job {
        source: Source::Staged(staging.finish()),
        keep: Vec::new(),
        passes: job.passes.clone(),
        target: job.target,
        part: None,
    })
}

#[test]
fn staged_pixels_come_to_what_the_host_s_come_to() {
    let mut noise = Noise::new(77);
    for round in 0..4 {
        let plain: Vec<_> = (0..24).map(|_| any_job(&mut noise, 90)).collect();
        let mut jobs = plain.clone();
        for job in jobs.iter_mut().filter(|_| round < 3) {
            if noise.below(3) > 0 {
                *job = staged(job, &mut noise);
            }
        }
        let outputs = on_device(&jobs);
        for ((output, plain), job) in outputs.iter().zip(&plain).zip(&jobs) {
            let Ok(Output::Pixels(raster)) = output else {
                panic!("{:?} came to {output:?}", job.source);
            };
            assert!(*raster == on_cpu(plain), "{:?} differs", job.source);
        }
    }
}

#[test]
fn staging_memory_serves_one_submission_and_comes_back() {
    let gray = |seed| {
        Job::new(
            picture(dimensions(300, 200), Channels::Rgb, seed),
            vec![Pass::Gray],
            Target::Rows,
        )
    };
    let mut noise = Noise::new(5);
    for seed in 0..40 {
        let plain = gray(seed);
        let job = staged(&plain, &mut noise);
        let outputs = on_device(&[Arc::clone(&job), Arc::clone(&job)]);
        assert_eq!(outputs[0], Ok(Output::Pixels(on_cpu(&plain))));
        assert_eq!(outputs[1], Err(Fault::Unfit));
        assert_eq!(on_device(&[job]), [Err(Fault::Unfit)]);
        // One that is never submitted gives its memory back too.
        drop(staged(&gray(seed + 100), &mut noise));
    }
}

#[test]
fn what_has_no_place_in_staging_memory_is_refused() {
    let raster = picture(dimensions(9, 4), Channels::Rgb, 3);
    let mut staging = DEVICE.executor.staging(shape(&raster)).unwrap();
    let whole = raster.dimensions().window();
    assert!(staging.paste(&raster, whole, 1, 0).is_err());
    assert!(
        staging
            .paste(&raster, Window { x: 1, ..whole }, 0, 0)
            .is_err()
    );
    let gray = picture(dimensions(9, 4), Channels::Gray, 3);
    assert!(staging.paste(&gray, whole, 0, 0).is_err());
    assert!(staging.paste(&raster, whole, 0, 0).is_ok());
    let sixteen = Shape {
        dimensions: raster.dimensions(),
        format: PixelFormat::sixteen(Channels::Rgb),
    };
    assert!(DEVICE.executor.staging(sixteen).is_none());
    let huge = Shape {
        dimensions: dimensions(40_000, 40_000),
        format: raster.format(),
    };
    assert!(DEVICE.executor.staging(huge).is_none());
}
