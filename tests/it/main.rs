//! The integration tests, one binary: a module per intent.

mod support;
mod tidy;
