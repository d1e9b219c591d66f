//! Long JPEG answers over HTTP, encoded on the device in bands: the CPU's bytes, whatever happens amid them.

use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use triforium::cancel::Cancel;
use triforium::codec::{self, Attached, Encoding};
use triforium::geometry::Window;
use triforium::iiif::Format;
use triforium::plan::Pass;
use triforium::raster::{Channels, OneStrip, Raster, Shape};
use triforium::render::Target;
use triforium::render::gpu::{
    Capacity, Executor, Fault, Flight, Footprint, GpuMode, Job, Open, Part, Staging, Tiles, Wanted,
    open,
};
use triforium::service::Config;

use super::device::wanted;
use super::http::{engine, server, total};
use super::inside::Inside;
use super::random::{dimensions, picture};
use super::support::{Answer, Server};

/// Writes `raster` as a master.
pub(crate) fn save(raster: Raster, file: &Path) {
    let settings = Config::default().encode.settings();
    let encoding = Encoding {
        format: Format::Png,
        settings: &settings,
        attached: &Attached::default(),
    };
    let mut out = BufWriter::new(File::create(file).unwrap());
    let mut rows = OneStrip::from(raster);
    codec::encode(encoding, &mut rows, &Cancel::new(), &mut out).unwrap();
    out.flush().unwrap();
}

/// A picture with slopes and soft patches, whose file is as long as a photograph's.
pub(crate) fn painted(width: u32, height: u32, channels: Channels) -> Raster {
    let count = channels.count() as u32;
    let mut samples = Vec::with_capacity((width * height * count) as usize);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..count {
                let slope = x / 9 + y / 7 * (channel + 1);
                let rough = (x ^ y).wrapping_mul(2_654_435_761) >> 28;
                samples.push((slope + rough) as u8);
            }
        }
    }
    Raster::from_u8(dimensions(width, height), channels, samples).unwrap()
}

/// Masters whose answers take several bands of two megapixels each.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    save(painted(3000, 2500, Channels::Rgb), &path("colour.png"));
    save(painted(4203, 3001, Channels::Gray), &path("gray.png"));
    folder
}

/// Answers that leave while they are made, and their bands.
const LONG: &[(&str, f64)] = &[
    ("/iiif/3/colour.png/full/max/0/default.jpg", 4.0),
    ("/iiif/3/colour.png/full/max/!0/gray.jpg", 4.0),
    ("/iiif/3/colour.png/7,5,2900,2400/max/0/default.jpg", 4.0),
    ("/iiif/3/gray.png/full/max/0/default.jpg", 7.0),
];

const STREAMED: (&str, &str) = ("LIMITS__STREAM_ABOVE_BYTES", "100000");

fn answered(server: &Server, path: &str) -> Answer {
    let answer = server.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text_lossy());
    assert_eq!(answer.header("transfer-encoding"), "chunked", "{path}");
    answer
}

/// How often the CPU has finished a stage of an answer.
fn stages(server: &Server, stage: &str) -> f64 {
    server.metric(&format!(
        "triforium_stage_duration_seconds_count{{stage=\"{stage}\"}}"
    ))
}

/// Waits until it has done so `times` times: streamed answers are counted behind their last byte.
pub(crate) fn until_counted(server: &Server, stage: &str, times: f64) {
    let end = Instant::now() + Duration::from_mins(1);
    while stages(server, stage) < times - 0.5 {
        assert!(
            Instant::now() < end,
            "{stage}: {} of {times}",
            stages(server, stage)
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn long_answers_of_the_device_are_the_cpus_over_http() {
    let folder = folder();
    let on = server(folder.path(), "on", &[STREAMED]);
    let off = server(folder.path(), "off", &[STREAMED]);
    for (index, (path, bands)) in LONG.iter().enumerate() {
        let before = on.metric("triforium_gpu_batch_size_sum");
        let (mine, right) = (answered(&on, path), answered(&off, path));
        assert_eq!((engine(&mine), engine(&right)), ("gpu", "cpu"), "{path}");
        assert!(mine.body == right.body, "{path}");
        assert!(mine.body.starts_with(&[0xff, 0xd8]) && mine.body.len() > 100_000);
        let jobs = on.metric("triforium_gpu_batch_size_sum") - before;
        assert!((jobs - bands).abs() < 0.5, "{path} took {jobs} jobs");
        let answers = (index + 1) as f64;
        let counted = on.metric("triforium_gpu_jobs_total{kind=\"encode\"}");
        assert!((counted - answers).abs() < 0.5, "{path}: {counted} answers");
    }
    assert!(total(&on, "triforium_gpu_fallback_total{") < 0.5);
    let all = LONG.len() as f64;
    until_counted(&off, "encode", all);
    until_counted(&on, "decode", all);
    assert!(stages(&on, "encode") < 0.5, "the CPU has encoded");
}

#[test]
fn long_answers_that_the_device_does_not_write_are_encoded_here() {
    let folder = folder();
    let settings = [STREAMED, ("ENCODE__JPEG__SUBSAMPLING", "4:4:4")];
    let on = server(folder.path(), "on", &settings);
    let off = server(folder.path(), "off", &settings);
    let (path, _) = LONG[0];
    let (mine, right) = (answered(&on, path), answered(&off, path));
    assert!(mine.body == right.body);
    assert_eq!(engine(&mine), "cpu");
    until_counted(&on, "encode", 1.0);
    // One component has no chroma to be subsampled.
    let (path, _) = LONG[1];
    let (mine, right) = (answered(&on, path), answered(&off, path));
    assert!(mine.body == right.body);
    assert_eq!(engine(&mine), "gpu");
}

/// A device that is destroyed when more jobs come than are left, in however many submissions.
#[derive(Debug)]
struct Mortal {
    device: Arc<dyn Executor>,
    left: Arc<AtomicI64>,
}

impl Executor for Mortal {
    fn footprint(&self, shape: Shape, passes: &[Pass], target: Target) -> Option<Footprint> {
        self.device.footprint(shape, passes, target)
    }

    fn part(&self, part: &Part, passes: &[Pass], target: Target) -> Option<(Window, Footprint)> {
        self.device.part(part, passes, target)
    }

    fn tiles(&self) -> Option<&Tiles> {
        self.device.tiles()
    }

    fn staging(&self, shape: Shape) -> Option<Staging> {
        self.device.staging(shape)
    }

    fn capacity(&self) -> Capacity {
        self.device.capacity()
    }

    fn submit(&self, jobs: &[Arc<Job>]) -> Result<Box<dyn Flight>, Fault> {
        let count = i64::try_from(jobs.len()).unwrap();
        let left = self.left.fetch_sub(count, Ordering::SeqCst);
        if left >= 0 && left < count {
            self.device.end();
        }
        self.device.submit(jobs)
    }

    fn end(&self) {
        self.device.end();
    }
}

/// A server on a device that is destroyed when the counter reaches nothing.
pub(crate) fn mortal(folder: &Path, config: &Config, wanted: Wanted) -> (Inside, Arc<AtomicI64>) {
    let left = Arc::new(AtomicI64::new(i64::MAX));
    let counter = Arc::clone(&left);
    let by: Open = Box::new(move || {
        let mut opened = open(&wanted)?;
        opened.executor = Arc::new(Mortal {
            device: Arc::clone(&opened.executor),
            left: Arc::clone(&counter),
        });
        Ok(opened)
    });
    (Inside::new(folder, config, by), left)
}

#[test]
fn a_device_that_is_lost_amid_a_long_answer_leaves_the_cpus_bytes() {
    let folder = folder();
    let (path, _) = LONG[0];
    let mut config = Config::default();
    config.cache.levels.disk_bytes = 0;
    config.limits.stream_above_bytes = 100_000;
    config.gpu.check_one_in = 0;
    config.gpu.mode = GpuMode::Off;
    let by: Open = Box::new(|| open(&wanted()));
    let right = Inside::new(folder.path(), &config, by).get(path);
    config.gpu.mode = GpuMode::On;
    for jobs in [0, 1, 3] {
        let (server, left) = mortal(folder.path(), &config, wanted());
        assert_eq!(server.device()["state"], "up");
        left.store(jobs, Ordering::SeqCst);
        let answer = server.get(path);
        assert!(answer.body == right.body, "lost after {jobs} jobs");
        let left = left.load(Ordering::SeqCst);
        assert!(left < 0, "{left} jobs were left");
        assert_ne!(server.device()["state"], "up");
    }
}

#[test]
fn a_reader_that_leaves_a_long_answer_takes_its_bands_back() {
    let folder = tempfile::tempdir().unwrap();
    let (width, height) = (3000, 5000);
    let noise = picture(dimensions(width, height), Channels::Rgb, 3);
    save(noise, &folder.path().join("noise.png"));
    let settings = [
        STREAMED,
        // More than the sockets between server and reader hold.
        ("ENCODE__JPEG__QUALITY", "100"),
        ("LIMITS__STREAM_BUFFER_BYTES", "65536"),
    ];
    let on = server(folder.path(), "on", &settings);
    let mut reader = TcpStream::connect(&on.public).unwrap();
    let path = "/iiif/3/noise.png/full/max/0/default.jpg";
    let ask = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", on.public);
    reader.write_all(ask.as_bytes()).unwrap();
    let mut begin = [0; 4096];
    reader.read_exact(&mut begin).unwrap();
    assert!(begin.starts_with(b"HTTP/1.1 200"));
    assert!(on.metric("triforium_decode_reserved_bytes") > 1e6);
    drop(reader);
    let end = Instant::now() + Duration::from_mins(2);
    let is_over = || {
        on.metric("triforium_decode_reserved_bytes") < 0.5
            && on.metric("triforium_gpu_in_flight") < 0.5
    };
    while !is_over() {
        assert!(Instant::now() < end, "it goes on without a reader");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(total(&on, "triforium_gpu_jobs_total{") < 0.5);
    let jobs = on.metric("triforium_gpu_batch_size_sum");
    assert!(jobs < 7.5, "{jobs} of 8 bands were encoded");
    let next = on.get("/iiif/3/noise.png/0,0,300,200/150,/0/default.jpg");
    assert_eq!((next.status, engine(&next)), (200, "gpu"));
}
