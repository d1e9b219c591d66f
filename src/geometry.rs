//! Dimensions, rectangles and pyramids, in integers.
//!
//! One type per coordinate space: a [`Region`] is in pixels of the full image, a [`Window`] in
//! pixels of one level. What a request means in either space is decided in `plan`.

use std::fmt;

/// Width and height in pixels, both at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dimensions {
    /// Pixels from left to right, at least 1.
    pub width: u32,
    /// Pixels from top to bottom, at least 1.
    pub height: u32,
}

impl Dimensions {
    /// `width` × `height` pixels; `None` if either is 0.
    pub const fn new(width: u32, height: u32) -> Option<Self> {
        if width == 0 || height == 0 {
            None
        } else {
            Some(Self { width, height })
        }
    }

    /// The number of pixels.
    pub const fn area(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// Width and height exchanged, as a quarter turn does.
    #[must_use]
    pub const fn transposed(self) -> Self {
        Self {
            width: self.height,
            height: self.width,
        }
    }

    /// The whole image as a region.
    pub const fn region(self) -> Region {
        Region {
            x: 0,
            y: 0,
            width: self.width,
            height: self.height,
        }
    }

    /// The whole level as a window.
    pub const fn window(self) -> Window {
        Window {
            x: 0,
            y: 0,
            width: self.width,
            height: self.height,
        }
    }

    /// These dimensions divided by `factor`, rounded up: those of the level with that factor.
    #[must_use]
    pub const fn reduced(self, factor: ScaleFactor) -> Self {
        Self {
            width: self.width.div_ceil(factor.get()),
            height: self.height.div_ceil(factor.get()),
        }
    }
}

impl fmt::Display for Dimensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.width, self.height)
    }
}

/// A rectangle in pixels of the full image, inside it and not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Region {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Pixels from left to right, at least 1.
    pub width: u32,
    /// Pixels from top to bottom, at least 1.
    pub height: u32,
}

impl Region {
    /// The rectangle's width and height.
    pub const fn dimensions(self) -> Dimensions {
        Dimensions {
            width: self.width,
            height: self.height,
        }
    }

    /// First column right of the rectangle.
    pub const fn right(self) -> u32 {
        self.x + self.width
    }

    /// First row below the rectangle.
    pub const fn bottom(self) -> u32 {
        self.y + self.height
    }
}

/// A rectangle in pixels of one level, not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Pixels from left to right, at least 1.
    pub width: u32,
    /// Pixels from top to bottom, at least 1.
    pub height: u32,
}

impl Window {
    /// The rectangle's width and height.
    pub const fn dimensions(self) -> Dimensions {
        Dimensions {
            width: self.width,
            height: self.height,
        }
    }

    /// First column right of the rectangle.
    pub const fn right(self) -> u32 {
        self.x + self.width
    }

    /// First row below the rectangle.
    pub const fn bottom(self) -> u32 {
        self.y + self.height
    }

    /// Whether the whole rectangle lies within `dimensions`.
    pub const fn is_inside(self, dimensions: Dimensions) -> bool {
        self.right() <= dimensions.width && self.bottom() <= dimensions.height
    }

    /// Where it lies in `outer`, which holds it.
    #[must_use]
    pub const fn relative_to(self, outer: Self) -> Self {
        Self {
            x: self.x - outer.x,
            y: self.y - outer.y,
            ..self
        }
    }

    /// What both rectangles cover, if that is anything.
    pub fn intersection(self, other: Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let (right, bottom) = (
            self.right().min(other.right()),
            self.bottom().min(other.bottom()),
        );
        (x < right && y < bottom).then(|| Self {
            x,
            y,
            width: right - x,
            height: bottom - y,
        })
    }
}

/// The divisor of a level: sample *i* covers full-image pixels [*i·s*, (*i*+1)·*s*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScaleFactor(u32);

impl ScaleFactor {
    /// Full resolution.
    pub const ONE: Self = Self(1);

    /// The factor `divisor`; `None` for 0.
    pub const fn new(divisor: u32) -> Option<Self> {
        if divisor == 0 {
            None
        } else {
            Some(Self(divisor))
        }
    }

    /// The divisor, at least 1.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The factor of a stored level with `level` pixels of a full image with `full` pixels, if it is
    /// one: each side is floor, round or ceil of side / factor.
    pub fn of_level(full: Dimensions, level: Dimensions) -> Option<Self> {
        let fits = |side: u32, reduced: u32, factor: u32| {
            reduced == (side / factor).max(1) || reduced == side.div_ceil(factor)
        };
        let estimate = if full.width >= full.height {
            f64::from(full.width) / f64::from(level.width)
        } else {
            f64::from(full.height) / f64::from(level.height)
        };
        // The candidates around the estimate; the nearest that fits both sides wins.
        let mut best: Option<(f64, u32)> = None;
        let low = (estimate.floor() - 1.0).max(1.0);
        let mut candidate = low;
        while candidate <= estimate.ceil() + 1.0 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 1 and the larger side, which is a u32"
            )]
            let factor = candidate as u32;
            let distance = (candidate - estimate).abs();
            if fits(full.width, level.width, factor)
                && fits(full.height, level.height, factor)
                && best.is_none_or(|(d, _)| distance < d)
            {
                best = Some((distance, factor));
            }
            candidate += 1.0;
        }
        best.map(|(_, factor)| Self(factor))
    }
}

/// One of the eight ways to lay a rectangle: an optional left-right mirror, then quarter turns.
///
/// The mirror comes first, as in IIIF (I3-ROT-04).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Orientation {
    /// Left and right exchanged before turning.
    pub mirror: bool,
    /// Quarter turns clockwise, 0 to 3.
    pub turns: u8,
}

impl Orientation {
    /// Nothing changes.
    pub const IDENTITY: Self = Self {
        mirror: false,
        turns: 0,
    };

    /// What has to be done to a picture whose EXIF or TIFF orientation tag has this value.
    ///
    /// Source: EXIF 2.32 tag 0x0112. Values other than 1 to 8 count as 1.
    pub const fn from_tag(value: u16) -> Self {
        let (mirror, turns) = match value {
            2 => (true, 0),
            3 => (false, 2),
            4 => (true, 2),
            5 => (true, 3),
            6 => (false, 1),
            7 => (true, 1),
            8 => (false, 3),
            _ => (false, 0),
        };
        Self { mirror, turns }
    }

    /// Whether width and height are exchanged.
    pub const fn transposes(self) -> bool {
        self.turns % 2 == 1
    }

    /// First `self`, then `next`.
    #[must_use]
    pub const fn then(self, next: Self) -> Self {
        // A mirror after t turns equals a mirror before them with the turns reversed.
        let turns = if next.mirror {
            (4 - self.turns % 4) % 4
        } else {
            self.turns
        };
        Self {
            mirror: self.mirror != next.mirror,
            turns: (turns + next.turns) % 4,
        }
    }

    /// What undoes `self`.
    #[must_use]
    pub const fn inverse(self) -> Self {
        if self.mirror {
            self
        } else {
            Self {
                mirror: false,
                turns: (4 - self.turns % 4) % 4,
            }
        }
    }

    /// Dimensions after laying `dimensions` so.
    #[must_use]
    pub const fn apply(self, dimensions: Dimensions) -> Dimensions {
        if self.transposes() {
            dimensions.transposed()
        } else {
            dimensions
        }
    }

    /// Where `region` of an image with `dimensions` lies after laying the image so.
    #[must_use]
    pub const fn apply_region(self, region: Region, dimensions: Dimensions) -> Region {
        let mirrored_x = if self.mirror {
            dimensions.width - region.x - region.width
        } else {
            region.x
        };
        let (x, y) = (mirrored_x, region.y);
        let (w, h) = (region.width, region.height);
        let (full_w, full_h) = (dimensions.width, dimensions.height);
        match self.turns % 4 {
            1 => Region {
                x: full_h - y - h,
                y: x,
                width: h,
                height: w,
            },
            2 => Region {
                x: full_w - x - w,
                y: full_h - y - h,
                width: w,
                height: h,
            },
            3 => Region {
                x: y,
                y: full_w - x - w,
                width: h,
                height: w,
            },
            _ => Region {
                x,
                y,
                width: w,
                height: h,
            },
        }
    }
}

/// One resolution that a master can be decoded at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Level {
    /// Its divisor.
    pub factor: ScaleFactor,
    /// The samples that it really has; a column or row that ⌈side / factor⌉ asks for and that is not
    /// there repeats the last one.
    pub dimensions: Dimensions,
    /// The cells in which it is stored, if it has random access in two dimensions.
    pub tile: Option<Dimensions>,
}

/// A master's resolutions, before its orientation is applied: level 0 is the full image, factors grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pyramid {
    levels: Vec<Level>,
}

impl Pyramid {
    /// The levels of a master; `full` has factor 1. The others are sorted by factor, of two with the
    /// same factor the first stays.
    pub fn new(full: Level, mut others: Vec<Level>) -> Self {
        others.sort_by_key(|level| level.factor);
        let mut levels = vec![Level {
            factor: ScaleFactor::ONE,
            ..full
        }];
        for level in others {
            if levels.last().is_some_and(|last| last.factor < level.factor) {
                levels.push(level);
            }
        }
        Self { levels }
    }

    /// The full image's dimensions, before orientation.
    pub fn dimensions(&self) -> Dimensions {
        self.full().dimensions
    }

    /// The level with factor 1.
    #[expect(
        clippy::missing_panics_doc,
        reason = "a pyramid is made with its full level"
    )]
    pub fn full(&self) -> &Level {
        self.levels
            .first()
            .expect("a pyramid is made with its full level")
    }

    /// All levels, by growing factor.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dimensions(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).expect("not empty")
    }

    #[test]
    fn a_stored_level_counts_when_each_side_is_floor_round_or_ceil() {
        let full = dimensions(1025, 513);
        for (w, h, factor) in [(512, 256, 2), (513, 257, 2), (257, 128, 4), (1025, 513, 1)] {
            assert_eq!(
                ScaleFactor::of_level(full, dimensions(w, h)),
                ScaleFactor::new(factor)
            );
        }
        assert_eq!(ScaleFactor::of_level(full, dimensions(160, 160)), None);
        assert_eq!(ScaleFactor::of_level(full, dimensions(512, 300)), None);
        assert_eq!(
            ScaleFactor::of_level(dimensions(5, 4000), dimensions(1, 500)),
            ScaleFactor::new(8)
        );
    }

    #[test]
    fn orientations_compose_as_their_pictures_do() {
        let image = dimensions(30, 20);
        let region = Region {
            x: 3,
            y: 4,
            width: 5,
            height: 6,
        };
        let all = (1..=8).map(Orientation::from_tag);
        for first in all.clone() {
            for second in all.clone() {
                let step =
                    second.apply_region(first.apply_region(region, image), first.apply(image));
                assert_eq!(first.then(second).apply_region(region, image), step);
            }
            assert_eq!(first.then(first.inverse()), Orientation::IDENTITY);
        }
    }
}
