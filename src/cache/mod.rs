//! What is remembered, bounded, and the renders that are under way: finished derivatives, levels.
//!
//! [`Key`] says which bytes are meant, wherever they are kept. [`Memory::get`] answers from memory,
//! [`Derivatives`] from disk; [`Flights::join_or_start`] joins a render of the same key or starts one;
//! an error is handed to all who wait and is kept nowhere. [`disk`] has the files that outlive the
//! process, [`levels`] those of masters' levels, [`Tiles`] the decoded tiles in memory.

mod derivatives;
pub mod disk;
mod flight;
mod key;
pub mod levels;
mod memory;
mod tiles;

pub use derivatives::Derivatives;
pub use flight::{Flights, Origin};
pub use key::{Key, KeyBuilder};
pub use memory::Memory;
pub use tiles::{Tiles, Weigh};
