//! The information documents of Image API 1.1 and 1.0.
//!
//! Both know one tile size and no limits. Source: I11-INF-01 to I11-INF-04, I10-INF-01 to I10-INF-03,
//! I10-XML-01.

use std::fmt::{Display, Write as _};

use serde_json::{Map, Value, json};

use super::format::OFFERS_JP2;
use super::xml::{NAMESPACE, escape};
use super::{Format, ImageInfo, Quality, Version};

/// The level of 1.0: its level 2 requires JPEG 2000 answers (I10-LVL-01).
pub(super) const LEVEL_1_0: &str = if OFFERS_JP2 {
    "http://library.stanford.edu/iiif/image-api/compliance.html#level2"
} else {
    "http://library.stanford.edu/iiif/image-api/compliance.html#level1"
};

/// The level of 1.1 (I11-LVL-01).
pub(super) const LEVEL_1_1: &str =
    "http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level2";

const CONTEXT_1_1: &str = "http://library.stanford.edu/iiif/image-api/1.1/context.json";

/// Writes the document of 1.0 down.
pub(super) fn document_1_0(info: &ImageInfo) -> Value {
    let mut document = Map::new();
    document.insert("identifier".to_owned(), info.identifier.as_str().into());
    append_common(&mut document, info, LEVEL_1_0);
    Value::Object(document)
}

/// Writes the document of 1.1 down. It carries the `identifier` of 1.0 too, which 1.1 allows
/// (I11-INF-03), so that clients of 1.0 can read it.
pub(super) fn document_1_1(info: &ImageInfo) -> Value {
    let mut document = Map::new();
    document.insert("@context".to_owned(), CONTEXT_1_1.into());
    document.insert("@id".to_owned(), info.id.as_str().into());
    document.insert("identifier".to_owned(), info.identifier.as_str().into());
    append_common(&mut document, info, LEVEL_1_1);
    Value::Object(document)
}

fn append_common(document: &mut Map<String, Value>, info: &ImageInfo, level: &str) {
    for (key, value) in [
        ("width", json!(info.dimensions.width)),
        ("height", json!(info.dimensions.height)),
        ("scale_factors", json!(info.factors)),
        ("tile_width", json!(info.tile)),
        ("tile_height", json!(info.tile)),
        ("formats", formats().collect()),
        ("qualities", qualities(info).collect()),
        ("profile", level.into()),
    ] {
        document.insert(key.to_owned(), value);
    }
}

/// Writes the XML document of 1.0 down; its schema fixes the order of the elements.
pub(super) fn xml(info: &ImageInfo) -> String {
    let mut text =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<info xmlns=\"{NAMESPACE}\">\n");
    element(&mut text, "identifier", escape(info.identifier.as_str()));
    element(&mut text, "width", info.dimensions.width);
    element(&mut text, "height", info.dimensions.height);
    list(
        &mut text,
        "scale_factors",
        "scale_factor",
        info.factors.iter(),
    );
    element(&mut text, "tile_width", info.tile);
    element(&mut text, "tile_height", info.tile);
    list(&mut text, "formats", "format", formats());
    list(&mut text, "qualities", "quality", qualities(info));
    element(&mut text, "profile", LEVEL_1_0);
    text.push_str("</info>\n");
    text
}

fn element(text: &mut String, name: &str, value: impl Display) {
    writeln!(text, "  <{name}>{value}</{name}>").expect("a String takes every write");
}

fn list(text: &mut String, name: &str, item: &str, values: impl Iterator<Item = impl Display>) {
    writeln!(text, "  <{name}>").expect("a String takes every write");
    for value in values {
        writeln!(text, "    <{item}>{value}</{item}>").expect("a String takes every write");
    }
    writeln!(text, "  </{name}>").expect("a String takes every write");
}

fn formats() -> impl Iterator<Item = &'static str> {
    Format::offered(Version::V1_1)
        .iter()
        .map(|format| format.token())
}

fn qualities(info: &ImageInfo) -> impl Iterator<Item = &'static str> {
    let besides = Quality::offered(info.is_gray).iter().copied();
    std::iter::once(Quality::Default)
        .chain(besides)
        .map(|quality| quality.token(Version::V1_1))
}
