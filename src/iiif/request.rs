//! An image request: five segments of a path, and what they mean for one image.
//!
//! Turns raw segments into an [`ImageRequest`], and this together with an image and the service's
//! rules into a [`Resolved`] request: exact numbers and the canonical form. Splitting the raw path is
//! left to `http`; where the pixels come from to `plan`.

use super::{
    Decimal, Format, Identifier, Quality, RegionForm, Rotation, SizeRequest, SizeRules, Version,
};
use super::{canonical, token};
use crate::error::{Error, ErrorKind, Parameter, Result};
use crate::geometry::{Dimensions, Region};

/// A request that is correct in itself; whether it fits an image is not known yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageRequest {
    /// The API version whose grammar it was read by.
    pub version: Version,
    /// The image.
    pub identifier: Identifier,
    /// The part of it.
    pub region: RegionForm,
    /// The size of that part.
    pub size: SizeRequest,
    /// Mirror and degrees.
    pub rotation: Rotation,
    /// The colours.
    pub quality: Quality,
    /// The encoding.
    pub format: Format,
}

/// What has to be known of an image to resolve a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ImageTraits {
    /// Published dimensions: of the full image, oriented (I3-REG-11).
    pub dimensions: Dimensions,
    /// Whether it has no colour.
    pub is_gray: bool,
    /// Whether it has opacity.
    pub has_alpha: bool,
}

/// What a request means for an image, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resolved {
    /// The part of the image, inside it.
    pub region: Region,
    /// The dimensions of the answer before rotation, within the limits.
    pub size: Dimensions,
    /// Whether left and right are exchanged before turning.
    pub mirror: bool,
    /// Degrees clockwise, from 0 to below 360.
    pub degrees: Decimal,
    /// `Color`, `Gray` or `Bitonal`; what has no colour is never `Color`.
    pub quality: Quality,
    /// The encoding.
    pub format: Format,
    /// The canonical region, size, rotation, quality and format: `full/max/0/default.jpg`.
    pub canonical: String,
}

impl ImageRequest {
    /// Reads the five raw segments of a path: identifier, region, size, rotation, quality.format.
    ///
    /// Each is percent-decoded once. The format stands after the last dot; in 1.x it may be absent,
    /// and then `accept`, the request's `Accept` header, chooses. Values are case-sensitive.
    /// Source: I3-URI-01, I3-URI-09, I3-URI-11, I3-ENC-05; I11-URI-01, I11-FMT-01.
    ///
    /// ```
    /// use triforium::error::Parameter;
    /// use triforium::iiif::{ImageRequest, Version};
    ///
    /// let tile = ["a%2Fb", "0,0,512,512", "256,", "!90", "gray.png"];
    /// let request = ImageRequest::parse(Version::V3, &tile, None)?;
    /// assert_eq!(request.identifier.as_str(), "a/b");
    ///
    /// let wrong = ["a%2Fb", "full", "full", "0", "default.jpg"];
    /// let error = ImageRequest::parse(Version::V3, &wrong, None).unwrap_err();
    /// assert_eq!(error.parameter(), Some(Parameter::Size));
    /// # Ok::<(), triforium::error::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadRequest`], about the first segment that `version` does not know.
    pub fn parse(version: Version, segments: &[&str], accept: Option<&str>) -> Result<Self> {
        let &[identifier, region, size, rotation, last] = segments else {
            return Err(Error::new(
                ErrorKind::BadRequest,
                "an image request is identifier/region/size/rotation/quality.format",
            ));
        };
        let last = token::decode(Parameter::Quality, last)?;
        let (quality, format) = split_format(version, &last)?;
        Ok(Self {
            version,
            identifier: Identifier::parse_segment(identifier)?,
            region: RegionForm::parse(version, &token::decode(Parameter::Region, region)?)?,
            size: SizeRequest::parse(version, &token::decode(Parameter::Size, size)?)?,
            rotation: Rotation::parse(version, &token::decode(Parameter::Rotation, rotation)?)?,
            quality: Quality::parse(version, quality)?,
            format: match format {
                Some(format) => Format::parse(version, format)?,
                None => Format::negotiate(version, accept)?,
            },
        })
    }

    /// What this request means for `image` under `rules`.
    ///
    /// Pure: the same request, image and rules give the same answer, and the canonical form of the
    /// answer resolves to the answer itself. Source: I3-ORD-01, I3-CAN-06.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadRequest`] about region or size; [`ErrorKind::NotImplemented`] for enlarging
    /// that is asked for in 3.0 and not offered.
    pub fn resolve(&self, image: &ImageTraits, rules: &SizeRules) -> Result<Resolved> {
        let region = self.region.resolve(image.dimensions)?;
        let size = self
            .size
            .resolve(self.version, region.dimensions(), rules)?;
        let mut resolved = Resolved {
            region,
            size,
            mirror: self.rotation.mirror,
            degrees: self.rotation.effective_degrees(),
            quality: self.quality.of_image(image.is_gray),
            format: self.format,
            canonical: String::new(),
        };
        resolved.canonical = canonical::form(self.version, &resolved, image, rules);
        Ok(resolved)
    }
}

impl Resolved {
    /// Quarter turns clockwise, 0 to 3, if the rotation is made of them (I3-ROT-07).
    pub const fn quarter_turns(&self) -> Option<u8> {
        match self.degrees.as_integer() {
            Some(0) => Some(0),
            Some(90) => Some(1),
            Some(180) => Some(2),
            Some(270) => Some(3),
            _ => None,
        }
    }
}

/// Splits the decoded last segment at its last dot.
fn split_format(version: Version, last: &str) -> Result<(&str, Option<&str>)> {
    match last.rsplit_once('.') {
        Some((quality, format)) => Ok((quality, Some(format))),
        None if version.is_1x() => Ok((last, None)),
        None => Err(Error::bad_request(
            Parameter::Format,
            "the format is missing; the last part of the path is quality.format",
        )),
    }
}
