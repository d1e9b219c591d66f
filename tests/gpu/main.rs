//! The device against the CPU engine, pixel by pixel. There is one device for the whole process, and a
//! machine without any adapter fails: software is an adapter too.

#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::string_slice,
    reason = "a test fails by panicking, and its numbers are its own"
)]

mod auto;
mod bands;
mod device;
mod files;
mod http;
mod inside;
mod jpeg;
mod lost;
mod measure;
mod parts;
mod random;
mod resident;
mod slip;
mod staged;
mod trust;
mod twins;

#[path = "../it/support.rs"]
#[expect(
    dead_code,
    reason = "the other tests' client does more than these ask of it"
)]
mod support;
