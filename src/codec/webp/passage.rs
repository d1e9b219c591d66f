//! A WebP → itself as an answer: the chunks of its picture, without what says other things than its pixels.
//!
//! Profiles that count as sRGB's, EXIF and XMP stay behind, as they do wherever a derivative is encoded;
//! the coded data are passed as they are. Animations and whatever readers might disagree about are left
//! to a decoder.
//!
//! Source: RFC 9649, 2.4 to 2.7, 9.1 (frame header of VP8) and 3.4 (VP8L).

use crate::codec::Stored;
use crate::codec::stored::Proof;
use crate::error::Result;
use crate::geometry::Dimensions;
use crate::reader::RangeReader;

/// Bytes of a chunk before its payload.
const CHUNK_HEAD: u64 = 8;

/// Where the chunks begin.
const FIRST_CHUNK: u64 = 12;

const ANIMATED: u8 = 0x02;
const ALPHA: u8 = 0x10;

/// The chunks that make a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::codec) struct Parts {
    pub(in crate::codec) dimensions: Dimensions,
    pub(in crate::codec) alpha: bool,
    /// Whether the picture needs a VP8X chunk before it.
    extended: bool,
    start: u64,
    end: u64,
}

/// The whole file, if it is one picture of `dimensions` with opacity or not.
///
/// # Errors
///
/// Those of the reader.
pub(super) fn whole(
    reader: &dyn RangeReader,
    dimensions: Dimensions,
    alpha: bool,
) -> Result<Option<Stored>> {
    let parts = Parts::of(reader)?;
    let fits = |parts: &Parts| parts.dimensions == dimensions && parts.alpha == alpha;
    Ok(parts.filter(fits).map(|parts| Stored {
        head: parts.head().into(),
        offset: parts.start,
        length: parts.end - parts.start,
        replaced: &[],
        proof: Proof::Given,
    }))
}

/// Leaves nothing but the picture in `stream`; says whether it is one of `dimensions`, with opacity only
/// where it may have it.
pub(in crate::codec) fn strip(stream: &mut Vec<u8>, dimensions: Dimensions, alpha: bool) -> bool {
    let Ok(Some(parts)) = Parts::of(stream) else {
        return false;
    };
    let range =
        usize::try_from(parts.start).and_then(|start| Ok(start..usize::try_from(parts.end)?));
    let Some(picture) = range.ok().and_then(|range| stream.get(range)) else {
        return false;
    };
    let fits = parts.dimensions == dimensions && (alpha || !parts.alpha);
    if fits {
        *stream = [&parts.head(), picture].concat();
    }
    fits
}

impl Parts {
    /// The parts of a stream; `None` for what is not one picture that all readers show alike.
    ///
    /// # Errors
    ///
    /// Those of the reader.
    pub(in crate::codec) fn of(reader: &dyn RangeReader) -> Result<Option<Self>> {
        let Some(end) = end(reader)? else {
            return Ok(None);
        };
        let mut found = Found::default();
        let mut at = FIRST_CHUNK;
        while at < end {
            let Some(chunk) = Chunk::read(reader, at, end)? else {
                return Ok(None);
            };
            if found.take(&chunk).is_none() {
                return Ok(None);
            }
            at = chunk.end;
        }
        Ok(found.parts())
    }

    /// What stands before the picture's chunks.
    fn head(&self) -> Vec<u8> {
        let extension = if self.extended { 18 } else { 0 };
        let size = 4 + extension + (self.end - self.start);
        let mut head = b"RIFF".to_vec();
        let [a, b, c, d, ..] = size.to_le_bytes();
        head.extend([a, b, c, d]);
        head.extend(b"WEBP");
        if self.extended {
            head.extend(b"VP8X\x0a\0\0\0");
            head.extend([if self.alpha { ALPHA } else { 0 }, 0, 0, 0]);
            for side in [self.dimensions.width, self.dimensions.height] {
                let [a, b, c, _] = (side - 1).to_le_bytes();
                head.extend([a, b, c]);
            }
        }
        head
    }
}

/// Where the file says that it ends, if it is a whole WebP.
fn end(reader: &dyn RangeReader) -> Result<Option<u64>> {
    if reader.length() < FIRST_CHUNK {
        return Ok(None);
    }
    let head = reader.read_vec(0, FIRST_CHUNK)?;
    let [b'R', b'I', b'F', b'F', a, b, c, d, b'W', b'E', b'B', b'P'] = *head else {
        return Ok(None);
    };
    let end = 8 + u64::from(u32::from_le_bytes([a, b, c, d]));
    Ok((end <= reader.length()).then_some(end))
}

/// A chunk's name, its first bytes and where it lies.
struct Chunk {
    name: [u8; 4],
    payload: Vec<u8>,
    length: u64,
    start: u64,
    end: u64,
}

impl Chunk {
    /// The first bytes that a header of a picture has.
    const FIRST_BYTES: u64 = 10;

    fn read(reader: &dyn RangeReader, start: u64, file_end: u64) -> Result<Option<Self>> {
        if start + CHUNK_HEAD > file_end {
            return Ok(None);
        }
        let head = reader.read_vec(start, CHUNK_HEAD)?;
        let [n0, n1, n2, n3, a, b, c, d] = *head else {
            return Ok(None);
        };
        let length = u64::from(u32::from_le_bytes([a, b, c, d]));
        let end = start + CHUNK_HEAD + length.next_multiple_of(2);
        if end > file_end {
            return Ok(None);
        }
        let payload = reader.read_vec(start + CHUNK_HEAD, length.min(Self::FIRST_BYTES))?;
        Ok(Some(Self {
            name: [n0, n1, n2, n3],
            payload,
            length,
            start,
            end,
        }))
    }
}

/// What has been met so far.
#[derive(Debug, Default)]
struct Found {
    /// Flags and canvas of the VP8X chunk.
    extension: Option<(u8, Dimensions)>,
    /// Where an ALPH chunk begins and ends.
    opacity: Option<(u64, u64)>,
    picture: Option<Frame>,
}

/// A coded picture.
#[derive(Debug, Clone, Copy)]
struct Frame {
    dimensions: Dimensions,
    /// What VP8L says of itself; VP8 has none.
    alpha: Option<bool>,
    start: u64,
    end: u64,
}

impl Found {
    fn take(&mut self, chunk: &Chunk) -> Option<()> {
        let is_first = chunk.start == FIRST_CHUNK;
        match &chunk.name {
            b"VP8X" if is_first => self.extension = Some(extension(chunk)?),
            b"VP8 " | b"VP8L" if self.picture.is_none() => {
                let frame = if chunk.name == *b"VP8 " {
                    lossy(chunk)?
                } else {
                    lossless(chunk)?
                };
                let follows = self.opacity.is_none_or(|(_, end)| end == chunk.start);
                self.picture = follows.then_some(frame);
                self.picture?;
            }
            b"ALPH" if self.picture.is_none() && self.opacity.is_none() => {
                self.opacity = Some((chunk.start, chunk.end));
            }
            b"VP8X" | b"VP8 " | b"VP8L" | b"ALPH" | b"ANIM" | b"ANMF" => return None,
            _ => {}
        }
        Some(())
    }

    fn parts(self) -> Option<Parts> {
        let frame = self.picture?;
        let flagged = self.extension.map(|(flags, _)| flags & ALPHA != 0);
        let canvas = self
            .extension
            .map_or(frame.dimensions, |(_, canvas)| canvas);
        let animated = self
            .extension
            .is_some_and(|(flags, _)| flags & ANIMATED != 0);
        // Opacity that the flags deny is shown by some readers.
        let denied = flagged != Some(true)
            && (self.opacity.is_some() || (flagged.is_some() && frame.alpha == Some(true)));
        let twofold = self.opacity.is_some() && frame.alpha.is_some();
        let alpha = flagged.or(frame.alpha).unwrap_or(false);
        let clear = canvas == frame.dimensions && !animated && !denied && !twofold;
        clear.then(|| Parts {
            dimensions: canvas,
            alpha,
            extended: flagged == Some(true),
            start: self.opacity.map_or(frame.start, |(start, _)| start),
            end: frame.end,
        })
    }
}

fn extension(chunk: &Chunk) -> Option<(u8, Dimensions)> {
    let [flags, _, _, _, w0, w1, w2, h0, h1, h2] = *chunk.payload else {
        return None;
    };
    let side = |a, b, c| 1 + u32::from_le_bytes([a, b, c, 0]);
    let canvas = Dimensions::new(side(w0, w1, w2), side(h0, h1, h2))?;
    (chunk.length == Chunk::FIRST_BYTES).then_some((flags, canvas))
}

/// A key frame that is not to be scaled.
fn lossy(chunk: &Chunk) -> Option<Frame> {
    let [tag, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1] = *chunk.payload else {
        return None;
    };
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]));
    let (width, height) = (side(w0, w1), side(h0, h1));
    let is_key = tag & 1 == 0 && (width | height) >> 14 == 0;
    let dimensions = Dimensions::new(width, height)?;
    is_key.then_some(Frame {
        dimensions,
        alpha: None,
        start: chunk.start,
        end: chunk.end,
    })
}

fn lossless(chunk: &Chunk) -> Option<Frame> {
    let [0x2f, a, b, c, d, ..] = *chunk.payload else {
        return None;
    };
    let bits = u32::from_le_bytes([a, b, c, d]);
    let side = |bits: u32| 1 + (bits & 0x3fff);
    let dimensions = Dimensions::new(side(bits), side(bits >> 14))?;
    (bits >> 29 == 0).then_some(Frame {
        dimensions,
        alpha: Some(bits >> 28 & 1 == 1),
        start: chunk.start,
        end: chunk.end,
    })
}
