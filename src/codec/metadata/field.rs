//! One entry of a TIFF directory with its values: how descriptive metadata travel from a master to a
//! new file, whatever their tags mean.
//!
//! Source: TIFF 6.0 (1992), section 2; EXIF 2.32, 4.6.

/// A tag with its values, in little-endian order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What it is about.
    pub tag: u16,
    /// The values' type, as TIFF numbers them.
    pub kind: u16,
    /// How many values there are.
    pub count: u64,
    /// The values.
    pub bytes: Vec<u8>,
}

/// TIFF's number for bytes.
pub(in crate::codec) const BYTE: u16 = 1;
/// TIFF's number for text that ends with a zero.
pub(in crate::codec) const ASCII: u16 = 2;
/// TIFF's number for numbers of 16 bits.
pub(in crate::codec) const SHORT: u16 = 3;
/// TIFF's number for numbers of 32 bits.
pub(in crate::codec) const LONG: u16 = 4;
/// TIFF's number for fractions of two numbers of 32 bits.
pub(in crate::codec) const RATIONAL: u16 = 5;
/// TIFF's number for bytes without a meaning.
pub(in crate::codec) const UNDEFINED: u16 = 7;
/// `BigTIFF`'s number for numbers of 64 bits.
pub(in crate::codec) const LONG8: u16 = 16;

/// Bytes of one value, and of the units in it whose order depends on the file's; `None` for types that
/// point elsewhere in a file or are not known.
pub(in crate::codec) const fn sizes(kind: u16) -> Option<(usize, usize)> {
    match kind {
        BYTE | ASCII | 6 | UNDEFINED => Some((1, 1)),
        SHORT | 8 => Some((2, 2)),
        LONG | 9 | 11 => Some((4, 4)),
        RATIONAL | 10 => Some((8, 4)),
        12 => Some((8, 8)),
        _ => None,
    }
}

impl Field {
    /// Numbers of 16 bits.
    pub fn shorts(tag: u16, values: &[u16]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        Self::new(tag, SHORT, values.len(), bytes.collect())
    }

    /// Numbers of 32 bits.
    pub fn longs(tag: u16, values: &[u32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        Self::new(tag, LONG, values.len(), bytes.collect())
    }

    /// Numbers of 64 bits, which only `BigTIFF` has.
    pub fn longs8(tag: u16, values: &[u64]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        Self::new(tag, LONG8, values.len(), bytes.collect())
    }

    /// Text.
    pub fn text(tag: u16, text: &str) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        Self::new(tag, ASCII, bytes.len(), bytes)
    }

    /// Bytes with or without a meaning, as `kind` says.
    pub fn opaque(tag: u16, kind: u16, bytes: Vec<u8>) -> Self {
        Self::new(tag, kind, bytes.len(), bytes)
    }

    /// Fractions.
    pub fn rationals(tag: u16, values: &[(u32, u32)]) -> Self {
        let bytes = values
            .iter()
            .flat_map(|(above, below)| [above.to_le_bytes(), below.to_le_bytes()].concat());
        Self::new(tag, RATIONAL, values.len(), bytes.collect())
    }

    fn new(tag: u16, kind: u16, count: usize, bytes: Vec<u8>) -> Self {
        Self {
            tag,
            kind,
            count: count as u64,
            bytes,
        }
    }

    /// The values in this machine's order.
    pub(in crate::codec) fn native(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        if cfg!(target_endian = "big")
            && let Some((_, unit)) = sizes(self.kind)
        {
            for number in bytes.chunks_exact_mut(unit) {
                number.reverse();
            }
        }
        bytes
    }

    /// The text that it holds, if it holds any.
    pub fn as_text(&self) -> Option<&str> {
        let bytes = self.bytes.strip_suffix(&[0]).unwrap_or(&self.bytes);
        let text = std::str::from_utf8(bytes).ok()?;
        (self.kind == ASCII).then_some(text)
    }

    /// The number of 16 bits that it begins with, if it holds such.
    pub(super) fn as_short(&self) -> Option<u16> {
        let bytes = self.bytes.first_chunk::<2>()?;
        (self.kind == SHORT).then(|| u16::from_le_bytes(*bytes))
    }

    /// The fraction that it begins with, if it holds such.
    pub(super) fn as_fraction(&self) -> Option<f64> {
        let (above, rest) = self.bytes.split_first_chunk::<4>()?;
        let below = rest.first_chunk::<4>()?;
        let (above, below) = (u32::from_le_bytes(*above), u32::from_le_bytes(*below));
        (self.kind == RATIONAL && below > 0).then(|| f64::from(above) / f64::from(below))
    }
}
