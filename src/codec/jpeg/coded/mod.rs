//! The entropy-coded data of sequential JPEG scans: units, tables and bits, without their pixels.
//!
//! What a stream's markers say of its units is a [`layout::Layout`]; a [`walk::Walk`] passes over them or
//! copies them into another stream ([`bits::Writer`]). Coefficients are never multiplied or transformed.

pub(super) mod bits;
pub(super) mod huffman;
pub(super) mod layout;
pub(super) mod walk;
