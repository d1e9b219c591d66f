//! Each rung of the ladder over HTTP: that it is taken, counted and named, and that it shows what the slow
//! way shows.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use triforium::cancel::Cancel;
use triforium::codec::{self, DecodeLimits};
use triforium::raster::{Samples, gather};

use super::library::{draw, jpeg, plain, scratch};
use super::painted::{self, LEVELS, Store, TILE, WHOLE, label};
use super::pixels::{Pixels, decode, near};
use super::support::{Answer, Server, fixtures};

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = scratch("ladder");
    painted::save(&folder.join("painted.tif"), Store::Abbreviated);
    painted::save(&folder.join("complete.tif"), Store::Complete);
    painted::save(&folder.join("rgb.tif"), Store::Rgb);
    painted::save(&folder.join("webp.tif"), Store::Webp);
    for orientation in [1, 6] {
        let picture = jpeg(&draw(301, 203, plain), orientation);
        fs::write(folder.join(format!("upright-{orientation}.jpg")), picture).unwrap();
    }
    let whole = fs::read(folder.join("upright-1.jpg")).unwrap();
    fs::write(folder.join("cut.jpg"), &whole[..whole.len() / 2]).unwrap();
    folder
});

fn folder() -> &'static Path {
    &FOLDER
}

fn ladder(server: &Server, rung: &str) -> usize {
    server.metric(&format!("triforium_ladder_total{{rung=\"{rung}\"}}")) as usize
}

/// The rung that `Server-Timing` names.
fn rung(answer: &Answer) -> &str {
    let (_, rest) = answer
        .header("server-timing")
        .split_once("rung;desc=\"")
        .unwrap();
    rest.split_once('"').unwrap().0
}

/// One tile of a viewer.
#[derive(Debug, Clone, Copy)]
struct Cell {
    level: usize,
    column: usize,
    row: usize,
}

impl Cell {
    fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for (level, (factor, ..)) in LEVELS.into_iter().enumerate() {
            for row in 0..WHOLE.1.div_ceil(TILE * factor) {
                for column in 0..WHOLE.0.div_ceil(TILE * factor) {
                    cells.push(Self { level, column, row });
                }
            }
        }
        assert!(cells.len() >= 29, "{} cells", cells.len());
        cells
    }

    fn factor(self) -> usize {
        LEVELS[self.level].0
    }

    /// Left, top, width and height in pixels of the picture.
    fn region(self) -> [usize; 4] {
        let side = TILE * self.factor();
        let (x, y) = (self.column * side, self.row * side);
        [x, y, side.min(WHOLE.0 - x), side.min(WHOLE.1 - y)]
    }

    fn size(self) -> (usize, usize) {
        let [_, _, w, h] = self.region();
        (w.div_ceil(self.factor()), h.div_ceil(self.factor()))
    }

    /// Whether the stored tile, or one with the same units of coding, is what a viewer asks for.
    fn is_stored(self, unit: usize) -> bool {
        let (_, width, height) = LEVELS[self.level];
        let (w, h) = self.size();
        let inside = self.column * TILE + w <= width && self.row * TILE + h <= height;
        inside && w.div_ceil(unit) == TILE / unit && h.div_ceil(unit) == TILE / unit
    }

    fn path(self, size: &str) -> String {
        let [x, y, w, h] = self.region();
        format!("{x},{y},{w},{h}/{size}/0/default.jpg")
    }

    /// The size of this cell in every way that can be written.
    fn spellings(self) -> Vec<String> {
        let (w, h) = self.size();
        let [_, _, region_w, region_h] = self.region();
        let mut all = vec![format!("{w},{h}")];
        // The other side follows from the aspect, which is the picture's own only where both are whole.
        if region_w == w * self.factor() && region_h == h * self.factor() {
            all.extend([format!("{w},"), format!(",{h}"), format!("!{w},{h}")]);
            all.push(format!("pct:{}", 100.0 / self.factor() as f64));
        }
        if self.factor() == 1 {
            all.push("max".into());
        }
        all
    }
}

/// Whether the picture shows this cell: in its middle, away from the lines at its edges.
fn shows(pixels: &Pixels, cell: Cell) -> bool {
    let (x, y) = (pixels.width / 2, pixels.height / 2);
    let expected = label(cell.level, cell.column, cell.row);
    (0..pixels.height.min(3))
        .any(|dy| near(pixels.rgb(x, (y + dy).min(pixels.height - 1)), expected, 14))
}

/// The pixels of a JPEG by the program's own decoder, the one that the slow way uses.
fn slow(bytes: &[u8]) -> Vec<u8> {
    let cancel = Cancel::new();
    let picture = codec::open(Arc::new(bytes.to_vec()), 1, &DecodeLimits::default()).unwrap();
    let window = picture.facts().pyramid.dimensions().window();
    let mut rows = picture.decode(0, window, &cancel).unwrap();
    match gather(rows.as_mut(), &cancel).unwrap().samples() {
        Samples::U8(samples) => samples.clone(),
        Samples::U16(_) => panic!("16 bits"),
    }
}

#[test]
fn every_tile_shows_its_level_column_and_row_and_stored_ones_are_passed() {
    let server = Server::start(folder());
    let mut passed = 0;
    for cell in Cell::all() {
        for size in cell.spellings() {
            let answer = server.get(&format!("/iiif/3/painted.tif/{}", cell.path(&size)));
            let pixels = decode(&answer);
            assert_eq!(pixels.size(), cell.size(), "{cell:?} {size}");
            assert!(shows(&pixels, cell), "{cell:?} {size}");
            let stored = rung(&answer) == "pass_through";
            assert_eq!(stored, cell.is_stored(16), "{cell:?} {size}");
            passed += usize::from(stored);
        }
    }
    assert!(passed >= 60, "{passed} were passed");
    assert_eq!(ladder(&server, "pass_through"), passed);
}

#[test]
fn a_passed_tile_has_the_pixels_of_the_slow_way_exactly() {
    let server = Server::start(folder());
    for (master, unit) in [("painted.tif", 16), ("complete.tif", 16), ("rgb.tif", 8)] {
        let mut passed = 0;
        for cell in Cell::all().into_iter().filter(|cell| cell.is_stored(unit)) {
            let (w, h) = cell.size();
            let path = format!("/iiif/3/{master}/{}", cell.path(&format!("{w},{h}")));
            let answer = server.get(&path);
            assert_eq!(rung(&answer), "pass_through", "{path}");
            let expected = decode(&server.get(&path.replace(".jpg", ".png"))).data;
            let got = slow(&answer.body);
            let apart = |(a, b): (&u8, &u8)| a.abs_diff(*b);
            // The last column of a tile that is cut lacks the chroma of its right neighbour.
            let most = if (w, h) == (TILE, TILE) { 0 } else { 24 };
            let worst = got.iter().zip(&expected).map(apart).max().unwrap();
            assert!(
                got.len() == expected.len() && worst <= most,
                "{path}: {worst}"
            );
            let differ = got.iter().zip(&expected).filter(|(a, b)| a != b).count();
            assert!(differ <= 3 * h, "{path}: {differ} samples differ");
            passed += 1;
        }
        assert!(passed >= 12, "{master}: {passed}");
    }
}

#[test]
fn neighbours_of_a_tile_by_one_pixel_are_not_taken_for_it() {
    let server = Server::start(folder());
    for cell in Cell::all() {
        let ([x, y, w, h], (sw, sh)) = (cell.region(), cell.size());
        let mut neighbours = Vec::new();
        for (dx, dy) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
            let (Some(x), Some(y)) = (x.checked_add_signed(dx), y.checked_add_signed(dy)) else {
                continue;
            };
            // Away from an edge, samples that are covered in part do not count.
            let (across, down) = (sw * cell.factor(), sh * cell.factor());
            let is_finer = (dx != 0 && w < across) || (dy != 0 && h < down);
            if x + w <= WHOLE.0 && y + h <= WHOLE.1 {
                let request = format!("{x},{y},{w},{h}/{sw},{sh}");
                neighbours.push((request, (sw, sh), is_finer));
            }
        }
        for size in [(sw + 1, sh), (sw, sh - 1), (sw - 1, sh)] {
            let request = format!("{x},{y},{w},{h}/^{},{}", size.0, size.1);
            neighbours.push((request, size, size.0 > sw));
        }
        for (request, size, is_finer) in neighbours {
            let answer = server.get(&format!("/iiif/3/painted.tif/{request}/0/default.jpg"));
            let pixels = decode(&answer);
            assert_eq!(pixels.size(), size, "{request}");
            // The next finer level shows the middle of four tiles.
            assert!(is_finer || shows(&pixels, cell), "{request}");
            assert_ne!(rung(&answer), "pass_through", "{request}");
        }
    }
    assert_eq!(ladder(&server, "pass_through"), 0);
}

/// Windows of the painted levels that begin where units do, as regions and sizes.
fn aligned() -> Vec<(String, (usize, usize))> {
    let mut all = Vec::new();
    for (factor, width, height) in LEVELS {
        for (x, y, w, h) in [
            (0, 0, 512, 512),
            (256, 256, 512, 512),
            (512, 256, 512, 521),
            (768, 0, 503, 777),
            (0, 0, 318, 195),
            (128, 64, 500, 300),
            (16, 32, 240, 224),
            (48, 16, 120, 80),
            (0, 16, 110, 90),
        ] {
            let (w, h) = (
                w.min(width.saturating_sub(x)),
                h.min(height.saturating_sub(y)),
            );
            let inside = (x + w) * factor <= WHOLE.0 && (y + h) * factor <= WHOLE.1;
            let is_tile = x % TILE == 0 && y % TILE == 0 && w <= TILE && h <= TILE;
            if w < 20 || h < 20 || !inside || is_tile {
                continue;
            }
            let region = [x, y, w, h]
                .map(|side| (side * factor).to_string())
                .join(",");
            all.push((format!("{region}/{w},{h}"), (w, h)));
        }
    }
    assert!(all.len() >= 15, "{} windows", all.len());
    all
}

#[test]
fn aligned_windows_of_jpeg_tiles_are_put_together_with_the_pixels_of_the_slow_way() {
    let server = Server::start(folder());
    let mut composed = 0;
    for (master, most) in [("painted.tif", 24), ("complete.tif", 24), ("rgb.tif", 0)] {
        for (window, size) in aligned() {
            let path = format!("/iiif/3/{master}/{window}/0/default.jpg");
            let answer = server.get(&path);
            assert_eq!(rung(&answer), "compressed", "{path}");
            assert!(
                answer
                    .header("server-timing")
                    .contains("engine;desc=\"none\"")
            );
            let png = decode(&server.get(&path.replace(".jpg", ".png")));
            assert_eq!((decode(&answer).size(), png.size()), (size, size), "{path}");
            // Another reader's eyes: its rounding, not more.
            assert!(decode(&answer).difference(&png).0 < 1.0, "{path}");
            // Smoothing across seams and at the cut moves chroma there alone.
            let got = slow(&answer.body);
            let worst = got.iter().zip(&png.data).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(worst.unwrap() <= most, "{path}: {worst:?}");
            let differ = got.iter().zip(&png.data).filter(|(a, b)| a != b).count();
            let seams = 3 * 2 * 4 * (size.0 + size.1);
            assert!(differ <= seams, "{path}: {differ} samples differ");
            composed += 1;
        }
    }
    assert_eq!(ladder(&server, "compressed"), composed);
}

#[test]
fn gray_of_a_jpeg_tile_is_its_luma() {
    let server = Server::start(folder());
    let mut windows = aligned();
    windows.push(("256,256,256,256/max".to_owned(), (256, 256)));
    for (window, size) in windows {
        let path = format!("/iiif/3/painted.tif/{window}/0/gray.jpg");
        let answer = server.get(&path);
        assert_eq!(rung(&answer), "compressed", "{path}");
        let pixels = decode(&answer);
        assert_eq!((pixels.size(), pixels.channels), (size, 1), "{path}");
        let png = decode(&server.get(&path.replace(".jpg", ".png")));
        let (mean, most) = pixels.difference(&png);
        assert!(mean < 1.0 && most <= 4, "{path}: {mean} {most}");
    }
    let rgb = server.get("/iiif/3/rgb.tif/256,256,512,256/max/0/gray.jpg");
    assert_ne!(rung(&rgb), "compressed");
}

#[test]
fn what_needs_pixels_is_not_put_together() {
    let server = Server::start(folder());
    for rest in [
        // Between units, by a pixel and by half a unit; made smaller, turned, in another format.
        "1,0,512,512/max/0/default.jpg",
        "8,0,512,512/max/0/default.jpg",
        "0,0,512,512/300,/0/default.jpg",
        "0,0,512,512/max/90/default.jpg",
        "0,0,512,512/max/!0/default.jpg",
        "0,0,512,512/max/0/bitonal.jpg",
        "0,0,512,512/max/0/default.png",
        "0,0,512,512/max/0/default.webp",
        // A corner for which nearly all of a tile would have to be read.
        "192,192,64,64/max/0/default.jpg",
    ] {
        let answer = server.get(&format!("/iiif/3/painted.tif/{rest}"));
        assert_eq!(answer.status, 200, "{rest}");
        assert_ne!(rung(&answer), "compressed", "{rest}");
    }
    assert_eq!(ladder(&server, "compressed"), 0);
}

#[test]
fn what_was_put_together_is_kept_like_every_answer() {
    let server = Server::start(folder());
    let path = "/iiif/3/painted.tif/0,0,512,512/max/0/default.jpg";
    let head = server.request("HEAD", path, &[]);
    assert_eq!(rung(&head), "compressed");
    let first = server.get(path);
    let again = server.get(path);
    assert_eq!((rung(&first), rung(&again)), ("compressed", "derivative"));
    assert!(first.body == again.body);
    let streaming = Server::with(folder(), &[("LIMITS__STREAM_ABOVE_BYTES", "2000")]);
    assert_ne!(rung(&streaming.get(path)), "compressed");
}

#[test]
fn whatever_changes_pixels_or_format_is_not_passed() {
    let server = Server::start(folder());
    let tile = "/iiif/3/painted.tif/256,256,256,256/256,256";
    for rest in [
        "0/gray.jpg",
        "0/bitonal.jpg",
        "0/default.png",
        "0/default.webp",
        "90/default.jpg",
        "!0/default.jpg",
        "22.5/default.jpg",
    ] {
        let answer = server.get(&format!("{tile}/{rest}"));
        assert_eq!(answer.status, 200, "{rest}");
        assert_ne!(rung(&answer), "pass_through", "{rest}");
    }
    assert_eq!(
        rung(&server.get(&format!("{tile}/0/color.jpg"))),
        "pass_through"
    );
    let turned = server.get("/iiif/3/upright-6.jpg/full/max/0/default.jpg");
    assert_ne!(rung(&turned), "pass_through");
    assert_eq!(decode(&turned).size(), (203, 301));
}

#[test]
fn a_stored_webp_tile_is_passed_where_all_of_it_is_asked_for_as_webp() {
    let server = Server::start(folder());
    let (mut passed, mut made) = (0, 0);
    for cell in Cell::all() {
        let (w, h) = cell.size();
        let path = format!("/iiif/3/webp.tif/{}", cell.path(&format!("{w},{h}")));
        let answer = server.get(&path.replace(".jpg", ".webp"));
        let pixels = decode(&answer);
        assert_eq!(pixels.size(), (w, h), "{path}");
        assert!(shows(&pixels, cell), "{path}");
        if rung(&answer) != "pass_through" {
            assert_ne!((w, h), (TILE, TILE), "{path}");
            made += 1;
            continue;
        }
        assert_eq!((w, h), (TILE, TILE), "{path}");
        let png = decode(&server.get(&path.replace(".jpg", ".png")));
        assert_eq!(pixels, png, "{path}");
        passed += 1;
    }
    assert!(passed >= 12 && made >= 8, "{passed} {made}");
    assert_eq!(ladder(&server, "pass_through"), passed);
    for other in ["0/default.jpg", "0/gray.webp", "90/default.webp"] {
        let answer = server.get(&format!("/iiif/3/webp.tif/256,256,256,256/max/{other}"));
        assert_eq!(answer.status, 200, "{other}");
        assert_ne!(rung(&answer), "pass_through", "{other}");
    }
    assert_eq!(ladder(&server, "pass_through"), passed);
}

/// A WebP with metadata behind its picture, of this EXIF orientation.
fn webp_with_metadata(orientation: u8) -> Vec<u8> {
    let simple = fs::read(fixtures().join("webp/lossy_images_simple-rgb.webp")).unwrap();
    let [w0, w1, h0, h1] = *simple[26..].first_chunk::<4>().unwrap();
    let sides = [[w0, w1], [h0, h1]].map(|side| u32::from(u16::from_le_bytes(side)) - 1);
    let mut canvas = vec![0x0c, 0, 0, 0];
    canvas.extend(
        sides
            .iter()
            .flat_map(|side| side.to_le_bytes()[..3].to_vec()),
    );
    let exif = [
        &b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..],
        &[orientation, 0, 0, 0, 0, 0, 0, 0],
    ];
    let chunk = |name: &[u8], payload: &[u8]| {
        let length = (payload.len() as u32).to_le_bytes();
        [name, &length, payload].concat()
    };
    let body = [
        b"WEBP".to_vec(),
        chunk(b"VP8X", &canvas),
        simple[12..].to_vec(),
        chunk(b"EXIF", &exif.concat()),
        chunk(b"XMP ", b"<x:xmpmeta/>here"),
    ];
    chunk(b"RIFF", &body.concat())
}

/// A PNG with a text that nobody needs to see the picture.
fn png_with_text(picture: &Pixels) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (width, height) = (picture.width as u32, picture.height as u32);
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder
        .add_text_chunk("Comment".into(), "a private place".into())
        .unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&picture.data).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn whole_webp_and_png_masters_are_passed_in_their_own_format_without_their_metadata() {
    let folder = scratch("ladder-whole");
    fs::write(folder.join("a.webp"), webp_with_metadata(1)).unwrap();
    let drawn = draw(301, 203, plain);
    fs::write(folder.join("a.png"), png_with_text(&drawn)).unwrap();
    for name in [
        "webp/extended_images_lossy_alpha.webp",
        "webp/lossless_images_simple.webp",
        "png/transparency_tbbn3p08.png",
        "png/interlaced_basi2c08.png",
        "png/made-gray-2.png",
    ] {
        let to = folder.join(Path::new(name).file_name().unwrap());
        fs::copy(fixtures().join(name), to).unwrap();
    }
    let server = Server::start(&folder);
    let slowly = Server::with(&folder, &[("LIMITS__STREAM_ABOVE_BYTES", "1")]);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let format = name.rsplit('.').next().unwrap();
        let path = format!("/iiif/3/{name}/full/max/0/default");
        let answer = server.get(&format!("{path}.{format}"));
        assert_eq!(rung(&answer), "pass_through", "{name}");
        count += 1;
        let stored = fs::read(folder.join(&name)).unwrap();
        for private in ["Exif", "EXIF", "xmpmeta", "private", "gAMA", "tIME"] {
            let holds = |bytes: &[u8]| {
                bytes
                    .windows(private.len())
                    .any(|b| b == private.as_bytes())
            };
            assert!(!holds(&answer.body), "{name}: {private}");
            let is_there = (name == "a.webp" && private == "EXIF")
                || (name == "a.png" && private == "private");
            assert!(!is_there || holds(&stored), "{name}: {private}");
        }
        // What decoder and encoder make of it, and without loss what was drawn.
        let made = slowly.get(&format!("{path}.png"));
        if format == "png" {
            assert_ne!(rung(&made), "pass_through", "{name}");
        }
        assert_eq!(
            decode(&answer).difference(&decode(&made)),
            (0.0, 0),
            "{name}"
        );
        let head = server.request("HEAD", &format!("{path}.{format}"), &[]);
        assert_eq!(head.header("content-length"), answer.body.len().to_string());
    }
    assert_eq!(count, 7);
    assert_eq!(
        decode(&server.get("/iiif/3/a.png/full/max/0/default.png")),
        drawn
    );
}

#[test]
fn masters_that_decoding_changes_are_not_passed_whole() {
    let folder = scratch("ladder-not-whole");
    fs::write(folder.join("turned.webp"), webp_with_metadata(6)).unwrap();
    for name in [
        "webp/extended_images_anim.webp",
        "png/16bpc_basn2c16.png",
        "png/apng_rgba16.png",
        "png/made-exif-profile.png",
    ] {
        let to = folder.join(Path::new(name).file_name().unwrap());
        fs::copy(fixtures().join(name), to).unwrap();
    }
    // Damaged behind its headers.
    let mut damaged = png_with_text(&draw(301, 203, plain));
    let at = damaged.len() / 2;
    damaged[at] ^= 1;
    fs::write(folder.join("damaged.png"), damaged).unwrap();
    fs::write(folder.join("good.png"), png_with_text(&draw(30, 20, plain))).unwrap();
    let mut server = Server::start(&folder);
    server.log_may_be_dirty = true;
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let format = name.rsplit('.').next().unwrap();
        let answer = server.get(&format!("/iiif/3/{name}/full/max/0/default.{format}"));
        let expected = if name == "damaged.png" { 500 } else { 200 };
        assert_eq!(answer.status, expected, "{name}");
        assert_eq!(
            expected == 200 && rung(&answer) == "pass_through",
            // Sixteen bits are what a PNG is asked for.
            ["good.png", "16bpc_basn2c16.png"].contains(&name.as_str()),
            "{name}"
        );
    }
    for rest in [
        "full/max/0/gray.png",
        "full/20,/0/default.png",
        "0,0,20,20/max/0/default.png",
    ] {
        let answer = server.get(&format!("/iiif/3/good.png/{rest}"));
        assert_ne!(rung(&answer), "pass_through", "{rest}");
    }
}

#[test]
fn a_head_of_a_passed_tile_has_the_length_of_its_body() {
    let server = Server::start(folder());
    let path = "/iiif/3/painted.tif/0,0,512,512/256,/0/default.jpg";
    let (head, answer) = (server.request("HEAD", path, &[]), server.get(path));
    assert_eq!(head.header("content-length"), answer.body.len().to_string());
    assert_eq!(head.header("etag"), answer.header("etag"));
    assert_eq!(rung(&head), "pass_through");
    let again = server.request("GET", path, &[("If-None-Match", answer.header("etag"))]);
    assert_eq!((again.status, rung(&again)), (304, "not_modified"));
}

#[test]
fn a_whole_jpeg_is_passed_without_its_metadata() {
    let path = "/iiif/3/upright-1.jpg/full/max/0/default";
    let server = Server::start(folder());
    let answer = server.get(&format!("{path}.jpg"));
    assert_eq!(rung(&answer), "pass_through");
    let exif = |bytes: &[u8]| bytes.windows(4).any(|four| four == b"Exif");
    let file = fs::read(folder().join("upright-1.jpg")).unwrap();
    assert!(exif(&file) && !exif(&answer.body));
    assert_eq!(slow(&answer.body), slow(&file));
    assert_eq!(
        slow(&answer.body),
        decode(&server.get(&format!("{path}.png"))).data
    );

    let streaming = Server::with(folder(), &[("LIMITS__STREAM_ABOVE_BYTES", "2000")]);
    let streamed = streaming.get(&format!("{path}.jpg"));
    assert_eq!(rung(&streamed), "pass_through");
    assert_eq!(
        streamed.header("content-length"),
        answer.body.len().to_string()
    );
    assert_eq!(streamed.body, answer.body);
}

#[test]
fn a_master_that_is_not_complete_is_not_passed() {
    let mut server = Server::start(folder());
    server.log_may_be_dirty = true;
    let answer = server.get("/iiif/3/cut.jpg/full/max/0/default.jpg");
    assert_ne!(answer.status, 200);
    assert_eq!(ladder(&server, "pass_through"), 0);
}

#[test]
fn a_tile_that_is_not_what_its_directory_says_is_not_passed() {
    let folder = scratch("ladder-damaged");
    let path = folder.join("a.tif");
    painted::save(&path, Store::Abbreviated);
    let mut bytes = fs::read(&path).unwrap();
    // The frame of the first tile gets other sides, the end of the second is overwritten.
    let frames: Vec<_> = (0..bytes.len() - 9)
        .filter(|at| bytes[*at..].starts_with(&[0xff, 0xc0, 0, 17, 8, 1, 0, 1, 0]))
        .collect();
    bytes[frames[0] + 6] = 8;
    let end = (0..frames[2])
        .rfind(|at| bytes[*at..].starts_with(&[0xff, 0xd9]))
        .unwrap();
    bytes[end..end + 2].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let mut server = Server::start(&folder);
    server.log_may_be_dirty = true;
    let tile = |x| server.get(&format!("/iiif/3/a.tif/{x},0,256,256/max/0/default.jpg"));
    assert_ne!(tile(0).status, 200);
    // Without its end a tile may still be decoded; it is not passed.
    let endless = tile(256);
    assert!(endless.status != 200 || rung(&endless) != "pass_through");
    assert_eq!(rung(&tile(512)), "pass_through");
    assert_eq!(ladder(&server, "pass_through"), 1);
    // Nor is it put together with its neighbours; sound ones are.
    let pair = |x| server.get(&format!("/iiif/3/a.tif/{x},256,512,256/max/0/default.jpg"));
    assert_eq!(rung(&pair(0)), "compressed");
    let wide = |x| server.get(&format!("/iiif/3/a.tif/{x},0,512,256/max/0/default.jpg"));
    assert_ne!(wide(0).status, 200);
    let endless = wide(256);
    assert!(endless.status != 200 || rung(&endless) != "compressed");
}

#[test]
fn a_master_that_is_written_in_place_is_noticed_before_its_bytes_leave() {
    let folder = scratch("ladder-written");
    let path = folder.join("a.tif");
    painted::save(&path, Store::Abbreviated);
    let settings = [("SOURCE__FILE__CHECK_SECONDS", "3600")];
    let mut server = Server::with(&folder, &settings);
    server.log_may_be_dirty = true;
    let tile = "/iiif/3/a.tif/0,0,256,256/max/0/default.jpg";
    let before = server.get(tile);
    assert_eq!(rung(&before), "pass_through");
    painted::save(&path, Store::Complete);
    let during = server.get(tile);
    assert_eq!(during.status, 503, "{}", during.text_lossy());
    // What was parsed is dropped: the next request sees the new file.
    let after = server.get(tile);
    assert_eq!(rung(&after), "pass_through");
    assert_ne!(after.header("etag"), before.header("etag"));
}
