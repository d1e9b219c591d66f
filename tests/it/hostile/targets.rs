//! Requests that no honest client sends.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{assert_alive, server};
use crate::library::{draw, plain, png, scratch};
use crate::support::{Server, exchange};

/// What stands in the file outside the root; no answer may ever hold it.
const CANARY: &[u8] = b"canary-outside-the-root";

/// A root with one picture, and beside it a file and a picture that must stay unseen.
fn walled(name: &str) -> (PathBuf, Server) {
    let place = scratch(name);
    let root = place.join("root");
    fs::create_dir_all(root.join("sub")).unwrap();
    let picture = png(&draw(30, 20, plain));
    fs::write(root.join("in.png"), &picture).unwrap();
    fs::write(root.join("sub/in.png"), &picture).unwrap();
    fs::write(place.join("secret.txt"), CANARY).unwrap();
    fs::write(place.join("secret.png"), &picture).unwrap();
    fs::write(place.join("root-twin.png"), &picture).unwrap();
    std::os::unix::fs::symlink(place.join("secret.png"), root.join("link.png")).unwrap();
    std::os::unix::fs::symlink("..", root.join("up")).unwrap();
    let server = server(&root, &[]);
    (place, server)
}

/// Identifiers that try to leave the root or are no identifiers.
#[expect(clippy::too_many_lines, reason = "a table")]
fn traversals(place: &str) -> Vec<String> {
    let mut list: Vec<String> = [
        "..%2Fsecret.png",
        "..%2fsecret.png",
        "%2E%2E%2Fsecret.png",
        "%2e%2e%2fsecret.png",
        ".%2E%2Fsecret.png",
        "%2E.%2Fsecret.png",
        "sub%2F..%2F..%2Fsecret.png",
        "sub%2F%2E%2E%2F%2E%2E%2Fsecret.png",
        "..%5Csecret.png",
        "..%5c..%5csecret.png",
        "%2E%2E%5Csecret.png",
        "..%252Fsecret.png",
        "%252E%252E%252Fsecret.png",
        "..%c0%afsecret.png",
        "..%C0%AFsecret.png",
        "%c0%ae%c0%ae%c0%afsecret.png",
        "..%e0%80%afsecret.png",
        "..%f0%80%80%afsecret.png",
        "..%ef%bc%8fsecret.png",
        "..%e2%88%95secret.png",
        "%uff0e%uff0e%u2215secret.png",
        "..%00%2Fsecret.png",
        "in.png%00.jpg",
        "%00",
        "%00in.png",
        "in%00.png",
        "secret.png%00in.png",
        "..%2F..%2F..%2F..%2F..%2F..%2Fetc%2Fpasswd",
        "%2Fetc%2Fpasswd",
        "%2F%2Fetc%2Fpasswd",
        "file:%2F%2F%2Fetc%2Fpasswd",
        "file:%2F%2F..%2Fsecret.png",
        "C:%5Cwindows%5Cwin.ini",
        "%5C%5Cserver%5Cshare%5Cx.png",
        "~%2Fsecret.png",
        "~root%2Fx.png",
        "$HOME%2Fx.png",
        "%60id%60.png",
        "in.png;cat%20x",
        "in.png%7Cid",
        "%24%28id%29",
        "link.png",
        "up%2Fsecret.png",
        "up%2Froot%2F..%2Fsecret.png",
        "sub%2F..%2Fup%2Fsecret.png",
        ".%2Fin.png%2F..%2F..%2Fsecret.png",
        "..",
        ".",
        "%2E%2E",
        "%2E",
        "..%2F",
        "%2F",
        "%2F..",
        "sub",
        "sub%2F",
        "sub%2F.",
        "..%2Froot-twin.png",
        "%EF%BB%BFin.png",
        "%FE%FF",
        "%C3%28",
        "%F5%80%80%80",
        "%ED%A0%80",
        "%ED%BF%BF",
        "%80",
        "%0D%0AX-Injected:%201",
        "in.png%0d%0a",
        "%7F",
        "%1B%5B31m",
        "%09in.png",
        "in.png%20",
        "%20in.png",
        "in.png.",
        "in.png%2F",
        "in.png%2Finfo.json",
        "%E2%80%AEgnp.ni",
        "%E2%80%8Bin.png",
        "con",
        "nul",
        "%",
        "%2",
        "%zz",
        "%%",
        "%25%",
        "%2%35",
        "%-1",
        "%+1",
        "in.png%",
        "{in}.png",
        "in.png*",
        "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "'%20OR%201=1--",
        "in.png%3Fx",
        "in.png%23x",
        "proc%2Fself%2Fenviron",
        "%2Fproc%2Fself%2Fmem",
        "%2Fdev%2Fzero",
        "%2Fdev%2Fstdin",
        "http:%2F%2F127.0.0.1:1%2Fx.png",
        "http:%2F%2F169.254.169.254%2Flatest",
        "s3:%2F%2Fb%2Fk",
        "in.png;2",
        "in.png;0",
        "in.png;-1",
        "in.png;99999999999999999999",
        "in.png;1:0",
        "in.png;0:1",
        "in.png;1:-2",
        "in.png;99999999999999999999:1",
        ";1",
    ]
    .map(str::to_owned)
    .into();
    let encoded = place.replace('/', "%2F");
    list.push(format!("{encoded}%2Fsecret.png"));
    list.push(format!("{encoded}%2Fsecret.txt"));
    list.push(format!("%2F{encoded}%2Fsecret.png"));
    list.push("x".repeat(300));
    list.push("x%2F".repeat(900));
    list.push("..%2F".repeat(500));
    list.push("%41".repeat(1200));
    list
}

#[test]
fn no_identifier_leads_out_of_the_root() {
    let (place, server) = walled("walled");
    let identifiers = traversals(place.to_str().unwrap());
    assert!(identifiers.len() >= 100, "{}", identifiers.len());
    for identifier in identifiers {
        for rest in ["info.json", "full/max/0/default.png"] {
            let path = format!("/iiif/3/{identifier}/{rest}");
            let answer = server.get(&path);
            assert!(
                matches!(answer.status, 400 | 403 | 404 | 414),
                "{path}: {}: {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            );
            assert_clean(&answer.body, &place, &path);
            assert_eq!(answer.header("x-injected"), "", "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        }
    }
    assert_eq!(server.get("/iiif/3/in.png/info.json").status, 200);
    assert_eq!(server.get("/iiif/3/sub%2Fin.png/info.json").status, 200);
    assert_alive(&server);
}

fn assert_clean(body: &[u8], place: &std::path::Path, path: &str) {
    let holds = |part: &[u8]| body.windows(part.len()).any(|window| window == part);
    assert!(!holds(CANARY), "{path} gives the canary");
    // The client may read what it sent; what it cannot know is the root.
    let root = place.join("root");
    assert!(
        !holds(root.to_str().unwrap().as_bytes()),
        "{path} shows the root"
    );
}

/// Parameters that are none, with what stands for them.
const REQUESTS: &[&str] = &[
    "1e2,0,1,1/max/0/default.png",
    "+1,0,1,1/max/0/default.png",
    "-0,0,1,1/max/0/default.png",
    "NaN,0,1,1/max/0/default.png",
    "inf,0,1,1/max/0/default.png",
    "0x10,0,1,1/max/0/default.png",
    "1_0,0,1,1/max/0/default.png",
    "%EF%BC%91%EF%BC%92,0,1,1/max/0/default.png",
    "%D9%A1,0,1,1/max/0/default.png",
    "0,0,0,0/max/0/default.png",
    "30,0,1,1/max/0/default.png",
    "4294967296,0,1,1/max/0/default.png",
    "18446744073709551616,0,1,1/max/0/default.png",
    "-1,-1,5,5/max/0/default.png",
    "0,0,-1,-1/max/0/default.png",
    "0,0,1/max/0/default.png",
    "0,0,1,1,1/max/0/default.png",
    ",,,/max/0/default.png",
    "pct:,,,/max/0/default.png",
    "pct:NaN,0,1,1/max/0/default.png",
    "pct:inf,0,1,1/max/0/default.png",
    "pct:1e308,0,1,1/max/0/default.png",
    "pct:0,0,-1,1/max/0/default.png",
    "pct:0,0,0,0/max/0/default.png",
    "pct:100,100,1,1/max/0/default.png",
    "pct:0,0,1/max/0/default.png",
    "Pct:0,0,1,1/max/0/default.png",
    "square%00/max/0/default.png",
    "full%20/max/0/default.png",
    "%20full/max/0/default.png",
    "fullfull/max/0/default.png",
    "full,/max/0/default.png",
    "/max/0/default.png",
    "full//0/default.png",
    "full/max//default.png",
    "full/max/0/",
    "full/max/0/.png",
    "full/max/0/default.",
    "full/max/0/default",
    "full/max/0/.",
    "full/max/0/..",
    "full/0,0/0/default.png",
    "full/,/0/default.png",
    "full/!/0/default.png",
    "full/^/0/default.png",
    "full/^!/0/default.png",
    "full/!^5,5/0/default.png",
    "full/^^5,/0/default.png",
    "full/1e1,/0/default.png",
    "full/+5,/0/default.png",
    "full/-5,/0/default.png",
    "full/5.5,/0/default.png",
    "full/0x5,/0/default.png",
    "full/5%2C5%2C5/0/default.png",
    "full/99999999999999999999,/0/default.png",
    "full/^99999999999999999999,/0/default.png",
    "full/^4294967295,4294967295/0/default.png",
    "full/^4294967295,/0/default.png",
    "full/^65536,65536/0/default.png",
    "full/^1,4294967296/0/default.png",
    "full/^pct:1e9/0/default.png",
    "full/^pct:99999999999999999999/0/default.png",
    "full/pct:0/0/default.png",
    "full/pct:-1/0/default.png",
    "full/pct:NaN/0/default.png",
    "full/pct:inf/0/default.png",
    "full/pct:1,5/0/default.png",
    "full/pct:0.00000000001/0/default.png",
    "full/pct:1.1.1/0/default.png",
    "full/pct:.../0/default.png",
    "full/pct:/0/default.png",
    "full/max/1e2/default.png",
    "full/max/+1/default.png",
    "full/max/-0/default.png",
    "full/max/NaN/default.png",
    "full/max/inf/default.png",
    "full/max/0x10/default.png",
    "full/max/361/default.png",
    "full/max/360.00000000000000000001/default.png",
    "full/max/99999999999999999999/default.png",
    "full/max/1,5/default.png",
    "full/max/!!0/default.png",
    "full/max/0!/default.png",
    "full/max/!/default.png",
    "full/max/%210%00/default.png",
    "full/max/90%20/default.png",
    "full/max/./default.png",
    "full/max/%EF%BC%99%EF%BC%90/default.png",
    "full/max/0/DEFAULT.png",
    "full/max/0/default.PNG",
    "full/max/0/default.p%00ng",
    "full/max/0/default.png%00",
    "full/max/0/default.png.exe",
    "full/max/0/default.svg",
    "full/max/0/default.php",
    "full/max/0/..png",
    "full/max/0/%2E%2E.png",
    "full/max/0/%3Cscript%3E.png",
    "full/max/0/default.%FF",
    "full/max/0/%FF.png",
    "%FF/max/0/default.png",
    "full/%FF/0/default.png",
    "full/max/%FF/default.png",
    "full/max/0/default%2Fx.png",
    "full%2Fmax/0/default.png/x",
    "full/max/0/default.png/..%2F..",
    "full/max/0%2F0/default.png",
    "%/max/0/default.png",
    "full/%zz/0/default.png",
    "full/max/%2/default.png",
    "full/max/0/default.%",
];

#[test]
fn no_parameter_is_misread() {
    let (place, server) = walled("parameters");
    assert!(REQUESTS.len() >= 100, "{}", REQUESTS.len());
    for request in REQUESTS {
        for api in ["3", "2", "1.0"] {
            let path = format!("/iiif/{api}/in.png/{request}");
            let answer = server.get(&path);
            // Enlarging beyond any integer is 400; paths with another number of segments are 404.
            assert!(
                matches!(answer.status, 400 | 404 | 415),
                "{path}: {}",
                answer.status
            );
            assert_clean(&answer.body, &place, &path);
        }
    }
    assert_alive(&server);
}

#[test]
fn long_parameters_are_refused_before_they_cost_anything() {
    let (_, server) = walled("long");
    let digits = "9".repeat(7000);
    let zeros = "0".repeat(7000);
    for request in [
        format!("{digits},0,1,1/max/0/default.png"),
        format!("full/pct:0.{zeros}1/0/default.png"),
        format!("full/max/0.{zeros}1/default.png?"),
        format!("full/max/{digits}/default.png"),
        format!("full/{zeros},/0/default.png"),
        format!("full/max/0/default.{digits}"),
    ] {
        let start = Instant::now();
        let answer = server.get(&format!("/iiif/3/in.png/{request}"));
        assert!(
            matches!(answer.status, 400 | 414 | 200),
            "{}",
            answer.status
        );
        assert!(start.elapsed() < Duration::from_secs(5));
        assert!(answer.body.len() < 64 << 10, "long input is not echoed");
    }
    for length in [8192, 20_000, 60_000, 1 << 20] {
        let target = format!("/iiif/3/{}/info.json", "a".repeat(length));
        let raw = exchange(
            &server.public,
            format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes(),
        );
        let status = status_of(&raw);
        assert!(
            matches!(status, Some(414 | 431) | None),
            "{length}: {status:?}"
        );
    }
    assert_alive(&server);
}

fn status_of(raw: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(raw.get(..12)?).ok()?;
    line.strip_prefix("HTTP/1.1 ")
        .or_else(|| line.strip_prefix("HTTP/1.0 "))?
        .parse()
        .ok()
}

#[test]
fn heads_that_are_no_http_are_refused_and_never_hang() {
    let (place, server) = walled("raw");
    let flood = format!(
        "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "A: b\r\n".repeat(5000)
    );
    let wide = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n",
        "b".repeat(1 << 20)
    );
    let path = "/iiif/3/in.png/info.json";
    let heads: Vec<Vec<u8>> = [
        "GET\r\n\r\n".to_owned(),
        "\r\n\r\n\r\n".to_owned(),
        "GET  /  HTTP/1.1\r\n\r\n".to_owned(),
        format!("GET {path} HTTP/9.9\r\nHost: x\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: x/y\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: x y\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: x\"><script>\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nA\0B: c\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nA : c\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n"),
        format!("GET {path}\x01 HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET {path} x HTTP/1.1\r\nHost: x\r\n\r\n"),
        "GET iiif/3/in.png/info.json HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET ../secret.txt HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n".to_owned(),
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc"),
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage garbage garbage garbage".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".to_owned(),
        "\x16\x03\x01\x02\0\x01\0\x01\u{1}\x03\x03 a TLS greeting \r\n\r\n".to_owned(),
        flood,
        wide,
    ]
    .map(String::into_bytes)
    .into_iter()
    .chain([
        b"GET /iiif/3/\xFF\xFE/info.json HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"GET /iiif/3/\xE7\x94\xBB.png/info.json HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        vec![0; 4096],
        vec![0xFF; 4096],
        b"\x80\x9e\x01\x03\x01".to_vec(),
    ])
    .collect();
    for head in &heads {
        let shown = String::from_utf8_lossy(&head[..head.len().min(60)]).into_owned();
        let raw = half_closed(&server.public, head);
        let status = status_of(&raw);
        let fine = status.is_none_or(|status| (400..500).contains(&status) || status == 505);
        assert!(fine, "{shown:?}: {status:?}");
        assert_clean(&raw, &place, &shown);
        let text = String::from_utf8_lossy(&raw);
        assert!(!text.contains("<script>"), "{shown:?}");
    }
    assert_alive(&server);
}

/// Sends bytes, says that no more come, and reads what the server has to say.
fn half_closed(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(15)))
        .unwrap();
    let start = Instant::now();
    // A server that has seen enough may close before all of it is sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(
        start.elapsed() < Duration::from_secs(14),
        "the server hangs"
    );
    answer
}

#[test]
fn paths_beside_the_routes_are_404_or_400() {
    let (place, server) = walled("routes");
    for path in [
        "//",
        "///",
        "//iiif/3/in.png/info.json",
        "/iiif//3/in.png/info.json",
        "/iiif/3//in.png/info.json",
        "/iiif/3/in.png//info.json",
        "/iiif/3/in.png/info.json/",
        "/iiif/3/in.png/INFO.JSON",
        "/iiif/3/in.png/info.json%00",
        "/iiif/3/../../secret.txt",
        "/../secret.txt",
        "/..%2Fsecret.txt",
        "/iiif/3/in.png/../../../secret.txt",
        "/assets/../secret.txt",
        "/assets/..%2F..%2Fsecret.txt",
        "/assets/",
        "/assets/%2e%2e",
        "/metrics",
        "/metrics/",
        "/admin",
        "/health",
        "/health/",
        "/health/live/",
        "/health/x",
        "/favicon.ico/x",
        "/.git/config",
        "/.env",
        "/iiif",
        "/iiif/",
        "/iiif/3",
        "/iiif/3/",
        "/iiif/0/in.png/info.json",
        "/iiif/03/in.png/info.json",
        "/iiif/3.1/in.png/info.json",
        "/iiif/-3/in.png/info.json",
        "/server-status",
        "/cgi-bin/x",
        "/iiif/3/in.png/full/max/0/default.png/",
        "/iiif/3/in.png/full/max/0",
        "/iiif/3/in.png/full/max",
        "/iiif/3/in.png/full",
        "/%69iif/3/in.png/info.json%2F",
        "/*",
        "/;",
        "/?",
        "/%",
    ] {
        let answer = server.get(path);
        let expected = if path == "/?" { 200 } else { 404 };
        assert!(
            answer.status == expected || answer.status == 400,
            "{path}: {}",
            answer.status
        );
        assert_clean(&answer.body, &place, path);
    }
    assert_alive(&server);
}

#[test]
fn headers_that_lie_change_nothing() {
    let (_, server) = walled("headers");
    let path = "/iiif/3/in.png/full/max/0/default.png";
    let honest = server.get(path);
    let long = "\"x\",".repeat(2000);
    for (name, value) in [
        ("If-None-Match", long.as_str()),
        ("If-None-Match", "\"\u{e9}\""),
        ("If-Modified-Since", "Sun, 99 Nov 9999 99:99:99 GMT"),
        ("Range", "bytes=0-0,-1,5-4"),
        ("Accept", "*/*;q=99999999999999999999"),
        ("Accept", ";;;,,,;q=;"),
        ("Accept-Encoding", "gzip, deflate, br, zstd, *"),
        ("X-Forwarded-For", "' OR 1=1, 256.256.256.256, ::::"),
        ("X-Forwarded-Host", "evil.example.org"),
        ("X-Original-URL", "/metrics"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Content-Length", "0"),
        ("Upgrade", "h2c, websocket"),
        ("Expect", "100-continue"),
        ("Origin", "null"),
        ("X-Request-Id", "../../x\"<>"),
        ("Cookie", "a=b"),
        ("Authorization", "Basic !!!"),
    ] {
        let answer = server.request("GET", path, &[(name, value)]);
        assert!(
            matches!(answer.status, 200 | 400),
            "{name}: {}",
            answer.status
        );
        if answer.status == 200 {
            assert_eq!(answer.body, honest.body, "{name}: {value}");
        }
        assert!(!answer.header("link").contains("evil"), "{name}");
        assert!(!answer.header("x-request-id").contains(".."), "{name}");
    }
    assert_alive(&server);
}

#[test]
fn a_slow_head_is_cut_at_its_time() {
    let (place, _) = walled("slow");
    let server = server(
        &place.join("root"),
        &[("SERVER__HEADER_TIMEOUT_SECONDS", "1")],
    );
    let mut stream = TcpStream::connect(&server.public).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").unwrap();
    let start = Instant::now();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(
        start.elapsed() < Duration::from_secs(6),
        "{:?}",
        start.elapsed()
    );
    assert!(
        status_of(&answer).is_none_or(|status| status == 408),
        "{answer:?}"
    );
    assert_alive(&server);
}
