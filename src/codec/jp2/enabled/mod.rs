//! An opened JPEG 2000 master → rows of any window of any level.
//!
//! `rows` walks the tiles that a window touches, `samples` makes pixels of decoded components,
//! `stream` puts a tile's code stream together, `ffi` calls the decoder.

mod ffi;
mod rows;
mod samples;
mod stream;

use std::fmt;
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::{DecodeLimits, Facts, Picture, Price};
use crate::error::Result;
use crate::geometry::Window;
use crate::raster::Rows;
use crate::reader::RangeReader;

use super::header::Header;
use rows::{Target, TileRows};

/// Parses the headers; what is good is ready to be decoded.
pub(super) fn picture(
    reader: Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    let header = Header::read(reader.as_ref(), limits)?;
    Ok(Arc::new(Jp2(Arc::new(Master { reader, header }))))
}

/// What all decodes of a master share.
struct Master {
    reader: Arc<dyn RangeReader>,
    header: Header,
}

struct Jp2(Arc<Master>);

impl Picture for Jp2 {
    fn facts(&self) -> &Facts {
        &self.0.header.facts
    }

    fn price(&self, level: usize, window: Window) -> Price {
        Target::new(&self.0.header, level, window).map_or_else(
            |_no_such_level| Price::default(),
            |target| target.price(&self.0.header),
        )
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        cancel.check()?;
        let target = Target::new(&self.0.header, level, window)?;
        let rows = TileRows::new(Arc::clone(&self.0), target, cancel.clone());
        Ok(self.0.header.colour.apply(Box::new(rows)))
    }
}

impl fmt::Debug for Jp2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jp2")
            .field("facts", self.facts())
            .finish_non_exhaustive()
    }
}
