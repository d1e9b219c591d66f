//! Raw path → [`Route`]: what is asked for, not yet whether it exists.
//!
//! Pure. The raw path is split at its slashes before anything is decoded; segments stay as they were
//! sent and are decoded, once, by `iiif`. Query strings are no part of it (I3-URI-10).
//!
//! Source: I3-URI-01 to 08, I3-ENC-05, I2-GEN-01, I10-INF-01.

use super::config::Versionless;
use crate::iiif::Version;

/// What a path asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// The start page.
    Start,
    /// The page that opens one picture.
    View,
    /// A file of the start page or the viewer.
    Asset(&'a str),
    /// Whether the process lives.
    Live,
    /// Whether requests can be answered.
    Ready,
    /// What crawlers may fetch.
    Robots,
    /// All metrics; on the admin listener alone.
    Metrics,
    /// What would be done for a path; on the admin listener alone.
    Explain,
    /// What is known of the GPU; on the admin listener alone.
    Gpu,
    /// A base URI, which leads to its information document.
    Base(Target<'a>),
    /// An information document.
    Info(Target<'a>),
    /// The XML information document of Image API 1.0.
    InfoXml(Target<'a>),
    /// An image: region, size, rotation and the last segment, as sent.
    Image(Target<'a>, [&'a str; 4]),
    /// Nothing.
    Unknown,
}

/// An image service as a path names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// The Image API that is spoken.
    pub(super) version: Version,
    /// The version's segment as sent; none in the shape without version.
    pub(super) spelling: Option<&'a str>,
    /// The identifier as sent.
    pub(super) identifier: &'a str,
}

impl Target<'_> {
    /// The path of the image service that is called `identifier`, encoded.
    pub(super) fn path(&self, identifier: &str) -> String {
        match self.spelling {
            Some(spelling) => format!("/iiif/{spelling}/{identifier}"),
            None => format!("/iiif/{identifier}"),
        }
    }
}

impl<'a> Route<'a> {
    /// The route of a raw path under `prefix`, which is empty or starts with a slash.
    pub(super) fn parse(path: &'a str, prefix: &str, versionless: Versionless) -> Self {
        if let Some(
            route @ (Self::Live
            | Self::Ready
            | Self::Robots
            | Self::Metrics
            | Self::Explain
            | Self::Gpu),
        ) = fixed(path)
        {
            return route;
        }
        let Some(path) = path.strip_prefix(prefix) else {
            return Self::Unknown;
        };
        if path.is_empty() {
            return Self::Start;
        }
        if let Some(route) = fixed(path) {
            return route;
        }
        path.strip_prefix("/iiif/")
            .map_or(Self::Unknown, |path| iiif(path, versionless))
    }

    /// The labels of its metrics: API and kind.
    pub(super) const fn labels(&self) -> [&'static str; 2] {
        match self {
            Self::Start | Self::View | Self::Asset(_) => ["other", "page"],
            Self::Live | Self::Ready => ["other", "health"],
            Self::Robots => ["other", "robots"],
            Self::Metrics => ["other", "metrics"],
            Self::Explain => ["other", "explain"],
            Self::Gpu => ["other", "gpu"],
            Self::Base(target) => [api(target.version), "redirect"],
            Self::Info(target) | Self::InfoXml(target) => [api(target.version), "info"],
            Self::Image(target, _) => [api(target.version), "image"],
            Self::Unknown => ["other", "unknown"],
        }
    }

    /// The version that is spoken, where one is.
    pub(super) const fn version(&self) -> Option<Version> {
        match self {
            Self::Base(target)
            | Self::Info(target)
            | Self::InfoXml(target)
            | Self::Image(target, _) => Some(target.version),
            Self::Start
            | Self::View
            | Self::Asset(_)
            | Self::Live
            | Self::Ready
            | Self::Robots
            | Self::Metrics
            | Self::Explain
            | Self::Gpu
            | Self::Unknown => None,
        }
    }
}

const fn api(version: Version) -> &'static str {
    match version {
        Version::V1_0 | Version::V1_1 => "image1",
        Version::V2 => "image2",
        Version::V3 => "image3",
    }
}

fn fixed(path: &str) -> Option<Route<'_>> {
    match path {
        "/" => Some(Route::Start),
        "/view" => Some(Route::View),
        "/health/live" => Some(Route::Live),
        "/health/ready" => Some(Route::Ready),
        "/robots.txt" => Some(Route::Robots),
        "/metrics" => Some(Route::Metrics),
        "/explain" => Some(Route::Explain),
        "/gpu" => Some(Route::Gpu),
        _ => path.strip_prefix("/assets/").map(Route::Asset),
    }
}

/// A path below `/iiif/`. The shape with a version comes first, so that an identifier spelt like a
/// version never hides one.
fn iiif(path: &str, versionless: Versionless) -> Route<'_> {
    let versioned = path.split_once('/').and_then(|(spelling, rest)| {
        let version = version(spelling)?;
        Some(service(version, Some(spelling), rest))
    });
    match versioned {
        None | Some(Route::Unknown) => match versionless {
            Versionless::Off => Route::Unknown,
            Versionless::Two => service(Version::V2, None, path),
            Versionless::Three => service(Version::V3, None, path),
        },
        Some(route) => route,
    }
}

/// The version that a path segment names; a major version alone names the newest of its line.
fn version(segment: &str) -> Option<Version> {
    match segment {
        "3" | "3.0" => Some(Version::V3),
        "2" | "2.0" | "2.1" => Some(Version::V2),
        "1" | "1.1" => Some(Version::V1_1),
        "1.0" => Some(Version::V1_0),
        _ => None,
    }
}

fn service<'a>(version: Version, spelling: Option<&'a str>, path: &'a str) -> Route<'a> {
    let segments: Vec<&str> = path.splitn(6, '/').collect();
    let target = |identifier| Target {
        version,
        spelling,
        identifier,
    };
    match *segments.as_slice() {
        ["", ..] => Route::Unknown,
        [identifier] | [identifier, ""] => Route::Base(target(identifier)),
        [identifier, last] if spells(last, "info.json") => Route::Info(target(identifier)),
        [identifier, last] if version.is_1x() && spells(last, "info.xml") => {
            Route::InfoXml(target(identifier))
        }
        [identifier, region, size, rotation, last] => {
            Route::Image(target(identifier), [region, size, rotation, last])
        }
        _ => Route::Unknown,
    }
}

/// Whether a raw segment says `text`, of which any character may come encoded (I3-ENC-04).
fn spells(raw: &str, text: &str) -> bool {
    let mut raw = raw.bytes();
    let decoded = std::iter::from_fn(|| match raw.next()? {
        b'%' => Some(escaped(raw.next(), raw.next())),
        byte => Some(Some(byte)),
    });
    decoded.eq(text.bytes().map(Some))
}

/// The byte that two hexadecimal digits stand for.
fn escaped(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &str) -> Route<'_> {
        Route::parse(path, "", Versionless::Off)
    }

    fn target<'a>(version: Version, spelling: &'a str, identifier: &'a str) -> Target<'a> {
        Target {
            version,
            spelling: Some(spelling),
            identifier,
        }
    }

    #[test]
    fn i3_uri_01_an_image_has_exactly_five_segments() {
        assert_eq!(
            route("/iiif/3/a%2Fb/full/max/0/default.jpg"),
            Route::Image(
                target(Version::V3, "3", "a%2Fb"),
                ["full", "max", "0", "default.jpg"]
            )
        );
        assert_eq!(route("/iiif/3/x/full/max/0"), Route::Unknown);
        assert_eq!(route("/iiif/3/x/full/max"), Route::Unknown);
    }

    #[test]
    fn i3_uri_07_an_unencoded_slash_in_an_identifier_is_no_route() {
        assert_eq!(route("/iiif/2/a/b/full/full/0/default.jpg"), Route::Unknown);
        assert_eq!(route("/iiif/3/a/b/info.json"), Route::Unknown);
        assert_eq!(route("/iiif/3/x/full/max/0/default.jpg/"), Route::Unknown);
    }

    #[test]
    fn i3_uri_04_a_base_uri_is_known_with_and_without_a_last_slash() {
        let base = Route::Base(target(Version::V3, "3", "x"));
        assert_eq!(route("/iiif/3/x"), base);
        assert_eq!(route("/iiif/3/x/"), base);
        assert_eq!(route("/iiif/3/"), Route::Unknown);
        assert_eq!(route("/iiif/3"), Route::Unknown);
        assert_eq!(route("/iiif/3//info.json"), Route::Unknown);
    }

    #[test]
    fn every_version_has_its_prefix() {
        for (spelling, version) in [
            ("3", Version::V3),
            ("3.0", Version::V3),
            ("2", Version::V2),
            ("2.0", Version::V2),
            ("2.1", Version::V2),
            ("1.1", Version::V1_1),
            ("1.0", Version::V1_0),
            ("1", Version::V1_1),
        ] {
            let path = format!("/iiif/{spelling}/x/info.json");
            assert_eq!(route(&path), Route::Info(target(version, spelling, "x")));
        }
        assert_eq!(route("/iiif/4/x/info.json"), Route::Unknown);
    }

    #[test]
    fn i10_inf_01_info_xml_is_a_document_of_1_x_alone() {
        let xml = Route::InfoXml(target(Version::V1_0, "1.0", "x"));
        assert_eq!(route("/iiif/1.0/x/info.xml"), xml);
        let xml = Route::InfoXml(target(Version::V1_1, "1", "x"));
        assert_eq!(route("/iiif/1/x/info.xml"), xml);
        assert_eq!(route("/iiif/2/x/info.xml"), Route::Unknown);
    }

    #[test]
    fn i3_enc_04_the_documents_name_may_come_encoded() {
        let info = Route::Info(target(Version::V3, "3", "x"));
        assert_eq!(route("/iiif/3/x/info%2Ejson"), info);
        assert_eq!(route("/iiif/3/x/info%2ejson"), info);
        assert_eq!(route("/iiif/3/x/info%252Ejson"), Route::Unknown);
        assert_eq!(route("/iiif/3/x/INFO.JSON"), Route::Unknown);
        assert_eq!(route("/iiif/3/x/info.json%"), Route::Unknown);
    }

    #[test]
    fn without_a_version_the_setting_decides() {
        let parse = |path, versionless| Route::parse(path, "", versionless);
        let path = "/iiif/x/info.json";
        assert_eq!(parse(path, Versionless::Off), Route::Unknown);
        for (setting, version) in [
            (Versionless::Two, Version::V2),
            (Versionless::Three, Version::V3),
        ] {
            let target = Target {
                version,
                spelling: None,
                identifier: "x",
            };
            assert_eq!(parse(path, setting), Route::Info(target));
        }
        let versioned = parse("/iiif/2/x/info.json", Versionless::Three);
        assert_eq!(versioned, Route::Info(target(Version::V2, "2", "x")));
    }

    #[test]
    fn a_prefix_is_needed_except_by_probes_crawlers_and_the_operator() {
        let parse = |path| Route::parse(path, "/a", Versionless::Off);
        assert_eq!(parse("/a/"), Route::Start);
        assert_eq!(parse("/a"), Route::Start);
        assert_eq!(parse("/"), Route::Unknown);
        assert_eq!(
            parse("/a/iiif/3/x"),
            Route::Base(target(Version::V3, "3", "x"))
        );
        assert_eq!(parse("/iiif/3/x"), Route::Unknown);
        assert_eq!(parse("/ab/iiif/3/x"), Route::Unknown);
        assert_eq!(parse("/health/ready"), Route::Ready);
        assert_eq!(parse("/robots.txt"), Route::Robots);
        assert_eq!(parse("/metrics"), Route::Metrics);
        assert_eq!(parse("/explain"), Route::Explain);
        assert_eq!(parse("/gpu"), Route::Gpu);
    }

    #[test]
    fn a_services_path_is_spelt_as_it_was_asked() {
        let with = target(Version::V2, "2.1", "x");
        assert_eq!(with.path("a%2Fb"), "/iiif/2.1/a%2Fb");
        let without = Target {
            spelling: None,
            ..with
        };
        assert_eq!(without.path("a"), "/iiif/a");
    }

    #[test]
    fn other_paths_are_fixed() {
        assert_eq!(route("/"), Route::Start);
        assert_eq!(route("/view"), Route::View);
        assert_eq!(route("/health/live"), Route::Live);
        assert_eq!(route("/assets/app.js"), Route::Asset("app.js"));
        assert_eq!(route("/metrics"), Route::Metrics);
        assert_eq!(route("/metrics/"), Route::Unknown);
        assert_eq!(route("/explain"), Route::Explain);
        assert_eq!(route("//iiif/3/x"), Route::Unknown);
        assert_eq!(route("*"), Route::Unknown);
    }
}
