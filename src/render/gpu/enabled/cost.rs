//! What a job costs on either side, and which side it goes to: constants that are measured when the
//! device is opened and corrected by what happens later.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::super::labour::Labour;
use super::super::report::{Load, Weight};
use super::super::{Footprint, GpuMode};

/// Seconds for one unit of each kind of work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rates {
    /// One submission, however little is in it.
    pub(super) submission: f64,
    /// One job, however small.
    pub(super) job: f64,
    /// A byte to the device.
    pub(super) up: f64,
    /// A byte from the device.
    pub(super) down: f64,
    /// A product of a weight and a sample.
    pub(super) mac: f64,
    /// A sample that is moved.
    pub(super) moved: f64,
    /// A pixel that is turned by any angle.
    pub(super) rotated: f64,
    /// A pixel that is encoded.
    pub(super) encoded: f64,
}

/// The CPU before it is measured: published and measured figures of one core.
pub(super) const CPU: Rates = Rates {
    submission: 0.0,
    job: 5e-6,
    up: 0.0,
    down: 0.0,
    mac: 5e-11,
    moved: 3e-10,
    rotated: 8e-9,
    encoded: 3e-9,
};

/// A device before it is measured: a small discrete one.
pub(super) const DEVICE: Rates = Rates {
    submission: 1e-4,
    job: 7e-6,
    up: 1.5e-10,
    down: 1.5e-10,
    mac: 3e-12,
    moved: 1e-11,
    rotated: 1e-10,
    encoded: 1e-10,
};

/// What the host's core does for a job on the device: copies, and planning.
const HOST_BYTE: f64 = 1e-10;
const HOST_JOB: f64 = 1e-5;

/// The other side has to be better by this share.
const HYSTERESIS: f64 = 0.15;
/// Processors are busy from here on …
const BUSY: f64 = 0.85;
/// … until here.
const NOT_BUSY: f64 = 0.6;
/// Of the time of all jobs, so much goes into trying the side that is thought worse.
const PROBING: f64 = 0.01;
/// Results with fewer pixels never go to the device.
const LEAST_PX: f64 = 64.0 * 64.0;
/// One more observation counts so much.
const NEWS: f64 = 0.1;
/// One more in a correction: beside other work times differ by a factor of two, and no side is left for that.
const CORRECTION: f64 = 0.05;
/// A correction by more than this factor is not believed.
const MOST_CORRECTION: f64 = 256.0;

impl Rates {
    pub(super) fn work(&self, labour: &Labour) -> f64 {
        self.mac * labour.macs
            + self.moved * labour.moved
            + self.rotated * labour.rotated
            + self.encoded * labour.encoded
    }

    /// One job among others in a submission.
    pub(super) fn share(&self, labour: &Labour, footprint: &Footprint) -> f64 {
        self.job
            + self.up * footprint.up_bytes as f64
            + self.down * footprint.down_bytes as f64
            + self.work(labour)
    }
}

/// What both sides would take, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Weighed {
    /// On the CPU, waiting for it included.
    pub(super) cpu: f64,
    /// By way of the device, waiting for it included.
    pub(super) gpu: f64,
    cpu_core: f64,
    gpu_core: f64,
}

/// The surroundings in which it is weighed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scene {
    /// Of the processors.
    pub(super) load: Load,
    /// Until the device is free.
    pub(super) backlog: Duration,
    /// Jobs that wait for the device or are on it.
    pub(super) on_device: usize,
}

/// Side and reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Whether the device takes the job.
    pub(super) device: bool,
    /// Why, in one word.
    pub(super) reason: &'static str,
}

/// A result so small that the device is never asked.
pub(super) const SMALL: Verdict = Verdict {
    device: false,
    reason: "small",
};

/// The model.
#[derive(Debug)]
pub(super) struct Cost(Mutex<Model>);

#[derive(Debug, Clone)]
struct Model {
    mode: GpuMode,
    rehearsal: f64,
    device: Rates,
    cpu: Rates,
    /// Actual over expected times.
    device_correction: f64,
    cpu_correction: f64,
    /// Jobs of a batch.
    batch: f64,
    /// The smoothed share of the processors that jobs take, or would without the device.
    busy: f64,
    /// By kind and size of the work: whether it goes to the device.
    sides: Sides,
    /// Time that may be spent on trying.
    probing: f64,
}

type Sides = [bool; 128];

impl Cost {
    /// A model with the constants of machines in general.
    pub(super) fn new(mode: GpuMode, rehearsal: f64) -> Self {
        Self(Mutex::new(Model {
            mode,
            rehearsal,
            device: DEVICE,
            cpu: CPU,
            device_correction: 1.0,
            cpu_correction: 1.0,
            batch: 1.0,
            busy: 0.0,
            sides: [false; 128],
            probing: 0.0,
        }))
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another mode, and other factors for tests.
    pub(super) fn set(&self, mode: GpuMode, rehearsal: f64) {
        let mut model = self.model();
        (model.mode, model.rehearsal) = (mode, rehearsal);
    }

    /// What was measured of a device that has just been opened.
    pub(super) fn measured(&self, device: Rates, cpu: Rates) {
        let mut model = self.model();
        (model.device, model.cpu) = (device, cpu);
        (model.device_correction, model.cpu_correction) = (1.0, 1.0);
    }

    /// The constants in force, of the device and of the CPU.
    #[cfg(test)]
    pub(super) fn constants(&self) -> (Rates, Rates) {
        let model = self.model();
        (model.device, model.cpu)
    }

    /// The same by name, in nanoseconds, corrections as factors.
    pub(super) fn table(&self) -> Vec<(&'static str, f64)> {
        let model = self.model();
        let (device, cpu) = (model.device, model.cpu);
        vec![
            ("device_submission_ns", device.submission * 1e9),
            ("device_job_ns", device.job * 1e9),
            ("device_byte_up_ns", device.up * 1e9),
            ("device_byte_down_ns", device.down * 1e9),
            ("device_resample_weight_ns", device.mac * 1e9),
            ("device_moved_sample_ns", device.moved * 1e9),
            ("device_rotated_pixel_ns", device.rotated * 1e9),
            ("device_encoded_pixel_ns", device.encoded * 1e9),
            ("device_correction", model.device_correction),
            ("cpu_resample_weight_ns", cpu.mac * 1e9),
            ("cpu_moved_sample_ns", cpu.moved * 1e9),
            ("cpu_rotated_pixel_ns", cpu.rotated * 1e9),
            ("cpu_encoded_pixel_ns", cpu.encoded * 1e9),
            ("cpu_correction", model.cpu_correction),
            ("mean_batch", model.batch),
        ]
    }

    /// Expected time of a job in its batch on the device.
    pub(super) fn takes(&self, item: &Weight) -> Duration {
        let model = self.model();
        let share = model.device.share(&item.labour, &item.footprint);
        seconds(share * model.device_correction)
    }

    /// A batch that was expected to take `expected` took `took`.
    pub(super) fn flown(&self, expected: Duration, took: Duration, jobs: usize) {
        let mut model = self.model();
        let expected = expected.as_secs_f64() + model.device.submission * model.device_correction;
        let ratio = took.as_secs_f64() / expected.max(1e-9);
        model.device_correction = corrected(model.device_correction, ratio);
        model.batch += (jobs as f64 - model.batch) * NEWS;
    }

    /// The CPU took `took` for passes and encoding.
    pub(super) fn done_on_cpu(&self, labour: &Labour, took: Duration) {
        let mut model = self.model();
        let expected = model.cpu_core(labour);
        let ratio = took.as_secs_f64() / expected.max(1e-9);
        model.cpu_correction = corrected(model.cpu_correction, ratio);
    }

    /// What both sides would take now.
    pub(super) fn weigh(&self, item: &Weight, scene: &Scene) -> Weighed {
        self.model().weigh(item, scene)
    }

    /// Where a job would go; nothing changes by it.
    pub(super) fn foresee(&self, item: &Weight, scene: &Scene) -> (Verdict, Weighed) {
        let model = self.model();
        let weighed = model.weigh(item, scene);
        (model.verdict(item, &weighed), weighed)
    }

    /// Where a job goes.
    pub(super) fn choose(&self, item: &Weight, scene: &Scene) -> (Verdict, Weighed) {
        let mut model = self.model();
        model.observe(scene);
        let weighed = model.weigh(item, scene);
        let verdict = model.verdict(item, &weighed);
        if model.mode == GpuMode::On || item.labour.result < LEAST_PX {
            return (verdict, weighed);
        }
        model.sides[bucket(&item.labour)] = verdict.device;
        (model.probe(verdict, &weighed), weighed)
    }
}

impl Model {
    fn cpu_core(&self, labour: &Labour) -> f64 {
        (self.cpu.job + self.cpu.work(labour)) * self.cpu_correction
    }

    fn weigh(&self, item: &Weight, scene: &Scene) -> Weighed {
        let cpu_core = self.cpu_core(&item.labour);
        let threads = scene.load.threads.max(1) as f64;
        let queue = 1.0 + scene.load.waiting as f64 / threads;
        let bytes = (item.footprint.up_bytes + item.footprint.down_bytes) as f64;
        let gpu_core = HOST_JOB + HOST_BYTE * bytes;
        let share = self.device.share(&item.labour, &item.footprint);
        // Bands are jobs that come one after another.
        let more = f64::from(item.bands.max(1)) - 1.0;
        let submission = self.device.submission / self.batch.max(1.0);
        let device = submission + share + more * (submission + self.device.job);
        let factor = if self.rehearsal > 0.0 {
            self.rehearsal
        } else {
            1.0
        };
        let device = device * self.device_correction + scene.backlog.as_secs_f64();
        Weighed {
            cpu: cpu_core * queue,
            gpu: device * factor + gpu_core,
            cpu_core,
            gpu_core,
        }
    }

    /// Jobs on the device count as if processors ran them, so that taking them away does not make the
    /// processors look idle.
    fn observe(&mut self, scene: &Scene) {
        let jobs = scene.load.running + scene.load.waiting + scene.on_device;
        let share = (jobs as f64 / scene.load.threads.max(1) as f64).min(2.0);
        self.busy += (share - self.busy) / 32.0;
    }

    fn verdict(&self, item: &Weight, weighed: &Weighed) -> Verdict {
        let to = |device, reason| Verdict { device, reason };
        if self.mode == GpuMode::On {
            return to(true, "on");
        }
        if item.labour.result < LEAST_PX {
            return SMALL;
        }
        let there = self.sides[bucket(&item.labour)];
        let busy = self.busy > if there { NOT_BUSY } else { BUSY };
        let gpu_wins = weighed.gpu < weighed.cpu * (1.0 - HYSTERESIS);
        let cpu_wins = weighed.cpu < weighed.gpu * (1.0 - HYSTERESIS);
        // A device that is far slower relieves nobody.
        let relieves = weighed.gpu_core < 0.5 * weighed.cpu_core && weighed.gpu < 4.0 * weighed.cpu;
        match () {
            () if gpu_wins => to(true, "faster"),
            () if busy && relieves => to(true, "relieves"),
            () if cpu_wins => to(false, "slower"),
            () => to(there, "alike"),
        }
    }

    /// Now and then a job goes to the side that is thought worse, so that the model can be wrong.
    fn probe(&mut self, verdict: Verdict, weighed: &Weighed) -> Verdict {
        let (here, there) = if verdict.device {
            (weighed.gpu, weighed.cpu)
        } else {
            (weighed.cpu, weighed.gpu)
        };
        self.probing = (self.probing + here * PROBING).min(1.0);
        if self.probing < there {
            return verdict;
        }
        self.probing -= there;
        Verdict {
            device: !verdict.device,
            reason: "probe",
        }
    }
}

/// Work of one kind whose size differs by less than a factor of two shares a bucket.
fn bucket(labour: &Labour) -> usize {
    let kind = usize::from(labour.rotated > 0.0) + 2 * usize::from(labour.encoded > 0.0);
    let size = [labour.macs, labour.moved, labour.rotated, labour.encoded];
    let size = size.into_iter().fold(1.0, f64::max).log2();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the logarithm of a number from 1 on, cut at 31"
    )]
    let size = size.min(31.0) as usize;
    kind * 32 + size
}

fn corrected(before: f64, ratio: f64) -> f64 {
    // Expected times hold the correction already. One delay does not move the crossover: it takes two.
    let now = before * (1.0 + CORRECTION * (ratio.clamp(0.5, 2.0) - 1.0));
    now.clamp(1.0 / MOST_CORRECTION, MOST_CORRECTION)
}

/// A time that was computed.
pub(super) fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests;
