//! One request, independent of the server that it is sent to, and what a right answer to it looks like.
//!
//! The grammar and the arithmetic are those of `iiif`; the versions of the Image API differ here in how a
//! request is spelt, never in what it asks.

use serde_json::Value;

use super::client::Reply;
use super::sniff;
use crate::geometry::Dimensions;
use crate::iiif::{ImageRequest, ImageTraits, Resolved, SizeRules, Version};

/// A request about an image of the collection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Question {
    /// The image's place in the collection.
    pub(super) image: usize,
    /// What follows the identifier in Image API 3, and in 2.
    spelt: [String; 2],
    expected: Expected,
}

/// What a right answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Expected {
    /// An information document about an image with these dimensions.
    Document(Dimensions),
    /// A picture with these dimensions; the specification leaves each side this many pixels of freedom.
    Picture(Dimensions, [u32; 2]),
}

/// What an answer turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As expected, with this many pixels.
    Right(u64),
    /// Other dimensions than expected, within what is allowed.
    Near(u64),
    /// Other dimensions: these in place of those.
    Wrong(Dimensions, Dimensions),
    /// Neither a picture nor a document.
    Unreadable,
}

/// Pixels by which the box of a turned picture may differ: how it is rounded is free (I3-ROT-07).
const TURNED_BOX_PX: u32 = 2;

impl Question {
    /// The question for an image's information document.
    pub(super) fn info(image: usize, dimensions: Dimensions) -> Self {
        Self {
            image,
            spelt: ["info.json".to_owned(), "info.json".to_owned()],
            expected: Expected::Document(dimensions),
        }
    }

    /// The question for `region` of an image in `size`; `None` if Image API 3 forbids it.
    pub(super) fn picture(
        image: usize,
        dimensions: Dimensions,
        [region, size, rotation, last]: [&str; 4],
        canonical: bool,
    ) -> Option<Self> {
        let asked = |version| resolve(version, dimensions, [region, size, rotation, last]);
        let three = asked(Version::V3)?;
        let spelt = if canonical {
            let exact = format!("{},{}", three.size.width, three.size.height);
            let two = resolve(Version::V2, dimensions, [region, &exact, rotation, last])?;
            [three.canonical.clone(), two.canonical]
        } else {
            let verbatim = [region, size, rotation, last].join("/");
            [verbatim.clone(), verbatim]
        };
        let size = if canonical { "" } else { size };
        Some(Self {
            image,
            spelt,
            expected: expected(&three, size),
        })
    }

    /// What follows the identifier, in `version`.
    pub(super) fn spelt(&self, version: Version) -> &str {
        let [three, two] = &self.spelt;
        match version {
            Version::V3 => three,
            Version::V1_0 | Version::V1_1 | Version::V2 => two,
        }
    }

    /// What `reply` is, where sides may be `tolerance_px` off.
    pub(super) fn judge(&self, reply: &Reply, tolerance_px: u32) -> Verdict {
        let (expected, found, slack) = match self.expected {
            Expected::Document(expected) => (expected, document(&reply.head), [0; 2]),
            Expected::Picture(expected, slack) => (expected, sniff::dimensions(&reply.head), slack),
        };
        let Some(found) = found else {
            return Verdict::Unreadable;
        };
        let [across, down] = slack;
        let pixels = match self.expected {
            Expected::Document(_) => 0,
            Expected::Picture(..) => found.area(),
        };
        if found == expected {
            Verdict::Right(pixels)
        } else if found.width.abs_diff(expected.width) <= across + tolerance_px
            && found.height.abs_diff(expected.height) <= down + tolerance_px
        {
            Verdict::Near(pixels)
        } else {
            Verdict::Wrong(found, expected)
        }
    }
}

fn resolve(version: Version, dimensions: Dimensions, segments: [&str; 4]) -> Option<Resolved> {
    let image = ImageTraits {
        dimensions,
        is_gray: false,
        has_alpha: false,
    };
    let [region, size, rotation, last] = segments;
    let request = ImageRequest::parse(version, &["i", region, size, rotation, last], None);
    request.ok()?.resolve(&image, &SizeRules::default()).ok()
}

/// The dimensions of the answer to a resolved request whose size segment was `size`.
///
/// A side that the size leaves open follows from the other, and how it is rounded is a server's own
/// (I3-SIZ-16): it may be 1 pixel off.
fn expected(resolved: &Resolved, size: &str) -> Expected {
    let open = match size.split_once(',') {
        Some((width, _)) if width.starts_with('!') => [1, 1],
        Some(("", _)) => [1, 0],
        Some((_, "")) => [0, 1],
        _ => [0, 0],
    };
    match resolved.quarter_turns() {
        Some(turns) if turns % 2 == 0 => Expected::Picture(resolved.size, open),
        Some(_) => Expected::Picture(resolved.size.transposed(), [open[1], open[0]]),
        None => Expected::Picture(turned(resolved), [TURNED_BOX_PX; 2]),
    }
}

/// The box of a picture turned by any angle (I3-ROT-07).
fn turned(request: &Resolved) -> Dimensions {
    let degrees: f64 = request.degrees.to_string().parse().unwrap_or(0.0);
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let (width, height) = (
        f64::from(request.size.width),
        f64::from(request.size.height),
    );
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates, and both are positive"
    )]
    let reach =
        |along: f64, across: f64| (along.abs() + across.abs() - 1e-6).ceil().max(1.0) as u32;
    Dimensions {
        width: reach(width * cosine, height * sine),
        height: reach(width * sine, height * cosine),
    }
}

/// The dimensions that an information document states.
fn document(body: &[u8]) -> Option<Dimensions> {
    let info: Value = serde_json::from_slice(body).ok()?;
    stated(&info)
}

/// The dimensions in a parsed information document.
pub(super) fn stated(info: &Value) -> Option<Dimensions> {
    let side = |name: &str| u32::try_from(info[name].as_u64()?).ok();
    Dimensions::new(side("width")?, side("height")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).expect("not empty")
    }

    fn ask(segments: [&str; 4], canonical: bool) -> Question {
        Question::picture(0, full(1025, 513), segments, canonical).expect("a correct request")
    }

    fn png(width: u32, height: u32) -> Reply {
        let mut head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        head.extend(width.to_be_bytes());
        head.extend(height.to_be_bytes());
        Reply {
            status: 200,
            server: None,
            bytes: 24,
            head,
        }
    }

    #[test]
    fn each_version_is_asked_in_its_own_canonical_form() {
        let tile = ask(["512,0,513,513", "257,257", "0", "default.jpg"], true);
        assert_eq!(
            tile.spelt(Version::V3),
            "512,0,513,513/257,257/0/default.jpg"
        );
        assert_eq!(tile.spelt(Version::V2), "512,0,513,513/257,/0/default.jpg");
        let whole = ask(["full", "max", "0", "default.jpg"], true);
        assert_eq!(whole.spelt(Version::V3), "full/max/0/default.jpg");
        assert_eq!(whole.spelt(Version::V2), "full/full/0/default.jpg");
        let thumbnail = ask(["full", "!200,200", "0", "default.jpg"], false);
        assert_eq!(thumbnail.spelt(Version::V2), "full/!200,200/0/default.jpg");
        assert_eq!(
            Question::picture(0, full(9, 9), ["full", "10,", "0", "default.jpg"], false),
            None
        );
    }

    #[test]
    fn a_stated_side_is_exact_and_an_open_one_may_be_rounded_either_way() {
        let exact = ask(["full", "200,100", "0", "default.jpg"], true);
        assert_eq!(exact.judge(&png(200, 100), 0), Verdict::Right(20_000));
        assert_eq!(
            exact.judge(&png(200, 101), 0),
            Verdict::Wrong(full(200, 101), full(200, 100))
        );
        assert_eq!(exact.judge(&png(200, 101), 1), Verdict::Near(20_200));
        let open = ask(["full", ",120", "90", "default.jpg"], false);
        // 240 wide before the quarter turn.
        assert_eq!(open.judge(&png(120, 240), 0), Verdict::Right(28_800));
        assert_eq!(open.judge(&png(120, 239), 0), Verdict::Near(28_680));
        assert_eq!(
            open.judge(&png(119, 240), 0),
            Verdict::Wrong(full(119, 240), full(120, 240))
        );
    }

    #[test]
    fn a_turned_picture_has_the_box_of_its_corners() {
        let turned = ask(["full", "200,100", "45", "default.png"], true);
        assert_eq!(turned.judge(&png(213, 213), 0), Verdict::Right(45_369));
        assert_eq!(turned.judge(&png(214, 212), 0), Verdict::Near(45_368));
        assert!(matches!(
            turned.judge(&png(200, 100), 0),
            Verdict::Wrong(..)
        ));
    }

    #[test]
    fn what_is_neither_picture_nor_document_is_unreadable() {
        let reply = |text: &str| Reply {
            head: text.as_bytes().to_vec(),
            ..png(1, 1)
        };
        let info = Question::info(0, full(9, 8));
        assert_eq!(
            info.judge(&reply(r#"{"width":9,"height":8}"#), 0),
            Verdict::Right(0)
        );
        let other = Verdict::Wrong(full(9, 9), full(9, 8));
        assert_eq!(info.judge(&reply(r#"{"width":9,"height":9}"#), 0), other);
        assert_eq!(info.judge(&reply("<html>"), 0), Verdict::Unreadable);
        let picture = ask(["full", "max", "0", "default.jpg"], true);
        assert_eq!(picture.judge(&reply("<html>"), 0), Verdict::Unreadable);
    }
}
