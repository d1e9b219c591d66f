//! Rotation, quality and format: I3-ROT, I3-QUA, I3-FMT, I3-ORD.

use super::*;

fn rotation(token: &str) -> Rotation {
    parse(V3, &format!("full/max/{token}/default.jpg"))
        .expect(token)
        .rotation
}

#[test]
fn i3_rot_02_quarter_turns_are_told_from_other_angles() {
    for (token, turns) in [
        ("0", Some(0)),
        ("90.0", Some(1)),
        ("180", Some(2)),
        ("0270", Some(3)),
        ("360", Some(0)),
        ("45", None),
        ("90.1", None),
    ] {
        let resolved = resolve(V3, &format!("full/max/{token}/default.jpg"), &PLAIN).expect(token);
        assert_eq!(resolved.quarter_turns(), turns, "{token}");
    }
}

#[test]
fn i3_rot_03_degrees_are_0_to_360() {
    assert!((rotation("22.5").degrees.as_f64() - 22.5).abs() < f64::EPSILON);
    assert_eq!(rotation("360").degrees.as_integer(), Some(360));
    assert!(!rotation("0").mirror);
}

#[test]
fn i3_rot_04_an_exclamation_mark_mirrors() {
    let resolved = resolve(V3, "full/max/!90/default.jpg", &PLAIN).expect("a request");
    assert!(resolved.mirror);
    assert_eq!(resolved.degrees.as_integer(), Some(90));
}

#[test]
fn i3_rot_05_other_rotations_are_refused() {
    for token in [
        "360.1",
        "361",
        "-90",
        "+90",
        "1e2",
        "360.5",
        "",
        "!",
        "!!90",
        "90!",
        "90,",
        "ninety",
        "0:00",
        "!-0",
        "360.0000000000001",
        "<^_z",
    ] {
        assert_bad_v3(
            &format!("full/max/{token}/default.jpg"),
            Parameter::Rotation,
        );
    }
}

#[test]
fn i3_rot_09_a_size_is_that_before_rotation() {
    let resolved = resolve(V3, "full/100,/90/default.jpg", &PLAIN).expect("a request");
    assert_eq!(resolved.size, dimensions(100, 67));
}

#[test]
fn i3_rot_10_a_full_turn_is_none() {
    let resolved = resolve(V3, "full/max/!360.0/default.jpg", &PLAIN).expect("a request");
    assert_eq!(resolved.degrees, Decimal::ZERO);
    assert_eq!(resolved.canonical, "full/max/!0/default.jpg");
}

#[test]
fn i3_qua_03_default_is_what_the_image_has() {
    for (token, of_color, of_gray) in [
        ("default", Quality::Color, Quality::Gray),
        ("color", Quality::Color, Quality::Gray),
        ("gray", Quality::Gray, Quality::Gray),
        ("bitonal", Quality::Bitonal, Quality::Bitonal),
    ] {
        let request = parse(V3, &format!("full/max/0/{token}.jpg")).expect(token);
        assert_eq!(
            request.resolve(&color(3, 2), &PLAIN).expect(token).quality,
            of_color
        );
        assert_eq!(
            request.resolve(&gray(3, 2), &PLAIN).expect(token).quality,
            of_gray
        );
    }
}

#[test]
fn i3_qua_05_color_of_a_gray_image_is_served() {
    let request = parse(V3, "full/max/0/color.jpg").expect("a request");
    let resolved = request.resolve(&gray(3, 2), &PLAIN).expect("it is served");
    assert_eq!(resolved.canonical, "full/max/0/default.jpg");
}

#[test]
fn i3_qua_07_other_qualities_are_refused() {
    for token in [
        "native", "grey", "colour", "defaul", "default ", "gray,", "A^_`zR", "bitonal;",
    ] {
        assert_bad_v3(&format!("full/max/0/{token}.jpg"), Parameter::Quality);
    }
}

#[test]
fn i3_fmt_01_other_formats_are_refused() {
    for token in ["jpeg", "tiff", "jpx", "bmp", "AVIF", "JPG", "jpg ", "x"] {
        assert_bad_v3(&format!("full/max/0/default.{token}"), Parameter::Format);
    }
}

#[test]
fn i3_fmt_02_a_format_has_its_media_type() {
    for (token, format, media_type, alpha) in [
        ("jpg", Format::Jpg, "image/jpeg", false),
        ("png", Format::Png, "image/png", true),
        ("webp", Format::Webp, "image/webp", true),
        ("gif", Format::Gif, "image/gif", true),
        ("tif", Format::Tif, "image/tiff", true),
        ("avif", Format::Avif, "image/avif", true),
        ("jxl", Format::Jxl, "image/jxl", true),
        ("jp2", Format::Jp2, "image/jp2", true),
        ("pdf", Format::Pdf, "application/pdf", false),
    ] {
        let request = parse(V3, &format!("full/max/0/default.{token}")).expect(token);
        assert_eq!(request.format, format);
        assert_eq!(
            (format.media_type(), format.token(), format.has_alpha()),
            (media_type, token, alpha)
        );
    }
}

#[test]
fn i3_fmt_02_accept_chooses_no_image_format() {
    let segments = ["id", "full", "max", "0", "default.jpg"];
    let request = ImageRequest::parse(V3, &segments, Some("image/png")).expect("a request");
    assert_eq!(request.format, Format::Jpg);
    assert!(
        ImageRequest::parse(
            V3,
            &["id", "full", "max", "0", "default"],
            Some("image/png")
        )
        .is_err()
    );
}

#[test]
fn i3_ord_02_the_example_of_the_specification() {
    let resolved = resolve(V3, "125,15,120,140/90,/!345/gray.jpg", &PLAIN).expect("a request");
    assert_eq!(resolved.region, region(125, 15, 120, 140));
    assert_eq!(resolved.size, dimensions(90, 105));
    assert!(resolved.mirror);
    assert_eq!(resolved.degrees.as_integer(), Some(345));
    assert_eq!(resolved.quality, Quality::Gray);
    assert_eq!(resolved.canonical, "125,15,120,140/90,105/!345/gray.jpg");
}
