//! What went wrong, whose move it is, and what the public may read of it.
//!
//! One error type for the whole crate. Rooms convert foreign errors at their border with
//! [`Error::new`], add their place with [`Error::while_doing`] and keep the cause. The public
//! words say what to change and never hold a path, an address or a library's name; the chain in
//! [`Error::chain`] is for the log alone.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose move it is. Closed: a new kind is discussed, then mapped to a status in `http/status.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request says something that the service's rules forbid; the client changes it.
    BadRequest,
    /// The client has to authenticate.
    Unauthorized,
    /// The client may not have it, whoever it is.
    Forbidden,
    /// There is no such image or route.
    NotFound,
    /// The request or the master uses something that this server does not do.
    NotImplemented,
    /// There is no room now; the client tries again.
    Busy,
    /// A source is away or broken.
    Upstream,
    /// The work took longer than its deadline.
    Timeout,
    /// The master's bytes are not what its format promises.
    Corrupt,
    /// The master needs more than the limits allow, whatever is asked of it.
    TooLarge,
    /// Nobody waits for the answer any more.
    Cancelled,
    /// A fault of this program.
    Internal,
}

/// The part of a request that an error is about, as Image API 1.0 names it.
///
/// Source: I10-ERR-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Parameter {
    /// The identifier segment.
    Identifier,
    /// The region segment.
    Region,
    /// The size segment.
    Size,
    /// The rotation segment.
    Rotation,
    /// The quality segment.
    Quality,
    /// The format suffix.
    Format,
}

impl Parameter {
    /// The parameter's name in error documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::Region => "region",
            Self::Size => "size",
            Self::Rotation => "rotation",
            Self::Quality => "quality",
            Self::Format => "format",
        }
    }
}

/// An error: kind, public words, the steps it passed through, and its cause.
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    public: Cow<'static, str>,
    parameter: Option<Parameter>,
    while_doing: Vec<Cow<'static, str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `public` is shown to the client as it is.
    pub fn new(kind: ErrorKind, public: impl Into<Cow<'static, str>>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                public: public.into(),
                parameter: None,
                while_doing: Vec::new(),
                source: None,
            }),
        }
    }

    /// A 400 about one parameter of the request.
    pub fn bad_request(parameter: Parameter, public: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::BadRequest, public).about(parameter)
    }

    /// The master cannot be decoded: its bytes are damaged.
    pub fn corrupt(reason: impl fmt::Display) -> Self {
        Self::new(
            ErrorKind::Corrupt,
            format!("the source image cannot be decoded: {reason}"),
        )
    }

    /// The master uses something that this server does not read.
    pub fn unsupported(reason: impl fmt::Display) -> Self {
        Self::new(
            ErrorKind::NotImplemented,
            format!("the source image is not supported: {reason}"),
        )
    }

    /// A fault of this program; the public learns no more than that.
    pub fn internal(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Internal, "the server failed on this request").while_doing(reason)
    }

    /// Names the parameter of the request that has to change.
    #[must_use]
    pub fn about(mut self, parameter: Parameter) -> Self {
        self.inner.parameter = Some(parameter);
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// Adds the step that was under way, outermost last.
    #[must_use]
    pub fn while_doing(mut self, step: impl Into<Cow<'static, str>>) -> Self {
        self.inner.while_doing.push(step.into());
        self
    }

    /// Whose move it is.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The words for the client.
    pub fn public(&self) -> &str {
        &self.inner.public
    }

    /// The parameter of the request that has to change, if it is one.
    pub fn parameter(&self) -> Option<Parameter> {
        self.inner.parameter
    }

    /// A copy for others who wait for the same answer: kind, words and steps, with the cause as text.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let mut copy = Self::new(self.inner.kind, self.inner.public.clone());
        copy.inner.parameter = self.inner.parameter;
        copy.inner.while_doing.clone_from(&self.inner.while_doing);
        copy.inner.source = self.inner.source.as_ref().map(|s| s.to_string().into());
        copy
    }

    /// Everything that is known, for the log: words, steps and causes.
    pub fn chain(&self) -> String {
        let mut text = format!("{:?}: {}", self.inner.kind, self.inner.public);
        for step in &self.inner.while_doing {
            text.push_str("; while ");
            text.push_str(step);
        }
        let mut cause = self.source();
        while let Some(inner) = cause {
            text.push_str("; caused by ");
            text.push_str(&inner.to_string());
            cause = inner.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.public)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner
            .source
            .as_ref()
            .map(|source| -> &(dyn StdError + 'static) { source.as_ref() })
    }
}

/// A setting that is wrong: it stops the start and is never met later.
///
/// Rooms say which key breaks which rule; `config` adds file, line and nearest known key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The dotted key: `limits.max_area_px`.
    pub key: String,
    /// What the value has to be: `must be at least 1`.
    pub rule: String,
}

impl ConfigError {
    /// `key` breaks `rule`.
    pub fn new(key: impl Into<String>, rule: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            rule: rule.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.rule)
    }
}

impl StdError for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_words_do_not_hold_the_cause() {
        let error = Error::new(ErrorKind::Corrupt, "the source image cannot be decoded")
            .with_source(std::io::Error::other("/secret/path"))
            .while_doing("decoding tile 3");
        assert!(!error.to_string().contains("secret"));
        assert!(error.chain().contains("/secret/path"));
        assert!(error.chain().contains("decoding tile 3"));
        assert_eq!(error.duplicate().chain(), error.chain());
    }
}
