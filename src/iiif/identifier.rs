//! The name of an image, decoded.
//!
//! Turns a raw path segment into text that is valid UTF-8 without control characters. Whether such an
//! image exists, and whether its name stays inside a root, is left to `source`: an identifier may
//! hold slashes, dots and drive letters (I3-SEC-01).

use std::fmt;
use std::sync::Arc;

use super::{percent, token};
use crate::error::{Error, Parameter, Result};

/// Longest identifier in bytes: the longest path that Linux opens (I3-SEC-02).
const MAX_BYTES: usize = 4096;

/// The identifier of an image: not empty, at most 4096 bytes, no control characters.
///
/// ```
/// use triforium::iiif::Identifier;
///
/// let identifier = Identifier::parse_segment("ark:%2F12025%2F654xz321")?;
/// assert_eq!(identifier.as_str(), "ark:/12025/654xz321");
/// assert_eq!(identifier.encoded(), "ark:%2F12025%2F654xz321");
/// assert!(Identifier::parse_segment("100%").is_err());
/// # Ok::<(), triforium::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier(Arc<str>);

impl Identifier {
    /// Decodes a raw path segment, once.
    ///
    /// Source: I3-ENC-01 to I3-ENC-11.
    ///
    /// # Errors
    ///
    /// A bad request about the identifier when an escape is malformed, or when the decoded text is
    /// empty, too long, not UTF-8, or holds a control character.
    pub fn parse_segment(raw: &str) -> Result<Self> {
        Self::new(&token::decode(Parameter::Identifier, raw)?)
    }

    /// An identifier from decoded text.
    ///
    /// # Errors
    ///
    /// A bad request about the identifier when it is empty, longer than 4096 bytes, or holds a
    /// control character.
    pub fn new(decoded: &str) -> Result<Self> {
        let refuse = |reason: &'static str| Err(Error::bad_request(Parameter::Identifier, reason));
        if decoded.is_empty() {
            return refuse("the identifier is empty");
        }
        if decoded.len() > MAX_BYTES {
            return refuse("the identifier is longer than 4096 bytes");
        }
        if decoded.chars().any(char::is_control) {
            return refuse("the identifier contains a control character");
        }
        Ok(Self(decoded.into()))
    }

    /// The decoded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The identifier as one path segment.
    ///
    /// Encoded are `/ ? # [ ] @ %`, everything beyond ASCII, and what a URI path forbids raw: space,
    /// `" < > \ ^ { | }` and the backtick. Source: I3-ENC-03; RFC 3986 section 3.3.
    pub fn encoded(&self) -> String {
        percent::encode(&self.0)
    }
}

/// The decoded text.
impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
