//! IIIF Image API 1.0, 1.1, 2.0, 2.1 and 3.0 as a language: request paths become exact numbers, and
//! images become information documents.
//!
//! Pure: no file is opened and no clock is read, equal input gives equal output. Arithmetic is in
//! integers and rationals, never in floating point. Routing, status codes and headers are left to
//! `http`; levels, windows and cost to `plan`. Callers may rely on this: the region lies inside the
//! image, the size within the limits, and the canonical form of a request, parsed again, resolves to
//! the same answer.

mod accept;
mod canonical;
mod decimal;
mod error_document;
mod format;
mod identifier;
mod info;
mod limits;
mod percent;
mod quality;
mod region;
mod request;
mod rotation;
mod size;
mod token;
mod v1;
mod v2;
mod v3;
mod version;
mod xml;

pub use accept::Accept;
pub use decimal::Decimal;
pub use error_document::error_xml;
pub use format::Format;
pub use identifier::Identifier;
pub use info::{ImageInfo, compliance_uri, info_media_type};
pub use limits::{SizeLimits, SizeRules};
pub use quality::Quality;
pub use region::{PercentRegion, RegionForm};
pub use request::{ImageRequest, ImageTraits, Resolved};
pub use rotation::Rotation;
pub use size::{SizeForm, SizeRequest};
pub use version::Version;

#[cfg(test)]
mod tests;
