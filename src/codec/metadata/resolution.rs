//! Resolutions that containers say in their own ways → densities.
//!
//! Damage ends a walk and fails nothing.
//!
//! Source: ISO/IEC 15444-1 I.5.3.7; JFIF 1.02.

use crate::codec::Density;
use crate::error::Result;
use crate::reader::RangeReader;

/// Most boxes that are looked at.
const MAX_BOXES: usize = 1000;
/// Bytes of a resolution box's content.
const RESOLUTION_BYTES: u64 = 10;

/// The capture resolution of a JP2, else the one that it is shown at by default.
///
/// # Errors
///
/// Those of the reader.
pub(super) fn of_jp2(reader: &dyn RangeReader) -> Result<Option<Density>> {
    let whole = (0, reader.length());
    let Some(header) = inside(reader, whole, *b"jp2h")? else {
        return Ok(None);
    };
    let Some(resolution) = inside(reader, header, *b"res ")? else {
        return Ok(None);
    };
    for kind in [*b"resc", *b"resd"] {
        let found = inside(reader, resolution, kind)?;
        if let Some((start, _)) = found.filter(|(start, end)| end - start >= RESOLUTION_BYTES) {
            return Ok(density(&reader.read_vec(start, RESOLUTION_BYTES)?));
        }
    }
    Ok(None)
}

/// Where the content of the first box of `kind` is.
fn inside(
    reader: &dyn RangeReader,
    (mut at, end): (u64, u64),
    kind: [u8; 4],
) -> Result<Option<(u64, u64)>> {
    for _ in 0..MAX_BOXES {
        if end.saturating_sub(at) < 8 {
            break;
        }
        let head = reader.read_vec(at, (end - at).min(16))?;
        let number = |range| {
            let bytes = head
                .get::<std::ops::Range<usize>>(range)
                .unwrap_or_default();
            bytes
                .iter()
                .fold(0, |value, byte| value << 8 | u64::from(*byte))
        };
        let (content, length) = match number(0..4) {
            0 => (at + 8, end - at),
            1 => (at + 16, number(8..16)),
            length => (at + 8, length),
        };
        let Some(next) = at.checked_add(length).filter(|next| *next <= end) else {
            break;
        };
        if next < content {
            break;
        }
        if head.get(4..8) == Some(&kind) {
            return Ok(Some((content, next)));
        }
        at = next;
    }
    Ok(None)
}

/// Down before across: fractions of 16 bits, then powers of ten.
fn density(content: &[u8]) -> Option<Density> {
    let (numbers, powers) = content.split_first_chunk::<8>()?;
    let [down_power, across_power, ..] = *powers else {
        return None;
    };
    let number = |index: usize| {
        let pair = numbers.as_chunks::<2>().0.get(index)?;
        Some(f64::from(u16::from_be_bytes(*pair)))
    };
    let power = |byte: u8| 10_f64.powi(i32::from(byte.cast_signed()));
    let down = number(0)? / number(1)? * power(down_power);
    let across = number(2)? / number(3)? * power(across_power);
    Density::new(across, down)
}

/// The density of a JFIF segment's content; `None` where it is a ratio alone.
pub(in crate::codec) fn of_jfif(payload: &[u8]) -> Option<Density> {
    let fields = payload.strip_prefix(b"JFIF\0")?.get(2..7)?;
    let [unit, a, b, c, d] = *fields.first_chunk::<5>()?;
    let across = f64::from(u16::from_be_bytes([a, b]));
    let down = f64::from(u16::from_be_bytes([c, d]));
    match unit {
        1 => Density::of_inch(across, down),
        2 => Density::new(across * 100.0, down * 100.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).expect("short");
        [&length.to_be_bytes()[..], &kind, content].concat()
    }

    #[test]
    fn a_jp2_says_its_resolution_in_a_box_of_a_box_of_a_box() {
        // 11811 / 1 · 10^0 down, 23622 / 2 · 10^1 across.
        let content = [0x2e, 0x23, 0, 1, 0x5c, 0x46, 0, 2, 0, 1];
        let resolution = boxed(*b"res ", &boxed(*b"resd", &content));
        let header = boxed(*b"jp2h", &[boxed(*b"ihdr", &[0; 14]), resolution].concat());
        let file = [boxed(*b"jP  ", b"\r\n\x87\n"), header, boxed(*b"jp2c", b"")].concat();
        let density = of_jp2(&file).expect("readable");
        assert_eq!(density, Density::new(118_110.0, 11811.0));
        for length in 0..file.len() - 8 {
            let cut = file.get(..length).expect("shorter").to_vec();
            assert_eq!(of_jp2(&cut).expect("readable"), None, "{length}");
        }
    }

    #[test]
    fn how_a_jp2_was_captured_counts_before_how_it_is_shown() {
        let captured = boxed(*b"resc", &[0, 100, 0, 1, 0, 100, 0, 1, 0, 0]);
        let shown = boxed(*b"resd", &[0, 200, 0, 1, 0, 200, 0, 1, 1, 1]);
        let of = |boxes: &[u8]| {
            let header = boxed(*b"jp2h", &boxed(*b"res ", boxes));
            of_jp2(&header).expect("readable")
        };
        let both = [shown.clone(), captured].concat();
        assert_eq!(of(&both), Density::new(100.0, 100.0));
        assert_eq!(of(&shown), Density::new(2000.0, 2000.0));
        // One that is cut says nothing.
        let cut = boxed(*b"resc", &[0, 100, 0, 1, 0, 100]);
        assert_eq!(of(&[cut, shown].concat()), Density::new(2000.0, 2000.0));
    }

    #[test]
    fn boxes_may_have_lengths_of_eight_bytes_or_reach_to_the_end() {
        let content = [0, 100, 0, 1, 0, 50, 0, 1, 0, 0];
        let inner = boxed(*b"jp2h", &boxed(*b"res ", &boxed(*b"resc", &content)));
        let long = |content: &[u8]| {
            let length = content.len() as u64 + 16;
            [b"\0\0\0\x01jp2h", &length.to_be_bytes()[..], content].concat()
        };
        let last = |content: &[u8]| [b"\0\0\0\0jp2h", content].concat();
        let wanted = Density::new(50.0, 100.0);
        for head in [long(&inner[8..]), last(&inner[8..])] {
            let file = [boxed(*b"jP  ", b"\r\n\x87\n"), head].concat();
            assert_eq!(of_jp2(&file).expect("readable"), wanted);
        }
    }

    #[test]
    fn jfif_counts_in_inches_or_centimetres() {
        let segment = |unit| [b"JFIF\0\x01\x02".as_slice(), &[unit, 1, 44, 0, 100]].concat();
        assert_eq!(of_jfif(&segment(1)), Density::of_inch(300.0, 100.0));
        assert_eq!(of_jfif(&segment(2)), Density::new(30_000.0, 10_000.0));
        assert_eq!(of_jfif(&segment(0)), None);
        assert_eq!(of_jfif(b"JFIF\0"), None);
    }
}
