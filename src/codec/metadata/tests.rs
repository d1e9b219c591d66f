//! What is found in each format, and that damage costs metadata, never the image.

use std::sync::Arc;

use super::{Field, Metadata, metadata};
use crate::codec::{DecodeLimits, Density};
use crate::encoding::MetadataSettings;
use crate::error::Result;
use crate::geometry::{Dimensions, Orientation};
use crate::iiif::Format;
use crate::reader::RangeReader;

const XMP: u16 = 700;
const PHOTOSHOP: u16 = 34377;
const PROFILE: u16 = 34675;

fn read(bytes: Vec<u8>) -> Result<Metadata> {
    let reader: Arc<dyn RangeReader> = Arc::new(bytes);
    metadata(&reader, 1, &DecodeLimits::default())
}

fn bytes(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

fn fixture(name: &str) -> Metadata {
    read(bytes(name)).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

/// A JPEG of nothing but an application segment and the start of a scan.
fn jpeg(marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
    let mut file = b"\xff\xd8\xff".to_vec();
    file.push(marker);
    file.extend(length);
    file.extend(payload);
    file.extend(b"\xff\xda\0\x03\0");
    file
}

/// An EXIF block of either order: a maker, and a directory of exposure with one fraction.
fn exif(big: bool) -> Vec<u8> {
    let two = |value: u16| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let four = |value: u32| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let mut block = if big { b"MM".to_vec() } else { b"II".to_vec() };
    block.extend(two(42));
    block.extend(four(8));
    block.extend(two(2));
    for (tag, kind, count, value) in [(271, 2, 3, None), (34665, 4, 1, Some(38))] {
        block.extend(two(tag));
        block.extend(two(kind));
        block.extend(four(count));
        block.extend(value.map_or(*b"ab\0\0", four));
    }
    block.extend(four(0));
    block.extend(two(1));
    block.extend(two(33434));
    block.extend(two(5));
    block.extend(four(1));
    block.extend(four(56));
    block.extend(four(0));
    block.extend(four(1));
    block.extend(four(250));
    block
}

#[test]
fn profiles_are_those_of_the_file() {
    let length = |name: &str| fixture(name).field(PROFILE).map(|field| field.bytes.len());
    assert_eq!(length("tiff/profile.tif"), Some(488));
    assert!(length("png/made-exif-profile.png").is_some());
    assert_eq!(
        length("png/made-exif-profile.png"),
        length("webp/made-exif-profile.webp")
    );
    assert!(length("bmp/images_rgb24prof.bmp").is_some());
    assert_eq!(length("tiff/gray16.tif"), None);
}

#[test]
fn a_photograph_keeps_xmp_exif_and_photoshops_resources() {
    let photograph = fixture("jpeg/orientation-270.jpg");
    let packet = photograph.field(XMP).expect("the fixture has a packet");
    assert!(packet.bytes.windows(9).any(|part| part == b"<x:xmpmet"));
    assert!(photograph.field(PHOTOSHOP).is_some());
    assert!(!photograph.exif.is_empty());
    // How its pixels were stored is not carried: orientation is the new file's own tag.
    for tag in [256, 257, 259, 274, 513] {
        assert_eq!(photograph.field(tag), None);
    }
}

#[test]
fn exif_of_either_order_is_little_endian_afterwards() {
    for big in [false, true] {
        let block = [&b"Exif\0\0"[..], &exif(big)].concat();
        let found = read(jpeg(0xe1, &block)).unwrap();
        assert_eq!(found.picture, [Field::text(271, "ab")], "{big}");
        assert_eq!(found.exif, [Field::rationals(33434, &[(1, 250)])], "{big}");
    }
}

#[test]
fn a_container_counts_for_its_profile_and_exif_for_density() {
    // Entries of a directory whose values stand behind it: 400 to 1 across and down, and a profile of its own.
    let exif = |entries: &[[u8; 12]]| {
        let count = u8::try_from(entries.len()).unwrap();
        let head = b"Exif\0\0II*\0\x08\0\0\0".as_slice();
        let mut block = [head, &[count, 0], entries.as_flattened(), &[0; 4]].concat();
        let place = u8::try_from(block.len() - 6).unwrap();
        for (at, byte) in block.clone().iter().enumerate() {
            if *byte == 0xee {
                block[at] = place;
            }
        }
        block.extend([0x90, 1, 0, 0, 1, 0, 0, 0]);
        block
    };
    let across = [0x1a, 1, 5, 0, 1, 0, 0, 0, 0xee, 0, 0, 0];
    let down = [0x1b, 1, 5, 0, 1, 0, 0, 0, 0xee, 0, 0, 0];
    let profile = [0x73, 0x87, 7, 0, 4, 0, 0, 0, b'i', b'c', b'c', b'!'];
    let file = |exif: &[u8]| {
        let jfif = jpeg(0xe0, b"JFIF\0\x01\x02\x01\x01\x2c\x01\x2c\0\0");
        let own = jpeg(0xe1, exif);
        // Either ends with a scan of five bytes.
        let (start, scan) = jfif.split_at(jfif.len() - 5);
        [start, &own[2..own.len() - 5], scan].concat()
    };
    let density = |entries: &[[u8; 12]]| read(file(&exif(entries))).unwrap().density();
    assert_eq!(density(&[across, down]), Density::of_inch(400.0, 400.0));
    // Half of it says nothing; 300 of an inch are the container's.
    assert_eq!(density(&[across]), Density::of_inch(300.0, 300.0));
    let found = read(file(&exif(&[profile]))).unwrap();
    assert_eq!(found.field(PROFILE), None);
}

#[test]
fn damaged_exif_is_left_out_as_far_as_it_is_damaged() {
    let whole = [&b"Exif\0\0"[..], &exif(true)].concat();
    for length in 0..whole.len() {
        let found = read(jpeg(0xe1, &whole[..length])).unwrap();
        assert!(found.exif.is_empty(), "{length}");
    }
    // A directory that points to itself is read once.
    let mut circle = exif(false);
    circle[30..34].copy_from_slice(&8_u32.to_le_bytes());
    let found = read(jpeg(0xe1, &[&b"Exif\0\0"[..], &circle].concat())).unwrap();
    assert_eq!(found.picture.len(), 1);
}

#[test]
fn a_field_that_claims_more_than_the_limit_is_left_out() {
    let mut block = exif(false);
    // The maker's name: its count, then where it would stand.
    block[14..18].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    let found = read(jpeg(0xe1, &[&b"Exif\0\0"[..], &block].concat())).unwrap();
    assert_eq!(found.picture, []);
    assert_eq!(found.exif.len(), 1);
}

#[test]
fn no_truncation_of_a_file_with_metadata_stops_more_than_its_reading() {
    for name in [
        "jpeg/orientation-270.jpg",
        "png/made-exif-profile.png",
        "webp/made-exif-profile.webp",
        "tiff/profile.tif",
        "gif/anim_interlaced.gif",
    ] {
        let whole = bytes(name);
        for length in (0..whole.len()).step_by(whole.len() / 200 + 1) {
            // Whatever the result is, it is one.
            let _ = read(whole[..length].to_vec());
        }
    }
}

#[test]
fn a_profile_of_inks_does_not_stay_with_pixels_of_other_colours() {
    use crate::raster::Channels;
    let with = |space: &[u8]| {
        let mut profile = vec![0; 128];
        profile[16..20].copy_from_slice(space);
        Metadata {
            picture: vec![Field::opaque(PROFILE, 7, profile)],
            ..Metadata::default()
        }
    };
    let stays = |space: &[u8], channels| with(space).fitted(channels).field(PROFILE).is_some();
    assert!(stays(b"RGB ", Channels::Rgba) && stays(b"GRAY", Channels::Gray));
    assert!(!stays(b"CMYK", Channels::Rgb) && !stays(b"Lab ", Channels::Rgb));
    assert!(!stays(b"RGB ", Channels::GrayAlpha));
}

const MAKER_NOTE: u16 = 0x927c;
const COLOUR_SPACE: u16 = 0xa001;
const SIDES: [u16; 2] = [0xa002, 0xa003];

/// A scanner's words: who made it, a title as Windows has it, exposure, what no longer holds, and a place.
fn scanner() -> Metadata {
    Metadata {
        picture: vec![
            Field::text(271, "Scanner"),
            Field::opaque(40_091, 1, b"T\0\0\0".to_vec()),
            Field::shorts(18_246, &[5]),
        ],
        exif: vec![
            Field::rationals(33_434, &[(1, 250)]),
            Field::opaque(MAKER_NOTE, 7, b"private".to_vec()),
            Field::shorts(COLOUR_SPACE, &[65_535]),
            Field::longs(SIDES[0], &[9000]),
        ],
        interoperability: vec![Field::text(1, "R98")],
        gps: vec![Field::text(1, "N")],
    }
}

fn attached(
    metadata: &Metadata,
    change: impl FnOnce(&mut MetadataSettings),
    format: Format,
    density: Option<Density>,
) -> crate::codec::Attached {
    let mut settings = MetadataSettings::default();
    change(&mut settings);
    let dimensions = Dimensions::new(30, 20).unwrap();
    let made = metadata.attached(settings, format, dimensions, density);
    made.unwrap()
}

#[test]
fn exif_of_a_derivative_tells_of_the_derivative() {
    let density = Density::of_inch(400.0, 200.0);
    for places in [false, true] {
        let asked = |all: &mut MetadataSettings| (all.exif, all.gps) = (true, places);
        let block = attached(&scanner(), asked, Format::Jpg, density)
            .exif
            .unwrap();
        let found = super::of_block(&block);
        assert_eq!(found.field(271), Some(&Field::text(271, "Scanner")));
        assert!(found.field(40_091).is_some());
        // Stars are the catalogue's, not the block's.
        assert_eq!(found.field(18_246), None);
        let said = found.density().unwrap().per_inch();
        assert_eq!((said.0.round(), said.1.round()), (400.0, 200.0));
        let value = |tag: u16| found.exif.iter().find(|field| field.tag == tag);
        assert_eq!(value(33_434), scanner().exif.first());
        assert_eq!(value(MAKER_NOTE), None);
        assert_eq!(
            value(COLOUR_SPACE),
            Some(&Field::shorts(COLOUR_SPACE, &[1]))
        );
        assert_eq!(value(SIDES[0]), Some(&Field::longs(SIDES[0], &[30])));
        assert_eq!(value(SIDES[1]), Some(&Field::longs(SIDES[1], &[20])));
        assert_eq!(found.interoperability, scanner().interoperability);
        let wanted = if places { scanner().gps } else { Vec::new() };
        assert_eq!(found.gps, wanted);
        assert_eq!(
            crate::codec::exif::stated(&block),
            Some(Orientation::IDENTITY)
        );
    }
}

#[test]
fn nothing_is_attached_that_is_not_asked_for() {
    let mut all = scanner();
    all.picture.extend([
        Field::opaque(XMP, 1, b"<x:xmpmeta/>".to_vec()),
        Field::opaque(33_723, 7, b"\x1c\x02\x05\0\x01A".to_vec()),
    ]);
    let density = Density::of_inch(400.0, 400.0);
    let (none, everything) = (crate::codec::Attached::default(), |_: &mut _| {});
    assert_eq!(attached(&all, everything, Format::Jpg, density), none);
    let gps = |asked: &mut MetadataSettings| asked.gps = true;
    assert_eq!(attached(&all, gps, Format::Jpg, density), none);
    let xmp = attached(&all, |asked| asked.xmp = true, Format::Jpg, density);
    assert!(xmp.xmp.is_some() && xmp.iptc.is_none() && xmp.exif.is_none());
    let iptc = attached(&all, |asked| asked.iptc = true, Format::Jpg, density);
    assert!(iptc.iptc.is_some() && iptc.xmp.is_none() && iptc.exif.is_none());
    // There is nothing to tell.
    let exif = attached(
        &Metadata::default(),
        |asked| asked.exif = true,
        Format::Jpg,
        density,
    );
    assert_eq!(exif, none);
}

#[test]
fn formats_without_a_density_of_their_own_have_it_in_exif() {
    let density = Density::of_inch(400.0, 200.0);
    for (format, own) in [
        (Format::Jpg, true),
        (Format::Png, true),
        (Format::Tif, true),
        (Format::Jp2, true),
        (Format::Pdf, true),
        (Format::Webp, false),
        (Format::Avif, false),
        (Format::Jxl, false),
    ] {
        let made = attached(&scanner(), |asked| asked.dpi = true, format, density);
        assert_eq!(made.density, density, "{format:?}");
        let block = made.exif.as_deref().map(super::of_block);
        assert_eq!(block.is_none(), own, "{format:?}");
        if let Some(block) = block {
            // Not a word of the master's.
            assert_eq!(block.field(271), None);
            assert!(block.density().is_some() && block.gps.is_empty());
        }
        let unknown = attached(&scanner(), |asked| asked.dpi = true, format, None);
        assert_eq!(unknown, crate::codec::Attached::default());
    }
}

#[test]
fn a_density_is_of_inches_or_centimetres_and_a_habit_is_none() {
    let density = |across: (u32, u32), unit: Option<u16>| {
        let mut picture = vec![
            Field::rationals(282, &[across]),
            Field::rationals(283, &[(200, 1)]),
        ];
        picture.extend(unit.map(|unit| Field::shorts(296, &[unit])));
        let metadata = Metadata {
            picture,
            ..Metadata::default()
        };
        metadata.density()
    };
    assert_eq!(density((800, 2), None), Density::of_inch(400.0, 200.0));
    assert_eq!(density((400, 1), Some(2)), Density::of_inch(400.0, 200.0));
    assert_eq!(density((400, 1), Some(3)), Density::new(40_000.0, 20_000.0));
    assert_eq!(density((400, 1), Some(1)), None);
    assert_eq!(density((0, 1), Some(2)), None);
    assert_eq!(density((1, 0), Some(2)), None);
    for (dpi, counts) in [(72.0, false), (96.0, false), (95.0, true), (73.0, true)] {
        let both = Density::of_inch(dpi, dpi).unwrap();
        assert_eq!(both.is_habit(), !counts, "{dpi}");
        let metadata = Metadata {
            picture: super::resolution_fields(both).to_vec(),
            ..Metadata::default()
        };
        assert_eq!(metadata.density().is_some(), counts, "{dpi}");
        // One of the two is said in earnest.
        assert!(!Density::of_inch(dpi, 300.0).unwrap().is_habit());
    }
}

#[test]
fn iptc_is_found_among_photoshops_resources() {
    let resource = |number: u16, name: &[u8], content: &[u8]| {
        let mut bytes = [b"8BIM", &number.to_be_bytes()[..]].concat();
        bytes.push(u8::try_from(name.len()).unwrap());
        bytes.extend(name);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    };
    let records = b"\x1c\x02\x05\0\x05Title";
    let iptc = |resources: Vec<u8>, own: Option<&[u8]>| {
        let mut picture = vec![Field::opaque(PHOTOSHOP, 1, resources)];
        picture.extend(own.map(|own| Field::opaque(33_723, 7, own.to_vec())));
        let metadata = Metadata {
            picture,
            ..Metadata::default()
        };
        attached(&metadata, |asked| asked.iptc = true, Format::Jpg, None).iptc
    };
    for (name, content) in [
        (&b""[..], &b""[..]),
        (b"a", b"1"),
        (b"ab", b"12"),
        (b"abc", b"123"),
    ] {
        let before = resource(0x03ed, name, content);
        let found = iptc(
            [before.clone(), resource(0x0404, name, records)].concat(),
            None,
        );
        assert_eq!(found.as_deref(), Some(&records[..]), "{name:?}");
        assert_eq!(iptc(before, None), None);
    }
    // A field of its own counts, and a resource that is cut does not.
    let whole = resource(0x0404, b"", records);
    assert_eq!(
        iptc(whole.clone(), Some(b"own")).as_deref(),
        Some(&b"own"[..])
    );
    assert_eq!(iptc(whole[..whole.len() - 3].to_vec(), None), None);
}
