//! The `triforium` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    triforium::cli::run()
}
