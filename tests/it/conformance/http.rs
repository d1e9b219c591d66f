//! Section 12 of the checklist: methods, CORS, validators, caching, errors.

use super::*;

const IMAGE: &str = "/iiif/3/plain.png/full/60,/0/default.jpg";
const INFO: &str = "/iiif/3/plain.png/info.json";

#[test]
fn i3_http_01_head_has_the_headers_and_nothing_else() {
    let server = PLAIN.get();
    for path in [
        IMAGE,
        INFO,
        "/iiif/3/plain.png",
        "/iiif/3/nobody/info.json",
        "/health/live",
    ] {
        let get = server.get(path);
        let head = server.request("HEAD", path, &[]);
        assert!(head.body.is_empty(), "{path}");
        assert_eq!(head.status, get.status, "{path}");
        for name in [
            "content-type",
            "etag",
            "link",
            "vary",
            "location",
            "last-modified",
            "access-control-allow-origin",
            "cache-control",
        ] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
        if get.status == 200 {
            assert_eq!(
                head.header("content-length"),
                get.header("content-length"),
                "{path}"
            );
        }
    }
}

#[test]
fn i3_http_01_head_decodes_nothing() {
    let server = Server::start(library());
    let path = "/iiif/3/plain.png/full/61,/22.5/default.png";
    for _ in 0..3 {
        let head = server.request("HEAD", path, &[]);
        assert_eq!(head.status, 200);
        assert_eq!(
            head.header("content-length"),
            "",
            "there is no derivative yet"
        );
    }
    for stage in ["decode", "process", "encode"] {
        let name = format!("triforium_stage_duration_seconds_count{{stage=\"{stage}\"}}");
        assert!(server.metric(&name).abs() < f64::EPSILON, "{stage}");
    }
    let get = server.get(path);
    let head = server.request("HEAD", path, &[]);
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    assert_eq!(head.header("etag"), get.header("etag"));
}

#[test]
fn i3_http_01_other_methods_are_405_and_learn_which_are_not() {
    let server = PLAIN.get();
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "get"] {
        for path in [IMAGE, INFO, "/", "/nowhere"] {
            let answer = server.request(method, path, &[]);
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
            assert_eq!(answer.header("access-control-allow-origin"), "*");
        }
    }
}

#[test]
fn i3_http_02_every_answer_may_be_read_by_every_page() {
    let server = PLAIN.get();
    let etag = server.get(IMAGE).header("etag").to_owned();
    for (path, status, headers) in [
        (IMAGE, 200, vec![("Origin", "https://viewer.example.org")]),
        (INFO, 200, vec![("Origin", "https://viewer.example.org")]),
        (IMAGE, 304, vec![("If-None-Match", etag.as_str())]),
        ("/iiif/3/plain.png", 303, vec![]),
        ("/iiif/3/nobody/info.json", 404, vec![]),
        ("/nowhere", 404, vec![]),
        ("/iiif/3/plain.png/x/max/0/default.jpg", 400, vec![]),
        ("/iiif/1.1/plain.png/full/full/0/native.xyz", 415, vec![]),
    ] {
        let answer = server.request("GET", path, &headers);
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            "",
            "{path}"
        );
        let exposed = answer.header("access-control-expose-headers");
        assert!(
            exposed.split(", ").any(|name| name == "Link"),
            "{path}: {exposed}"
        );
    }
    let refused = NO_UPSCALING
        .get()
        .get("/iiif/3/plain.png/full/^301,/0/default.jpg");
    assert_eq!(refused.header("access-control-allow-origin"), "*");
}

#[test]
fn i3_http_03_a_preflight_names_authorization() {
    let headers = [
        ("Origin", "https://viewer.example.org"),
        ("Access-Control-Request-Method", "GET"),
        ("Access-Control-Request-Headers", "authorization"),
    ];
    for path in [IMAGE, INFO, "/iiif/3/nobody/info.json"] {
        let answer = PLAIN.get().request("OPTIONS", path, &headers);
        assert!(matches!(answer.status, 200 | 204), "{path}");
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(
            answer.header("access-control-allow-methods"),
            "GET, HEAD, OPTIONS"
        );
        let allowed = answer
            .header("access-control-allow-headers")
            .to_ascii_lowercase();
        assert!(
            allowed.split(", ").any(|name| name == "authorization"),
            "{allowed}"
        );
    }
}

#[test]
fn i3_http_05_if_none_match_is_compared_weakly_and_as_a_list() {
    let server = PLAIN.get();
    for path in [IMAGE, INFO] {
        let first = server.get(path);
        let etag = first.header("etag").to_owned();
        assert!(
            etag.starts_with('"') && etag.ends_with('"') && etag.len() > 10,
            "{etag}"
        );
        let status = |value: &str| {
            server
                .request("GET", path, &[("If-None-Match", value)])
                .status
        };
        for value in [
            etag.clone(),
            format!("W/{etag}"),
            format!("\"a\", \"b,c\", {etag}"),
            format!("\"a\",W/{etag} , \"z\""),
            "*".to_owned(),
        ] {
            assert_eq!(status(&value), 304, "{value}");
        }
        for value in ["\"a\"", "", "W/\"a\"", etag.trim_matches('"')] {
            assert_eq!(status(value), 200, "{value}");
        }
        let unchanged = server.request("GET", path, &[("If-None-Match", &etag)]);
        assert!(unchanged.body.is_empty());
        for name in ["etag", "cache-control", "vary", "last-modified"] {
            assert_eq!(unchanged.header(name), first.header(name), "{path} {name}");
        }
    }
}

#[test]
fn i3_http_05_if_modified_since_means_not_newer_than() {
    let server = PLAIN.get();
    for path in [IMAGE, INFO] {
        let modified = server.get(path).header("last-modified").to_owned();
        let status = |value: &str| {
            server
                .request("GET", path, &[("If-Modified-Since", value)])
                .status
        };
        assert_eq!(status(&modified), 304, "{path}");
        assert_eq!(status("Fri, 01 Jan 2100 00:00:00 GMT"), 304, "{path}");
        assert_eq!(status("Sat, 01 Jan 2000 00:00:00 GMT"), 200, "{path}");
        assert_eq!(status("no date"), 200, "{path}");
        // If-None-Match goes first.
        let both = [
            ("If-None-Match", "\"other\""),
            ("If-Modified-Since", modified.as_str()),
        ];
        assert_eq!(server.request("GET", path, &both).status, 200, "{path}");
    }
}

#[test]
fn the_entity_tag_is_known_before_and_after_the_cache() {
    let server = Server::start(library());
    let path = "/iiif/3/plain.png/full/62,/0/default.jpg";
    let head = server.request("HEAD", path, &[]);
    let made = server.get(path);
    let again = server.get(path);
    assert_eq!(head.header("etag"), made.header("etag"));
    assert_eq!(again.header("etag"), made.header("etag"));
    assert_eq!(again.body, made.body);
}

#[test]
fn the_entity_tag_covers_everything_that_decides_bytes() {
    let server = PLAIN.get();
    let tag = |path: &str| {
        let answer = server.get(path);
        assert_eq!(answer.status, 200, "{path}");
        answer.header("etag").to_owned()
    };
    let mut tags: Vec<String> = [
        "/iiif/3/plain.png/full/60,/0/default.png",
        "/iiif/3/plain.png/full/61,/0/default.png",
        "/iiif/3/plain.png/full/60,41/0/default.png",
        "/iiif/3/plain.png/0,0,299,200/60,/0/default.png",
        "/iiif/3/plain.png/1,0,299,200/60,/0/default.png",
        "/iiif/3/plain.png/full/60,/!0/default.png",
        "/iiif/3/plain.png/full/60,/90/default.png",
        "/iiif/3/plain.png/full/60,/0.5/default.png",
        "/iiif/3/plain.png/full/60,/0/gray.png",
        "/iiif/3/plain.png/full/60,/0/bitonal.png",
        "/iiif/3/plain.png/full/60,/0/default.jpg",
        "/iiif/3/plain.png/full/60,/0/default.gif",
        "/iiif/3/plain.png/full/60,/0/default.tif",
        "/iiif/3/plain.png/full/60,/0/default.webp",
        "/iiif/2/plain.png/full/60,/0/default.png",
        "/iiif/1.1/plain.png/full/60,/0/native.png",
        "/iiif/3/gray.png/full/60,/0/default.png",
        "/iiif/3/plain.png/info.json",
        "/iiif/2/plain.png/info.json",
    ]
    .iter()
    .map(|path| tag(path))
    .collect();
    let json = server.request("GET", INFO, &[("Accept", "application/json")]);
    tags.push(json.header("etag").to_owned());
    let other_host = server.request("GET", INFO, &[("Host", "other.example.org")]);
    tags.push(other_host.header("etag").to_owned());
    let other_quality = dirty(&[("ENCODE__JPEG__QUALITY", "50")]);
    tags.push(other_quality.get(IMAGE).header("etag").to_owned());
    let count = tags.len();
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), count, "two answers share an entity tag");
    // A second server with the same settings gives the same tags.
    assert_eq!(
        dirty(&[]).get(IMAGE).header("etag"),
        server.get(IMAGE).header("etag")
    );
}

#[test]
fn i3_http_06_errors_explain_themselves_to_programs_and_people() {
    let server = PLAIN.get();
    let path = "/iiif/3/plain.png/full/301,/0/default.jpg";
    let answer = server.get(path);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["status"], 400);
    assert_eq!(problem["parameter"], "size");
    assert_eq!(problem["request_id"], answer.header("x-request-id"));
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("300"), "the range is named: {detail}");
    assert!(
        !answer.text().contains(library().to_str().unwrap()),
        "no path is shown"
    );
    let page = server.request("GET", path, &[("Accept", "text/html,*/*;q=0.1")]);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text().contains("300"));
    let script = "/iiif/3/plain.png/%3Cscript%3E/max/0/default.jpg";
    let hostile = server.request("GET", script, &[("Accept", "text/html")]);
    assert_eq!(hostile.status, 400);
    assert!(!hostile.text().contains("<script>"));
}

#[test]
fn caching_is_allowed_by_class_and_forbidden_for_errors() {
    let server = PLAIN.get();
    let cache = |path: &str| server.get(path).header("cache-control").to_owned();
    assert!(cache(IMAGE).contains("max-age="), "{}", cache(IMAGE));
    assert!(cache(INFO).contains("max-age="));
    assert!(cache("/iiif/3/nobody/info.json").contains("max-age=60"));
    assert_eq!(cache("/iiif/3/plain.png/full/0,/0/default.jpg"), "no-store");
    let custom = dirty(&[
        ("CACHE_CONTROL__IMAGE", "private"),
        ("CACHE_CONTROL__INFO", "\"\""),
    ]);
    assert_eq!(custom.get(IMAGE).header("cache-control"), "private");
    assert_eq!(custom.get(INFO).header("cache-control"), "");
}

#[test]
fn admin_routes_are_not_on_the_public_listener() {
    let server = PLAIN.get();
    assert_eq!(server.get("/metrics").status, 404);
    assert_eq!(server.get("/health/live").status, 200);
    assert_eq!(server.get("/health/ready").status, 200);
    let admin = crate::support::request(&server.admin, "GET", "/metrics", &[]);
    assert_eq!(admin.status, 200);
    assert!(admin.header("content-type").starts_with("text/plain"));
    let image = crate::support::request(&server.admin, "GET", IMAGE, &[]);
    assert_eq!(image.status, 404, "images are not on the admin listener");
    let ready = crate::support::request(&server.admin, "GET", "/health/ready", &[]).json();
    assert!(ready["checks"].is_array());
    assert!(server.get("/health/ready").json().get("checks").is_none());
}

#[test]
fn robots_may_read_documents_but_not_images() {
    let answer = PLAIN.get().get("/robots.txt");
    assert_eq!(answer.status, 200);
    let text = answer.text();
    assert!(text.contains("Disallow: /iiif/"), "{text}");
    assert!(text.contains("info.json"), "{text}");
}

#[test]
fn the_strict_validator_setting_refuses_a_box_above_the_region() {
    let strict = dirty(&[("IIIF__STRICT_VALIDATOR", "true")]);
    let path = "/iiif/3/plain.png/full/!600,600/0/default.jpg";
    assert_eq!(strict.get(path).status, 400);
    assert_eq!(PLAIN.get().get(path).status, 200);
}
