//! The settings of overlays, `[overlay]`.

use std::path::PathBuf;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::error::ConfigError;

/// What is laid over masters, by identifier.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OverlayConfig {
    /// Rectangles that nobody sees.
    pub redactions: Vec<RedactionConfig>,
    /// Marks that everybody sees.
    pub watermarks: Vec<WatermarkConfig>,
}

/// Rectangles of masters that nobody sees.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedactionConfig {
    /// Regular expression that the whole of one of a master's names has to match, in any case.
    pub pattern: String,
    /// The page that it is for. 0: all.
    pub page: u32,
    /// Left, top, width and height, in pixels of the full image, upright.
    pub rectangles: Vec<[u32; 4]>,
    /// What fills them: red, green, blue.
    pub colour: [u8; 3],
}

/// A mark on masters: a picture or a line of text.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WatermarkConfig {
    /// Regular expression that the whole of one of a master's names has to match, in any case.
    pub pattern: String,
    /// The page that it is for. 0: all.
    pub page: u32,
    /// File of the picture, in a format that masters may have. Empty: there is a text.
    pub image: PathBuf,
    /// The text. Empty: there is a picture.
    pub text: String,
    /// File of the text's font, TrueType or OpenType.
    pub font: PathBuf,
    /// The text's colour: red, green, blue.
    pub colour: [u8; 3],
    /// Where it lies in the image.
    pub position: Position,
    /// Its distance from the image's edges, in pixels of the full image.
    pub inset_px: u32,
    /// Its width as a share of the image's. 0: the picture's own pixels.
    pub scale: f64,
    /// Its least width, in pixels of the full image.
    pub min_width_px: u32,
    /// Least longer side of the images that have it, in pixels of the full image.
    pub min_image_px: u32,
    /// 0 (not seen, not allowed) to 1 (nothing shines through).
    pub opacity: f64,
}

impl Default for WatermarkConfig {
    fn default() -> Self {
        Self {
            pattern: String::new(),
            page: 0,
            image: PathBuf::new(),
            text: String::new(),
            font: PathBuf::new(),
            colour: [255, 255, 255],
            position: Position::default(),
            inset_px: 0,
            scale: 0.2,
            min_width_px: 0,
            min_image_px: 0,
            opacity: 1.0,
        }
    }
}

/// Where in an image a mark lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// The upper left corner.
    TopLeft,
    /// The middle of the upper edge.
    Top,
    /// The upper right corner.
    TopRight,
    /// The middle of the left edge.
    Left,
    /// The middle.
    Center,
    /// The middle of the right edge.
    Right,
    /// The lower left corner.
    BottomLeft,
    /// The middle of the lower edge.
    Bottom,
    /// The lower right corner.
    #[default]
    BottomRight,
}

/// Longest text, in letters.
const MOST_LETTERS: usize = 200;

/// Largest compiled pattern, in bytes: a setting that is larger is a mistake.
const PATTERN_BYTES: usize = 1 << 20;

impl RedactionConfig {
    /// The compiled pattern, if all keeps its rules. An error's key is the field alone.
    pub(super) fn compile(&self) -> Result<Regex, ConfigError> {
        if self.rectangles.is_empty() {
            return wrong(
                "rectangles",
                "must name one at least: [[x, y, width, height]]",
            );
        }
        let is_sound = |[x, y, width, height]: &[u32; 4]| {
            let ends = |start: &u32, length: &u32| start.checked_add(*length).is_some();
            *width > 0 && *height > 0 && ends(x, width) && ends(y, height)
        };
        if !self.rectangles.iter().all(is_sound) {
            return wrong(
                "rectangles",
                "must be [x, y, width, height] with width and height of at least 1",
            );
        }
        compile(&self.pattern)
    }
}

impl WatermarkConfig {
    /// The compiled pattern, if all keeps its rules; files are not looked at. An error's key is the field
    /// alone.
    pub(super) fn compile(&self) -> Result<Regex, ConfigError> {
        let is_text = !self.text.is_empty();
        let has_image = !self.image.as_os_str().is_empty();
        if is_text == has_image {
            return wrong("image", "must name a file, or text be set, and not both");
        }
        if is_text == self.font.as_os_str().is_empty() {
            return wrong("font", "must name a file where text is set, and only there");
        }
        if self.text.chars().count() > MOST_LETTERS || self.text.chars().any(char::is_control) {
            return wrong("text", "must be one line of 200 letters at most");
        }
        if !(0.0..=1.0).contains(&self.scale) || (is_text && self.scale <= 0.0) {
            return wrong("scale", "must be 0 to 1, and above 0 for a text");
        }
        if !(0.0..=1.0).contains(&self.opacity) || self.opacity16() == 0 {
            return wrong("opacity", "must be above 0, and 1 at most");
        }
        compile(&self.pattern)
    }

    /// The field that names the file.
    pub(super) fn file_field(&self) -> &'static str {
        if self.text.is_empty() {
            "image"
        } else {
            "font"
        }
    }

    /// The file that it needs.
    pub(super) fn file(&self) -> &PathBuf {
        if self.text.is_empty() {
            &self.image
        } else {
            &self.font
        }
    }

    /// The opacity as 0 to 65535.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast from a float saturates"
    )]
    pub(super) fn opacity16(&self) -> u16 {
        (self.opacity * 65_535.0).round() as u16
    }
}

/// A pattern for a whole name. Names that differ in case alone may be one file, so that case counts only
/// where the pattern says so.
fn compile(pattern: &str) -> Result<Regex, ConfigError> {
    if pattern.is_empty() {
        return wrong("pattern", "must not be empty; .* is for every image");
    }
    let build = |text: &str| {
        let mut builder = RegexBuilder::new(text);
        builder.size_limit(PATTERN_BYTES).case_insensitive(true);
        builder.dot_matches_new_line(true).build()
    };
    // The pattern has to be whole by itself, or its parentheses could open the anchors.
    build(pattern)
        .and_then(|_| build(&format!(r"\A(?:{pattern})\z")))
        .map_err(|cause| {
            ConfigError::new("pattern", format!("must be a regular expression: {cause}"))
        })
}

fn wrong<T>(field: &str, rule: &str) -> Result<T, ConfigError> {
    Err(ConfigError::new(field, rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redaction(pattern: &str, rectangle: [u32; 4]) -> RedactionConfig {
        RedactionConfig {
            pattern: pattern.to_owned(),
            rectangles: vec![rectangle],
            ..RedactionConfig::default()
        }
    }

    #[test]
    fn a_pattern_is_for_whole_names_in_any_case() {
        let pattern = redaction("a|map-[0-9]+", [0, 0, 1, 1])
            .compile()
            .expect("valid");
        for name in ["a", "A", "map-7", "MAP-12"] {
            assert!(pattern.is_match(name), "{name}");
        }
        for name in ["ab", "ba", "map-", "xmap-1", "a\n"] {
            assert!(!pattern.is_match(name), "{name:?}");
        }
        let exact = redaction("(?-i:a)", [0, 0, 1, 1]).compile().expect("valid");
        assert!(exact.is_match("a") && !exact.is_match("A"));
    }

    #[test]
    fn wrong_redactions_name_their_field() {
        let field = |config: RedactionConfig| config.compile().expect_err("wrong").key;
        assert_eq!(field(redaction("", [0, 0, 1, 1])), "pattern");
        assert_eq!(field(redaction("a)|(b", [0, 0, 1, 1])), "pattern");
        assert_eq!(field(redaction("(", [0, 0, 1, 1])), "pattern");
        assert_eq!(
            field(redaction("a{1000}{1000}{1000}", [0, 0, 1, 1])),
            "pattern"
        );
        assert_eq!(field(redaction("a", [0, 0, 0, 1])), "rectangles");
        assert_eq!(field(redaction("a", [0, 0, 1, 0])), "rectangles");
        assert_eq!(field(redaction("a", [u32::MAX, 0, 1, 1])), "rectangles");
        let none = RedactionConfig {
            rectangles: Vec::new(),
            ..redaction("a", [0, 0, 1, 1])
        };
        assert_eq!(field(none), "rectangles");
    }

    #[test]
    fn opacity_is_a_share_of_65535_and_what_rounds_to_none_is_refused() {
        let mark = |opacity| WatermarkConfig {
            pattern: ".*".to_owned(),
            image: "x.png".into(),
            opacity,
            ..WatermarkConfig::default()
        };
        for (opacity, share) in [(1.0, 65_535), (0.5, 32_768), (0.1, 6554), (0.000_01, 1)] {
            assert_eq!(mark(opacity).opacity16(), share, "{opacity}");
            assert!(mark(opacity).compile().is_ok(), "{opacity}");
        }
        assert!(mark(0.000_005).compile().is_err());
        assert!(mark(1.000_001).compile().is_err());
    }

    type Change = fn(&mut WatermarkConfig);

    #[test]
    fn wrong_watermarks_name_their_field() {
        let good = WatermarkConfig {
            pattern: ".*".to_owned(),
            text: "x".to_owned(),
            font: "x.ttf".into(),
            ..WatermarkConfig::default()
        };
        assert!(good.compile().is_ok());
        let changes: [(&str, Change); 9] = [
            ("image", |mark| mark.image = "x.png".into()),
            ("image", |mark| mark.text.clear()),
            ("font", |mark| mark.font.clear()),
            ("text", |mark| mark.text = "a\nb".to_owned()),
            ("text", |mark| mark.text = "a".repeat(201)),
            ("scale", |mark| mark.scale = 0.0),
            ("scale", |mark| mark.scale = f64::NAN),
            ("opacity", |mark| mark.opacity = 0.0),
            ("opacity", |mark| mark.opacity = 1.5),
        ];
        for (field, change) in changes {
            let mut mark = good.clone();
            change(&mut mark);
            assert_eq!(mark.compile().expect_err(field).key, field);
        }
    }
}
