//! A walk over a JPEG stream's segments up to its first scan.
//!
//! Reads ahead in pieces, so that a remote master costs few reads. What segments mean is left to
//! `header`. The walk ends after the bytes that it is given.

use crate::error::{Error, ErrorKind, Result};
use crate::reader::{RangeReader, past_the_end};

/// One read of the source while markers are parsed.
const READ_AHEAD_BYTES: u64 = 16 << 10;

/// Start of scan. Source: ITU-T T.81 table B.1.
pub(super) const SOS: u8 = 0xda;
/// End of image.
const EOI: u8 = 0xd9;

/// A walk over the segments before the first scan.
pub(super) struct Markers<'a> {
    reader: &'a dyn RangeReader,
    position: u64,
    end: u64,
    ahead: Vec<u8>,
    ahead_at: u64,
}

impl<'a> Markers<'a> {
    /// At the first segment of the stream behind `reader`, of whose markers at most `max_bytes` are read.
    pub(super) fn new(reader: &'a dyn RangeReader, max_bytes: u64) -> Result<Self> {
        let mut markers = Self {
            reader,
            position: 0,
            end: max_bytes,
            ahead: Vec::new(),
            ahead_at: 0,
        };
        if markers.payload(2)? != [0xff, 0xd8] {
            return Err(Error::corrupt("it does not begin as a JPEG does"));
        }
        markers.skip(2);
        Ok(markers)
    }

    /// The next `length` bytes; the position stays.
    pub(super) fn payload(&mut self, length: u64) -> Result<&[u8]> {
        let end = self.position.saturating_add(length);
        if end > self.reader.length() {
            return Err(past_the_end());
        }
        let inside = self.ahead_at <= self.position
            && end <= self.ahead_at.saturating_add(self.ahead.len() as u64);
        if !inside {
            let left = self.reader.length() - self.position;
            let wanted = length.max(READ_AHEAD_BYTES.min(left));
            self.ahead = self.reader.read_vec(self.position, wanted)?;
            self.ahead_at = self.position;
        }
        let start = usize::try_from(self.position - self.ahead_at);
        let length = usize::try_from(length);
        start
            .ok()
            .zip(length.ok())
            .and_then(|(start, length)| self.ahead.get(start..start.checked_add(length)?))
            .ok_or_else(past_the_end)
    }

    /// Where the walk stands.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Passes over `length` bytes.
    pub(super) fn skip(&mut self, length: u64) {
        self.position = self.position.saturating_add(length);
    }

    fn byte(&mut self) -> Result<u8> {
        let byte = self.payload(1)?.first().copied().unwrap_or(0);
        self.skip(1);
        Ok(byte)
    }

    /// The next marker that has a segment, and its payload's length; the position is at the payload.
    ///
    /// As decoders do, bytes between segments are passed over.
    pub(super) fn next_segment(&mut self) -> Result<(u8, u64)> {
        loop {
            if self.position > self.end {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    format!(
                        "the source image has more than {} bytes of metadata",
                        self.end
                    ),
                ));
            }
            if self.byte()? != 0xff {
                continue;
            }
            let mut marker = self.byte()?;
            while marker == 0xff {
                marker = self.byte()?;
            }
            match marker {
                // Stuffing, TEM, restart markers and a second SOI stand alone.
                0x00 | 0x01 | 0xd0..=0xd8 => {}
                EOI => return Err(Error::corrupt("it has no pixels")),
                _ => return Ok((marker, self.segment_length()?)),
            }
        }
    }

    fn segment_length(&mut self) -> Result<u64> {
        let length = u64::from(self.byte()?) << 8 | u64::from(self.byte()?);
        length
            .checked_sub(2)
            .ok_or_else(|| Error::corrupt("a segment is shorter than its own length"))
    }
}
