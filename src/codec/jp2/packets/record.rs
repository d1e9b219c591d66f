//! What packets say of code-blocks, packed: passes and lengths, one byte and a few for each share.
//!
//! A record has one entry for every block of a precinct, band after band in raster order; blocks without
//! a share are counted together. Marks let a reader begin in the middle of a long record.

/// Entries after which a mark is set.
const ENTRIES_PER_MARK: u32 = 32;

/// Bit of an entry's first number: the block has its first share here, and its zero planes follow.
const IS_FIRST: u32 = 1;

/// Bit of an entry's first number: the count of further lengths follows the first one, then they.
const HAS_MORE: u32 = 2;

/// What stands for no packet.
pub(super) const NONE: u32 = u32::MAX;

/// One packet that holds something.
#[derive(Debug, Clone, Copy)]
struct Packet {
    /// Where its body begins in the tile, high word first.
    body: [u32; 2],
    /// Where its record begins.
    record: u32,
    /// Its first mark.
    mark: u32,
    /// The packet of a later layer of the same precinct.
    next: u32,
}

/// A place in the middle of a record.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// The block that the next entry is about.
    block: u32,
    record: u32,
    /// Bytes of the body before it.
    body: u32,
}

/// All packets of a tile.
#[derive(Debug, Clone, Default)]
pub(super) struct Records {
    packets: Vec<Packet>,
    marks: Vec<Mark>,
    bytes: Vec<u8>,
}

/// A block's share of a packet on its way into a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share<'a> {
    pub(super) passes: u8,
    /// Of a first share.
    pub(super) zero_planes: Option<u8>,
    /// One for each codeword segment that it has a part of.
    pub(super) lengths: &'a [u32],
}

/// A packet on its way into the records.
#[derive(Debug)]
pub(super) struct Draft<'r> {
    records: &'r mut Records,
    record: usize,
    mark: usize,
    /// Blocks so far.
    block: u32,
    /// Blocks without a share since the last entry.
    absent: u32,
    entries: u32,
    /// Bytes of the body so far.
    body: u64,
    is_finished: bool,
}

/// A packet that is not finished leaves nothing behind.
impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.is_finished {
            self.records.bytes.truncate(self.record);
            self.records.marks.truncate(self.mark);
        }
    }
}

impl<'r> Draft<'r> {
    pub(super) fn new(records: &'r mut Records) -> Self {
        Self {
            record: records.bytes.len(),
            mark: records.marks.len(),
            records,
            block: 0,
            absent: 0,
            entries: 0,
            body: 0,
            is_finished: false,
        }
    }

    /// The next `count` blocks have no share.
    pub(super) fn absent(&mut self, count: u32) {
        self.absent = self.absent.saturating_add(count);
    }

    /// The next block has one.
    pub(super) fn share(&mut self, share: Share<'_>) {
        if self.absent > 0 {
            put(&mut self.records.bytes, 0);
            put(&mut self.records.bytes, self.absent);
            self.block = self.block.saturating_add(self.absent);
            self.absent = 0;
        }
        if self.entries == ENTRIES_PER_MARK {
            self.entries = 0;
            self.records.marks.push(Mark {
                block: self.block,
                record: narrow(self.records.bytes.len()),
                body: u32::try_from(self.body).unwrap_or(u32::MAX),
            });
        }
        let bytes = &mut self.records.bytes;
        let (first, more) = share.lengths.split_first().unwrap_or((&0, &[]));
        let mut head = u32::from(share.passes) << 2;
        if share.zero_planes.is_some() {
            head |= IS_FIRST;
        }
        if !more.is_empty() {
            head |= HAS_MORE;
        }
        put(bytes, head);
        bytes.extend(share.zero_planes);
        put(bytes, *first);
        if !more.is_empty() {
            put(bytes, narrow(more.len()));
        }
        for length in more {
            put(bytes, *length);
        }
        self.body += share
            .lengths
            .iter()
            .map(|length| u64::from(*length))
            .sum::<u64>();
        self.block += 1;
        self.entries += 1;
    }

    /// Bytes of the body.
    pub(super) const fn body(&self) -> u64 {
        self.body
    }

    /// Keeps the packet, whose body begins at `position`, behind the last one of its precinct; gives its
    /// number, or `None` if it holds nothing. [`NONE`] is for records that are full.
    pub(super) fn finish(mut self, position: u64, last: u32) -> Option<u32> {
        self.is_finished = true;
        let records = &mut *self.records;
        if records.bytes.len() == self.record {
            return None;
        }
        let number = narrow(records.packets.len());
        if narrow(records.bytes.len()) == NONE || u32::try_from(self.body).is_err() {
            return Some(NONE);
        }
        let word = |value: u64| u32::try_from(value & 0xFFFF_FFFF).unwrap_or(0);
        records.packets.push(Packet {
            body: [word(position >> 32), word(position)],
            record: narrow(self.record),
            mark: narrow(self.mark),
            next: NONE,
        });
        if let Some(last) = records.packets.get_mut(last as usize) {
            last.next = number;
        }
        Some(number)
    }
}

fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

/// Appends a number, seven bits a byte, the lowest first.
fn put(bytes: &mut Vec<u8>, mut value: u32) {
    while value > 0x7F {
        let [low, ..] = value.to_le_bytes();
        bytes.push(low | 0x80);
        value >>= 7;
    }
    let [low, ..] = value.to_le_bytes();
    bytes.push(low);
}

/// An entry of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'r> {
    /// The block, counted from the precinct's first.
    pub(super) block: u32,
    pub(super) passes: u8,
    /// Of a first share.
    pub(super) zero_planes: Option<u8>,
    /// Where its bytes begin in the tile.
    pub(super) position: u64,
    length: u32,
    more: &'r [u8],
}

impl<'r> Entry<'r> {
    /// One length for each codeword segment that the share has a part of.
    pub(super) fn lengths(&self) -> impl Iterator<Item = u32> + use<'r> {
        let mut more = self.more;
        let rest = std::iter::from_fn(move || (!more.is_empty()).then(|| take(&mut more)));
        std::iter::once(self.length).chain(rest)
    }
}

/// Goes through the entries of one packet.
#[derive(Debug)]
pub(super) struct Entries<'r> {
    rest: &'r [u8],
    marks: &'r [Mark],
    bytes: &'r [u8],
    start: u64,
    block: u32,
    body: u64,
}

impl Records {
    /// Bytes of memory.
    pub(super) const fn memory(&self) -> u64 {
        (self.packets.capacity() * size_of::<Packet>()
            + self.marks.capacity() * size_of::<Mark>()
            + self.bytes.capacity()) as u64
    }

    /// Appends all of `other`; gives by how much its packets' numbers grow, `None` if there are too many.
    pub(super) fn append(&mut self, other: &Self) -> Option<u32> {
        let (record, mark) = (narrow(self.bytes.len()), narrow(self.marks.len()));
        let number = narrow(self.packets.len());
        let all = [
            self.bytes.len() + other.bytes.len(),
            self.packets.len() + other.packets.len(),
        ];
        if all.into_iter().any(|length| narrow(length) == NONE) {
            return None;
        }
        self.bytes.extend_from_slice(&other.bytes);
        self.marks.extend(other.marks.iter().map(|other| Mark {
            record: other.record + record,
            ..*other
        }));
        self.packets
            .extend(other.packets.iter().map(|other| Packet {
                record: other.record + record,
                mark: other.mark + mark,
                next: if other.next == NONE {
                    NONE
                } else {
                    other.next + number
                },
                ..*other
            }));
        Some(number)
    }

    pub(super) fn shrink(&mut self) {
        self.packets.shrink_to_fit();
        self.marks.shrink_to_fit();
        self.bytes.shrink_to_fit();
    }

    /// The entries of a packet, and the packet after it in its precinct; `None` where there is none.
    pub(super) fn packet(&self, number: u32) -> Option<(Entries<'_>, u32)> {
        let packet = self.packets.get(number as usize)?;
        let (record_end, mark_end) = match self.packets.get(number as usize + 1) {
            Some(after) => (after.record as usize, after.mark as usize),
            None => (self.bytes.len(), self.marks.len()),
        };
        let entries = Entries {
            rest: self.bytes.get(packet.record as usize..record_end)?,
            marks: self.marks.get(packet.mark as usize..mark_end)?,
            bytes: self.bytes.get(..record_end)?,
            start: u64::from(packet.body[0]) << 32 | u64::from(packet.body[1]),
            block: 0,
            body: 0,
        };
        Some((entries, packet.next))
    }
}

impl<'r> Entries<'r> {
    /// The next entry, if it is about a block before `end`.
    pub(super) fn next_before(&mut self, end: u32) -> Option<Entry<'r>> {
        let before = Entries { ..*self };
        let entry = self.next()?;
        if entry.block < end {
            return Some(entry);
        }
        *self = before;
        None
    }

    /// Goes forward to the last mark that is not behind `block`.
    pub(super) fn advance(&mut self, block: u32) {
        let after = self.marks.partition_point(|mark| mark.block <= block);
        let Some(mark) = after.checked_sub(1).and_then(|at| self.marks.get(at)) else {
            return;
        };
        if mark.block > self.block {
            self.block = mark.block;
            self.body = u64::from(mark.body);
            self.rest = self.bytes.get(mark.record as usize..).unwrap_or(&[]);
        }
    }
}

impl<'r> Iterator for Entries<'r> {
    type Item = Entry<'r>;

    fn next(&mut self) -> Option<Entry<'r>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut head = take(&mut self.rest);
        if head == 0 {
            self.block = self.block.saturating_add(take(&mut self.rest));
            head = take(&mut self.rest);
        }
        let zero_planes = if head & IS_FIRST != 0 {
            let (planes, rest) = self.rest.split_first()?;
            self.rest = rest;
            Some(*planes)
        } else {
            None
        };
        let length = take(&mut self.rest);
        let mut all = u64::from(length);
        let mut more: &[u8] = &[];
        if head & HAS_MORE != 0 {
            let count = take(&mut self.rest);
            let before = self.rest;
            for _ in 0..count {
                all += u64::from(take(&mut self.rest));
            }
            more = before.get(..before.len() - self.rest.len())?;
        }
        let entry = Entry {
            block: self.block,
            passes: u8::try_from(head >> 2).unwrap_or(u8::MAX),
            zero_planes,
            position: self.start + self.body,
            length,
            more,
        };
        self.block += 1;
        self.body += all;
        Some(entry)
    }
}

/// Takes a number that [`put`] has put.
fn take(bytes: &mut &[u8]) -> u32 {
    let (mut value, mut shift) = (0, 0);
    while let Some((byte, rest)) = bytes.split_first() {
        *bytes = rest;
        value |= u32::from(byte & 0x7F) << shift;
        shift += 7;
        if byte & 0x80 == 0 || shift > 28 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_from_any_mark() {
        let mut records = Records::default();
        let mut draft = Draft::new(&mut records);
        let lengths = |block: u32| [block * 1000, block, 1 << 20];
        for block in 0..500_u32 {
            if block.is_multiple_of(3) {
                draft.absent(1);
                continue;
            }
            let all = lengths(block);
            draft.share(Share {
                passes: u8::try_from(block % 164 + 1).expect("small"),
                zero_planes: block.is_multiple_of(2).then_some(7),
                lengths: all.get(..(block as usize % 3)).expect("inside"),
            });
        }
        assert_eq!(draft.finish(1 << 33, NONE), Some(0));
        assert_eq!(Draft::new(&mut records).finish(0, 0), None);
        let (all, next) = records.packet(0).expect("there");
        assert_eq!(next, NONE);
        let all: Vec<_> = all.collect();
        assert_eq!(all.len(), 333);
        let mut position = 1 << 33;
        for entry in &all {
            assert_eq!(entry.position, position);
            let expected = lengths(entry.block);
            let count = entry.block as usize % 3;
            assert!(entry.lengths().eq(expected[..count].iter().copied()));
            assert_eq!(u32::from(entry.passes), entry.block % 164 + 1);
            assert_eq!(entry.zero_planes.is_some(), entry.block.is_multiple_of(2));
            position += expected[..count].iter().map(|n| u64::from(*n)).sum::<u64>();
        }
        for block in 0..500 {
            let mut entries = records.packet(0).expect("there").0;
            entries.advance(block);
            let found = entries.find(|entry| entry.block >= block);
            let expected = all.iter().find(|entry| entry.block >= block);
            assert_eq!(
                found.map(|entry| (entry.block, entry.position)),
                expected.map(|entry| (entry.block, entry.position))
            );
        }
    }
}
