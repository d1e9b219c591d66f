//! Masters that are damaged, change, or go away.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{assert_alive, server};
use crate::library::{draw, png, save, scratch};
use crate::pixels::decode;
use crate::support::{Answer, Server, fixtures};

/// Every master among the fixtures.
pub(crate) fn masters() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![fixtures()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_master = path
                .extension()
                .and_then(|e| e.to_str())
                .is_some_and(|extension| {
                    [
                        "png", "jpg", "jpeg", "tif", "tiff", "jp2", "j2k", "j2c", "webp", "gif",
                        "bmp", "jxl", "heic", "avif",
                    ]
                    .contains(&extension)
                });
            // The demo is drawn by `make serve`; expectations are pictures like others.
            if path.is_dir() && !path.ends_with("demo") {
                folders.push(path);
            } else if is_master {
                found.push(path);
            }
        }
    }
    assert!(
        found.len() >= 60,
        "only {} masters are among the fixtures",
        found.len()
    );
    found.sort();
    found
}

/// How many bytes of a file of this length are left, at each cut.
fn cuts(length: usize) -> BTreeSet<usize> {
    let shares = [1, 10, 50, 90, 99].map(|percent| length * percent / 100);
    [0, 1, 7, 12, 26, 60, length.saturating_sub(1)]
        .into_iter()
        .chain(shares)
        .filter(|cut| *cut < length)
        .collect()
}

fn is_typed(answer: &Answer) -> bool {
    let error = matches!(answer.status, 404 | 413 | 500 | 501 | 503);
    answer.status == 200 || (error && answer.header("content-type") == "application/problem+json")
}

#[test]
fn truncations_of_every_fixture_are_answers_or_typed_errors() {
    let folder = scratch("truncated");
    let mut names = Vec::new();
    for (number, path) in masters().iter().enumerate() {
        let bytes = fs::read(path).unwrap();
        for cut in cuts(bytes.len()) {
            let extension = path.extension().unwrap().to_str().unwrap();
            let name = format!("{number}-{cut}.{extension}");
            fs::write(folder.join(&name), &bytes[..cut]).unwrap();
            names.push(name);
        }
    }
    assert!(names.len() >= 40 * 8, "{}", names.len());
    let server = server(&folder, &[]);
    let mut refused = 0;
    for name in &names {
        let info = server.get(&format!("/iiif/3/{name}/info.json"));
        assert!(is_typed(&info), "{name}: {}", info.status);
        let image = server.get(&format!("/iiif/3/{name}/full/!40,40/0/default.png"));
        assert!(is_typed(&image), "{name}: {}", image.status);
        if info.status == 200 && image.status == 200 {
            assert!(decode(&image).width <= 40, "{name}");
        } else {
            refused += 1;
        }
        assert!(
            !image.text_lossy().contains(folder.to_str().unwrap()),
            "{name}"
        );
    }
    assert!(
        refused * 2 > names.len(),
        "only {refused} of {} were refused",
        names.len()
    );
    assert!(server.metric("triforium_panics_total{stage=\"render\"}") < 0.5);
    assert_alive(&server);
}

#[test]
fn flipped_bytes_in_every_fixture_are_answers_or_typed_errors() {
    let folder = scratch("flipped");
    let mut names = Vec::new();
    for (number, path) in masters().iter().enumerate() {
        let mut bytes = fs::read(path).unwrap();
        // A fixed sequence: every run breaks the same bytes.
        let mut state = 0x9E37_79B9_u32.wrapping_add(number as u32);
        for _ in 0..6 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = 16 + state as usize % bytes.len().saturating_sub(16).clamp(1, 600);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= (state >> 24) as u8 | 1;
            }
        }
        let name = format!("{number}.bin");
        fs::write(folder.join(&name), bytes).unwrap();
        names.push(name);
    }
    let server = server(&folder, &[]);
    for name in &names {
        for request in ["info.json", "full/!40,40/90/default.jpg"] {
            let answer = server.get(&format!("/iiif/3/{name}/{request}"));
            // A damaged size can make a side of the box vanish: 400.
            assert!(
                is_typed(&answer) || answer.status == 400,
                "{name}: {}",
                answer.status
            );
        }
    }
    assert_alive(&server);
}

#[test]
fn files_that_are_no_pictures_are_501_or_500() {
    let folder = scratch("no-pictures");
    for (name, bytes) in [
        ("empty.png", &b""[..]),
        ("text.jpg", b"This is no picture."),
        ("zeros.tif", &[0; 4096]),
        ("html.png", b"<!doctype html><script>alert(1)</script>"),
        ("zip.jp2", b"PK\x03\x04 and so on"),
        ("svg.png", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        ("short.png", b"\x89PNG\r\n\x1A\n"),
        ("short.tif", b"II*\0"),
        ("loop.tif", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"),
    ] {
        fs::write(folder.join(name), bytes).unwrap();
    }
    let server = server(&folder, &[]);
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        for request in ["info.json", "full/max/0/default.jpg"] {
            let answer = server.get(&format!("/iiif/3/{name}/{request}"));
            assert!(
                matches!(answer.status, 500 | 501),
                "{name}: {}",
                answer.status
            );
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
    assert_alive(&server);
}

#[test]
fn the_format_is_told_by_the_bytes_not_by_the_name() {
    let folder = scratch("misnamed");
    fs::write(
        folder.join("picture.jpg"),
        png(&draw(9, 7, crate::library::plain)),
    )
    .unwrap();
    let server = Server::start(&folder);
    let answer = server.get("/iiif/3/picture.jpg/full/max/0/default.png");
    assert_eq!(decode(&answer), draw(9, 7, crate::library::plain));
}

/// One colour in a picture of 64 × 48.
fn filled(value: u8) -> Vec<u8> {
    png(&draw(64, 48, |_, _| [value, 0, 255 - value]))
}

const IMAGE: &str = "/iiif/3/master.png/full/20,/0/default.png";

/// Asks until an answer is `wanted`, for a little longer than `check_seconds`.
fn within_the_check<T>(mut ask: impl FnMut() -> T, wanted: impl Fn(&T) -> bool) -> T {
    let start = Instant::now();
    loop {
        let got = ask();
        if wanted(&got) || start.elapsed() > Duration::from_millis(2500) {
            return got;
        }
        sleep(Duration::from_millis(50));
    }
}

fn replaced(name: &str, replace: impl Fn(&Path, &[u8])) {
    let folder = scratch(name);
    let master = folder.join("master.png");
    fs::write(&master, filled(10)).unwrap();
    let server = Server::start(&folder);
    let before = server.get(IMAGE);
    assert_eq!(decode(&before).rgb(5, 5), [10, 0, 245]);
    let etag = before.header("etag").to_owned();
    // File systems keep times in steps of some milliseconds.
    sleep(Duration::from_millis(20));
    replace(&master, &filled(200));
    let after = within_the_check(|| server.get(IMAGE), |a| a.header("etag") != etag);
    assert_ne!(after.header("etag"), etag);
    assert_eq!(decode(&after).rgb(5, 5), [200, 0, 55]);
    let conditional = server.request("GET", IMAGE, &[("If-None-Match", &etag)]);
    assert_eq!(conditional.status, 200, "the old tag is not the answer's");
}

#[test]
fn a_master_that_is_renamed_over_gives_new_pixels_and_a_new_tag() {
    replaced("renamed", |master, bytes| {
        let fresh = master.with_extension("new");
        fs::write(&fresh, bytes).unwrap();
        fs::rename(fresh, master).unwrap();
    });
}

#[test]
fn a_master_that_is_overwritten_gives_new_pixels_and_a_new_tag() {
    replaced("overwritten", |master, bytes| {
        fs::write(master, bytes).unwrap();
    });
}

#[test]
fn a_master_with_the_same_length_and_another_time_is_another_master() {
    let folder = scratch("touched");
    let master = folder.join("master.png");
    fs::write(&master, filled(10)).unwrap();
    let server = Server::start(&folder);
    let etag = server.get(IMAGE).header("etag").to_owned();
    let file = fs::File::options().append(true).open(&master).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH + Duration::new(1_600_000_000, 5))
        .unwrap();
    let after = within_the_check(|| server.get(IMAGE), |a| a.header("etag") != etag);
    assert_ne!(after.header("etag"), etag);
}

#[test]
fn a_master_that_is_deleted_is_404_and_comes_back() {
    let folder = scratch("deleted");
    let master = folder.join("master.png");
    fs::write(&master, filled(10)).unwrap();
    let server = Server::start(&folder);
    assert_eq!(server.get(IMAGE).status, 200);
    fs::remove_file(&master).unwrap();
    let gone = within_the_check(|| server.get(IMAGE), |a| a.status != 200);
    assert_eq!(gone.status, 404);
    fs::write(&master, filled(77)).unwrap();
    let back = within_the_check(|| server.get(IMAGE), |a| a.status == 200);
    assert_eq!(decode(&back).rgb(5, 5), [77, 0, 178]);
}

#[test]
fn a_root_that_goes_away_is_503_and_not_404() {
    let place = scratch("root-away");
    let root = place.join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("master.png"), filled(10)).unwrap();
    let server = server(&root, &[]);
    assert_eq!(server.get(IMAGE).status, 200);
    let ready = || within_the_check(|| server.get("/health/ready"), |a| a.status == 200).status;
    assert_eq!(ready(), 200);
    fs::rename(&root, place.join("elsewhere")).unwrap();
    let away = within_the_check(|| server.get("/health/ready"), |a| a.status != 200);
    assert_eq!(away.status, 503);
    sleep(Duration::from_millis(1200));
    let remembered = server.get(IMAGE);
    assert_eq!(remembered.status, 200, "what is remembered is still told");
    assert_eq!(decode(&remembered).rgb(5, 5), [10, 0, 245]);
    for path in [
        "/iiif/3/unknown.png/info.json",
        "/iiif/3/unknown.png/full/max/0/default.png",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 503, "{path}");
        assert_ne!(answer.header("retry-after"), "", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
    assert_eq!(server.get("/health/live").status, 200);
    fs::rename(place.join("elsewhere"), &root).unwrap();
    let back = within_the_check(|| server.get(IMAGE), |a| a.status == 200);
    assert_eq!(back.status, 200);
    assert_eq!(ready(), 200);
}

#[test]
fn a_folder_that_cannot_be_written_is_served() {
    let folder = scratch("read-only");
    save(
        &folder.join("master.png"),
        &draw(64, 48, crate::library::plain),
    );
    fs::set_permissions(folder.join("master.png"), fs::Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    let server = Server::start(&folder);
    assert_eq!(server.get(IMAGE).status, 200);
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        1,
        "nothing is written beside masters"
    );
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn damaged_masters_are_decoded_as_far_as_they_are_whole_where_the_operator_says_so() {
    let folder = scratch("damaged");
    let whole = fs::read(fixtures().join("jp2/file3.jp2")).unwrap();
    fs::write(folder.join("whole.jp2"), &whole).unwrap();
    fs::write(folder.join("cut.jp2"), &whole[..whole.len() * 8 / 10]).unwrap();
    let path = |name: &str| format!("/iiif/3/{name}/100,100,200,200/max/0/default.png");
    let strict = server(&folder, &[]);
    assert_eq!(strict.get(&path("whole.jp2")).status, 200);
    let refused = strict.get(&path("cut.jp2"));
    assert_eq!(refused.status, 500);
    assert!(is_typed(&refused));
    let lenient = server(&folder, &[("LIMITS__DAMAGED", "decode")]);
    let answers = ["whole.jp2", "cut.jp2"].map(|name| lenient.get(&path(name)));
    let [whole, cut] = answers.map(|answer| {
        assert_eq!(answer.status, 200);
        decode(&answer)
    });
    assert_eq!((whole.width, whole.height), (cut.width, cut.height));
    // What is left of the code is the picture, roughly.
    let pairs = whole.data.iter().zip(&cut.data);
    let sum: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    let mean = sum as f64 / whole.data.len() as f64;
    assert!(mean > 0.0 && mean < 20.0, "{mean}");
    assert_alive(&strict);
    assert_alive(&lenient);
}
