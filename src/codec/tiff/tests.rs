//! TIFFs of libtiff, libvips and others against the pixels that libvips reads from them, and what
//! this room promises about reads, memory and damage.

mod hostile;
mod levels;
mod made;
mod meanings;
mod pixels;

use std::sync::Arc;
use std::sync::Mutex;

use super::open;
use crate::cancel::Cancel;
use crate::codec::{DecodeLimits, Picture};
use crate::error::Result;
use crate::geometry::Window;
use crate::raster::{Raster, Samples, gather};
use crate::reader::RangeReader;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tiff/");

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{FOLDER}{name}")).unwrap_or_else(|cause| panic!("{name}: {cause}"))
}

fn picture(bytes: Vec<u8>) -> Result<Arc<dyn Picture>> {
    open(Arc::new(bytes), 1, &DecodeLimits::default())
}

fn named(name: &str) -> Arc<dyn Picture> {
    picture(fixture(name)).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

#[expect(
    clippy::panic_in_result_fn,
    reason = "a broken promise of the trait fails the test; damage is a result"
)]
fn decode(picture: &dyn Picture, level: usize, window: Window) -> Result<Raster> {
    let cancel = Cancel::new();
    let mut rows = picture.decode(level, window, &cancel)?;
    assert_eq!(rows.shape().dimensions, window.dimensions());
    assert_eq!(rows.shape().format, picture.facts().pixel);
    let raster = gather(rows.as_mut(), &cancel)?;
    assert!(rows.next_strip()?.is_none(), "rows go on after the last");
    Ok(raster)
}

fn whole(picture: &dyn Picture, level: usize) -> Result<Raster> {
    let window = picture.facts().pyramid.levels()[level].dimensions.window();
    decode(picture, level, window)
}

/// The samples as bytes, those of 16 bits little-endian.
fn bytes(raster: &Raster) -> Vec<u8> {
    match raster.samples() {
        Samples::U8(all) => all.clone(),
        Samples::U16(all) => all.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
    }
}

fn window(x: u32, y: u32, width: u32, height: u32) -> Window {
    Window {
        x,
        y,
        width,
        height,
    }
}

/// A file that remembers what was read of it.
#[derive(Debug)]
struct Watched {
    bytes: Vec<u8>,
    reads: Mutex<Vec<(u64, usize)>>,
}

impl Watched {
    fn new(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self {
            bytes,
            reads: Mutex::default(),
        })
    }

    /// Offsets and lengths of the reads since the last call.
    fn take(&self) -> Vec<(u64, usize)> {
        std::mem::take(&mut self.reads.lock().expect("no reader panics"))
    }
}

impl RangeReader for Watched {
    fn length(&self) -> u64 {
        self.bytes.length()
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let mut reads = self.reads.lock().expect("no reader panics");
        reads.push((offset, buffer.len()));
        self.bytes.read(offset, buffer)
    }
}
