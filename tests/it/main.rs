//! The integration tests, one binary: a module per intent.

mod browser;
mod conformance;
mod geometry;
mod golden;
mod library;
mod pixels;
mod support;
mod tidy;
