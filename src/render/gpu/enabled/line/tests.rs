//! Batches form, faults reach everybody, and nothing is heard of those who left.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::super::fake::Fake;
use super::super::pictures::{picture, reference};
use super::*;
use crate::plan::Pass;
use crate::raster::{Channels, Raster};
use crate::render::Target;
use crate::render::gpu::GpuMode;

fn line(fake: &Fake) -> Line {
    patient(fake, Duration::from_mins(2))
}

fn patient(fake: &Fake, patience: Duration) -> Line {
    let bounds = Bounds {
        jobs: 64,
        bytes: 1 << 30,
        batch: fake.capacity(),
        flights: 3,
        window: Duration::from_millis(1),
    };
    let cost = Arc::new(Cost::new(GpuMode::On, 0.0));
    Line::new(Arc::new(fake.clone()), bounds, patience, cost).expect("threads")
}

fn job(seed: u32) -> Arc<Job> {
    Arc::new(Job::new(
        picture(9, 7, Channels::Rgb, seed).expect("a picture"),
        vec![Pass::Gray],
        Target::Rows,
    ))
}

fn right(job: &Job) -> Raster {
    reference(&job.source, &job.passes).expect("a picture")
}

fn send(line: &Line, job: &Arc<Job>, cancel: &Cancel) -> JoinHandle<Outcome> {
    let (line, job, cancel) = (line.clone(), Arc::clone(job), cancel.clone());
    tokio::spawn(async move {
        let takes = (Footprint::default(), Duration::from_micros(20));
        line.run(&job, Class::Interactive, takes, &cancel).await
    })
}

/// Waits for something that another thread will do.
async fn until(what: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_mins(2);
    while !what() {
        assert!(Instant::now() < end, "it does not happen");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// `count` jobs, of which some fly and the others wait behind them.
async fn held(line: &Line, fake: &Fake, count: u32) -> Vec<JoinHandle<Outcome>> {
    fake.hold(true);
    let mut sent = Vec::new();
    for seed in 0..count {
        sent.push(send(line, &job(seed), &Cancel::new()));
        // The first three fly one by one.
        let flying = seed.min(2) as usize + 1;
        until(|| fake.batches().len() >= flying).await;
    }
    until(|| line.backlog().1 == count as usize).await;
    sent
}

#[tokio::test]
async fn each_job_gets_its_own_result() {
    let fake = Fake::new();
    let line = line(&fake);
    let jobs: Vec<_> = (0..40).map(job).collect();
    let sent: Vec<_> = (jobs.iter())
        .map(|job| send(&line, job, &Cancel::new()))
        .collect();
    for (job, sent) in jobs.iter().zip(sent) {
        let output = sent.await.expect("no panic").expect("no fault");
        assert_eq!(output, Output::Pixels(right(job)));
    }
    assert_eq!(line.backlog().1, 0);
    line.fail(Fault::Away);
}

#[tokio::test]
async fn what_waits_behind_a_busy_device_leaves_together() {
    let fake = Fake::new();
    let line = line(&fake);
    let sent = held(&line, &fake, 30).await;
    fake.hold(false);
    for sent in sent {
        assert!(sent.await.expect("no panic").is_ok());
    }
    assert_eq!(fake.batches(), [1, 1, 1, 27]);
    line.fail(Fault::Away);
}

#[tokio::test]
async fn a_lost_device_fails_all_that_fly_and_wait() {
    for fault in [Fault::Lost, Fault::Hung] {
        let fake = Fake::new();
        let line = line(&fake);
        let sent = held(&line, &fake, 12).await;
        fake.fail_with(Some(fault));
        for sent in sent {
            assert_eq!(sent.await.expect("no panic"), Err(fault));
        }
        let late = send(&line, &job(99), &Cancel::new());
        assert_eq!(late.await.expect("no panic"), Err(Fault::Away));
        assert_eq!(line.watch(Duration::from_secs(9)), fault);
    }
}

#[tokio::test]
async fn memory_that_is_used_up_fails_a_batch_and_not_the_line() {
    let fake = Fake::new();
    let line = line(&fake);
    fake.fail_with(Some(Fault::OutOfMemory));
    let failed = send(&line, &job(1), &Cancel::new())
        .await
        .expect("no panic");
    assert_eq!(failed, Err(Fault::OutOfMemory));
    fake.fail_with(None);
    let made = send(&line, &job(1), &Cancel::new())
        .await
        .expect("no panic");
    assert!(made.is_ok());
    line.fail(Fault::Away);
}

#[tokio::test]
async fn a_driver_that_does_not_return_is_noticed_and_not_heard_later() {
    let fake = Fake::new();
    let line = patient(&fake, Duration::from_millis(300));
    fake.stick(true);
    let sent: Vec<_> = (0..8)
        .map(|n| send(&line, &job(n), &Cancel::new()))
        .collect();
    until(|| line.backlog().1 == 8).await;
    // Looking sooner than anybody's patience ends changes nothing; then it is over.
    let watcher = line.clone();
    let watch = move || watcher.watch(Duration::from_millis(50));
    let fault = tokio::task::spawn_blocking(watch).await.expect("no panic");
    assert_eq!(fault, Fault::Hung);
    for sent in sent {
        assert_eq!(sent.await.expect("no panic"), Err(Fault::Hung));
    }
    fake.stick(false);
    until(|| !fake.batches().is_empty()).await;
    assert_eq!(line.backlog().1, 0, "what comes late is nobody's");
}

#[tokio::test]
async fn a_job_that_is_withdrawn_while_it_waits_is_not_run() {
    let fake = Fake::new();
    let line = line(&fake);
    let sent = held(&line, &fake, 3).await;
    let token = Cancel::new();
    let cancelled = send(&line, &job(50), &token);
    let dropped = send(&line, &job(51), &Cancel::new());
    until(|| line.backlog().1 == 5).await;
    token.cancel();
    dropped.abort();
    assert!(dropped.await.expect_err("it was dropped").is_cancelled());
    fake.hold(false);
    assert_eq!(cancelled.await.expect("no panic"), Err(Fault::Cancelled));
    for sent in sent {
        assert!(sent.await.expect("no panic").is_ok());
    }
    assert_eq!(fake.jobs_seen(), 3);
    line.fail(Fault::Away);
}

#[tokio::test]
async fn a_job_that_is_withdrawn_in_flight_costs_the_others_nothing() {
    let fake = Fake::new();
    let line = line(&fake);
    let mut sent = held(&line, &fake, 8).await;
    let first = sent.remove(0);
    first.abort();
    assert!(first.await.is_err());
    fake.hold(false);
    for sent in sent {
        assert!(sent.await.expect("no panic").is_ok());
    }
    line.fail(Fault::Away);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let fake = Fake::new();
    let line = line(&fake);
    let sent = held(&line, &fake, 67).await;
    let refused = send(&line, &job(99), &Cancel::new())
        .await
        .expect("no panic");
    assert_eq!(refused, Err(Fault::Full));
    fake.hold(false);
    for sent in sent {
        assert!(sent.await.expect("no panic").is_ok());
    }
    line.fail(Fault::Away);
}

#[tokio::test]
async fn a_deadline_that_has_passed_ends_the_wait() {
    let fake = Fake::new();
    let line = line(&fake);
    let sent = held(&line, &fake, 3).await;
    let soon = Cancel::with_deadline(Instant::now() + Duration::from_millis(30));
    let late = send(&line, &job(50), &soon);
    tokio::time::sleep(Duration::from_millis(60)).await;
    fake.hold(false);
    assert_eq!(late.await.expect("no panic"), Err(Fault::Cancelled));
    for sent in sent {
        assert!(sent.await.expect("no panic").is_ok());
    }
    line.fail(Fault::Away);
}
