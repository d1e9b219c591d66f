//! Coded planes, metadata and profile → the AVIF file around them.
//!
//! Source: ISO/IEC 14496-12 for the boxes, 23008-12 (HEIF) 6 and annex A for items and properties, AV1 Image
//! File Format 1.1.0, 2.2 and 4; XMP as HEIF A.3, EXIF as A.2.1.

use super::super::Attached;
use super::super::written_box::append;
use crate::geometry::Dimensions;

/// What the file is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planes<'a> {
    pub(super) dimensions: Dimensions,
    /// The colours' code: 4:4:4, 10 bits.
    pub(super) colour: &'a [u8],
    /// The opacity's code: one plane of 10 bits.
    pub(super) opacity: Option<&'a [u8]>,
}

/// Numbers of the items; the first is the picture.
const COLOUR: u16 = 1;
const OPACITY: u16 = 2;
const EXIF: u16 = 3;
const XMP: u16 = 4;

/// Marks a property that readers have to know.
const ESSENTIAL: u8 = 0x80;

/// One item: its number, its kind with what belongs to it, its content.
struct Item<'a> {
    id: u16,
    kind: &'static [u8],
    /// How it refers to the picture.
    refers: Option<[u8; 4]>,
    content: Vec<&'a [u8]>,
}

impl Item<'_> {
    fn length(&self) -> usize {
        self.content.iter().map(|part| part.len()).sum()
    }
}

/// The file. Small items stand first, the picture last, so that all else is known when it begins.
pub(super) fn file(planes: Planes<'_>, attached: &Attached) -> Vec<u8> {
    let items = items(planes, attached);
    let mut file = Vec::new();
    append(&mut file, *b"ftyp", &[b"avif\0\0\0\0avifmif1miaf"]);
    // The places of the contents hang on the length of what says them, which is the same whatever it says.
    let header = meta(planes, attached, &items, 0).len();
    let start = file.len() + header + 8;
    file.extend(meta(planes, attached, &items, start));
    let contents: Vec<&[u8]> = items.iter().flat_map(|item| item.content.clone()).collect();
    append(&mut file, *b"mdat", &contents);
    file
}

fn items<'a>(planes: Planes<'a>, attached: &'a Attached) -> Vec<Item<'a>> {
    let item = |id, kind, refers, content| Item {
        id,
        kind,
        refers,
        content,
    };
    let describes = Some(*b"cdsc");
    let mut items = Vec::new();
    if let Some(exif) = &attached.exif {
        // Where the block begins, behind these four bytes.
        items.push(item(EXIF, b"Exif\0", describes, vec![&[0; 4], exif]));
    }
    if let Some(xmp) = &attached.xmp {
        let kind = b"mime\0application/rdf+xml\0";
        items.push(item(XMP, kind, describes, vec![xmp]));
    }
    if let Some(opacity) = planes.opacity {
        items.push(item(OPACITY, b"av01\0", Some(*b"auxl"), vec![opacity]));
    }
    items.push(item(COLOUR, b"av01\0", None, vec![planes.colour]));
    items
}

/// A box with version and flags.
fn full(kind: [u8; 4], version: u8, flags: u8, content: &[&[u8]]) -> Vec<u8> {
    let mut made = Vec::new();
    let head = [version, 0, 0, flags];
    append(&mut made, kind, &[&[&head[..]], content].concat());
    made
}

fn meta(planes: Planes<'_>, attached: &Attached, items: &[Item<'_>], start: usize) -> Vec<u8> {
    let handler = full(*b"hdlr", 0, 0, &[&[0; 4], b"pict", &[0; 13]]);
    let first = full(*b"pitm", 0, 0, &[&COLOUR.to_be_bytes()]);
    let contents = [
        handler,
        first,
        places(items, start),
        kinds(items),
        references(items),
        properties(planes, attached),
    ];
    full(*b"meta", 0, 0, &[&contents.concat()])
}

/// Where each item's content is.
fn places(items: &[Item<'_>], start: usize) -> Vec<u8> {
    // Offsets and lengths of four bytes, none of a base.
    let mut content = vec![0x44, 0];
    content.extend(count(items.len()));
    let mut offset = start;
    for item in items {
        content.extend(item.id.to_be_bytes());
        // In this file, in one piece.
        content.extend([0, 0, 0, 1]);
        for number in [offset, item.length()] {
            content.extend(u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
        }
        offset += item.length();
    }
    full(*b"iloc", 0, 0, &[&content])
}

/// What each item is. Metadata are hidden: no pictures.
fn kinds(items: &[Item<'_>]) -> Vec<u8> {
    let mut content = count(items.len()).to_vec();
    for item in items {
        let hidden = u8::from(item.refers == Some(*b"cdsc"));
        let id = item.id.to_be_bytes();
        // Not protected; the kind is followed by an empty name.
        content.extend(full(*b"infe", 2, hidden, &[&id, &[0; 2], item.kind]));
    }
    full(*b"iinf", 0, 0, &[&content])
}

/// What each item has to do with the picture; nothing where there is none but the picture.
fn references(items: &[Item<'_>]) -> Vec<u8> {
    let mut content = Vec::new();
    for item in items {
        if let Some(kind) = item.refers {
            let numbers = [item.id, 1, COLOUR].map(u16::to_be_bytes).concat();
            append(&mut content, kind, &[&numbers]);
        }
    }
    if content.is_empty() {
        return content;
    }
    full(*b"iref", 0, 0, &[&content])
}

/// The properties of colours and opacity, and which are whose.
fn properties(planes: Planes<'_>, attached: &Attached) -> Vec<u8> {
    let sides = [planes.dimensions.width, planes.dimensions.height].map(u32::to_be_bytes);
    let mut all = Vec::new();
    let (mut colour, mut opacity) = (Vec::new(), Vec::new());
    let mut last = 0_u8;
    let mut add = |made: Vec<u8>| {
        all.extend(made);
        last += 1;
        last
    };
    let plain = |kind: [u8; 4], content: &[&[u8]]| {
        let mut made = Vec::new();
        append(&mut made, kind, content);
        made
    };
    let size = add(full(*b"ispe", 0, 0, &[&sides.concat()]));
    // The marker and version, profile 1 at any level, 10 bits, 4:4:4.
    let coding = add(plain(*b"av1C", &[&[0x81, 0x3f, 0x40, 0]]));
    let bits = add(full(*b"pixi", 0, 0, &[&[3, 10, 10, 10]]));
    // H.273: primaries and curve of sRGB, the matrix of BT.601, full range.
    let space = add(plain(*b"colr", &[b"nclx", &[0, 1, 0, 13, 0, 6, 0x80]]));
    colour.extend([size, coding | ESSENTIAL, bits, space]);
    if let Some(icc) = &attached.icc {
        colour.push(add(plain(*b"colr", &[b"prof", icc])));
    }
    if planes.opacity.is_some() {
        // Profile 0, 10 bits, one plane.
        let coding = add(plain(*b"av1C", &[&[0x81, 0x1f, 0x5c, 0]]));
        let bits = add(full(*b"pixi", 0, 0, &[&[1, 10]]));
        let kind = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0";
        let meaning = add(full(*b"auxC", 0, 0, &[kind]));
        opacity.extend([size, coding | ESSENTIAL, bits, meaning]);
    }
    let mut whose = Vec::new();
    let owners = [(COLOUR, colour), (OPACITY, opacity)];
    let owners: Vec<_> = owners
        .into_iter()
        .filter(|(_, own)| !own.is_empty())
        .collect();
    whose.extend(u32::from(u16::from_be_bytes(count(owners.len()))).to_be_bytes());
    for (id, own) in owners {
        whose.extend(id.to_be_bytes());
        whose.extend(u8::try_from(own.len()));
        whose.extend(own);
    }
    plain(
        *b"iprp",
        &[&plain(*b"ipco", &[&all]), &full(*b"ipma", 0, 0, &[&whose])],
    )
}

/// A number of entries, of which there are a handful.
fn count(entries: usize) -> [u8; 2] {
    u16::try_from(entries).unwrap_or(u16::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contents of the box at the end of `path`, with version and flags where it has them.
    fn content<'f>(mut boxes: &'f [u8], path: &[&[u8; 4]]) -> &'f [u8] {
        let (kind, path) = path.split_first().expect("a path");
        while let Some((length, rest)) = boxes.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            if rest.starts_with(*kind) {
                let own = &boxes[8..length];
                let inner = if **kind == *b"meta" { &own[4..] } else { own };
                return if path.is_empty() {
                    own
                } else {
                    content(inner, path)
                };
            }
            boxes = &boxes[length..];
        }
        panic!("no {kind:?}");
    }

    #[test]
    fn each_item_is_where_the_file_says() {
        let attached = Attached {
            exif: Some(b"II*\0exif".to_vec()),
            xmp: Some(b"<x:xmpmeta/>".to_vec()),
            icc: Some(b"profile".to_vec()),
            ..Attached::default()
        };
        let planes = Planes {
            dimensions: Dimensions::new(30, 20).expect("sides"),
            colour: b"colours",
            opacity: Some(b"opacity"),
        };
        let file = file(planes, &attached);
        let iloc = content(&file, &[b"meta", b"iloc"]);
        assert_eq!(iloc[4..8], [0x44, 0, 0, 4]);
        let wanted: [(u16, &[u8]); 4] = [
            (EXIF, b"\0\0\0\0II*\0exif"),
            (XMP, b"<x:xmpmeta/>"),
            (OPACITY, b"opacity"),
            (COLOUR, b"colours"),
        ];
        for (entry, (id, bytes)) in iloc[8..].chunks(14).zip(wanted) {
            let number = |at: usize| {
                u32::from_be_bytes(entry[at..at + 4].try_into().expect("four")) as usize
            };
            assert_eq!(u16::from_be_bytes([entry[0], entry[1]]), id);
            let (offset, length) = (number(6), number(10));
            assert_eq!(&file[offset..offset + length], bytes);
        }
        let properties = content(&file, &[b"meta", b"iprp", b"ipco"]);
        assert!(properties.windows(11).any(|part| part == b"profprofile"));
        let whose = content(&file, &[b"meta", b"iprp", b"ipma"]);
        let wanted = [
            0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 5, 1, 0x82, 3, 4, 5, 0, 2, 4, 1, 0x86, 7, 8,
        ];
        assert_eq!(whose, wanted);
    }

    #[test]
    fn a_picture_alone_is_one_item() {
        let planes = Planes {
            dimensions: Dimensions::new(30, 20).expect("sides"),
            colour: b"colours",
            opacity: None,
        };
        let file = file(planes, &Attached::default());
        assert!(file.ends_with(b"colours"));
        assert_eq!(content(&file, &[b"meta", b"iinf"])[4..6], [0, 1]);
        assert!(!file.windows(4).any(|part| part == b"iref"));
    }
}
