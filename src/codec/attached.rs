//! What goes into a derivative's file beside its pixels.
//!
//! Each encoder writes what its format has a place for; the README's table says which.

/// What goes into a derivative's file beside its pixels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attached {
    /// What the picture is called, for formats whose readers show that.
    pub title: Option<String>,
    /// URI of a licence or rights statement.
    pub rights: Option<String>,
    /// How large the picture is.
    pub density: Option<Density>,
    /// An ICC profile of the pixels.
    pub icc: Option<Vec<u8>>,
    /// An EXIF block: a TIFF structure without a prefix.
    pub exif: Option<Vec<u8>>,
    /// An XMP packet.
    pub xmp: Option<Vec<u8>>,
    /// IPTC records.
    pub iptc: Option<Vec<u8>>,
}

/// Pixels of a metre, which say how large a picture is on paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Density {
    /// From left to right; above 0.
    pub across: f64,
    /// From top to bottom; above 0.
    pub down: f64,
}

/// Inches of a metre.
const INCHES: f64 = 1.0 / 0.0254;

impl Density {
    /// Most pixels of a metre that count as said in earnest: a hundredth of a micrometre each.
    const MOST: f64 = 1e8;

    /// Pixels of a metre; `None` for what no picture has.
    pub fn new(across: f64, down: f64) -> Option<Self> {
        let sane = |value: f64| value.is_finite() && value > 0.0 && value <= Self::MOST;
        (sane(across) && sane(down)).then_some(Self { across, down })
    }

    /// Pixels of an inch.
    pub fn of_inch(across: f64, down: f64) -> Option<Self> {
        Self::new(across * INCHES, down * INCHES)
    }

    /// Pixels of an inch, from left to right and from top to bottom.
    pub fn per_inch(self) -> (f64, f64) {
        (self.across / INCHES, self.down / INCHES)
    }

    /// Whether it is what programs write without knowing: 72 pixels of an inch, as EXIF 2.32 wants it where
    /// nothing is known, or 96.
    pub fn is_habit(self) -> bool {
        let (across, down) = self.per_inch();
        let is = |dpi: f64| (across - dpi).abs() < 0.1 && (down - dpi).abs() < 0.1;
        is(72.0) || is(96.0)
    }

    /// With its axes exchanged.
    #[must_use]
    pub const fn transposed(self) -> Self {
        Self {
            across: self.down,
            down: self.across,
        }
    }

    /// Of a picture with so many times the pixels along its axes.
    pub fn scaled(self, across: f64, down: f64) -> Option<Self> {
        Self::new(self.across * across, self.down * down)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inch_is_25_4_millimetres() {
        let density = Density::of_inch(300.0, 600.0).expect("a density");
        assert!((density.across - 11811.02).abs() < 0.01, "{density:?}");
        let (across, down) = density.per_inch();
        assert!((across - 300.0).abs() < 1e-9 && (down - 600.0).abs() < 1e-9);
        let tall = Density::of_inch(600.0, 300.0);
        assert_eq!(Some(density.transposed()), tall);
    }

    #[test]
    fn what_no_picture_has_is_no_density() {
        for (across, down) in [(0.0, 1.0), (1.0, -1.0), (f64::NAN, 1.0), (1e300, 1.0)] {
            assert_eq!(Density::new(across, down), None, "{across} {down}");
        }
        let density = Density::new(100.0, 100.0).expect("a density");
        assert_eq!(density.scaled(0.0, 1.0), None);
    }
}
