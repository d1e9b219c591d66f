//! A master's byte ranges → the buffered stream that decoder libraries read from.
//!
//! Reads ahead in pieces of [`READ_AHEAD_BYTES`], so that a decoder's small reads cost one read of
//! the source. An error of the source travels through the library inside an [`io::Error`] and comes
//! out of [`error`] as it was.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::reader::{RangeReader, past_the_end};

/// One read of the source: few round trips for a remote master, little wasted on a small one.
const READ_AHEAD_BYTES: usize = 64 << 10;

/// A buffered stream over a master.
pub(super) type Stream = BufReader<Cursor>;

/// A stream that starts at the master's first byte.
pub(super) fn stream(reader: &Arc<dyn RangeReader>) -> Stream {
    let cursor = Cursor {
        reader: Arc::clone(reader),
        position: 0,
    };
    BufReader::with_capacity(READ_AHEAD_BYTES, cursor)
}

/// What an [`io::Error`] of a [`Stream`] means: the source's own error, or an end that came too soon.
pub(super) fn error(cause: io::Error) -> Error {
    if cause.kind() == io::ErrorKind::UnexpectedEof {
        return past_the_end().with_source(cause);
    }
    match cause.downcast::<Error>() {
        Ok(own) => own,
        Err(foreign) => Error::corrupt("its data are damaged").with_source(foreign),
    }
}

/// A place in a master.
#[derive(Debug)]
pub(super) struct Cursor {
    reader: Arc<dyn RangeReader>,
    position: u64,
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.reader.length().saturating_sub(self.position);
        let count = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let (part, _) = buffer.split_at_mut(count);
        if !part.is_empty() {
            self.reader
                .read(self.position, part)
                .map_err(io::Error::other)?;
            self.position += count as u64;
        }
        Ok(count)
    }
}

impl Seek for Cursor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.reader.length().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// Reads the `N` bytes at `offset`, or `None` where the master ends before them.
///
/// # Errors
///
/// Those of the source.
pub(super) fn peek<const N: usize>(
    reader: &dyn RangeReader,
    offset: u64,
) -> Result<Option<[u8; N]>> {
    let inside = offset
        .checked_add(N as u64)
        .is_some_and(|end| end <= reader.length());
    if !inside {
        return Ok(None);
    }
    let mut bytes = [0; N];
    reader.read(offset, &mut bytes)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[derive(Debug)]
    struct Away;

    impl RangeReader for Away {
        fn length(&self) -> u64 {
            100
        }

        fn read(&self, _: u64, _: &mut [u8]) -> Result<()> {
            Err(Error::new(ErrorKind::Upstream, "the source is away"))
        }
    }

    #[test]
    fn a_stream_reads_and_seeks_as_a_file_does() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|i| i.to_le_bytes()[1]).collect();
        let reader: Arc<dyn RangeReader> = Arc::new(bytes.clone());
        let mut stream = stream(&reader);
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        assert_eq!(all, bytes);
        assert_eq!(stream.seek(SeekFrom::End(-300)).unwrap(), 199_700);
        assert_eq!(stream.seek(SeekFrom::Current(-100)).unwrap(), 199_600);
        let mut part = [0; 400];
        stream.read_exact(&mut part).unwrap();
        assert_eq!(part[..], bytes[199_600..]);
        assert!(stream.seek(SeekFrom::End(-300_000)).is_err());
    }

    #[test]
    fn the_error_of_a_source_comes_through_as_it_was() {
        let reader: Arc<dyn RangeReader> = Arc::new(Away);
        let cause = stream(&reader).read(&mut [0]).unwrap_err();
        assert_eq!(error(cause).kind(), ErrorKind::Upstream);
        let short = io::Error::from(io::ErrorKind::UnexpectedEof);
        assert_eq!(error(short).kind(), ErrorKind::Corrupt);
    }
}
