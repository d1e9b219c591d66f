//! What `bench --gpu` measures, on a job that is as good as none.

use std::sync::Arc;

use triforium::encoding::JpegSettings;
use triforium::metrics;
use triforium::plan::Pass;
use triforium::raster::{Channels, Shape};
use triforium::render::Target;
use triforium::render::gpu::{Job, Output, Trial, measure};

use crate::device::{on_cpu, on_device};
use crate::random::{Noise, dimensions, picture, resample, turn};

fn trial() -> Trial {
    let job = Job::new(
        picture(dimensions(8, 8), Channels::Rgb, 1),
        vec![Pass::Gray],
        Target::Rows,
    );
    Trial {
        name: "gray",
        expected: Output::Pixels(on_cpu(&job)),
        job: Arc::new(job),
    }
}

/// How often a stage has been timed.
fn timed(stage: &str) -> f64 {
    let text = metrics::render();
    let name = format!("triforium_gpu_stage_seconds_count{{stage=\"{stage}\"}}");
    let value = |line: &str| line.strip_prefix(&name)?.trim().parse().ok();
    text.lines().find_map(value).unwrap_or(0.0)
}

#[test]
fn stages_are_timed_by_the_device_now_and_then() {
    metrics::install().unwrap();
    let source = picture(dimensions(70, 50), Channels::Rgb, 9);
    let mut noise = Noise::new(3);
    let passes = vec![
        Pass::Shrink { times: 1 },
        resample(&mut noise, dimensions(35, 25), 60),
    ];
    let after = passes.iter().fold(
        Shape {
            dimensions: source.dimensions(),
            format: source.format(),
        },
        |shape, pass| pass.shape_after(shape),
    );
    let turned = [passes.clone(), vec![turn(&mut noise, after.dimensions)]].concat();
    let file = Target::Jpeg(JpegSettings::default());
    let jobs = [
        Arc::new(Job::new(source.clone(), passes, file)),
        Arc::new(Job::new(source, turned, Target::Rows)),
    ];
    let stages = [
        "upload",
        "shrink",
        "vertical",
        "horizontal",
        "rotate",
        "fdct",
        "huffman",
        "readback",
    ];
    let before = stages.map(timed);
    for _ in 0..64 {
        on_device(&jobs);
    }
    for (stage, before) in stages.into_iter().zip(before) {
        let count = timed(stage) - before;
        assert!((3.0..40.0).contains(&count), "{stage}: {count}");
    }
}

#[test]
fn everything_is_measured_and_what_comes_back_is_compared() {
    let mut other = trial();
    let Output::Pixels(raster) = &mut other.expected else {
        panic!("pixels were wanted");
    };
    *raster = picture(dimensions(8, 8), Channels::Gray, 2);
    let adapter = crate::device::wanted().adapter;
    let measured = measure(&adapter, &[trial(), other], &|| 0.0).unwrap();
    assert!(measured.compared > 1000);
    assert_eq!(measured.undone, 0);
    assert!(measured.different > 500 && measured.different < measured.compared - 500);
    for (group, least) in [
        ("submission", 2),
        ("workgroups", 3),
        ("transfer", 6),
        ("staging", 8),
        ("batch", 18),
        ("rate", 8),
        ("kernel", 2),
        ("single", 5),
    ] {
        let figures = measured
            .figures
            .iter()
            .filter(|figure| figure.group == group);
        assert!(figures.clone().count() >= least, "{group}");
        let named = figures.filter(|figure| !figure.name.ends_with("processor"));
        assert!(named.clone().all(|figure| figure.value > 0.0), "{group}");
    }
}
