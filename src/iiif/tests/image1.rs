//! Image API 1.0 and 1.1, where they differ from 2.x.

use super::*;

const BOTH: [Version; 2] = [Version::V1_0, Version::V1_1];

fn assert_bad_1x(path: &str, parameter: Parameter) {
    for version in BOTH {
        assert_bad(version, path, &PLAIN, parameter);
    }
}

/// The format that a request without suffix gets.
fn negotiated(accept: Option<&str>) -> Result<Format> {
    let segments = ["id", "full", "full", "0", "native"];
    ImageRequest::parse(Version::V1_1, &segments, accept).map(|request| request.format)
}

#[test]
fn i11_uri_01_the_suffix_is_optional() {
    for version in BOTH {
        for (last, format) in [
            ("native", Format::Jpg),
            ("native.png", Format::Png),
            ("grey.tif", Format::Tif),
        ] {
            let request = parse(version, &format!("full/full/0/{last}")).expect(last);
            assert_eq!(request.format, format, "{last}");
        }
    }
}

#[test]
fn i11_reg_01_there_is_no_square_and_nothing_outside() {
    for token in ["square", "0,0,0,1", "0,0,1,0", "300,0,1,1", "0,200,1,1"] {
        assert_bad_1x(&format!("{token}/full/0/native.jpg"), Parameter::Region);
    }
    let resolved =
        resolve(Version::V1_1, "125,15,200,200/full/0/native.jpg", &PLAIN).expect("cropped");
    assert_eq!(resolved.region, region(125, 15, 175, 185));
}

#[test]
fn i11_siz_01_sizes_are_those_of_2_without_max() {
    for (token, expected) in [
        ("full", (300, 200)),
        ("150,", (150, 100)),
        (",150", (225, 150)),
        ("pct:50", (150, 100)),
        ("225,100", (225, 100)),
        ("!225,100", (150, 100)),
    ] {
        for version in BOTH {
            let size = size_of(version, token, dimensions(300, 200), &PLAIN).expect(token);
            assert_eq!(size, dimensions(expected.0, expected.1), "{token}");
        }
    }
    for token in ["max", "^150,", "^full", "0,", "pct:0", "pct:0.1", "301,"] {
        assert_bad_1x(&format!("full/{token}/0/native.jpg"), Parameter::Size);
    }
}

#[test]
fn i11_siz_01_enlarging_needs_no_mark_and_limits_hold() {
    let size = size_of(
        Version::V1_1,
        ",1500",
        dimensions(1000, 1000),
        &up_to_width(5000),
    );
    assert_eq!(size.expect("it is offered"), dimensions(1500, 1500));
    assert_bad(
        Version::V1_0,
        "full/full/0/native.jpg",
        &up_to_width(299),
        Parameter::Size,
    );
}

#[test]
fn i11_rot_01_there_is_no_mirror() {
    for token in ["!0", "!90", "-1", "361"] {
        assert_bad_1x(
            &format!("full/full/{token}/native.jpg"),
            Parameter::Rotation,
        );
    }
    assert!(resolve(Version::V1_0, "full/full/22.5/native.jpg", &PLAIN).is_ok());
}

#[test]
fn i11_qua_01_qualities_are_native_color_grey_bitonal() {
    for (token, quality) in [
        ("native", Quality::Default),
        ("color", Quality::Color),
        ("grey", Quality::Gray),
        ("bitonal", Quality::Bitonal),
    ] {
        for version in BOTH {
            assert_eq!(
                parse(version, &format!("full/full/0/{token}.jpg"))
                    .expect(token)
                    .quality,
                quality
            );
        }
    }
    for token in ["default", "gray", "A^_`zR", ""] {
        assert_bad_1x(&format!("full/full/0/{token}.jpg"), Parameter::Quality);
        assert_bad_1x(&format!("full/full/0/{token}"), Parameter::Quality);
    }
}

#[test]
fn i11_fmt_01_accept_chooses_where_there_is_no_suffix() {
    for (accept, expected) in [
        (None, Format::Jpg),
        (Some("image/png;q=1.0"), Format::Png),
        (Some("image/gif, image/tiff;q=0.9"), Format::Gif),
        (Some("image/tiff"), Format::Tif),
        (Some("image/jp2"), Format::Jp2),
        (Some("application/pdf"), Format::Pdf),
        (Some("image/*"), Format::Jpg),
        (Some("*/*"), Format::Jpg),
        (Some("image/jpeg;q=0.1, image/png;q=0.2"), Format::Png),
        (Some("image/jpeg;q=0, image/*"), Format::Png),
    ] {
        assert_eq!(
            negotiated(accept).expect("a format"),
            expected,
            "{accept:?}"
        );
    }
    let error = negotiated(Some("image/webp")).expect_err("nothing acceptable");
    assert_eq!(error.parameter(), Some(Parameter::Format));
}

#[test]
fn i11_fmt_01_a_suffix_outweighs_accept() {
    let segments = ["id", "full", "full", "0", "native.gif"];
    let request =
        ImageRequest::parse(Version::V1_1, &segments, Some("image/png")).expect("a request");
    assert_eq!(request.format, Format::Gif);
}

#[test]
fn i11_fmt_02_other_formats_are_errors_about_the_format() {
    for format in ["avif", "jxl", "webp", "jpeg", "x", ""] {
        assert_bad_1x(&format!("full/full/0/native.{format}"), Parameter::Format);
    }
}

#[test]
fn the_canonical_form_has_the_words_of_the_version() {
    for (path, expected) in [
        ("0,0,300,200/300,/0/color", "full/full/0/native.jpg"),
        ("full/pct:50/90.0/grey.png", "full/150,/90/grey.png"),
    ] {
        let resolved = resolve(Version::V1_1, path, &PLAIN).expect(path);
        assert_eq!(resolved.canonical, expected);
    }
}

#[test]
fn i11_inf_01_the_whole_document_of_1_1() {
    let expected = concat!(
        r#"{"@context":"http://library.stanford.edu/iiif/image-api/1.1/context.json","#,
        r#""@id":"https://example.org/iiif/3/a%2Fb","identifier":"a/b","#,
        r#""width":6000,"height":4000,"scale_factors":[1,2,4,8,16],"tile_width":512,"tile_height":512,"#,
        r#""formats":["jpg","png","gif","tif","pdf","jp2"],"qualities":["native","color","grey","bitonal"],"#,
        r#""profile":"http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level2"}"#,
    );
    assert_eq!(info().to_json(Version::V1_1).to_string(), expected);
}

#[test]
fn i10_inf_02_the_whole_document_of_1_0() {
    let expected = concat!(
        r#"{"identifier":"a/b","#,
        r#""width":6000,"height":4000,"scale_factors":[1,2,4,8,16],"tile_width":512,"tile_height":512,"#,
        r#""formats":["jpg","png","gif","tif","pdf","jp2"],"qualities":["native","color","grey","bitonal"],"#,
        r#""profile":"http://library.stanford.edu/iiif/image-api/compliance.html#level2"}"#,
    );
    assert_eq!(info().to_json(Version::V1_0).to_string(), expected);
}

#[test]
fn i10_xml_01_the_elements_stand_in_the_order_of_the_schema() {
    let gray = ImageInfo {
        identifier: Identifier::new("a<&>b").expect("an identifier"),
        is_gray: true,
        ..info()
    };
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<info xmlns=\"http://library.stanford.edu/iiif/image-api/ns/\">
  <identifier>a&lt;&amp;&gt;b</identifier>
  <width>6000</width>
  <height>4000</height>
  <scale_factors>
    <scale_factor>1</scale_factor>
    <scale_factor>2</scale_factor>
    <scale_factor>4</scale_factor>
    <scale_factor>8</scale_factor>
    <scale_factor>16</scale_factor>
  </scale_factors>
  <tile_width>512</tile_width>
  <tile_height>512</tile_height>
  <formats>
    <format>jpg</format>
    <format>png</format>
    <format>gif</format>
    <format>tif</format>
    <format>pdf</format>
    <format>jp2</format>
  </formats>
  <qualities>
    <quality>native</quality>
    <quality>grey</quality>
    <quality>bitonal</quality>
  </qualities>
  <profile>http://library.stanford.edu/iiif/image-api/compliance.html#level2</profile>
</info>
";
    assert_eq!(gray.to_xml(), expected);
}

#[test]
fn i10_err_01_an_error_names_its_parameter_in_xml() {
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<error xmlns=\"http://library.stanford.edu/iiif/image-api/ns/\">
  <parameter>size</parameter>
  <text>the size \"&lt;&amp;\" is wrong</text>
</error>
";
    assert_eq!(
        error_xml(Some(Parameter::Size), "the size \"<&\" is wrong"),
        expected
    );
    assert!(error_xml(None, "").contains("<parameter>unknown</parameter>"));
}

#[test]
fn i11_inf_it_is_always_plain_json() {
    for version in BOTH {
        for accept in [None, Some("application/ld+json"), Some("*/*")] {
            assert_eq!(
                info_media_type(version, accept),
                ("application/json", false)
            );
        }
    }
}

#[test]
fn i11_lvl_01_i10_inf_03_levels_are_those_of_each_version() {
    assert_eq!(
        compliance_uri(Version::V1_1),
        "http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level2"
    );
    assert_eq!(
        compliance_uri(Version::V1_0),
        "http://library.stanford.edu/iiif/image-api/compliance.html#level2"
    );
}
