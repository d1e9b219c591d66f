//! Codes → a file: the segments before them, the bytes that 0xFF asks for among them, the end.

use crate::geometry::Dimensions;

use super::tables::{AC, DC, Spec, quantisers};

/// What stands in a file's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Of the picture, at most 65500 a side.
    pub dimensions: Dimensions,
    /// One component instead of three.
    pub gray: bool,
    /// IJG quality, 1 to 100.
    pub quality: u8,
}

/// The file of `head` whose codes are the first `bits` of `words`; the last byte is filled up with ones.
///
/// Shapes: `words` little-endian words of 4 bytes, each with the first bit of the stream uppermost.
/// Source: ITU-T T.81 B.1.1.5 and F.1.2.3; JFIF 1.01, without a density.
///
/// # Panics
///
/// When `words` has fewer bits.
pub fn file(head: Head, words: &[u8], bits: u32) -> Vec<u8> {
    let length = bits.div_ceil(8) as usize;
    let (whole, rest) = words.split_at(length / 4 * 4);
    let mut out = Vec::with_capacity(700 + length + length / 64);
    header(&mut out, head);
    let (pairs, word) = whole.as_chunks::<8>();
    for pair in pairs {
        // Two words, each turned around.
        stuff(
            &mut out,
            u64::from_le_bytes(*pair).rotate_left(32).to_be_bytes(),
        );
    }
    for word in word.as_chunks::<4>().0 {
        stuff(&mut out, u32::from_le_bytes(*word).to_be_bytes());
    }
    if !length.is_multiple_of(4) {
        for &byte in rest[..4].iter().rev().take(length % 4) {
            stuff(&mut out, [byte]);
        }
    }
    out.extend([0xff, 0xd9]);
    out
}

/// Appends bytes of codes: a zero follows each 0xFF, which would begin a marker else.
fn stuff<const N: usize>(out: &mut Vec<u8>, bytes: [u8; N]) {
    // One comparison of all bytes at once; that none is 0xFF is by far the most common case.
    if !bytes.contains(&0xff) {
        out.extend_from_slice(&bytes);
        return;
    }
    for byte in bytes {
        out.push(byte);
        if byte == 0xff {
            out.push(0);
        }
    }
}

/// The segments in libjpeg's order: each table once, before the frame or the scan that needs it.
fn header(out: &mut Vec<u8>, head: Head) {
    let kinds = if head.gray { 1 } else { 2 };
    out.extend([0xff, 0xd8]);
    segment(out, 0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    for (number, table) in (0..).zip(&quantisers(head.quality)).take(kinds) {
        let mut content = vec![number];
        content.extend(table);
        segment(out, 0xdb, &content);
    }
    segment(out, 0xc0, &frame(head));
    for (number, (dc, ac)) in (0..).zip(DC.iter().zip(&AC)).take(kinds) {
        segment(out, 0xc4, &huffman(number, dc));
        segment(out, 0xc4, &huffman(0x10 | number, ac));
    }
    let scan: &[u8] = if head.gray {
        &[1, 1, 0, 0, 63, 0]
    } else {
        &[3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]
    };
    segment(out, 0xda, scan);
}

fn segment(out: &mut Vec<u8>, marker: u8, content: &[u8]) {
    out.extend([0xff, marker]);
    out.extend(side(content.len() + 2));
    out.extend(content);
}

fn frame(head: Head) -> Vec<u8> {
    let Dimensions { width, height } = head.dimensions;
    let mut content = vec![8];
    content.extend(side(height as usize));
    content.extend(side(width as usize));
    if head.gray {
        content.extend([1, 1, 0x11, 0]);
    } else {
        content.extend([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
    }
    content
}

fn huffman(number: u8, spec: &Spec) -> Vec<u8> {
    let mut content = vec![number];
    content.extend(spec.counts);
    content.extend(spec.symbols);
    content
}

fn side(number: usize) -> [u8; 2] {
    u16::try_from(number)
        .expect("segments are short, and no side exceeds 65500")
        .to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head = Head {
        dimensions: Dimensions {
            width: 8,
            height: 8,
        },
        gray: true,
        quality: 75,
    };

    /// What stands between the scan's header and the end marker.
    fn codes(bytes: &[u8], bits: u32) -> Vec<u8> {
        let mut words = Vec::new();
        for word in bytes.chunks(4) {
            let mut turned = [0; 4];
            turned[..word.len()].copy_from_slice(word);
            turned.reverse();
            words.extend(turned);
        }
        let file = file(HEAD, &words, bits);
        let begin = file
            .windows(2)
            .position(|pair| pair == [0xff, 0xda])
            .unwrap()
            + 10;
        assert!(file.ends_with(&[0xff, 0xd9]));
        file[begin..file.len() - 2].to_vec()
    }

    #[test]
    fn bytes_come_in_the_order_of_the_stream_whatever_their_number() {
        let bytes: Vec<u8> = (1..30).collect();
        for length in 0..=29_u8 {
            assert_eq!(
                codes(&bytes, u32::from(length) * 8),
                bytes[..usize::from(length)]
            );
        }
        assert_eq!(codes(&bytes, 33), bytes[..5]);
    }

    #[test]
    fn a_zero_follows_each_byte_of_ones_wherever_it_stands() {
        for at in 0..13_usize {
            let mut bytes: Vec<u8> = (1..=13).collect();
            bytes[at] = 0xff;
            let mut stuffed = bytes.clone();
            stuffed.insert(at + 1, 0);
            assert_eq!(codes(&bytes, 13 * 8), stuffed, "at {at}");
        }
        assert_eq!(codes(&[0xff; 9], 72), [0xff, 0].repeat(9));
    }
}
