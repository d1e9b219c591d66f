//! A TIFF structure (a TIFF file, or an EXIF block, which is one) → the fields of its directories.
//!
//! Damage ends a directory and fails nothing: metadata are carried as far as they can be read.

use std::sync::Arc;

use super::field::{Field, sizes};
use crate::error::Result;
use crate::reader::RangeReader;

/// Most entries of one directory.
const MAX_ENTRIES: u64 = 4096;

/// An open structure.
#[derive(Debug)]
pub(super) struct Block {
    reader: Arc<dyn RangeReader>,
    big_endian: bool,
    big: bool,
    /// Where the first directory is.
    pub(super) first: u64,
    /// Bytes of values that may still be read.
    budget: u64,
}

impl Block {
    /// Reads the header; `None` for anything else.
    pub(super) fn open(reader: Arc<dyn RangeReader>, max_bytes: u64) -> Result<Option<Self>> {
        if reader.length() < 8 {
            return Ok(None);
        }
        let head = reader.read_vec(0, 8)?;
        let big_endian = head.starts_with(b"MM");
        let mut block = Self {
            reader,
            big_endian,
            big: false,
            first: 0,
            budget: max_bytes,
        };
        block.big = block.number(head.get(2..4)) == 43;
        let is_known = (head.starts_with(b"II") || big_endian)
            && (block.big || block.number(head.get(2..4)) == 42);
        if !is_known || (block.big && block.reader.length() < 16) {
            return Ok(None);
        }
        block.first = if block.big {
            let offset = block.reader.read_vec(8, 8)?;
            block.number(Some(&offset))
        } else {
            block.number(head.get(4..8))
        };
        Ok(Some(block))
    }

    /// The fields of the directory at `offset` that `wanted` picks, as far as they can be read.
    pub(super) fn fields(&mut self, offset: u64, wanted: &dyn Fn(u16) -> bool) -> Vec<Field> {
        let (count_size, entry_size) = if self.big { (8, 20) } else { (2, 12) };
        let Ok(count) = self.reader.read_vec(offset, count_size) else {
            return Vec::new();
        };
        let count = self.number(Some(&count));
        let entries = offset
            .checked_add(count_size)
            .filter(|_| count <= MAX_ENTRIES)
            .and_then(|start| self.reader.read_vec(start, count * entry_size).ok())
            .unwrap_or_default();
        let mut fields: Vec<Field> = Vec::new();
        for entry in entries.chunks_exact(if self.big { 20 } else { 12 }) {
            let field = self.field(entry, wanted);
            fields.extend(field.filter(|new| fields.iter().all(|old| old.tag != new.tag)));
        }
        fields
    }

    /// The offset that the directory at `offset` has under `tag`.
    pub(super) fn pointer(&mut self, offset: u64, tag: u16) -> Option<u64> {
        // A pointer is a LONG or an IFD, of 4 or of 8 bytes: both have their bytes in the entry.
        let (count_size, size) = if self.big { (8, 20) } else { (2, 12) };
        let count = self.reader.read_vec(offset, count_size).ok()?;
        let count = self.number(Some(&count)).min(MAX_ENTRIES);
        let entries = self
            .reader
            .read_vec(offset.checked_add(count_size)?, count * size)
            .ok()?;
        let entry = entries
            .chunks_exact(if self.big { 20 } else { 12 })
            .find(|entry| self.number(entry.get(..2)) == u64::from(tag))?;
        let value = entry.get(if self.big { 12 } else { 8 }..)?;
        match self.number(entry.get(2..4)) {
            4 | 13 => Some(self.number(value.get(..4))),
            16 | 18 if self.big => Some(self.number(Some(value))),
            _ => None,
        }
    }

    fn field(&mut self, entry: &[u8], wanted: &dyn Fn(u16) -> bool) -> Option<Field> {
        let tag = u16::try_from(self.number(entry.get(..2))).ok()?;
        let kind = u16::try_from(self.number(entry.get(2..4))).ok()?;
        if !wanted(tag) {
            return None;
        }
        let (count, inside) = entry.get(4..)?.split_at(if self.big { 8 } else { 4 });
        let count = self.number(Some(count));
        let (size, unit) = sizes(kind)?;
        let length = count.checked_mul(size as u64).filter(|bytes| *bytes > 0)?;
        let mut bytes = if length <= inside.len() as u64 {
            inside.get(..usize::try_from(length).ok()?)?.to_vec()
        } else {
            self.budget = self.budget.checked_sub(length)?;
            let offset = self.number(Some(inside));
            self.reader.read_vec(offset, length).ok()?
        };
        if self.big_endian && unit > 1 {
            for number in bytes.chunks_exact_mut(unit) {
                number.reverse();
            }
        }
        Some(Field {
            tag,
            kind,
            count,
            bytes,
        })
    }

    fn number(&self, bytes: Option<&[u8]>) -> u64 {
        let push = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        let bytes = bytes.unwrap_or_default();
        if self.big_endian {
            bytes.iter().fold(0, push)
        } else {
            bytes.iter().rev().fold(0, push)
        }
    }
}
