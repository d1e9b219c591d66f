//! Fields → the bytes of a TIFF directory, classic or `BigTIFF`, at the end of a file.
//!
//! Source: TIFF 6.0 (1992), section 2; `BigTIFF` (2007).

use std::io::{Seek, SeekFrom, Write};

use crate::codec::metadata::Field;
use crate::error::{Error, ErrorKind, Result};

/// Where a classic TIFF ends: its offsets have 32 bits.
pub(super) const CLASSIC_BYTES: u64 = 1 << 32;

/// A file that grows at its end.
pub(in crate::codec) struct Output<'a, W> {
    sink: &'a mut W,
    /// Offset behind the last byte.
    pub(super) end: u64,
    /// Offsets of 64 bits.
    pub(super) big: bool,
}

impl<'a, W: Write + Seek> Output<'a, W> {
    /// Begins a file; where its first directory is stays open until [`Output::finish`].
    pub(in crate::codec) fn begin(sink: &'a mut W, big: bool) -> Result<Self> {
        let mut output = Self { sink, end: 0, big };
        if big {
            output.append(b"II\x2b\0\x08\0\0\0\0\0\0\0\0\0\0\0")?;
        } else {
            output.append(b"II\x2a\0\0\0\0\0")?;
        }
        Ok(output)
    }

    /// Adds bytes; where they begin.
    pub(in crate::codec) fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        let offset = self.end;
        self.end += bytes.len() as u64;
        if !self.big && self.end >= CLASSIC_BYTES {
            return Err(Error::new(
                ErrorKind::TooLarge,
                "the result passes 4 GiB: it has to be a BigTIFF",
            ));
        }
        self.sink.write_all(bytes).map_err(not_written)?;
        Ok(offset)
    }

    /// Adds a directory whose next one is at `next`, 0 for none; where it begins.
    pub(in crate::codec) fn directory(&mut self, mut fields: Vec<Field>, next: u64) -> Result<u64> {
        fields.sort_by_key(|field| field.tag);
        let mut body = self.number(fields.len() as u64, 2);
        for field in fields {
            body.extend(field.tag.to_le_bytes());
            body.extend(field.kind.to_le_bytes());
            body.extend(self.number(field.count, 4));
            body.extend(self.value(field.bytes)?);
        }
        body.extend(self.number(next, 4));
        self.align()?;
        self.append(&body)
    }

    /// The value itself, or the offset of where it has been put.
    fn value(&mut self, mut bytes: Vec<u8>) -> Result<Vec<u8>> {
        let room = if self.big { 8 } else { 4 };
        if bytes.len() > room {
            self.align()?;
            let offset = self.append(&bytes)?;
            return Ok(self.number(offset, 4));
        }
        bytes.resize(room, 0);
        Ok(bytes)
    }

    /// `value` in 8 bytes, or in the `classic` ones of the old form.
    fn number(&self, value: u64, classic: usize) -> Vec<u8> {
        let mut bytes = value.to_le_bytes().to_vec();
        bytes.truncate(if self.big { 8 } else { classic });
        bytes
    }

    fn align(&mut self) -> Result<()> {
        while !self.end.is_multiple_of(8) {
            self.append(&[0])?;
        }
        Ok(())
    }

    /// Makes the directory at `first` the first one.
    pub(in crate::codec) fn finish(self, first: u64) -> Result<u64> {
        let place = if self.big { 8 } else { 4 };
        let bytes = self.number(first, 4);
        let patched = self
            .sink
            .seek(SeekFrom::Start(place))
            .and_then(|_| self.sink.write_all(&bytes))
            .and_then(|()| self.sink.flush());
        patched.map_err(not_written)?;
        Ok(self.end)
    }
}

fn not_written(cause: std::io::Error) -> Error {
    let full = [
        std::io::ErrorKind::StorageFull,
        std::io::ErrorKind::QuotaExceeded,
    ];
    let words = if full.contains(&cause.kind()) {
        "there is no room for the result"
    } else {
        "the result cannot be written"
    };
    Error::new(ErrorKind::Upstream, words).with_source(cause)
}
