//! The table of test vectors, for an image of 300×200.

use super::*;

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
