//! The address under which clients reach this server, and the addresses below it.
//!
//! From the settings if they say it; else from the request: what trusted proxies say, then the
//! target's authority or `Host`, under the scheme of the listener.
//!
//! Source: I3-INF-05; RFC 9112 §3.2 for `Host`.

use std::net::SocketAddr;

use hyper::header::HOST;
use hyper::http::request::Parts;
use hyper::{StatusCode, Version};

use super::config::Settings;
use super::problem::Problem;
use super::proxies::{Forwarded, authority};

/// The public address of the server, up to the slash before `iiif`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    root: String,
}

impl Base {
    /// The public address as this request shows it.
    pub(super) fn new(
        settings: &Settings,
        forwarded: &Forwarded,
        host: &str,
        secure: bool,
    ) -> Self {
        if let Some(root) = &settings.base_uri {
            return Self { root: root.clone() };
        }
        let own = if secure { "https" } else { "http" };
        let scheme = forwarded.scheme.unwrap_or(own);
        let host = forwarded.authority.as_deref().unwrap_or(host);
        let root = format!("{scheme}://{host}{}{}", forwarded.prefix, settings.prefix);
        Self { root }
    }

    /// Its path, without a slash at its end; empty at the root of the host.
    pub(super) fn path(&self) -> &str {
        let after_scheme = self.root.split_once("://").map_or("", |(_, rest)| rest);
        after_scheme
            .find('/')
            .and_then(|slash| after_scheme.get(slash..))
            .unwrap_or("")
    }

    /// The address of `path`, which starts with a slash.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }
}

/// The host that a request names, port included.
///
/// # Errors
///
/// 400 if HTTP/1.1 names none, if a request names several, or one that is not a host.
pub(super) fn host(head: &Parts, local: SocketAddr) -> Result<String, Problem> {
    let wrong = || {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "the Host header must name one host",
        )
    };
    let mut lines = head.headers.get_all(HOST).iter();
    let line = lines.next();
    if lines.next().is_some() {
        return Err(wrong());
    }
    let named = line
        .map(|value| value.to_str().ok().and_then(authority).ok_or_else(wrong))
        .transpose()?;
    if named.is_none() && head.version == Version::HTTP_11 {
        return Err(wrong());
    }
    let target = head
        .uri
        .authority()
        .map(|target| authority(target.as_str()).ok_or_else(wrong))
        .transpose()?;
    Ok(target.or(named).unwrap_or_else(|| local.to_string()))
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::super::config::Config;
    use super::*;

    fn host_of(version: Version, target: &str, hosts: &[&str]) -> Result<String, u16> {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header("host", *host);
        }
        let (head, ()) = request.body(()).expect("a request").into_parts();
        let local = "127.0.0.1:8182".parse().expect("an address");
        host(&head, local).map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn http_1_1_needs_exactly_one_well_formed_host() {
        let one = Version::HTTP_11;
        assert_eq!(host_of(one, "/", &["a:1"]), Ok("a:1".into()));
        assert_eq!(host_of(one, "/", &[]), Err(400));
        assert_eq!(host_of(one, "/", &["a", "a"]), Err(400));
        assert_eq!(host_of(one, "/", &["a/b"]), Err(400));
        assert_eq!(host_of(one, "/", &[""]), Err(400));
        assert_eq!(host_of(one, "http://b/", &["a", "b"]), Err(400));
    }

    #[test]
    fn the_targets_authority_comes_before_the_header() {
        assert_eq!(
            host_of(Version::HTTP_11, "http://b/", &["a"]),
            Ok("b".into())
        );
        assert_eq!(
            host_of(Version::HTTP_2, "http://b:2/", &[]),
            Ok("b:2".into())
        );
    }

    #[test]
    fn http_1_0_without_a_host_is_answered_under_the_sockets_address() {
        let answer = host_of(Version::HTTP_10, "/", &[]);
        assert_eq!(answer, Ok("127.0.0.1:8182".into()));
    }

    fn base(change: impl FnOnce(&mut Config), forwarded: &Forwarded) -> String {
        let mut config = Config::default();
        change(&mut config);
        let settings = Settings::new(config).expect("valid");
        Base::new(&settings, forwarded, "h:8182", false).at("/iiif/3/x")
    }

    fn forwarded() -> Forwarded {
        Forwarded {
            client: [127, 0, 0, 1].into(),
            scheme: None,
            authority: None,
            prefix: String::new(),
        }
    }

    #[test]
    fn the_setting_overrules_the_request() {
        let named = |c: &mut Config| c.public.base_uri = "https://i.example/a".into();
        assert_eq!(base(named, &forwarded()), "https://i.example/a/iiif/3/x");
        assert_eq!(base(|_| (), &forwarded()), "http://h:8182/iiif/3/x");
    }

    #[test]
    fn proxies_give_scheme_host_and_prefix() {
        let mut forwarded = forwarded();
        forwarded.scheme = Some("https");
        forwarded.authority = Some("i.example".into());
        forwarded.prefix = "/out".into();
        let prefixed = |c: &mut Config| c.public.prefix = "in".into();
        assert_eq!(
            base(prefixed, &forwarded),
            "https://i.example/out/in/iiif/3/x"
        );
        let settings = Settings::new(Config::default()).expect("valid");
        let base = Base::new(&settings, &forwarded, "h:8182", false);
        assert_eq!(base.path(), "/out");
        forwarded.prefix.clear();
        let base = Base::new(&settings, &forwarded, "h:8182", false);
        assert_eq!(base.path(), "");
    }
}
