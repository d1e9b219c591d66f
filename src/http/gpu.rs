//! What is known of the GPU, for the operator.

use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::admin;
use super::body::Body;
use crate::service::{GpuReport, Service};

/// The device of the running server.
pub(super) fn gpu(service: &Service) -> Response<Body> {
    admin::document(StatusCode::OK, &gpu_document(&service.gpu()))
}

/// A report on the GPU as JSON: its state, adapter, limits, and the constants of the cost model.
pub fn gpu_document(report: &GpuReport) -> Value {
    let adapter = report.adapter.as_ref().map(|adapter| {
        let limits: Map<_, _> = (adapter.limits.iter())
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        json!({
            "name": adapter.name,
            "driver": adapter.driver,
            "kind": adapter.kind,
            "limits": limits,
        })
    });
    let measured: Map<_, _> = (report.measured.iter())
        .map(|(name, value)| ((*name).to_owned(), json!(rounded(*value))))
        .collect();
    json!({
        "state": report.state.name(),
        "reason": report.reason,
        "adapter": adapter,
        "measured": measured,
    })
}

/// Five digits after the point: what was measured is no more exact.
fn rounded(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}
