//! The information document and its media type: I3-INF, I3-SZS, I3-TIL.

use super::*;

const JSON: (&str, bool) = ("application/json", false);
const JSON_LD: (&str, bool) = (
    "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\"",
    true,
);

#[test]
fn i3_inf_01_the_whole_document_in_the_order_of_the_specification() {
    let expected = concat!(
        r#"{"@context":"http://iiif.io/api/image/3/context.json","#,
        r#""id":"https://example.org/iiif/3/a%2Fb","#,
        r#""type":"ImageService3","#,
        r#""protocol":"http://iiif.io/api/image","#,
        r#""profile":"level2","#,
        r#""width":6000,"height":4000,"maxArea":134217728,"#,
        r#""sizes":[{"width":375,"height":250},{"width":750,"height":500},{"width":1500,"height":1000},"#,
        r#"{"width":3000,"height":2000},{"width":6000,"height":4000}],"#,
        r#""tiles":[{"width":512,"height":512,"scaleFactors":[1,2,4,8,16]}],"#,
        r#""rights":"http://creativecommons.org/publicdomain/zero/1.0/","#,
        r#""preferredFormats":["webp","jpg"],"#,
        r#""extraFormats":["webp","avif","jxl","gif","tif","pdf","jp2"],"#,
        r#""extraQualities":["color","gray","bitonal"],"#,
        r#""extraFeatures":["canonicalLinkHeader","mirroring","profileLinkHeader","rotationArbitrary","sizeUpscaling"]}"#,
    );
    assert_eq!(info().to_json(Version::V3).to_string(), expected);
}

#[test]
fn i3_inf_08_nothing_of_2_x_is_in_the_document() {
    let document = info().to_json(Version::V3);
    for key in [
        "@id",
        "@type",
        "license",
        "attribution",
        "logo",
        "supports",
        "formats",
        "qualities",
    ] {
        assert!(document.get(key).is_none(), "{key}");
    }
    assert!(document["profile"].is_string());
}

#[test]
fn i3_inf_11_what_is_not_there_is_omitted() {
    let bare = ImageInfo {
        rights: None,
        preferred_formats: Vec::new(),
        rules: PLAIN,
        ..info()
    };
    let document = bare.to_json(Version::V3);
    for key in [
        "rights",
        "preferredFormats",
        "maxWidth",
        "maxHeight",
        "maxArea",
        "partOf",
        "seeAlso",
        "service",
    ] {
        assert!(document.get(key).is_none(), "{key}");
    }
}

#[test]
fn i3_max_01_a_height_is_never_published_without_a_width() {
    let limits = |rules: SizeRules| {
        let document = ImageInfo { rules, ..info() }.to_json(Version::V3);
        ["maxWidth", "maxHeight", "maxArea"]
            .map(|key| document.get(key).and_then(serde_json::Value::as_u64))
    };
    let by_height = SizeRules {
        max_height_px: Some(70),
        ..PLAIN
    };
    assert_eq!(limits(by_height), [Some(70), Some(70), None]);
    assert_eq!(limits(up_to_width(50)), [Some(50), None, None]);
    let all = SizeRules {
        max_area_px: Some(9),
        ..SizeRules {
            max_height_px: Some(7),
            ..up_to_width(5)
        }
    };
    assert_eq!(limits(all), [Some(5), Some(7), Some(9)]);
}

#[test]
fn i3_max_03_enlarging_is_published_only_with_a_limit() {
    let published = |rules: SizeRules| {
        let document = ImageInfo { rules, ..info() }.to_json(Version::V3);
        document["extraFeatures"]
            .to_string()
            .contains("sizeUpscaling")
    };
    assert!(published(up_to_width(5000)));
    assert!(!published(SizeRules {
        upscaling: true,
        ..PLAIN
    }));
    assert!(!published(SizeRules {
        upscaling: false,
        ..up_to_width(5000)
    }));
}

#[test]
fn i3_qua_05_a_gray_image_lists_no_color() {
    let document = ImageInfo {
        is_gray: true,
        ..info()
    }
    .to_json(Version::V3);
    assert_eq!(
        document["extraQualities"].to_string(),
        r#"["gray","bitonal"]"#
    );
}

#[test]
fn i3_inf_10_everything_that_is_published_is_served() {
    let document = info().to_json(Version::V3);
    let listed = |key: &str| -> Vec<String> {
        serde_json::from_value(document[key].clone()).expect("a list of words")
    };
    for quality in listed("extraQualities") {
        assert!(
            parse(Version::V3, &format!("full/max/0/{quality}.jpg")).is_ok(),
            "{quality}"
        );
    }
    for format in listed("extraFormats")
        .iter()
        .chain(&listed("preferredFormats"))
    {
        assert!(
            parse(Version::V3, &format!("full/max/0/default.{format}")).is_ok(),
            "{format}"
        );
    }
}

#[test]
fn i3_inf_03_without_accept_it_is_json_ld_with_its_profile() {
    assert_eq!(info_media_type(Version::V3, None), JSON_LD);
    assert_eq!(info_media_type(Version::V3, Some("")), JSON_LD);
}

#[test]
fn i3_inf_04_the_client_chooses_between_json_and_json_ld() {
    for (accept, expected) in [
        ("application/ld+json", JSON_LD),
        ("application/json", JSON),
        ("application/json;charset=utf-8", JSON),
        ("APPLICATION/JSON", JSON),
        (
            "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\"",
            JSON_LD,
        ),
        ("application/json, application/ld+json", JSON_LD),
        ("application/ld+json;q=0.5, application/json", JSON),
        ("application/ld+json;q=0.5, application/json;q=0.4", JSON_LD),
        ("application/json, text/plain, */*", JSON),
        ("application/ld+json;q=0, */*;q=0.1", JSON),
        ("*/*", JSON_LD),
        ("application/*", JSON_LD),
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
            JSON_LD,
        ),
        ("text/html", JSON_LD),
        ("image/png;q=0", JSON_LD),
    ] {
        assert_eq!(
            info_media_type(Version::V3, Some(accept)),
            expected,
            "{accept}"
        );
    }
}

#[test]
fn i3_lvl_03_the_level_is_a_profile_document() {
    assert_eq!(
        compliance_uri(Version::V3),
        "http://iiif.io/api/image/3/level2.json"
    );
}
