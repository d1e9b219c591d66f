//! Metadata in a container that is good: the fuzzer's bytes are blocks, packets and profiles, so that it
//! gets behind the checks of containers at once.

use std::sync::Arc;

use triforium::cancel::Cancel;
use triforium::codec::{self, Encoding, Metadata};
use triforium::encoding::{EncodeSettings, MetadataSettings};
use triforium::geometry::{Dimensions, Orientation};
use triforium::iiif::Format;
use triforium::raster::{Channels, OneStrip, Raster};
use triforium::reader::RangeReader;

use crate::{expected, limits};

const JPEG: &[u8] = include_bytes!("../../fixtures/jpeg/made-gray.jpg");
const PNG: &[u8] = include_bytes!("../../fixtures/png/made-gray-4.png");

/// Where the first chunk of a PNG ends.
const IHDR_END: usize = 33;

/// What segments of a JPEG begin with, by marker.
const SEGMENTS: [(u8, &[u8]); 6] = [
    (0xE1, b"Exif\0\0"),
    (0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
    (0xED, b"Photoshop 3.0\0"),
    (0xE2, b"ICC_PROFILE\0\x01\x01"),
    (0xEE, b"Adobe"),
    (0xE0, b"JFIF\0"),
];

/// Chunks of a PNG, with what they begin with.
const CHUNKS: [(&[u8; 4], &[u8]); 6] = [
    (b"eXIf", b""),
    (b"iCCP", b"p\0\0"),
    (b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0"),
    (b"zTXt", b"Raw profile type iptc\0\0"),
    (b"cHRM", b""),
    (b"pHYs", b""),
];

/// A picture with the fuzzer's metadata, which go into derivatives; those open as well, and upright.
///
/// # Panics
///
/// When a promise of the codec room does not hold.
pub fn metadata(bytes: &[u8]) {
    let Some((kind, content)) = bytes.split_first() else {
        return;
    };
    let kind = usize::from(*kind);
    let file = match SEGMENTS.get(kind % (SEGMENTS.len() + CHUNKS.len())) {
        Some((marker, start)) => jpeg(*marker, start, content),
        None => png(kind % CHUNKS.len(), content),
    };
    let reader: Arc<dyn RangeReader> = Arc::new(file);
    let picture = expected(codec::open(Arc::clone(&reader), 1, &limits(bytes)));
    let said = expected(codec::metadata(&reader, 1, &limits(bytes)));
    if let (Some(_), Some(said)) = (picture, said) {
        written(&said);
    }
}

fn jpeg(marker: u8, start: &[u8], content: &[u8]) -> Vec<u8> {
    let most = usize::from(u16::MAX) - 2 - start.len();
    let content = &content[..content.len().min(most)];
    let length = u16::try_from(start.len() + content.len() + 2).unwrap_or(u16::MAX);
    let (head, rest) = JPEG.split_at(2);
    let own = [0xFF, marker];
    [head, &own, &length.to_be_bytes(), start, content, rest].concat()
}

fn png(kind: usize, content: &[u8]) -> Vec<u8> {
    let (name, start) = CHUNKS[kind];
    let (head, rest) = PNG.split_at(IHDR_END);
    let length = u32::try_from(start.len() + content.len()).unwrap_or(0);
    let body = [name, start, content].concat();
    let sum = triforium::cache::disk::checksum(&body).to_be_bytes();
    [head, &length.to_be_bytes(), &body, &sum, rest].concat()
}

/// Writes derivatives with all that `said` has, and reads them.
fn written(said: &Metadata) {
    let all = MetadataSettings {
        icc: true,
        exif: true,
        gps: true,
        xmp: true,
        iptc: true,
        dpi: true,
        regions: true,
    };
    let dimensions = Dimensions::new(2, 2).expect("not empty");
    for format in [Format::Jpg, Format::Png, Format::Webp, Format::Tif] {
        let Some(attached) = expected(said.attached(all, format, dimensions, said.density()))
        else {
            continue;
        };
        let raster = Raster::from_u8(dimensions, Channels::Rgb, vec![9; 12]).expect("of this size");
        let settings = EncodeSettings::default();
        let encoding = Encoding {
            format,
            settings: &settings,
            attached: &attached,
        };
        let mut answer = Vec::new();
        let mut rows = OneStrip::from(raster);
        if expected(codec::encode(
            encoding,
            &mut rows,
            &Cancel::new(),
            &mut answer,
        ))
        .is_none()
        {
            continue;
        }
        let reader: Arc<dyn RangeReader> = Arc::new(answer);
        let picture = codec::open(Arc::clone(&reader), 1, &limits(&[])).expect("ours");
        let facts = picture.facts();
        assert_eq!(facts.pyramid.dimensions(), dimensions);
        assert_eq!(facts.orientation, Orientation::IDENTITY, "{format:?}");
        let _ = codec::metadata(&reader, 1, &limits(&[])).expect("ours");
    }
}
