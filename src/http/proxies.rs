//! Who asked, and under which address, when proxies stand between.
//!
//! Forwarding headers are read only when the peer is a trusted proxy. Where several proxies wrote
//! into one header, the value taken is that of the outermost trusted one; what lies further out was
//! written by the client. A value that is not well-formed counts as absent.
//!
//! Source: RFC 7239 for `Forwarded`; the `X-Forwarded-*` family by usage.

use std::net::{IpAddr, SocketAddr};

use hyper::HeaderMap;
use hyper::http::uri::Authority;

use super::config::Settings;

/// What trusted proxies say of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Forwarded {
    /// The nearest address that is not a trusted proxy.
    pub(super) client: IpAddr,
    /// `http` or `https`, as the client used it.
    pub(super) scheme: Option<&'static str>,
    /// Host, with port if one was given, as the client used it.
    pub(super) authority: Option<String>,
    /// The path that proxies cut off before they passed the request on; starts with a slash.
    pub(super) prefix: String,
}

impl Forwarded {
    /// Reads what the headers of a request from `peer` say.
    pub(super) fn read(headers: &HeaderMap, peer: IpAddr, settings: &Settings) -> Self {
        let peer = peer.to_canonical();
        if !settings.trusts(peer) {
            return Self::direct(peer);
        }
        let standard = items(headers, "forwarded");
        if standard.is_empty() {
            Self::from_family(headers, peer, settings)
        } else {
            Self::from_standard(&standard, peer, settings)
        }
        .with_prefix(headers)
    }

    fn direct(client: IpAddr) -> Self {
        Self {
            client,
            scheme: None,
            authority: None,
            prefix: String::new(),
        }
    }

    fn from_family(headers: &HeaderMap, peer: IpAddr, settings: &Settings) -> Self {
        let chain = items(headers, "x-forwarded-for");
        let (client, hops) = outermost(chain.iter().copied(), peer, settings);
        let pick = |name| nth_from_right(&items(headers, name), hops);
        let scheme = pick("x-forwarded-proto").and_then(scheme);
        let host = pick("x-forwarded-host").and_then(authority);
        let port = pick("x-forwarded-port").and_then(|port| port.parse().ok());
        Self {
            client,
            scheme,
            authority: host.map(|host| with_port(host, port, scheme)),
            prefix: String::new(),
        }
    }

    fn from_standard(elements: &[&str], peer: IpAddr, settings: &Settings) -> Self {
        let chain = elements
            .iter()
            .map(|element| pair(element, "for").unwrap_or(""));
        let (client, hops) = outermost(chain, peer, settings);
        let element = nth_from_right(elements, hops).unwrap_or("");
        Self {
            client,
            scheme: pair(element, "proto").and_then(scheme),
            authority: pair(element, "host").and_then(authority),
            prefix: String::new(),
        }
    }

    fn with_prefix(mut self, headers: &HeaderMap) -> Self {
        let named = |name| items(headers, name).last().copied();
        self.prefix = named("x-forwarded-prefix")
            .or_else(|| named("x-forwarded-path"))
            .and_then(path)
            .unwrap_or_default();
        self
    }
}

/// The comma-separated items of a header, over all its lines.
fn items<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .collect()
}

/// Walks from the peer outwards while addresses are trusted: the first that is not, and how many
/// trusted proxies were met.
fn outermost<'a>(
    chain: impl DoubleEndedIterator<Item = &'a str>,
    peer: IpAddr,
    settings: &Settings,
) -> (IpAddr, usize) {
    let mut client = peer;
    let mut hops = 0;
    for item in chain.rev() {
        hops += 1;
        let Some(address) = address(item) else { break };
        client = address;
        if !settings.trusts(address) {
            break;
        }
    }
    (client, hops.max(1))
}

/// The item that the `hops`th proxy from here wrote; the leftmost if each wrote over the others'.
fn nth_from_right<'a>(items: &[&'a str], hops: usize) -> Option<&'a str> {
    items.get(items.len().saturating_sub(hops)).copied()
}

/// An address as `X-Forwarded-For` and `for=` write it: with or without brackets and port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_matches(['[', ']']);
    bare.parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|full| full.ip()))
        .map(|address| address.to_canonical())
}

/// The value of `name` in one element of `Forwarded`, without quotes.
fn pair<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    element
        .split(';')
        .filter_map(|part| part.trim().split_once('='))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim_matches('"'))
}

fn scheme(text: &str) -> Option<&'static str> {
    ["http", "https"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(text))
}

/// A host with an optional port, and nothing else.
pub(super) fn authority(text: &str) -> Option<String> {
    let authority: Authority = text.parse().ok()?;
    let port_is_whole = match text.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => port.parse::<u16>().is_ok(),
        Some(_) | None => true,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:[]".contains(c);
    let usable = !authority.host().is_empty() && port_is_whole && text.chars().all(plain);
    usable.then(|| text.to_owned())
}

fn with_port(host: String, port: Option<u16>, scheme: Option<&str>) -> String {
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.ends_with(']'));
    let usual = match scheme {
        Some("https") => 443,
        Some(_) | None => 80,
    };
    match port {
        Some(port) if !has_port && port != usual => format!("{host}:{port}"),
        Some(_) | None => host,
    }
}

/// A path of plain segments, without its last slash.
fn path(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/%".contains(c);
    let trimmed = text.trim_end_matches('/');
    let usable =
        trimmed.starts_with('/') && !trimmed.starts_with("//") && trimmed.chars().all(plain);
    usable.then(|| trimmed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::config::Config;
    use super::*;

    fn settings() -> Settings {
        let mut config = Config::default();
        config.public.trusted_proxies = vec!["10.0.0.0/8".into(), "fd00::/8".into()];
        Settings::new(config).expect("valid")
    }

    fn read(peer: &str, pairs: &[(&'static str, &str)]) -> Forwarded {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().expect("a header value"));
        }
        let peer = peer.parse().expect("an address");
        Forwarded::read(&headers, peer, &settings())
    }

    const ALL: &[(&str, &str)] = &[
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "images.example.org"),
        ("x-forwarded-prefix", "/collection/"),
    ];

    #[test]
    fn a_peer_that_is_not_trusted_is_not_believed() {
        let peer = "203.0.113.1".parse().expect("an address");
        assert_eq!(read("203.0.113.1", ALL), Forwarded::direct(peer));
        let forged = [("forwarded", "for=1.2.3.4;host=evil.example;proto=https")];
        assert_eq!(read("203.0.113.1", &forged), Forwarded::direct(peer));
    }

    #[test]
    fn a_trusted_proxy_names_client_and_address() {
        let forwarded = read("10.0.0.1", ALL);
        assert_eq!(forwarded.client.to_string(), "203.0.113.9");
        assert_eq!(forwarded.scheme, Some("https"));
        assert_eq!(forwarded.authority.as_deref(), Some("images.example.org"));
        assert_eq!(forwarded.prefix, "/collection");
    }

    #[test]
    fn what_the_client_wrote_before_the_trusted_proxy_is_not_taken() {
        let forwarded = read(
            "10.0.0.1",
            &[
                ("x-forwarded-for", "1.1.1.1, 203.0.113.9"),
                ("x-forwarded-host", "evil.example, images.example.org"),
            ],
        );
        assert_eq!(forwarded.client.to_string(), "203.0.113.9");
        assert_eq!(forwarded.authority.as_deref(), Some("images.example.org"));
    }

    #[test]
    fn of_two_trusted_proxies_the_outer_one_knows_the_public_host() {
        let forwarded = read(
            "10.0.0.1",
            &[
                ("x-forwarded-for", "203.0.113.9, 10.0.0.2"),
                ("x-forwarded-host", "images.example.org, inner.local"),
            ],
        );
        assert_eq!(forwarded.client.to_string(), "203.0.113.9");
        assert_eq!(forwarded.authority.as_deref(), Some("images.example.org"));
    }

    #[test]
    fn the_standard_header_is_read_by_element() {
        let forwarded = read(
            "fd00::1",
            &[(
                "forwarded",
                "for=\"[2001:db8::7]:4711\";proto=https;host=\"a.example:8443\", for=10.0.0.2;host=b",
            )],
        );
        assert_eq!(forwarded.client.to_string(), "2001:db8::7");
        assert_eq!(forwarded.scheme, Some("https"));
        assert_eq!(forwarded.authority.as_deref(), Some("a.example:8443"));
    }

    #[test]
    fn a_port_is_added_where_it_is_not_the_usual_one() {
        let host = ("x-forwarded-host", "a.example");
        let https = ("x-forwarded-proto", "https");
        let with = |port| read("10.0.0.1", &[host, https, ("x-forwarded-port", port)]).authority;
        assert_eq!(with("443").as_deref(), Some("a.example"));
        assert_eq!(with("8443").as_deref(), Some("a.example:8443"));
        assert_eq!(with("x").as_deref(), Some("a.example"));
    }

    #[test]
    fn values_that_are_not_well_formed_count_as_absent() {
        let forwarded = read(
            "10.0.0.1",
            &[
                ("x-forwarded-proto", "javascript"),
                ("x-forwarded-host", "user@evil.example"),
                ("x-forwarded-path", "//evil.example"),
            ],
        );
        let peer = "10.0.0.1".parse().expect("an address");
        assert_eq!(forwarded, Forwarded::direct(peer));
    }

    #[test]
    fn an_authority_is_a_host_with_an_optional_port() {
        for good in ["a", "a.example:80", "127.0.0.1:8182", "[::1]", "[::1]:80"] {
            assert_eq!(authority(good).as_deref(), Some(good));
        }
        for bad in [
            "", "a b", "u@a", "a:b", "a:", "a/b", "a:99999", "a,b", "a\"b", "a;b", "a>b",
        ] {
            assert_eq!(authority(bad), None, "{bad}");
        }
    }
}
