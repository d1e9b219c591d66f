//! Which masters have which overlays, and what becomes of them when files come and go.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{Dress, OverlayConfig, Overlays, RedactionConfig, WatermarkConfig};
use crate::codec::{Facts, MasterFormat};
use crate::error::{ErrorKind, Result};
use crate::geometry::{Dimensions, Level, Orientation, Pyramid, ScaleFactor};
use crate::raster::{Channels, PixelFormat};

fn facts(width: u32, height: u32, tag: u16) -> Facts {
    let full = Level {
        factor: ScaleFactor::ONE,
        dimensions: Dimensions { width, height },
        tile: None,
    };
    Facts {
        description: String::new(),
        format: MasterFormat::Png,
        pyramid: Pyramid::new(full, Vec::new()),
        orientation: Orientation::from_tag(tag),
        pixel: PixelFormat::eight(Channels::Rgb),
        bits: 8,
        colour: String::new(),
        pages: 1,
    }
}

fn redaction(pattern: &str, rectangle: [u32; 4]) -> RedactionConfig {
    RedactionConfig {
        pattern: pattern.to_owned(),
        rectangles: vec![rectangle],
        ..RedactionConfig::default()
    }
}

fn redacting(redactions: Vec<RedactionConfig>) -> Arc<Overlays> {
    let config = OverlayConfig {
        redactions,
        watermarks: Vec::new(),
    };
    Overlays::new(&config).expect("valid")
}

fn dress(overlays: &Overlays, names: &[&str], page: u32, facts: &Facts) -> Result<Option<Dress>> {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    overlays.dress(&names, page, facts)
}

fn key(overlays: &Overlays, name: &str) -> Option<crate::cache::Key> {
    let dress = dress(overlays, &[name], 1, &facts(100, 80, 1)).expect("applies");
    dress.map(|dress| dress.key)
}

#[test]
fn a_rule_is_for_the_masters_of_which_a_name_matches() {
    let overlays = redacting(vec![
        redaction("a|b", [1, 2, 3, 4]),
        RedactionConfig {
            page: 2,
            ..redaction("b.*", [5, 6, 7, 8])
        },
    ]);
    let words = |names: &[&str], page| {
        let dress = dress(&overlays, names, page, &facts(100, 80, 1)).expect("applies");
        dress.map_or(Vec::new(), |dress| dress.words().to_vec())
    };
    assert_eq!(words(&["x", "a"], 1), ["redactions[0]: 1 rectangle"]);
    assert_eq!(words(&["bc"], 1), [""; 0]);
    assert_eq!(words(&["bc"], 2), ["redactions[1]: 1 rectangle"]);
    assert_eq!(words(&["B"], 2).len(), 2);
    assert!(Overlays::none().is_empty() && !overlays.is_empty());
}

#[test]
fn rectangles_are_of_the_upright_image_and_one_outside_of_it_is_refused() {
    let overlays = redacting(vec![redaction("a", [90, 10, 50, 20])]);
    let covers = |facts: &Facts| {
        let dress = dress(&overlays, &["a"], 1, facts)?.expect("matches");
        Ok(dress.overlay().covers.clone())
    };
    let wide = covers(&facts(100, 80, 1)).map(|covers| covers[0].0);
    let wide = wide.expect("a part lies in it");
    assert_eq!((wide.x, wide.y, wide.width, wide.height), (90, 10, 10, 20));
    // Stored upright as 80 × 100, shown as 100 × 80.
    assert!(covers(&facts(80, 100, 6)).is_ok());
    let refused: Result<_> = covers(&facts(80, 100, 1));
    let error = refused.expect_err("outside");
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(error.public().contains("redaction"), "{}", error.public());
    assert!(error.chain().contains("overlay.redactions[0]"));
}

#[test]
fn a_key_says_all_that_a_rule_says() {
    let with = |rule| key(&redacting(vec![rule]), "a").expect("matches");
    let one = with(redaction("a", [1, 2, 3, 4]));
    assert_eq!(one, with(redaction("a", [1, 2, 3, 4])));
    assert_ne!(one, with(redaction("a", [1, 2, 3, 5])));
    let other = RedactionConfig {
        colour: [0, 0, 1],
        ..redaction("a", [1, 2, 3, 4])
    };
    assert_ne!(one, with(other));
    assert_eq!(
        key(&redacting(vec![redaction("b", [1, 2, 3, 4])]), "a"),
        None
    );
}

fn picture(path: &Path, value: u8) {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 4, 2);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("in memory");
    writer.write_image_data(&[value; 8]).expect("whole");
    writer.finish().expect("in memory");
    fs::write(path, file).expect("written");
}

fn marking(image: &Path) -> OverlayConfig {
    OverlayConfig {
        redactions: Vec::new(),
        watermarks: vec![WatermarkConfig {
            pattern: "a".to_owned(),
            image: image.to_owned(),
            ..WatermarkConfig::default()
        }],
    }
}

#[test]
fn a_file_that_is_missing_damaged_or_another_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mark.png");
    let config = marking(&path);
    let error = config.check().expect_err("missing");
    assert_eq!(error.key, "overlay.watermarks[0].image");
    picture(&path, 7);
    config.check().expect("there");

    let overlays = Overlays::new(&config).expect("valid");
    let look = || overlays.watermarks[0].file.look();
    let facts = facts(100, 80, 1);
    let first = dress(&overlays, &["a"], 1, &facts).expect("applies");
    let first = first.expect("matches");
    assert_eq!(first.words(), ["watermarks[0]: image at 80,70,20,10"]);
    look();
    assert!(first.is_current());

    for damage in [None, Some(&b"no picture"[..])] {
        match damage {
            None => fs::remove_file(&path).expect("removed"),
            Some(bytes) => fs::write(&path, bytes).expect("written"),
        }
        look();
        assert!(!first.is_current());
        let error = dress(&overlays, &["a"], 1, &facts).expect_err("closed");
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(error.public().contains("watermark"), "{}", error.public());
        assert!(!overlays.health()[0].1);
        assert!(config.check().is_err());
        assert!(dress(&overlays, &["b"], 1, &facts).expect("free").is_none());
    }

    picture(&path, 8);
    look();
    let second = dress(&overlays, &["a"], 1, &facts).expect("applies");
    let second = second.expect("matches");
    assert!(overlays.health()[0].1);
    assert_ne!(first.key, second.key, "another picture");
    assert!(second.since > first.since);
}

#[test]
fn a_key_says_all_that_a_watermark_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mark.png");
    picture(&path, 7);
    let with = |change: fn(&mut WatermarkConfig)| {
        let mut config = marking(&path);
        change(&mut config.watermarks[0]);
        key(&Overlays::new(&config).expect("valid"), "a").expect("matches")
    };
    let plain = with(|_| {});
    assert_eq!(plain, with(|_| {}));
    let changes: [fn(&mut WatermarkConfig); 5] = [
        |mark| mark.opacity = 0.5,
        |mark| mark.position = super::Position::Top,
        |mark| mark.inset_px = 1,
        |mark| mark.scale = 0.3,
        |mark| mark.min_width_px = 30,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        assert_ne!(plain, with(change), "{index}");
    }
}

#[test]
fn a_text_needs_its_font_and_its_letters() {
    let folder = tempfile::tempdir().expect("a folder");
    let font = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/overlay/blocks.ttf");
    let check = |text: &str, font: &Path| {
        let mut config = marking(Path::new(""));
        config.watermarks[0].text = text.to_owned();
        config.watermarks[0].font = font.to_owned();
        config.check()
    };
    check("AB A", Path::new(font)).expect("letters that it has");
    let damaged = folder.path().join("font.ttf");
    fs::write(&damaged, &fs::read(font).expect("a fixture")[..150]).expect("written");
    for (text, font) in [
        ("C", Path::new(font)),
        ("A", damaged.as_path()),
        ("A", folder.path()),
        ("A", &folder.path().join("none.ttf")),
    ] {
        let error = check(text, font).expect_err("cannot be drawn");
        assert_eq!(error.key, "overlay.watermarks[0].font", "{}", error.rule);
    }
}
