//! The format that a client takes more gladly than the one that its path names: by setting, in place of
//! `jpg` alone.
//!
//! It is a pure function of path, `Accept`, master and settings. What the better format cannot hold is
//! sent as it was asked for.

use super::{Config, Master, Shared};
use crate::iiif::{Format, ImageRequest, Resolved};

/// Longest side of a WebP.
const WEBP_SIDE_PX: u32 = 16_383;

/// Whether `Accept` has a say.
pub(super) fn applies(shared: &Shared, request: &ImageRequest) -> bool {
    request.format == Format::Jpg && !shared.config.iiif.formats_by_accept.is_empty()
}

/// The request in a better format, if there is one.
pub(super) fn better(
    shared: &Shared,
    request: &ImageRequest,
    master: &Master,
    accept: Option<&str>,
) -> Option<ImageRequest> {
    if !applies(shared, request) {
        return None;
    }
    let others = &shared.config.iiif.formats_by_accept;
    let offered = Format::offered(request.version);
    let mut others = Config::formats(others);
    others.retain(|other| offered.contains(other));
    let format = request.format.or_better(&others, accept)?;
    let better = ImageRequest {
        format,
        ..request.clone()
    };
    let resolved = better.resolve(&master.traits(), &shared.rules).ok()?;
    holds(shared, format, &resolved).then_some(better)
}

/// Whether the format holds the picture. Turned by an odd angle it may take twice the area.
fn holds(shared: &Shared, format: Format, resolved: &Resolved) -> bool {
    let settings = shared.config.encode_settings();
    let times = if resolved.quarter_turns().is_some() {
        1
    } else {
        2
    };
    let (sides, area) = (resolved.size, times * resolved.size.area());
    match format {
        Format::Avif => area <= settings.avif.max_area_px,
        Format::Jxl => area <= settings.jxl.max_area_px && sides.width.min(sides.height) > 1,
        Format::Jp2 => area <= settings.jp2.max_area_px,
        Format::Webp => (sides.width + sides.height) <= WEBP_SIDE_PX,
        Format::Jpg | Format::Png | Format::Gif | Format::Tif | Format::Pdf => true,
    }
}
