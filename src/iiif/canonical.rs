//! The one spelling of a request that all its equivalents share.
//!
//! Written from resolved numbers alone, so that equal answers have equal spellings, and so that a
//! canonical form resolves to what it was written from.

use super::limits::scaled;
use super::{ImageTraits, Quality, Resolved, SizeRules, Version};
use crate::geometry::{Dimensions, Region};

/// `region/size/rotation/quality.format` of a resolved request; its `canonical` is not read.
///
/// Source: Image API 3.0 section 4.8 (I3-CAN-01 to I3-CAN-06); I21-CAN-01 to I21-CAN-06. Image API 1.x
/// defines no canonical form; the one of 2.x is used with the words of 1.x.
pub(super) fn form(
    version: Version,
    resolved: &Resolved,
    image: &ImageTraits,
    rules: &SizeRules,
) -> String {
    let region = region(resolved.region, image.dimensions);
    let size = match version {
        Version::V3 => size_v3(resolved, rules),
        Version::V1_0 | Version::V1_1 | Version::V2 => size_v2(resolved),
    };
    let mirror = if resolved.mirror { "!" } else { "" };
    let quality = quality(resolved.quality, image.is_gray).token(version);
    let (degrees, format) = (resolved.degrees, resolved.format.token());
    format!("{region}/{size}/{mirror}{degrees}/{quality}.{format}")
}

fn region(region: Region, image: Dimensions) -> String {
    if region == image.region() {
        return "full".to_owned();
    }
    let Region {
        x,
        y,
        width,
        height,
    } = region;
    format!("{x},{y},{width},{height}")
}

/// `max`, `^max`, `^w,h` or `w,h`: never `w,` (I3-CAN-04). A caret stands only where it is needed.
fn size_v3(resolved: &Resolved, rules: &SizeRules) -> String {
    let (size, region) = (resolved.size, resolved.region.dimensions());
    let Dimensions { width, height } = size;
    let enlarged = width > region.width || height > region.height;
    if size == rules.max(region) {
        "max".to_owned()
    } else if enlarged && size == rules.enlarged_max(region) {
        "^max".to_owned()
    } else if enlarged {
        format!("^{width},{height}")
    } else {
        format!("{width},{height}")
    }
}

/// `full`, `w,` where that yields the same height, or `w,h` (I21-CAN-02).
fn size_v2(resolved: &Resolved) -> String {
    let (size, region) = (resolved.size, resolved.region.dimensions());
    let Dimensions { width, height } = size;
    if size == region {
        "full".to_owned()
    } else if u128::from(height) == scaled(region.height.into(), width.into(), region.width.into())
    {
        format!("{width},")
    } else {
        format!("{width},{height}")
    }
}

/// `default` where the image has no more than this quality shows.
fn quality(quality: Quality, is_gray: bool) -> Quality {
    if quality == Quality::Default.of_image(is_gray) {
        Quality::Default
    } else {
        quality
    }
}
