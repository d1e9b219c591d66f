//! The information document of Image API 3.0.
//!
//! Source: I3-INF-01 to I3-INF-12, I3-MAX-03, I3-QUA-04, I3-FMT-03; section 5.9 for the order of keys.

use serde_json::{Map, Value, json};

use super::{Format, ImageInfo, Quality, Version};

/// The media type without a preference of the client (I3-INF-03).
pub(super) const JSON_LD: &str =
    "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\"";

/// The profile document of the level (I3-LVL-01).
pub(super) const LEVEL: &str = "http://iiif.io/api/image/3/level2.json";

/// What is offered beyond level 2, besides enlarging.
const EXTRA_FEATURES: [&str; 4] = [
    "canonicalLinkHeader",
    "mirroring",
    "profileLinkHeader",
    "rotationArbitrary",
];

/// Writes the document down.
pub(super) fn document(info: &ImageInfo) -> Value {
    let mut document = Map::new();
    let mut put = |key: &str, value: Value| {
        document.insert(key.to_owned(), value);
    };
    put("@context", "http://iiif.io/api/image/3/context.json".into());
    put("id", info.id.as_str().into());
    put("type", "ImageService3".into());
    put("protocol", "http://iiif.io/api/image".into());
    put("profile", "level2".into());
    put("width", info.dimensions.width.into());
    put("height", info.dimensions.height.into());
    for (key, value) in info.limit_entries() {
        put(key, value);
    }
    put("sizes", info.sizes_value());
    put("tiles", info.tiles_value());
    if let Some(rights) = &info.rights {
        put("rights", rights.as_str().into());
    }
    if !info.preferred_formats.is_empty() {
        put("preferredFormats", tokens(&info.preferred_formats));
    }
    put("extraFormats", tokens(&extra_formats()));
    put("extraQualities", extra_qualities(info));
    put("extraFeatures", extra_features(info));
    if let Some(mut service) = info.physical_dimensions() {
        // Every service has a name and a type here (I3-LNK-03).
        service.insert("id".to_owned(), format!("{}#physdim", info.id).into());
        service.insert("type".to_owned(), "PhysicalDimensions".into());
        put("service", json!([service]));
    }
    Value::Object(document)
}

/// The formats beyond those of level 2, here and in 2.x: `jpg` and `png`.
pub(super) fn extra_formats() -> Vec<Format> {
    let offered = Format::offered(Version::V3).iter().copied();
    offered
        .filter(|format| !matches!(format, Format::Jpg | Format::Png))
        .collect()
}

/// The tokens of some formats, as an array.
pub(super) fn tokens(formats: &[Format]) -> Value {
    formats.iter().map(|format| format.token()).collect()
}

fn extra_qualities(info: &ImageInfo) -> Value {
    let offered = Quality::offered(info.is_gray).iter();
    offered.map(|quality| quality.token(Version::V3)).collect()
}

fn extra_features(info: &ImageInfo) -> Value {
    let mut features = EXTRA_FEATURES.to_vec();
    if info.publishes_upscaling() {
        features.push("sizeUpscaling");
    }
    json!(features)
}
