//! Image API 2.0 and 2.1, where they differ from 3.0.

use serde_json::json;

use super::*;

fn check_plain(rows: &[(&str, Outcome)]) {
    check(&PLAIN.get(), "2", "plain.png", rows);
}

#[test]
fn i21_uri_01_base_uris_lead_to_the_document_of_their_version() {
    let server = PLAIN.get();
    let answer = server.get("/iiif/2/plain.png");
    assert_eq!(answer.status, 303);
    let expected = format!("http://{}/iiif/2/plain.png/info.json", server.public);
    assert_eq!(answer.header("location"), expected);
}

#[test]
fn i21_siz_01_i21_siz_02_full_and_max_are_served() {
    check_plain(&[
        (
            "full/full/0/default.jpg",
            Image((300, 200), "full/full/0/default.jpg"),
        ),
        (
            "full/max/0/default.jpg",
            Image((300, 200), "full/full/0/default.jpg"),
        ),
        (
            "square/full/0/default.jpg",
            Image((200, 200), "50,0,200,200/full/0/default.jpg"),
        ),
    ]);
    let rows = [
        ("full/full/0/default.jpg", Refused(400)),
        (
            "full/max/0/default.jpg",
            Image((200, 133), "full/200,/0/default.jpg"),
        ),
        (
            "0,0,150,100/full/0/default.jpg",
            Image((150, 100), "0,0,150,100/full/0/default.jpg"),
        ),
    ];
    check(&WIDTH_200.get(), "2", "plain.png", &rows);
}

#[test]
fn i21_siz_06_enlarging_needs_no_mark() {
    check_plain(&[
        (
            "full/600,/0/default.png",
            Image((600, 400), "full/600,/0/default.png"),
        ),
        (
            "full/pct:150/0/default.png",
            Image((450, 300), "full/450,/0/default.png"),
        ),
    ]);
    let rows = [("full/301,/0/default.png", Refused(400))];
    check(&NO_UPSCALING.get(), "2", "plain.png", &rows);
}

#[test]
fn i21_siz_08_i21_siz_09_empty_sizes_and_carets_are_400() {
    check_plain(&[
        ("full/0,/0/default.jpg", Refused(400)),
        ("full/pct:0/0/default.jpg", Refused(400)),
        ("full/^150,/0/default.jpg", Refused(400)),
        ("full/^max/0/default.jpg", Refused(400)),
        ("full/!0,5/0/default.jpg", Refused(400)),
    ]);
}

#[test]
fn i21_reg_02_empty_and_outside_regions_are_400() {
    check_plain(&[
        ("300,0,1,1/full/0/default.jpg", Refused(400)),
        ("0,0,0,10/full/0/default.jpg", Refused(400)),
    ]);
}

#[test]
fn i21_can_05_the_vectors() {
    check_plain(&[
        (
            "0,0,300,200/300,/0/default.jpg",
            Image((300, 200), "full/full/0/default.jpg"),
        ),
        (
            "full/,150/0/default.jpg",
            Image((225, 150), "full/225,/0/default.jpg"),
        ),
        (
            "full/225,150/0/default.jpg",
            Image((225, 150), "full/225,/0/default.jpg"),
        ),
        (
            "full/225,100/0/default.jpg",
            Image((225, 100), "full/225,100/0/default.jpg"),
        ),
        (
            "full/!225,100/0/default.jpg",
            Image((150, 100), "full/150,/0/default.jpg"),
        ),
        (
            "full/pct:50/0/default.jpg",
            Image((150, 100), "full/150,/0/default.jpg"),
        ),
        (
            "full/100,67/0/default.jpg",
            Image((100, 67), "full/100,/0/default.jpg"),
        ),
        (
            "full/100,66/0/default.jpg",
            Image((100, 66), "full/100,66/0/default.jpg"),
        ),
        (
            "square/100,/0/color.jpg",
            Image((100, 100), "50,0,200,200/100,/0/default.jpg"),
        ),
    ]);
}

#[test]
fn i21_can_06_both_sides_of_an_edge_tile_are_honoured() {
    let rows = [
        (
            "1024,0,1,513/1,129/0/default.jpg",
            Image((1, 129), "1024,0,1,513/1,129/0/default.jpg"),
        ),
        (
            "1024,0,1,513/1,/0/default.jpg",
            Image((1, 513), "1024,0,1,513/full/0/default.jpg"),
        ),
    ];
    check(&PLAIN.get(), "2", "uneven.png", &rows);
}

#[test]
fn i21_inf_01_plain_json_unless_json_ld_is_named() {
    let server = PLAIN.get();
    for (accept, media) in [
        ("*/*", "application/json"),
        ("text/html", "application/json"),
        ("application/json", "application/json"),
        ("application/ld+json", "application/ld+json"),
        (
            "application/ld+json, application/json;q=0.9",
            "application/ld+json",
        ),
    ] {
        let answer = server.request("GET", "/iiif/2/plain.png/info.json", &[("Accept", accept)]);
        assert_eq!(answer.header("content-type"), media, "{accept}");
        assert_eq!(answer.header("vary"), "Accept");
    }
    let silent = server.get("/iiif/2/plain.png/info.json");
    assert_eq!(silent.header("content-type"), "application/json");
}

#[test]
fn i21_inf_03_i21_inf_04_the_whole_document_key_by_key() {
    let server = ALL_LIMITS.get();
    let expected = json!({
        "@context": "http://iiif.io/api/image/2/context.json",
        "@id": format!("http://{}/iiif/2/uneven.png", server.public),
        "protocol": "http://iiif.io/api/image",
        "width": 1025,
        "height": 513,
        "sizes": [
            {"width": 257, "height": 129},
            {"width": 513, "height": 257},
            {"width": 1025, "height": 513},
        ],
        "tiles": [{"width": 512, "height": 512, "scaleFactors": [1, 2, 4]}],
        "profile": ["http://iiif.io/api/image/2/level2.json", {
            "formats": ["webp", "avif", "jxl", "gif", "tif", "pdf", "jp2"],
            "qualities": ["color", "gray"],
            "maxWidth": 3000,
            "maxHeight": 2000,
            "maxArea": 4_000_000,
            "supports": [
                "canonicalLinkHeader", "mirroring", "profileLinkHeader", "regionSquare",
                "rotationArbitrary", "sizeByConfinedWh", "sizeByDistortedWh",
                "sizeByForcedWh", "sizeByWh", "sizeAboveFull",
            ],
        }],
    });
    assert_eq!(server.get("/iiif/2/uneven.png/info.json").json(), expected);
}

#[test]
fn i20_07_a_request_without_a_format_is_400() {
    check_plain(&[
        ("full/full/0/default", Refused(400)),
        ("full/full/0/native.jpg", Refused(400)),
        ("full/full/0/default.xyz", Refused(400)),
        ("full/full/361/default.jpg", Refused(400)),
    ]);
}

#[test]
fn i21_lvl_01_links_name_profile_and_canonical_form() {
    let server = PLAIN.get();
    let profile = "<http://iiif.io/api/image/2/level2.json>;rel=\"profile\"";
    assert_eq!(
        server.get("/iiif/2/plain.png/info.json").header("link"),
        profile
    );
    let image = server.get("/iiif/2/plain.png/full/90,/0/default.jpg");
    assert!(
        image.header("link").ends_with(&format!(", {profile}")),
        "{image:?}"
    );
}

#[test]
fn i2_gen_01_versions_share_pixels_but_not_validators() {
    let server = PLAIN.get();
    // A distorted size has the same canonical words in both versions.
    let two = server.get("/iiif/2/plain.png/full/60,60/0/default.png");
    let three = server.get("/iiif/3/plain.png/full/60,60/0/default.png");
    assert_eq!(two.body, three.body);
    assert_ne!(two.header("etag"), three.header("etag"));
}
