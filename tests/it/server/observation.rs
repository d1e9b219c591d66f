//! What operators see: metrics, timing, request ids, logs.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use super::SERVER;
use crate::library::{library, scratch};
use crate::support::{Server, request};

#[test]
fn metrics_carry_the_names_of_the_table_and_no_others() {
    let server = SERVER.get();
    server.get("/iiif/3/plain.png/full/71,/0/default.jpg");
    server.get("/iiif/3/plain.png/full/71,/0/default.jpg");
    server.get("/iiif/3/nobody/info.json");
    let text = request(&server.admin, "GET", "/metrics", &[]).text();
    let table = triforium::metrics::TABLE;
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let name = line.split(['{', ' ']).next().unwrap();
        let known = table.iter().any(|metric| {
            let suffixes = ["", "_bucket", "_sum", "_count"];
            suffixes
                .iter()
                .any(|suffix| name == format!("{}{suffix}", metric.name))
        });
        assert!(known, "{name} is not in the table");
        assert!(
            !line.contains("plain.png") && !line.contains("nobody"),
            "{line}"
        );
    }
    for name in [
        "triforium_http_requests_total",
        "triforium_http_request_duration_seconds",
        "triforium_ladder_total",
        "triforium_stage_duration_seconds",
        "triforium_queue_wait_seconds",
        "triforium_cache_requests_total",
        "triforium_cache_bytes",
        "triforium_build_info",
        "triforium_gpu_state",
        "triforium_http_connections",
    ] {
        let metric = table.iter().find(|metric| metric.name == name).unwrap();
        assert!(text.contains(&format!("\n{name}")), "{name} has occurred");
        assert!(
            text.contains(&format!("# HELP {name} {}", metric.help)),
            "{name} is explained"
        );
    }
}

#[test]
fn requests_are_counted_by_api_kind_and_status() {
    let server = Server::start(library());
    for (path, count) in [
        ("/iiif/3/plain.png/info.json", 3),
        ("/iiif/2/plain.png/full/30,/0/default.jpg", 2),
        ("/iiif/1.1/plain.png/full/30,/0/native.xyz", 1),
        ("/iiif/3/nobody/info.json", 2),
    ] {
        for _ in 0..count {
            server.get(path);
        }
    }
    let counted =
        |labels: &str| server.metric(&format!("triforium_http_requests_total{{{labels}}}")) as u32;
    assert_eq!(counted("api=\"image3\",kind=\"info\",status=\"200\""), 3);
    assert_eq!(counted("api=\"image2\",kind=\"image\",status=\"200\""), 2);
    assert_eq!(counted("api=\"image1\",kind=\"image\",status=\"415\""), 1);
    assert_eq!(counted("api=\"image3\",kind=\"info\",status=\"404\""), 2);
}

#[test]
fn server_timing_names_every_stage_and_can_be_switched_off() {
    let path = "/iiif/3/plain.png/full/72,/0/default.jpg";
    let timing = SERVER.get().get(path).header("server-timing").to_owned();
    for name in ["cache", "source", "queue", "decode", "process", "encode"] {
        assert!(timing.contains(&format!("{name};dur=")), "{timing}");
    }
    assert!(timing.contains("engine;desc=\"cpu\""), "{timing}");
    let silent = Server::with(library(), &[("PUBLIC__SERVER_TIMING", "false")]);
    assert_eq!(silent.get(path).header("server-timing"), "");
}

#[test]
fn every_answer_has_an_id_of_its_own() {
    let server = SERVER.get();
    let id = |path: &str| server.get(path).header("x-request-id").to_owned();
    let ids = [
        id("/health/live"),
        id("/health/live"),
        id("/nowhere"),
        id("/iiif/3/plain.png/info.json"),
    ];
    for (place, one) in ids.iter().enumerate() {
        assert!(one.len() >= 8, "{one}");
        assert!(!ids[..place].contains(one), "{ids:?}");
    }
    let sent = [("X-Request-Id", "from-outside")];
    let path = "/health/live";
    assert_ne!(
        server.request("GET", path, &sent).header("x-request-id"),
        "from-outside"
    );
    let trusting = Server::with(library(), &[("PUBLIC__TRUSTED_PROXIES", "[\"127.0.0.1\"]")]);
    assert_eq!(
        trusting.request("GET", path, &sent).header("x-request-id"),
        "from-outside"
    );
}

/// What an access log holds after some requests.
fn access_log(name: &str, settings: &[(&str, &str)]) -> String {
    let file = scratch(name).join("access.log");
    let mut all = vec![("LOG__ACCESS_FILE", file.to_str().unwrap())];
    all.extend(settings);
    let server = Server::with(library(), &all);
    let headers = [
        ("User-Agent", "a \"quoted\" agent"),
        ("Referer", "https://viewer.example.org/"),
        ("X-Forwarded-For", "192.0.2.200"),
    ];
    server.request(
        "GET",
        "/iiif/3/plain.png/full/30,/0/default.jpg?a=b",
        &headers,
    );
    server.get("/iiif/3/nobody/info.json");
    for _ in 0..100 {
        let text = fs::read_to_string(&file).unwrap_or_default();
        if text.lines().count() >= 2 {
            return text;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("two requests give two lines");
}

#[test]
fn the_access_log_is_in_the_combined_format_with_a_truncated_address() {
    let log = access_log("combined", &[("LOG__ACCESS", "combined")]);
    let line = log.lines().next().unwrap();
    assert!(line.starts_with("127.0.0.0 - - ["), "{line}");
    assert!(
        line.contains("\"GET /iiif/3/plain.png/full/30,/0/default.jpg?a=b HTTP/1.1\" 200 "),
        "{line}"
    );
    assert!(line.contains("\"https://viewer.example.org/\""), "{line}");
    assert!(
        !line.contains("a \"quoted\" agent"),
        "quotes are escaped: {line}"
    );
    assert!(!line.contains("192.0.2"), "nobody is trusted: {line}");
    assert!(log.lines().nth(1).unwrap().contains("\" 404 "), "{log}");
}

#[test]
fn the_access_log_can_be_json_with_full_or_no_addresses() {
    for (setting, expected) in [
        ("full", Some("127.0.0.1")),
        ("truncated", Some("127.0.0.0")),
        ("none", None),
    ] {
        let settings = [("LOG__ACCESS", "json"), ("LOG__CLIENT_ADDRESS", setting)];
        let log = access_log(&format!("json-{setting}"), &settings);
        for line in log.lines() {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(entry["status"].is_number(), "{line}");
            match expected {
                Some(address) => assert!(line.contains(&format!("\"{address}\"")), "{line}"),
                None => assert!(!line.contains("127.0.0"), "{line}"),
            }
        }
    }
}

#[test]
fn behind_a_trusted_proxy_the_log_names_the_client() {
    let log = access_log(
        "proxied",
        &[
            ("LOG__ACCESS", "combined"),
            ("LOG__CLIENT_ADDRESS", "full"),
            ("PUBLIC__TRUSTED_PROXIES", "[\"127.0.0.0/8\"]"),
        ],
    );
    assert!(log.starts_with("192.0.2.200 "), "{log}");
}

#[test]
fn the_start_page_lists_the_collection_and_can_be_switched_off() {
    let server = SERVER.get();
    let page = server.request("GET", "/", &[("Accept", "text/html")]);
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src"), "{policy}");
    assert!(!policy.contains("unsafe-eval"), "{policy}");
    let off = Server::with(library(), &[("PUBLIC__START_PAGE", "off")]);
    assert_eq!(off.get("/").status, 404);
    let admin = Server::with(library(), &[("PUBLIC__START_PAGE", "admin")]);
    assert_eq!(admin.get("/").status, 404);
    assert_eq!(request(&admin.admin, "GET", "/", &[]).status, 200);
}
