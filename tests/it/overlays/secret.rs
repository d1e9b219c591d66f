//! A rectangle with a colour of its own, and thousands of requests: of masters of every kind, in every
//! version, format, quality and rotation, with every cache filled before the rule was set.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::{folder, serve, until};
use crate::library::{draw, jpeg, save};
use crate::pixels::{Pixels, decode_quickly};
use crate::support::{Answer, Server};

/// Sides of the picture.
const SIDES: (u64, u64) = (640, 480);

/// The rectangle, upright.
const SECRET: (u64, u64, u64, u64) = (203, 149, 101, 75);

/// Requests that are asked before and after.
const REQUESTS: usize = 2000;

/// Light gray with some green, and magenta in the rectangle.
pub(super) fn picture() -> Pixels {
    let (left, top, width, height) = SECRET;
    draw(640, 480, |x, y| {
        let (x, y) = (x as u64, y as u64);
        if (left..left + width).contains(&x) && (top..top + height).contains(&y) {
            return [255, 0, 255];
        }
        let value = 180 + u8::try_from((x / 7 + y / 5 + x * y / 90) % 18).unwrap();
        [value, value + 20, value]
    })
}

/// How many pixels have a trace of magenta: more red and blue than green, or less light than anything else
/// in the picture. Beside white edges lossy formats themselves make green a little weaker than the others.
pub(super) fn traces(answer: &Answer) -> usize {
    let pixels = decode_quickly(answer);
    let media = answer.header("content-type");
    // Where opacity is coded with loss, pixels beside a clear place are something between both.
    let blurred = matches!(media, "image/avif" | "image/jp2") && pixels.channels.is_multiple_of(2);
    let is_beside = |x: usize, y: usize| {
        let around = |at: usize, side: usize| at.saturating_sub(6)..(at + 7).min(side);
        blurred
            && around(y, pixels.height)
                .any(|y| around(x, pixels.width).any(|x| pixels.rgba(x, y)[3] < 250))
    };
    let margin = match media {
        "image/jpeg" | "image/webp" | "image/avif" | "image/jp2" | "application/pdf" => 16,
        _ => 4,
    };
    let mut count = 0;
    for y in 0..pixels.height {
        for x in 0..pixels.width {
            let [r, g, b, a] = pixels.rgba(x, y).map(i32::from);
            let luma = (299 * r + 587 * g + 114 * b) / 1000;
            let tells = a >= 16 && (r.min(b) > g + margin || luma < 160);
            count += usize::from(tells && !is_beside(x, y));
        }
    }
    count
}

pub(super) fn tool(program: &str, arguments: &[&str]) {
    let run = Command::new(program).args(arguments).output();
    let run = run.unwrap_or_else(|cause| panic!("{program}: {cause}"));
    let error = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{program} {arguments:?}: {error}");
}

/// The picture as masters of every kind: without levels, turned, pyramids of ours and of others, wavelets.
const MASTERS: [&str; 9] = [
    "plain.png",
    "turned.jpg",
    "scan.jpg",
    "ours.tif",
    "theirs.tif",
    "zip.tif",
    "waves.jp2",
    "tiles.jp2",
    "page.webp",
];

fn fill(masters: &Path) {
    let picture = picture();
    let path = |name: &str| masters.join(name).to_str().unwrap().to_owned();
    save(&masters.join("plain.png"), &picture);
    // Stored as its quarter turn to the left, which the tag undoes.
    let turned = picture.moved((480, 640), |x, y| (640 - 1 - y, x));
    fs::write(path("turned.jpg"), jpeg(&turned, 6)).unwrap();
    let png = path("plain.png");
    tool("vips", &["jpegsave", &png, &path("scan.jpg"), "--Q", "75"]);
    let convert = ["convert", &png, &path("ours.tif")];
    tool(env!("CARGO_BIN_EXE_triforium"), &convert);
    let pyramid = [
        "--tile",
        "--pyramid",
        "--tile-width",
        "128",
        "--tile-height",
        "128",
    ];
    for (name, compression) in [("theirs.tif", "jpeg"), ("zip.tif", "deflate")] {
        let to = path(name);
        let save = ["tiffsave", &png, &to, "--compression", compression];
        tool("vips", &[&save[..], &pyramid].concat());
    }
    tool("vips", &["jp2ksave", &png, &path("waves.jp2"), "--Q", "40"]);
    let tiles = ["--lossless", "--tile-width", "128", "--tile-height", "128"];
    let save = ["jp2ksave", &png, &path("tiles.jp2")];
    tool("vips", &[&save[..], &tiles].concat());
    tool("vips", &["webpsave", &png, &path("page.webp"), "--Q", "80"]);
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }

    fn one_of<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    /// A side of a region: anywhere, or around the secret.
    fn span(&mut self, side: u64, start: u64, length: u64) -> (u64, u64) {
        if self.below(3) == 0 {
            let from = self.below(side - 1);
            return (from, 1 + self.below(side - from));
        }
        let from = (start + self.below(length + 40))
            .saturating_sub(20)
            .min(side - 2);
        (from, (1 + self.below(200)).min(side - from))
    }

    fn request(&mut self) -> String {
        let name = self.one_of(&MASTERS);
        let version = self.one_of(&["3", "3", "3", "2", "2", "1.1", "1.0"]);
        let first = version.starts_with('1');
        let (x, w) = self.span(SIDES.0, SECRET.0, SECRET.2);
        let (y, h) = self.span(SIDES.1, SECRET.1, SECRET.3);
        let region = match self.below(8) {
            0 | 1 => "full".to_owned(),
            2 if !first => "square".to_owned(),
            3 => format!("pct:{},{},{},{}", self.below(50), self.below(50), 10, 25),
            4 => {
                let (x, y) = (self.below(5) * 128, self.below(4) * 128);
                format!("{x},{y},{},{}", (640 - x).min(128), (480 - y).min(128))
            }
            _ => format!("{x},{y},{w},{h}"),
        };
        let size = match self.below(8) {
            0 if version == "3" => "max".to_owned(),
            0 => "full".to_owned(),
            2 if w < 4 * h => format!(",{}", 1 + self.below(h)),
            3 => format!("!{},{}", 1 + self.below(w), 1 + self.below(h)),
            4 if version == "3" && h < 4 * w => format!("^{},", 1 + self.below(300)),
            5 if region == "full" => format!("{},", 640 >> self.below(7)),
            6 if h < 4 * w => format!("{},", 1 + self.below(w)),
            _ => format!("pct:{}", 1 + self.below(100)),
        };
        let rotation = if first {
            self.one_of(&["0", "90", "180", "270", "45"])
        } else {
            self.one_of(&["0", "0", "0", "90", "180", "270", "!0", "!90", "17.5"])
        };
        let quality = if first {
            self.one_of(&["native", "color", "grey", "bitonal"])
        } else {
            self.one_of(&["default", "default", "color", "gray", "bitonal"])
        };
        let format = if first {
            self.one_of(&["jpg", "jpg", "png", "gif", "tif", "jp2", "pdf"])
        } else {
            self.one_of(&[
                "jpg", "jpg", "jpg", "png", "png", "webp", "gif", "tif", "jxl", "jp2", "pdf",
                "avif",
            ])
        };
        let name = if self.below(12) == 0 && !first {
            format!("{name};1:2")
        } else {
            name.to_owned()
        };
        format!("/iiif/{version}/{name}/{region}/{size}/{rotation}/{quality}.{format}")
    }
}

/// Asks for each with the headers that go with it, from three threads, and shows each answer.
fn ask(
    server: &Server,
    urls: &[String],
    headers: impl Fn(usize) -> Vec<(&'static str, String)> + Sync,
    show: impl Fn(usize, &Answer) + Sync,
) {
    let part = urls.len().div_ceil(3);
    thread::scope(|scope| {
        for (group, some) in urls.chunks(part).enumerate() {
            let (headers, show) = (&headers, &show);
            scope.spawn(move || {
                for (index, url) in some.iter().enumerate() {
                    let index = group * part + index;
                    let sent = headers(index);
                    let sent: Vec<_> = sent.iter().map(|(n, v)| (*n, v.as_str())).collect();
                    show(index, &server.request("GET", url, &sent));
                }
            });
        }
    });
}

/// What was known before the rule: entity tag, date, date of the answer.
type Known = BTreeMap<usize, [String; 3]>;

/// Distinct requests that are answered, and what is known of the answers.
fn filled(server: &Server) -> (Vec<String>, Vec<[String; 3]>) {
    let (mut chance, mut urls, mut known) = (Chance(5), Vec::new(), Vec::new());
    let (mut seen, mut told) = (0, 0);
    while urls.len() < REQUESTS {
        let some: Vec<_> = (0..600).map(|_| chance.request()).collect();
        let answers: Mutex<Known> = Mutex::default();
        let shown = Mutex::new((0, 0));
        ask(
            server,
            &some,
            |_| Vec::new(),
            |index, answer| {
                // A box can be too small for a picture's aspect.
                if answer.status == 400 {
                    return;
                }
                assert_eq!(
                    answer.status,
                    200,
                    "{}: {}",
                    some[index],
                    answer.text_lossy()
                );
                let traces = traces(answer);
                let mut shown = shown.lock().unwrap();
                shown.0 += usize::from(traces > 0);
                shown.1 += traces;
                let names = ["etag", "last-modified", "date"];
                let headers = names.map(|name| answer.header(name).to_owned());
                answers.lock().unwrap().insert(index, headers);
            },
        );
        for (index, headers) in answers.into_inner().unwrap() {
            urls.push(some[index].clone());
            known.push(headers);
        }
        let (answers, pixels) = shown.into_inner().unwrap();
        seen += answers;
        told += pixels;
    }
    assert!(
        seen > REQUESTS / 3 && told > 1_000_000,
        "the rectangle shows: {seen}, {told}"
    );
    (urls, known)
}

pub(super) fn rule() -> String {
    let (x, y, w, h) = SECRET;
    format!(
        "[[overlay.redactions]]\npattern = \".*\"\nrectangles = [[{x}, {y}, {w}, {h}]]\n\
         colour = [255, 255, 255]\n"
    )
}

fn built(server: &Server) -> f64 {
    server.metric("triforium_level_builds_total{result=\"built\"}")
}

#[test]
fn nothing_of_a_rectangle_leaves_whatever_was_remembered_and_no_old_copy_is_confirmed() {
    let (masters, caches) = (folder(), folder());
    fill(masters.path());
    let settings = [
        ("CACHE__DIRECTORY", caches.path().to_str().unwrap()),
        ("CACHE__DERIVATIVE__DISK_BYTES", "200000000"),
        ("SOURCE__FILE__CHECK_SECONDS", "0.2"),
    ];
    let house = serve(masters.path(), "", &settings, folder());
    let (urls, known) = filled(&house.server);
    until(|| built(&house.server) >= 3.0, "no levels are built");
    let rungs = |rung: &str| {
        house
            .server
            .metric(&format!("triforium_ladder_total{{rung=\"{rung}\"}}"))
    };
    for rung in ["pass_through", "compressed", "partial", "full"] {
        assert!(rungs(rung) > 0.0, "{rung}");
    }

    house.reload(&rule());
    let clean = |index: usize, answer: &Answer| {
        let url: &String = &urls[index];
        assert_eq!(answer.status, 200, "{url}: {}", answer.text_lossy());
        assert_ne!(answer.header("etag"), known[index][0], "{url}");
        assert_eq!(traces(answer), 0, "{url}");
    };
    let tag = |index: usize| vec![("If-None-Match", known[index][0].clone())];
    ask(&house.server, &urls, tag, clean);
    let dated = |which: usize| {
        move |index: usize, known: &[[String; 3]]| {
            vec![("If-Modified-Since", known[index][which].clone())]
        }
    };
    let some: Vec<_> = urls.iter().take(300).cloned().collect();
    for which in [1, 2] {
        let date = dated(which);
        ask(&house.server, &some, |index| date(index, &known), clean);
    }
    until(
        || built(&house.server) >= 4.0,
        "levels are built with the rule too",
    );
    let resident = rungs("resident");
    assert!(resident > 0.0, "tiles are in memory");

    // Another process, over the same files.
    drop(house);
    let house = serve(masters.path(), &rule(), &settings, folder());
    ask(&house.server, &some, tag, clean);
    let date = dated(1);
    ask(&house.server, &some, |index| date(index, &known), clean);
}

#[test]
fn a_rule_that_is_set_within_the_second_of_an_answer_is_newer_than_it() {
    let masters = folder();
    save(&masters.path().join("plain.png"), &picture());
    let house = serve(masters.path(), "", &[], folder());
    let url = "/iiif/3/plain.png/full/max/0/default.png";
    for _ in 0..3 {
        house.reload("");
        let before = house.get(url);
        house.reload(&rule());
        for name in ["last-modified", "date"] {
            let since = [("If-Modified-Since", before.header(name))];
            let answer = house.server.request("GET", url, &since);
            assert_eq!(answer.status, 200, "{name}");
            assert_eq!(traces(&answer), 0);
        }
    }
    // A date that lies ahead is never told, and the copy is confirmed in the end.
    let start = Instant::now();
    loop {
        let answer = house.get(url);
        let date = |name: &str| httpdate::parse_http_date(answer.header(name)).unwrap();
        assert!(date("last-modified") <= date("date"));
        let tag = [("If-None-Match", answer.header("etag"))];
        assert_eq!(house.server.request("GET", url, &tag).status, 304);
        let since = [("If-Modified-Since", answer.header("last-modified"))];
        if house.server.request("GET", url, &since).status == 304 {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(5));
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn streams_and_whole_files_hide_it_too() {
    let masters = folder();
    fill(masters.path());
    let settings = [
        ("LIMITS__STREAM_ABOVE_BYTES", "10000"),
        ("CACHE__TILES__MEMORY_BYTES", "0"),
    ];
    let house = serve(masters.path(), &rule(), &settings, folder());
    for name in MASTERS {
        for format in ["jpg", "png", "webp", "tif", "avif", "jxl", "jp2", "pdf"] {
            let url = format!("/iiif/2/{name}/full/full/0/default.{format}");
            let answer = house.get(&url);
            assert_eq!(traces(&answer), 0, "{url}");
            assert!(
                !answer.header("server-timing").contains("pass_through"),
                "{url}"
            );
        }
    }
}
