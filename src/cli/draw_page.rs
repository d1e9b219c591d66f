//! `triforium draw-page`: the process in which a server has a page of PDF drawn. No command for people.

use std::io;
use std::process::ExitCode;

use clap::Args;

use super::output::Outcome;
use crate::codec;

/// Draws a page of the PDF file on the standard input, for a server
#[derive(Debug, Args)]
pub(super) struct DrawPage {
    /// What is wanted, as the server says it
    job: String,
}

impl DrawPage {
    /// Runs the command.
    pub(super) fn run(self) -> Outcome {
        codec::draw_page(&self.job, io::stdin().lock(), io::stdout().lock())?;
        Ok(ExitCode::SUCCESS)
    }
}
