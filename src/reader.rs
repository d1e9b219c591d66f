//! Bytes of a master, wherever it lives: the seam between `source` and `codec`.

use std::fmt;

use crate::error::{Error, Result};

/// Random access to a master's bytes. One reader is one version of the master: what it reads never
/// mixes two.
pub trait RangeReader: Send + Sync + fmt::Debug {
    /// The master's length in bytes.
    fn length(&self) -> u64;

    /// Fills `buffer` from `offset` on. Blocks; called off the runtime.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Corrupt`] when the range reaches past the end,
    /// [`crate::error::ErrorKind::Upstream`] when the source fails.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()>;

    /// Bytes `offset .. offset + length`.
    ///
    /// # Errors
    ///
    /// As [`RangeReader::read`]; nothing is reserved for a range that reaches past the end.
    fn read_vec(&self, offset: u64, length: u64) -> Result<Vec<u8>> {
        let end = offset
            .checked_add(length)
            .filter(|end| *end <= self.length());
        let (Some(_), Ok(bytes)) = (end, usize::try_from(length)) else {
            return Err(past_the_end());
        };
        let mut buffer = vec![0; bytes];
        self.read(offset, &mut buffer)?;
        Ok(buffer)
    }
}

/// The error of a read that reaches past the end of a master.
pub fn past_the_end() -> Error {
    Error::corrupt("the file ends before its own structure says so")
}

/// A master in memory, for tests and embedded parts.
impl RangeReader for Vec<u8> {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let part = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..start.checked_add(buffer.len())?))
            .ok_or_else(past_the_end)?;
        buffer.copy_from_slice(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_read_past_the_end_is_corrupt_and_reserves_nothing() {
        let reader = vec![1_u8, 2, 3];
        assert_eq!(reader.read_vec(1, 2).expect("inside"), [2, 3]);
        for (offset, length) in [(1, 3), (4, 0), (0, u64::MAX), (u64::MAX, 2)] {
            let error = reader.read_vec(offset, length).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }
}
