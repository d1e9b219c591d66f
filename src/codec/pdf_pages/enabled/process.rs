//! A process that draws, from outside: it is started, fed, heard and, whatever happens, ended.

use std::io::{BufReader, Read, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::job::{Job, Paper, hear};
use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
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

/// How often a token is looked at while the process works.
const LOOK_EVERY: Duration = Duration::from_millis(20);

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

    /// Why it says nothing more: a signal is the end of one that took more than it may.
    fn end(&mut self) -> Error {
        let status = self.child.wait();
        let signal = status.as_ref().ok().and_then(ExitStatusExt::signal);
        match signal {
            Some(signal) => Error::new(
                ErrorKind::TooLarge,
                "drawing the page takes more memory or time than a page may take",
            )
            .with_source(format!("signal {signal}")),
            None => Error::internal("drawing a page").with_source(format!("{status:?}")),
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

/// Has `job` done with the file behind `reader`: the paper, and the rows where they are wanted.
///
/// # Errors
///
/// Why there is no page to show, [`ErrorKind::TooLarge`] where it takes more than it may, [`ErrorKind::Busy`]
/// where no process can be started, and those of `cancel` and the reader.
pub(super) fn ask(
    job: &Job,
    reader: &dyn RangeReader,
    cancel: &Cancel,
) -> Result<(Paper, Vec<u8>)> {
    let mut process = Process::start(job)?;
    let (Some(input), Some(output)) = (process.child.stdin.take(), process.child.stdout.take())
    else {
        return Err(Error::internal("talking to a process"));
    };
    if !feed(input, reader, cancel)? {
        return Err(process.end());
    }
    let mut output = BufReader::with_capacity(1 << 16, Patient { output, cancel });
    let heard = hear_all(job, &mut output);
    // A silent one has ended, or the token is why it was not heard.
    cancel.check()?;
    match heard {
        Err(error) if error.kind() == ErrorKind::Internal => Err(process.end().with_source(error)),
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

fn hear_all(job: &Job, output: &mut BufReader<Patient<'_>>) -> Result<(Paper, Vec<u8>)> {
    let paper = hear(output)?.map_err(super::job::Refusal::error)?;
    let mut rows = Vec::new();
    if job.rows {
        let length = u64::from(paper.width) * u64::from(paper.height) * 3;
        let cut = |cause: std::io::Error| Error::internal("reading rows").with_source(cause);
        output.take(length).read_to_end(&mut rows).map_err(cut)?;
        if rows.len() as u64 != length {
            return Err(Error::internal("reading rows that end early"));
        }
    }
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
