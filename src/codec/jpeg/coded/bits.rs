//! Entropy-coded bits of a JPEG scan: read without their stuffing, copied, and written with it.
//!
//! Source: ITU-T T.81 B.1.1.5 (a zero follows each byte 255 of coded data) and F.1.2.3 (padding with
//! ones). Reading never fails by itself: behind a marker or the end of the bytes it gives zeros and
//! counts them, and [`Reader::is_past_end`] tells whether any was taken.

/// Bits that [`Reader::fill`] leaves in the buffer at least.
const FILLED_BITS: u32 = 56;

/// Where a bit stands: a byte that holds it, and bits of that byte before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::codec::jpeg) struct Place {
    pub(in crate::codec::jpeg) byte: usize,
    pub(in crate::codec::jpeg) bit: u32,
}

/// A walk over coded bits, most significant first.
#[derive(Debug, Clone, Copy)]
pub(in crate::codec::jpeg) struct Reader<'a> {
    data: &'a [u8],
    next: usize,
    buffer: u64,
    bits: u32,
    invented: u32,
}

impl<'a> Reader<'a> {
    /// At `place` of `data`.
    pub(in crate::codec::jpeg) fn new(data: &'a [u8], place: Place) -> Self {
        let mut reader = Self {
            data,
            next: place.byte,
            buffer: 0,
            bits: 0,
            invented: 0,
        };
        reader.fill();
        reader.take(place.bit);
        reader
    }

    /// The buffer, next bit first.
    #[inline]
    pub(in crate::codec::jpeg) fn buffer(&self) -> u64 {
        self.buffer
    }

    /// Passes over `count` bits, at most those that were filled.
    #[inline]
    pub(in crate::codec::jpeg) fn take(&mut self, count: u32) {
        self.buffer <<= count;
        self.bits = self.bits.wrapping_sub(count);
    }

    /// Has at least 32 bits in the buffer: a code and its extra bits.
    #[inline]
    pub(in crate::codec::jpeg) fn need(&mut self) {
        if self.bits < 32 {
            self.fill();
        }
    }

    #[inline]
    fn fill(&mut self) {
        let ahead = self
            .data
            .get(self.next..)
            .and_then(<[u8]>::first_chunk::<8>);
        if let Some(bytes) = ahead {
            let word = u64::from_be_bytes(*bytes);
            if !has_255(word) {
                // Bits beyond the counted ones belong to the next byte, which is loaded again later.
                self.buffer |= word >> self.bits;
                let loaded = (63 - self.bits) >> 3;
                self.next += loaded as usize;
                self.bits += loaded * 8;
                return;
            }
        }
        self.fill_bytewise();
    }

    fn fill_bytewise(&mut self) {
        while self.bits <= FILLED_BITS {
            let byte = match (self.data.get(self.next), self.data.get(self.next + 1)) {
                (Some(0xff), Some(0)) => {
                    self.next += 2;
                    0xff
                }
                (Some(0xff) | None, _) => {
                    self.invented += 8;
                    0
                }
                (Some(byte), _) => {
                    self.next += 1;
                    *byte
                }
            };
            self.buffer |= u64::from(byte) << (FILLED_BITS - self.bits);
            self.bits += 8;
        }
    }

    /// Whether bits were taken that are not there.
    #[inline]
    pub(in crate::codec::jpeg) fn is_past_end(&self) -> bool {
        self.bits < self.invented
    }

    /// Bytes that have not been loaded yet.
    #[inline]
    pub(in crate::codec::jpeg) fn bytes_left(&self) -> usize {
        self.data.len().saturating_sub(self.next)
    }

    /// Where the next bit stands.
    pub(in crate::codec::jpeg) fn place(&self) -> Place {
        let real = self.bits.saturating_sub(self.invented);
        let begun = u32::from(!real.is_multiple_of(8));
        let mut byte = self.next;
        for _ in 0..real / 8 + begun {
            let stuffed = byte >= 2 && self.data.get(byte - 2..byte) == Some(&[0xff, 0]);
            byte = byte.saturating_sub(if stuffed { 2 } else { 1 });
        }
        Place {
            byte,
            bit: (8 - real % 8) % 8,
        }
    }

    /// Passes over padding and the restart marker with this number, 0 to 7, where they come next.
    pub(in crate::codec::jpeg) fn restart(&mut self, number: u8) -> Option<()> {
        let padding = self.bits.checked_sub(self.invented)?;
        let marker = self.data.get(self.next..)?.first_chunk::<2>()?;
        if padding >= 8 || *marker != [0xff, 0xd0 + number] {
            return None;
        }
        *self = Self {
            data: self.data,
            next: self.next + 2,
            buffer: 0,
            bits: 0,
            invented: 0,
        };
        Some(())
    }
}

const fn has_255(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let zeros_for = !word;
    zeros_for.wrapping_sub(ONES) & word & (ONES << 7) != 0
}

/// Coded bits on their way out.
#[derive(Debug, Default)]
pub(in crate::codec::jpeg) struct Writer {
    bytes: Vec<u8>,
    buffer: u64,
    bits: u32,
}

impl Writer {
    /// With room for so many bytes.
    pub(in crate::codec::jpeg) fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            ..Self::default()
        }
    }

    /// The bytes; the writer has been aligned.
    pub(in crate::codec::jpeg) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The bytes so far; bits that fill no byte yet are not among them.
    pub(in crate::codec::jpeg) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets the bytes so far.
    pub(in crate::codec::jpeg) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Appends a marker or segment as it is; the writer has been aligned.
    pub(in crate::codec::jpeg) fn plain(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends the low `count` bits of `value`, at most 32, the others being 0.
    #[inline]
    pub(in crate::codec::jpeg) fn put(&mut self, value: u32, count: u32) {
        self.buffer = self.buffer << count | u64::from(value);
        self.bits += count;
        if self.bits >= 32 {
            self.bits -= 32;
            let [.., a, b, c, d] = (self.buffer >> self.bits).to_be_bytes();
            self.emit([a, b, c, d]);
        }
    }

    #[inline]
    fn emit(&mut self, word: [u8; 4]) {
        if has_255(u64::from(u32::from_be_bytes(word))) {
            for byte in word {
                self.emit_byte(byte);
            }
        } else {
            self.bytes.extend_from_slice(&word);
        }
    }

    fn emit_byte(&mut self, byte: u8) {
        self.bytes.push(byte);
        if byte == 0xff {
            self.bytes.push(0);
        }
    }

    /// Pads with ones to a whole byte.
    pub(in crate::codec::jpeg) fn align(&mut self) {
        let missing = (8 - self.bits % 8) % 8;
        self.put((1 << missing) - 1, missing);
        while self.bits > 0 {
            self.bits -= 8;
            let [.., byte] = (self.buffer >> self.bits).to_be_bytes();
            self.emit_byte(byte);
        }
    }

    /// Appends the bits of `data` from one place to another, both found by a [`Reader`] on it.
    pub(in crate::codec::jpeg) fn copy(
        &mut self,
        data: &[u8],
        from: Place,
        to: Place,
    ) -> Option<()> {
        let mut at = from.byte;
        if from.bit > 0 && at < to.byte {
            let byte = *data.get(at)?;
            let count = 8 - from.bit;
            self.put(u32::from(byte) & ((1 << count) - 1), count);
            at += width(byte);
        }
        while at < to.byte {
            let word = data.get(at..to.byte)?.first_chunk::<4>();
            let word = word.map(|bytes| u32::from_be_bytes(*bytes));
            if let Some(word) = word.filter(|word| !has_255(u64::from(*word))) {
                self.put(word, 32);
                at += 4;
                continue;
            }
            let byte = *data.get(at)?;
            self.put(byte.into(), 8);
            at += width(byte);
        }
        let first = if from.byte == to.byte { from.bit } else { 0 };
        let count = to.bit.checked_sub(first)?;
        if count > 0 {
            let byte = u32::from(*data.get(to.byte)?);
            self.put(byte >> (8 - to.bit) & ((1 << count) - 1), count);
        }
        Some(())
    }
}

/// Bytes that a coded byte takes.
const fn width(byte: u8) -> usize {
    if byte == 0xff { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits of both kinds, with many bytes of 255.
    fn sample() -> (Vec<u8>, Vec<(u32, u32)>) {
        let mut writer = Writer::default();
        let mut values = Vec::new();
        let mut state = 5_u32;
        for _ in 0..4000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let count = 1 + (state >> 8) % 16;
            let ones = (state >> 28) < 6;
            let value = if ones { u32::MAX } else { state >> 3 } & ((1 << count) - 1);
            writer.put(value, count);
            values.push((value, count));
        }
        writer.align();
        (writer.bytes().to_vec(), values)
    }

    fn next(reader: &mut Reader<'_>, count: u32) -> u32 {
        reader.need();
        let value = u32::try_from(reader.buffer() >> (64 - count)).unwrap();
        reader.take(count);
        value
    }

    #[test]
    fn what_is_written_is_read_and_255_is_stuffed() {
        let (bytes, values) = sample();
        let after = |at: usize| bytes.get(at + 1).copied();
        let stuffed = (0..bytes.len()).filter(|at| bytes[*at] == 0xff);
        assert!(stuffed.clone().count() > 200);
        assert!(stuffed.into_iter().all(|at| after(at) == Some(0)));
        let mut reader = Reader::new(&bytes, Place { byte: 0, bit: 0 });
        for (value, count) in values {
            assert_eq!(next(&mut reader, count), value);
        }
        assert!(!reader.is_past_end());
        next(&mut reader, 16);
        assert!(reader.is_past_end());
    }

    #[test]
    fn a_place_is_where_a_reader_goes_on_and_copies_end() {
        let (bytes, values) = sample();
        let start = Place { byte: 0, bit: 0 };
        let mut reader = Reader::new(&bytes, start);
        let mut places = vec![start];
        for (value, count) in &values {
            let mut other = Reader::new(&bytes, *places.last().unwrap());
            assert_eq!(next(&mut other, *count), *value);
            next(&mut reader, *count);
            places.push(reader.place());
        }
        for (from, to) in [(0, 1), (3, 3), (17, 18), (1, 4000), (1234, 2345)] {
            let mut copy = Writer::default();
            copy.put(5, 3);
            copy.copy(&bytes, places[from], places[to]).unwrap();
            copy.align();
            let mut expected = Writer::default();
            expected.put(5, 3);
            for (value, count) in &values[from..to] {
                expected.put(*value, *count);
            }
            expected.align();
            assert_eq!(copy.bytes(), expected.bytes(), "{from} to {to}");
        }
    }

    #[test]
    fn a_restart_marker_counts_where_it_comes_next_with_its_number_alone() {
        let bytes = [0b1010_1111, 0xff, 0xd3, 0x80];
        let mut reader = Reader::new(&bytes, Place { byte: 0, bit: 0 });
        assert!(reader.restart(3).is_none(), "a byte is left before it");
        reader.take(4);
        assert!(reader.restart(4).is_none());
        reader.restart(3).unwrap();
        assert_eq!(reader.place(), Place { byte: 3, bit: 0 });
        assert_eq!(next(&mut reader, 1), 1);
    }
}
