//! The rules of batching, one by one and in simulations with a clock of their own.

use super::*;

const MS: Duration = Duration::from_millis(1);
const US: Duration = Duration::from_micros(1);

fn bounds(window: Duration) -> Bounds {
    Bounds {
        jobs: 1000,
        bytes: 1 << 30,
        batch: Capacity {
            up_bytes: 64 << 20,
            device_bytes: 256 << 20,
            down_bytes: 64 << 20,
            jobs: 256,
        },
        flights: 3,
        window,
    }
}

fn job(ticket: u32, class: Class, since: Instant, takes: Duration) -> Waiting<u32> {
    Waiting {
        ticket,
        class,
        since,
        deadline: None,
        takes,
        footprint: Footprint {
            up_bytes: 1 << 16,
            device_bytes: 1 << 17,
            down_bytes: 1 << 14,
            ..Footprint::default()
        },
    }
}

fn tile(ticket: u32, since: Instant) -> Waiting<u32> {
    job(ticket, Class::Interactive, since, 20 * US)
}

fn filled(count: u32, since: Instant) -> Queue<u32> {
    let mut queue = Queue::new(bounds(MS));
    for ticket in 0..count {
        queue.push(tile(ticket, since)).expect("room");
    }
    queue
}

fn tickets(batch: &Batch<u32>) -> Vec<u32> {
    batch.jobs.iter().map(|waiting| waiting.ticket).collect()
}

#[test]
fn a_job_before_an_idle_device_leaves_at_once() {
    let now = Instant::now();
    let mut queue = filled(1, now);
    assert_eq!(queue.due(now, 0), Due::Now);
    assert_eq!(queue.due(now, 1), Due::Now, "one under way is not busy");
    assert_eq!(tickets(&queue.take(now, |_| true)), [0]);
    assert_eq!(queue.due(now, 0), Due::Later);
}

#[test]
fn while_the_device_is_busy_a_batch_stays_open_for_the_window() {
    let now = Instant::now();
    let queue = filled(3, now);
    let end = now + queue.window();
    assert_eq!(queue.due(now, 2), Due::At(end));
    assert_eq!(queue.due(end, 2), Due::Now);
    assert_eq!(queue.due(end, 3), Due::Later, "all flights are under way");
}

#[test]
fn a_batch_that_is_worth_it_does_not_wait() {
    let now = Instant::now();
    assert_eq!(filled(100, now).due(now, 2), Due::Now);
    assert!(matches!(filled(99, now).due(now, 2), Due::At(_)));
    let mut mixed = filled(99, now);
    mixed.push(job(99, Class::Bulk, now, MS)).expect("room");
    assert!(matches!(mixed.due(now, 2), Due::At(_)), "bulk waits longer");
    mixed
        .push(job(100, Class::Bulk, now, 4 * MS))
        .expect("room");
    assert_eq!(mixed.due(now, 2), Due::Now);
    let mut large = filled(1, now);
    let mut whole = tile(1, now);
    whole.footprint.up_bytes = 64 << 20;
    large.push(whole).expect("room");
    assert_eq!(large.due(now, 2), Due::Now, "the bytes are full");
}

#[test]
fn a_deadline_that_comes_near_ends_the_window() {
    let now = Instant::now();
    let mut queue = filled(1, now);
    let mut hurried = tile(1, now);
    hurried.deadline = Some(now + 100 * US);
    queue.push(hurried).expect("room");
    // A fifth of the time is kept in reserve, and what the job takes.
    assert_eq!(queue.due(now, 2), Due::At(now + 60 * US));
    assert_eq!(queue.due(now + 60 * US, 2), Due::Now);
}

#[test]
fn a_batch_ends_where_the_device_or_the_next_batch_says() {
    let now = Instant::now();
    let mut queue = filled(1000, now);
    assert_eq!(
        queue.take(now, |_| true).jobs.len(),
        250,
        "five milliseconds"
    );
    let mut narrow = Queue::new(Bounds {
        batch: Capacity {
            jobs: 7,
            ..bounds(MS).batch
        },
        ..bounds(MS)
    });
    let mut small = Queue::new(Bounds {
        batch: Capacity {
            down_bytes: 5 << 14,
            ..bounds(MS).batch
        },
        ..bounds(MS)
    });
    for ticket in 0..50 {
        narrow.push(tile(ticket, now)).expect("room");
        small.push(tile(ticket, now)).expect("room");
    }
    assert_eq!(narrow.take(now, |_| true).jobs.len(), 7);
    assert_eq!(small.take(now, |_| true).jobs.len(), 5);
}

#[test]
fn a_slow_device_is_not_fed_one_by_one() {
    let now = Instant::now();
    let mut queue = Queue::new(bounds(MS));
    for ticket in 0..64 {
        let slow = job(ticket, Class::Interactive, now, 16 * MS);
        queue.push(slow).expect("room");
    }
    let batch = queue.take(now, |_| true);
    assert_eq!(batch.jobs.len(), 15, "a quarter of a second");
    let mut queue = Queue::new(bounds(MS));
    let huge = job(0, Class::Interactive, now, 900 * MS);
    queue.push(huge).expect("room");
    assert_eq!(
        queue.take(now, |_| true).jobs.len(),
        1,
        "alone, but it goes"
    );
}

#[test]
fn bulk_takes_half_of_a_batch_at_most_and_is_not_forgotten() {
    let now = Instant::now();
    let mut queue = filled(900, now);
    for ticket in 1000..1040 {
        let bulk = job(ticket, Class::Bulk, now, 40 * MS);
        queue.push(bulk).expect("room");
    }
    let batch = queue.take(now, |_| true);
    assert!(tickets(&batch).iter().all(|ticket| *ticket < 1000));
    let late = now + BULK_PATIENCE;
    let batch = queue.take(late, |_| true);
    assert_eq!(tickets(&batch)[0], 1000, "the oldest of its class");
    let others = tickets(&batch).len() - 1;
    assert!((1..=31).contains(&others), "{others} tiles go with it");
}

#[test]
fn bulk_alone_fills_a_batch_of_its_own() {
    let now = Instant::now();
    let mut queue = Queue::new(bounds(MS));
    for ticket in 0..100 {
        let bulk = job(ticket, Class::Bulk, now, MS);
        queue.push(bulk).expect("room");
    }
    assert_eq!(queue.take(now, |_| true).jobs.len(), 50);
}

#[test]
fn what_nobody_waits_for_takes_no_room_in_a_batch() {
    let now = Instant::now();
    let mut queue = filled(10, now);
    let batch = queue.take(now, |waiting| waiting.ticket % 2 == 0);
    assert_eq!(tickets(&batch), [0, 2, 4, 6, 8]);
    assert_eq!(batch.unwanted.len(), 5);
    assert_eq!((queue.len(), queue.takes()), (0, Duration::ZERO));
}

#[test]
fn the_queue_is_bounded_in_jobs_and_bytes() {
    let now = Instant::now();
    let mut queue = filled(1000, now);
    assert_eq!(queue.push(tile(1000, now)).expect_err("full").ticket, 1000);
    let mut queue = Queue::new(Bounds {
        bytes: 100 << 10,
        ..bounds(MS)
    });
    queue.push(tile(0, now)).expect("room");
    assert!(queue.push(tile(1, now)).is_err(), "160 KiB");
    queue.take(now, |_| true);
    assert!(queue.push(tile(2, now)).is_ok(), "room was given back");
    let mut huge = tile(3, now);
    huge.footprint.up_bytes = 1 << 30;
    queue.take(now, |_| true);
    assert!(queue.push(huge).is_ok(), "alone whatever fits a device");
}

#[test]
fn what_is_left_when_the_device_goes_is_given_back() {
    let now = Instant::now();
    let mut queue = filled(5, now);
    queue.push(job(5, Class::Bulk, now, MS)).expect("room");
    assert_eq!(queue.drain().len(), 6);
    assert_eq!((queue.len(), queue.due(now, 0)), (0, Due::Later));
}

/// A device in the time of a simulation: a batch takes a fixed time and one for each job, one batch
/// after another.
struct Simulation {
    queue: Queue<u32>,
    now: Instant,
    /// When the batches under way land.
    flights: VecDeque<Instant>,
    submission: Duration,
    each: Duration,
    batches: Vec<usize>,
    /// How long each job waited for its batch, while a flight was free, by class.
    waits: Vec<(Class, Duration)>,
}

impl Simulation {
    fn new(window: Duration, submission: Duration, each: Duration) -> Self {
        Self {
            queue: Queue::new(bounds(window)),
            now: Instant::now(),
            flights: VecDeque::new(),
            submission,
            each,
            batches: Vec::new(),
            waits: Vec::new(),
        }
    }

    fn submit(&mut self) {
        let batch = self.queue.take(self.now, |_| true);
        let free = self
            .flights
            .back()
            .map_or(self.now, |at| *at.max(&self.now));
        let jobs = u32::try_from(batch.jobs.len()).expect("few");
        self.flights
            .push_back(free + self.submission + self.each * jobs);
        self.batches.push(batch.jobs.len());
        for job in &batch.jobs {
            self.waits.push((job.class, self.now - job.since));
        }
    }

    /// Runs until `end`, where nobody comes.
    fn run_to(&mut self, end: Instant) {
        loop {
            let due = self.queue.due(self.now, self.flights.len());
            if due == Due::Now {
                self.submit();
                continue;
            }
            let closes = match due {
                Due::At(then) => Some(then),
                Due::Now | Due::Later => None,
            };
            let lands = self.flights.front().copied();
            let next = closes.into_iter().chain(lands).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            self.now = next;
            while self.flights.front().is_some_and(|at| *at <= next) {
                self.flights.pop_front();
            }
        }
    }

    /// `count` jobs of `class`, one every `pause`.
    fn load(&mut self, count: u32, pause: Duration, class: Class) {
        for ticket in 0..count {
            let takes = self.each;
            let waiting = job(ticket, class, self.now, takes);
            self.queue.push(waiting).expect("room");
            self.run_to(self.now + pause);
        }
    }

    fn mean_batch(&self) -> f64 {
        let jobs: usize = self.batches.iter().sum();
        jobs as f64 / self.batches.len() as f64
    }

    /// The wait that one job in a hundred exceeds.
    fn long_wait(&self) -> Duration {
        let mut waits: Vec<_> = self.waits.iter().map(|(_, wait)| *wait).collect();
        waits.sort_unstable();
        waits[(waits.len() * 99).div_ceil(100) - 1]
    }
}

#[test]
fn a_single_client_never_waits() {
    let mut simulation = Simulation::new(MS, 100 * US, 20 * US);
    simulation.load(500, 500 * US, Class::Interactive);
    assert_eq!(simulation.waits.len(), 500);
    assert_eq!(simulation.long_wait(), Duration::ZERO);
    assert!((simulation.mean_batch() - 1.0).abs() < 1e-9);
}

#[test]
fn batches_grow_with_the_load() {
    let mut before = 0.0;
    for pause in [400, 100, 25, 8] {
        let mut simulation = Simulation::new(MS, 200 * US, 5 * US);
        simulation.load(4000, pause * US, Class::Interactive);
        let mean = simulation.mean_batch();
        assert!(mean > 1.5 * before, "{mean} jobs at {pause} µs");
        before = mean;
    }
    assert!(before > 16.0, "{before}");
}

#[test]
fn a_device_that_keeps_up_lets_nobody_wait_longer_than_the_window() {
    for window in [0, 200, 500, 1000] {
        let mut simulation = Simulation::new(window * US, 300 * US, 5 * US);
        simulation.load(5000, 120 * US, Class::Interactive);
        // One submission may be under way when a job comes, and all flights may be.
        let most = window.max(200) * US + 620 * US;
        let wait = simulation.long_wait();
        assert!(wait <= most, "{wait:?} with a window of {window} µs");
    }
}

#[test]
fn neither_class_starves_the_other() {
    let mut simulation = Simulation::new(MS, 100 * US, 50 * US);
    for round in 0..3000 {
        let class = if round % 3 == 0 {
            Class::Bulk
        } else {
            Class::Interactive
        };
        simulation.load(1, 52 * US, class);
    }
    let end = simulation.now + 100 * MS;
    simulation.run_to(end);
    assert_eq!(simulation.waits.len(), 3000, "everything left");
    for class in [Class::Interactive, Class::Bulk] {
        let waits = simulation.waits.iter().filter(|(it, _)| *it == class);
        let longest = waits.map(|(_, wait)| *wait).max().expect("some");
        assert!(longest < 60 * MS, "{class:?} waited {longest:?}");
    }
}
