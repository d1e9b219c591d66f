//! Baseline JPEG as numbers: the tables, the header and the last step from codes to a file.
//!
//! This is the file that libjpeg writes for eight bits with its accurate integer transform, the standard
//! Huffman tables and no restart interval: one component, or three with colour halved in both
//! directions. Both engines read it; pixels and coefficients are theirs.

mod file;
mod tables;

pub use file::{Head, file};
pub use tables::{Codes, ZIGZAG, codes, quantisers};
