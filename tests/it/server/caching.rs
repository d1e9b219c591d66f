//! The ladder: what is remembered, what is shared, what is refused.

use std::thread;
use std::time::Duration;

use super::counter;
use crate::library::library;
use crate::pixels::decode;
use crate::support::{Answer, Server, fixtures, request};

fn ladder(server: &Server, rung: &str) -> u64 {
    counter(server, "ladder_total", &format!("rung=\"{rung}\""))
}

/// The rung that `Server-Timing` names.
fn rung(answer: &Answer) -> String {
    let timing = answer.header("server-timing");
    let (_, rest) = timing.split_once("rung;desc=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[test]
fn each_rung_is_counted_and_named() {
    let server = Server::start(library());
    let path = "/iiif/3/uneven.png/0,0,256,256/128,/0/default.jpg";
    let first = server.get(path);
    let made = rung(&first);
    assert!(["partial", "full"].contains(&made.as_str()), "{made}");
    assert_eq!(ladder(&server, &made), 1);
    assert_eq!(ladder(&server, "derivative"), 0);
    let second = server.get(path);
    assert_eq!(rung(&second), "derivative");
    assert_eq!(second.body, first.body);
    assert_eq!(ladder(&server, "derivative"), 1);
    let etag = first.header("etag");
    let third = server.request("GET", path, &[("If-None-Match", etag)]);
    assert_eq!((third.status, rung(&third).as_str()), (304, "not_modified"));
    assert_eq!(ladder(&server, "not_modified"), 1);
    assert_eq!(ladder(&server, &made), 1);
    // Another spelling of the same request is the same derivative.
    let spelt = server.get("/iiif/3/uneven.png/0,0,256,256/pct:50/0.0/color.jpg");
    assert_eq!(rung(&spelt), "derivative");
    assert_eq!(spelt.body, first.body);
    let hits = counter(
        &server,
        "cache_requests_total",
        "tier=\"derivative_memory\",result=\"hit\"",
    ) + counter(
        &server,
        "cache_requests_total",
        "tier=\"memory\",result=\"hit\"",
    ) + counter(
        &server,
        "cache_requests_total",
        "tier=\"derivative\",result=\"hit\"",
    );
    assert_eq!(hits, 2, "{}", metrics(&server));
}

fn metrics(server: &Server) -> String {
    request(&server.admin, "GET", "/metrics", &[]).text()
}

#[test]
fn bytes_are_the_same_with_the_cache_and_without() {
    let with = Server::start(library());
    let without = Server::with(library(), &[("CACHE__DERIVATIVE__MEMORY_BYTES", "0")]);
    for request in [
        "full/max/0/default.jpg",
        "10,20,200,100/77,/!90/default.webp",
        "square/50,/33/gray.png",
        "full/max/0/bitonal.gif",
        "full/max/0/default.tif",
    ] {
        let path = format!("/iiif/3/plain.png/{request}");
        let answers = [
            with.get(&path),
            with.get(&path),
            without.get(&path),
            without.get(&path),
        ];
        for answer in &answers {
            assert_eq!(answer.status, 200, "{request}");
            assert_eq!(answer.body, answers[0].body, "{request}");
            assert_eq!(
                answer.header("etag"),
                answers[0].header("etag"),
                "{request}"
            );
        }
    }
    assert_eq!(ladder(&without, "derivative"), 0);
}

#[test]
fn pages_of_one_master_are_not_mixed_up() {
    let server = Server::start(&fixtures().join("golden/masters"));
    let first = server.get("/iiif/3/pages.tif/full/max/0/default.png");
    let second = server.get("/iiif/3/pages.tif;2/full/max/0/default.png");
    assert_eq!(decode(&first).size(), (40, 30));
    assert_eq!(decode(&second).size(), (50, 30));
    // The same region of both, so that the requests alone do not tell them apart.
    let cut = |page: &str| {
        server.get(&format!(
            "/iiif/3/pages.tif{page}/0,0,20,20/max/0/default.png"
        ))
    };
    let (one, named, two) = (cut(""), cut(";1"), cut(";2"));
    assert_eq!(decode(&one), decode(&named));
    assert_ne!(decode(&one), decode(&two));
    assert_ne!(one.header("etag"), two.header("etag"));
    assert_eq!(server.get("/iiif/3/pages.tif;3/info.json").status, 404);
}

/// Sends one request from many threads at the same time.
fn at_once(server: &Server, count: usize, path: impl Fn(usize) -> String) -> Vec<Answer> {
    let threads: Vec<_> = (0..count)
        .map(|number| {
            let (address, path) = (server.public.clone(), path(number));
            thread::spawn(move || request(&address, "GET", &path, &[]))
        })
        .collect();
    threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect()
}

#[test]
fn equal_requests_in_flight_are_rendered_once() {
    let server = Server::with(library(), &[("CACHE__DERIVATIVE__MEMORY_BYTES", "0")]);
    assert_eq!(server.get("/iiif/3/odd.png/info.json").status, 200);
    let path = "/iiif/3/odd.png/full/1200,/33/default.jpg";
    let answers = at_once(&server, 16, |_| path.to_owned());
    for answer in &answers {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, answers[0].body);
    }
    let renders = server.metric("triforium_stage_duration_seconds_count{stage=\"encode\"}");
    let shared = server.metric("triforium_coalesced_requests_total");
    assert!(
        (renders - 1.0).abs() < 0.5,
        "{renders} renders, {shared} shared"
    );
    assert!((shared - 15.0).abs() < 0.5, "{shared} shared");
}

#[test]
fn what_does_not_fit_is_refused_and_the_server_goes_on() {
    let settings = [
        ("LIMITS__DECODE_BYTES", "80000000"),
        ("LIMITS__QUEUE_SECONDS", "1"),
        ("LIMITS__QUEUE_LENGTH", "2"),
        ("CACHE__DERIVATIVE__MEMORY_BYTES", "0"),
    ];
    let mut server = Server::with(library(), &settings);
    server.log_may_be_dirty = true;
    let answers = at_once(&server, 16, |number| {
        format!(
            "/iiif/3/odd.png/0,0,2500,{}/max/0/default.png",
            1600 + number
        )
    });
    let mut busy = 0;
    for answer in &answers {
        assert!(matches!(answer.status, 200 | 503), "{}", answer.status);
        if answer.status == 503 {
            busy += 1;
            assert_ne!(answer.header("retry-after"), "");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
    assert!(busy > 0, "sixteen at once do not fit");
    let shed: u64 = metrics(&server)
        .lines()
        .filter(|line| line.starts_with("triforium_shed_total{"))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok())
        .sum();
    assert_eq!(shed, busy, "every refusal is counted");
    assert_eq!(
        server
            .get("/iiif/3/plain.png/full/50,/0/default.jpg")
            .status,
        200
    );
    // A thread gives its bytes back a moment after its answer has left.
    let all_back = || server.metric("triforium_decode_reserved_bytes") < 0.5;
    let in_time = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(20));
        all_back()
    });
    assert!(in_time, "all is given back");
    assert!(!server.log().contains("panicked"));
}

#[test]
fn long_answers_are_streamed_and_whole() {
    let server = Server::with(library(), &[("LIMITS__STREAM_ABOVE_BYTES", "10000")]);
    let whole = Server::with(library(), &[("LIMITS__STREAM_ABOVE_BYTES", "100000000")]);
    for format in ["png", "jpg"] {
        let path = format!("/iiif/3/uneven.png/full/max/0/default.{format}");
        let (streamed, known) = (server.get(&path), whole.get(&path));
        assert_eq!(streamed.header("transfer-encoding"), "chunked", "{format}");
        assert_eq!(streamed.header("content-length"), "", "{format}");
        assert_eq!(known.header("content-length"), known.body.len().to_string());
        assert_eq!(decode(&streamed), decode(&known), "{format}");
    }
}

#[test]
fn a_reduced_image_is_an_image_of_its_own() {
    let server = Server::start(library());
    let document = server.get("/iiif/3/plain.png;1:2/info.json").json();
    assert_eq!(
        (&document["width"], &document["height"]),
        (&150.into(), &100.into())
    );
    let request = "0,0,50,50/max/0/default.png";
    let whole = server.get(&format!("/iiif/3/plain.png/{request}"));
    let half = server.get(&format!("/iiif/3/plain.png;1:2/{request}"));
    assert_eq!(decode(&half).size(), (50, 50));
    assert_ne!(decode(&half), decode(&whole));
    assert_ne!(half.header("etag"), whole.header("etag"));
    // The same pixels as the part that they come from, halved.
    let part = server.get("/iiif/3/plain.png/0,0,100,100/50,50/0/default.png");
    assert_eq!(decode(&half), decode(&part));
}

/// The first window far down a JPEG walks over what lies above it; later ones start from what that
/// walk remembered. Neither shows in the bytes, nor in the rung.
#[test]
fn windows_of_a_jpeg_are_those_of_the_whole_before_and_after_its_rows_are_indexed() {
    let windows = [
        (1000, 900, 300, 256),
        (16, 900, 130, 77),
        (1700, 1100, 100, 100),
        (511, 640, 513, 200),
        (1000, 900, 300, 256),
    ];
    let name = "waterfall-1-upright.jpg";
    let off = [
        "DERIVATIVE__MEMORY_BYTES",
        "TILES__MEMORY_BYTES",
        "LEVELS__DISK_BYTES",
    ];
    let settings = off.map(|key| (format!("CACHE__{key}"), "0"));
    let settings = settings.each_ref().map(|(key, off)| (key.as_str(), *off));
    let server = Server::with(&fixtures().join("images/orientation"), &settings);
    let whole = decode(&server.get(&format!("/iiif/3/{name}/full/max/0/default.png")));
    for (nth, (x, y, width, height)) in windows.into_iter().enumerate() {
        let answer = server.get(&format!(
            "/iiif/3/{name}/{x},{y},{width},{height}/max/0/default.png"
        ));
        assert_eq!(rung(&answer), "partial");
        assert_eq!(ladder(&server, "partial"), nth as u64 + 1);
        assert!(
            decode(&answer) == whole.crop(x, y, width, height),
            "window {nth}"
        );
    }
}
