//! What the server would do for a path, for the operator.

use std::time::Duration;

use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::admin;
use super::body::Body;
use super::front::Inquiry;
use super::pages::in_query;
use super::problem::Problem;
use super::request::{image_request, is_of_first_version};
use crate::service::{Explanation, Service};

/// Explains the path that the query names: `path=/iiif/…`, encoded.
///
/// # Errors
///
/// Those of the request for that path.
pub(super) async fn explain(
    service: &Service,
    inquiry: &Inquiry,
) -> Result<Response<Body>, Problem> {
    let query = inquiry.head.uri.query().unwrap_or_default();
    let path = in_query(query, "path").ok_or_else(|| {
        let words = "what is to be explained is missing; ask for /explain?path=PATH, PATH encoded";
        Problem::new(StatusCode::BAD_REQUEST, words)
    })?;
    let settings = &inquiry.settings;
    let told = |error| {
        if is_of_first_version(&path, settings) {
            Problem::of_first_version(error)
        } else {
            Problem::from(error)
        }
    };
    let request = image_request(&path, settings).map_err(told)?;
    let request = request.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, NO_IMAGE))?;
    let explanation = service.explain(&request).await.map_err(told)?;
    let document = explanation_document(&explanation, "server");
    Ok(admin::document(StatusCode::OK, &document))
}

/// What is said of a path that is another route or none.
pub const NO_IMAGE: &str = "this is no image request; one looks like \
     /iiif/3/IDENTIFIER/full/max/0/default.jpg";

/// An explanation as JSON; `from` says who gave it.
pub fn explanation_document(explanation: &Explanation, from: &str) -> Value {
    let [width, height] = explanation.output;
    json!({
        "canonical": explanation.canonical,
        "from": from,
        "rung": explanation.rung.name(),
        "engine": explanation.engine,
        "lane": explanation.lane,
        "level": explanation.level,
        "factor": explanation.factor,
        "window": explanation.window,
        "overlays": explanation.overlays,
        "passes": explanation.passes,
        "output": { "width": width, "height": height },
        "streamed": explanation.streamed,
        "decoded_pixels": explanation.decoded_pixels,
        "memory_bytes": explanation.memory_bytes,
        "gpu": explanation.choice.map(|choice| json!({
            "choice": if choice.on_device { "gpu" } else { "cpu" },
            "reason": choice.reason,
            "cpu_ms": milliseconds(choice.cpu),
            "gpu_ms": choice.gpu.map(milliseconds),
            "bands": choice.weight.bands.max(1),
        })),
    })
}

/// A time to three digits after the point.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
