//! JPEG 2000 with headers that are good: the fuzzer's bytes are packets or codewords, so that it gets
//! behind the checks of headers at once.

#[path = "../../tests/oracle/openjpeg.rs"]
#[expect(dead_code, reason = "tests use all of it")]
mod openjpeg;

/// Before a code stream: what [`crate::master`] knows it by.
const START: &[u8] = &[0xFF, 0x4F, 0xFF, 0x51];

/// Bits of a code-block style that keep a block's codeword in one piece (ISO/IEC 15444-1 Table A.19):
/// reset, vertically causal, predictable termination, segmentation symbols.
const ONE_PIECE: u8 = 2 | 8 | 16 | 32;

/// The high-throughput coder (ISO/IEC 15444-15).
const HIGH_THROUGHPUT: u8 = 64;

/// A marker segment.
fn segment(code: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap_or(u16::MAX);
    [
        &code.to_be_bytes(),
        length.to_be_bytes().as_slice(),
        content,
    ]
    .concat()
}

/// SOC and SIZ of `width` × `height` pixels with so many components of 8 bits, sampled alike or not.
fn size(width: u32, height: u32, tile: u32, components: &[(u8, u8)]) -> Vec<u8> {
    let mut content = vec![0x40, 0];
    for number in [width, height, 0, 0, tile, tile, 0, 0] {
        content.extend(number.to_be_bytes());
    }
    content.extend(u16::try_from(components.len()).unwrap_or(0).to_be_bytes());
    for (step_x, step_y) in components {
        content.extend([7, *step_x, *step_y]);
    }
    [vec![0xFF, 0x4F], segment(0xFF51, &content)].concat()
}

/// A tile-part with a header of its own.
fn tile_part(tile: u16, part: u8, header: &[u8], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len() + header.len() + 14).unwrap_or(u32::MAX);
    let mut content = tile.to_be_bytes().to_vec();
    content.extend(length.to_be_bytes());
    content.extend([part, 0]);
    [&segment(0xFF90, &content), header, &[0xFF, 0x93], data].concat()
}

/// Packets of a stream whose coding the first bytes choose: order, layers, decompositions, precincts,
/// blocks, modes, markers between packets, packed headers, a list of lengths.
///
/// # Panics
///
/// When a promise of the codec room does not hold.
pub fn packets(bytes: &[u8]) {
    let Some(([order, layers, depth, style, modes, precinct, frame, cut], rest)) =
        bytes.split_first_chunk::<8>()
    else {
        return;
    };
    let components: &[(u8, u8)] = match frame >> 6 {
        0 => &[(1, 1)],
        1 => &[(1, 1), (2, 2), (2, 1)],
        _ => &[(1, 1), (1, 1), (1, 1)],
    };
    let tile: u16 = if frame & 8 == 0 { 150 } else { 70 };
    let mut stream = size(150, 90, tile.into(), components);
    let depth = depth % 6;
    let mixed = u8::from(frame & 0x10 != 0 && components.len() == 3 && frame >> 6 > 1);
    let mut coding = vec![1 | frame & 6, order % 5, 0, layers % 12 + 1, mixed, depth];
    coding.extend([style & 3, style >> 2 & 3, modes & 0x7F, style >> 4 & 1]);
    // Sides of 2 to 256.
    let side = |byte: u8| (byte & 7) + 1;
    coding.extend((0..=depth).map(|_| side(precinct >> 4) << 4 | side(*precinct)));
    stream.extend(segment(0xFF52, &coding));
    let steps = vec![0x48; usize::from(depth) * 3 + 1];
    stream.extend(segment(0xFF5C, &[vec![0x40], steps].concat()));
    if order & 0x80 != 0 {
        let change = [0, 0, 0, layers % 3 + 1, depth / 2 + 1, 3, order >> 3 & 3];
        let other = [0, 0, 0, 99, 33, 3, order % 5];
        stream.extend(segment(0xFF5F, &[change, other].concat()));
    }
    let (first, second) = rest.split_at(usize::from(*cut).min(rest.len()));
    let tiles = 150_u16.div_ceil(tile) * 90_u16.div_ceil(tile);
    let chunk = second.len() / usize::from(tiles);
    for number in 0..tiles {
        let start = usize::from(number) * chunk;
        let data = &second[start..start + chunk];
        let header = match frame & 0x21 {
            // Their headers, or their lengths, are the bytes before.
            1 => segment(0xFF61, &[&[0], first].concat()),
            0x20 => segment(0xFF58, &[&[0], first].concat()),
            _ => Vec::new(),
        };
        stream.extend(tile_part(number, 0, &header, data));
    }
    stream.extend([0xFF, 0xD9]);
    crate::master(&[START], &stream);
}

/// Writes the bits of a packet header (ISO/IEC 15444-1 B.10.1).
struct Bits {
    bytes: Vec<u8>,
    byte: u8,
    left: u32,
}

impl Bits {
    fn put(&mut self, number: u32, width: u32) {
        for place in (0..width).rev() {
            self.left -= 1;
            self.byte |= u8::from(number >> place & 1 == 1) << self.left;
            if self.left == 0 {
                self.bytes.push(self.byte);
                self.left = if self.byte == 0xFF { 7 } else { 8 };
                self.byte = 0;
            }
        }
    }

    fn end(mut self) -> Vec<u8> {
        if self.left < 8 {
            self.bytes.push(self.byte);
        }
        self.bytes
    }
}

/// One code-block whose codeword is the fuzzer's; the first bytes choose its sides, modes, planes and
/// passes.
///
/// # Panics
///
/// When a promise of the codec room does not hold.
pub fn block(bytes: &[u8]) {
    let Some(stream) = block_stream(bytes) else {
        return;
    };
    crate::master(&[START], &stream);
    // Codewords that no encoder of Part 15 writes mean what a decoder likes.
    if bytes[2] & HIGH_THROUGHPUT == 0 {
        same(&stream, bytes[2] >> 7 == 1);
    }
}

/// Compares with another decoder where both read the stream: exactly where numbers are whole, within one
/// where they are rounded.
fn same(stream: &[u8], reversible: bool) {
    let (Some(ours), Some(theirs)) = (crate::gray(stream), openjpeg::decode(stream, 0, None))
    else {
        return;
    };
    let most = i32::from(!reversible);
    let close = |(ours, theirs): (&u8, &i32)| (i32::from(*ours) - theirs).abs() <= most;
    assert_eq!(ours.len(), theirs[0].samples.len());
    assert!(
        ours.iter().zip(&theirs[0].samples).all(close),
        "another decoder sees other pixels"
    );
}

/// A code stream of one block.
pub fn block_stream(bytes: &[u8]) -> Option<Vec<u8>> {
    let ([width, height, modes, planes, passes, split], codeword) =
        bytes.split_first_chunk::<6>()?;
    let (width, height) = (u32::from(width % 64) + 1, u32::from(height % 64) + 1);
    let is_fast = modes & HIGH_THROUGHPUT != 0;
    let style = if is_fast {
        HIGH_THROUGHPUT | modes & 8
    } else {
        modes & ONE_PIECE
    };
    // Two guard bits and exponents of 8 to 23: nothing is empty.
    let exponent = planes % 16 + 8;
    let most = if is_fast { 3 } else { 3 * (exponent + 1) - 2 };
    let passes = u32::from(passes % most) + 1;
    let codeword = codeword.get(..codeword.len().min(4000))?;
    let length = u32::try_from(codeword.len()).ok()?;
    let first = if is_fast && passes > 1 {
        length * u32::from(*split) / 256
    } else {
        length
    };
    let mut bits = Bits {
        bytes: Vec::new(),
        byte: 0,
        left: 8,
    };
    // Not empty; included; no empty plane.
    bits.put(0b111, 3);
    match passes {
        1 => bits.put(0, 1),
        2 => bits.put(0b10, 2),
        3..=5 => bits.put(0b1100 | (passes - 3), 4),
        6..=36 => bits.put(0b1111 << 5 | (passes - 6), 9),
        _ => bits.put(0b1_1111_1111 << 7 | (passes - 37), 16),
    }
    // Lblock of 12: lengths of 12 bits, and more where passes share them.
    bits.put(0b11_1111_1110, 10);
    if is_fast {
        bits.put(first, 12);
        if passes > 1 {
            bits.put(length - first, 12 + (passes - 1).ilog2());
        }
    } else {
        bits.put(length, 12 + passes.ilog2());
    }
    let mut stream = size(width, height, 64, &[(1, 1)]);
    if is_fast {
        stream.extend(segment(0xFF50, &[0, 2, 0, 0, 0, 0]));
    }
    let reversible = modes >> 7;
    stream.extend(segment(
        0xFF52,
        &[0, 0, 0, 1, 0, 0, 4, 4, style, reversible],
    ));
    stream.extend(segment(0xFF5C, &[0x40, exponent << 3]));
    let data = [&bits.end(), codeword].concat();
    stream.extend(tile_part(0, 0, &[], &data));
    stream.extend([0xFF, 0xD9]);
    Some(stream)
}
