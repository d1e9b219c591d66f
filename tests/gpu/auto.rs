//! `auto` over HTTP: work goes where it is faster, comes back when that changes, and does not waver.
//! Software counts as a device whose times are scaled (`gpu.rehearsal`).

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::device::wanted;
use super::http::{engine, masters, total};
use super::support::{Server, request};

/// How long a change may take to be seen.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server whose device counts by a factor that is read again on SIGHUP.
struct Rehearsal {
    server: Server,
    folder: tempfile::TempDir,
    asked: AtomicU64,
}

impl Rehearsal {
    fn start(factor: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, format!("gpu.rehearsal = {factor}\n")).unwrap();
        let adapter = wanted().adapter;
        let settings = [
            ("GPU__ADAPTER", adapter.as_str()),
            ("CACHE__LEVELS__DISK_BYTES", "0"),
        ];
        let config = file.to_string_lossy().into_owned();
        let arguments = ["--gpu", "auto", "--config", &config];
        let server = Server::launch(&masters(), &settings, &arguments);
        let end = Instant::now() + PATIENCE;
        while server.metric("triforium_gpu_state") < 2.0 {
            assert!(Instant::now() < end, "{}", server.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        Self {
            server,
            folder,
            asked: AtomicU64::new(0),
        }
    }

    /// Puts another factor in force.
    fn scale(&self, factor: &str) {
        let file = self.folder.path().join("config.toml");
        std::fs::write(file, format!("gpu.rehearsal = {factor}\n")).unwrap();
        self.server.signal("HUP");
    }

    /// A request that nobody has made before. A turn is what a device does best.
    fn path(&self) -> String {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let (width, y) = (120 + number % 50, number / 50);
        format!("/iiif/3/cat-progressive.jpg/0,{y},400,300/{width},/17/default.png")
    }

    /// Whether the device answers the next request.
    fn ask(&self) -> bool {
        let path = self.path();
        let answer = self.server.get(&path);
        assert_eq!(answer.status, 200, "{path}");
        engine(&answer) == "gpu"
    }

    /// Asks until the device, or the CPU, has answered `times` times in a row; how often the other did
    /// before.
    fn until(&self, on_device: bool, times: usize) -> usize {
        let (end, mut row, mut others) = (Instant::now() + PATIENCE, 0, 0);
        while row < times {
            assert!(Instant::now() < end, "the side does not change");
            if self.ask() == on_device {
                row += 1;
            } else {
                (row, others) = (0, others + 1);
            }
        }
        others
    }

    fn jobs(&self) -> f64 {
        total(&self.server, "triforium_gpu_jobs_total{")
    }
}

#[test]
fn auto_moves_work_to_the_device_and_back_and_does_not_waver() {
    let rehearsal = Rehearsal::start("1e-9");
    rehearsal.until(true, 20);
    for round in 0..2 {
        rehearsal.scale("1e9");
        rehearsal.until(false, 5);
        let others = rehearsal.until(false, 30);
        assert!(others <= 1, "{others} changes in round {round}");
        rehearsal.scale("1e-9");
        rehearsal.until(true, 5);
        let others = rehearsal.until(true, 30);
        assert!(others <= 2, "{others} changes in round {round}");
    }
    let state = rehearsal.server.metric("triforium_gpu_state");
    assert!(state > 1.5, "it stays open");
}

/// Connections that ask without a pause.
const CONNECTIONS: usize = 8;

/// The sides of all answers, as they come.
#[derive(Default)]
struct Sides(Mutex<Vec<bool>>);

impl Sides {
    fn push(&self, on_device: bool) {
        self.0.lock().unwrap().push(on_device);
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Changes of side among the answers from `start` on.
    fn changes(&self, start: usize) -> usize {
        let all = self.0.lock().unwrap();
        all[start..]
            .windows(2)
            .filter(|two| two[0] != two[1])
            .count()
    }

    /// Waits until the last `count` answers came from one side.
    fn settle(&self, on_device: bool, count: usize) {
        let end = Instant::now() + PATIENCE;
        let settled = || {
            let all = self.0.lock().unwrap();
            all.len() >= count && all[all.len() - count..].iter().all(|it| *it == on_device)
        };
        while !settled() {
            assert!(Instant::now() < end, "the side does not change");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for `count` more answers; the number of the first.
    fn more(&self, count: usize) -> usize {
        let (start, end) = (self.len(), Instant::now() + PATIENCE);
        while self.len() < start + count {
            assert!(Instant::now() < end, "no answers come");
            std::thread::sleep(Duration::from_millis(5));
        }
        start
    }
}

#[test]
fn under_load_jobs_move_to_the_device_and_back_and_stay_where_they_are() {
    let rehearsal = Rehearsal::start("1e-9");
    let (sides, is_over) = (Sides::default(), AtomicBool::new(false));
    let load = || {
        while !is_over.load(Ordering::Relaxed) {
            sides.push(rehearsal.ask());
        }
    };
    let watch = || {
        for round in 0..3 {
            for (factor, on_device) in [("1e-9", true), ("1e9", false)] {
                rehearsal.scale(factor);
                // Whatever was under way has come back after so many.
                sides.settle(on_device, 3 * CONNECTIONS);
                let before = rehearsal.jobs();
                let start = sides.more(100);
                let (changes, jobs) = (sides.changes(start), rehearsal.jobs() - before);
                println!("round {round}, × {factor}: {jobs} jobs, {changes} changes of side");
                assert!(changes <= 4, "{changes} changes of side in round {round}");
                assert!((jobs >= 90.0) == on_device && (jobs <= 10.0) != on_device);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(load);
        }
        let watched = std::panic::catch_unwind(std::panic::AssertUnwindSafe(watch));
        is_over.store(true, Ordering::Relaxed);
        if let Err(cause) = watched {
            std::panic::resume_unwind(cause);
        }
    });
}

#[test]
fn where_both_sides_take_as_long_the_side_seldom_changes() {
    let rehearsal = Rehearsal::start("1.0");
    // Both sides are known by what they took, not by what they were thought to take.
    for factor in ["1e-9", "1e9"] {
        rehearsal.scale(factor);
        rehearsal.until(factor == "1e-9", 20);
    }
    rehearsal.scale("1.0");
    let path = rehearsal.path();
    let asked = format!("/explain?path={path}");
    let even = || {
        let explained = request(&rehearsal.server.admin, "GET", &asked, &[]).json();
        let side = |name: &str| explained["gpu"][name].as_f64().unwrap();
        side("cpu_ms") / side("gpu_ms")
    };
    let end = Instant::now() + PATIENCE;
    while rehearsal.server.log().matches("is reloaded").count() < 3 {
        assert!(Instant::now() < end, "{}", rehearsal.server.log());
        std::thread::sleep(Duration::from_millis(10));
    }
    let even = even();
    println!("the device counts {even} times");
    let (mut changes, mut before) = (0, None);
    for round in 0..12 {
        // The device's time swings by a twentieth around the CPU's.
        let swing = if round % 2 == 0 { 0.95 } else { 1.05 };
        rehearsal.scale(&format!("{:e}", even * swing));
        for _ in 0..15 {
            let side = rehearsal.ask();
            changes += usize::from(before.is_some_and(|before| before != side));
            before = Some(side);
        }
    }
    println!("{changes} changes of side in 180 answers");
    // Wavering would be 90 or more. Other tests beside this one make times differ by far, so that some of
    // these changes are right.
    assert!(changes <= 45, "{changes} changes of side in 180 answers");
    // The crossover lies between, wherever a busy machine has moved it to.
    rehearsal.scale(&format!("{:e}", even * 1e3));
    rehearsal.until(false, 10);
    rehearsal.scale(&format!("{:e}", even / 1e3));
    rehearsal.until(true, 10);
}
