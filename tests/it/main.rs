//! The integration tests, one binary: a module per intent.

mod conformance;
mod corpus;
mod geometry;
mod golden;
mod hostile;
mod library;
mod pixels;
mod properties;
mod server;
mod support;
mod tidy;
