//! PLT segments → the lengths of a tile-part's packets.
//!
//! Source: ISO/IEC 15444-1 A.7.3 and Table A.36.

use crate::error::Result;

use super::packed;

/// The lengths in the contents of all PLT segments of one tile-part. A length that is not whole is left
/// out, and one of more than 32 bits is 0: neither agrees with the packets.
pub(super) fn packet_lengths(segments: Vec<Vec<u8>>) -> Result<Vec<u32>> {
    let mut lengths = Vec::new();
    let mut length = 0_u32;
    for byte in packed::joined(segments)? {
        length = length.checked_mul(1 << 7).unwrap_or(0) | u32::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            lengths.push(length);
            length = 0;
        }
    }
    Ok(lengths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_seven_bits_a_byte_and_go_on_in_the_next_segment() {
        let segments = vec![vec![1, 0x01, 0x7F], vec![0, 0x05, 0x81, 0x80]];
        assert_eq!(
            packet_lengths(segments).expect("whole"),
            [5, 1 << 14 | 1, 127]
        );
        assert_eq!(packet_lengths(Vec::new()).expect("none"), [0; 0]);
    }
}
