//! A process that draws, from outside: it is started, fed, heard and, whatever happens, ended.

use std::io::{BufRead, BufReader, Read, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::job::{Job, Paper, Refusal, hear};
use crate::cancel::Cancel;
use crate::codec::whole;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Dimensions;
use crate::raster::{Channels, PixelFormat, Shape};
use crate::reader::RangeReader;

/// This program, even where its file has been replaced since.
const SELF: &str = "/proc/self/exe";

/// The program that draws, where it is not this one.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Has pages drawn by `program`, whose command `draw-page` is [`super::draw_page`], from now on: for programs
/// that have no such command. The first call holds.
pub fn draw_pages_by(program: impl Into<PathBuf>) {
    PROGRAM.get_or_init(|| program.into());
}

/// The command that is [`super::draw_page`].
const COMMAND: &str = "draw-page";

/// How often who waits for a drawing looks at its token.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long one that says nothing sensible may take to end.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// Bytes that are handed over at a time.
const PIECE_BYTES: u64 = 1 << 20;

/// A process at work. It ends with this value.
struct Process {
    child: Child,
}

impl Process {
    fn start(job: &Job) -> Result<Self> {
        let job = serde_json::to_string(job)
            .map_err(|cause| Error::internal("writing a job").with_source(cause))?;
        let program = PROGRAM.get().map_or(Path::new(SELF), PathBuf::as_path);
        let child = Command::new(program)
            .args([COMMAND, &job])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|cause| {
                Error::new(
                    ErrorKind::Busy,
                    "no process can be started to draw the page",
                )
                .with_source(cause)
            })?;
        Ok(Self { child })
    }

    /// What became of one that was heard to fail: a signal is the end of one that took more than it may.
    fn end(&mut self, heard: Error) -> Error {
        let end = Instant::now() + LAST_PATIENCE;
        let status = loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < end => sleep(LOOK_EVERY),
                status => break status.ok().flatten(),
            }
        };
        match status.as_ref().and_then(ExitStatusExt::signal) {
            Some(signal) => Error::new(
                ErrorKind::TooLarge,
                "drawing the page takes more memory or time than a page may take",
            )
            .with_source(format!("signal {signal}")),
            None => heard.while_doing("drawing a page"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Has `job` done with the file behind `reader`: the paper, and its rows if it is as large as is `known`.
///
/// # Errors
///
/// Why there is no page to show, [`ErrorKind::TooLarge`] where it takes more than it may, [`ErrorKind::Busy`]
/// where no process can be started, and those of `cancel` and the reader.
pub(super) fn ask(
    job: &Job,
    known: Option<Dimensions>,
    reader: &dyn RangeReader,
    cancel: &Cancel,
) -> Result<(Paper, Vec<u8>)> {
    let mut process = Process::start(job)?;
    let (Some(input), Some(output)) = (process.child.stdin.take(), process.child.stdout.take())
    else {
        return Err(Error::internal("talking to a process"));
    };
    if !feed(input, reader, cancel)? {
        return Err(process.end(Error::internal("handing a file over")));
    }
    let mut output = BufReader::with_capacity(1 << 16, Patient { output, cancel });
    let heard = hear_all(known, &mut output);
    // A silent one has ended, or the token is why it was not heard.
    cancel.check()?;
    match heard {
        Err(error) if error.kind() == ErrorKind::Internal => Err(process.end(error)),
        heard => heard,
    }
}

/// Hands the file over; false where nobody takes it.
fn feed(mut input: ChildStdin, reader: &dyn RangeReader, cancel: &Cancel) -> Result<bool> {
    let mut place = 0;
    while place < reader.length() {
        cancel.check()?;
        let piece = reader.read_vec(place, PIECE_BYTES.min(reader.length() - place))?;
        if input.write_all(&piece).is_err() {
            return Ok(false);
        }
        place += piece.len() as u64;
    }
    Ok(true)
}

/// Nothing is believed of a process that has read what strangers wrote: not how much it will say.
fn hear_all(known: Option<Dimensions>, output: &mut impl BufRead) -> Result<(Paper, Vec<u8>)> {
    let paper = hear(output)?.map_err(Refusal::error)?;
    let Some(known) = known else {
        return Ok((paper, Vec::new()));
    };
    if Dimensions::new(paper.width, paper.height) != Some(known) {
        return Err(Error::internal("drawing a page of other dimensions"));
    }
    let shape = Shape {
        dimensions: known,
        format: PixelFormat::eight(Channels::Rgb),
    };
    let mut rows = whole::reserve(shape)?;
    let cut = |cause: std::io::Error| Error::internal("reading rows").with_source(cause);
    output.read_exact(&mut rows).map_err(cut)?;
    Ok((paper, rows))
}

/// What a process says, as long as a token lets one wait for it.
struct Patient<'a> {
    output: ChildStdout,
    cancel: &'a Cancel,
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let pause = Timespec::try_from(LOOK_EVERY).map_err(std::io::Error::other)?;
        loop {
            self.cancel.check().map_err(std::io::Error::other)?;
            let mut one = [PollFd::from_borrowed_fd(self.output.as_fd(), PollFlags::IN)];
            match poll(&mut one, Some(&pause)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return self.output.read(buffer),
                Err(cause) => return Err(cause.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_not_believed() {
        let known = Dimensions::new(2, 1);
        let heard = |known, words: &str, rows: &[u8]| {
            let said = [words.as_bytes(), b"\n", rows].concat();
            hear_all(known, &mut said.as_slice())
        };
        let (paper, rows) = heard(
            known,
            r#"{"Ok":{"pages":3,"width":2,"height":1}}"#,
            b"sixsix!",
        )
        .unwrap();
        assert_eq!((paper.pages, rows.as_slice()), (3, &b"sixsix"[..]));
        for (words, rows) in [
            (r#"{"Ok":{"pages":3,"width":2,"height":1}}"#, &b"sixsi"[..]),
            (r#"{"Ok":{"pages":3,"width":1,"height":2}}"#, b"sixsix"),
            (
                r#"{"Ok":{"pages":3,"width":4294967295,"height":4294967295}}"#,
                b"sixsix",
            ),
            (r#"{"Err":"Whatever"}"#, b""),
        ] {
            let error = heard(known, words, rows).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Internal, "{words}");
        }
        let refused = heard(known, r#"{"Err":"Encrypted"}"#, b"").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotImplemented);
        let (_, rows) = heard(
            None,
            r#"{"Ok":{"pages":3,"width":2,"height":1}}"#,
            b"sixsix",
        )
        .unwrap();
        assert!(rows.is_empty());
    }
}
