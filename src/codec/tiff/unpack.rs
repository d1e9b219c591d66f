//! A tile's compressed bytes → its rows' bytes, as many as are asked for, in order.
//!
//! A tile is never held whole: the state between two calls is the algorithm's own. Predictors, bit
//! depths and byte order are left to `samples`; JPEG tiles to `jpeg_tile`.

use flate2::{Decompress, FlushDecompress, Status};

use crate::error::{Error, Result};

use super::fax::Fax;
use super::inflate::Whole;
use super::input::Input;
use super::layout::{Compression, Layout};
use super::lzma::Lzma;
use super::lzw;
use super::zstandard::Zstandard;

/// Bytes that the state of one decompressor may take, for prices.
pub(super) const STATE_BYTES: u64 = 128 * 1024;

/// One tile's decompression under way.
pub(super) enum Unpacker {
    /// The bytes as they are.
    Stored,
    /// LZW, most significant bit first, code width switched one code early (TIFF 6.0, section 13).
    Lzw(Lzw),
    /// A zlib stream (TIFF Technical Note, Supplement 2).
    Deflate(Deflate),
    /// Byte runs (TIFF 6.0, section 9).
    PackBits(Run),
    /// Zstandard frames.
    Zstandard(Zstandard),
    /// An xz stream.
    Lzma(Box<Lzma>),
    /// CCITT codes.
    Fax(Box<Fax>),
}

/// The ways to decompress an LZW stream.
pub(super) struct Lzw {
    /// At once, twice as fast: for tiles that fit a block.
    whole: lzw::Whole,
    /// Piece by piece: for all others.
    pieces: Option<Box<lzw::Pieces>>,
    /// Of before TIFF 6.0, where the open tile is.
    old: Option<Box<lzw::Old>>,
}

/// The two ways to decompress a zlib stream.
pub(super) struct Deflate {
    /// At once, twice as fast: for tiles that fit a block.
    whole: Whole,
    /// Piece by piece: for all others.
    pieces: Option<Box<Decompress>>,
}

/// The run that a `PackBits` stream is in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Run {
    /// That many bytes are copied.
    Literal(usize),
    /// That many times the byte.
    Repeat(usize, u8),
    /// That many times a byte that comes next.
    RepeatNext(usize),
}

impl Unpacker {
    /// A decompressor before its first byte; pictures have none and count as stored.
    pub(super) fn new(layout: &Layout) -> Self {
        match layout.compression {
            Compression::Stored
            | Compression::Jpeg
            | Compression::Webp
            | Compression::Jpeg2000
            | Compression::Jpeg2000Ycc
            | Compression::JpegXl
            | Compression::SgiLog
            | Compression::OldJpeg => Self::Stored,
            Compression::Lzw => Self::Lzw(Lzw {
                whole: lzw::Whole::new(),
                pieces: None,
                old: None,
            }),
            Compression::Deflate => Self::Deflate(Deflate {
                whole: Whole::new(),
                pieces: None,
            }),
            Compression::PackBits => Self::PackBits(Run::Literal(0)),
            Compression::Zstandard => Self::Zstandard(Zstandard::new()),
            Compression::Lzma => Self::Lzma(Box::new(Lzma::new())),
            Compression::Fax(coding) => Self::Fax(Box::new(Fax::new(
                coding,
                layout.marked,
                layout.grid.tile.width,
            ))),
        }
    }

    /// Gets ready for the tile that `input` has just opened.
    pub(super) fn begin(&mut self, input: &mut Input) -> Result<()> {
        match self {
            Self::Stored => {}
            Self::Lzw(state) => {
                // Streams of before TIFF 6.0 have their first code, 256, least bit first.
                let is_old = matches!(input.available()?, [0, second, ..] if second & 1 == 1);
                state.old = is_old.then(|| Box::new(lzw::Old::new()));
                if let Some(pieces) = &mut state.pieces {
                    pieces.reset();
                }
            }
            Self::Deflate(state) => {
                if let Some(pieces) = &mut state.pieces {
                    pieces.reset(true);
                }
            }
            Self::PackBits(run) => *run = Run::Literal(0),
            Self::Zstandard(state) => state.begin()?,
            Self::Lzma(state) => **state = Lzma::new(),
            Self::Fax(state) => state.begin(),
        }
        Ok(())
    }

    /// Fills `out` with the whole tile that `input` has just opened, if that can be done at once; says
    /// whether it was. Otherwise nothing has happened.
    pub(super) fn fill_whole(&mut self, input: &mut Input, out: &mut [u8]) -> Result<bool> {
        let at_once = matches!(self, Self::Lzw(_) | Self::Deflate(_) | Self::Zstandard(_));
        if !at_once {
            return Ok(false);
        }
        let left = input.left();
        let bytes = input.available()?;
        if bytes.len() as u64 != left {
            return Ok(false);
        }
        // Damage, and streams that hold less than their tile, are told piece by piece.
        let filled = match self {
            Self::Zstandard(state) => state.fill_whole(bytes, out),
            Self::Stored | Self::PackBits(_) | Self::Lzma(_) | Self::Fax(_) => false,
            Self::Lzw(state) => state.old.is_none() && state.whole.fill(bytes, out),
            Self::Deflate(state) => state.whole.fill(bytes, out),
        };
        if filled {
            input.consume(left);
        }
        Ok(filled)
    }

    /// Fills `out` with the next bytes of the tile.
    pub(super) fn fill(&mut self, input: &mut Input, out: &mut [u8]) -> Result<()> {
        if let Self::Fax(state) = self {
            return state.fill(input, out);
        }
        let mut filled = 0;
        while filled < out.len() {
            let bytes = input.available()?;
            let at_the_end = bytes.is_empty();
            let (used, made) = self.step(bytes, &mut out[filled..])?;
            input.consume(used as u64);
            filled += made;
            if made == 0 && (at_the_end || used == 0) {
                return Err(Error::corrupt("a tile ends before its last row"));
            }
        }
        Ok(())
    }

    /// Passes over the next `count` bytes of the tile; `scratch` is not empty.
    pub(super) fn skip(&mut self, input: &mut Input, count: u64, scratch: &mut [u8]) -> Result<()> {
        if matches!(self, Self::Stored) {
            input.consume(count);
            return Ok(());
        }
        let mut left = count;
        while left > 0 {
            let part = usize::try_from(left).map_or(scratch.len(), |left| left.min(scratch.len()));
            self.fill(input, &mut scratch[..part])?;
            left -= part as u64;
        }
        Ok(())
    }

    /// Turns some of `bytes` into some of `out`, neither empty but at the tile's end: how many of each.
    fn step(&mut self, bytes: &[u8], out: &mut [u8]) -> Result<(usize, usize)> {
        match self {
            Self::Stored => {
                let count = bytes.len().min(out.len());
                out[..count].copy_from_slice(&bytes[..count]);
                Ok((count, count))
            }
            Self::Lzw(Lzw { old: Some(old), .. }) => old.step(bytes, out),
            Self::Lzw(state) => state
                .pieces
                .get_or_insert_with(|| Box::new(lzw::Pieces::new()))
                .step(bytes, out),
            Self::Deflate(state) => {
                let pieces = state
                    .pieces
                    .get_or_insert_with(|| Box::new(Decompress::new(true)));
                inflate(pieces, bytes, out)
            }
            Self::PackBits(run) => Ok(run.step(bytes, out)),
            Self::Zstandard(state) => state.step(bytes, out),
            Self::Lzma(state) => state.step(bytes, out),
            Self::Fax(_) => Err(Error::internal("unpacking CCITT codes byte by byte")),
        }
    }
}

fn inflate(state: &mut Decompress, bytes: &[u8], out: &mut [u8]) -> Result<(usize, usize)> {
    let (before_in, before_out) = (state.total_in(), state.total_out());
    let status = state
        .decompress(bytes, out, FlushDecompress::None)
        .map_err(|cause| Error::corrupt("a Deflate tile is damaged").with_source(cause))?;
    let progress = |after: u64, before: u64| usize::try_from(after - before).unwrap_or(usize::MAX);
    let used = progress(state.total_in(), before_in);
    let made = progress(state.total_out(), before_out);
    match status {
        Status::Ok | Status::BufError | Status::StreamEnd => Ok((used, made)),
    }
}

impl Run {
    fn step(&mut self, bytes: &[u8], out: &mut [u8]) -> (usize, usize) {
        match *self {
            Self::Literal(0) | Self::Repeat(0, _) => {
                let Some(&header) = bytes.first() else {
                    return (0, 0);
                };
                *self = match header {
                    0..=127 => Self::Literal(usize::from(header) + 1),
                    128 => Self::Literal(0),
                    129..=255 => Self::RepeatNext(257 - usize::from(header)),
                };
                (1, 0)
            }
            Self::RepeatNext(count) => {
                let Some(&byte) = bytes.first() else {
                    return (0, 0);
                };
                *self = Self::Repeat(count, byte);
                (1, 0)
            }
            Self::Literal(count) => {
                let part = count.min(bytes.len()).min(out.len());
                out[..part].copy_from_slice(&bytes[..part]);
                *self = Self::Literal(count - part);
                (part, part)
            }
            Self::Repeat(count, byte) => {
                let part = count.min(out.len());
                out[..part].fill(byte);
                *self = Self::Repeat(count - part, byte);
                (0, part)
            }
        }
    }
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stored => "Stored",
            Self::Lzw(_) => "Lzw",
            Self::Deflate(_) => "Deflate",
            Self::PackBits(_) => "PackBits",
            Self::Zstandard(_) => "Zstandard",
            Self::Lzma(_) => "Lzma",
            Self::Fax(_) => "Fax",
        })
    }
}
