//! JPEG streams with the same tables → the tables once, and streams without them.
//!
//! Source: TIFF Technical Note 2 (1995): `JPEGTables` holds an abbreviated stream of tables alone, a
//! tile an abbreviated stream of the image; a table in a tile goes before the shared one. Marker
//! segments after ITU-T T.81 B.2.

use crate::error::{Error, Result};

const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
const START_OF_SCAN: u8 = 0xda;
const QUANTISATION: u8 = 0xdb;
const HUFFMAN: u8 = 0xc4;
/// JFIF: its density and its colours are said by the TIFF around the stream.
const APPLICATION_0: u8 = 0xe0;

/// The tables that all tiles share.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    segments: Vec<Vec<u8>>,
}

impl Tables {
    /// The tables of `stream`, which was written as all tiles will be.
    pub(super) fn of(stream: &[u8]) -> Result<Self> {
        let (segments, _) = split(stream)?;
        Ok(Self {
            segments: segments
                .into_iter()
                .filter(|segment| is_table(segment))
                .map(<[u8]>::to_vec)
                .collect(),
        })
    }

    /// As `JPEGTables` holds them.
    pub(super) fn stream(&self) -> Vec<u8> {
        let mut stream = START_OF_IMAGE.to_vec();
        for segment in &self.segments {
            stream.extend_from_slice(segment);
        }
        stream.extend(END_OF_IMAGE);
        stream
    }

    /// `stream` without what the tables hold; a table that differs stays in it.
    pub(super) fn abbreviate(&self, stream: &[u8]) -> Result<Vec<u8>> {
        let (segments, scan) = split(stream)?;
        let mut short = Vec::with_capacity(stream.len());
        short.extend(START_OF_IMAGE);
        for segment in segments {
            let is_shared = is_table(segment) && self.segments.iter().any(|own| own == segment);
            if !is_shared && segment.get(1) != Some(&APPLICATION_0) {
                short.extend_from_slice(segment);
            }
        }
        short.extend_from_slice(scan);
        Ok(short)
    }
}

fn is_table(segment: &[u8]) -> bool {
    matches!(segment.get(1), Some(&(QUANTISATION | HUFFMAN)))
}

/// The marker segments before the first scan, and everything from there on.
fn split(stream: &[u8]) -> Result<(Vec<&[u8]>, &[u8])> {
    let broken = || Error::internal("an encoder wrote a JPEG of unknown structure");
    let mut rest = stream.strip_prefix(&START_OF_IMAGE).ok_or_else(broken)?;
    let mut segments = Vec::new();
    loop {
        let [0xff, marker, high, low, ..] = rest else {
            return Err(broken());
        };
        if *marker == START_OF_SCAN {
            return Ok((segments, rest));
        }
        let length = 2 + usize::from(u16::from_be_bytes([*high, *low]));
        let (segment, behind) = rest.split_at_checked(length).ok_or_else(broken)?;
        segments.push(segment);
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [u8; 6] = [0xff, QUANTISATION, 0, 4, 1, 2];
    const OTHER: [u8; 6] = [0xff, HUFFMAN, 0, 4, 9, 9];
    const JFIF: [u8; 5] = [0xff, APPLICATION_0, 0, 3, 7];
    const FRAME: [u8; 5] = [0xff, 0xc0, 0, 3, 5];
    const SCAN: [u8; 7] = [0xff, START_OF_SCAN, 0, 2, 42, 0xff, 0xd9];

    #[test]
    fn tables_and_tile_together_are_the_stream_without_its_jfif_segment() {
        let stream = [&START_OF_IMAGE[..], &JFIF, &TABLE, &FRAME, &SCAN].concat();
        let tables = Tables::of(&stream).unwrap();
        assert_eq!(
            tables.stream(),
            [&START_OF_IMAGE[..], &TABLE, &END_OF_IMAGE].concat()
        );
        assert_eq!(
            tables.abbreviate(&stream).unwrap(),
            [&START_OF_IMAGE[..], &FRAME, &SCAN].concat()
        );
    }

    #[test]
    fn a_table_that_differs_stays_in_its_tile() {
        let first = [&START_OF_IMAGE[..], &TABLE, &FRAME, &SCAN].concat();
        let second = [&START_OF_IMAGE[..], &TABLE, &OTHER, &FRAME, &SCAN].concat();
        assert_eq!(
            Tables::of(&first).unwrap().abbreviate(&second).unwrap(),
            [&START_OF_IMAGE[..], &OTHER, &FRAME, &SCAN].concat()
        );
        assert!(Tables::of(&first[..7]).is_err());
    }
}
