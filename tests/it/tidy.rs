//! The house rules that a compiler does not hold: which room may name which, which file may name which
//! crate, and that every file says what it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Which rooms a room may name. The table of `src/ARCHITECTURE.md`.
const IMPORTS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("cancel", &["error"]),
    ("geometry", &[]),
    ("encoding", &["error"]),
    ("raster", &["error", "cancel", "geometry"]),
    ("reader", &["error"]),
    ("metrics", &[]),
    ("iiif", &["error", "geometry"]),
    ("plan", &["error", "geometry", "iiif", "raster", "encoding"]),
    ("source", &["error", "cancel", "reader", "iiif", "metrics"]),
    (
        "codec",
        &[
            "error", "cancel", "geometry", "encoding", "reader", "raster", "iiif", "metrics",
        ],
    ),
    (
        "render",
        &[
            "error", "cancel", "geometry", "encoding", "raster", "plan", "metrics",
        ],
    ),
    ("cache", &["error", "cancel", "metrics"]),
    (
        "service",
        &[
            "error", "cancel", "geometry", "encoding", "raster", "reader", "metrics", "iiif",
            "plan", "source", "codec", "render", "cache",
        ],
    ),
    ("http", &["error", "geometry", "service", "iiif", "metrics"]),
];

/// Rooms that may name all others.
const ABOVE_ALL: &[&str] = &["config", "cli", "main", "lib"];

/// Which files may name a crate: everything below one of these paths.
const FENCES: &[(&str, &[&str])] = &[
    ("hyper", &["http/", "cli/bench/"]),
    ("hyper::client", &["cli/bench/"]),
    ("hyper::server", &["http/"]),
    ("hyper_util", &["http/", "cli/bench/"]),
    ("http_body_util", &["http/", "cli/bench/"]),
    ("tokio_rustls", &["http/"]),
    ("wgpu", &["render/gpu/"]),
    ("naga", &["render/gpu/"]),
    ("turbojpeg_sys", &["codec/jpeg/"]),
    ("mozjpeg_sys", &["codec/jpeg/"]),
    ("jpeg_encoder", &["codec/jpeg/"]),
    ("zune_jpeg", &["codec/jpeg/"]),
    ("openjpeg_sys", &["codec/jp2_encode/"]),
    ("ravif", &["codec/avif/"]),
    ("rusty_av1d", &["codec/heif/av1.rs"]),
    ("heic_rs", &["codec/heif/hevc/"]),
    ("hayro", &["codec/pdf_pages/enabled/page.rs"]),
    ("jxl_oxide", &["codec/jxl/"]),
    ("zune_jpegxl", &["codec/jxl/"]),
    ("zune_core", &["codec/jxl/"]),
    ("pdf_writer", &["codec/pdf.rs"]),
    ("tiff", &["codec/tif.rs"]),
    ("png", &["codec/png/"]),
    ("webp", &["codec/webp/"]),
    ("image_webp", &["codec/webp/"]),
    ("gif", &["codec/gif/"]),
    ("flate2", &["codec/tiff/", "codec/ptif/deflate/"]),
    (
        "libdeflater",
        &["codec/tiff/inflate/", "codec/ptif/deflate/"],
    ),
    ("weezl", &["codec/tiff/lzw/"]),
    ("lzma_rust2", &["codec/tiff/lzma.rs"]),
    ("zstd", &["codec/tiff/zstandard/", "codec/ptif/zstandard/"]),
    ("moxcms", &["codec/colour"]),
    ("exif", &["codec/exif.rs"]),
    ("ab_glyph", &["codec/overlay/text.rs"]),
    ("fast_image_resize", &["render/cpu/resample.rs"]),
    (
        "rustix",
        &[
            "source/",
            "service/levels/",
            "cli/convert/target.rs",
            "codec/pdf_pages/",
        ],
    ),
    ("libc", &["cli/heap.rs"]),
    ("blake3", &["cache/key.rs", "http/", "codec/colour"]),
    ("crc32fast", &["cache/disk/", "codec/png/"]),
    ("clap", &["cli/"]),
    (
        "quick_cache",
        &[
            "cache/",
            "service/levels/",
            "service/masters.rs",
            "codec/colour",
        ],
    ),
];

fn source_files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(
        files.len() > 60,
        "only {} source files were found",
        files.len()
    );
    files.sort();
    files
}

/// The text that is compiled into the program: no tests, no comments.
fn program_text(name: &str, text: &str) -> String {
    if name.ends_with("tests.rs") || name.contains("/tests/") || name.ends_with("reference.rs") {
        return String::new();
    }
    let before_tests = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    before_tests
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn room(name: &str) -> &str {
    let first = name.split('/').next().unwrap();
    first.strip_suffix(".rs").unwrap_or(first)
}

/// Every room that a text names as `crate::room`, in groups too.
fn named_rooms(text: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for part in text.split("crate::").skip(1) {
        if let Some(group) = part.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            let mut at_start = true;
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => at_start = true,
                    c if depth == 0 && at_start && (c.is_alphanumeric() || c == '_') => {
                        word.push(c);
                    }
                    c if c.is_whitespace() => {}
                    _ => at_start = false,
                }
                if (c == ',' || c == ':' || c == '}') && !word.is_empty() {
                    rooms.insert(std::mem::take(&mut word));
                    at_start = c == ',';
                }
            }
            if !word.is_empty() {
                rooms.insert(word);
            }
        } else {
            let word: String = part
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            rooms.insert(word);
        }
    }
    rooms.retain(|room| room.starts_with(|c: char| c.is_lowercase()));
    rooms
}

#[test]
fn a_room_names_only_the_rooms_below_it() {
    let mut faults = Vec::new();
    for (name, text) in source_files() {
        let own = room(&name);
        if ABOVE_ALL.contains(&own) {
            continue;
        }
        let (_, allowed) = IMPORTS
            .iter()
            .find(|(room, _)| *room == own)
            .unwrap_or_else(|| panic!("the table does not know the room of {name}"));
        for other in named_rooms(&program_text(&name, &text)) {
            if other != own && !allowed.contains(&other.as_str()) {
                faults.push(format!("{name} names {other}"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_table_of_imports_is_the_one_of_the_architecture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("src/ARCHITECTURE.md")).unwrap();
    for (room, allowed) in IMPORTS {
        let names = if allowed.is_empty() {
            "(nothing of ours)".to_owned()
        } else {
            allowed.join(" ")
        };
        let row = format!("| {room} | {names} |");
        assert!(text.contains(&row), "ARCHITECTURE.md lacks the row {row}");
    }
}

#[test]
fn a_foreign_crate_is_named_only_behind_its_fence() {
    let mut faults = Vec::new();
    for (name, text) in source_files() {
        let text = program_text(&name, &text);
        for (foreign, places) in FENCES {
            if places.iter().any(|place| name.starts_with(place)) {
                continue;
            }
            let uses = [
                format!("use {foreign}::"),
                format!("use {foreign};"),
                format!("use {foreign} as"),
                format!("use ::{foreign}"),
            ];
            let in_path = text.match_indices(&format!("{foreign}::")).any(|(at, _)| {
                let before = text[..at].chars().next_back().unwrap_or(' ');
                !before.is_alphanumeric() && before != '_' && before != ':'
            });
            // A module of ours may have a crate's name; then the path begins with it too.
            if text.contains(&format!("mod {foreign};")) {
                continue;
            }
            let ours = name.starts_with("codec/")
                && ["png", "webp", "gif", "tiff", "exif"].contains(foreign);
            if uses.iter().any(|u| text.contains(u)) || (in_path && !ours) {
                faults.push(format!("{name} names {foreign}"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_file_opens_with_what_it_is() {
    for (name, text) in source_files() {
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//!") || first.starts_with("#![doc"),
            "{name} does not say what it is"
        );
    }
}

#[test]
fn every_shader_has_a_twin_on_the_cpu() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in fs::read_dir(root.join("shaders")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "wgsl") {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            // Tiles are put together by who has them.
            let twin = root.join(match stem {
                "gather" => "src/service/tiles/copy.rs".to_owned(),
                stem => format!("src/render/cpu/{stem}.rs"),
            });
            assert!(twin.is_file(), "{stem}.wgsl has no twin");
        }
    }
}

#[test]
fn nothing_is_put_off() {
    let words = [
        ["to", "do!("].concat(),
        ["unim", "plemented!("].concat(),
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
    ];
    for (name, text) in source_files() {
        for word in &words {
            assert!(!text.contains(word.as_str()), "{name} says {word}");
        }
    }
}
