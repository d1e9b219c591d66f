//! How large an answer may be, and the largest size that keeps a region's proportions.
//!
//! Turns the service's rules into three numbers that always apply together, and fits rectangles into
//! them with integers and rationals.

use std::fmt;

use crate::geometry::Dimensions;

/// What the service allows for the size of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SizeRules {
    /// Largest width before rotation; alone it bounds the height too (I3-MAX-01).
    pub max_width_px: Option<u32>,
    /// Largest height before rotation; alone it bounds the width too, because a document that
    /// publishes a height has to publish a width (I3-MAX-01).
    pub max_height_px: Option<u32>,
    /// Largest product of width and height.
    pub max_area_px: Option<u64>,
    /// Whether sizes beyond the region's are made.
    pub upscaling: bool,
    /// Reads Image API 3.0 as the official validator does: `!w,h` that the region cannot fill is an
    /// error, and `^max` does not enlarge (image-3.md section 15, K1 and K5).
    pub strict_validator: bool,
}

impl SizeRules {
    /// The bounds in force.
    pub fn limits(&self) -> SizeLimits {
        let either = |this: Option<u32>, other: Option<u32>| this.or(other).unwrap_or(u32::MAX);
        SizeLimits {
            width: either(self.max_width_px, self.max_height_px),
            height: either(self.max_height_px, self.max_width_px),
            area: self.max_area_px.unwrap_or(u64::MAX),
        }
    }

    /// Whether a bound is published.
    pub fn is_limited(&self) -> bool {
        self.max_width_px.is_some() || self.max_height_px.is_some() || self.max_area_px.is_some()
    }

    /// What `max` gives for a region: itself, reduced only where the bounds require it (I3-MAX-05).
    pub(super) fn max(&self, region: Dimensions) -> Dimensions {
        self.limits().inside(region).fit(region)
    }

    /// What `^max` gives for a region: the largest size within the bounds (I3-MAX-05). Without bounds
    /// it is that of `max` (I3-MAX-07), and also where the validator is followed (K5).
    pub(super) fn enlarged_max(&self, region: Dimensions) -> Dimensions {
        if self.is_limited() && !self.strict_validator {
            self.limits().fit(region)
        } else {
            self.max(region)
        }
    }
}

/// The bounds of a size, all in force at once; a bound that is not set is as large as its type.
///
/// Source: I3-MAX-02.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SizeLimits {
    /// Largest width, at least 1.
    pub width: u32,
    /// Largest height, at least 1.
    pub height: u32,
    /// Largest product of both, at least 1.
    pub area: u64,
}

impl SizeLimits {
    /// Whether `size` keeps all bounds.
    pub const fn admit(self, size: Dimensions) -> bool {
        size.width <= self.width && size.height <= self.height && size.area() <= self.area
    }

    /// These bounds, and a box besides.
    pub(super) fn inside(self, bounds: Dimensions) -> Self {
        Self {
            width: self.width.min(bounds.width),
            height: self.height.min(bounds.height),
            area: self.area,
        }
    }

    /// The largest size with the proportions of `shape` that keeps all bounds.
    ///
    /// A bound on a side is met exactly and the other side derived from `shape`; a bound on the area
    /// rounds both sides down. Sides are at least 1. Source: I3-MAX-05, I3-MAX-06, I3-SIZ-13.
    pub(super) fn fit(self, shape: Dimensions) -> Dimensions {
        let (bound_w, bound_h) = (u128::from(self.width), u128::from(self.height));
        let (w, h) = (u128::from(shape.width), u128::from(shape.height));
        let area = u128::from(self.area);
        // Scales are compared as fractions: bound_w / w against bound_h / h, squared against area / (w h).
        let width_binds = bound_w * h <= bound_h * w;
        if width_binds && bound_w * bound_w * h <= area * w {
            let (width, height) = self.trimmed(bound_w, scaled(h, bound_w, w));
            narrow(width, height)
        } else if !width_binds && bound_h * bound_h * w <= area * h {
            let (height, width) = self.trimmed(bound_h, scaled(w, bound_h, h));
            narrow(width, height)
        } else {
            self.fit_area(w, h)
        }
    }

    fn fit_area(self, w: u128, h: u128) -> Dimensions {
        let area = u128::from(self.area);
        let (width, height) = ((area * w / h).isqrt(), (area * h / w).isqrt());
        if width >= height {
            let (width, height) = self.trimmed(width, height);
            narrow(width, height)
        } else {
            let (height, width) = self.trimmed(height, width);
            narrow(width, height)
        }
    }

    /// Two sides, each at least 1, whose product keeps the area: rounding up, and raising a thin side
    /// to 1, can leave it by a little. The first side gives way last.
    fn trimmed(self, first: u128, second: u128) -> (u128, u128) {
        let area = u128::from(self.area).max(1);
        let first = first.clamp(1, area);
        let second = second.clamp(1, area / first);
        (first, second)
    }
}

/// The bounds in words: `at most 360 wide and 360 high`.
impl fmt::Display for SizeLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.width, self.area) {
            (u32::MAX, u64::MAX) => write!(f, "at most {} wide and high", u32::MAX),
            (u32::MAX, area) => write!(f, "at most {area} pixels in all"),
            (_, u64::MAX) => write!(f, "at most {} wide and {} high", self.width, self.height),
            (width, area) => write!(
                f,
                "at most {width} wide, {} high and {area} pixels in all",
                self.height
            ),
        }
    }
}

/// `other` · `explicit` / `of`, rounded half up, at least 1 (I3-SIZ-16, I3-SIZ-17).
pub(super) fn scaled(other: u128, explicit: u128, of: u128) -> u128 {
    ((2 * other * explicit + of) / (2 * of)).max(1)
}

fn narrow(width: u128, height: u128) -> Dimensions {
    let side = |value: u128| u32::try_from(value).unwrap_or(u32::MAX).max(1);
    Dimensions {
        width: side(width),
        height: side(height),
    }
}
