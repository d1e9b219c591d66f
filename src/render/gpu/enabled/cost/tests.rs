//! What the model weighs, and that it does not waver.

use super::*;
use crate::encoding::JpegSettings;
use crate::geometry::Dimensions;
use crate::plan::{Crop, Filter, Pass, Turn, canvas};
use crate::raster::{Channels, PixelFormat, Shape};
use crate::render::Target;

fn square(side: u32) -> Dimensions {
    Dimensions {
        width: side,
        height: side,
    }
}

fn item_of(side: u32, passes: &[Pass]) -> Weight {
    let shape = Shape {
        dimensions: square(side),
        format: PixelFormat::eight(Channels::Rgb),
    };
    let target = Target::Jpeg(JpegSettings::default());
    let after = passes.iter().fold(shape, |now, pass| pass.shape_after(now));
    Weight {
        labour: Labour::of(shape, passes, target),
        footprint: Footprint {
            up_bytes: shape.bytes(),
            device_bytes: 2 * shape.bytes(),
            down_bytes: after.dimensions.area() / 4,
            ..Footprint::default()
        },
        bands: 0,
    }
}

fn halved(side: u32) -> Weight {
    let pass = Pass::Resample {
        crop: Crop {
            x: 0.0,
            y: 0.0,
            width: f64::from(side),
            height: f64::from(side),
        },
        target: square(side / 2),
        filter: Filter::Lanczos3,
    };
    item_of(side, &[pass])
}

fn turned(side: u32) -> Weight {
    let turn = Turn {
        degrees: 30.0,
        canvas: canvas(square(side), 30.0),
        background: Some([255; 3]),
    };
    item_of(side, &[Pass::Rotate(turn)])
}

#[test]
fn a_job_in_bands_takes_a_submission_more_for_each() {
    let cost = Cost::new(GpuMode::Auto, 0.0);
    let item = |bands| Weight {
        bands,
        ..halved(2000)
    };
    let of = |bands| cost.weigh(&item(bands), &IDLE);
    assert_eq!(of(0), of(1));
    let more = of(5).gpu - of(1).gpu;
    let each = DEVICE.submission + DEVICE.job;
    assert!((more - 4.0 * each).abs() < 1e-9, "{more}");
    assert!((of(5).cpu - of(1).cpu).abs() < 1e-12);
}

const IDLE: Scene = Scene {
    load: Load {
        running: 0,
        waiting: 0,
        threads: 8,
    },
    backlog: Duration::ZERO,
    on_device: 0,
};

fn crowd(waiting: usize) -> Scene {
    Scene {
        load: Load {
            running: 8,
            waiting,
            threads: 8,
        },
        ..IDLE
    }
}

fn auto() -> Cost {
    Cost::new(GpuMode::Auto, 0.0)
}

/// Sides of `count` jobs one after another, trials left out.
fn sides(cost: &Cost, item: &Weight, scene: &Scene, count: usize) -> Vec<bool> {
    let chosen = (0..count).map(|_| cost.choose(item, scene).0);
    let chosen = chosen.filter(|verdict| verdict.reason != "probe");
    chosen.map(|verdict| verdict.device).collect()
}

#[test]
fn a_large_turn_goes_to_the_device_and_a_thumbnail_does_not() {
    let cost = auto();
    assert!(cost.foresee(&turned(2000), &IDLE).0.device);
    let (verdict, _) = cost.foresee(&halved(100), &IDLE);
    assert!(!verdict.device && verdict.reason == "small", "{verdict:?}");
}

#[test]
fn on_takes_everything_that_the_device_can_do() {
    let cost = Cost::new(GpuMode::On, 0.0);
    for item in [halved(16), halved(512), turned(100)] {
        assert_eq!(cost.choose(&item, &crowd(50)).0.reason, "on");
        assert!(sides(&cost, &item, &IDLE, 500).into_iter().all(|it| it));
    }
}

#[test]
fn a_queue_on_either_side_counts() {
    let cost = auto();
    let item = halved(1024);
    let idle = cost.weigh(&item, &IDLE);
    let queued = cost.weigh(&item, &crowd(80));
    assert!(queued.cpu > 5.0 * idle.cpu, "{queued:?} after {idle:?}");
    let scene = Scene {
        backlog: Duration::from_secs(1),
        ..IDLE
    };
    assert!(cost.weigh(&item, &scene).gpu > 1.0);
}

#[test]
fn processors_that_are_busy_are_relieved() {
    let cost = auto();
    let mut slow = DEVICE;
    // Not faster than a core, but it takes nothing of one.
    slow.mac = CPU.mac;
    slow.encoded = CPU.encoded;
    cost.measured(slow, CPU);
    let item = halved(512);
    assert!(!sides(&cost, &item, &IDLE, 100).into_iter().any(|it| it));
    let crowded = sides(&cost, &item, &crowd(0), 200);
    assert_eq!(crowded.last(), Some(&true));
    // Work that is on the device still counts as work that there is.
    let there = Scene {
        on_device: 8,
        ..IDLE
    };
    assert!(sides(&cost, &item, &there, 300).into_iter().all(|it| it));
    assert_eq!(sides(&cost, &item, &IDLE, 300).last(), Some(&false));
}

#[test]
fn near_the_crossover_the_side_does_not_waver() {
    let cost = auto();
    let item = halved(512);
    let even = cost.weigh(&item, &IDLE);
    let mut changes = 0;
    let mut before = false;
    for round in 0..400 {
        // The CPU's time swings by a tenth around the device's.
        let swing = if round % 2 == 0 { 0.9 } else { 1.1 };
        let mut cpu = CPU;
        let factor = even.gpu * swing / even.cpu;
        (cpu.job, cpu.mac, cpu.encoded) =
            (cpu.job * factor, cpu.mac * factor, cpu.encoded * factor);
        cost.measured(DEVICE, cpu);
        let verdict = cost.choose(&item, &IDLE).0;
        if verdict.reason != "probe" {
            changes += usize::from(verdict.device != before);
            before = verdict.device;
        }
    }
    assert!(changes <= 1, "{changes} changes");
}

#[test]
fn what_happens_later_corrects_what_was_measured() {
    let cost = auto();
    let item = turned(1000);
    assert!(cost.choose(&item, &IDLE).0.device);
    // The device turns out a hundred times slower.
    for _ in 0..300 {
        let expected = cost.takes(&item);
        let actual = seconds(0.3);
        cost.flown(expected, actual, 1);
    }
    let weighed = cost.weigh(&item, &IDLE);
    assert!((0.2..0.5).contains(&weighed.gpu), "{weighed:?}");
    assert_eq!(sides(&cost, &item, &IDLE, 10).last(), Some(&false));
    // And now the CPU does.
    for _ in 0..300 {
        cost.done_on_cpu(&item.labour, seconds(3.0));
    }
    assert_eq!(sides(&cost, &item, &IDLE, 10).last(), Some(&true));
}

#[test]
fn one_job_in_a_hundred_tries_the_other_side_and_no_more_time_than_that() {
    let cost = auto();
    let item = halved(512);
    let weighed = cost.weigh(&item, &IDLE);
    let mut cpu = CPU;
    // Alike, and on the CPU.
    let factor = weighed.gpu / weighed.cpu;
    (cpu.job, cpu.mac, cpu.encoded) = (cpu.job * factor, cpu.mac * factor, cpu.encoded * factor);
    cost.measured(DEVICE, cpu);
    let probes = |cost: &Cost, count: usize| {
        let reasons = (0..count).map(|_| cost.choose(&item, &IDLE).0.reason);
        reasons.filter(|reason| *reason == "probe").count()
    };
    let found = probes(&cost, 10_000);
    assert!((90..=110).contains(&found), "{found}");
    let mut slow = DEVICE;
    slow.submission = 100.0 * weighed.gpu;
    cost.measured(slow, cpu);
    let found = probes(&cost, 10_000);
    assert!(found <= 2, "{found}");
}

#[test]
fn foreseeing_changes_nothing() {
    let cost = auto();
    let item = halved(512);
    for _ in 0..5000 {
        assert_ne!(cost.foresee(&item, &IDLE).0.reason, "probe");
    }
    let before = cost.table();
    cost.foresee(&turned(2000), &crowd(9));
    assert_eq!(cost.table(), before);
}

#[test]
fn a_rehearsal_scales_the_device_in_both_directions() {
    let cost = Cost::new(GpuMode::Auto, 1e-6);
    let item = halved(256);
    assert_eq!(sides(&cost, &item, &IDLE, 20).last(), Some(&true));
    cost.set(GpuMode::Auto, 1e6);
    assert_eq!(sides(&cost, &item, &IDLE, 20).last(), Some(&false));
}

#[test]
fn a_correction_stays_within_reason() {
    let cost = auto();
    for _ in 0..1000 {
        cost.flown(Duration::from_micros(1), Duration::from_secs(100), 1);
    }
    let item = halved(512);
    assert!(cost.weigh(&item, &IDLE).gpu < 1.0);
}
