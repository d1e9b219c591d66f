//! Bands of coefficients → the rows of a window, by the inverse wavelet transforms.
//!
//! Rows are pulled: every resolution holds the few rows that its filter reaches across, and asks the one
//! below and its bands for the next. A window takes with it what the filters reach at each resolution
//! ([`Reach`]); the sum for a sample is the same wherever the window lies, so that a window's samples are
//! those of the whole, bit for bit. Quantisation is undone before, in what fills the bands.
//!
//! Source: ISO/IEC 15444-1 annex F.

mod lifting;
mod reach;
mod synthesis;

#[cfg(test)]
mod tests;

pub(super) use lifting::{Irreversible, Reversible, Wavelet};
pub(super) use reach::Reach;
pub(super) use synthesis::{Band, ROWS, Synthesis};
