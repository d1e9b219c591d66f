//! Lossless JPEG → rows: samples of 2 to 16 bits, predicted from their neighbours, in Huffman's codes.
//!
//! In every build, by own code: gray, RGB and, of 8 bits, YCbCr, with components of one size. A picture is
//! decoded whole. JPEG-LS is another format.
//!
//! Source: ITU-T T.81, annex H.

mod bits;
mod picture;
mod scan;
mod stream;
#[cfg(test)]
mod tests;

pub(super) use picture::{decode_tile, open};
