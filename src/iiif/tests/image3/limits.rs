//! The limits of a size, I3-MAX, and where the official validator disagrees.

use super::*;

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
