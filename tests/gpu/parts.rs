//! Jobs in parts on the device: bands of the result from windows of the source, with the bytes of the
//! whole; and answers over HTTP that no buffer holds.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use triforium::codec::jpeg::{Stack, file};
use triforium::encoding::JpegSettings;
use triforium::geometry::{Dimensions, Orientation, Window};
use triforium::plan::Pass;
use triforium::raster::{Channels, PixelFormat, Raster, Shape};
use triforium::render::Target;
use triforium::render::gpu::{GpuMode, Job, Output, Part, Wanted};
use triforium::service::Config;

use super::bands::{mortal, painted, save, until_counted};
use super::device::{DEVICE, bytes, on_cpu, on_device, wanted};
use super::http::{engine, server, total};
use super::inside::Inside;
use super::random::{CHANNELS, Noise, dimensions, picture, resample};
use super::support::{Server, request};

/// The part of `raster` that `window` is.
fn part_of(raster: &Raster, window: Window) -> Raster {
    let channels = raster.format().channels.count();
    let (first, length) = (window.x as usize, window.width as usize);
    let rows = bytes(raster).chunks_exact(raster.row_len());
    let rows = rows.skip(window.y as usize).take(window.height as usize);
    let samples = rows.flat_map(|row| &row[first * channels..][..length * channels]);
    let channels = raster.format().channels;
    Raster::from_u8(window.dimensions(), channels, samples.copied().collect()).unwrap()
}

/// `job` in parts of `height` rows.
fn parts(job: &Job, height: u32) -> Vec<Arc<Job>> {
    let whole = job.source.shape();
    let after = job
        .passes
        .iter()
        .fold(whole, |now, pass| pass.shape_after(now));
    let rows = after.dimensions.height;
    let mut all = Vec::new();
    for top in (0..rows).step_by(height as usize) {
        let part = Part {
            whole,
            rows: top..rows.min(top + height),
        };
        let fits = DEVICE.executor.part(&part, &job.passes, job.target);
        let (window, _) = fits.unwrap_or_else(|| panic!("{part:?} of {:?}", job.passes));
        let source = part_of(job.source.raster().unwrap(), window);
        all.push(Arc::new(Job {
            part: Some(part),
            ..Job::new(source, job.passes.clone(), job.target)
        }));
    }
    all
}

/// A job whose passes have parts.
fn job(noise: &mut Noise, most: u32, channels: Channels, target: Target) -> Job {
    let sides = dimensions(1 + noise.below(most), 1 + noise.below(most));
    let mut passes = Vec::new();
    if noise.below(5) > 0 {
        passes.push(resample(noise, sides, most));
    }
    passes.push(Pass::Orient(Orientation {
        mirror: noise.below(2) == 0,
        turns: noise.below(4) as u8,
    }));
    match noise.below(5) {
        0 => passes.push(Pass::Flatten {
            background: [250, 128, 9],
        }),
        1 => passes.push(Pass::Gray),
        2 => passes.push(Pass::Bitonal),
        _ => {}
    }
    let seed = noise.below(u32::MAX).into();
    Job::new(picture(sides, channels, seed), passes, target)
}

#[test]
fn parts_of_any_height_are_the_rows_of_the_whole() {
    let mut noise = Noise::new(90);
    for round in 0..4 {
        let (mut all, mut of) = (Vec::new(), Vec::new());
        for index in 0..12 {
            let channels = CHANNELS[index % 4];
            let job = job(&mut noise, 60 + 120 * round, channels, Target::Rows);
            let parts = parts(&job, 1 + noise.below(90));
            of.push((job, all.len()..all.len() + parts.len()));
            all.extend(parts);
        }
        // No more than a submission holds.
        let outputs: Vec<_> = all.chunks(200).flat_map(on_device).collect();
        for (job, range) in of {
            let right = on_cpu(&job);
            let mut got = Vec::new();
            for output in &outputs[range] {
                let Ok(Output::Pixels(raster)) = output else {
                    panic!("{:?} came to {output:?}", job.passes);
                };
                got.extend_from_slice(bytes(raster));
            }
            let shape = job.source.shape();
            assert!(got == bytes(&right), "{shape:?} {:?}", job.passes);
        }
    }
}

#[test]
fn files_of_parts_become_the_file_of_the_whole() {
    let mut noise = Noise::new(91);
    let settings = JpegSettings::default();
    for round in 0..12 {
        let channels = [Channels::Gray, Channels::Rgb][round % 2];
        let job = job(&mut noise, 200, channels, Target::Jpeg(settings));
        let right = on_cpu(&job);
        let parts = parts(&job, 16 * (1 + noise.below(4)));
        let mut stack = Stack::new(right.dimensions());
        let mut got = Vec::new();
        for (part, output) in parts.iter().zip(on_device(&parts)) {
            let Ok(Output::Jpeg(band)) = output else {
                panic!("{:?} came to {output:?}", job.passes);
            };
            let rows = part.part.as_ref().unwrap().rows.clone();
            stack.push(&band, rows.end - rows.start, &mut got).unwrap();
        }
        stack.finish(&mut got).unwrap();
        assert!(got == file(right, settings).unwrap(), "{:?}", job.passes);
    }
}

#[test]
fn a_part_with_another_window_is_refused() {
    let shape = Shape {
        dimensions: dimensions(100, 90),
        format: PixelFormat::eight(Channels::Rgb),
    };
    let passes = vec![resample(&mut Noise::new(4), shape.dimensions, 80)];
    let rows = Dimensions::new(1, passes[0].shape_after(shape).dimensions.height).unwrap();
    let part = Part {
        whole: shape,
        rows: 0..rows.height.div_ceil(2),
    };
    let of = |part: &Part, passes: &[Pass]| DEVICE.executor.part(part, passes, Target::Rows);
    let (window, footprint) = of(&part, &passes).unwrap();
    assert!(footprint.up_bytes < shape.bytes() + (64 << 10));
    let taller = Window {
        height: window.height + 1,
        ..window
    };
    let source = picture(taller.dimensions(), Channels::Rgb, 8);
    let job = Job {
        part: Some(part.clone()),
        ..Job::new(source, passes.clone(), Target::Rows)
    };
    assert!(on_device(&[Arc::new(job)])[0].is_err());
    let beyond = Part {
        rows: 0..rows.height + 1,
        ..part.clone()
    };
    assert!(of(&beyond, &passes).is_none());
    let empty = Part { rows: 3..3, ..part };
    assert!(of(&empty, &passes).is_none());
}

/// Answers whose pictures no buffer of 16 MiB holds.
const LARGE: &[&str] = &[
    "/iiif/3/colour.png/full/pct:60/0/default.jpg",
    "/iiif/3/colour.png/full/pct:60/!180/gray.jpg",
    "/iiif/3/colour.png/101,37,2800,2400/1900,/90/default.jpg",
    "/iiif/3/colour.png/full/max/!270/default.jpg",
    "/iiif/3/colour.png/full/pct:55/0/default.png",
    "/iiif/3/colour.png/full/pct:55/90/bitonal.png",
    "/iiif/3/colour.png/full/1800,/0/default.webp",
    "/iiif/3/gray.png/full/^pct:110/0/default.jpg",
];

const STREAMED: (&str, &str) = ("LIMITS__STREAM_ABOVE_BYTES", "100000");
const NARROW: (&str, &str) = ("GPU__MEMORY_BYTES", "67108864");

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    save(painted(3000, 2500, Channels::Rgb), &path("colour.png"));
    save(painted(4203, 4001, Channels::Gray), &path("gray.png"));
    folder
}

fn explained(server: &Server, path: &str) -> serde_json::Value {
    request(&server.admin, "GET", &format!("/explain?path={path}"), &[]).json()
}

#[test]
fn answers_that_no_buffer_holds_are_made_in_parts_over_http() {
    let folder = folder();
    let on = server(folder.path(), "on", &[STREAMED, NARROW]);
    let off = server(folder.path(), "off", &[STREAMED]);
    for (index, path) in LARGE.iter().enumerate() {
        let explained = explained(&on, path);
        assert_eq!(explained["engine"], "gpu", "{path}: {explained}");
        let bands = explained["gpu"]["bands"].as_f64().unwrap();
        assert!(bands > 1.5, "{path}: {explained}");
        assert!(explained["gpu"]["gpu_ms"].as_f64().unwrap() > 0.0);
        let before = on.metric("triforium_gpu_batch_size_sum");
        let (mine, right) = (on.get(path), off.get(path));
        assert_eq!((mine.status, right.status), (200, 200), "{path}");
        assert_eq!((engine(&mine), engine(&right)), ("gpu", "cpu"), "{path}");
        assert!(mine.body == right.body, "{path}");
        let jobs = on.metric("triforium_gpu_batch_size_sum") - before;
        assert!((jobs - bands).abs() < 0.5, "{path}: {jobs} of {bands}");
        let answers = total(&on, "triforium_gpu_jobs_total{");
        assert!((answers - (index + 1) as f64).abs() < 0.5, "{path}");
    }
    assert!(total(&on, "triforium_gpu_fallback_total{") < 0.5);
    until_counted(&on, "decode", LARGE.len() as f64);
    // PNG and WebP are written here; passes and JPEG are not run here.
    until_counted(&on, "encode", 3.0);
    let stage = |stage| format!("triforium_stage_duration_seconds_count{{stage=\"{stage}\"}}");
    assert!(on.metric(&stage("process")) < 0.5);
    assert!(on.metric(&stage("encode")) < 3.5);
}

fn config() -> Config {
    let mut config = Config::default();
    config.cache.levels.disk_bytes = 0;
    config.cache.derivative.memory_bytes = 0;
    config.limits.stream_above_bytes = 100_000;
    config.gpu.check_one_in = 0;
    config.gpu.mode = GpuMode::On;
    config
}

fn narrow() -> Wanted {
    Wanted {
        memory_bytes: 64 << 20,
        ..wanted()
    }
}

fn right(folder: &Path, path: &str) -> Vec<u8> {
    let mut config = config();
    config.gpu.mode = GpuMode::Off;
    let (server, _) = mortal(folder, &config, narrow());
    server.get(path).body
}

#[test]
fn a_device_that_is_lost_amid_parts_leaves_the_cpus_bytes() {
    let folder = folder();
    for path in [LARGE[1], LARGE[2], LARGE[4], LARGE[6]] {
        let right = right(folder.path(), path);
        for jobs in [0, 2] {
            let (server, left): (Inside, _) = mortal(folder.path(), &config(), narrow());
            assert_eq!(server.device()["state"], "up");
            left.store(jobs, Ordering::SeqCst);
            let answer = server.get(path);
            assert!(answer.body == right, "{path} lost after {jobs} jobs");
            assert!(left.load(Ordering::SeqCst) < 0, "{path} took no device");
        }
    }
}

#[test]
fn parts_that_are_compared_with_the_cpus_are_the_same() {
    let folder = folder();
    let mut config = config();
    config.gpu.check_one_in = 1;
    let (server, _) = mortal(folder.path(), &config, narrow());
    for path in [LARGE[1], LARGE[4]] {
        let answer = server.get(path);
        assert!(answer.body == right(folder.path(), path), "{path}");
        assert_eq!(engine(&answer), "gpu");
        assert_eq!(server.device()["state"], "up", "{path}");
    }
}
