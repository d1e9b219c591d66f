//! The digest that names a derivative: its cache key and its entity tag.

use std::fmt;

/// 256 bits that stand for everything which decides a derivative's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// A strong entity tag, quotes included.
    ///
    /// Source: RFC 9110 §8.8.3. 128 of the 256 bits: enough to tell versions of one resource apart.
    pub fn entity_tag(&self) -> String {
        let mut tag = String::with_capacity(34);
        tag.push('"');
        for byte in &self.0[..16] {
            for nibble in [byte >> 4, byte & 15] {
                tag.push(char::from(HEX[usize::from(nibble)]));
            }
        }
        tag.push('"');
        tag
    }
}

/// For files, which outlive the process.
impl Key {
    /// Its 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key with these bytes.
    pub(super) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// All of it as 64 hexadecimal digits: a file's name.
    pub(super) fn to_hex(self) -> String {
        let nibbles = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        nibbles
            .map(|nibble| char::from_digit(u32::from(nibble), 16).unwrap_or('0'))
            .collect()
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.entity_tag())
    }
}

/// Gathers what decides a derivative's bytes. Parts are framed, so that no two lists of parts meet.
///
/// They are hashed at once: the hash's own state is larger than all of them together.
#[derive(Debug, Clone)]
pub struct KeyBuilder(Vec<u8>);

/// Bytes of the parts of most keys.
const MOST_BYTES: usize = 192;

impl Default for KeyBuilder {
    fn default() -> Self {
        Self(Vec::with_capacity(MOST_BYTES))
    }
}

impl KeyBuilder {
    /// Adds a part.
    #[must_use]
    pub fn part(mut self, bytes: &[u8]) -> Self {
        self.0.extend((bytes.len() as u64).to_le_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.part(&number.to_le_bytes())
    }

    /// Adds another key.
    #[must_use]
    pub fn key(self, key: &Key) -> Self {
        self.part(&key.0)
    }

    /// The key of all parts in order.
    pub fn finish(&self) -> Key {
        Key(*blake3::hash(&self.0).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parts: &[&str]) -> Key {
        parts
            .iter()
            .fold(KeyBuilder::default(), |builder, part| {
                builder.part(part.as_bytes())
            })
            .finish()
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["ab"]), key(&["ab", ""]));
        assert_eq!(key(&["ab", "c"]), key(&["ab", "c"]));
    }

    #[test]
    fn an_entity_tag_is_a_quoted_word() {
        let tag = key(&["x"]).entity_tag();
        assert_eq!(tag.len(), 34);
        assert!(tag.starts_with('"') && tag.ends_with('"'));
    }
}
