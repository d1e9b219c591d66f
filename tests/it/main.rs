//! The integration tests, one binary: a module per intent.

#![expect(
    clippy::unwrap_used,
    clippy::panic_in_result_fn,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the numbers are the tests' own, and small"
)]
#![expect(
    clippy::many_single_char_names,
    clippy::similar_names,
    reason = "x, y, w and h are what geometry calls them"
)]

mod bench;
mod browser;
mod colour;
mod conformance;
mod convert;
mod corpus;
mod derivatives;
mod geometry;
mod golden;
mod heif;
mod hostile;
mod jpeg_xl;
mod ladder;
mod library;
mod metadata;
#[path = "../oracle/openjpeg.rs"]
mod openjpeg;
mod overlays;
mod painted;
mod pdf;
mod pixels;
mod prometheus;
mod properties;
mod readme;
mod server;
mod support;
mod tidy;
mod tools;
