//! JPEG as before Technical Note 2 → a JPEG that stands alone.
//!
//! Two ways were usual: a whole stream somewhere in the file, of which the strips are parts, and
//! tables in tags with coded data alone in the strips. The picture is one cell here, whatever its
//! strips: they are parts of one stream.
//!
//! Source: TIFF 6.0, section 22.

use crate::codec::DecodeLimits;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::reader::RangeReader;

use super::directory::{Directory, File};
use super::jpeg_tile::most_bytes;
use super::layout::TileBytes;
use super::tags;

/// Bytes of a table of quantisers.
const QUANTISERS: u64 = 64;

/// Largest table of Huffman codes: 16 counts and a value for each of 256.
const MOST_CODES: u64 = 16 + 256;

/// A picture's stream.
#[derive(Debug)]
pub(super) struct OldJpeg {
    /// Made of tables in tags; empty where the file holds a whole stream, or the beginning of one.
    head: Vec<u8>,
    /// Where that stream, or its beginning, lies.
    begun: Option<TileBytes>,
    strips: Vec<TileBytes>,
}

impl OldJpeg {
    /// Reads the tables of the picture in `directory`, of which these are the strips.
    pub(super) fn read(
        file: &File,
        directory: &Directory,
        dimensions: Dimensions,
        strip_rows: u32,
        strips: Vec<TileBytes>,
        limits: &DecodeLimits,
    ) -> Result<Self> {
        let most = most_bytes(dimensions).min(limits.max_bytes);
        if total(&strips).is_none_or(|bytes| bytes > most) {
            return Err(Error::corrupt(
                "its strips claim more bytes than it can need",
            ));
        }
        let number = |tag| file.number(directory, tag);
        let start = number(tags::JPEG_STREAM)?.unwrap_or(0);
        let length = number(tags::JPEG_STREAM_LENGTH)?.unwrap_or(0);
        if start > 0 && length > 0 {
            let end = start
                .saturating_add(length.min(most))
                .min(file.reader.length());
            let begun = TileBytes {
                offset: start,
                length: end.saturating_sub(start),
            };
            let inside = |strip: &TileBytes| strip.offset >= start && strip.offset < end;
            let is_whole = strips.iter().all(inside);
            return Ok(Self {
                head: Vec::new(),
                begun: Some(begun),
                strips: if is_whole { Vec::new() } else { strips },
            });
        }
        let head = match strips.as_slice() {
            [only] if file.reader.read_vec(only.offset, only.length.min(2))? == b"\xff\xd8" => {
                Vec::new()
            }
            _ => Tables { file, directory }.head(dimensions, strip_rows, strips.len())?,
        };
        Ok(Self {
            head,
            begun: None,
            strips,
        })
    }

    /// Bytes of the stream.
    pub(super) fn length(&self) -> u64 {
        let begun = self.begun.map_or(0, |begun| begun.length);
        let strips = total(&self.strips).unwrap_or(u64::MAX);
        let marks = 2 * self.strips.len() as u64 + 2;
        (self.head.len() as u64 + marks)
            .saturating_add(begun)
            .saturating_add(strips)
    }

    /// The whole stream.
    pub(super) fn stream(&self, reader: &dyn RangeReader) -> Result<Vec<u8>> {
        let mut stream = self.head.clone();
        if let Some(begun) = self.begun {
            stream = reader.read_vec(begun.offset, begun.length)?;
            if !self.strips.is_empty() && stream.ends_with(b"\xff\xd9") {
                stream.truncate(stream.len() - 2);
            }
        }
        for (at, strip) in self.strips.iter().enumerate() {
            let bytes = reader.read_vec(strip.offset, strip.length)?;
            if at > 0 && !ends_with_restart(&stream) {
                let number = u8::try_from((at - 1) % 8).unwrap_or(0);
                stream.extend([0xff, 0xd0 + number]);
            }
            stream.extend(bytes);
        }
        if !stream.ends_with(b"\xff\xd9") {
            stream.extend(b"\xff\xd9");
        }
        Ok(stream)
    }
}

/// Bytes of all strips, unless that is beyond any number.
fn total(strips: &[TileBytes]) -> Option<u64> {
    let mut lengths = strips.iter().map(|strip| strip.length);
    lengths.try_fold(0, u64::checked_add)
}

fn ends_with_restart(stream: &[u8]) -> bool {
    matches!(stream, [.., 0xff, 0xd0..=0xd7])
}

/// The tags that hold a stream's tables.
struct Tables<'a> {
    file: &'a File,
    directory: &'a Directory,
}

impl Tables<'_> {
    fn head(&self, dimensions: Dimensions, strip_rows: u32, strips: usize) -> Result<Vec<u8>> {
        let number = |tag| self.file.number(self.directory, tag);
        let samples = number(tags::SAMPLES_PER_PIXEL)?.unwrap_or(1).min(4);
        let count = u8::try_from(samples).unwrap_or(4);
        let sides = self
            .file
            .numbers(self.directory, tags::YCBCR_SUBSAMPLING, 2)?;
        let (across, down) = match sides.as_deref() {
            _ if count != 3 => (1, 1),
            Some([across @ 1..=4, down @ 1..=4]) => (*across, *down),
            _ => (2, 2),
        };
        let mut head = b"\xff\xd8".to_vec();
        for (at, table) in self
            .tables(tags::JPEG_Q_TABLES, count, QUANTISERS)?
            .iter()
            .enumerate()
        {
            segment(&mut head, 0xdb, &[&[place(at)], table.as_slice()].concat());
        }
        let side = |side: u32| u16::try_from(side).map(u16::to_be_bytes);
        let sides = [side(dimensions.height), side(dimensions.width)];
        let [Ok(height), Ok(width)] = sides else {
            return Err(Error::corrupt("a JPEG has at most 65535 pixels a side"));
        };
        let mut frame = [&[8][..], &height, &width, &[count]].concat();
        for at in 0..count {
            let factors = if at == 0 { across << 4 | down } else { 0x11 };
            frame.extend([at + 1, u8::try_from(factors).unwrap_or(0x11), at]);
        }
        segment(&mut head, 0xc0, &frame);
        for (class, tag) in [(0, tags::JPEG_DC_TABLES), (0x10, tags::JPEG_AC_TABLES)] {
            for (at, table) in self.tables(tag, count, MOST_CODES)?.iter().enumerate() {
                let codes = table
                    .iter()
                    .take(16)
                    .map(|count| usize::from(*count))
                    .sum::<usize>();
                let table = table.get(..16 + codes);
                let table = table.ok_or_else(|| Error::corrupt("a table of codes is cut short"))?;
                segment(&mut head, 0xc4, &[&[class | place(at)], table].concat());
            }
        }
        let unit = (8 * across, 8 * down);
        let interval = if strips > 1 {
            u64::from(dimensions.width).div_ceil(unit.0) * u64::from(strip_rows).div_ceil(unit.1)
        } else {
            number(tags::JPEG_RESTART_INTERVAL)?.unwrap_or(0)
        };
        if let Ok(interval @ 1..) = u16::try_from(interval) {
            segment(&mut head, 0xdd, &interval.to_be_bytes());
        }
        let mut scan = vec![count];
        for at in 0..count {
            scan.extend([at + 1, at << 4 | at]);
        }
        scan.extend([0, 63, 0]);
        segment(&mut head, 0xda, &scan);
        Ok(head)
    }

    /// The tables of each of `count` components that `tag` points to, at most `most` bytes each.
    fn tables(&self, tag: u16, count: u8, most: u64) -> Result<Vec<Vec<u8>>> {
        let offsets = self.file.numbers(self.directory, tag, count.into())?;
        let offsets = offsets.filter(|all| all.len() == usize::from(count));
        let offsets = offsets.ok_or_else(|| Error::corrupt("its JPEG tables are not there"))?;
        let reader = &self.file.reader;
        let read = |offset: &u64| {
            let left = reader.length().saturating_sub(*offset);
            reader.read_vec(*offset, left.min(most))
        };
        offsets.iter().map(read).collect()
    }
}

fn place(at: usize) -> u8 {
    u8::try_from(at).unwrap_or(0)
}

fn segment(stream: &mut Vec<u8>, marker: u8, payload: &[u8]) {
    let [.., high, low] = (payload.len() + 2).to_be_bytes();
    stream.extend([0xff, marker, high, low]);
    stream.extend(payload);
}
