//! Image API 3.0: requests.

use super::*;
use crate::library::SQUARES;

fn check_plain(rows: &[(&str, Outcome)]) {
    check(&PLAIN.get(), "3", "plain.png", rows);
}

fn refused(status: u16, requests: &[&str]) {
    let server = PLAIN.get();
    for request in requests {
        let answer = server.get(&format!("/iiif/3/plain.png/{request}"));
        assert_eq!(answer.status, status, "{request}: {}", text(&answer));
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{request}"
        );
    }
}

fn refused_sizes(sizes: &[&str]) {
    for size in sizes {
        refused(400, &[&format!("full/{size}/0/default.jpg")]);
    }
}

#[test]
fn i3_uri_01_all_five_parameters_are_needed() {
    let server = PLAIN.get();
    for path in [
        "/iiif/3/plain.png/full/max/default.jpg",
        "/iiif/3/plain.png/full/max/0/default.jpg/x",
        "/iiif/3/plain.png/full/max/0",
        "/iiif/3/a/b/full/max/0/default.jpg",
        "/iiif/3/a/b/info.json",
        "/iiif/4/plain.png/info.json",
        "/iiif/plain.png/info.json",
        "/plain.png",
    ] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn i3_uri_04_the_base_uri_redirects_to_the_document_with_303() {
    let server = PLAIN.get();
    for path in [
        "/iiif/3/plain.png",
        "/iiif/3/plain.png/",
        "/iiif/3/a%20b.png",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 303, "{path}");
        let base = format!("http://{}{}", server.public, path.trim_end_matches('/'));
        assert_eq!(answer.header("location"), format!("{base}/info.json"));
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
}

#[test]
fn i3_uri_09_quality_and_format_are_split_at_the_last_dot() {
    refused(
        400,
        &[
            "full/max/0/default",
            "full/max/0/.jpg",
            "full/max/0/default.",
            "full/max/0/default.x.jpg",
        ],
    );
}

#[test]
fn i3_uri_10_a_query_changes_nothing() {
    let server = PLAIN.get();
    let plain = server.get("/iiif/3/plain.png/full/90,/0/default.png");
    let query = server.get("/iiif/3/plain.png/full/90,/0/default.png?size=1&x");
    assert_eq!(plain.body, query.body);
    assert_eq!(canonical(&plain), canonical(&query));
    assert_eq!(plain.header("etag"), query.header("etag"));
}

#[test]
fn i3_uri_11_values_are_case_sensitive() {
    refused(
        400,
        &[
            "FULL/max/0/default.jpg",
            "Square/max/0/default.jpg",
            "full/Max/0/default.jpg",
            "full/max/0/Default.jpg",
            "full/max/0/default.JPG",
            "PCT:0,0,10,10/max/0/default.jpg",
        ],
    );
}

#[test]
fn i3_enc_04_characters_may_come_encoded_in_either_case() {
    let server = PLAIN.get();
    let identifier = SQUARES.replace('-', "%2D");
    let answer = server.get(&format!("/iiif/3/{identifier}/full/10,/0/default.png"));
    assert_eq!(decode(&answer).size(), (10, 10));
    assert!(canonical(&answer).contains(&format!("/iiif/3/{SQUARES}/")));
    for request in [
        "0%2C0%2c30,20/max/0/default.png",
        "%66ull/%5E30,/0/default.png",
        "full/%5e%2130,20/0/default.png",
        "full/max/%210/default%2Epng",
        "pct%3A0,0,10,10/max/0/default.png",
    ] {
        let answer = server.get(&format!("/iiif/3/plain.png/{request}"));
        assert_eq!(answer.status, 200, "{request}");
    }
}

#[test]
fn i3_enc_05_components_are_decoded_exactly_once() {
    let server = PLAIN.get();
    for identifier in ["plain%252Epng", "folder%252Finner.png", "%2570lain.png"] {
        let answer = server.get(&format!("/iiif/3/{identifier}/info.json"));
        assert_eq!(answer.status, 404, "{identifier}");
    }
    refused(
        400,
        &["%2566ull/max/0/default.jpg", "full/%255Emax/0/default.jpg"],
    );
}

#[test]
fn i3_enc_02_identifiers_make_the_round_trip() {
    let server = PLAIN.get();
    for (name, segment) in crate::library::NAMES {
        let path = format!("/iiif/3/{segment}/info.json");
        let answer = server.get(&path);
        assert_eq!(answer.status, 200, "{name}: {}", text(&answer));
        let document = answer.json();
        let id = format!("http://{}/iiif/3/{segment}", server.public);
        assert_eq!(document["id"], id.as_str(), "{name}");
        assert_eq!(document["width"], 7, "{name}");
        let image = server.get(&format!("/iiif/3/{segment}/full/max/0/default.png"));
        assert_eq!(canonical(&image), format!("{id}/full/max/0/default.png"));
        assert_eq!(decode(&image).size(), (7, 5), "{name}");
        let base = server.get(&format!("/iiif/3/{segment}"));
        assert_eq!(base.header("location"), format!("{id}/info.json"));
    }
}

#[test]
fn i3_enc_08_a_plus_is_no_space() {
    let server = PLAIN.get();
    assert_eq!(server.get("/iiif/3/a+b.png/info.json").status, 200);
    assert_eq!(server.get("/iiif/3/a%2Bb.png/info.json").status, 200);
    let spaced = server.get("/iiif/3/a%20b.png/info.json");
    assert_eq!(spaced.status, 200);
    assert!(spaced.json()["id"].as_str().unwrap().ends_with("a%20b.png"));
}

#[test]
fn a_name_is_found_in_either_normal_form() {
    let server = PLAIN.get();
    for segment in [
        "folder%2Fdeep%20er%2F%C3%BCnder.png",
        "folder%2Fdeep%20er%2Fu%CC%88nder.png",
    ] {
        let answer = server.get(&format!("/iiif/3/{segment}/info.json"));
        assert_eq!(answer.status, 200, "{segment}");
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        assert!(id.ends_with(segment), "{id}");
    }
}

#[test]
fn i3_enc_11_malformed_identifiers_are_400_and_unknown_ones_404() {
    let server = PLAIN.get();
    for segment in [
        "%",
        "%2",
        "%zz",
        "a%00b",
        "%FF",
        "%C0%AF",
        "a%0Ab",
        "%ED%A0%80",
    ] {
        let answer = server.get(&format!("/iiif/3/{segment}/full/max/0/default.jpg"));
        assert_eq!(answer.status, 400, "{segment}");
        assert_eq!(answer.json()["parameter"], "identifier", "{segment}");
    }
    for path in ["info.json", "full/max/0/default.jpg"] {
        assert_eq!(server.get(&format!("/iiif/3/nobody/{path}")).status, 404);
    }
}

#[test]
fn i3_grm_01_i3_grm_03_numbers_are_digits_and_one_point() {
    for number in [
        "+1",
        "-1",
        "-0",
        "1e2",
        "0x10",
        "1_0",
        "NaN",
        "inf",
        "%201",
        "1.0.0",
        "%EF%BC%91",
    ] {
        refused(
            400,
            &[
                &format!("full/max/{number}/default.jpg"),
                &format!("full/pct:{number}/0/default.jpg"),
                &format!("full/{number},10/0/default.jpg"),
                &format!("0,0,{number},5/max/0/default.jpg"),
                &format!("pct:0,0,{number},5/max/0/default.jpg"),
            ],
        );
    }
    refused(
        400,
        &["0,0,1.5,5/max/0/default.jpg", "full/10.0,/0/default.jpg"],
    );
    refused(400, &["full/max/1,5/default.jpg", "full/max/./default.jpg"]);
}

#[test]
fn i3_grm_02_i3_grm_04_zero_and_untidy_spellings_are_served() {
    check_plain(&[
        (
            "pct:0,0,50,50.0/max/0/default.png",
            Image((150, 100), "0,0,150,100/max/0/default.png"),
        ),
        (
            "pct:0.0,.5,50,50/max/00/default.png",
            Image((150, 100), "0,1,150,100/max/0/default.png"),
        ),
        (
            "full/pct:050.0/0/default.png",
            Image((150, 100), "full/150,100/0/default.png"),
        ),
        (
            "full/max/090.00/default.png",
            Image((200, 300), "full/max/90/default.png"),
        ),
        (
            "00,00,0150,0100/max/0/default.png",
            Image((150, 100), "0,0,150,100/max/0/default.png"),
        ),
    ]);
}

#[test]
fn i3_grm_06_sides_beyond_any_integer_are_cropped_and_positions_refused() {
    let huge = "99999999999999999999999999";
    let server = PLAIN.get();
    let sides = server.get(&format!(
        "/iiif/3/plain.png/10,20,{huge},{huge}/max/0/default.png"
    ));
    assert_eq!(decode(&sides).size(), (290, 180));
    refused(
        400,
        &[
            &format!("{huge},0,1,1/max/0/default.jpg"),
            &format!("full/{huge},/0/default.jpg"),
            &format!("full/^{huge},{huge}/0/default.jpg"),
        ],
    );
}

#[test]
fn i3_reg_01_i3_reg_10_regions_of_the_specification() {
    check_plain(&[
        (
            "full/max/0/default.jpg",
            Image((300, 200), "full/max/0/default.jpg"),
        ),
        (
            "square/max/0/default.jpg",
            Image((200, 200), "50,0,200,200/max/0/default.jpg"),
        ),
        (
            "125,15,120,140/max/0/default.jpg",
            Image((120, 140), "125,15,120,140/max/0/default.jpg"),
        ),
        (
            "pct:41.6,7.5,40,70/max/0/default.jpg",
            Image((120, 140), "125,15,120,140/max/0/default.jpg"),
        ),
        (
            "125,15,200,200/max/0/default.jpg",
            Image((175, 185), "125,15,175,185/max/0/default.jpg"),
        ),
        (
            "pct:41.6,7.5,66.6,100/max/0/default.jpg",
            Image((175, 185), "125,15,175,185/max/0/default.jpg"),
        ),
        (
            "0,0,400,400/300,200/0.0/color.png",
            Image((300, 200), "full/max/0/default.png"),
        ),
        (
            "299,199,10,10/max/0/default.jpg",
            Image((1, 1), "299,199,1,1/max/0/default.jpg"),
        ),
    ]);
}

#[test]
fn i3_reg_06_i3_reg_07_empty_and_outside_regions_are_400() {
    refused(
        400,
        &[
            "300,0,10,10/max/0/default.jpg",
            "0,200,10,10/max/0/default.jpg",
            "0,0,0,10/max/0/default.jpg",
            "0,0,10,0/max/0/default.jpg",
            "pct:100,0,10,10/max/0/default.jpg",
            "pct:0,0,0,10/max/0/default.jpg",
            "pct:0,0,10,0.0/max/0/default.jpg",
        ],
    );
}

#[test]
fn i3_reg_08_percentages_round_half_up_and_never_to_nothing() {
    check_plain(&[
        // 0.5 of 300 is 1.5, of 200 is 1.
        (
            "pct:0.5,0.25,0.5,0.25/max/0/default.png",
            Image((2, 1), "2,1,2,1/max/0/default.png"),
        ),
        (
            "pct:0,0,0.01,0.01/max/0/default.png",
            Image((1, 1), "0,0,1,1/max/0/default.png"),
        ),
        (
            "pct:50,50,200,200/max/0/default.png",
            Image((150, 100), "150,100,150,100/max/0/default.png"),
        ),
    ]);
}

#[test]
fn i3_reg_09_other_regions_are_400() {
    refused(
        400,
        &[
            "A^_%60zR/max/0/default.jpg",
            "1,2,3/max/0/default.jpg",
            "1,2,3,4,5/max/0/default.jpg",
            "pct:1,2,3/max/0/default.jpg",
            "pct/max/0/default.jpg",
            "square:/max/0/default.jpg",
            "1,2,,4/max/0/default.jpg",
        ],
    );
}

#[test]
fn i3_siz_01_to_03_every_form_of_size() {
    check_plain(&[
        (
            "full/,150/0/default.jpg",
            Image((225, 150), "full/225,150/0/default.jpg"),
        ),
        (
            "full/150,/0/default.jpg",
            Image((150, 100), "full/150,100/0/default.jpg"),
        ),
        (
            "full/pct:50/0/default.jpg",
            Image((150, 100), "full/150,100/0/default.jpg"),
        ),
        (
            "full/225,100/0/default.jpg",
            Image((225, 100), "full/225,100/0/default.jpg"),
        ),
        (
            "full/!225,100/0/default.jpg",
            Image((150, 100), "full/150,100/0/default.jpg"),
        ),
        (
            "full/!600,600/0/default.jpg",
            Image((300, 200), "full/max/0/default.jpg"),
        ),
        (
            "full/pct:100/0/default.jpg",
            Image((300, 200), "full/max/0/default.jpg"),
        ),
    ]);
}

#[test]
fn i3_siz_05_enlarging_without_a_caret_is_400() {
    refused_sizes(&[
        "301,",
        "300,201",
        "301,200",
        ",201",
        "pct:100.1",
        "301,1",
        "1,201",
    ]);
}

#[test]
fn i3_siz_04_the_caret_enlarges() {
    check_plain(&[
        (
            "full/^600,/0/default.png",
            Image((600, 400), "full/^600,400/0/default.png"),
        ),
        (
            "full/^,240/0/default.png",
            Image((360, 240), "full/^360,240/0/default.png"),
        ),
        (
            "full/^pct:120/0/default.png",
            Image((360, 240), "full/^360,240/0/default.png"),
        ),
        (
            "full/^310,20/0/default.png",
            Image((310, 20), "full/^310,20/0/default.png"),
        ),
        (
            "full/^!600,600/0/default.png",
            Image((600, 400), "full/^600,400/0/default.png"),
        ),
        (
            "full/^150,/0/default.png",
            Image((150, 100), "full/150,100/0/default.png"),
        ),
        (
            "full/^300,200/0/default.png",
            Image((300, 200), "full/max/0/default.png"),
        ),
    ]);
}

#[test]
fn i3_siz_06_upscaling_that_is_not_offered_is_501() {
    let rows = [
        ("full/^pct:120/0/default.jpg", Refused(501)),
        ("full/^!600,600/0/default.jpg", Refused(501)),
        ("full/^301,/0/default.jpg", Refused(501)),
        ("full/^300,201/0/default.jpg", Refused(501)),
        ("full/301,/0/default.jpg", Refused(400)),
    ];
    check(&NO_UPSCALING.get(), "3", "plain.png", &rows);
}

#[test]
fn i3_siz_07_a_caret_that_enlarges_nothing_is_served_everywhere() {
    let rows = [
        (
            "full/^150,/0/default.jpg",
            Image((150, 100), "full/150,100/0/default.jpg"),
        ),
        (
            "full/^pct:50/0/default.jpg",
            Image((150, 100), "full/150,100/0/default.jpg"),
        ),
        (
            "full/^!100,100/0/default.jpg",
            Image((100, 67), "full/100,67/0/default.jpg"),
        ),
    ];
    check(&NO_UPSCALING.get(), "3", "plain.png", &rows);
}

#[test]
fn i3_siz_09_i3_siz_10_i3_siz_12_other_sizes_are_400() {
    refused_sizes(&[
        "full", ",^240", "!^10,10", "^^max", "0,", ",0", "0,0", "10,0", "!0,5", "pct:0", ",", "!,",
        "!5,", "5", "A^_%60zR", "^", "^full", "pct:", "max,", "!max", "10,10,10",
    ]);
}

#[test]
fn i3_siz_13_a_box_is_filled_as_far_as_the_region_allows() {
    check_plain(&[
        (
            "full/!100,200/0/default.png",
            Image((100, 67), "full/100,67/0/default.png"),
        ),
        (
            "full/!299,50/0/default.png",
            Image((75, 50), "full/75,50/0/default.png"),
        ),
        (
            "0,0,10,100/!300,300/0/default.png",
            Image((10, 100), "0,0,10,100/max/0/default.png"),
        ),
    ]);
}

#[test]
fn i3_siz_16_derived_sides_round_half_up() {
    check_plain(&[
        // 200 · 100 / 300 = 66.67; 200 · 50 / 300 = 33.33.
        (
            "full/100,/0/default.png",
            Image((100, 67), "full/100,67/0/default.png"),
        ),
        (
            "full/50,/0/default.png",
            Image((50, 33), "full/50,33/0/default.png"),
        ),
        // 4 · 5 / 8 = 2.5.
        (
            "0,0,8,4/5,/0/default.png",
            Image((5, 3), "0,0,8,4/5,3/0/default.png"),
        ),
        // 12.5 % of 300 is 37.5.
        (
            "full/pct:12.5/0/default.png",
            Image((38, 25), "full/38,25/0/default.png"),
        ),
    ]);
}

#[test]
fn i3_siz_17_derived_sides_are_at_least_one_pixel_but_percentages_not() {
    let rows = [
        (
            "full/100,/0/default.png",
            Image((100, 1), "full/100,1/0/default.png"),
        ),
        (
            "full/!9,9/0/default.png",
            Image((9, 1), "full/9,1/0/default.png"),
        ),
        ("full/pct:1/0/default.png", Refused(400)),
    ];
    check(&PLAIN.get(), "3", "line.png", &rows);
    refused_sizes(&["pct:0.1", "pct:0.0001"]);
}

#[test]
fn i3_siz_14_published_sizes_are_served_exactly() {
    let server = PLAIN.get();
    let document = server.get("/iiif/3/odd.png/info.json").json();
    let sizes = document["sizes"].as_array().unwrap();
    assert!(sizes.len() >= 3);
    for size in sizes {
        let (w, h) = (
            size["width"].as_u64().unwrap(),
            size["height"].as_u64().unwrap(),
        );
        let answer = server.get(&format!("/iiif/3/odd.png/full/{w},{h}/0/default.jpg"));
        let got = decode(&answer).size();
        assert_eq!((got.0 as u64, got.1 as u64), (w, h));
    }
}

#[test]
fn i3_max_05_i3_max_08_a_width_limit_of_200() {
    let rows = [
        (
            "full/max/0/default.jpg",
            Image((200, 133), "full/max/0/default.jpg"),
        ),
        (
            "full/200,133/0/default.jpg",
            Image((200, 133), "full/max/0/default.jpg"),
        ),
        ("full/201,/0/default.jpg", Refused(400)),
        ("full/pct:67/0/default.jpg", Refused(400)),
        (
            "0,0,150,100/max/0/default.jpg",
            Image((150, 100), "0,0,150,100/max/0/default.jpg"),
        ),
        (
            "0,0,150,100/^max/0/default.jpg",
            Image((200, 133), "0,0,150,100/^max/0/default.jpg"),
        ),
        (
            "0,0,150,100/^!200,50/0/default.jpg",
            Image((75, 50), "0,0,150,100/75,50/0/default.jpg"),
        ),
    ];
    check(&WIDTH_200.get(), "3", "plain.png", &rows);
    let document = WIDTH_200.get().get("/iiif/3/plain.png/info.json").json();
    assert_eq!(document["maxWidth"], 200);
    for size in document["sizes"].as_array().unwrap() {
        assert!(size["width"].as_u64().unwrap() <= 200, "I3-MAX-04");
    }
}

#[test]
fn i3_max_05_i3_max_08_a_width_limit_of_360() {
    let most = || Image((360, 240), "full/^max/0/default.jpg");
    let rows = [
        ("full/^max/0/default.jpg", most()),
        ("full/^360,/0/default.jpg", most()),
        ("full/^,240/0/default.jpg", most()),
        ("full/^pct:120/0/default.jpg", most()),
        ("full/^!360,360/0/default.jpg", most()),
        (
            "full/^360,360/0/default.jpg",
            Image((360, 360), "full/^360,360/0/default.jpg"),
        ),
        (
            "full/^250,/0/default.jpg",
            Image((250, 167), "full/250,167/0/default.jpg"),
        ),
        ("full/^361,/0/default.jpg", Refused(400)),
        ("full/^!361,361/0/default.jpg", most()),
    ];
    check(&WIDTH_360.get(), "3", "plain.png", &rows);
}

#[test]
fn i3_max_06_width_height_and_area_together() {
    let rows = [
        (
            "full/max/0/default.jpg",
            Image((2449, 1632), "full/max/0/default.jpg"),
        ),
        ("full/3000,2000/0/default.jpg", Refused(400)),
        (
            "0,0,1000,4000/max/0/default.jpg",
            Image((500, 2000), "0,0,1000,4000/max/0/default.jpg"),
        ),
    ];
    check(&ALL_LIMITS.get(), "3", "huge.png", &rows);
}

#[test]
fn i3_rot_03_i3_rot_10_rotations_and_their_boxes() {
    check_plain(&[
        (
            "full/max/360/default.jpg",
            Image((300, 200), "full/max/0/default.jpg"),
        ),
        (
            "full/max/!360/default.jpg",
            Image((300, 200), "full/max/!0/default.jpg"),
        ),
        (
            "full/max/90/default.jpg",
            Image((200, 300), "full/max/90/default.jpg"),
        ),
        (
            "full/max/180/default.jpg",
            Image((300, 200), "full/max/180/default.jpg"),
        ),
        (
            "full/max/!270/default.jpg",
            Image((200, 300), "full/max/!270/default.jpg"),
        ),
        (
            "full/max/22.50/default.png",
            Image((354, 300), "full/max/22.5/default.png"),
        ),
        (
            "full/max/.5/default.png",
            Image((302, 203), "full/max/0.5/default.png"),
        ),
    ]);
}

#[test]
fn i3_rot_05_rotations_out_of_range_are_400() {
    refused(
        400,
        &[
            "full/max/-90/default.jpg",
            "full/max/+90/default.jpg",
            "full/max/1e2/default.jpg",
            "full/max/360.5/default.jpg",
            "full/max/360.1/default.jpg",
            "full/max/!!90/default.jpg",
            "full/max/90!/default.jpg",
            "full/max/!/default.jpg",
            "full/max/A^_%60zR/default.jpg",
        ],
    );
}

#[test]
fn i3_rot_09_the_size_is_that_before_the_rotation() {
    check_plain(&[
        (
            "full/100,/90/default.jpg",
            Image((67, 100), "full/100,67/90/default.jpg"),
        ),
        (
            "full/!100,100/270/default.jpg",
            Image((67, 100), "full/100,67/270/default.jpg"),
        ),
    ]);
}

#[test]
fn i3_ord_02_the_example_of_all_parameters() {
    check_plain(&[(
        "125,15,120,140/90,/!345/gray.jpg",
        Image((115, 125), "125,15,120,140/90,105/!345/gray.jpg"),
    )]);
}

#[test]
fn i3_qua_01_to_05_every_quality() {
    check_plain(&[
        (
            "full/max/0/default.png",
            Image((300, 200), "full/max/0/default.png"),
        ),
        (
            "full/max/0/color.png",
            Image((300, 200), "full/max/0/default.png"),
        ),
        (
            "full/max/0/gray.png",
            Image((300, 200), "full/max/0/gray.png"),
        ),
        (
            "full/max/0/bitonal.png",
            Image((300, 200), "full/max/0/bitonal.png"),
        ),
    ]);
    // A gray image: color is what there is, and default stands for gray.
    let rows = [
        (
            "full/max/0/color.png",
            Image((300, 200), "full/max/0/default.png"),
        ),
        (
            "full/max/0/gray.png",
            Image((300, 200), "full/max/0/default.png"),
        ),
    ];
    let server = PLAIN.get();
    check(&server, "3", "gray.png", &rows);
    let qualities = server.get("/iiif/3/gray.png/info.json").json()["extraQualities"].clone();
    assert_eq!(qualities, serde_json::json!(["gray", "bitonal"]));
}

#[test]
fn i3_qua_07_i3_fmt_01_unsupported_qualities_and_formats_are_400() {
    refused(
        400,
        &[
            "full/max/0/native.jpg",
            "full/max/0/grey.jpg",
            "full/max/0/A^_%60zR.jpg",
            "full/max/0/default.jpeg",
            "full/max/0/default.tiff",
            "full/max/0/default.jpx",
            "full/max/0/default.bmp",
        ],
    );
}

#[test]
fn i3_fmt_02_the_body_is_in_the_format_named() {
    let server = PLAIN.get();
    for (format, media, magic) in [
        ("jpg", "image/jpeg", &b"\xFF\xD8\xFF"[..]),
        ("png", "image/png", b"\x89PNG\r\n\x1A\n"),
        ("webp", "image/webp", b"RIFF"),
        ("gif", "image/gif", b"GIF8"),
        ("tif", "image/tiff", b"II"),
        ("avif", "image/avif", b"\0\0\0\x1Cftypavif"),
        ("jxl", "image/jxl", b"\xFF\x0A"),
        ("jp2", "image/jp2", b"\0\0\0\x0CjP  "),
        ("pdf", "application/pdf", b"%PDF-1."),
    ] {
        let headers = [("Accept", "image/avif,image/webp,*/*")];
        let path = format!("/iiif/3/plain.png/full/max/0/default.{format}");
        let answer = server.request("GET", &path, &headers);
        assert_eq!(answer.header("content-type"), media);
        assert!(answer.body.starts_with(magic), "{format}");
        assert_eq!(decode(&answer).size(), (300, 200), "{format}");
        assert!(
            !answer.header("vary").contains("Accept"),
            "{format} does not vary"
        );
    }
}

#[test]
fn i3_can_06_the_canonical_form_is_a_fixed_point_with_the_same_answer() {
    let server = PLAIN.get();
    for request in [
        "square/,77/!22.50/color.png",
        "pct:10,20,30,40/pct:33.3/270/gray.jpg",
        "0,0,400,400/^450,/90.0/bitonal.png",
        "10,10,50,50/!20,40/360/default.webp",
    ] {
        let answer = server.get(&format!("/iiif/3/plain.png/{request}"));
        let form = canonical(&answer);
        let path = form
            .strip_prefix(&format!("http://{}", server.public))
            .unwrap();
        let again = server.get(path);
        assert_eq!(canonical(&again), form, "{request}");
        assert_eq!(again.body, answer.body, "{request}");
        assert_eq!(again.header("etag"), answer.header("etag"), "{request}");
    }
}

#[test]
fn i3_can_05_a_tile_is_canonical_with_max_and_served_as_asked() {
    let rows = [
        (
            "0,0,512,512/512,512/0/default.jpg",
            Image((512, 512), "0,0,512,512/max/0/default.jpg"),
        ),
        (
            "0,0,512,512/max/0/default.jpg",
            Image((512, 512), "0,0,512,512/max/0/default.jpg"),
        ),
        (
            "1024,0,1,513/1,129/0/default.jpg",
            Image((1, 129), "1024,0,1,513/1,129/0/default.jpg"),
        ),
    ];
    check(&PLAIN.get(), "3", "uneven.png", &rows);
}

#[test]
fn i3_trq_01_to_04_every_tile_has_its_size() {
    tiles("uneven.png", (1025, 513), 512);
}

#[test]
fn i3_trq_06_the_vectors_of_the_last_tiles() {
    let server = PLAIN.get();
    for (image, region, size) in [
        ("huge.png", "5632,3584,368,416", (368, 416)),
        ("huge.png", "5120,3072,880,928", (440, 464)),
        ("huge.png", "4096,2048,1904,1952", (476, 488)),
        ("odd.png", "2048,1024,453,643", (227, 322)),
        ("odd.png", "2048,0,453,1667", (114, 417)),
        ("uneven.png", "1024,512,1,1", (1, 1)),
        ("uneven.png", "1024,0,1,513", (1, 129)),
    ] {
        let request = format!("{region}/{},{}/0/default.jpg", size.0, size.1);
        let answer = server.get(&format!("/iiif/3/{image}/{request}"));
        assert_eq!(decode(&answer).size(), size, "{image} {request}");
    }
}

/// Asks for every tile that the document publishes, with the arithmetic of I3-TRQ-01 to 04.
fn tiles(image: &str, (width, height): (u64, u64), edge: u64) {
    let server = PLAIN.get();
    let document = server.get(&format!("/iiif/3/{image}/info.json")).json();
    assert_eq!(document["tiles"][0]["width"], edge);
    let mut count = 0;
    for factor in document["tiles"][0]["scaleFactors"].as_array().unwrap() {
        let step = edge * factor.as_u64().unwrap();
        for y in (0..height).step_by(step as usize) {
            for x in (0..width).step_by(step as usize) {
                let (w, h) = (step.min(width - x), step.min(height - y));
                let out = (w.div_ceil(step / edge), h.div_ceil(step / edge));
                let request = format!("{x},{y},{w},{h}/{},{}/0/default.jpg", out.0, out.1);
                let got = decode(&server.get(&format!("/iiif/3/{image}/{request}"))).size();
                assert_eq!((got.0 as u64, got.1 as u64), out, "{request}");
                count += 1;
            }
        }
    }
    assert!(count >= 9, "only {count} tiles");
}
