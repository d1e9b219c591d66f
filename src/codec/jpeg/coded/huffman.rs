//! Huffman tables of a sequential scan: walked without the values of coefficients, and written again.
//!
//! Source: ITU-T T.81 Annex C (codes from lengths), F.1.2 and F.2.2 (what symbols mean). What a
//! decoder would let pass but the standard forbids (a code that no table has, more than 64
//! coefficients in a block, a difference beyond 11 bits) ends a walk.

use super::bits::{Reader, Writer};

/// Bits that are looked up at once: two AC symbols of photographs, and a table of 8 KiB.
const LOOK_BITS: u32 = 11;
const LOOK: usize = 1 << LOOK_BITS;

/// How far the end of a block moves: past any sum of runs.
const END_OF_BLOCK: u32 = 128;

/// Largest category of a DC difference. Source: ITU-T T.81 table F.1.
const MAX_CATEGORY: u32 = 11;

/// Codes as a DHT segment lists them.
#[derive(Debug, Clone)]
pub(in crate::codec::jpeg) struct Codes {
    counts: [u8; 16],
    symbols: Vec<u8>,
}

/// A code and its length.
#[derive(Debug, Clone, Copy)]
struct Code {
    bits: u32,
    length: u32,
    symbol: u8,
}

impl Codes {
    /// Codes of `counts` by length and their symbols, or `None` where they are no prefix codes.
    pub(in crate::codec::jpeg) fn new(counts: [u8; 16], symbols: &[u8]) -> Option<Self> {
        let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
        if total != symbols.len() || total > 256 {
            return None;
        }
        let codes = Self {
            counts,
            symbols: symbols.to_vec(),
        };
        codes.have_room().then_some(codes)
    }

    /// Whether each code has room among those of its length; all ones is none (Annex C).
    fn have_room(&self) -> bool {
        let mut next = 0_u32;
        (1..=16).zip(self.counts).all(|(length, count)| {
            next = (next << 1) + u32::from(count);
            count == 0 || next < 1 << length
        })
    }

    /// Whether a DC table may have them. Source: ITU-T T.81 B.2.4.2, with room for 12 bits a sample.
    pub(in crate::codec::jpeg) fn are_categories(&self) -> bool {
        self.symbols.iter().all(|symbol| *symbol < 16)
    }

    fn list(&self) -> impl Iterator<Item = Code> + '_ {
        let lengths = (1..=16).zip(self.counts);
        let lengths = lengths.flat_map(|(length, count)| (0..count).map(move |_| length));
        let mut next = (0_u32, 0_u32);
        lengths.zip(&self.symbols).map(move |(length, symbol)| {
            let bits = next.0 << (length - next.1);
            next = (bits + 1, length);
            Code {
                bits,
                length,
                symbol: *symbol,
            }
        })
    }

    /// The same codes and one for each DC category up to `highest` that has none; `None` without room.
    ///
    /// A difference between samples far apart can need a category that no neighbours in the picture
    /// ever needed. Codes are added behind the longest, so those that there are stay as they are.
    pub(in crate::codec::jpeg) fn with_categories(&self, highest: u8) -> Option<Self> {
        let missing = (0..=highest).filter(|category| !self.symbols.contains(category));
        let symbols: Vec<u8> = self.symbols.iter().copied().chain(missing).collect();
        let more = u8::try_from(symbols.len() - self.symbols.len()).ok()?;
        let longest = self.counts.iter().rposition(|count| *count > 0)?;
        (longest..16).find_map(|slot| {
            let mut counts = self.counts;
            let count = counts.get_mut(slot)?;
            *count = count.checked_add(more)?;
            Self::new(counts, &symbols)
        })
    }

    /// As a DHT segment has them.
    pub(in crate::codec::jpeg) fn write(&self, class_and_id: u8, out: &mut Vec<u8>) {
        out.push(class_and_id);
        out.extend(self.counts);
        out.extend(&self.symbols);
    }

    /// Symbol and length of the code that `buffer` begins with.
    fn find(&self, buffer: u64) -> Option<(u8, u32)> {
        let (mut first, mut before) = (0_u64, 0_usize);
        for (length, count) in (1..=16).zip(self.counts) {
            let code = buffer >> (64 - length);
            first <<= 1;
            if let Some(nth) = code
                .checked_sub(first)
                .filter(|nth| *nth < u64::from(count))
            {
                let nth = usize::try_from(nth).ok()?;
                return self.symbols.get(before + nth).map(|s| (*s, length));
            }
            first += u64::from(count);
            before += usize::from(count);
        }
        None
    }

    /// As [`Self::find`], for a code within the first `known` bits.
    fn find_within(&self, buffer: u64, known: u32) -> Option<(u8, u32)> {
        self.find(buffer).filter(|(_, length)| *length <= known)
    }
}

/// What the first bits of the buffer index.
#[inline]
fn looked_at(buffer: u64) -> usize {
    usize::try_from(buffer >> (64 - LOOK_BITS)).unwrap_or(0)
}

fn table(entry: impl Fn(u64) -> u32) -> Box<[u32; LOOK]> {
    let mut table = Box::new([0; LOOK]);
    for (prefix, slot) in (0_u64..).zip(table.iter_mut()) {
        *slot = entry(prefix << (64 - LOOK_BITS));
    }
    table
}

/// DC differences.
#[derive(Debug)]
pub(in crate::codec::jpeg) struct DcTable {
    codes: Codes,
    /// Length of the code, and from bit 8 on the category; 0 for codes that are longer.
    look: Box<[u32; LOOK]>,
}

impl DcTable {
    pub(in crate::codec::jpeg) fn new(codes: Codes) -> Self {
        let look = table(|buffer| {
            let found = codes.find_within(buffer, LOOK_BITS);
            found.map_or(0, |(symbol, length)| length | u32::from(symbol) << 8)
        });
        Self { codes, look }
    }

    /// Passes over a difference and gives it.
    #[inline]
    pub(in crate::codec::jpeg) fn difference(&self, reader: &mut Reader<'_>) -> Option<i32> {
        reader.need();
        let mut entry = self.look[looked_at(reader.buffer())];
        if entry == 0 {
            let (symbol, length) = self.codes.find(reader.buffer())?;
            entry = length | u32::from(symbol) << 8;
        }
        let category = entry >> 8;
        if category > MAX_CATEGORY {
            return None;
        }
        reader.take(entry & 0xff);
        if category == 0 {
            return Some(0);
        }
        let extra = i32::try_from(reader.buffer() >> (64 - category)).unwrap_or(0);
        reader.take(category);
        let negative = extra < 1 << (category - 1);
        Some(if negative {
            extra + 1 - (1 << category)
        } else {
            extra
        })
    }
}

/// Runs of AC coefficients.
///
/// An entry: bits to pass over, from bit 8 on how far the coefficient's number moves, from bit 16 on
/// how far before its last symbol; 0 for codes that are longer.
#[derive(Debug)]
pub(in crate::codec::jpeg) struct AcTable {
    codes: Codes,
    /// As many whole symbols as the bits tell.
    many: Box<[u32; LOOK]>,
    /// One symbol.
    one: Box<[u32; LOOK]>,
}

impl AcTable {
    pub(in crate::codec::jpeg) fn new(codes: Codes) -> Self {
        let one = table(|buffer| {
            let found = codes.find_within(buffer, LOOK_BITS);
            found.map_or(0, |(symbol, length)| step(symbol, length))
        });
        let many = table(|buffer| many(&codes, buffer));
        Self { codes, many, one }
    }

    /// Passes over the coefficients of a block behind its first.
    #[inline]
    pub(in crate::codec::jpeg) fn pass(&self, reader: &mut Reader<'_>) -> Option<()> {
        let mut number = 1_u32;
        while number < 64 {
            reader.need();
            let at = looked_at(reader.buffer());
            let mut entry = self.many[at];
            if number + (entry >> 16) >= 64 {
                // The last of them belongs to the next block.
                entry = self.one[at];
            }
            if entry == 0 {
                let (symbol, length) = self.codes.find(reader.buffer())?;
                entry = step(symbol, length);
            }
            reader.take(entry & 0xff);
            number += (entry >> 8) & 0xff;
        }
        (number == 64 || number > END_OF_BLOCK).then_some(())
    }
}

/// The entry of one symbol: a run and a size.
///
/// A size of 0 ends the block, except with the run 15; decoders read the others so too.
fn step(symbol: u8, length: u32) -> u32 {
    let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
    let moves = if size == 0 && run != 15 {
        END_OF_BLOCK
    } else {
        run + 1
    };
    (length + size) | moves << 8
}

fn many(codes: &Codes, buffer: u64) -> u32 {
    let (mut bits, mut moves, mut before) = (0, 0, 0);
    while bits < LOOK_BITS && moves < 64 {
        let Some((symbol, length)) = codes.find_within(buffer << bits, LOOK_BITS - bits) else {
            break;
        };
        let entry = step(symbol, length);
        bits += entry & 0xff;
        before = moves;
        moves += entry >> 8;
    }
    bits | moves << 8 | before << 16
}

/// Codes of DC categories up to 12, as far as there are such, to write differences with.
#[derive(Debug)]
pub(in crate::codec::jpeg) struct DcWriter([(u32, u32); 13]);

impl DcWriter {
    /// With `codes`.
    pub(in crate::codec::jpeg) fn new(codes: &Codes) -> Self {
        let mut by_category = [(0, 0); 13];
        for code in codes.list() {
            if let Some(slot) = by_category.get_mut(usize::from(code.symbol)) {
                *slot = (code.bits, code.length);
            }
        }
        Self(by_category)
    }

    /// Writes `difference`; `None` where its category has no code.
    pub(in crate::codec::jpeg) fn write(&self, difference: i32, out: &mut Writer) -> Option<()> {
        let magnitude = difference.unsigned_abs();
        let category = 32 - magnitude.leading_zeros();
        let code = self.0.get(usize::try_from(category).ok()?);
        let (bits, length) = *code.filter(|(_, length)| *length > 0)?;
        out.put(bits, length);
        let ones = (1 << category) - 1;
        let extra = if difference < 0 {
            ones - magnitude
        } else {
            magnitude
        };
        out.put(extra, category);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::bits::Place;
    use super::*;

    /// Source: ITU-T T.81 table K.3.
    const LUMA_DC: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];

    fn luma_dc() -> Codes {
        Codes::new(LUMA_DC, &(0..12).collect::<Vec<u8>>()).unwrap()
    }

    #[test]
    fn differences_are_read_as_they_were_written_by_every_table() {
        let poor =
            Codes::new([0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[3, 0, 9]).unwrap();
        let single = Codes::new([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[4]).unwrap();
        for codes in [luma_dc(), poor, single] {
            let all = codes.with_categories(12).unwrap();
            assert!(all.symbols.starts_with(&codes.symbols));
            let same = |(a, b): (Code, Code)| (a.bits, a.length) == (b.bits, b.length);
            assert!(codes.list().zip(all.list()).all(same));
            let (writer, table) = (DcWriter::new(&all), DcTable::new(all));
            let mut out = Writer::default();
            let values = (-2047..=2047).step_by(13).chain([0, 1, -1, 2047, -2047]);
            for value in values.clone() {
                writer.write(value, &mut out).unwrap();
            }
            out.align();
            let mut reader = Reader::new(out.bytes(), Place { byte: 0, bit: 0 });
            for value in values {
                assert_eq!(table.difference(&mut reader), Some(value));
            }
            assert!(!reader.is_past_end());
        }
    }

    #[test]
    fn a_difference_of_more_than_11_bits_is_written_and_not_read() {
        let all = luma_dc().with_categories(12).unwrap();
        let mut out = Writer::default();
        DcWriter::new(&all).write(-4094, &mut out).unwrap();
        out.align();
        let mut reader = Reader::new(out.bytes(), Place { byte: 0, bit: 0 });
        assert_eq!(DcTable::new(all).difference(&mut reader), None);
    }

    #[test]
    fn codes_that_overlap_or_are_all_ones_are_refused() {
        assert!(Codes::new([2; 16], &[0; 32]).is_none());
        let mut full = [0; 16];
        full[0] = 2;
        assert!(Codes::new(full, &[0, 1]).is_none());
        assert!(Codes::new(LUMA_DC, &[0; 11]).is_none());
    }

    #[test]
    fn a_difference_without_a_code_is_not_written() {
        let few = luma_dc();
        let mut out = Writer::default();
        assert!(DcWriter::new(&few).write(2048, &mut out).is_none());
        assert!(DcWriter::new(&few).write(2047, &mut out).is_some());
    }

    #[test]
    fn a_table_without_room_for_more_categories_has_none() {
        let mut counts = [1; 16];
        counts[15] = 1;
        let symbols: Vec<u8> = (240..=255).collect();
        let full = Codes::new(counts, &symbols).unwrap();
        assert!(full.with_categories(12).is_none());
    }

    #[test]
    fn symbols_looked_up_together_are_those_looked_up_alone() {
        // Short codes, so that several fit: a step of one, the end, a run of 15, a long run.
        let codes = Codes::new(
            [0, 1, 2, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
            &[0x01, 0x00, 0x02, 0xf0, 0x31, 0x11, 0xa2, 0x0a],
        )
        .unwrap();
        let table = AcTable::new(codes.clone());
        let mut state = 77_u64;
        let mut bytes = Vec::new();
        for _ in 0..60_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            bytes.push(state.to_be_bytes()[0] & 0x7f);
        }
        let mut fast = Reader::new(&bytes, Place { byte: 0, bit: 0 });
        let (mut whole, mut refused) = (0, 0);
        while fast.bytes_left() > 600 {
            let mut slow = fast;
            let mut number = 1;
            let valid = loop {
                slow.need();
                let Some((symbol, length)) = codes.find(slow.buffer()) else {
                    break false;
                };
                let entry = step(symbol, length);
                slow.take(entry & 0xff);
                number += entry >> 8;
                if number >= 64 {
                    break number == 64 || number > END_OF_BLOCK;
                }
            };
            assert_eq!(table.pass(&mut fast).is_some(), valid);
            if valid {
                assert_eq!(fast.place(), slow.place());
                whole += 1;
            } else {
                fast = slow;
                fast.take(1);
                refused += 1;
            }
        }
        assert!(whole > 1000 && refused > 10, "{whole} {refused}");
    }
}
