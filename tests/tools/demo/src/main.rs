//! Draws the demo master: a map of an island that does not exist, 8192 × 6144 pixels, as a pyramidal
//! TIFF with JPEG tiles. The same bytes on every machine.
//!
//! usage: demo OUT.tif

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sides are a few thousand pixels, tiles a few kilobytes, and colours are clamped to bytes"
)]
#![expect(
    clippy::print_stderr,
    reason = "a program of its own says what went wrong"
)]

mod pyramid;
mod terrain;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(out) = std::env::args().nth(1) else {
        eprintln!("usage: demo OUT.tif");
        return ExitCode::from(2);
    };
    let picture = terrain::draw(8192, 6144);
    match pyramid::write(Path::new(&out), picture) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}
