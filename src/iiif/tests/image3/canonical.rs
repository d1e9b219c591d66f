//! The canonical form, I3-CAN, and the words of errors.

use super::*;

#[test]
fn i3_can_04_the_canonical_size_has_both_sides() {
    let rules = up_to_width(5000);
    for (token, canonical) in [
        ("150,", "150,100"),
        (",100", "150,100"),
        ("pct:50", "150,100"),
        ("!150,150", "150,100"),
        ("^150,", "150,100"),
        ("^450,", "^450,300"),
        ("^450,10", "^450,10"),
        ("^10,300", "^10,300"),
        ("300,", "max"),
        ("^300,200", "max"),
    ] {
        let resolved = resolve(V3, &format!("full/{token}/0/default.jpg"), &rules).expect(token);
        assert_eq!(
            resolved.canonical,
            format!("full/{canonical}/0/default.jpg"),
            "{token}"
        );
    }
}

#[test]
fn i3_can_05_a_tile_at_full_resolution_is_canonically_max() {
    let request = parse(V3, "0,0,512,512/512,512/0/default.jpg").expect("a request");
    let resolved = request
        .resolve(&color(6000, 4000), &PLAIN)
        .expect("it fits");
    assert_eq!(resolved.canonical, "0,0,512,512/max/0/default.jpg");
}

#[test]
fn section_8_step_1_a_region_that_is_the_whole_image_is_full() {
    for token in [
        "full",
        "pct:0,0,100,100",
        "0,0,300,200",
        "0,0,9999,9999",
        "pct:0,0,200,100",
    ] {
        let resolved = resolve(V3, &format!("{token}/max/0/default.jpg"), &PLAIN).expect(token);
        assert_eq!(resolved.canonical, "full/max/0/default.jpg", "{token}");
    }
    let square = parse(V3, "square/max/0/default.jpg").expect("a request");
    let resolved = square.resolve(&color(200, 200), &PLAIN).expect("it fits");
    assert_eq!(resolved.canonical, "full/max/0/default.jpg");
}

#[test]
fn section_8_steps_3_to_5_rotation_quality_and_format_are_tidied() {
    for (request, canonical) in [
        ("090.00/color.jpg", "90/default.jpg"),
        ("!.50/gray.png", "!0.5/gray.png"),
        ("022.50/bitonal.tif", "22.5/bitonal.tif"),
        ("!0.0/default.webp", "!0/default.webp"),
    ] {
        let resolved = resolve(V3, &format!("full/max/{request}"), &PLAIN).expect(request);
        assert_eq!(resolved.canonical, format!("full/max/{canonical}"));
    }
}

#[test]
fn errors_name_the_parameter_and_what_is_allowed() {
    for (path, words) in [
        (
            "frob/max/0/default.jpg",
            &["region", "\"frob\"", "square", "pct:x,y,w,h"][..],
        ),
        (
            "300,0,1,1/max/0/default.jpg",
            &["region", "300,0", "below 300", "below 200"],
        ),
        (
            "full/frob/0/default.jpg",
            &["size", "\"frob\"", "!w,h", "^"],
        ),
        ("full/301,/0/default.jpg", &["size", "300x200", "^"]),
        (
            "full/^401,/0/default.jpg",
            &["size", "401x267", "at most 400 wide"],
        ),
        (
            "0,0,300,1/pct:1/0/default.jpg",
            &["size", "pct:1", "300x1", "less than 1 pixel"],
        ),
        (
            "full/max/400/default.jpg",
            &["rotation", "\"400\"", "0 to 360"],
        ),
        (
            "full/max/0/frob.jpg",
            &["quality", "\"frob\"", "default, color, gray, bitonal"],
        ),
        (
            "full/max/0/default.jpx",
            &[
                "format",
                "\"jpx\"",
                "not known",
                "jpg, png, webp, avif, jxl, gif, tif, pdf, jp2",
            ],
        ),
        (
            "full/max/0/default.frob",
            &["format", "\"frob\"", "not known"],
        ),
        ("full/max/1.2.3/default.jpg", &["rotation", "digits"]),
    ] {
        let error = resolve(V3, path, &up_to_width(400)).expect_err(path);
        for word in words {
            assert!(
                error.public().contains(word),
                "{path}: {} lacks {word}",
                error.public()
            );
        }
    }
}

#[test]
fn a_caret_is_advised_only_where_enlarging_is_offered() {
    let words = |rules: SizeRules| {
        let error = resolve(V3, "full/301,/0/default.jpg", &rules).expect_err("too wide");
        error.public().to_owned()
    };
    assert!(words(up_to_width(400)).contains("put ^ before"));
    assert!(words(PLAIN).contains("does not enlarge"));
}

#[test]
fn limits_are_put_in_words() {
    assert_eq!(
        PLAIN.limits().to_string(),
        "at most 4294967295 wide and high"
    );
    let area = SizeRules {
        max_area_px: Some(9),
        ..PLAIN
    };
    let all = SizeRules {
        max_height_px: Some(7),
        ..SizeRules {
            max_area_px: Some(9),
            ..up_to_width(5)
        }
    };
    assert_eq!(area.limits().to_string(), "at most 9 pixels in all");
    assert_eq!(
        up_to_width(5).limits().to_string(),
        "at most 5 wide and 5 high"
    );
    assert_eq!(
        all.limits().to_string(),
        "at most 5 wide, 7 high and 9 pixels in all"
    );
}
