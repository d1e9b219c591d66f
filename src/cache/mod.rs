//! Finished derivatives, bounded, and the renders that are under way for them.
//!
//! [`Key`] says which bytes are meant, wherever they are kept. [`Memory::get`] answers from memory,
//! [`Flights::join_or_start`] joins a render of the same key or starts one; an error is handed to all
//! who wait and is kept nowhere.

mod flight;
mod key;
mod memory;

pub use flight::{Flights, Origin};
pub use key::{Key, KeyBuilder};
pub use memory::Memory;
