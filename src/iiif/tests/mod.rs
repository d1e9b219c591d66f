//! The clauses of the Image API that are decided in this room, a test each, by version; and what holds
//! for every request, as properties.

mod image1;
mod image2;
mod image3;
mod properties;
mod tiles;

use super::*;
use crate::error::{ErrorKind, Parameter, Result};
use crate::geometry::{Dimensions, Region};

/// No limits, and enlarging is not offered.
const PLAIN: SizeRules = SizeRules {
    max_width_px: None,
    max_height_px: None,
    max_area_px: None,
    upscaling: false,
    strict_validator: false,
};

/// Enlarging is offered, up to a width and height.
const fn up_to_width(width: u32) -> SizeRules {
    SizeRules {
        max_width_px: Some(width),
        upscaling: true,
        ..PLAIN
    }
}

fn dimensions(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).expect("not empty")
}

fn region(x: u32, y: u32, width: u32, height: u32) -> Region {
    Region {
        x,
        y,
        width,
        height,
    }
}

fn color(width: u32, height: u32) -> ImageTraits {
    ImageTraits {
        dimensions: dimensions(width, height),
        is_gray: false,
        has_alpha: false,
    }
}

fn gray(width: u32, height: u32) -> ImageTraits {
    ImageTraits {
        is_gray: true,
        ..color(width, height)
    }
}

/// Parses `region/size/rotation/quality.format` for some image.
fn parse(version: Version, path: &str) -> Result<ImageRequest> {
    let segments: Vec<&str> = std::iter::once("id").chain(path.split('/')).collect();
    ImageRequest::parse(version, &segments, None)
}

/// Parses and resolves for a colour image of 300×200, the one of the specification's examples.
fn resolve(version: Version, path: &str, rules: &SizeRules) -> Result<Resolved> {
    parse(version, path)?.resolve(&color(300, 200), rules)
}

/// The dimensions that a size gives for the whole of an image.
fn size_of(
    version: Version,
    size: &str,
    image: Dimensions,
    rules: &SizeRules,
) -> Result<Dimensions> {
    let suffix = if version.is_1x() {
        "native.jpg"
    } else {
        "default.jpg"
    };
    let request = parse(version, &format!("full/{size}/0/{suffix}"))?;
    let image = color(image.width, image.height);
    request.resolve(&image, rules).map(|resolved| resolved.size)
}

/// The kind and parameter of the error that a request must give.
fn refusal(version: Version, path: &str, rules: &SizeRules) -> (ErrorKind, Option<Parameter>) {
    match resolve(version, path, rules) {
        Ok(resolved) => panic!("{path} was accepted as {resolved:?}"),
        Err(error) => (error.kind(), error.parameter()),
    }
}

fn assert_bad(version: Version, path: &str, rules: &SizeRules, parameter: Parameter) {
    let expected = (ErrorKind::BadRequest, Some(parameter));
    assert_eq!(refusal(version, path, rules), expected, "{version} {path}");
}

fn info() -> ImageInfo {
    let dimensions = dimensions(6000, 4000);
    let rules = SizeRules {
        max_area_px: Some(134_217_728),
        upscaling: true,
        ..PLAIN
    };
    let (tile, factors, sizes) = ImageInfo::tiling(dimensions, None, &rules);
    ImageInfo {
        id: "https://example.org/iiif/3/a%2Fb".to_owned(),
        identifier: Identifier::new("a/b").expect("an identifier"),
        dimensions,
        is_gray: false,
        tile,
        factors,
        sizes,
        rules,
        preferred_formats: vec![Format::Webp, Format::Jpg],
        rights: Some("http://creativecommons.org/publicdomain/zero/1.0/".to_owned()),
        pixel_mm: None,
        pages: 1,
    }
}
