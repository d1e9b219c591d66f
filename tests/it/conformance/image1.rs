//! Image API 1.0 and 1.1, where they differ from 2.x.

use serde_json::json;

use super::*;

const BOTH: [&str; 2] = ["1.0", "1.1"];

fn size(api: &str, request: &str) -> (usize, usize) {
    let answer = PLAIN.get().get(&format!("/iiif/{api}/plain.png/{request}"));
    decode(&answer).size()
}

fn status(api: &str, request: &str) -> u16 {
    PLAIN
        .get()
        .get(&format!("/iiif/{api}/plain.png/{request}"))
        .status
}

#[test]
fn i11_siz_01_i11_qua_01_sizes_and_qualities_of_1_x() {
    for api in BOTH {
        for (token, expected) in [
            ("full", (300, 200)),
            ("150,", (150, 100)),
            (",150", (225, 150)),
            ("pct:50", (150, 100)),
            ("225,100", (225, 100)),
            ("!225,100", (150, 100)),
        ] {
            assert_eq!(
                size(api, &format!("full/{token}/0/native.jpg")),
                expected,
                "{token}"
            );
        }
        for quality in ["native", "color", "grey", "bitonal"] {
            assert_eq!(
                size(api, &format!("full/30,/0/{quality}.png")),
                (30, 20),
                "{quality}"
            );
        }
        for request in [
            "full/max/0/native.jpg",
            "square/full/0/native.jpg",
            "full/full/!0/native.jpg",
            "full/full/0/default.jpg",
            "full/full/0/gray.jpg",
            "full/^30,/0/native.jpg",
            "0,0,0,1/full/0/native.jpg",
            "300,0,1,1/full/0/native.jpg",
            "full/full/361/native.jpg",
        ] {
            assert_eq!(status(api, request), 400, "{api} {request}");
        }
    }
}

#[test]
fn i11_fmt_01_without_a_suffix_accept_decides() {
    let server = PLAIN.get();
    for api in BOTH {
        let path = format!("/iiif/{api}/plain.png/full/30,/0/native");
        for (accept, media) in [
            ("image/png;q=1.0", "image/png"),
            ("image/gif, image/tiff;q=0.5", "image/gif"),
            ("image/tiff", "image/tiff"),
            ("*/*", "image/jpeg"),
        ] {
            let answer = server.request("GET", &path, &[("Accept", accept)]);
            assert_eq!(answer.header("content-type"), media, "{accept}");
            assert_eq!(answer.header("vary"), "Accept", "{accept}");
            assert_eq!(decode(&answer).size(), (30, 20));
        }
        assert_eq!(server.get(&path).header("content-type"), "image/jpeg");
        let named = server.request("GET", &format!("{path}.gif"), &[("Accept", "image/png")]);
        assert_eq!(named.header("content-type"), "image/gif");
        assert_eq!(named.header("vary"), "", "a named format does not vary");
    }
}

#[test]
fn i11_fmt_02_an_unknown_format_is_415() {
    for api in BOTH {
        for format in ["jxl", "avif", "webp", "xyz"] {
            assert_eq!(
                status(api, &format!("full/full/0/native.{format}")),
                415,
                "{format}"
            );
        }
        let server = PLAIN.get();
        let path = format!("/iiif/{api}/plain.png/full/full/0/native");
        let answer = server.request("GET", &path, &[("Accept", "image/webp")]);
        assert_eq!(answer.status, 415);
    }
}

#[test]
fn i11_uri_04_targets_above_1024_bytes_are_414() {
    let server = PLAIN.get();
    for api in BOTH {
        let path = format!("/iiif/{api}/plain.png/full/30,/0/native.jpg?");
        let fill = |length: usize| format!("{path}{}", "x".repeat(length - path.len()));
        assert_eq!(server.get(&fill(1024)).status, 200);
        assert_eq!(server.get(&fill(1025)).status, 414);
    }
    let path = "/iiif/3/plain.png/full/30,/0/default.jpg?";
    assert_eq!(
        server.get(&format!("{path}{}", "x".repeat(2000))).status,
        200
    );
    assert_eq!(
        server.get(&format!("{path}{}", "x".repeat(8300))).status,
        414
    );
}

fn rest() -> serde_json::Value {
    json!({
        "width": 1025,
        "height": 513,
        "scale_factors": [1, 2, 4],
        "tile_width": 512,
        "tile_height": 512,
        "formats": ["jpg", "png", "gif", "tif", "pdf", "jp2"],
        "qualities": ["native", "color", "grey", "bitonal"],
    })
}

#[test]
fn i11_inf_01_i11_inf_02_the_document_of_1_1() {
    let server = PLAIN.get();
    let answer = server.get("/iiif/1.1/uneven.png/info.json");
    assert_eq!(answer.header("content-type"), "application/json");
    let document = answer.json();
    for (key, value) in rest().as_object().unwrap() {
        assert_eq!(document[key], *value, "{key}");
    }
    let context = "http://library.stanford.edu/iiif/image-api/1.1/context.json";
    assert_eq!(document["@context"], context);
    assert_eq!(
        document["@id"],
        format!("http://{}/iiif/1.1/uneven.png", server.public)
    );
    let level = "http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level2";
    assert_eq!(document["profile"], level);
    for key in ["protocol", "tiles", "sizes", "maxArea", "id", "type"] {
        assert!(document.get(key).is_none(), "{key}");
    }
}

#[test]
fn i10_inf_01_i10_inf_02_the_document_of_1_0() {
    let server = PLAIN.get();
    let document = server.get("/iiif/1.0/folder%2Finner.png/info.json").json();
    assert_eq!(document["identifier"], "folder/inner.png");
    assert!(document.get("@context").is_none());
    assert!(document.get("@id").is_none());
    let uneven = server.get("/iiif/1.0/uneven.png/info.json").json();
    for (key, value) in rest().as_object().unwrap() {
        assert_eq!(uneven[key], *value, "{key}");
    }
    assert!(
        uneven["profile"]
            .as_str()
            .unwrap()
            .starts_with("http://library.stanford.edu/iiif/image-api/compliance.html#level")
    );
}

#[test]
fn i10_xml_01_i10_xml_02_the_xml_document() {
    let answer = PLAIN.get().get("/iiif/1.0/uneven.png/info.xml");
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("application/xml"));
    let body = answer.text();
    assert!(body.contains("<info xmlns=\"http://library.stanford.edu/iiif/image-api/ns/\">"));
    let order = [
        "<identifier>uneven.png</identifier>",
        "<width>1025</width>",
        "<height>513</height>",
        "<scale_factor>1</scale_factor>",
        "<scale_factor>4</scale_factor>",
        "<tile_width>512</tile_width>",
        "<tile_height>512</tile_height>",
        "<format>jpg</format>",
        "<quality>native</quality>",
        "<profile>http://library.stanford.edu/iiif/image-api/compliance.html#level2</profile>",
    ];
    let places: Vec<_> = order
        .map(|part| body.find(part).unwrap_or_else(|| panic!("{part}")))
        .into();
    assert!(places.is_sorted(), "{body}");
    for api in ["2", "3"] {
        let answer = PLAIN.get().get(&format!("/iiif/{api}/uneven.png/info.xml"));
        assert_eq!(answer.status, 404, "{api}");
    }
}

#[test]
fn i10_err_01_errors_of_1_0_are_xml_and_name_their_parameter() {
    let server = PLAIN.get();
    for (request, status, parameter) in [
        ("plain.png/0,0,0,1/full/0/native.jpg", 400, "region"),
        ("plain.png/full/0,/0/native.jpg", 400, "size"),
        ("plain.png/full/full/361/native.jpg", 400, "rotation"),
        ("plain.png/full/full/0/%3Cb%3E.jpg", 400, "quality"),
        ("plain.png/full/full/0/native.xyz", 415, "format"),
        ("%FF/full/full/0/native.jpg", 400, "identifier"),
    ] {
        let answer = server.get(&format!("/iiif/1.0/{request}"));
        assert_eq!(answer.status, status, "{request}");
        assert!(
            answer.header("content-type").starts_with("text/xml"),
            "{request}"
        );
        let body = answer.text();
        assert!(body.contains("<error xmlns=\"http://library.stanford.edu/iiif/image-api/ns/\">"));
        assert!(
            body.contains(&format!("<parameter>{parameter}</parameter>")),
            "{body}"
        );
        assert!(!body.contains("<b>"), "markup is escaped: {body}");
    }
    let unknown = server.get("/iiif/1.0/nobody/info.json");
    assert_eq!(unknown.status, 404);
    assert!(unknown.header("content-type").starts_with("text/xml"));
}

#[test]
fn i11_lvl_02_every_answer_names_its_level() {
    let server = PLAIN.get();
    let link =
        "<http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level2>;rel=\"profile\"";
    for path in ["info.json", "full/30,/0/native.jpg", "full/30,/0/native"] {
        let answer = server.get(&format!("/iiif/1.1/plain.png/{path}"));
        assert_eq!(answer.header("link"), link, "{path}");
    }
}
