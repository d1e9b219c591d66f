//! The tables of ITU-T T.81 Annex K, quantisers scaled as the IJG's library scales them.

/// Where the coefficients of a block stand, in the order of coding.
///
/// Source: ITU-T T.81 figure A.6.
pub const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Quantisers of luma at quality 50, row by row.
///
/// Source: ITU-T T.81 table K.1.
const LUMA: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/// Quantisers of colour at quality 50, row by row.
///
/// Source: ITU-T T.81 table K.2.
const CHROMA: [u8; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/// The quantisers of luma and of colour at a quality of 1 to 100, in the order of coding.
///
/// Source: `jpeg_quality_scaling` and `jpeg_add_quant_table` of libjpeg, baseline forced.
///
/// ```
/// use triforium::render::jpeg::quantisers;
/// let [luma, chroma] = quantisers(50);
/// assert_eq!((luma[0], chroma[0]), (16, 17));
/// assert_eq!(quantisers(100), [[1; 64]; 2]);
/// ```
pub fn quantisers(quality: u8) -> [[u8; 64]; 2] {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 {
        5000 / quality
    } else {
        200 - 2 * quality
    };
    [LUMA, CHROMA].map(|natural| {
        ZIGZAG.map(|place| {
            let scaled = (u32::from(natural[usize::from(place)]) * percent + 50) / 100;
            u8::try_from(scaled.max(1)).unwrap_or(u8::MAX)
        })
    })
}

/// A Huffman table as it stands in a file: how many codes have 1 to 16 bits, and the symbols by code.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spec {
    pub(super) counts: [u8; 16],
    pub(super) symbols: &'static [u8],
}

/// Source: ITU-T T.81 tables K.3 and K.4.
pub(super) const DC: [Spec; 2] = [
    Spec {
        counts: [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
        symbols: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    },
    Spec {
        counts: [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
        symbols: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    },
];

/// Source: ITU-T T.81 tables K.5 and K.6.
pub(super) const AC: [Spec; 2] = [
    Spec {
        counts: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
        symbols: &[
            0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51,
            0x61, 0x07, 0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1,
            0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18,
            0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39,
            0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57,
            0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75,
            0x76, 0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92,
            0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
            0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3,
            0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8,
            0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2,
            0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
        ],
    },
    Spec {
        counts: [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119],
        symbols: &[
            0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07,
            0x61, 0x71, 0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09,
            0x23, 0x33, 0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25,
            0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x35, 0x36, 0x37, 0x38,
            0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56,
            0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74,
            0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
            0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5,
            0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba,
            0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6,
            0xd7, 0xd8, 0xd9, 0xda, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2,
            0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
        ],
    },
];

/// The codes of one kind of component by symbol: the code itself, and its bits in the upper half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codes {
    /// By the bits of a DC difference, 0 to 11.
    pub dc: [u32; 16],
    /// By a run of zeros × 16 + the bits of the coefficient behind it.
    pub ac: [u32; 256],
}

/// The codes of luma and of colour.
///
/// Source: ITU-T T.81 Annex C.
///
/// ```
/// let [luma, _] = triforium::render::jpeg::codes();
/// assert_eq!(luma.ac[0x00], 4 << 16 | 0b1010); // the end of a block
/// ```
pub fn codes() -> [Codes; 2] {
    [0, 1].map(|kind| {
        let mut codes = Codes {
            dc: [0; 16],
            ac: [0; 256],
        };
        assign(DC[kind], &mut codes.dc);
        assign(AC[kind], &mut codes.ac);
        codes
    })
}

fn assign(spec: Spec, codes: &mut [u32]) {
    let (mut code, mut symbols) = (0, spec.symbols.iter());
    for (bits, &count) in (1..).zip(&spec.counts) {
        for &symbol in symbols.by_ref().take(usize::from(count)) {
            codes[usize::from(symbol)] = bits << 16 | code;
            code += 1;
        }
        code <<= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_coding_visits_every_place_once() {
        let mut seen = ZIGZAG;
        seen.sort_unstable();
        assert!(seen.iter().copied().eq(0..64));
    }

    #[test]
    fn quantisers_stay_in_a_byte_and_grow_as_quality_falls() {
        let mut last = quantisers(100);
        for quality in (1..100).rev() {
            let next = quantisers(quality);
            let pairs = next.as_flattened().iter().zip(last.as_flattened());
            assert!(pairs.clone().all(|(new, old)| new >= old), "{quality}");
            last = next;
        }
        assert_eq!(last, [[255; 64]; 2]);
    }

    #[test]
    fn no_code_is_the_beginning_of_another_and_none_is_all_ones() {
        for Codes { dc, ac } in codes() {
            for table in [&dc[..12], &ac[..]] {
                let mut all: Vec<(u32, u32)> = table
                    .iter()
                    .filter(|&&code| code != 0)
                    .map(|code| (code >> 16, code & 0xffff))
                    .collect();
                all.sort_unstable();
                assert!(matches!(all.len(), 12 | 162));
                for (at, &(bits, code)) in all.iter().enumerate() {
                    assert!(code < (1 << bits) - 1);
                    let begins = |&(more, other): &(u32, u32)| other >> (more - bits) == code;
                    assert!(!all[at + 1..].iter().any(begins));
                }
            }
        }
    }
}
