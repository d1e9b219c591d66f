//! A device comes, goes and comes again; the CPU is told each time.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::super::{GpuMode, Job, Output};
use super::super::fake::{Fake, encode};
use super::super::pictures::{picture, reference};
use super::*;
use crate::cancel::Cancel;
use crate::plan::Pass;
use crate::raster::Channels;
use crate::render::Target;
use crate::render::gpu::{Class, Footprint};

const QUICK: Pace = Pace {
    first: Duration::from_millis(5),
    longest: Duration::from_millis(20),
    losses: 3,
    within: Duration::from_mins(10),
};

/// A supervisor, and how often it has opened a device.
fn supervised(open: impl FnMut(usize) -> Result<Opened, Refusal> + Send + 'static) -> Watched {
    let opened = Arc::new(AtomicUsize::new(0));
    let (count, mut open) = (Arc::clone(&opened), open);
    let open: Open = Box::new(move || open(count.fetch_add(1, Ordering::SeqCst)));
    let config = GpuConfig {
        mode: GpuMode::On,
        ..GpuConfig::default()
    };
    let cost = Arc::new(Cost::new(GpuMode::On, 0.0));
    let supervisor = Supervisor::new(&config, QUICK, open, Some(encode), &cost);
    Watched { supervisor, opened }
}

struct Watched {
    supervisor: Supervisor,
    opened: Arc<AtomicUsize>,
}

impl Watched {
    fn state(&self) -> State {
        self.supervisor.now().0
    }

    fn until(&self, state: State) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.state() != state {
            assert!(Instant::now() < end, "{:?}", self.supervisor.now());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits for a device other than the one whose line is `before`.
    fn opened(&self, count: usize) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.opened.load(Ordering::SeqCst) < count {
            assert!(Instant::now() < end, "{:?}", self.supervisor.now());
            thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_device_is_up_once_it_has_proved_itself() {
    let fake = Fake::new();
    let given = fake.clone();
    let watched = supervised(move |_| Ok(given.opened()));
    assert_eq!(watched.supervisor.settled(), State::Up);
    assert!(fake.jobs_seen() >= 20, "the self-test ran");
    assert_eq!(watched.supervisor.now().2.expect("there").name, "fake");
}

#[test]
fn without_an_adapter_it_is_off_and_says_why() {
    let watched = supervised(|_| Err(Refusal::NoAdapter(Vec::new())));
    assert_eq!(watched.supervisor.settled(), State::Off);
    let (_, reason, adapter) = watched.supervisor.now();
    assert!(reason.contains("no GPU"), "{reason}");
    assert!(adapter.is_none() && watched.supervisor.line().is_none());
}

#[test]
fn a_device_that_gives_other_bytes_is_never_up() {
    let fake = Fake::new();
    fake.spoil(true);
    let watched = supervised(move |_| Ok(fake.opened()));
    assert_eq!(watched.supervisor.settled(), State::Off);
    assert!(watched.supervisor.now().1.contains("self-test"));
    assert!(watched.supervisor.line().is_none());
}

#[test]
fn a_lost_device_is_opened_again_and_works() {
    let (first, second) = (Fake::new(), Fake::new());
    let (one, two) = (first.clone(), second.clone());
    let watched = supervised(move |time| match time {
        0 => Ok(one.opened()),
        1 => Err(Refusal::Failed("not yet".to_owned())),
        _ => Ok(two.opened()),
    });
    assert_eq!(watched.supervisor.settled(), State::Up);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let line = watched.supervisor.line().expect("up");
    first.hold(true);
    let jobs: Vec<_> = (0..10)
        .map(|seed| {
            Arc::new(Job::new(
                picture(8, 8, Channels::Rgb, seed).expect("a picture"),
                vec![Pass::Gray],
                Target::Rows,
            ))
        })
        .collect();
    let run = |line: &Line, job: &Arc<Job>| {
        let (line, job) = (line.clone(), Arc::clone(job));
        runtime.spawn(async move {
            let takes = (Footprint::default(), Duration::ZERO);
            line.run(&job, Class::Interactive, takes, &Cancel::new())
                .await
        })
    };
    let sent: Vec<_> = jobs.iter().map(|job| run(&line, job)).collect();
    while line.backlog().1 < 10 {
        thread::sleep(Duration::from_millis(1));
    }
    first.fail_with(Some(Fault::Lost));
    for sent in sent {
        let outcome = runtime.block_on(sent).expect("no panic");
        assert_eq!(outcome, Err(Fault::Lost));
    }
    watched.opened(3);
    watched.until(State::Up);
    let line = watched.supervisor.line().expect("up again");
    let made = runtime.block_on(run(&line, &jobs[3])).expect("no panic");
    let right = reference(&jobs[3].source, &jobs[3].passes).expect("a picture");
    assert_eq!(made, Ok(Output::Pixels(right)));
}

#[test]
fn three_losses_turn_it_off() {
    let watched = supervised(|_| {
        let fake = Fake::new();
        Ok(fake.opened())
    });
    for count in 1..=3 {
        watched.opened(count);
        watched.until(State::Up);
        let line = watched.supervisor.line().expect("up");
        line.fail(Fault::Lost);
        while watched.supervisor.line().is_some() && watched.opened.load(Ordering::SeqCst) == count
        {
            thread::sleep(Duration::from_millis(1));
        }
    }
    watched.until(State::Off);
    thread::sleep(QUICK.longest * 3);
    assert_eq!(watched.opened.load(Ordering::SeqCst), 3);
}

#[test]
fn what_is_not_trusted_is_not_opened_again() {
    let watched = supervised(|_| Ok(Fake::new().opened()));
    assert_eq!(watched.supervisor.settled(), State::Up);
    watched.supervisor.distrust("wrong bytes");
    assert_eq!(watched.state(), State::Off);
    assert!(watched.supervisor.line().is_none());
    thread::sleep(QUICK.longest * 3);
    assert_eq!(watched.opened.load(Ordering::SeqCst), 1);
    assert_eq!(watched.supervisor.now().1, "wrong bytes");
}

#[test]
fn its_thread_ends_with_the_last_who_wants_a_device() {
    let fake = Fake::new();
    let given = Arc::new(fake);
    let held = Arc::downgrade(&given);
    let watched = supervised(move |_| Ok(given.opened()));
    assert_eq!(watched.supervisor.settled(), State::Up);
    drop(watched);
    let end = Instant::now() + Duration::from_secs(20);
    while held.strong_count() > 0 {
        assert!(Instant::now() < end, "the thread goes on");
        thread::sleep(Duration::from_millis(1));
    }
}
