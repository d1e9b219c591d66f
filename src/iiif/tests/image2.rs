//! Image API 2.0 and 2.1, where they differ from 3.0.

use super::*;

const V2: Version = Version::V2;

/// Enlarging is offered, within limits that the tests do not meet.
const ROOMY: SizeRules = SizeRules {
    max_width_px: Some(100_000),
    upscaling: true,
    ..PLAIN
};

fn size(token: &str, rules: &SizeRules) -> Dimensions {
    size_of(V2, token, dimensions(300, 200), rules).expect(token)
}

fn assert_bad_sizes(tokens: &[&str], rules: &SizeRules) {
    for token in tokens {
        assert_bad(
            V2,
            &format!("full/{token}/0/default.jpg"),
            rules,
            Parameter::Size,
        );
    }
}

fn canonical(path: &str, rules: &SizeRules) -> String {
    resolve(V2, path, rules).expect(path).canonical
}

#[test]
fn i21_reg_01_square_is_served() {
    let resolved = resolve(V2, "square/full/0/default.jpg", &PLAIN).expect("a request");
    assert_eq!(resolved.region, region(50, 0, 200, 200));
}

#[test]
fn i21_reg_02_empty_and_outside_regions_are_refused() {
    for token in ["0,0,0,10", "300,0,1,1", "0,200,1,1", "pct:0,0,0,1"] {
        assert_bad(
            V2,
            &format!("{token}/full/0/default.jpg"),
            &PLAIN,
            Parameter::Region,
        );
    }
}

#[test]
fn i21_siz_01_full_is_the_region_unscaled_and_never_silently_smaller() {
    assert_eq!(size("full", &PLAIN), dimensions(300, 200));
    assert_eq!(size("full", &up_to_width(300)), dimensions(300, 200));
    assert_bad_sizes(&["full"], &up_to_width(299));
    let by_area = SizeRules {
        max_area_px: Some(59_999),
        ..PLAIN
    };
    assert_bad_sizes(&["full"], &by_area);
    let part = resolve(V2, "0,0,150,100/full/0/default.jpg", &up_to_width(150)).expect("it fits");
    assert_eq!(part.size, dimensions(150, 100));
}

#[test]
fn i21_siz_02_max_is_full_within_the_limits() {
    assert_eq!(size("max", &PLAIN), dimensions(300, 200));
    assert_eq!(size("max", &ROOMY), dimensions(300, 200));
    assert_eq!(size("max", &up_to_width(200)), dimensions(200, 133));
}

#[test]
fn i21_siz_03_all_forms_are_served() {
    for (token, expected) in [
        ("150,", (150, 100)),
        (",150", (225, 150)),
        ("pct:50", (150, 100)),
        ("225,100", (225, 100)),
        ("!225,100", (150, 100)),
    ] {
        assert_eq!(
            size(token, &PLAIN),
            dimensions(expected.0, expected.1),
            "{token}"
        );
    }
}

#[test]
fn i21_siz_06_enlarging_needs_no_mark() {
    for (token, expected) in [
        ("600,", (600, 400)),
        (",400", (600, 400)),
        ("pct:150", (450, 300)),
        ("600,10", (600, 10)),
        ("!600,600", (600, 400)),
    ] {
        assert_eq!(
            size(token, &ROOMY),
            dimensions(expected.0, expected.1),
            "{token}"
        );
    }
    assert_bad_sizes(&["361,", "361,1", ",361", "pct:121"], &up_to_width(360));
    assert_eq!(size("!600,600", &up_to_width(360)), dimensions(360, 240));
}

#[test]
fn i21_siz_07_enlarging_that_is_off_is_a_bad_request_but_a_box_is_an_upper_bound() {
    assert_bad_sizes(
        &["301,", ",201", "301,10", "10,201", "pct:101", "pct:100.1"],
        &PLAIN,
    );
    assert_eq!(size("!600,600", &PLAIN), dimensions(300, 200));
    let strict = SizeRules {
        strict_validator: true,
        ..PLAIN
    };
    assert_eq!(size("!600,600", &strict), dimensions(300, 200));
}

#[test]
fn i21_siz_08_a_size_of_nothing_is_refused() {
    assert_bad_sizes(
        &["0,", ",0", "0,0", "!0,0", "pct:0", "pct:0.1", "", ","],
        &ROOMY,
    );
}

#[test]
fn i21_siz_09_there_is_no_caret() {
    assert_bad_sizes(&["^max", "^full", "^150,", "^!10,10", "^pct:10"], &ROOMY);
}

#[test]
fn i21_rot_01_mirror_and_any_angle_are_served() {
    let resolved = resolve(V2, "full/full/!22.50/default.png", &PLAIN).expect("a request");
    assert!(resolved.mirror);
    assert_eq!(resolved.canonical, "full/full/!22.5/default.png");
    assert_bad(
        V2,
        "full/full/360.1/default.jpg",
        &PLAIN,
        Parameter::Rotation,
    );
}

#[test]
fn i21_qua_01_qualities_and_formats_are_those_of_3() {
    for last in [
        "default.jpg",
        "color.png",
        "gray.webp",
        "bitonal.gif",
        "default.tif",
    ] {
        assert!(parse(V2, &format!("full/full/0/{last}")).is_ok(), "{last}");
    }
    for quality in ["native", "grey", "A^_`zR"] {
        assert_bad(
            V2,
            &format!("full/full/0/{quality}.jpg"),
            &PLAIN,
            Parameter::Quality,
        );
    }
    for format in ["jpx", "tiff", "jpeg", ""] {
        assert_bad(
            V2,
            &format!("full/full/0/default.{format}"),
            &PLAIN,
            Parameter::Format,
        );
    }
}

#[test]
fn i20_07_a_request_without_a_format_is_refused() {
    assert_bad(V2, "full/full/0/default", &PLAIN, Parameter::Format);
}

#[test]
fn i21_can_01_a_region_that_is_the_whole_image_is_full() {
    let square = parse(V2, "square/full/0/default.jpg").expect("a request");
    let resolved = square.resolve(&color(200, 200), &PLAIN).expect("it fits");
    assert_eq!(resolved.canonical, "full/full/0/default.jpg");
    assert_eq!(
        canonical("pct:0,0,100,100/full/0/default.jpg", &PLAIN),
        "full/full/0/default.jpg"
    );
}

#[test]
fn i21_can_05_the_vectors() {
    for (path, expected) in [
        ("0,0,300,200/300,/0/default.jpg", "full/full/0/default.jpg"),
        ("full/,150/0/default.jpg", "full/225,/0/default.jpg"),
        ("full/225,150/0/default.jpg", "full/225,/0/default.jpg"),
        ("full/225,100/0/default.jpg", "full/225,100/0/default.jpg"),
        ("full/!225,100/0/default.jpg", "full/150,/0/default.jpg"),
        ("full/pct:50/0/default.jpg", "full/150,/0/default.jpg"),
        ("full/100,67/0/default.jpg", "full/100,/0/default.jpg"),
        ("full/100,66/0/default.jpg", "full/100,66/0/default.jpg"),
        ("square/100,/0/color.jpg", "50,0,200,200/100,/0/default.jpg"),
    ] {
        assert_eq!(canonical(path, &PLAIN), expected, "{path}");
    }
    assert_eq!(
        canonical("full/max/0/default.jpg", &up_to_width(200)),
        "full/200,/0/default.jpg"
    );
    assert_eq!(
        canonical("full/max/0/default.jpg", &PLAIN),
        "full/full/0/default.jpg"
    );
    assert_eq!(
        canonical("full/600,/0/default.jpg", &ROOMY),
        "full/600,/0/default.jpg"
    );
}

#[test]
fn i21_can_06_both_sides_of_an_edge_tile_are_honoured() {
    let image = color(1025, 513);
    let of = |path: &str| {
        let request = parse(V2, path).expect(path);
        request.resolve(&image, &PLAIN).expect(path)
    };
    let both = of("1024,0,1,513/1,129/0/default.jpg");
    assert_eq!(both.size, dimensions(1, 129));
    assert_eq!(both.canonical, "1024,0,1,513/1,129/0/default.jpg");
    assert_eq!(of("1024,0,1,513/1,/0/default.jpg").size, dimensions(1, 513));
}

#[test]
fn i21_inf_01_it_is_plain_json_unless_json_ld_is_named() {
    let json = ("application/json", false);
    let json_ld = ("application/ld+json", true);
    assert_eq!(info_media_type(V2, None), json);
    for (accept, expected) in [
        ("application/ld+json", json_ld),
        ("application/ld+json, application/json;q=0.9", json_ld),
        ("application/ld+json;profile=\"x\", */*", json_ld),
        ("application/json, application/ld+json;q=0.9", json),
        ("application/ld+json, application/json", json),
        ("application/ld+json;q=0", json),
        ("application/*", json),
        ("*/*", json),
        ("text/html", json),
    ] {
        assert_eq!(info_media_type(V2, Some(accept)), expected, "{accept}");
    }
}

#[test]
fn i21_inf_03_the_whole_document_in_the_order_of_the_specification() {
    let expected = concat!(
        r#"{"@context":"http://iiif.io/api/image/2/context.json","#,
        r#""@id":"https://example.org/iiif/3/a%2Fb","#,
        r#""protocol":"http://iiif.io/api/image","#,
        r#""width":6000,"height":4000,"#,
        r#""sizes":[{"width":375,"height":250},{"width":750,"height":500},{"width":1500,"height":1000},"#,
        r#"{"width":3000,"height":2000},{"width":6000,"height":4000}],"#,
        r#""tiles":[{"width":512,"height":512,"scaleFactors":[1,2,4,8,16]}],"#,
        r#""license":"http://creativecommons.org/publicdomain/zero/1.0/","#,
        r#""profile":["http://iiif.io/api/image/2/level2.json",{"#,
        r#""formats":["webp","avif","jxl","gif","tif","pdf","jp2"],"qualities":["color","gray"],"maxArea":134217728,"#,
        r#""supports":["canonicalLinkHeader","mirroring","profileLinkHeader","regionSquare","rotationArbitrary","#,
        r#""sizeByConfinedWh","sizeByDistortedWh","sizeByForcedWh","sizeByWh","sizeAboveFull"]}]}"#,
    );
    assert_eq!(info().to_json(V2).to_string(), expected);
}

#[test]
fn i21_inf_04_limits_stand_in_the_profile() {
    let document = ImageInfo {
        rules: up_to_width(5000),
        ..info()
    }
    .to_json(V2);
    assert!(document.get("maxWidth").is_none());
    assert_eq!(document["profile"][1]["maxWidth"], 5000);
    assert!(document["profile"][1].get("@type").is_none());
}

#[test]
fn i21_inf_09_enlarging_is_published_where_it_is_offered() {
    let plain = ImageInfo {
        rules: PLAIN,
        ..info()
    };
    assert!(!plain.to_json(V2).to_string().contains("sizeAboveFull"));
    assert!(info().to_json(V2).to_string().contains("sizeAboveFull"));
}

#[test]
fn i21_lvl_01_the_level_is_a_profile_document() {
    assert_eq!(compliance_uri(V2), "http://iiif.io/api/image/2/level2.json");
}
