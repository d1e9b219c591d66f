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
    /// AVIF; not a word of 1.x.
    Avif,
    /// JPEG XL; not a word of 1.x.
    Jxl,
    /// JPEG 2000 in a JP2 file, where the build writes it.
    Jp2,
    /// PDF, the image on one page.
    Pdf,
}

/// Whether JPEG 2000 is offered: its encoder is a part of the build that may be left out.
pub(super) const OFFERS_JP2: bool = cfg!(feature = "jp2-encode");

impl Format {
    const ALL: [Self; 9] = [
        Self::Jpg,
        Self::Png,
        Self::Webp,
        Self::Avif,
        Self::Jxl,
        Self::Gif,
        Self::Tif,
        Self::Pdf,
        Self::Jp2,
    ];
    const ALL_1X: [Self; 6] = [
        Self::Jpg,
        Self::Png,
        Self::Gif,
        Self::Tif,
        Self::Pdf,
        Self::Jp2,
    ];

    /// The formats offered in `version`, best known first.
    pub fn offered(version: Version) -> &'static [Self] {
        let all: &[Self] = if version.is_1x() {
            &Self::ALL_1X
        } else {
            &Self::ALL
        };
        match all {
            [others @ .., Self::Jp2] if !OFFERS_JP2 => others,
            all => all,
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
            Self::Avif => "avif",
            Self::Jxl => "jxl",
            Self::Jp2 => "jp2",
            Self::Pdf => "pdf",
        }
    }

    /// The media type of its bytes. Source: the table of Image API 3.0 section 4.5; IANA's registry for
    /// AVIF, ISO/IEC 18181-2 for JPEG XL.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Tif => "image/tiff",
            Self::Avif => "image/avif",
            Self::Jxl => "image/jxl",
            Self::Jp2 => "image/jp2",
            Self::Pdf => "application/pdf",
        }
    }

    /// The format that requests and documents name `token`.
    pub fn of_token(token: &str) -> Option<Self> {
        let all = Self::offered(Version::V3).iter();
        all.copied().find(|format| format.token() == token)
    }

    /// The first of `others` that a client takes by name and no less gladly than this one.
    pub fn or_better(self, others: &[Self], accept: Option<&str>) -> Option<Self> {
        let accept = Accept::parse(accept?);
        let own = accept.preference(self.media_type());
        let is_better = |other: &Self| {
            let preference = accept.preference(other.media_type());
            preference.is_some_and(|preference| {
                preference.is_named() && own.is_none_or(|own| preference.weighs_no_less(own))
            })
        };
        others.iter().copied().find(is_better)
    }

    /// Whether it can be transparent (I3-ROT-08).
    pub const fn has_alpha(self) -> bool {
        match self {
            Self::Jpg | Self::Pdf => false,
            Self::Png | Self::Webp | Self::Gif | Self::Tif | Self::Avif | Self::Jxl | Self::Jp2 => {
                true
            }
        }
    }

    /// Whether its samples can have 16 bits.
    pub const fn has_sixteen_bits(self) -> bool {
        match self {
            Self::Jpg | Self::Webp | Self::Gif | Self::Avif | Self::Pdf => false,
            Self::Png | Self::Tif | Self::Jxl | Self::Jp2 => true,
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
                "jp2" => "is not offered",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_better_format_is_named_and_taken_no_less_gladly() {
        let others = [Format::Avif, Format::Webp];
        for (accept, better) in [
            ("image/avif,image/webp,*/*;q=0.8", Some(Format::Avif)),
            ("image/webp,image/avif", Some(Format::Avif)),
            ("image/avif;q=0.7,image/webp;q=0.9", Some(Format::Avif)),
            ("image/webp,*/*", Some(Format::Webp)),
            ("image/webp;q=0.5,image/jpeg;q=0.5", Some(Format::Webp)),
            ("image/webp;q=0.4,image/jpeg;q=0.5", None),
            ("image/webp;q=0.4,*/*;q=0.5", None),
            ("image/avif;q=0,image/webp", Some(Format::Webp)),
            ("image/*", None),
            ("*/*", None),
            ("text/html", None),
            ("", None),
        ] {
            assert_eq!(
                Format::Jpg.or_better(&others, Some(accept)),
                better,
                "{accept}"
            );
        }
        assert_eq!(Format::Jpg.or_better(&others, None), None);
        assert_eq!(Format::Jpg.or_better(&[], Some("image/webp")), None);
    }
}
