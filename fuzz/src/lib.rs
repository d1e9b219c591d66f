//! What the fuzz targets do with their bytes. A target fails when something panics, hangs, takes more
//! memory than it may, or breaks a promise that is checked here; an error is an answer like any other,
//! except an internal one.
//!
//! `make fuzz` runs every target for a while, beginning with the fixtures.

pub mod http;
pub mod jp2;
pub mod metadata;
pub mod pdf;

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use triforium::cache::disk::{HEAD_BYTES, Head, checksum};
use triforium::cache::levels::{Grid, LevelStore};
use triforium::cache::{Derivatives, Key, KeyBuilder};
use triforium::cancel::Cancel;
use triforium::codec::{
    self, Colour, Components, Damaged, DecodeLimits, MarkImage, Passage, Picture, Stored, packed,
};
use triforium::error::{Error, ErrorKind, Result};
use triforium::geometry::{Dimensions, Window};
use triforium::http::{Settings, image_request};
use triforium::iiif::{Accept, Format, ImageRequest, ImageTraits, SizeRules, Version};
use triforium::raster::{Channels, Depth, OneStrip, PixelFormat, Raster, Samples};
use triforium::reader::RangeReader;
use triforium::source::{self, FileSource, RootConfig};

/// Small enough for thousands of masters a second; what is damaged is refused, or decoded as far as it is
/// whole, as the last byte of the master says.
fn limits(bytes: &[u8]) -> DecodeLimits {
    DecodeLimits {
        max_side_px: 20_000,
        max_area_px: 1 << 18,
        max_bytes: MOST_BYTES,
        max_tiles: 4096,
        max_scans: 20,
        max_metadata_bytes: 1 << 20,
        damaged: match bytes.last().map(|last| last % 2) {
            Some(1) => Damaged::Decode,
            _ => Damaged::Refuse,
        },
        ..DecodeLimits::default()
    }
}

/// Most bytes that a decode may hold.
const MOST_BYTES: u64 = 128 << 20;

/// Opens bytes that begin like one of `magics`, reads metadata, decodes every level whole and a window of
/// it, and takes what is stored in place of pixels.
///
/// A window's pixels are those of the whole level (ARCHITECTURE.md, the codec room).
///
/// # Panics
///
/// When a promise of the codec room does not hold.
pub fn master(magics: &[&[u8]], bytes: &[u8]) {
    LazyLock::force(&CAUGHT);
    if !magics.iter().any(|magic| bytes.starts_with(magic)) {
        return;
    }
    let reader: Arc<dyn RangeReader> = Arc::new(bytes.to_vec());
    let limits = limits(bytes);
    let _ = expected(codec::metadata(&reader, 1, &limits));
    let Some(picture) = expected(codec::open(Arc::clone(&reader), 1, &limits)) else {
        return;
    };
    let levels: Vec<_> = picture.facts().pyramid.levels().to_vec();
    for (index, level) in levels.iter().enumerate().take(4) {
        let whole = window(0, 0, level.dimensions.width, level.dimensions.height);
        let part = inner(level.dimensions);
        let pixels = decode(&*picture, index, whole);
        let cut = decode(&*picture, index, part);
        if let (Some(pixels), Some(cut)) = (&pixels, &cut) {
            assert!(pixels.shows(part, cut), "a window differs from its level");
        }
        for window in [whole, part] {
            for format in [Format::Jpg, Format::Webp, Format::Png] {
                if let Some(stored) = picture.stored(index, window, format) {
                    passed(&stored, bytes);
                }
            }
            for components in [Components::All, Components::Luma] {
                if let Some(mosaic) = picture.mosaic(index, window, components) {
                    let _ = expected(mosaic.compose(&mut reading(bytes), &Cancel::new()));
                }
            }
        }
    }
}

/// Lets panics of libraries pass that the codec room catches and answers as damage; the fuzzer ends at all
/// others.
static CAUGHT: LazyLock<()> = LazyLock::new(|| {
    let fatal = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !codec::is_guarded() {
            fatal(info);
        }
    }));
});

/// The value of `result`; nothing for an error, which must not be our own fault.
fn expected<T>(result: Result<T>) -> Option<T> {
    let internal = |error: &Error| error.kind() == ErrorKind::Internal;
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(!internal(&error), "{}", error.chain());
            None
        }
    }
}

const fn window(x: u32, y: u32, width: u32, height: u32) -> Window {
    Window {
        x,
        y,
        width,
        height,
    }
}

/// A part that touches no edge where there is room for one.
fn inner(whole: Dimensions) -> Window {
    let (x, y) = (whole.width / 3, whole.height / 4);
    window(
        x,
        y,
        (whole.width - x).div_ceil(2),
        (whole.height - y).div_ceil(2),
    )
}

/// Rows of a level, as bytes.
struct Pixels {
    format: PixelFormat,
    width: u32,
    bytes: Vec<u8>,
}

impl Pixels {
    /// Whether `part` of these pixels is `cut`.
    fn shows(&self, part: Window, cut: &Self) -> bool {
        let pixel = self.format.bytes_per_pixel();
        let row = |pixels: &Self, x: u32, y: u32| {
            let start = (y as usize * pixels.width as usize + x as usize) * pixel;
            pixels.bytes[start..start + part.width as usize * pixel].to_vec()
        };
        self.format == cut.format
            && (0..part.height).all(|y| row(self, part.x, part.y + y) == row(cut, 0, y))
    }
}

/// The samples of a gray master of 8 bits, if `bytes` are one.
fn gray(bytes: &[u8]) -> Option<Vec<u8>> {
    let reader: Arc<dyn RangeReader> = Arc::new(bytes.to_vec());
    let picture = codec::open(reader, 1, &limits(bytes)).ok()?;
    let Dimensions { width, height } = picture.facts().pyramid.dimensions();
    let pixels = decode(&*picture, 0, window(0, 0, width, height))?;
    (pixels.format.channels == Channels::Gray && pixels.format.depth == Depth::Eight)
        .then_some(pixels.bytes)
}

/// The pixels of a window; nothing where it is refused or damaged.
fn decode(picture: &dyn Picture, level: usize, window: Window) -> Option<Pixels> {
    let price = picture.price(level, window);
    if price.bytes > MOST_BYTES {
        return None;
    }
    let mut rows = expected(picture.decode(level, window, &Cancel::new()))?;
    let shape = rows.shape();
    assert_eq!(shape.dimensions, window.dimensions());
    let mut bytes = Vec::new();
    while let Some(strip) = expected(rows.next_strip())? {
        match strip.samples() {
            Samples::U8(samples) => bytes.extend_from_slice(samples),
            Samples::U16(samples) => {
                bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
            }
        }
    }
    assert_eq!(bytes.len() as u64, shape.bytes(), "rows are missing");
    Some(Pixels {
        format: shape.format,
        width: shape.dimensions.width,
        bytes,
    })
}

/// Fills buffers from `bytes`.
fn reading(bytes: &[u8]) -> impl FnMut(u64, &mut [u8]) -> Result<bool> + '_ {
    |offset, buffer| {
        let file: &dyn RangeReader = &bytes.to_vec();
        file.read(offset, buffer)?;
        Ok(true)
    }
}

/// Stored bytes that pass are a file that opens.
fn passed(stored: &Stored, bytes: &[u8]) {
    let Some(Passage::Bytes(answer)) = expected(stored.gather(reading(bytes))) else {
        return;
    };
    assert!(
        answer.len() as u64 <= stored.length(),
        "an answer is longer than announced"
    );
    let reader: Arc<dyn RangeReader> = Arc::new(answer.to_vec());
    let _ = expected(codec::open(reader, 1, &limits(bytes)));
}

/// Reads an ICC profile for every kind of pixel and applies it to a few.
///
/// # Panics
///
/// When applying it changes the shape of what flows.
pub fn profile(bytes: &[u8]) {
    for channels in [
        Channels::Gray,
        Channels::GrayAlpha,
        Channels::Rgb,
        Channels::Rgba,
    ] {
        let Some(colour) = expected(Colour::from_icc(Some(bytes), channels)) else {
            continue;
        };
        for depth in [Depth::Eight, Depth::Sixteen] {
            let format = PixelFormat { channels, depth };
            let dimensions = Dimensions::new(16, 2).expect("not empty");
            let samples = Samples::zeroed(format, 32);
            let raster = Raster::new(dimensions, channels, samples).expect("of this size");
            let mut rows = colour.apply(Box::new(OneStrip::from(raster)));
            let strip = expected(rows.next_strip()).flatten().expect("one strip");
            assert_eq!(strip.dimensions(), dimensions);
        }
    }
}

/// Draws letters of a font.
pub fn font(bytes: &[u8]) {
    // A font that cannot be read, or lacks a letter, is refused.
    let _ = expected(MarkImage::of_text("AB a", bytes.to_vec(), [1, 2, 3]));
}

/// Reads the path of an image request in every version; what it resolves to is said by its canonical
/// form as well (I3-CAN-06).
///
/// # Panics
///
/// When the canonical form means something else.
pub fn request(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = expected(image_request(&format!("/iiif/3/{text}"), &SETTINGS));
    let _ = expected(image_request(text, &SETTINGS));
    let segments: Vec<&str> = text.split('/').collect();
    for version in [Version::V1_0, Version::V1_1, Version::V2, Version::V3] {
        let Some(request) = expected(ImageRequest::parse(version, &segments, Some("image/png")))
        else {
            continue;
        };
        for (width, height) in [(1, 1), (300, 200), (7, 6001)] {
            let traits = ImageTraits {
                dimensions: Dimensions::new(width, height).expect("not empty"),
                is_gray: width == 7,
                has_alpha: false,
            };
            for upscaling in [false, true] {
                canonical(version, &request, &traits, upscaling);
            }
        }
    }
}

/// Settings that let a path mean most.
static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let mut config = triforium::http::Config::default();
    config.public.slash_substitute = "~~".to_owned();
    Settings::new(config).expect("settings")
});

fn canonical(version: Version, request: &ImageRequest, traits: &ImageTraits, upscaling: bool) {
    let rules = SizeRules {
        upscaling,
        max_area_px: Some(1 << 24),
        ..SizeRules::default()
    };
    let Some(resolved) = expected(request.resolve(traits, &rules)) else {
        return;
    };
    let segments: Vec<&str> = std::iter::once("x")
        .chain(resolved.canonical.split('/'))
        .collect();
    let again =
        ImageRequest::parse(version, &segments, None).expect("canonical forms are requests");
    let again = again.resolve(traits, &rules).expect("and resolve");
    assert_eq!(again, resolved);
}

/// Reads an `Accept` header.
pub fn accept(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let accept = Accept::parse(&text);
    let _ = (accept.prefers_html(), accept.names("application/ld+json"));
    let _ = ImageRequest::parse(
        Version::V1_1,
        &["x", "full", "full", "0", "native"],
        Some(&text),
    );
}

/// Reads a configuration file.
pub fn config(bytes: &[u8]) {
    use triforium::config::{Config, Layers};
    let folder = &*FOLDER;
    let file = folder.join("config.toml");
    fs::write(&file, bytes).expect("written");
    let layers = Layers::new(Some(&file), std::iter::empty(), &[]);
    if let Ok(layers) = layers {
        let _ = Config::new(&layers);
    }
}

/// Unpacks a cell: either refused or of the shape that was asked for.
pub fn packed(bytes: &[u8]) {
    let [width, height, kind, rest @ ..] = bytes else {
        return;
    };
    let channels = [
        Channels::Gray,
        Channels::GrayAlpha,
        Channels::Rgb,
        Channels::Rgba,
    ][usize::from(kind & 3)];
    let depth = if kind & 4 == 0 {
        Depth::Eight
    } else {
        Depth::Sixteen
    };
    let Some(dimensions) = Dimensions::new((*width).into(), (*height).into()) else {
        return;
    };
    let format = PixelFormat { channels, depth };
    if let Some(raster) = expected(packed::unpack(rest, dimensions, format)) {
        // What it stands for can be packed and unpacked again.
        let again = packed::unpack(&packed::pack(&raster), dimensions, format).expect("ours");
        assert_eq!(again.samples(), raster.samples());
    }
}

/// A folder that this process alone writes to.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    folder.keep()
});

/// The store of levels in that folder, and the head of a file that it has written.
static LEVELS: LazyLock<(LevelStore, Key, PathBuf, Head)> = LazyLock::new(|| {
    let folder = FOLDER.join("levels");
    fs::create_dir(&folder).expect("a folder");
    let store = LevelStore::open(&folder, 1 << 30).expect("a store");
    let key = KeyBuilder::default().part(b"fuzz").finish();
    let grid = Grid {
        factor: 1,
        columns: 1,
        rows: 1,
    };
    let mut writer = store.begin(key, Vec::new(), vec![grid]).expect("begun");
    writer.add(1, 0, 0, b"tile").expect("added");
    writer.finish().expect("finished");
    let file = cached(&folder).expect("a file");
    let bytes = fs::read(&file).expect("read");
    let head = bytes.first_chunk().and_then(Head::parse).expect("a head");
    (store, key, file, head)
});

/// Reads a file of levels whose head is good and whose index and tiles are the fuzzer's. The first two
/// bytes say where the index begins.
///
/// # Panics
///
/// When a file is refused and stays.
pub fn levels(bytes: &[u8]) {
    let Some((place, content)) = bytes.split_first_chunk() else {
        return;
    };
    let (store, key, file, head) = &*LEVELS;
    let place = usize::from(u16::from_le_bytes(*place)).min(content.len());
    let head = Head {
        length: content.len() as u64,
        mark: (HEAD_BYTES + place) as u64,
        checksum: checksum(&content[place..]),
        ..*head
    };
    fs::write(file, [&head.to_bytes()[..], content].concat()).expect("written");
    store.scan();
    let Some(levels) = store.find(key) else {
        assert!(!file.exists(), "a damaged file stays");
        return;
    };
    let cells = levels.grids().iter().flat_map(|grid| {
        let factor = grid.factor;
        (0..grid.rows.min(4))
            .flat_map(move |row| (0..grid.columns.min(4)).map(move |column| (factor, column, row)))
    });
    for (factor, column, row) in cells.take(64) {
        let _ = levels.tile(factor, column, row);
    }
}

/// The store of derivatives in a folder of its own, the key of its one body, and that body's file.
static DERIVATIVES: LazyLock<(Derivatives, Key, PathBuf)> = LazyLock::new(|| {
    let folder = FOLDER.join("derivatives");
    fs::create_dir(&folder).expect("a folder");
    let store = Derivatives::open(&folder, 1 << 30).expect("a store");
    let key = KeyBuilder::default().part(b"fuzz").finish();
    store.insert(key, b"body".as_slice().into());
    while store.get(&key).is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let file = cached(&folder).expect("a file");
    (store, key, file)
});

/// Reads a file of a derivative that is the fuzzer's, or the writer's but for one damaged place.
///
/// # Panics
///
/// When bytes come out that were not written.
pub fn derivatives(bytes: &[u8]) {
    let (store, key, file) = &*DERIVATIVES;
    let Some(([kind, place, with], content)) = bytes.split_first_chunk() else {
        return;
    };
    let written = if kind % 2 == 0 {
        content.to_vec()
    } else {
        let head = Head {
            magic: *b"TriDeri1",
            key: *key,
            length: content.len() as u64,
            mark: 0,
            checksum: checksum(content),
        };
        let mut whole = [&head.to_bytes()[..], content].concat();
        let place = usize::from(*place) % whole.len();
        whole[place] ^= *with;
        whole
    };
    fs::write(file, &written).expect("written");
    let body = store.get(key);
    let is_whole = kind % 2 == 1 && *with == 0;
    assert_eq!(body.as_deref(), is_whole.then_some(content));
    assert_eq!(file.exists(), is_whole, "a damaged file stays");
}

/// Two roots, one of which finds its files by a pattern, in a folder with a file that is in neither.
static SOURCE: LazyLock<FileSource> = LazyLock::new(|| {
    let root = |name: &str| {
        let path = FOLDER.join(name);
        fs::create_dir_all(path.join("a/b")).expect("a folder");
        for file in ["x.png", "a/b/c.tif", "a/y"] {
            fs::write(path.join(file), INSIDE).expect("written");
        }
        path
    };
    fs::write(FOLDER.join("x.png"), "outside").expect("written");
    let path = root("second");
    let link = path.join("link.png");
    std::os::unix::fs::symlink("../x.png", link).expect("a link");
    let config = source::Config {
        roots: vec![
            RootConfig {
                name: "first".to_owned(),
                path: root("first"),
                prefix: "p:".to_owned(),
                pattern: "(?<a>.*)-(?<b>[^-]*)".to_owned(),
                template: "{a}/{b}".to_owned(),
                ..RootConfig::default()
            },
            RootConfig {
                name: "second".to_owned(),
                path,
                ..RootConfig::default()
            },
        ],
        ..source::Config::default()
    };
    FileSource::new(&config).expect("a source")
});

/// What every file inside holds.
const INSIDE: &[u8] = b"inside";

/// Opens what an identifier names.
///
/// # Panics
///
/// When that is a file outside the roots.
pub fn identifier(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Some(opened) = expected(SOURCE.open(text)) {
        let read = opened.reader.read_vec(0, opened.reader.length());
        assert_eq!(read.expect("read"), INSIDE, "outside the roots");
    }
}

/// The first file of a cache below `folder`.
fn cached(folder: &Path) -> Option<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "cached") {
                return Some(path);
            }
        }
    }
    None
}
