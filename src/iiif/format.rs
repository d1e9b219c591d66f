//! The format of the answer.

use super::Version;
use super::accept::Accept;
use super::token::quoted;
use crate::error::{Error, Parameter, Result};

/// A format that answers are encoded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// JPEG.
    Jpg,
    /// PNG.
    Png,
    /// WebP; not a word of 1.x.
    Webp,
    /// GIF.
    Gif,
    /// TIFF.
    Tif,
}

impl Format {
    const ALL: [Self; 5] = [Self::Jpg, Self::Png, Self::Webp, Self::Gif, Self::Tif];
    const ALL_1X: [Self; 4] = [Self::Jpg, Self::Png, Self::Gif, Self::Tif];

    /// The formats offered in `version`, best known first.
    pub const fn offered(version: Version) -> &'static [Self] {
        if version.is_1x() {
            &Self::ALL_1X
        } else {
            &Self::ALL
        }
    }

    /// The name in requests and documents.
    pub const fn token(self) -> &'static str {
        match self {
            Self::Jpg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Tif => "tif",
        }
    }

    /// The media type of its bytes. Source: the table of Image API 3.0 section 4.5.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Tif => "image/tiff",
        }
    }

    /// Whether it can be transparent (I3-ROT-08).
    pub const fn has_alpha(self) -> bool {
        match self {
            Self::Jpg => false,
            Self::Png | Self::Webp | Self::Gif | Self::Tif => true,
        }
    }

    /// Reads a format suffix.
    ///
    /// # Errors
    ///
    /// A bad request about the format (I3-FMT-01; in 1.x I11-FMT-02).
    pub(super) fn parse(version: Version, token: &str) -> Result<Self> {
        let offered = Self::offered(version);
        let known = offered.iter().find(|format| format.token() == token);
        known.copied().ok_or_else(|| {
            let reason = match token {
                "jp2" | "pdf" => "is not offered",
                _ => "is not known",
            };
            refuse(version, &format!("the format {} {reason}", quoted(token)))
        })
    }

    /// Chooses the format of a 1.x request without a suffix from its `Accept` header; without a header
    /// it is JPEG. Source: I11-FMT-01.
    ///
    /// # Errors
    ///
    /// A bad request about the format when nothing that is offered is acceptable.
    pub(super) fn negotiate(version: Version, accept: Option<&str>) -> Result<Self> {
        let Some(accept) = accept.map(Accept::parse) else {
            return Ok(Self::Jpg);
        };
        let offered = Self::offered(version);
        let best = accept.best(offered, Self::media_type);
        best.ok_or_else(|| refuse(version, "no format is acceptable to the client"))
    }
}

fn refuse(version: Version, reason: &str) -> Error {
    let tokens: Vec<&str> = Format::offered(version)
        .iter()
        .map(|format| format.token())
        .collect();
    Error::bad_request(
        Parameter::Format,
        format!("{reason}; the formats are {}", tokens.join(", ")),
    )
}
