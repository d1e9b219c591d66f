//! The versions of the Image API, and where their grammars differ.

use std::fmt;

/// A version of the Image API. A base URI speaks exactly one (I2-GEN-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// 1.0: `identifier` in the document, which exists as JSON and as XML.
    V1_0,
    /// 1.1.
    V1_1,
    /// 2.0 and 2.1, which share their URIs (I2-GEN-02).
    V2,
    /// 3.0.
    V3,
}

impl Version {
    /// All versions, oldest first.
    pub const ALL: [Self; 4] = [Self::V1_0, Self::V1_1, Self::V2, Self::V3];

    /// Whether this is 1.0 or 1.1: no mirror, no `square`, an optional format suffix.
    pub const fn is_1x(self) -> bool {
        matches!(self, Self::V1_0 | Self::V1_1)
    }

    /// Whether a size beyond the region's needs no caret (I21-SIZ-06).
    pub const fn enlarges_implicitly(self) -> bool {
        !matches!(self, Self::V3)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V2 => "2",
            Self::V3 => "3",
        })
    }
}
