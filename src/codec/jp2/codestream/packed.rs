//! PPM and PPT segments → the packet headers that they hold.
//!
//! Source: ISO/IEC 15444-1 A.7.4 and A.7.5.

use crate::error::{Error, Result};

/// The packet headers of PPM segments, tile-part after tile-part in the order of the code stream.
#[derive(Debug)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    /// Where the headers of each tile-part begin and end.
    parts: Vec<(usize, usize)>,
}

impl Packed {
    /// From the contents of all PPM segments: `Zppm`, then `Nppm` and that many bytes for each
    /// tile-part, which may go on in the next segment.
    pub(super) fn of_parts(segments: Vec<Vec<u8>>) -> Result<Self> {
        let bytes = joined(segments)?;
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(length) = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
            let start = at + 4;
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            let end = start.saturating_add(length);
            if end > bytes.len() {
                return Err(too_short());
            }
            parts.push((start, end));
            at = end;
        }
        if at == bytes.len() {
            Ok(Self { bytes, parts })
        } else {
            Err(too_short())
        }
    }

    /// The headers of the tile-part with this place in the code stream.
    pub(super) fn part(&self, place: usize) -> Result<&[u8]> {
        let part = self.parts.get(place);
        part.and_then(|(start, end)| self.bytes.get(*start..*end))
            .ok_or_else(too_short)
    }
}

/// The contents of PPM or PPT segments in the order of their first byte, `Zppm` or `Zppt`, without it.
pub(super) fn joined(mut segments: Vec<Vec<u8>>) -> Result<Vec<u8>> {
    segments.sort_by_key(|segment| segment.first().copied());
    let mut bytes = Vec::with_capacity(segments.iter().map(Vec::len).sum());
    for segment in segments {
        let (_, content) = segment.split_first().ok_or_else(too_short)?;
        bytes.extend_from_slice(content);
    }
    Ok(bytes)
}

fn too_short() -> Error {
    Error::corrupt("its packed packet headers are not whole")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_headers_go_on_in_the_next_segment() {
        let segments = vec![vec![1, 9, 0, 0, 0, 0], vec![0, 0, 0, 0, 3, 7, 8]];
        let packed = Packed::of_parts(segments).expect("whole");
        assert_eq!(packed.part(0).expect("first"), [7, 8, 9]);
        assert_eq!(packed.part(1).expect("second"), [0_u8; 0]);
        assert!(packed.part(2).is_err());
        for cut in [vec![vec![0, 0, 0, 0, 1]], vec![vec![]], vec![vec![0, 0, 0]]] {
            assert!(Packed::of_parts(cut).is_err());
        }
    }
}
