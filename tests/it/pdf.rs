//! Pages of PDF over HTTP: as a foreign reader shows them, each drawn in a process that harms nobody.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::library::scratch;
use crate::pixels::{decode, decode_as};
use crate::support::{Server, fixtures};

#[test]
fn pages_look_as_a_foreign_reader_shows_them() {
    let (folder, work) = (fixtures().join("pdf"), scratch("pdf"));
    let server = Server::start(&folder);
    for (page, dpi) in [(1, 150), (2, 150)] {
        let shown = work.join(format!("{page}.png"));
        let output = Command::new("vips")
            .args(["flatten", "--background", "255 255 255"])
            .arg(format!(
                "{}[page={},dpi={dpi}]",
                folder.join("letter.pdf").display(),
                page - 1
            ))
            .arg(&shown)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let wanted = decode_as("image/png", &fs::read(shown).unwrap());
        let path = format!("/iiif/3/letter.pdf;{page}/full/max/0/default.png");
        let found = decode(&server.get(&path));
        // Sides of 621.2 and 874 pixels, which the other reader cuts.
        let (width, height) = wanted.size();
        assert!(found.size().0 - width <= 1 && found.size().1 - height <= 1);
        let (mean, _) = found.crop(0, 0, width, height).difference(&wanted);
        assert!(mean < 3.0, "{page}: {mean}");
    }
}

#[test]
fn a_page_is_an_image_with_its_size_on_paper() {
    let server = Server::start(&fixtures().join("pdf"));
    let info = server.get("/iiif/3/letter.pdf/info.json").json();
    assert_eq!(
        (&info["width"], &info["height"]),
        (&json!(621), &json!(875))
    );
    let text = info.to_string();
    assert!(text.contains("physdim"), "{text}");
    assert_eq!(server.get("/iiif/3/letter.pdf;2/info.json").status, 200);
    let answer = server.get("/iiif/3/letter.pdf;3/info.json");
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("2 pages"), "{}", answer.text());
}

#[test]
fn a_tile_is_its_part_of_the_page_however_it_is_asked_for() {
    let server = Server::start(&fixtures().join("pdf"));
    let whole = decode(&server.get("/iiif/3/letter.pdf/full/max/0/default.png"));
    // All at once, so that some share a drawing.
    std::thread::scope(|scope| {
        for index in 0..12 {
            let (server, whole) = (&server, &whole);
            scope.spawn(move || {
                let (x, y) = (index % 3 * 200, index / 3 * 200);
                let path = format!("/iiif/3/letter.pdf/{x},{y},200,200/max/0/default.png");
                let tile = decode(&server.get(&path));
                assert_eq!(whole.crop(x, y, 200, 200).difference(&tile), (0.0, 0));
            });
        }
    });
    assert_eq!(children(server.pid()), Vec::<u32>::new());
}

#[test]
fn a_page_is_drawn_once_for_all_its_tiles() {
    let server = Server::start(&fixtures().join("pdf"));
    let rung = |path: &str| {
        let answer = server.get(&format!("/iiif/3/letter.pdf/{path}/0/default.png"));
        assert_eq!(answer.status, 200);
        (answer.header("server-timing").to_owned(), decode(&answer))
    };
    for size in ["200,", "100,"] {
        let (first, _) = rung(&format!("0,0,200,200/{size}"));
        assert!(!first.contains("resident"), "{first}");
        let (later, pixels) = rung(&format!("400,600,200,200/{size}"));
        assert!(later.contains("resident"), "{later}");
        if size == "200," {
            let whole = decode(&server.get("/iiif/3/letter.pdf/full/max/0/default.png"));
            assert_eq!(whole.crop(400, 600, 200, 200).difference(&pixels), (0.0, 0));
        }
    }
}

#[test]
fn the_resolution_is_a_setting_and_none_refuses() {
    let folder = fixtures().join("pdf");
    let server = Server::with(&folder, &[("PDF__DPI", "72")]);
    let info = server.get("/iiif/3/letter.pdf/info.json").json();
    assert_eq!(
        (&info["width"], &info["height"]),
        (&json!(298), &json!(420))
    );
    let mut server = Server::with(&folder, &[("PDF__DPI", "0")]);
    server.log_may_be_dirty = true;
    let answer = server.get("/iiif/3/letter.pdf/info.json");
    assert_eq!(answer.status, 501);
    assert!(answer.text().contains("pdf.dpi"), "{}", answer.text());
}

#[test]
fn a_redacted_part_of_a_page_never_leaves() {
    let work = scratch("pdf-redacted");
    let config = work.join("config.toml");
    fs::write(
        &config,
        "[[overlay.redactions]]\npattern = 'letter\\.pdf'\npage = 2\nrectangles = [[60, 60, 200, 100]]\ncolour = [1, 254, 3]\n",
    )
    .unwrap();
    let config = config.to_str().unwrap();
    let server = Server::launch(&fixtures().join("pdf"), &[], &["--config", config]);
    for (page, covered) in [(1, false), (2, true)] {
        let path = format!("/iiif/3/letter.pdf;{page}/full/max/0/default.png");
        let picture = decode(&server.get(&path));
        let all = (60..260).flat_map(|x| (60..160).map(move |y| (x, y)));
        let green = all
            .filter(|(x, y)| picture.rgb(*x, *y) == [1, 254, 3])
            .count();
        assert_eq!(green, if covered { 200 * 100 } else { 0 });
    }
}

/// The job of a page of a file of so many bytes.
fn job(length: usize, seconds: u64) -> String {
    json!({
        "page": 1, "dpi": 72, "length": length, "bytes": 256 << 20, "seconds": seconds,
        "damaged": false, "rows": true,
    })
    .to_string()
}

#[test]
fn a_process_that_draws_may_do_nothing_else() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_triforium"))
        .args(["draw-page", &job(9, 7)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It waits for its file, with its limits set.
    let of = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    let row = |limits: &str, name: &str| {
        let row = limits.lines().find(|row| row.starts_with(name)).unwrap();
        let words: Vec<_> = row[name.len()..].split_whitespace().collect();
        (words[0].to_owned(), words[1].to_owned())
    };
    let both = |value: &str| (value.to_owned(), value.to_owned());
    while row(&of("limits"), "Max open files") != both("0") {
        assert!(Instant::now() < end, "{}", of("limits"));
        std::thread::sleep(Duration::from_millis(10));
    }
    let limits = of("limits");
    assert_eq!(row(&limits, "Max data size"), both("268435456"));
    assert_eq!(row(&limits, "Max cpu time"), both("7"));
    assert_eq!(row(&limits, "Max processes"), both("0"));
    assert_eq!(row(&limits, "Max file size"), both("0"));
    assert_eq!(row(&limits, "Max core file size"), both("0"));
    assert!(row(&limits, "Max address space").0.parse::<u64>().unwrap() < 2 << 30);
    assert!(of("status").contains("NoNewPrivs:\t1"), "{}", of("status"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_is_no_job_is_refused_in_words() {
    let output = Command::new(env!("CARGO_BIN_EXE_triforium"))
        .args(["draw-page", "letter.pdf"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(!output.stderr.is_empty());
}

/// A file of one page with these entries and contents, and further objects from 5 on.
fn page(entries: &str, content: &[u8], further: &[Vec<u8>]) -> Vec<u8> {
    let stream = [
        format!("<< /Length {} >>\nstream\n", content.len()).as_bytes(),
        content,
        b"\nendstream",
    ]
    .concat();
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        format!("<< /Type /Page /Parent 2 0 R /Contents 4 0 R {entries} >>").into_bytes(),
        stream,
    ];
    objects.extend_from_slice(further);
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(&objects) {
        writeln!(table, "{:010} 00000 n ", file.len()).unwrap();
        file.extend(
            [
                format!("{number} 0 obj\n").as_bytes(),
                object,
                b"\nendobj\n",
            ]
            .concat(),
        );
    }
    let (start, size) = (file.len(), objects.len() + 1);
    let tail = format!("{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF");
    file.extend(tail.bytes());
    file
}

/// Streams that unfold, by a run length of 128 to one byte of two.
fn unfolding(dictionary: &str, bytes: usize) -> Vec<u8> {
    let runs = [129, b' '].repeat(bytes / 128);
    [
        format!(
            "<< {dictionary} /Filter /RunLengthDecode /Length {} >>\nstream\n",
            runs.len()
        )
        .as_bytes(),
        &runs,
        b"\nendstream",
    ]
    .concat()
}

/// Files that would take all memory, time or depth, each with how it may be answered.
fn bombs() -> Vec<(&'static str, Vec<u8>, &'static [u16])> {
    const A4: &str = "/MediaBox [0 0 595 842]";
    let form = |content: &str| {
        format!(
            "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >> /Length {} >>\nstream\n{content}\nendstream",
            content.len()
        )
        .into_bytes()
    };
    let drawing = format!("{A4} /Resources << /XObject << /X 5 0 R >> >>");
    let huge = "/Type /XObject /Subtype /Image /Width 30000 /Height 30000 /BitsPerComponent 8 /ColorSpace /DeviceRGB";
    let cell = b"<< /Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 0.0001 /YStep 0.0001 /Resources << >> /Length 9 >>\nstream\n0 0 9 9 re\nendstream".to_vec();
    let mut unfolds = page(A4, b"", &[unfolding("", 1 << 30)]);
    let place = unfolds
        .windows(13)
        .position(|word| word == b"/Contents 4 0")
        .unwrap();
    unfolds[place + 10] = b'5';
    let tiled = format!("{A4} /Resources << /Pattern << /P 5 0 R >> >>");
    vec![
        ("empty", page(A4, b"", &[]), &[200]),
        ("unfolds", unfolds, &[200, 413, 500, 504]),
        (
            "image",
            page(&drawing, b"/X Do", &[unfolding(huge, 1 << 30)]),
            &[200, 413, 500, 504],
        ),
        (
            "claims",
            page(&drawing, b"/X Do", &[unfolding(huge, 1 << 10)]),
            &[200, 413, 500, 504],
        ),
        (
            "recursion",
            page(&drawing, b"/X Do", &[form("/X Do /X Do")]),
            &[200, 413, 500, 504],
        ),
        (
            "states",
            page(A4, &b"q ".repeat(2_000_000), &[]),
            &[200, 413, 500, 504],
        ),
        (
            "arrays",
            page(A4, &b"[".repeat(2_000_000), &[]),
            &[200, 413, 500, 504],
        ),
        (
            "entries",
            page(&format!("{A4} /A {}", "[".repeat(1_000_000)), b"", &[]),
            &[200, 413, 500, 504],
        ),
        (
            "cells",
            page(&tiled, b"/Pattern cs /P scn 0 0 595 842 re f", &[cell]),
            &[200, 413, 500, 504],
        ),
        (
            "paths",
            page(
                A4,
                &b"0 0 m 595 842 l 0 842 l 595 0 l f ".repeat(300_000),
                &[],
            ),
            &[200, 413, 500, 504],
        ),
        (
            "dashes",
            page(A4, b"[0.00001] 0 d 0 0 m 595 842 l S", &[]),
            &[200, 413, 500, 504],
        ),
        (
            "wide",
            page("/MediaBox [0 0 1e30 1e30]", b"", &[]),
            &[200, 413, 500],
        ),
        (
            "endless",
            page("/MediaBox [0 0 14400 14400]", b"", &[]),
            &[413],
        ),
        (
            "own parent",
            page(&format!("{A4} /Parent 3 0 R"), b"", &[]),
            &[200, 500],
        ),
    ]
}

#[test]
fn bombs_cost_their_request_alone() {
    let work = scratch("pdf-bombs");
    let settings = [
        ("LIMITS__DECODE_BYTES", "536870912"),
        ("LIMITS__RENDER_SECONDS", "5"),
    ];
    let mut server = Server::with(&work, &settings);
    server.log_may_be_dirty = true;
    fs::copy(fixtures().join("pdf/letter.pdf"), work.join("good.pdf")).unwrap();
    for (name, file, may) in bombs() {
        fs::write(work.join(format!("{name}.pdf")), file).unwrap();
        let start = Instant::now();
        let path = format!(
            "/iiif/3/{}.pdf/full/max/0/default.jpg",
            name.replace(' ', "%20")
        );
        let answer = server.get(&path);
        assert!(
            may.contains(&answer.status),
            "{name}: {}",
            answer.text_lossy()
        );
        assert!(start.elapsed() < Duration::from_secs(25), "{name}");
        assert!(!server.log().contains("panicked"), "{name}");
        assert_eq!(children(server.pid()), Vec::<u32>::new(), "{name}");
        let good = server.get("/iiif/3/good.pdf/full/max/0/default.jpg");
        assert_eq!(good.status, 200, "after {name}");
    }
}

/// The processes that `parent` has started and not seen the end of.
fn children(parent: u32) -> Vec<u32> {
    let tasks = Path::new("/proc").join(parent.to_string()).join("task");
    let mut found = Vec::new();
    for task in fs::read_dir(tasks).unwrap().flatten() {
        let mut text = String::new();
        // A thread may be gone by now.
        if let Ok(mut file) = fs::File::open(task.path().join("children")) {
            let _ = file.read_to_string(&mut text);
        }
        found.extend(
            text.split_whitespace()
                .map(|word| word.parse::<u32>().unwrap()),
        );
    }
    found
}

#[test]
fn a_drawing_that_nobody_waits_for_ends() {
    let work = scratch("pdf-abandoned");
    let slow = b"0 0 m 595 842 l 0 842 l 595 0 l 9 9 m 3 700 l 500 4 l f ".repeat(600_000);
    fs::write(
        work.join("slow.pdf"),
        page("/MediaBox [0 0 595 842]", &slow, &[]),
    )
    .unwrap();
    let mut server = Server::start(&work);
    server.log_may_be_dirty = true;
    assert_eq!(server.get("/iiif/3/slow.pdf/info.json").status, 200);
    let waits_until = |wanted: bool| {
        let end = Instant::now() + Duration::from_secs(20);
        while children(server.pid()).is_empty() == wanted {
            assert!(Instant::now() < end, "a process works: {wanted}");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let mut client = std::net::TcpStream::connect(&server.public).unwrap();
    let request = "GET /iiif/3/slow.pdf/full/max/0/default.jpg HTTP/1.1\r\nHost: x\r\n\r\n";
    std::io::Write::write_all(&mut client, request.as_bytes()).unwrap();
    waits_until(true);
    drop(client);
    waits_until(false);
    // Nor does one outlive its server.
    let mut client = std::net::TcpStream::connect(&server.public).unwrap();
    std::io::Write::write_all(&mut client, request.as_bytes()).unwrap();
    waits_until(true);
    let worker = children(server.pid())[0];
    server.signal("KILL");
    let end = Instant::now() + Duration::from_secs(20);
    while fs::read_to_string(format!("/proc/{worker}/cmdline"))
        .is_ok_and(|line| line.contains("draw-page"))
    {
        assert!(Instant::now() < end, "it lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
}
