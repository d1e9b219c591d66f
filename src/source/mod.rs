//! Where masters live: identifiers to files, files to [`RangeReader`](crate::reader::RangeReader)s.
//!
//! A [`FileSource`] turns an identifier into an open master through named roots with ordered rules.
//! Files are found below their root and nowhere else, without any index, and are never written,
//! locked or touched. Every access that could hang runs on bounded threads with a deadline: callers
//! may rely on an answer within `read_timeout_seconds` for each step. What the bytes mean is left to
//! `codec`, how long a version is believed to `service`.

mod ahead;
mod beneath;
mod config;
mod failure;
mod file;
mod io;
mod listing;
mod lists;
mod natural;
mod path;
mod place;
mod probe;
mod resolve;
mod root;
mod rule;
mod template;
mod walk;

#[cfg(test)]
mod tests;

pub use config::{Config, RootConfig, Symlinks};
pub use file::{FileReader, Version};
pub use listing::Listing;
pub use probe::RootHealth;
pub use resolve::{FileSource, Located, Opened};
