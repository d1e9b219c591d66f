//! Files of a cache on disk: found by key, bounded in bytes, whole or not there.
//!
//! A [`Folder`] is one tenant's part of the cache's directory. A file is written as a [`Stage`] under a
//! name of its own and appears under its key when it is published, by a rename; nothing is synced, so
//! that a machine that loses power may leave a file with holes. What is inside a file is the tenant's
//! to check: every file begins with a [`Head`] that says what it is, under which key, how long and with
//! which checksum. Files that are none of ours are neither read nor counted nor deleted.

mod folder;
mod head;
mod ledger;
mod place;
mod stage;

pub use folder::{Folder, Tenant};
pub use head::{HEAD_BYTES, Head, checksum};
pub use place::overlaps;
pub use stage::Stage;
