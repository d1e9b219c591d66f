//! The size: I3-SIZ.

use super::*;

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
        ("^pct:100.1", (300, 200)),
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
