//! Kind of error → status code: the only place where the two meet.
//!
//! Source: image-3 I3-HTTP-08; I11-FMT-02 for 415; RFC 9110 §15.

use hyper::StatusCode;

use crate::error::{Error, ErrorKind, Parameter};

/// The status that tells a client of this error.
///
/// A request that was withdrawn has no reader; it counts as a server that ended early.
pub(super) const fn of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::BadRequest => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::NotImplemented => StatusCode::NOT_IMPLEMENTED,
        ErrorKind::Busy | ErrorKind::Upstream | ErrorKind::Cancelled => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::Corrupt | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The status of `error` under Image API 1.x, where an unknown format has a status of its own.
///
/// Source: I11-FMT-02, I10-ERR-03.
pub(super) fn of_first_version(error: &Error) -> StatusCode {
    match (error.kind(), error.parameter()) {
        (ErrorKind::BadRequest, Some(Parameter::Format)) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        (kind, _) => of(kind),
    }
}

/// The code as text, for metrics, whose label values live as long as the program.
pub(super) const fn label(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200 => "200",
        204 => "204",
        303 => "303",
        304 => "304",
        400 => "400",
        401 => "401",
        403 => "403",
        404 => "404",
        405 => "405",
        413 => "413",
        414 => "414",
        415 => "415",
        500 => "500",
        501 => "501",
        503 => "503",
        504 => "504",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i3_http_08_every_kind_has_its_status() {
        for (kind, status) in [
            (ErrorKind::BadRequest, 400),
            (ErrorKind::Unauthorized, 401),
            (ErrorKind::Forbidden, 403),
            (ErrorKind::NotFound, 404),
            (ErrorKind::NotImplemented, 501),
            (ErrorKind::Busy, 503),
            (ErrorKind::Upstream, 503),
            (ErrorKind::Timeout, 504),
            (ErrorKind::Corrupt, 500),
            (ErrorKind::TooLarge, 413),
            (ErrorKind::Cancelled, 503),
            (ErrorKind::Internal, 500),
        ] {
            assert_eq!(of(kind).as_u16(), status, "{kind:?}");
            assert_eq!(label(of(kind)), status.to_string(), "{kind:?}");
        }
    }

    #[test]
    fn i11_fmt_02_an_unknown_format_is_415_in_1_x_alone() {
        let error = Error::bad_request(Parameter::Format, "no such format");
        assert_eq!(of_first_version(&error).as_u16(), 415);
        assert_eq!(of(error.kind()).as_u16(), 400);
        let error = Error::bad_request(Parameter::Size, "no such size");
        assert_eq!(of_first_version(&error).as_u16(), 400);
    }
}
