//! The region: I3-REG, and the numbers of the grammar, I3-GRM.

use super::*;

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
    let wide = region_of("square", dimensions(300, 201));
    assert_eq!(wide, region(49, 0, 201, 201));
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
