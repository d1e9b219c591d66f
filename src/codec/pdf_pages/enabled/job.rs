//! What a process that draws is asked, and what it answers: lines of JSON, and rows behind them.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// Longest answer before the rows.
const MAX_LINE_BYTES: u64 = 4096;

/// Bytes that drawing takes of a pixel, beside what is drawn on it.
const BYTES_PER_PIXEL: u64 = 16;

/// Least bytes for what is drawn: fonts, paths, small pictures.
const LEAST_BYTES: u64 = 48 << 20;

/// What is wanted of a page; the file's bytes come through the standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Job {
    /// The page, from 1.
    pub(super) page: u32,
    /// Pixels of an inch.
    pub(super) dpi: u32,
    /// Bytes of the file.
    pub(super) length: u64,
    /// Most bytes that the process may take.
    pub(super) bytes: u64,
    /// Most seconds of a processor that it may take.
    pub(super) seconds: u64,
    /// Whether what cannot be read on the page is left out, in place of refusing it all.
    pub(super) damaged: bool,
    /// Whether rows are wanted: red, green and blue of every pixel, 8 bits each.
    pub(super) rows: bool,
}

impl Job {
    /// Refuses a page of so many pixels that cannot be drawn in its memory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`].
    pub(super) fn check_bytes(&self, pixels: u64) -> Result<()> {
        let needed = pixels
            .saturating_mul(BYTES_PER_PIXEL)
            .saturating_add(self.length)
            .saturating_add(LEAST_BYTES);
        if needed <= self.bytes {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "drawing the page needs {needed} bytes, and the limit is {}",
                self.bytes
            ),
        ))
    }
}

/// A page's pixels, and the pages beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Paper {
    /// Pages of the file.
    pub(super) pages: u32,
    /// Pixels from left to right.
    pub(super) width: u32,
    /// Pixels from top to bottom.
    pub(super) height: u32,
}

/// Why a page is not drawn. The words are the asking process's own: the other one has read what strangers
/// wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Refusal {
    /// The file has fewer pages.
    NoPage {
        /// That it has.
        pages: u32,
    },
    /// It is encrypted, and not for everybody.
    Encrypted,
    /// It is no PDF file, or too damaged to be one.
    Damaged,
    /// A picture on the page cannot be read.
    Picture,
    /// A font on the page cannot be read.
    Font,
    /// The page has more pixels than can be drawn.
    Size,
}

/// The answer to a job.
pub(super) type Answer = std::result::Result<Paper, Refusal>;

impl Refusal {
    /// In words.
    pub(super) fn error(self) -> Error {
        match self {
            Self::NoPage { pages: 1 } => {
                Error::new(ErrorKind::NotFound, "the source image has 1 page")
            }
            Self::NoPage { pages } => {
                let words = format!("the source image has {pages} pages");
                Error::new(ErrorKind::NotFound, words)
            }
            Self::Encrypted => Error::unsupported("it is encrypted"),
            Self::Damaged => Error::corrupt("it is no whole PDF file"),
            Self::Picture => Error::corrupt("a picture on the page cannot be read"),
            Self::Font => Error::unsupported("the page has a font that cannot be read"),
            Self::Size => Error::new(
                ErrorKind::TooLarge,
                "the page has more pixels than can be drawn; pdf.dpi may be lower",
            ),
        }
    }
}

/// Writes an answer.
///
/// # Errors
///
/// [`ErrorKind::Cancelled`] when nobody reads it any more.
pub(super) fn say(answer: Answer, output: &mut impl Write) -> Result<()> {
    let mut line = serde_json::to_vec(&answer)
        .map_err(|cause| Error::internal("writing an answer").with_source(cause))?;
    line.push(b'\n');
    output.write_all(&line).map_err(unheard)
}

/// Reads an answer.
///
/// # Errors
///
/// Those of reading; [`ErrorKind::Internal`] for what is no answer.
pub(super) fn hear(input: &mut impl BufRead) -> Result<Answer> {
    let mut line = Vec::new();
    let mut head = std::io::Read::take(input, MAX_LINE_BYTES);
    head.read_until(b'\n', &mut line)
        .map_err(|cause| Error::internal("reading an answer").with_source(cause))?;
    serde_json::from_slice(&line)
        .map_err(|cause| Error::internal("reading an answer").with_source(cause))
}

/// The error of output that nobody reads.
pub(super) fn unheard(cause: std::io::Error) -> Error {
    Error::new(ErrorKind::Cancelled, "nobody waits for the page").with_source(cause)
}
