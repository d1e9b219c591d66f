//! What every file of a cache begins with: what it is, whose it is, how long, with which checksum.

use crate::cache::Key;

/// Bytes of a [`Head`].
pub const HEAD_BYTES: usize = 64;

/// The first bytes of a file, checked before anything else is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// What the file is and how it is laid out; eight letters and numbers of its tenant.
    pub magic: [u8; 8],
    /// What its content stands for.
    pub key: Key,
    /// Bytes that follow the head.
    pub length: u64,
    /// A place in the file, for its tenant.
    pub mark: u64,
    /// The checksum of what its tenant reads first.
    pub checksum: u32,
}

impl Head {
    /// The head's bytes, with a checksum of their own at the end.
    pub fn to_bytes(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        let fields: [&[u8]; 5] = [
            &self.magic,
            self.key.bytes(),
            &self.length.to_le_bytes(),
            &self.mark.to_le_bytes(),
            &self.checksum.to_le_bytes(),
        ];
        let all = fields.concat();
        let sum = checksum(&all).to_le_bytes();
        for (to, from) in bytes.iter_mut().zip(all.iter().chain(&sum)) {
            *to = *from;
        }
        bytes
    }

    /// What `bytes` say; `None` where they are no head, or a damaged one.
    pub fn parse(bytes: &[u8; HEAD_BYTES]) -> Option<Self> {
        let (fields, sum) = bytes.split_last_chunk::<4>()?;
        if u32::from_le_bytes(*sum) != checksum(fields) {
            return None;
        }
        let (magic, fields) = fields.split_first_chunk::<8>()?;
        let (key, fields) = fields.split_first_chunk::<32>()?;
        let (length, fields) = fields.split_first_chunk::<8>()?;
        let (mark, fields) = fields.split_first_chunk::<8>()?;
        let sum = fields.first_chunk::<4>()?;
        Some(Self {
            magic: *magic,
            key: Key::from_bytes(*key),
            length: u64::from_le_bytes(*length),
            mark: u64::from_le_bytes(*mark),
            checksum: u32::from_le_bytes(*sum),
        })
    }
}

/// CRC-32 (IEEE 802.3): finds every single flipped bit and every run of damage up to 32 bits for
/// certain, at the speed of memory where the processor multiplies without carry.
pub fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::KeyBuilder;

    #[test]
    fn a_head_with_any_bit_flipped_is_none() {
        let head = Head {
            magic: *b"TESTING1",
            key: KeyBuilder::default().number(7).finish(),
            length: 12_345,
            mark: 99,
            checksum: 0xdead_beef,
        };
        let bytes = head.to_bytes();
        assert_eq!(Head::parse(&bytes), Some(head));
        for bit in 0..8 * HEAD_BYTES {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::parse(&damaged), None, "bit {bit}");
        }
        assert_eq!(Head::parse(&[0; HEAD_BYTES]), None);
    }
}
