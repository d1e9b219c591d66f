//! The quality: which colours the answer has.

use super::Version;
use super::token::quoted;
use crate::error::{Error, Parameter, Result};

/// A quality, with one name for what the versions spell differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quality {
    /// `default`, in 1.x `native`: what the image has.
    Default,
    /// `color`: all the colour that there is.
    Color,
    /// `gray`, in 1.x `grey`.
    Gray,
    /// `bitonal`: black and white.
    Bitonal,
}

impl Quality {
    const ALL: [Self; 4] = [Self::Default, Self::Color, Self::Gray, Self::Bitonal];

    /// The quality's name in `version` (I11-QUA-01).
    pub const fn token(self, version: Version) -> &'static str {
        match self {
            Self::Default if version.is_1x() => "native",
            Self::Default => "default",
            Self::Color => "color",
            Self::Gray if version.is_1x() => "grey",
            Self::Gray => "gray",
            Self::Bitonal => "bitonal",
        }
    }

    /// Reads a quality of `version`.
    ///
    /// # Errors
    ///
    /// A bad request about the quality (I3-QUA-07).
    pub(super) fn parse(version: Version, token: &str) -> Result<Self> {
        let known = Self::ALL
            .into_iter()
            .find(|quality| quality.token(version) == token);
        known.ok_or_else(|| {
            let [a, b, c, d] = Self::ALL.map(|quality| quality.token(version));
            Error::bad_request(
                Parameter::Quality,
                format!(
                    "the quality {} is not one of {a}, {b}, {c}, {d}",
                    quoted(token)
                ),
            )
        })
    }

    /// What the answer is made as: `default` and `color` give what the image has (I3-QUA-05).
    pub(super) const fn of_image(self, is_gray: bool) -> Self {
        match self {
            Self::Default | Self::Color if is_gray => Self::Gray,
            Self::Default => Self::Color,
            Self::Color | Self::Gray | Self::Bitonal => self,
        }
    }

    /// The qualities besides `default` that an image is offered in; a gray one has no colour to list
    /// (I3-QUA-05).
    pub(super) const fn offered(is_gray: bool) -> &'static [Self] {
        if is_gray {
            &[Self::Gray, Self::Bitonal]
        } else {
            &[Self::Color, Self::Gray, Self::Bitonal]
        }
    }
}
