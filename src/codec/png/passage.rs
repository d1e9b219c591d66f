//! A PNG file → itself as an answer, without the chunks that say other things than its pixels.
//!
//! Kept are the chunks that decoding needs; text, times, EXIF, gamma, profiles that count as sRGB's stay
//! behind, as they do wherever a derivative is encoded. What stands behind the pixels is known when the
//! file has been read, so that only files which are read whole are passed; their checksums are looked at.
//!
//! Source: PNG, W3C Recommendation, third edition, 5 (structure), 11 (chunks).

use std::ops::Range;

use bytes::Bytes;

use crate::codec::Stored;
use crate::codec::stored::Proof;
use crate::geometry::Dimensions;

use super::decode::SIGNATURE;

/// Bytes of a chunk beside its payload: length, name, checksum.
const CHUNK_BYTES: usize = 12;

/// A file of `length` bytes as the answer that it may be.
pub(super) fn whole(length: u64, dimensions: Dimensions) -> Stored {
    Stored {
        head: Bytes::new(),
        offset: 0,
        length,
        replaced: &[],
        proof: Proof::Png { dimensions },
    }
}

/// Leaves nothing but the picture in `file`; says whether it is a whole PNG of `dimensions`.
pub(in crate::codec) fn strip(file: &mut Vec<u8>, dimensions: Dimensions) -> bool {
    let Some(kept) = kept(file, dimensions) else {
        return false;
    };
    let mut end = SIGNATURE.len();
    for range in kept {
        let length = range.len();
        file.copy_within(range, end);
        end += length;
    }
    file.truncate(end);
    true
}

/// The chunks that make a picture of `dimensions`, in the file's order; neighbours are one range.
fn kept(file: &[u8], dimensions: Dimensions) -> Option<Vec<Range<usize>>> {
    let mut kept: Vec<Range<usize>> = Vec::new();
    let mut stage = Stage::Start;
    let mut at = SIGNATURE.len();
    file.strip_prefix(SIGNATURE)?;
    while stage != Stage::End {
        let (name, payload) = chunk(file, at)?;
        let range = at..at + CHUNK_BYTES + payload.len();
        at = range.end;
        stage = stage.after(*name)?;
        if name == b"IHDR" && !begins(payload, dimensions) {
            return None;
        }
        if !matches!(name, b"IHDR" | b"PLTE" | b"tRNS" | b"IDAT" | b"IEND") {
            continue;
        }
        match kept.last_mut().filter(|last| last.end == range.start) {
            Some(last) => last.end = range.end,
            None => kept.push(range),
        }
    }
    Some(kept)
}

/// Name and payload of the chunk at `at`, whose checksum holds.
fn chunk(file: &[u8], at: usize) -> Option<(&[u8; 4], &[u8])> {
    let (length, rest) = file.get(at..)?.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (checked, rest) = rest.split_at_checked(length.checked_add(4)?)?;
    let sum = u32::from_be_bytes(*rest.first_chunk::<4>()?);
    let (name, payload) = checked.split_first_chunk::<4>()?;
    (crc32fast::hash(checked) == sum).then_some((name, payload))
}

fn begins(header: &[u8], dimensions: Dimensions) -> bool {
    let sides = [
        dimensions.width.to_be_bytes(),
        dimensions.height.to_be_bytes(),
    ];
    header.len() == 13 && header.starts_with(sides.as_flattened())
}

/// Where in a file a chunk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    Before,
    Pixels,
    Behind,
    End,
}

impl Stage {
    /// Behind a chunk of this name; `None` where it has no place, or changes what is shown.
    fn after(self, name: [u8; 4]) -> Option<Self> {
        let is_ancillary = name.first()?.is_ascii_lowercase();
        match (self, &name) {
            (Self::Start, b"IHDR") | (Self::Before, b"PLTE" | b"tRNS") => Some(Self::Before),
            (Self::Before | Self::Pixels, b"IDAT") => Some(Self::Pixels),
            (Self::Pixels | Self::Behind, b"IEND") => Some(Self::End),
            (_, b"acTL" | b"fcTL" | b"fdAT" | b"tRNS") => None,
            (Self::Before, _) if is_ancillary => Some(Self::Before),
            (Self::Pixels | Self::Behind, _) if is_ancillary => Some(Self::Behind),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/png");
        std::fs::read(path.join(name)).unwrap()
    }

    fn made(name: [u8; 4], payload: &[u8]) -> Vec<u8> {
        let checked = [&name[..], payload].concat();
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let sum = crc32fast::hash(&checked).to_be_bytes();
        [&length[..], &checked, &sum].concat()
    }

    fn names(file: &[u8]) -> Vec<[u8; 4]> {
        let mut at = SIGNATURE.len();
        let mut names = Vec::new();
        while let Some((name, payload)) = chunk(file, at) {
            names.push(*name);
            at += CHUNK_BYTES + payload.len();
        }
        names
    }

    const SIDES: Dimensions = Dimensions {
        width: 64,
        height: 56,
    };

    /// A file with a chunk before its end.
    fn with(extra: &[u8]) -> Vec<u8> {
        let mut file = fixture("png-rgb-64x56x8.png");
        let end = file.len() - CHUNK_BYTES;
        file.splice(end..end, extra.iter().copied());
        file
    }

    #[test]
    fn chunks_that_are_not_the_picture_stay_behind_wherever_they_stand() {
        let plain = {
            let mut file = with(&[]);
            assert!(strip(&mut file, SIDES));
            file
        };
        let mut file = with(&made(*b"tEXt", b"Comment\0a place"));
        let gamma = made(*b"gAMA", &[0, 0, 177, 143]);
        file.splice(33..33, gamma);
        file.extend(b"behind the end");
        assert!(strip(&mut file, SIDES));
        assert!(file == plain);
        assert_eq!(names(&file).first(), Some(b"IHDR"));
        assert_eq!(names(&file).last(), Some(b"IEND"));
    }

    #[test]
    fn palettes_and_transparent_colours_stay() {
        let mut file = fixture("transparency_tbbn3p08.png");
        let sides = Dimensions {
            width: 32,
            height: 32,
        };
        assert!(strip(&mut file, sides));
        let names = names(&file);
        assert!(names.contains(b"PLTE") && names.contains(b"tRNS"));
        assert!(!names.contains(b"gAMA") && !names.contains(b"bKGD"));
    }

    #[test]
    fn what_is_not_whole_or_not_one_picture_is_refused() {
        let whole = with(&[]);
        for end in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
            assert!(!strip(&mut whole[..end].to_vec(), SIDES), "cut at {end}");
        }
        for at in (0..whole.len()).step_by(5) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert!(!strip(&mut flipped, SIDES), "changed at {at}");
        }
        for extra in [
            made(*b"fdAT", &[0; 8]),
            made(*b"tRNS", &[0; 6]),
            made(*b"ABCD", &[]),
            [made(*b"tEXt", b"a\0b"), made(*b"IDAT", &[])].concat(),
        ] {
            assert!(!strip(&mut with(&extra), SIDES));
        }
        let other = Dimensions {
            width: 56,
            height: 64,
        };
        assert!(!strip(&mut whole.clone(), other));
    }
}
