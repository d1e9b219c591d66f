//! Bytes of a box → big-endian numbers and inner boxes, never past its end.
//!
//! Every slice knows where in the file it stands, so that what boxes say of places can be followed.
//!
//! Source: ISO/IEC 14496-12:2022, 4.2.

use crate::error::{Error, Result};

/// What is left of a box.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    /// Where `rest` begins in the file.
    at: u64,
}

/// One box.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) kind: [u8; 4],
    pub(super) content: Fields<'a>,
}

impl<'a> Fields<'a> {
    pub(super) const fn new(rest: &'a [u8], at: u64) -> Self {
        Self { rest, at }
    }

    /// Where the next byte stands in the file.
    pub(super) const fn at(&self) -> u64 {
        self.at
    }

    /// Everything that is left.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(too_short)?;
        (self.rest, self.at) = (rest, self.at + count as u64);
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(too_short)?;
        (self.rest, self.at) = (rest, self.at + N as u64);
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn kind(&mut self) -> Result<[u8; 4]> {
        self.array()
    }

    /// A number of `bytes` bytes; 0 of none.
    pub(super) fn number(&mut self, bytes: u8) -> Result<u64> {
        let taken = self.take(usize::from(bytes))?;
        Ok(taken
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// Version and flags of a full box.
    pub(super) fn version(&mut self) -> Result<(u8, u32)> {
        let word = self.u32()?;
        let [version, ..] = word.to_be_bytes();
        Ok((version, word & 0x00ff_ffff))
    }

    /// The bytes up to a zero, which is passed over.
    pub(super) fn text(&mut self) -> Result<&'a [u8]> {
        let length = self.rest.iter().position(|byte| *byte == 0);
        let text = self.take(length.ok_or_else(too_short)?)?;
        self.u8()?;
        Ok(text)
    }

    /// The next box; `None` at the end.
    pub(super) fn part(&mut self) -> Result<Option<Part<'a>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let short = self.u32()?;
        let kind = self.kind()?;
        let length = match short {
            0 => Some(self.rest.len() as u64),
            1 => self.number(8)?.checked_sub(16),
            short => u64::from(short).checked_sub(8),
        };
        let length = length.and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or_else(too_short)?;
        let at = self.at;
        let content = Self::new(self.take(length)?, at);
        Ok(Some(Part { kind, content }))
    }

    /// The first inner box of this kind.
    pub(super) fn find(&self, kind: [u8; 4]) -> Result<Option<Self>> {
        let mut all = *self;
        while let Some(part) = all.part()? {
            if part.kind == kind {
                return Ok(Some(part.content));
            }
        }
        Ok(None)
    }

    /// The first inner box of this kind, which has to be there.
    pub(super) fn expect(&self, kind: [u8; 4]) -> Result<Self> {
        self.find(kind)?.ok_or_else(|| {
            let name = String::from_utf8_lossy(&kind).into_owned();
            Error::corrupt(format!("it has no {name} box"))
        })
    }
}

fn too_short() -> Error {
    Error::corrupt("a box is shorter than its contents")
}
