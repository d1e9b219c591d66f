//! Bytes of a TIFF's header and directories → entries by tag, in both byte orders, classic and
//! `BigTIFF`.
//!
//! What the entries mean is left to the files beside this one. Callers may rely on bounds: chains
//! end, no directory is visited twice, and nothing is reserved for a value before its length has
//! been checked against the file's length and the caller's limit.

use std::collections::HashSet;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::reader::RangeReader;

use super::tags;

/// Most entries of one directory: a real one has a few dozen, `BigTIFF` could claim 2⁶⁴.
const MAX_ENTRIES: u64 = 4096;
/// Most directories of one chain: each costs two reads when the file is opened.
const MAX_DIRECTORIES: usize = 16_384;
/// Most entries of all directories that are read: they may overlap, so that the file's length bounds nothing.
const MAX_ALL_ENTRIES: u64 = 1 << 20;

/// Which end of a number comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    /// `II`: least significant byte first.
    Little,
    /// `MM`: most significant byte first.
    Big,
}

impl ByteOrder {
    /// The unsigned number in at most 8 `bytes`.
    pub(super) fn number(self, bytes: &[u8]) -> u64 {
        let push = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        match self {
            Self::Big => bytes.iter().fold(0, push),
            Self::Little => bytes.iter().rev().fold(0, push),
        }
    }
}

/// A file with a valid header.
#[derive(Debug)]
pub(super) struct File {
    pub(super) reader: Arc<dyn RangeReader>,
    pub(super) order: ByteOrder,
    /// Offsets and counts of 8 bytes instead of 4.
    pub(super) big: bool,
    first: u64,
}

/// The directories that have been read.
#[derive(Debug, Default)]
pub(super) struct Visited {
    offsets: HashSet<u64>,
    entries: u64,
}

/// The entries of one directory that this room knows.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    entries: Vec<Entry>,
    next: u64,
    /// Where it begins.
    pub(super) offset: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: u16,
    kind: u64,
    count: u64,
    /// The value itself, or the offset where it stands; 4 bytes in a classic file.
    field: [u8; 8],
}

/// Whether `head` is a TIFF's first 4 bytes, in either byte order and either size.
pub(super) fn is_header(head: &[u8]) -> bool {
    matches!(
        head,
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..]
    )
}

impl File {
    /// Reads the header.
    pub(super) fn open(reader: Arc<dyn RangeReader>) -> Result<Self> {
        let head = reader.read_vec(0, 8)?;
        if !is_header(&head) {
            return Err(Error::corrupt("it does not begin as a TIFF"));
        }
        let order = match head.first() {
            Some(b'I') => ByteOrder::Little,
            _ => ByteOrder::Big,
        };
        let big = order.number(&head[2..4]) == 43;
        let first = if big {
            if order.number(&head[4..6]) != 8 || order.number(&head[6..8]) != 0 {
                return Err(Error::corrupt(
                    "its header asks for offsets of another size",
                ));
            }
            order.number(&reader.read_vec(8, 8)?)
        } else {
            order.number(&head[4..8])
        };
        Ok(Self {
            reader,
            order,
            big,
            first,
        })
    }

    /// All directories of the main chain, in order; at least one.
    pub(super) fn chain(&self, visited: &mut Visited) -> Result<Vec<Directory>> {
        let mut chain = Vec::new();
        let mut offset = self.first;
        while offset != 0 {
            if chain.len() == MAX_DIRECTORIES {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    "the source image has too many pages",
                ));
            }
            let directory = self.directory(offset, visited)?;
            offset = directory.next;
            chain.push(directory);
        }
        if chain.is_empty() {
            return Err(Error::corrupt("it has no directory"));
        }
        Ok(chain)
    }

    /// The directory at `offset`, which must not be among the `visited` ones.
    pub(super) fn directory(&self, offset: u64, visited: &mut Visited) -> Result<Directory> {
        if !visited.offsets.insert(offset) {
            return Err(Error::corrupt("its directories form a loop"));
        }
        let (count_size, entry_size, offset_size) = if self.big { (8, 20, 8) } else { (2, 12, 4) };
        let count = self
            .order
            .number(&self.reader.read_vec(offset, count_size)?);
        if count == 0 || count > MAX_ENTRIES {
            return Err(Error::corrupt(format!(
                "a directory claims {count} entries"
            )));
        }
        visited.entries += count;
        if visited.entries > MAX_ALL_ENTRIES {
            return Err(Error::new(
                ErrorKind::TooLarge,
                "the source image's directories have too many entries",
            ));
        }
        // Both sums are small: `offset` lies inside the file, for its count was read there.
        let body = self
            .reader
            .read_vec(offset + count_size, count * entry_size + offset_size)?;
        let (entries, next) = body.split_at(body.len() - if self.big { 8 } else { 4 });
        let size = if self.big { 20 } else { 12 };
        let mut known: Vec<Entry> = Vec::new();
        for entry in entries.chunks_exact(size).map(|bytes| self.entry(bytes)) {
            if tags::KNOWN.contains(&entry.tag) && !known.iter().any(|old| old.tag == entry.tag) {
                known.push(entry);
            }
        }
        Ok(Directory {
            entries: known,
            next: self.order.number(next),
            offset,
        })
    }

    /// The entry in its 12 or 20 `bytes`.
    fn entry(&self, bytes: &[u8]) -> Entry {
        let (count, value) = bytes[4..].split_at(if self.big { 8 } else { 4 });
        let mut field = [0; 8];
        field[..value.len()].copy_from_slice(value);
        Entry {
            tag: u16::try_from(self.order.number(&bytes[..2])).expect("two bytes fit"),
            kind: self.order.number(&bytes[2..4]),
            count: self.order.number(count),
            field,
        }
    }

    /// The first `most` numbers of `tag`, or as many as there are; `None` without the tag.
    pub(super) fn numbers(
        &self,
        directory: &Directory,
        tag: u16,
        most: u64,
    ) -> Result<Option<Vec<u64>>> {
        let Some(entry) = directory.entry(tag) else {
            return Ok(None);
        };
        let size: usize = match entry.kind {
            1 => 1,
            3 => 2,
            4 | 13 => 4,
            16 | 18 => 8,
            other => {
                return Err(Error::corrupt(format!(
                    "tag {tag} holds values of type {other} instead of numbers"
                )));
            }
        };
        let bytes = self.value(entry, entry.count.min(most), size as u64)?;
        let numbers = bytes.chunks_exact(size);
        Ok(Some(numbers.map(|one| self.order.number(one)).collect()))
    }

    /// The first fractions of `tag`; `None` without the tag, or where it holds fewer.
    pub(super) fn fractions<const COUNT: usize>(
        &self,
        directory: &Directory,
        tag: u16,
    ) -> Result<Option<[f32; COUNT]>> {
        let Some(entry) = directory
            .entry(tag)
            .filter(|entry| entry.count >= COUNT as u64)
        else {
            return Ok(None);
        };
        if entry.kind != 5 {
            return Err(Error::corrupt(format!("tag {tag} does not hold fractions")));
        }
        let bytes = self.value(entry, COUNT as u64, 8)?;
        let mut fractions = [0.0; COUNT];
        for (fraction, pair) in fractions.iter_mut().zip(bytes.chunks_exact(8)) {
            *fraction = self.order.number(&pair[..4]) as f32 / self.order.number(&pair[4..]) as f32;
        }
        Ok(Some(fractions))
    }

    /// The first number of `tag`; `None` without the tag or with an empty one.
    pub(super) fn number(&self, directory: &Directory, tag: u16) -> Result<Option<u64>> {
        let numbers = self.numbers(directory, tag, 1)?;
        Ok(numbers.and_then(|all| all.first().copied()))
    }

    /// The bytes of `tag`, which must not be more than `most`; `None` without the tag.
    pub(super) fn bytes(
        &self,
        directory: &Directory,
        tag: u16,
        most: u64,
    ) -> Result<Option<Vec<u8>>> {
        let Some(entry) = directory.entry(tag) else {
            return Ok(None);
        };
        if !matches!(entry.kind, 1 | 7) {
            return Err(Error::corrupt(format!("tag {tag} does not hold bytes")));
        }
        if entry.count > most {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!(
                    "the source image holds {} bytes of metadata in one piece",
                    entry.count
                ),
            ));
        }
        self.value(entry, entry.count, 1).map(Some)
    }

    /// The first `count` values of `size` bytes, from the entry itself or from where it points.
    fn value(&self, entry: &Entry, count: u64, size: u64) -> Result<Vec<u8>> {
        let room = if self.big { 8 } else { 4 };
        let whole = entry.count.checked_mul(size);
        if whole.is_some_and(|bytes| bytes <= room) {
            let bytes = usize::try_from(count * size).expect("at most 8");
            return Ok(entry.field[..bytes].to_vec());
        }
        let length = count
            .checked_mul(size)
            .ok_or_else(crate::reader::past_the_end)?;
        let offset = self.order.number(if self.big {
            &entry.field
        } else {
            &entry.field[..4]
        });
        self.reader.read_vec(offset, length)
    }
}

impl Directory {
    fn entry(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// Whether `tag` is there.
    pub(super) fn has(&self, tag: u16) -> bool {
        self.entry(tag).is_some()
    }
}
