//! The region segment: which rectangle of the image is wanted.
//!
//! Turns the segment into a form, and the form into a rectangle inside the published image.

use std::num::NonZeroU32;

use super::token::{self, Uint, quoted};
use super::{Decimal, Version};
use crate::error::{Error, Parameter, Result};
use crate::geometry::{Dimensions, Region};

/// How a region is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RegionForm {
    /// `full`: the whole image.
    Full,
    /// `square`: the largest centred square.
    Square,
    /// `x,y,w,h` in pixels; width and height may reach beyond the image and are cropped.
    Pixels {
        /// Left edge.
        x: u32,
        /// Upper edge.
        y: u32,
        /// From left to right.
        width: NonZeroU32,
        /// From top to bottom.
        height: NonZeroU32,
    },
    /// `pct:x,y,w,h` in percent of the image.
    Percent(PercentRegion),
}

/// A rectangle in percent of the image: x and width of its width, y and height of its height. Neither
/// width nor height is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PercentRegion {
    x: Decimal,
    y: Decimal,
    width: Decimal,
    height: Decimal,
}

/// A rectangle in pixels that may reach, or lie, outside the image.
struct Asked {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl RegionForm {
    /// Reads a decoded region segment.
    ///
    /// # Errors
    ///
    /// A bad request about the region.
    pub(super) fn parse(version: Version, token: &str) -> Result<Self> {
        match token {
            "full" => Ok(Self::Full),
            "square" if !version.is_1x() => Ok(Self::Square),
            _ => match token.strip_prefix("pct:") {
                Some(numbers) => percent(version, token, numbers),
                None => pixels(version, token),
            },
        }
    }

    /// The rectangle of `image` that is meant, cropped at its right and lower edge.
    ///
    /// Units: pixels of the oriented full image, as published. Percentages are rounded half up; a
    /// width or height that rounds to 0 becomes 1. `square` is centred, an odd rest goes to the right
    /// or below. Source: I3-REG-01 to I3-REG-11.
    ///
    /// # Errors
    ///
    /// A bad request about the region when no pixel of it lies in the image.
    pub fn resolve(&self, image: Dimensions) -> Result<Region> {
        match self {
            Self::Full => Ok(image.region()),
            Self::Square => Ok(centred_square(image)),
            &Self::Pixels {
                x,
                y,
                width,
                height,
            } => Asked {
                x,
                y,
                width: width.get(),
                height: height.get(),
            }
            .cropped(image),
            Self::Percent(percent) => percent.in_pixels(image).cropped(image),
        }
    }
}

impl PercentRegion {
    fn in_pixels(&self, image: Dimensions) -> Asked {
        let part =
            |number: Decimal, side: u32| u32::try_from(number.percent_of(side)).unwrap_or(u32::MAX);
        Asked {
            x: part(self.x, image.width),
            y: part(self.y, image.height),
            width: part(self.width, image.width).max(1),
            height: part(self.height, image.height).max(1),
        }
    }
}

impl Asked {
    fn cropped(self, image: Dimensions) -> Result<Region> {
        if self.x >= image.width || self.y >= image.height {
            return Err(Error::bad_request(
                Parameter::Region,
                format!(
                    "the region starts at {},{}, outside the image; x is below {} and y below {}",
                    self.x, self.y, image.width, image.height
                ),
            ));
        }
        Ok(Region {
            x: self.x,
            y: self.y,
            width: self.width.min(image.width - self.x),
            height: self.height.min(image.height - self.y),
        })
    }
}

fn centred_square(image: Dimensions) -> Region {
    let side = image.width.min(image.height);
    Region {
        x: (image.width - side) / 2,
        y: (image.height - side) / 2,
        width: side,
        height: side,
    }
}

fn pixels(version: Version, token: &str) -> Result<RegionForm> {
    let numbers = token::list(token).and_then(|[x, y, width, height]| {
        Some([
            Uint::parse(x)?,
            Uint::parse(y)?,
            Uint::parse(width)?,
            Uint::parse(height)?,
        ])
    });
    let [x, y, width, height] = numbers.ok_or_else(|| syntax(version, token))?;
    let (Uint::Value(x), Uint::Value(y)) = (x, y) else {
        return Err(Error::bad_request(
            Parameter::Region,
            format!("the region {} starts outside every image", quoted(token)),
        ));
    };
    Ok(RegionForm::Pixels {
        x,
        y,
        width: not_zero(width, token)?,
        height: not_zero(height, token)?,
    })
}

fn percent(version: Version, token: &str, numbers: &str) -> Result<RegionForm> {
    let parts: [&str; 4] = token::list(numbers).ok_or_else(|| syntax(version, token))?;
    let mut decimals = [Decimal::ZERO; 4];
    for (decimal, part) in decimals.iter_mut().zip(parts) {
        *decimal = Decimal::parse(part).map_err(|error| {
            Error::bad_request(
                Parameter::Region,
                format!("the region {}: {}", quoted(token), error.rule()),
            )
        })?;
    }
    let [x, y, width, height] = decimals;
    if width.is_zero() || height.is_zero() {
        return Err(empty(token));
    }
    Ok(RegionForm::Percent(PercentRegion {
        x,
        y,
        width,
        height,
    }))
}

/// Width and height may exceed the type: they are cropped anyway (I3-GRM-06).
fn not_zero(side: Uint, token: &str) -> Result<NonZeroU32> {
    NonZeroU32::new(side.saturated()).ok_or_else(|| empty(token))
}

fn empty(token: &str) -> Error {
    Error::bad_request(
        Parameter::Region,
        format!(
            "the region {} is empty; width and height are above 0",
            quoted(token)
        ),
    )
}

fn syntax(version: Version, token: &str) -> Error {
    let forms = if version.is_1x() {
        "full, x,y,w,h or pct:x,y,w,h"
    } else {
        "full, square, x,y,w,h or pct:x,y,w,h"
    };
    Error::bad_request(
        Parameter::Region,
        format!(
            "the region {} is not one of the forms {forms}",
            quoted(token)
        ),
    )
}
