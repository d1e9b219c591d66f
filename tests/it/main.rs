//! The integration tests, one binary: a module per intent.

mod conformance;
mod geometry;
mod golden;
mod hostile;
mod library;
mod pixels;
mod support;
mod tidy;
