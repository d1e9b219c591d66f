//! 64 bytes in as many bits as their largest needs.
//!
//! A block is eight words of eight bytes. Each of the eight lanes is a stream of its own: byte *j*'s
//! bits follow those of byte *j* − 1, so that a block of width *w* is *w* words and every word yields
//! eight bytes with two shifts and two masks, without a look at single bits.

/// Bytes as the lanes of words: word *j* holds byte *j* of every lane.
pub(super) type Block = [u64; 8];

/// The same byte in every lane.
pub(super) const fn splat(byte: u8) -> u64 {
    byte as u64 * 0x0101_0101_0101_0101
}

/// The bits that each byte needs.
const WIDTHS: [u8; 256] = {
    let mut widths = [0; 256];
    let mut byte = 1;
    while byte < widths.len() {
        widths[byte] = widths[byte / 2] + 1;
        byte += 1;
    }
    widths
};

/// The bits that the largest byte of `block` needs, 0 to 8.
pub(super) fn width(block: &Block) -> u8 {
    let all = block.iter().fold(0, |all, word| all | word);
    let all = all | (all >> 32);
    let all = all | (all >> 16);
    let [byte, ..] = (all | (all >> 8)).to_le_bytes();
    WIDTHS[usize::from(byte)]
}

/// Appends `block` in `width` bits a byte. No byte of it may need more.
pub(super) fn put(block: &Block, width: u8, out: &mut Vec<u8>) {
    match width {
        0 => {}
        1 => put_words(pack::<1>(block), out),
        2 => put_words(pack::<2>(block), out),
        3 => put_words(pack::<3>(block), out),
        4 => put_words(pack::<4>(block), out),
        5 => put_words(pack::<5>(block), out),
        6 => put_words(pack::<6>(block), out),
        7 => put_words(pack::<7>(block), out),
        _ => put_words(*block, out),
    }
}

/// The block that `width` words at the start of `bytes` hold; `None` where there are fewer.
#[inline]
pub(super) fn take(bytes: &[u8], width: u8) -> Option<Block> {
    Some(match width {
        0 => [0; 8],
        1 => unpack::<1>(words(bytes)?),
        2 => unpack::<2>(words(bytes)?),
        3 => unpack::<3>(words(bytes)?),
        4 => unpack::<4>(words(bytes)?),
        5 => unpack::<5>(words(bytes)?),
        6 => unpack::<6>(words(bytes)?),
        7 => unpack::<7>(words(bytes)?),
        8 => words(bytes)?,
        _ => return None,
    })
}

fn put_words<const W: usize>(words: [u64; W], out: &mut Vec<u8>) {
    for word in words {
        out.extend_from_slice(&word.to_le_bytes());
    }
}

#[inline]
fn words<const W: usize>(bytes: &[u8]) -> Option<[u64; W]> {
    let (whole, _) = bytes.as_chunks::<8>();
    let words = whole.first_chunk::<W>()?;
    Some(words.map(u64::from_le_bytes))
}

/// The `bits` lowest bits of every lane.
const fn lowest(bits: usize) -> u64 {
    splat(if bits >= 8 { 0xff } else { (1 << bits) - 1 })
}

fn pack<const W: usize>(block: &Block) -> [u64; W] {
    let mut words = [0; W];
    for (j, bytes) in block.iter().enumerate() {
        let (word, shift) = (j * W / 8, j * W % 8);
        words[word] |= (bytes & lowest(8 - shift)) << shift;
        if shift + W > 8 {
            words[word + 1] |= (bytes >> (8 - shift)) & lowest(shift + W - 8);
        }
    }
    words
}

#[inline]
fn unpack<const W: usize>(words: [u64; W]) -> Block {
    let mut block = [0; 8];
    for (j, bytes) in block.iter_mut().enumerate() {
        let (word, shift) = (j * W / 8, j * W % 8);
        *bytes = (words[word] >> shift) & lowest(W.min(8 - shift));
        if shift + W > 8 {
            *bytes |= (words[word + 1] << (8 - shift)) & (lowest(W) & !lowest(8 - shift));
        }
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_block_comes_back(block: Block, bits in 0_usize..=8) {
            let block = block.map(|word| word & if bits == 0 { 0 } else { lowest(bits) });
            let width = width(&block);
            prop_assert!(usize::from(width) <= bits);
            let mut bytes = Vec::new();
            put(&block, width, &mut bytes);
            prop_assert_eq!(bytes.len(), 8 * usize::from(width));
            prop_assert_eq!(take(&bytes, width), Some(block));
            if let Some((_, shorter)) = bytes.split_last() {
                prop_assert_eq!(take(shorter, width), None);
            }
        }
    }

    #[test]
    fn no_block_is_wider_than_its_bytes() {
        assert_eq!(take(&[0; 128], 9), None);
        assert_eq!(take(&[0; 128], 255), None);
    }
}
