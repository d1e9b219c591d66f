//! A server that is measured: its name, its address, and how it spells an identifier in a path.

use std::net::SocketAddr;

use crate::iiif::{Identifier, Version};

/// A server as the command line names it: `[NAME=]http://host:port/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// What reports call it.
    pub(super) name: String,
    /// `host:port`.
    pub(super) authority: String,
    /// Path before and after the identifier.
    around: (String, String),
    /// How the identifier is written.
    spelling: Spelling,
}

/// How a server wants an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// `{id}`: one segment, slashes encoded, as IIIF has it.
    Segment,
    /// `{path}`: slashes stay slashes.
    Path,
    /// `{stem}`: one segment, without its last extension.
    Stem,
}

const PLACES: [(&str, Spelling); 3] = [
    ("{id}", Spelling::Segment),
    ("{path}", Spelling::Path),
    ("{stem}", Spelling::Stem),
];

impl Target {
    /// Reads `NAME=URL`, for servers beside the first.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the text.
    pub(super) fn named(text: &str) -> Result<Self, String> {
        let (name, url) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty() && !name.contains("://"))
            .ok_or("write NAME=URL: iipimage=http://127.0.0.1:8080/iiif")?;
        Self::new(name, url)
    }

    /// Reads `[NAME=]URL`, for the first server, which is called `triforium` unless named.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the text.
    pub(super) fn first(text: &str) -> Result<Self, String> {
        Self::named(text).or_else(|_| Self::new("triforium", text))
    }

    fn new(name: &str, url: &str) -> Result<Self, String> {
        let rest = url
            .strip_prefix("http://")
            .ok_or("the address begins with http://; other protocols are not spoken")?;
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.is_empty() || authority.contains(['@', '?', '#']) {
            return Err("the address has no host".to_owned());
        }
        let (around, spelling) = template(path);
        Ok(Self {
            name: name.to_owned(),
            authority: with_port(authority),
            around,
            spelling,
        })
    }

    /// The request target of `rest` (`info.json`, or the segments of an image request).
    pub(super) fn path(&self, identifier: &Identifier, rest: &str) -> String {
        let (before, after) = &self.around;
        let spelt = match self.spelling {
            Spelling::Segment => identifier.encoded(),
            Spelling::Path => identifier.encoded().replace("%2F", "/"),
            Spelling::Stem => stem(identifier),
        };
        format!("{before}{spelt}{after}/{rest}")
    }

    /// The request target of a page of the start page's list, for a server like this program.
    pub(super) fn list(&self, page: usize) -> String {
        let before = &self.around.0;
        let root = before.split("/iiif/").next().unwrap_or_default();
        format!("{root}/?page={page}")
    }

    /// The address as it was given, without the protocol.
    pub(super) fn address(&self) -> String {
        let (before, after) = &self.around;
        let place = PLACES.iter().find(|(_, s)| *s == self.spelling);
        let place = place.map_or("{id}", |(place, _)| *place);
        if after.is_empty() && self.spelling == Spelling::Segment {
            return format!("{}{}", self.authority, before.trim_end_matches('/'));
        }
        format!("{}{before}{place}{after}", self.authority)
    }

    /// The address to connect to.
    ///
    /// # Errors
    ///
    /// Where the name is not known.
    pub(super) async fn resolve(&self) -> std::io::Result<SocketAddr> {
        let mut found = tokio::net::lookup_host(&self.authority).await?;
        let unusable = || std::io::Error::other("no such address");
        found.next().ok_or_else(unusable)
    }
}

/// What stands before and after the identifier, and how that is written.
fn template(path: &str) -> ((String, String), Spelling) {
    for (place, spelling) in PLACES {
        if let Some((before, after)) = path.split_once(place) {
            let around = (before.to_owned(), after.trim_end_matches('/').to_owned());
            return (around, spelling);
        }
    }
    let before = format!("{}/", path.trim_end_matches('/'));
    ((before, String::new()), Spelling::Segment)
}

fn with_port(authority: &str) -> String {
    let host = authority.rsplit(']').next().unwrap_or(authority);
    if host.contains(':') {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    }
}

/// The identifier as one segment, without what follows its last dot.
fn stem(identifier: &Identifier) -> String {
    let name = identifier.encoded();
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && !extension.contains("%2F") => {
            stem.to_owned()
        }
        _ => name,
    }
}

/// The Image API of an information document, by its context.
///
/// Source: Image API 3.0 section 5.2 and 2.1 section 5.2.
pub(super) fn version_of(info: &serde_json::Value) -> Option<Version> {
    let context = &info["@context"];
    let several = context.as_array().map(Vec::as_slice);
    let contexts = several.unwrap_or(std::slice::from_ref(context));
    contexts.iter().find_map(|context| match context.as_str()? {
        "http://iiif.io/api/image/3/context.json" => Some(Version::V3),
        "http://iiif.io/api/image/2/context.json" => Some(Version::V2),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(target: &str, identifier: &str) -> String {
        let target = Target::named(target).expect("a target");
        let identifier = Identifier::new(identifier).expect("an identifier");
        target.path(&identifier, "info.json")
    }

    #[test]
    fn an_identifier_is_written_as_the_server_wants_it() {
        for (target, expected) in [
            ("a=http://h:1/iiif/3", "/iiif/3/box%2Fpage.1.tif/info.json"),
            ("a=http://h:1/iiif/3/", "/iiif/3/box%2Fpage.1.tif/info.json"),
            ("a=http://h:1/x/{path}", "/x/box/page.1.tif/info.json"),
            ("a=http://h:1/x/{stem}.jp2", "/x/box%2Fpage.1.jp2/info.json"),
            (
                "a=http://h/fcgi-bin/iipsrv.fcgi?IIIF=/m/{id}",
                "/fcgi-bin/iipsrv.fcgi?IIIF=/m/box%2Fpage.1.tif/info.json",
            ),
        ] {
            assert_eq!(path(target, "box/page.1.tif"), expected, "{target}");
        }
        assert_eq!(
            path("a=http://h/{stem}", "v1.2/page"),
            "/v1.2%2Fpage/info.json"
        );
    }

    #[test]
    fn a_server_has_a_name_a_host_and_a_port() {
        let target = Target::first("http://[::1]/iiif/3").expect("a target");
        assert_eq!(
            (target.name.as_str(), target.authority.as_str()),
            ("triforium", "[::1]:80")
        );
        assert_eq!(target.address(), "[::1]:80/iiif/3");
        let target = Target::first("mine=http://h:8182/p/iiif/3/{id}").expect("a target");
        assert_eq!(
            (target.name.as_str(), target.authority.as_str()),
            ("mine", "h:8182")
        );
        assert_eq!(target.list(2), "/p/?page=2");
        for wrong in [
            "",
            "a=",
            "=http://h/",
            "a=https://h/",
            "a=http:///x",
            "http://h/x",
        ] {
            assert!(Target::named(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_document_says_its_version() {
        let of = |text: &str| version_of(&serde_json::from_str(text).expect("JSON"));
        assert_eq!(
            of(r#"{"@context":"http://iiif.io/api/image/3/context.json"}"#),
            Some(Version::V3)
        );
        assert_eq!(
            of(r#"{"@context":["http://example.org/","http://iiif.io/api/image/2/context.json"]}"#),
            Some(Version::V2)
        );
        assert_eq!(of("{}"), None);
    }
}
