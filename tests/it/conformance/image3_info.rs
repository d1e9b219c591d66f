//! Image API 3.0: the information document and its media type.

use serde_json::{Value, json};

use super::*;

const JSON_LD: &str = "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\"";

#[test]
fn i3_inf_01_the_whole_document_key_by_key() {
    let server = PLAIN.get();
    let answer = server.get("/iiif/3/uneven.png/info.json");
    let expected = json!({
        "@context": "http://iiif.io/api/image/3/context.json",
        "id": format!("http://{}/iiif/3/uneven.png", server.public),
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": 1025,
        "height": 513,
        "maxArea": 134_217_728,
        "sizes": [
            {"width": 257, "height": 129},
            {"width": 513, "height": 257},
            {"width": 1025, "height": 513},
        ],
        "tiles": [{"width": 512, "height": 512, "scaleFactors": [1, 2, 4]}],
        "extraFormats": ["webp", "avif", "jxl", "gif", "tif", "pdf", "jp2"],
        "extraQualities": ["color", "gray", "bitonal"],
        "extraFeatures": [
            "canonicalLinkHeader", "mirroring", "profileLinkHeader", "rotationArbitrary",
            "sizeUpscaling",
        ],
    });
    assert_eq!(answer.json(), expected);
    assert!(answer.text().starts_with("{\"@context\""), "the first key");
}

#[test]
fn i3_inf_02_to_04_the_media_type_follows_accept() {
    let server = PLAIN.get();
    let media = |accept: Option<&str>| {
        let headers: Vec<_> = accept
            .map(|accept| ("Accept", accept))
            .into_iter()
            .collect();
        let answer = server.request("GET", "/iiif/3/plain.png/info.json", &headers);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("vary"), "Accept");
        answer.header("content-type").to_owned()
    };
    assert_eq!(media(None), JSON_LD);
    for accept in [
        "*/*",
        "text/html,*/*;q=0.8",
        "application/ld+json",
        "text/html",
        "",
        "nonsense",
    ] {
        assert_eq!(media(Some(accept)), JSON_LD, "{accept}");
    }
    for accept in [
        "application/json",
        "application/json;charset=utf-8",
        "application/json, application/ld+json;q=0.5",
        "APPLICATION/JSON, */*;q=0.1",
    ] {
        assert_eq!(media(Some(accept)), "application/json", "{accept}");
    }
}

#[test]
fn i3_inf_05_the_id_is_what_was_asked_for() {
    let server = PLAIN.get();
    for host in ["iiif.example.org", "iiif.example.org:8080", "[::1]:9"] {
        let answer = server.request("GET", "/iiif/3/plain.png/info.json", &[("Host", host)]);
        assert_eq!(
            answer.json()["id"],
            format!("http://{host}/iiif/3/plain.png")
        );
    }
    let configured = dirty(&[("PUBLIC__BASE_URI", "https://images.example.org/some/place")]);
    let base = "https://images.example.org/some/place/iiif/3/plain.png";
    let answer = configured.get("/iiif/3/plain.png/info.json");
    assert_eq!(answer.json()["id"], base);
    assert_eq!(
        configured.get("/iiif/3/plain.png").header("location"),
        format!("{base}/info.json")
    );
    let image = configured.get("/iiif/3/plain.png/full/9,/0/default.jpg");
    assert_eq!(canonical(&image), format!("{base}/full/9,6/0/default.jpg"));
}

#[test]
fn forwarding_headers_are_believed_from_trusted_proxies_alone() {
    let forwarded = [
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "elsewhere.example.org"),
        ("Forwarded", "proto=https;host=elsewhere.example.org"),
        ("Host", "here.example.org"),
    ];
    let open = PLAIN.get();
    for path in ["/iiif/3/plain.png/info.json", "/iiif/3/plain.png"] {
        let answer = open.request("GET", path, &forwarded);
        let place = format!("{}{}", answer.header("location"), text(&answer));
        assert!(place.contains("http://here.example.org/"), "{place}");
        assert!(!place.contains("elsewhere"), "{place}");
    }
    let other = dirty(&[("PUBLIC__TRUSTED_PROXIES", "[\"203.0.113.0/24\"]")]);
    let answer = other.request("GET", "/iiif/3/plain.png/info.json", &forwarded);
    assert_eq!(
        answer.json()["id"],
        "http://here.example.org/iiif/3/plain.png"
    );
    let trusting = dirty(&[("PUBLIC__TRUSTED_PROXIES", "[\"127.0.0.0/8\"]")]);
    let answer = trusting.request("GET", "/iiif/3/plain.png/info.json", &forwarded[..2]);
    assert_eq!(
        answer.json()["id"],
        "https://elsewhere.example.org/iiif/3/plain.png"
    );
}

#[test]
fn i3_max_01_to_04_limits_are_published_and_kept_by_sizes_and_tiles() {
    let document = ALL_LIMITS.get().get("/iiif/3/huge.png/info.json").json();
    assert_eq!(document["maxWidth"], 3000);
    assert_eq!(document["maxHeight"], 2000);
    assert_eq!(document["maxArea"], 4_000_000);
    let sizes = document["sizes"].as_array().unwrap();
    assert!(!sizes.is_empty());
    let side = |size: &Value, key: &str| size[key].as_u64().unwrap();
    for size in sizes {
        assert!(
            side(size, "width") * side(size, "height") <= 4_000_000,
            "{size}"
        );
    }
    let edge =
        WIDTH_200.get().get("/iiif/3/huge.png/info.json").json()["tiles"][0]["width"].clone();
    assert!(edge.as_u64().unwrap() <= 200, "{edge}");
    let features = NO_UPSCALING.get().get("/iiif/3/plain.png/info.json").json();
    assert!(
        !features["extraFeatures"]
            .to_string()
            .contains("sizeUpscaling")
    );
}

#[test]
fn i3_inf_10_everything_published_is_served() {
    let server = PLAIN.get();
    let document = server.get("/iiif/3/plain.png/info.json").json();
    let words =
        |key: &str| -> Vec<String> { serde_json::from_value(document[key].clone()).unwrap() };
    for format in words("extraFormats") {
        let answer = server.get(&format!("/iiif/3/plain.png/full/30,/0/default.{format}"));
        assert_eq!(decode(&answer).size(), (30, 20), "{format}");
    }
    for quality in words("extraQualities") {
        let answer = server.get(&format!("/iiif/3/plain.png/full/30,/0/{quality}.png"));
        assert_eq!(decode(&answer).size(), (30, 20), "{quality}");
    }
}

#[test]
fn i3_lvl_03_links_name_profile_and_canonical_form_on_one_line() {
    let server = PLAIN.get();
    let profile = "<http://iiif.io/api/image/3/level2.json>;rel=\"profile\"";
    assert_eq!(
        server.get("/iiif/3/plain.png/info.json").header("link"),
        profile
    );
    let image = server.get("/iiif/3/plain.png/square/!50,90/0.0/color.jpg");
    let base = format!("http://{}/iiif/3/plain.png", server.public);
    let expected =
        format!("<{base}/50,0,200,200/50,50/0/default.jpg>;rel=\"canonical\", {profile}");
    assert_eq!(image.header("link"), expected);
}

#[test]
fn rights_are_published_in_the_words_of_each_version() {
    let rights = "http://creativecommons.org/publicdomain/zero/1.0/";
    let server = dirty(&[("IIIF__RIGHTS", rights)]);
    assert_eq!(
        server.get("/iiif/3/plain.png/info.json").json()["rights"],
        rights
    );
    assert_eq!(
        server.get("/iiif/2/plain.png/info.json").json()["license"],
        rights
    );
}
