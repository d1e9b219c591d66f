//! Identifiers to the bytes of masters: files inside named roots, and nowhere else.
//!
//! [`FileSource`] finds the file that an identifier names by ordered rules, opens it with kernel
//! containment and gives a [`FileReader`]. Every call on the file system runs on a few threads of its
//! own with a deadline, so that a mount that hangs costs a refusal and not the server. Formats are
//! left to `codec`, remembering to `service`. Masters are only read.

mod config;
mod containment;
mod file;
mod health;
mod io;
mod listing;
mod path;
mod reader;
mod rules;
mod template;
mod version;

#[cfg(test)]
mod tests;

pub use config::{Config, RootConfig, Symlinks};
pub use file::{FileSource, Located, Opened};
pub use health::RootHealth;
pub use listing::Listing;
pub use reader::FileReader;
pub use version::Version;
