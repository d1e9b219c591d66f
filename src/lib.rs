#![doc = include_str!("ARCHITECTURE.md")]

pub mod cache;
pub mod cancel;
pub mod codec;
pub mod encoding;
pub mod error;
pub mod geometry;
pub mod http;
pub mod iiif;
pub mod metrics;
pub mod plan;
pub mod raster;
pub mod reader;
pub mod render;
