//! What went wrong at the file system, before it becomes an [`Error`].

use std::io;

use rustix::io::Errno;

use crate::error::{Error, ErrorKind, Parameter};

/// Why a file cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// There is no such file below the root.
    Absent,
    /// The file is there, and this process may not read it.
    Forbidden(Errno),
    /// This process has no room for another open file.
    Full(Errno),
    /// The root is away or broken: why, in words that name no path, and the system's own reason.
    Away(&'static str, Option<Errno>),
}

/// The system's answer to a path that was looked up below a root.
impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        match errno {
            // The last four: a link that is not followed or leaves the root, a name that is too
            // long, and bytes that the file system refuses in names.
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::LOOP
            | Errno::XDEV
            | Errno::NAMETOOLONG
            | Errno::ILSEQ => Self::Absent,
            Errno::ACCESS | Errno::PERM => Self::Forbidden(errno),
            Errno::MFILE | Errno::NFILE | Errno::NOMEM => Self::Full(errno),
            Errno::STALE => Self::Away("is stale: its mount was replaced", Some(errno)),
            _ => Self::Away("cannot be read", Some(errno)),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(errno) => errno.into(),
            None => Self::Away("cannot be read", None),
        }
    }
}

/// The error of an identifier that names no file.
pub(super) fn not_found() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "there is no image with this identifier",
    )
    .about(Parameter::Identifier)
}

/// The error of a source that is away; the words of every such error.
pub(super) fn away() -> Error {
    Error::new(
        ErrorKind::Upstream,
        "the image source does not answer; try again later",
    )
}

/// The error of a master that is no longer what it was when it was opened.
pub(super) fn changed() -> Error {
    Error::new(
        ErrorKind::Upstream,
        "the image changed while it was read; try again",
    )
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Absent => not_found(),
            Failure::Forbidden(errno) => {
                Self::new(ErrorKind::Forbidden, "this image may not be read").with_source(errno)
            }
            Failure::Full(errno) => {
                Self::new(ErrorKind::Busy, "too many images are open; try again").with_source(errno)
            }
            Failure::Away(words, Some(errno)) => {
                away().with_source(errno).while_doing(root_that(words))
            }
            Failure::Away(words, None) => away().while_doing(root_that(words)),
        }
    }
}

fn root_that(words: &str) -> String {
    format!("reading a root that {words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_answers_have_their_kinds() {
        let cases = [
            (Errno::NOENT, ErrorKind::NotFound),
            (Errno::NOTDIR, ErrorKind::NotFound),
            (Errno::LOOP, ErrorKind::NotFound),
            (Errno::XDEV, ErrorKind::NotFound),
            (Errno::NAMETOOLONG, ErrorKind::NotFound),
            (Errno::ACCESS, ErrorKind::Forbidden),
            (Errno::PERM, ErrorKind::Forbidden),
            (Errno::MFILE, ErrorKind::Busy),
            (Errno::NFILE, ErrorKind::Busy),
            (Errno::IO, ErrorKind::Upstream),
            (Errno::STALE, ErrorKind::Upstream),
            (Errno::TIMEDOUT, ErrorKind::Upstream),
            (Errno::NOTCONN, ErrorKind::Upstream),
            (Errno::HOSTDOWN, ErrorKind::Upstream),
        ];
        for (errno, kind) in cases {
            let error = Error::from(Failure::from(errno));
            assert_eq!(error.kind(), kind, "{errno}");
            let raised = Error::from(Failure::from(io::Error::from_raw_os_error(
                errno.raw_os_error(),
            )));
            assert_eq!(raised.kind(), kind, "{errno}");
        }
    }
}
