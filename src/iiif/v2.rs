//! The information document of Image API 2.0 and 2.1, which share it.
//!
//! Source: I21-INF-03 to I21-INF-10, I20-03, I20-06; section 5.6 of 2.1 for the order of keys.

use serde_json::{Map, Value, json};

use super::{ImageInfo, Quality, Version, v3};

/// Plain JSON, as all versions send it.
pub(super) const JSON: &str = "application/json";

/// JSON-LD as 2.x sends it: without a profile parameter (I21-INF-01).
pub(super) const JSON_LD: &str = "application/ld+json";

/// The profile document of the level.
pub(super) const LEVEL: &str = "http://iiif.io/api/image/2/level2.json";

/// What is offered beyond level 2, besides enlarging; and the names of `w,h` and `!w,h`, which 2.0 and
/// 2.1 exchange (I20-03).
const SUPPORTS: [&str; 9] = [
    "canonicalLinkHeader",
    "mirroring",
    "profileLinkHeader",
    "regionSquare",
    "rotationArbitrary",
    "sizeByConfinedWh",
    "sizeByDistortedWh",
    "sizeByForcedWh",
    "sizeByWh",
];

/// Writes the document down.
pub(super) fn document(info: &ImageInfo) -> Value {
    let mut document = Map::new();
    let mut put = |key: &str, value: Value| {
        document.insert(key.to_owned(), value);
    };
    put("@context", "http://iiif.io/api/image/2/context.json".into());
    put("@id", info.id.as_str().into());
    put("protocol", "http://iiif.io/api/image".into());
    put("width", info.dimensions.width.into());
    put("height", info.dimensions.height.into());
    put("sizes", info.sizes_value());
    put("tiles", info.tiles_value());
    if let Some(rights) = &info.rights {
        put("license", rights.as_str().into());
    }
    if let Some(service) = info.physical_dimensions() {
        put("service", service.into());
    }
    put("profile", json!([LEVEL, extras(info)]));
    Value::Object(document)
}

/// The profile object: what is offered beyond the level, and the limits (I21-INF-04).
fn extras(info: &ImageInfo) -> Value {
    let mut extras = Map::new();
    extras.insert("formats".to_owned(), v3::tokens(&v3::extra_formats()));
    extras.insert("qualities".to_owned(), extra_qualities(info));
    for (key, value) in info.limit_entries() {
        extras.insert(key.to_owned(), value);
    }
    extras.insert("supports".to_owned(), supports(info));
    Value::Object(extras)
}

/// Level 2 of 2.x has `bitonal` already (I21-INF-10).
fn extra_qualities(info: &ImageInfo) -> Value {
    let offered = Quality::offered(info.is_gray).iter();
    let extra = offered.filter(|quality| **quality != Quality::Bitonal);
    extra.map(|quality| quality.token(Version::V2)).collect()
}

fn supports(info: &ImageInfo) -> Value {
    let mut features = SUPPORTS.to_vec();
    if info.publishes_upscaling() {
        features.push("sizeAboveFull");
    }
    json!(features)
}
