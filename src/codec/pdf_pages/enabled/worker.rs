//! The process that draws: it gives up what it could do harm with, then reads, draws and answers.
//!
//! It may take the bytes and seconds of its job, opens no file, starts nothing, and ends with whoever asked.

use std::fs;
use std::io::{Read, Write};

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use rustix::thread::set_no_new_privs;

use super::job::{Job, say, unheard};
use super::page::{Drawn, draw};
use crate::error::{Error, Result};

/// Address space beside what is used: the program's own code, and holes.
const SPACE_BYTES: u64 = 1 << 30;

/// Serves one job, which is JSON: reads the file from `input`, and writes the answer to `output`. Limits this
/// process for good.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Internal`] for what is no job and where the process cannot be limited,
/// [`crate::error::ErrorKind::Cancelled`] where nobody listens.
pub fn draw_page(job: &str, input: impl Read, output: impl Write) -> Result<()> {
    let job = read(job)?;
    confine(&job).map_err(|cause| Error::internal("limiting a process").with_source(cause))?;
    serve(&job, input, output)
}

/// As [`draw_page`], in a process that stays as it is: for files that one trusts, or that are to be tried.
///
/// # Errors
///
/// As [`draw_page`].
pub fn serve_page(job: &str, input: impl Read, output: impl Write) -> Result<()> {
    serve(&read(job)?, input, output)
}

fn read(job: &str) -> Result<Job> {
    serde_json::from_str(job).map_err(|cause| {
        Error::internal("reading a job; this command is the server's own").with_source(cause)
    })
}

fn confine(job: &Job) -> std::io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    set_no_new_privs(true)?;
    // If memory runs short, the server is not what goes. Some systems let nobody say so.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    for (resource, most) in [
        (Resource::Data, job.bytes),
        (Resource::As, job.bytes.saturating_add(SPACE_BYTES)),
        (Resource::Cpu, job.seconds),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        // Nothing is opened from here on.
        (Resource::Nofile, 0),
    ] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

/// Reads, draws and answers.
pub(super) fn serve(job: &Job, input: impl Read, mut output: impl Write) -> Result<()> {
    let mut file = Vec::with_capacity(usize::try_from(job.length).unwrap_or(0));
    input
        .take(job.length)
        .read_to_end(&mut file)
        .map_err(unheard)?;
    if file.len() as u64 != job.length {
        return Err(Error::internal("reading a file that ends early"));
    }
    let drawn = draw(file, job);
    let paper = drawn.as_ref().map(|drawn| drawn.paper);
    say(paper.map_err(|refusal| *refusal), &mut output)?;
    for row in drawn.iter().flat_map(Drawn::rows) {
        output.write_all(&row).map_err(unheard)?;
    }
    output.flush().map_err(unheard)
}
