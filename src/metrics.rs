//! Every metric of the program in one table: name, kind, labels, help.
//!
//! Rooms count through the families below ([`LADDER`], [`QUEUE_WAIT`], …): a family keeps its handles,
//! so that counting costs a short look-up and no allocation. Label values come from closed sets; no
//! identifier, path or address is ever one. The documentation's table is made from [`TABLE`].

use std::fmt;
use std::sync::{OnceLock, RwLock};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// What a metric does over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution, in seconds or in a count.
    Histogram,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The whole name, prefix and unit included.
    pub name: &'static str,
    /// What it does over time.
    pub kind: Kind,
    /// Its labels, in the order in which families take their values.
    pub labels: &'static [&'static str],
    /// One sentence for the scraper and the documentation.
    pub help: &'static str,
}

macro_rules! table {
    ($($family:ident: $kind:ident<$count:literal> $name:literal [$($label:literal),*] $help:literal;)*) => {
        /// Every metric, in the order of the documentation.
        pub const TABLE: &[Metric] = &[
            $(Metric { name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help }),*
        ];
        $(
            #[doc = $help]
            pub static $family: Family<$kind, $count> = Family::new($name, &[$($label),*]);
        )*
    };
}

table! {
    REQUESTS: Counter<3> "triforium_http_requests_total" ["api", "kind", "status"] "HTTP requests answered.";
    REQUEST_DURATION: Histogram<2> "triforium_http_request_duration_seconds" ["api", "kind"] "Time from a request's head to the end of its answer's head.";
    CONNECTIONS: Gauge<0> "triforium_http_connections" [] "Open public connections.";
    ABORTED: Counter<0> "triforium_http_aborted_total" [] "Answers that failed after their first byte.";
    LADDER: Counter<1> "triforium_ladder_total" ["rung"] "Image requests by the rung of the ladder that answered them.";
    STAGE_DURATION: Histogram<1> "triforium_stage_duration_seconds" ["stage"] "Time spent in one stage of a request.";
    QUEUE_DEPTH: Gauge<1> "triforium_queue_depth" ["lane"] "Requests that wait for admission.";
    QUEUE_WAIT: Histogram<1> "triforium_queue_wait_seconds" ["lane"] "Time that admitted requests waited.";
    SHED: Counter<2> "triforium_shed_total" ["lane", "reason"] "Requests refused by admission.";
    DECODE_RESERVED: Gauge<0> "triforium_decode_reserved_bytes" [] "Bytes reserved for decoded pixels.";
    CACHE_REQUESTS: Counter<2> "triforium_cache_requests_total" ["tier", "result"] "Look-ups in a cache.";
    CACHE_BYTES: Gauge<1> "triforium_cache_bytes" ["tier"] "Bytes held by a cache.";
    CACHE_EVICTIONS: Counter<1> "triforium_cache_evictions_total" ["tier"] "Entries that left a cache for want of room.";
    LEVEL_BUILDS: Counter<1> "triforium_level_builds_total" ["result"] "Builds of masters' levels in the background.";
    LEVEL_BUILD_DURATION: Histogram<0> "triforium_level_build_seconds" [] "Time that a build of a master's levels took, waiting for its rate included.";
    LEVEL_BUILD_CPU: Histogram<0> "triforium_level_build_cpu_seconds" [] "Processor time that a build of a master's levels took.";
    COALESCED: Counter<0> "triforium_coalesced_requests_total" [] "Requests that shared the render of an equal one.";
    SOURCE_READS: Counter<2> "triforium_source_reads_total" ["source", "result"] "Reads of masters.";
    ENCODER_BUSY: Gauge<0> "triforium_encoder_busy" [] "Encoder threads at work.";
    ENCODER_QUEUE_DEPTH: Gauge<0> "triforium_encoder_queue_depth" [] "Pictures that wait for an encoder thread.";
    LOST_THREADS: Gauge<1> "triforium_lost_threads" ["stage"] "Threads that did not come back by their deadline.";
    GPU_STATE: Gauge<0> "triforium_gpu_state" [] "0: no device is used, 1: one is being opened, 2: it is used, 3: it was lost and will be opened again.";
    GPU_BATCHES: Counter<0> "triforium_gpu_batches_total" [] "Submissions to the device.";
    GPU_BATCH_SIZE: Histogram<0> "triforium_gpu_batch_size" [] "Requests in a submission.";
    GPU_JOBS: Counter<1> "triforium_gpu_jobs_total" ["kind"] "Requests whose answer was made on the device.";
    GPU_FALLBACK: Counter<1> "triforium_gpu_fallback_total" ["reason"] "Requests that were sent to the device and made on the CPU after all.";
    GPU_STAGE: Histogram<1> "triforium_gpu_stage_seconds" ["stage"] "Time on the way through the device: wait (a request in its batch), submit, device (a submission); of one submission in 16, by the device's clock: upload, gather, shrink, vertical, horizontal, rotate, fdct, huffman, readback.";
    GPU_REFETCHES: Counter<0> "triforium_gpu_refetches_total" [] "Submissions whose files were longer than was likely, so that the rest of them was fetched apart.";
    GPU_RESIDENT_BYTES: Gauge<0> "triforium_gpu_resident_bytes" [] "Bytes of tiles in the device's memory.";
    GPU_IN_FLIGHT: Gauge<0> "triforium_gpu_in_flight" [] "Submissions under way.";
    GPU_WINDOW: Gauge<0> "triforium_gpu_window_seconds" [] "Time that a batch stays open for more requests while the device is busy.";
    GPU_CHECKS: Counter<1> "triforium_gpu_checks_total" ["result"] "Answers of the device that were compared with the CPU's.";
    GPU_LOSSES: Counter<1> "triforium_gpu_losses_total" ["reason"] "Devices that were lost or failed their self-test.";
    PANICS: Counter<1> "triforium_panics_total" ["stage"] "Panics, each of which cost one request.";
    BUILD_INFO: Gauge<2> "triforium_build_info" ["version", "features"] "Always 1.";
}

/// Metrics of one name, a handle for each set of label values that has occurred.
pub struct Family<K: Handle, const N: usize> {
    name: &'static str,
    labels: &'static [&'static str; N],
    handles: RwLock<Vec<([&'static str; N], K)>>,
}

impl<K: Handle, const N: usize> Family<K, N> {
    const fn new(name: &'static str, labels: &'static [&'static str; N]) -> Self {
        Self {
            name,
            labels,
            handles: RwLock::new(Vec::new()),
        }
    }

    /// The handle for these label values, in the order of the table's labels.
    pub fn with(&self, values: [&'static str; N]) -> K {
        if let Ok(handles) = self.handles.read()
            && let Some((_, handle)) = handles.iter().find(|(known, _)| *known == values)
        {
            return handle.clone();
        }
        let handle = K::register(self.name, self.labels, &values);
        // Before a recorder is there a handle counts into nothing and must not be kept.
        if RECORDER.get().is_some()
            && let Ok(mut handles) = self.handles.write()
        {
            handles.push((values, handle.clone()));
        }
        handle
    }
}

impl<K: Handle> Family<K, 0> {
    /// The handle of a metric without labels.
    pub fn get(&self) -> K {
        self.with([])
    }
}

impl<K: Handle, const N: usize> fmt::Debug for Family<K, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A kind of metric that families can keep.
pub trait Handle: Clone {
    /// The handle for one set of label values.
    fn register(name: &'static str, labels: &[&'static str], values: &[&'static str]) -> Self;
}

fn key(name: &'static str, labels: &[&'static str], values: &[&'static str]) -> Key {
    let labels: Vec<Label> = labels
        .iter()
        .zip(values)
        .map(|(label, value)| Label::from_static_parts(label, value))
        .collect();
    Key::from_parts(name, labels)
}

const METADATA: Metadata<'static> = Metadata::new("triforium", Level::INFO, None);

impl Handle for Counter {
    fn register(name: &'static str, labels: &[&'static str], values: &[&'static str]) -> Self {
        metrics::with_recorder(|r| r.register_counter(&key(name, labels, values), &METADATA))
    }
}

impl Handle for Gauge {
    fn register(name: &'static str, labels: &[&'static str], values: &[&'static str]) -> Self {
        metrics::with_recorder(|r| r.register_gauge(&key(name, labels, values), &METADATA))
    }
}

impl Handle for Histogram {
    fn register(name: &'static str, labels: &[&'static str], values: &[&'static str]) -> Self {
        metrics::with_recorder(|r| r.register_histogram(&key(name, labels, values), &METADATA))
    }
}

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Upper edges of duration buckets, in seconds.
const BUCKETS: &[f64] = &[
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// Upper edges of the buckets of `triforium_gpu_batch_size`, in requests.
const BATCH_BUCKETS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Installs the recorder of this process and describes every metric. Once; a second call changes
/// nothing.
///
/// # Errors
///
/// Never with the table above; the exporter checks its buckets.
pub fn install() -> Result<(), BuildError> {
    if RECORDER.get().is_some() {
        return Ok(());
    }
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(GPU_BATCH_SIZE.name.to_owned()), BATCH_BUCKETS)?
        .build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_ok() && RECORDER.set(handle).is_ok() {
        for metric in TABLE {
            match metric.kind {
                Kind::Counter => metrics::describe_counter!(metric.name, metric.help),
                Kind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
                Kind::Histogram => metrics::describe_histogram!(metric.name, metric.help),
            }
        }
        BUILD_INFO
            .with([env!("CARGO_PKG_VERSION"), FEATURES])
            .set(1.0);
        GPU_STATE.get().set(0.0);
    }
    Ok(())
}

/// The codecs of this build, as `build_info` and `--version` name them.
pub const FEATURES: &str = if cfg!(feature = "turbojpeg") {
    "turbojpeg"
} else if cfg!(feature = "mozjpeg") {
    "mozjpeg"
} else {
    "pure"
};

/// All metrics in Prometheus' text format; empty before [`install`].
pub fn render() -> String {
    RECORDER
        .get()
        .map(PrometheusHandle::render)
        .unwrap_or_default()
}

/// Folds recorded durations into their buckets; called every few seconds, so that a server which
/// nobody scrapes does not grow.
pub fn upkeep() {
    if let Some(handle) = RECORDER.get() {
        handle.run_upkeep();
    }
}

/// Records how long a stage of a request took.
pub fn stage(stage: &'static str, took: Duration) {
    STAGE_DURATION.with([stage]).record(took.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_prefix_and_unit() {
        for metric in TABLE {
            assert!(metric.name.starts_with("triforium_"), "{}", metric.name);
            assert_eq!(
                metric.kind == Kind::Counter,
                metric.name.ends_with("_total"),
                "{}",
                metric.name
            );
        }
    }

    #[test]
    fn what_is_counted_is_rendered() {
        install().expect("the buckets are valid");
        LADDER.with(["full"]).increment(3);
        assert!(render().contains("triforium_ladder_total{rung=\"full\"} 3"));
    }
}
