//! Image API 3.0: requests.

use super::*;

const V3: Version = Version::V3;

fn size(token: &str, rules: &SizeRules) -> Dimensions {
    size_of(V3, token, dimensions(300, 200), rules).expect(token)
}

fn assert_bad_v3(path: &str, parameter: Parameter) {
    assert_bad(V3, path, &PLAIN, parameter);
}

fn assert_bad_sizes(tokens: &[&str], rules: &SizeRules) {
    for token in tokens {
        assert_bad(
            V3,
            &format!("full/{token}/0/default.jpg"),
            rules,
            Parameter::Size,
        );
    }
}

fn assert_not_implemented(token: &str, rules: &SizeRules) {
    let path = format!("full/{token}/0/default.jpg");
    let expected = (ErrorKind::NotImplemented, Some(Parameter::Size));
    assert_eq!(refusal(V3, &path, rules), expected, "{token}");
}

/// Checks one accepted row of the table of test vectors; "same" stands for the request itself.
fn assert_vector(
    rules: &SizeRules,
    path: &str,
    expected_region: Region,
    expected: (u32, u32),
    canonical: &str,
) {
    let resolved = resolve(V3, path, rules).expect(path);
    assert_eq!(resolved.region, expected_region, "{path}");
    assert_eq!(resolved.size, dimensions(expected.0, expected.1), "{path}");
    let canonical = if canonical == "same" { path } else { canonical };
    assert_eq!(resolved.canonical, canonical, "{path}");
}

const FULL: Region = Region {
    x: 0,
    y: 0,
    width: 300,
    height: 200,
};

// --- Path and encoding

#[test]
fn i3_uri_01_a_request_has_five_parts() {
    for segments in [
        &["id", "full", "max", "0"][..],
        &["id", "full", "max", "0", "default.jpg", "x"],
        &[],
    ] {
        let error = ImageRequest::parse(V3, segments, None).expect_err("wrong number of parts");
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert_eq!(error.parameter(), None);
    }
}

#[test]
fn i3_uri_09_the_last_segment_splits_at_its_last_dot() {
    assert_bad_v3("full/max/0/default", Parameter::Format);
    assert_bad_v3("full/max/0/default.", Parameter::Format);
    assert_bad_v3("full/max/0/.jpg", Parameter::Quality);
    assert_bad_v3("full/max/0/default.png.jpg", Parameter::Quality);
    assert_bad_v3("full/max/0/", Parameter::Format);
}

#[test]
fn i3_uri_11_values_are_case_sensitive() {
    assert_bad_v3("FULL/max/0/default.jpg", Parameter::Region);
    assert_bad_v3("Square/max/0/default.jpg", Parameter::Region);
    assert_bad_v3("PCT:0,0,1,1/max/0/default.jpg", Parameter::Region);
    assert_bad_v3("full/Max/0/default.jpg", Parameter::Size);
    assert_bad_v3("full/Pct:5/0/default.jpg", Parameter::Size);
    assert_bad_v3("full/max/0/Default.jpg", Parameter::Quality);
    assert_bad_v3("full/max/0/default.JPG", Parameter::Format);
}

#[test]
fn i3_enc_04_encoded_characters_are_those_characters() {
    let rules = up_to_width(600);
    for (raw, plain) in [
        (
            "0%2C0%2c150,100/%5Emax/%2190/gray%2Ejpg",
            "0,0,150,100/^max/!90/gray.jpg",
        ),
        (
            "pct%3A0,0,50,50/%2110,10/0/%64efault.jpg",
            "pct:0,0,50,50/!10,10/0/default.jpg",
        ),
    ] {
        assert_eq!(parse(V3, raw).expect(raw), parse(V3, plain).expect(plain));
        assert!(resolve(V3, raw, &rules).is_ok());
    }
}

#[test]
fn i3_enc_05_every_segment_is_decoded_once() {
    assert_bad_v3("full/%255Emax/0/default.jpg", Parameter::Size);
    assert_bad_v3("%2566ull/max/0/default.jpg", Parameter::Region);
    let identifier = Identifier::parse_segment("a%252Fb").expect("an identifier");
    assert_eq!(identifier.as_str(), "a%2Fb");
}

#[test]
fn i3_enc_06_literal_percent_signs_survive() {
    let raw = "urn:sici:1046-8188(199501)13:1%253C69:FTTHBI%253E2.0.TX;2-4";
    let identifier = Identifier::parse_segment(raw).expect("an identifier");
    assert_eq!(
        identifier.as_str(),
        "urn:sici:1046-8188(199501)13:1%3C69:FTTHBI%3E2.0.TX;2-4"
    );
    assert_eq!(identifier.encoded(), raw);
}

#[test]
fn i3_enc_07_the_examples_of_the_specification_travel() {
    for (plain, raw) in [
        ("ark:/12025/654xz321", "ark:%2F12025%2F654xz321"),
        ("urn:foo:a123,456", "urn:foo:a123,456"),
        (
            "http://example.com/?54#a",
            "http:%2F%2Fexample.com%2F%3F54%23a",
        ),
    ] {
        assert_eq!(Identifier::new(plain).expect(plain).encoded(), raw);
        assert_eq!(Identifier::parse_segment(raw).expect(raw).as_str(), plain);
    }
}

#[test]
fn i3_enc_08_a_plus_in_an_identifier_is_a_plus() {
    assert_eq!(
        Identifier::parse_segment("a+b")
            .expect("an identifier")
            .as_str(),
        "a+b"
    );
}

#[test]
fn i3_enc_11_what_cannot_be_decoded_is_a_bad_request_about_its_segment() {
    for bad in ["%", "%2", "%zz", "%00", "%0A", "%FF", "%C0%AF"] {
        let error = Identifier::parse_segment(bad).expect_err(bad);
        assert_eq!(
            (error.kind(), error.parameter()),
            (ErrorKind::BadRequest, Some(Parameter::Identifier))
        );
        assert_bad_v3(&format!("{bad}/max/0/default.jpg"), Parameter::Region);
        assert_bad_v3(&format!("full/{bad}/0/default.jpg"), Parameter::Size);
        assert_bad_v3(&format!("full/max/{bad}/default.jpg"), Parameter::Rotation);
        assert_bad_v3(&format!("full/max/0/default{bad}.jpg"), Parameter::Quality);
    }
}

#[test]
fn i3_sec_02_an_identifier_is_neither_empty_nor_endless() {
    assert!(Identifier::parse_segment("").is_err());
    assert!(Identifier::new("").is_err());
    assert!(Identifier::new("a\nb").is_err());
    assert!(Identifier::new(&"é".repeat(2048)).is_ok());
    assert!(Identifier::new(&"a".repeat(4097)).is_err());
}

// --- Region

fn region_of(token: &str, image: Dimensions) -> Region {
    let request = parse(V3, &format!("{token}/max/0/default.jpg")).expect(token);
    request.region.resolve(image).expect(token)
}

#[test]
fn i3_reg_01_full_is_the_whole_image() {
    assert_eq!(region_of("full", dimensions(300, 200)), FULL);
}

#[test]
fn i3_reg_02_square_is_centred_on_the_longer_side() {
    assert_eq!(
        region_of("square", dimensions(300, 200)),
        region(50, 0, 200, 200)
    );
    assert_eq!(
        region_of("square", dimensions(200, 300)),
        region(0, 50, 200, 200)
    );
    assert_eq!(
        region_of("square", dimensions(201, 300)),
        region(0, 49, 201, 201)
    );
    assert_eq!(region_of("square", dimensions(7, 7)), region(0, 0, 7, 7));
}

#[test]
fn i3_reg_03_pixels_count_from_the_upper_left() {
    assert_eq!(
        region_of("125,15,120,140", dimensions(300, 200)),
        region(125, 15, 120, 140)
    );
    assert_eq!(
        region_of("000,0,0299,1", dimensions(300, 200)),
        region(0, 0, 299, 1)
    );
}

#[test]
fn i3_reg_04_percent_is_of_width_for_x_and_w_and_of_height_for_y_and_h() {
    assert_eq!(
        region_of("pct:10,20,30,40", dimensions(1000, 100)),
        region(100, 20, 300, 40)
    );
}

#[test]
fn i3_reg_05_a_region_is_cropped_at_the_edge() {
    assert_eq!(
        region_of("125,15,200,200", dimensions(300, 200)),
        region(125, 15, 175, 185)
    );
    assert_eq!(
        region_of("299,199,1,1", dimensions(300, 200)),
        region(299, 199, 1, 1)
    );
    assert_eq!(
        region_of("1,0,4294967295,7", dimensions(300, 200)),
        region(1, 0, 299, 7)
    );
}

#[test]
fn i3_reg_06_a_region_without_width_or_height_is_refused() {
    for token in [
        "0,0,0,10",
        "0,0,10,0",
        "0,0,0,0",
        "5,5,00,10",
        "pct:0,0,0,10",
        "pct:0,0,10,0.00",
        "pct:0,0,10,.0",
    ] {
        assert_bad_v3(&format!("{token}/max/0/default.jpg"), Parameter::Region);
    }
}

#[test]
fn i3_reg_07_a_region_outside_is_refused() {
    for token in [
        "300,0,10,10",
        "0,200,10,10",
        "4294967295,0,1,1",
        "pct:100,0,1,1",
        "pct:0,100,1,1",
        "pct:99.9,0,1,1",
    ] {
        assert_bad_v3(&format!("{token}/max/0/default.jpg"), Parameter::Region);
    }
}

#[test]
fn i3_reg_08_percentages_are_rounded_half_up_one_by_one() {
    assert_eq!(
        region_of("pct:0.5,0.5,1.5,2.5", dimensions(100, 100)),
        region(1, 1, 2, 3)
    );
    assert_eq!(
        region_of("pct:0.49,0.49,1.49,2.49", dimensions(100, 100)),
        region(0, 0, 1, 2)
    );
    assert_eq!(
        region_of("pct:0,0,0.0001,.000001", dimensions(300, 200)),
        region(0, 0, 1, 1)
    );
    assert_eq!(
        region_of("pct:50,50,500,500", dimensions(300, 200)),
        region(150, 100, 150, 100)
    );
    assert_eq!(
        region_of("pct:0,0,999999999999999999,100", dimensions(300, 200)),
        FULL
    );
}

#[test]
fn i3_reg_09_any_other_region_is_refused() {
    for token in [
        "",
        "max",
        "full,",
        ",full",
        "1,2,3",
        "1,2,3,4,5",
        "1,2,3,",
        ",,,",
        "1;2;3;4",
        "-1,0,5,5",
        "+1,0,5,5",
        "1.5,0,5,5",
        "0,0,1e2,5",
        "0,0,0x5,5",
        " 0,0,5,5",
        "pct:",
        "pct:1,2,3",
        "pct:1,2,3,4,5",
        "pct:-1,0,5,5",
        "pct:1,2,3,NaN",
        "percent:1,2,3,4",
        "A^_`zR",
        "<=>@Z]",
        "!0,0,5,5",
        "^full",
        "full?",
        "square,",
    ] {
        assert_bad_v3(&format!("{token}/max/0/default.jpg"), Parameter::Region);
    }
}

#[test]
fn i3_reg_10_the_examples_of_the_specification_agree() {
    let image = dimensions(300, 200);
    assert_eq!(
        region_of("pct:41.6,7.5,40,70", image),
        region(125, 15, 120, 140)
    );
    assert_eq!(
        region_of("pct:41.6,7.5,66.6,100", image),
        region(125, 15, 175, 185)
    );
}

#[test]
fn i3_grm_02_zero_is_accepted_where_it_means_something() {
    assert_eq!(
        region_of("pct:0,0,50,50", dimensions(300, 200)),
        region(0, 0, 150, 100)
    );
    assert!(resolve(V3, "full/max/0/default.jpg", &PLAIN).is_ok());
}

#[test]
fn i3_grm_03_numbers_of_other_notations_are_refused() {
    for number in [
        "+0.9", "-0", "1e2", "NaN", "inf", "1_000", "0x10", "1,5", "1.", ".",
    ] {
        assert_bad_v3(&format!("full/pct:{number}/0/default.jpg"), Parameter::Size);
        assert_bad_v3(
            &format!("full/max/{number}/default.jpg"),
            Parameter::Rotation,
        );
        assert_bad_v3(
            &format!("pct:0,0,{number},5/max/0/default.jpg"),
            Parameter::Region,
        );
    }
}

#[test]
fn i3_grm_06_overflow_saturates_a_regions_sides_and_is_refused_elsewhere() {
    let huge = "9".repeat(5000);
    assert_eq!(
        region_of(&format!("1,2,{huge},{huge}"), dimensions(300, 200)),
        region(1, 2, 299, 198)
    );
    assert_bad_v3(
        &format!("{huge},0,1,1/max/0/default.jpg"),
        Parameter::Region,
    );
    assert_bad_v3(
        &format!("0,{huge},1,1/max/0/default.jpg"),
        Parameter::Region,
    );
    assert_bad_sizes(
        &[
            &format!("{huge},"),
            &format!("^,{huge}"),
            &format!("!{huge},{huge}"),
            &format!("^pct:{huge}"),
        ],
        &up_to_width(400),
    );
    assert_bad_v3(&format!("full/max/{huge}/default.jpg"), Parameter::Rotation);
    assert_bad_v3(
        &format!("pct:0,0,1,{huge}/max/0/default.jpg"),
        Parameter::Region,
    );
}

// --- Size

#[test]
fn i3_siz_01_max_is_the_region_itself() {
    assert_eq!(size("max", &PLAIN), dimensions(300, 200));
    assert_eq!(size("max", &up_to_width(5000)), dimensions(300, 200));
}

#[test]
fn i3_siz_02_one_side_derives_the_other() {
    assert_eq!(size("150,", &PLAIN), dimensions(150, 100));
    assert_eq!(size(",150", &PLAIN), dimensions(225, 150));
    assert_eq!(size("225,100", &PLAIN), dimensions(225, 100));
}

#[test]
fn i3_siz_03_percent_and_box() {
    assert_eq!(size("pct:50", &PLAIN), dimensions(150, 100));
    assert_eq!(size("pct:41.6", &PLAIN), dimensions(125, 83));
    assert_eq!(size("!225,100", &PLAIN), dimensions(150, 100));
    assert_eq!(size("!100,66", &PLAIN), dimensions(99, 66));
}

#[test]
fn i3_siz_05_a_size_above_the_region_needs_a_caret() {
    let rules = up_to_width(5000);
    assert_bad_sizes(
        &[
            "301,",
            ",201",
            "301,200",
            "300,201",
            "1,201",
            "pct:100.1",
            "pct:100.000000000000001",
        ],
        &rules,
    );
    let path = "0,0,10,10/11,/0/default.jpg";
    assert_bad(V3, path, &rules, Parameter::Size);
}

#[test]
fn i3_siz_06_upscaling_that_is_not_offered_is_501() {
    for token in [
        "^pct:120",
        "^301,",
        "^,201",
        "^301,10",
        "^10,201",
        "^!600,600",
    ] {
        assert_not_implemented(token, &PLAIN);
    }
    let limited = SizeRules {
        upscaling: false,
        ..up_to_width(400)
    };
    assert_not_implemented("^max", &limited);
}

#[test]
fn i3_siz_07_a_caret_that_enlarges_nothing_is_served() {
    for (token, expected) in [
        ("^150,", (150, 100)),
        ("^pct:50", (150, 100)),
        ("^!100,100", (100, 67)),
        ("^300,200", (300, 200)),
        ("^pct:100", (300, 200)),
        ("^max", (300, 200)),
    ] {
        assert_eq!(
            size(token, &PLAIN),
            dimensions(expected.0, expected.1),
            "{token}"
        );
    }
}

#[test]
fn i3_siz_08_less_than_a_pixel_or_above_the_limits_is_refused() {
    assert_bad_sizes(&["pct:0.1"], &PLAIN);
    assert_bad_sizes(
        &["^361,", "^360,361", "^1,361", "^pct:121"],
        &up_to_width(360),
    );
}

#[test]
fn i3_siz_09_full_is_no_size() {
    assert_bad_sizes(&["full", "^full"], &PLAIN);
}

#[test]
fn i3_siz_10_the_caret_stands_first() {
    let rules = up_to_width(5000);
    assert_bad_sizes(
        &[
            ",^240",
            "!^360,360",
            "360^,",
            "max^",
            "^^max",
            "^",
            "pct:^50",
        ],
        &rules,
    );
    assert_eq!(size("^,240", &rules), dimensions(360, 240));
    assert_eq!(size("^!360,360", &rules), dimensions(360, 240));
}

#[test]
fn i3_siz_11_one_side_above_the_region_is_enlarging() {
    assert_bad_sizes(&["10,201", "301,10"], &up_to_width(5000));
    assert_eq!(size("^10,201", &up_to_width(5000)), dimensions(10, 201));
}

#[test]
fn i3_siz_12_empty_and_zero_sizes_are_refused() {
    assert_bad_sizes(
        &[
            "0,", ",0", "0,0", "10,0", "!0,5", "!5,0", "pct:0", "pct:0.0", "pct:", ",", "!,",
            "!5,", "!,5", "5", "", "!", "^", "^0,", "5,5,5", "-5,", "5.5,", "+5,5", "w,h",
            "pct:5,5", "!pct:5", "!max",
        ],
        &up_to_width(5000),
    );
}

#[test]
fn i3_siz_13_a_box_is_filled_to_its_bound_and_never_beyond_the_region() {
    assert_eq!(size("!600,600", &PLAIN), dimensions(300, 200));
    assert_eq!(size("!299,600", &PLAIN), dimensions(299, 199));
    assert_eq!(size("!600,199", &PLAIN), dimensions(299, 199));
    assert_eq!(size("^!600,600", &up_to_width(5000)), dimensions(600, 400));
    assert_eq!(size("^!600,600", &up_to_width(450)), dimensions(450, 300));
    assert_eq!(size("!299,299", &up_to_width(150)), dimensions(150, 100));
}

#[test]
fn i3_siz_16_a_derived_side_is_rounded_half_up_and_an_explicit_one_kept() {
    assert_eq!(size("100,", &PLAIN), dimensions(100, 67));
    assert_eq!(size(",100", &PLAIN), dimensions(150, 100));
    let odd = dimensions(4, 2);
    assert_eq!(
        size_of(V3, "3,", odd, &PLAIN).expect("a size"),
        dimensions(3, 2)
    );
    assert_eq!(
        size_of(V3, "1,", odd, &PLAIN).expect("a size"),
        dimensions(1, 1)
    );
    // 7 · 5 / 10 is 3.5; one less in the numerator stays below the half.
    assert_eq!(
        size_of(V3, "5,", dimensions(10, 7), &PLAIN).expect("a size"),
        dimensions(5, 4)
    );
    assert_eq!(
        size_of(V3, "500,", dimensions(1000, 699), &PLAIN).expect("a size"),
        dimensions(500, 350)
    );
    assert_eq!(
        size_of(V3, "499,", dimensions(1000, 699), &PLAIN).expect("a size"),
        dimensions(499, 349)
    );
}

#[test]
fn i3_siz_16_the_largest_image_is_scaled_exactly() {
    let huge = dimensions(u32::MAX, u32::MAX - 1);
    assert_eq!(
        size_of(V3, "4294967294,", huge, &PLAIN).expect("a size"),
        dimensions(u32::MAX - 1, u32::MAX - 2)
    );
    assert_eq!(
        size_of(V3, "pct:50", huge, &PLAIN).expect("a size"),
        dimensions(2_147_483_648, 2_147_483_647)
    );
    assert_eq!(size_of(V3, "max", huge, &PLAIN).expect("a size"), huge);
}

#[test]
fn i3_siz_17_a_derived_side_is_at_least_a_pixel_but_a_percentage_is_not_raised() {
    let thin = dimensions(10_000, 1);
    assert_eq!(
        size_of(V3, "100,", thin, &PLAIN).expect("a size"),
        dimensions(100, 1)
    );
    assert_eq!(
        size_of(V3, "!100,100", thin, &PLAIN).expect("a size"),
        dimensions(100, 1)
    );
    assert_eq!(
        size_of(V3, ",100", dimensions(1, 10_000), &PLAIN).expect("a size"),
        dimensions(1, 100)
    );
    assert!(size_of(V3, "pct:1", thin, &PLAIN).is_err());
    assert_eq!(
        size_of(V3, "pct:50", thin, &PLAIN).expect("a size"),
        dimensions(5000, 1)
    );
}

#[test]
fn i3_siz_18_enlarging_is_checked_before_its_offer_and_the_offer_before_the_limits() {
    let limited = SizeRules {
        upscaling: false,
        ..up_to_width(360)
    };
    assert_bad_sizes(&["9999,", "9999,9999", "pct:9999"], &limited);
    assert_not_implemented("^9999,", &limited);
    assert_not_implemented("^9999,9999", &limited);
    assert_not_implemented("^pct:999999999", &limited);
    assert_bad(
        V3,
        "300,0,1,1/^9999,/0/default.jpg",
        &limited,
        Parameter::Region,
    );
}

// --- Limits

#[test]
fn i3_max_01_a_width_alone_bounds_the_height_too() {
    let tall = dimensions(200, 300);
    assert_eq!(
        size_of(V3, "max", tall, &up_to_width(150)).expect("a size"),
        dimensions(100, 150)
    );
    let by_height = SizeRules {
        max_height_px: Some(150),
        ..PLAIN
    };
    assert_eq!(size("max", &by_height), dimensions(150, 100));
}

#[test]
fn i3_max_02_all_limits_apply_to_every_region() {
    let rules = SizeRules {
        max_area_px: Some(5000),
        ..up_to_width(90)
    };
    assert_eq!(size("max", &rules), dimensions(86, 57));
    let request = parse(V3, "0,0,200,10/max/0/default.jpg").expect("a request");
    let resolved = request.resolve(&color(300, 200), &rules).expect("it fits");
    assert_eq!(resolved.size, dimensions(90, 5));
}

#[test]
fn i3_max_05_max_is_reduced_to_the_limits_and_no_further() {
    assert_eq!(size("max", &up_to_width(200)), dimensions(200, 133));
    assert_eq!(size("^max", &up_to_width(360)), dimensions(360, 240));
    assert_eq!(size("^max", &up_to_width(200)), dimensions(200, 133));
}

#[test]
fn i3_max_06_an_area_rounds_down_and_a_side_is_met_exactly() {
    let by_area = |area| SizeRules {
        max_area_px: Some(area),
        upscaling: true,
        ..PLAIN
    };
    assert_eq!(size("max", &by_area(59_999)), dimensions(299, 199));
    assert_eq!(size("max", &by_area(60_000)), dimensions(300, 200));
    assert_eq!(size("^max", &by_area(240_000)), dimensions(600, 400));
    assert_eq!(size("^max", &by_area(239_999)), dimensions(599, 399));
    assert_eq!(size("max", &by_area(1)), dimensions(1, 1));
    let thin = dimensions(10_000, 1);
    assert_eq!(
        size_of(V3, "max", thin, &by_area(100)).expect("a size"),
        dimensions(100, 1)
    );
    assert_eq!(
        size_of(V3, "!500,500", thin, &by_area(100)).expect("a size"),
        dimensions(100, 1)
    );
    // 150 × 66.9 keeps the area, 150 × 67 would not: the derived side gives way.
    let both = SizeRules {
        max_area_px: Some(10_040),
        ..up_to_width(150)
    };
    assert_eq!(
        size_of(V3, "max", dimensions(1500, 669), &both).expect("a size"),
        dimensions(150, 66)
    );
}

#[test]
fn i3_max_07_without_limits_caret_max_is_max() {
    let rules = SizeRules {
        upscaling: true,
        ..PLAIN
    };
    assert_eq!(size("^max", &rules), dimensions(300, 200));
}

#[test]
fn i3_max_08_families_of_max_shrink_and_explicit_sizes_are_refused() {
    let rules = up_to_width(100);
    for token in ["max", "^max", "!200,200", "^!200,200", "!300,300"] {
        assert_eq!(size(token, &rules), dimensions(100, 67), "{token}");
    }
    assert_bad_sizes(
        &[
            "101,", ",68,", ",101", "101,1", "1,101", "pct:34", "pct:100", "^101,", "^pct:100",
        ],
        &rules,
    );
}

#[test]
fn i3_max_09_a_region_within_the_limits_comes_at_full_resolution() {
    let path = "0,0,150,100/max/0/default.jpg";
    let resolved = resolve(V3, path, &up_to_width(200)).expect(path);
    assert_eq!(resolved.size, dimensions(150, 100));
}

#[test]
fn section_16_the_limits_of_the_specifications_example() {
    let rules = SizeRules {
        max_width_px: Some(3000),
        max_height_px: Some(2000),
        max_area_px: Some(4_000_000),
        ..PLAIN
    };
    let image = color(6000, 4000);
    assert_eq!(
        size_of(V3, "max", image.dimensions, &rules).expect("a size"),
        dimensions(2449, 1632)
    );
    let refused = size_of(V3, "3000,2000", image.dimensions, &rules).expect_err("above the area");
    assert_eq!(refused.kind(), ErrorKind::BadRequest);
    let request = parse(V3, "0,0,1000,4000/max/0/default.jpg").expect("a request");
    assert_eq!(
        request.resolve(&image, &rules).expect("it fits").size,
        dimensions(500, 2000)
    );
}

// --- Rotation

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

// --- Quality and format

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
    for token in ["jpeg", "tiff", "jp2", "pdf", "avif", "JPG", "jpg ", "x"] {
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

// --- Canonical form

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

// --- Conflicts

#[test]
fn k1_a_box_above_the_region_is_refused_only_for_the_validator() {
    let strict = SizeRules {
        strict_validator: true,
        ..up_to_width(5000)
    };
    assert_bad_sizes(&["!600,600", "!301,201"], &strict);
    assert_eq!(size("!600,100", &strict), dimensions(150, 100));
    assert_eq!(size("!300,600", &strict), dimensions(300, 200));
    assert_eq!(size("^!600,600", &strict), dimensions(600, 400));
}

#[test]
fn k5_caret_max_enlarges_unless_for_the_validator() {
    let strict = SizeRules {
        strict_validator: true,
        ..up_to_width(5000)
    };
    assert_eq!(size("^max", &up_to_width(5000)), dimensions(5000, 3333));
    assert_eq!(size("^max", &strict), dimensions(300, 200));
    let resolved = resolve(V3, "full/^5000,3333/0/default.jpg", &strict).expect("it is offered");
    assert_eq!(resolved.canonical, "full/^5000,3333/0/default.jpg");
}

#[test]
fn val_the_officials_sizes_come_out_exactly() {
    let square = dimensions(1000, 1000);
    let strict = SizeRules {
        max_area_px: Some(134_217_728),
        upscaling: true,
        strict_validator: true,
        ..PLAIN
    };
    for (token, side) in [
        ("^pct:200", 2000),
        ("^!2000,500", 500),
        ("^!2000,3000", 2000),
        ("^max", 1000),
        ("^,1500", 1500),
    ] {
        assert_eq!(
            size_of(V3, token, square, &strict).expect(token),
            dimensions(side, side),
            "{token}"
        );
    }
    for token in ["1500,1500", ",1500", "1500,", "pct:200", "!2000,3000"] {
        let error = size_of(V3, token, square, &strict).expect_err(token);
        assert_eq!(error.kind(), ErrorKind::BadRequest, "{token}");
    }
}

// --- Words

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
            "full/max/400/default.jpg",
            &["rotation", "\"400\"", "0 to 360"],
        ),
        (
            "full/max/0/frob.jpg",
            &["quality", "\"frob\"", "default, color, gray, bitonal"],
        ),
        (
            "full/max/0/default.jp2",
            &[
                "format",
                "\"jp2\"",
                "not offered",
                "jpg, png, webp, gif, tif",
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
fn limits_are_put_in_words() {
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

// --- The table of test vectors

#[test]
fn section_16_vectors_without_limits() {
    let rows: [(&str, Region, (u32, u32), &str); 16] = [
        ("full/max/0/default.jpg", FULL, (300, 200), "same"),
        (
            "square/max/0/default.jpg",
            region(50, 0, 200, 200),
            (200, 200),
            "50,0,200,200/max/0/default.jpg",
        ),
        (
            "pct:41.6,7.5,66.6,100/max/0/default.jpg",
            region(125, 15, 175, 185),
            (175, 185),
            "125,15,175,185/max/0/default.jpg",
        ),
        (
            "0,0,400,400/300,200/0.0/color.png",
            FULL,
            (300, 200),
            "full/max/0/default.png",
        ),
        (
            "299,199,10,10/max/0/default.jpg",
            region(299, 199, 1, 1),
            (1, 1),
            "299,199,1,1/max/0/default.jpg",
        ),
        (
            "full/,150/0/default.jpg",
            FULL,
            (225, 150),
            "full/225,150/0/default.jpg",
        ),
        (
            "full/pct:50/0/default.jpg",
            FULL,
            (150, 100),
            "full/150,100/0/default.jpg",
        ),
        ("full/225,100/0/default.jpg", FULL, (225, 100), "same"),
        (
            "full/!225,100/0/default.jpg",
            FULL,
            (150, 100),
            "full/150,100/0/default.jpg",
        ),
        (
            "full/!600,600/0/default.jpg",
            FULL,
            (300, 200),
            "full/max/0/default.jpg",
        ),
        (
            "full/pct:100/0/default.jpg",
            FULL,
            (300, 200),
            "full/max/0/default.jpg",
        ),
        (
            "full/max/360/default.jpg",
            FULL,
            (300, 200),
            "full/max/0/default.jpg",
        ),
        (
            "full/max/22.50/default.png",
            FULL,
            (300, 200),
            "full/max/22.5/default.png",
        ),
        (
            "full/max/.5/default.png",
            FULL,
            (300, 200),
            "full/max/0.5/default.png",
        ),
        (
            "full/100,/90/default.jpg",
            FULL,
            (100, 67),
            "full/100,67/90/default.jpg",
        ),
        (
            "full/^150,/0/default.jpg",
            FULL,
            (150, 100),
            "full/150,100/0/default.jpg",
        ),
    ];
    for (path, region, size, canonical) in rows {
        assert_vector(&PLAIN, path, region, size, canonical);
    }
}

#[test]
fn section_16_refusals_without_limits() {
    for (path, parameter) in [
        ("300,0,10,10/max/0/default.jpg", Parameter::Region),
        ("0,0,0,10/max/0/default.jpg", Parameter::Region),
        ("full/301,/0/default.jpg", Parameter::Size),
        ("full/300,201/0/default.jpg", Parameter::Size),
        ("full/pct:100.1/0/default.jpg", Parameter::Size),
        ("full/full/0/default.jpg", Parameter::Size),
        ("full/,^240/0/default.jpg", Parameter::Size),
        ("full/pct:0/0/default.jpg", Parameter::Size),
        ("full/max/-90/default.jpg", Parameter::Rotation),
        ("full/max/+90/default.jpg", Parameter::Rotation),
        ("full/max/1e2/default.jpg", Parameter::Rotation),
        ("full/max/360.5/default.jpg", Parameter::Rotation),
    ] {
        assert_bad_v3(path, parameter);
    }
    assert_not_implemented("^pct:120", &PLAIN);
    assert_not_implemented("^!600,600", &PLAIN);
}

#[test]
fn section_16_vectors_with_a_width_of_200() {
    let rules = up_to_width(200);
    let part = region(0, 0, 150, 100);
    assert_vector(&rules, "full/max/0/default.jpg", FULL, (200, 133), "same");
    assert_vector(
        &rules,
        "full/200,133/0/default.jpg",
        FULL,
        (200, 133),
        "full/max/0/default.jpg",
    );
    assert_vector(
        &rules,
        "0,0,150,100/max/0/default.jpg",
        part,
        (150, 100),
        "same",
    );
    assert_vector(
        &rules,
        "0,0,150,100/^max/0/default.jpg",
        part,
        (200, 133),
        "same",
    );
    assert_vector(
        &rules,
        "0,0,150,100/^!200,50/0/default.jpg",
        part,
        (75, 50),
        "0,0,150,100/75,50/0/default.jpg",
    );
    assert_bad_sizes(&["201,"], &rules);
}

#[test]
fn section_16_vectors_with_a_width_of_360() {
    let rules = up_to_width(360);
    for token in ["^max", "^360,", "^,240", "^pct:120", "^!360,360"] {
        let path = format!("full/{token}/0/default.jpg");
        assert_vector(&rules, &path, FULL, (360, 240), "full/^max/0/default.jpg");
    }
    assert_vector(
        &rules,
        "full/^360,360/0/default.jpg",
        FULL,
        (360, 360),
        "same",
    );
    assert_vector(
        &rules,
        "full/^250,/0/default.jpg",
        FULL,
        (250, 167),
        "full/250,167/0/default.jpg",
    );
    assert_bad_sizes(&["^361,"], &rules);
}
