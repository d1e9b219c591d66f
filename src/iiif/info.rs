//! The information document: what it says, and as what it is sent.
//!
//! Turns an image's numbers and the service's rules into one model; `v1`, `v2` and `v3` write it down.
//! Everything that is published is served: sizes and tiles keep the limits.

use serde_json::{Map, Value, json};

use super::accept::{Accept, Preference};
use super::{Format, Identifier, SizeRules, Version, v1, v2, v3};
use crate::geometry::{Dimensions, ScaleFactor};

/// Tile edge where the master stores no tiles, or tiles that viewers would not like.
const DEFAULT_TILE: u32 = 512;

/// What an information document says, for all versions.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageInfo {
    /// The base URI, in the prefix of the version that is asked for; no slash at its end (I3-INF-05).
    pub id: String,
    /// The identifier, which 1.0 publishes decoded (I10-INF-02).
    pub identifier: Identifier,
    /// Dimensions of the full image, oriented.
    pub dimensions: Dimensions,
    /// Whether the image has no colour.
    pub is_gray: bool,
    /// Edge of the square tiles in pixels, from [`ImageInfo::tiling`].
    pub tile: u32,
    /// Scale factors of the tiles, from [`ImageInfo::tiling`].
    pub factors: Vec<u32>,
    /// Sizes of the full image, from [`ImageInfo::tiling`].
    pub sizes: Vec<Dimensions>,
    /// The limits that are published.
    pub rules: SizeRules,
    /// Formats in which the image is best asked for, best first.
    pub preferred_formats: Vec<Format>,
    /// URI of a licence or rights statement.
    pub rights: Option<String>,
    /// Millimetres of a pixel of the full image, where that is known.
    pub pixel_mm: Option<f64>,
    /// Images in the master. The contexts of the Image API have no word for it, so that no document
    /// says it.
    pub pages: u32,
}

impl ImageInfo {
    /// Tile edge, scale factors and sizes to publish for an image.
    ///
    /// The edge is the stored one if that is square and 256 to 1024 pixels, else 512; it is halved
    /// until the largest tile keeps the limits. Factors are 1, 2, 4 … up to the first at which one
    /// tile holds the image. Sizes are one per factor, sides rounded up as those of tiles, ascending,
    /// without those above the limits. Source: I3-MAX-04, I3-SZS-04, I3-TRQ-02.
    pub fn tiling(
        dimensions: Dimensions,
        stored_tile: Option<Dimensions>,
        rules: &SizeRules,
    ) -> (u32, Vec<u32>, Vec<Dimensions>) {
        let tile = tile_edge(dimensions, stored_tile, rules);
        let factors = scale_factors(dimensions, tile);
        let limits = rules.limits();
        let reduced = factors
            .iter()
            .rev()
            .filter_map(|&factor| Some(dimensions.reduced(ScaleFactor::new(factor)?)));
        let sizes = reduced.filter(|size| limits.admit(*size)).collect();
        (tile, factors, sizes)
    }

    /// The document of `version`, its keys in the order of the specification's examples.
    pub fn to_json(&self, version: Version) -> Value {
        match version {
            Version::V1_0 => v1::document_1_0(self),
            Version::V1_1 => v1::document_1_1(self),
            Version::V2 => v2::document(self),
            Version::V3 => v3::document(self),
        }
    }

    /// The `info.xml` of Image API 1.0, to be sent as `application/xml` (I10-XML-01, I10-XML-02).
    pub fn to_xml(&self) -> String {
        v1::xml(self)
    }

    /// `[{"width": …, "height": …, "scaleFactors": […]}]`, as 2.x and 3.0 have it.
    pub(super) fn tiles_value(&self) -> Value {
        json!([{"width": self.tile, "height": self.tile, "scaleFactors": self.factors}])
    }

    /// `[{"width": …, "height": …}, …]`, as 2.x and 3.0 have it.
    pub(super) fn sizes_value(&self) -> Value {
        let size = |size: &Dimensions| json!({"width": size.width, "height": size.height});
        self.sizes.iter().map(size).collect()
    }

    /// The service that says how large the image is, where that is known; it embeds all that it says.
    /// Source: IIIF's annex on services, 3 (physical dimensions).
    pub(super) fn physical_dimensions(&self) -> Option<Map<String, Value>> {
        let scale = self.pixel_mm?;
        let entries = [
            (
                "@context",
                json!("http://iiif.io/api/annex/services/physdim/1/context.json"),
            ),
            (
                "profile",
                json!("http://iiif.io/api/annex/services/physdim"),
            ),
            ("physicalScale", json!(scale)),
            ("physicalUnits", json!("mm")),
        ];
        let entries = entries.into_iter();
        Some(
            entries
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    }

    /// The limits that are set, by the names of 2.1 and 3.0. A height is never published without a
    /// width (I3-MAX-01).
    pub(super) fn limit_entries(&self) -> Vec<(&'static str, Value)> {
        let rules = &self.rules;
        let mut entries = Vec::new();
        if let Some(width) = rules.max_width_px.or(rules.max_height_px) {
            entries.push(("maxWidth", width.into()));
        }
        if let Some(height) = rules.max_height_px {
            entries.push(("maxHeight", height.into()));
        }
        if let Some(area) = rules.max_area_px {
            entries.push(("maxArea", area.into()));
        }
        entries
    }

    /// Whether enlarging is published: only together with a limit (I3-MAX-03).
    pub(super) fn publishes_upscaling(&self) -> bool {
        self.rules.upscaling && self.rules.is_limited()
    }
}

/// The media type of an `info.json` for a client that sends `accept`, and whether it is JSON-LD.
///
/// 3.0 answers as JSON-LD unless plain JSON is preferred; 2.x as plain JSON unless JSON-LD is named
/// and more welcome; 1.x as plain JSON. Of two types with equal weight, one that is named is more
/// welcome than one that a wildcard lets in. A client that takes neither gets what no header gets.
/// Source: RFC 9110 section 12.5.1; I3-INF-02 to I3-INF-04, I21-INF-01.
pub fn info_media_type(version: Version, accept: Option<&str>) -> (&'static str, bool) {
    let accept = Accept::parse(accept.unwrap_or_default());
    let json = accept.preference(v2::JSON);
    let json_ld = accept.preference(v2::JSON_LD);
    match version {
        Version::V2 if json_ld.is_some_and(Preference::is_named) && json_ld > json => {
            (v2::JSON_LD, true)
        }
        Version::V1_0 | Version::V1_1 | Version::V2 => (v2::JSON, false),
        Version::V3 if json > json_ld => (v2::JSON, false),
        Version::V3 => (v3::JSON_LD, true),
    }
}

/// The compliance level as a URI, for `Link: <…>;rel="profile"`.
///
/// Level 2, but for 1.0 in builds without JPEG 2000 answers, which its level 2 requires (I10-LVL-01).
/// Source: I3-LVL-03, I21-LVL-01, I11-LVL-01, I11-LVL-02, I10-INF-03.
pub const fn compliance_uri(version: Version) -> &'static str {
    match version {
        Version::V1_0 => v1::LEVEL_1_0,
        Version::V1_1 => v1::LEVEL_1_1,
        Version::V2 => v2::LEVEL,
        Version::V3 => v3::LEVEL,
    }
}

fn tile_edge(dimensions: Dimensions, stored: Option<Dimensions>, rules: &SizeRules) -> u32 {
    let usable =
        stored.filter(|tile| tile.width == tile.height && (256..=1024).contains(&tile.width));
    let mut edge = usable.map_or(DEFAULT_TILE, |tile| tile.width);
    let largest = |edge: u32| Dimensions {
        width: dimensions.width.min(edge),
        height: dimensions.height.min(edge),
    };
    while edge > 1 && !rules.limits().admit(largest(edge)) {
        edge /= 2;
    }
    edge
}

fn scale_factors(dimensions: Dimensions, tile: u32) -> Vec<u32> {
    let side = dimensions.width.max(dimensions.height);
    let mut factors = vec![1];
    let mut factor: u32 = 1;
    while side.div_ceil(factor) > tile {
        let Some(next) = factor.checked_mul(2) else {
            break;
        };
        factor = next;
        factors.push(factor);
    }
    factors
}
