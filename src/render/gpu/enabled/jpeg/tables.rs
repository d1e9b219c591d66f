//! The words of `tables` in the shaders, the same for every batch.

use crate::render::jpeg::{Codes, ZIGZAG, codes, quantisers};

/// The first word of DC codes, 16 of luma and 16 of colour.
pub(super) const DC_CODES: u32 = 64;
/// The first word of AC codes, 256 of luma and 256 of colour.
pub(super) const AC_CODES: u32 = DC_CODES + 2 * 16;
/// The first word of the quantisers of quality 1, 64 of luma and 64 of colour; others follow.
pub(super) const QUANTISERS: u32 = AC_CODES + 2 * 256;

/// The first word of a quality's quantisers.
pub(super) fn quantisers_at(quality: u8) -> u32 {
    QUANTISERS + 128 * (u32::from(quality.clamp(1, 100)) - 1)
}

/// All of them: the order of coding, codes, quantisers of every quality; 53 KB.
pub(super) fn words() -> Vec<u32> {
    let mut words: Vec<u32> = ZIGZAG.map(u32::from).to_vec();
    let kinds: [Codes; 2] = codes();
    words.extend(kinds.iter().flat_map(|codes| codes.dc));
    words.extend(kinds.iter().flat_map(|codes| codes.ac));
    for quality in 1..=100 {
        words.extend(
            quantisers(quality)
                .as_flattened()
                .iter()
                .map(|&q| u32::from(q)),
        );
    }
    words
}
