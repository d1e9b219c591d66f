//! An opened JPEG 2000 master → rows of any window of any level.
//!
//! `target` cuts a window along the tiles and prices it, `rows` walks the tiles, `part` decodes a part of
//! one: `band` fills bands from code-blocks whose bytes `fetch` reads, the wavelets put them together,
//! `lines` makes integers of what comes out, and `samples` pixels of them. `kept` remembers where a
//! tile's code-blocks lie.

mod band;
mod fetch;
mod kept;
mod lines;
mod part;
mod rows;
mod samples;
mod target;

use std::fmt;
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::{Crew, DecodeLimits, Facts, KeptSpace, Picture, Price};
use crate::error::Result;
use crate::geometry::Window;
use crate::raster::Rows;
use crate::reader::RangeReader;

use super::header::Header;
use kept::Kept;
#[cfg(test)]
pub(super) use part::{Area, Part};
use rows::TileRows;
use target::Target;

/// Parses the headers; what is good is ready to be decoded.
pub(super) fn picture(
    reader: Arc<dyn RangeReader>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    let header = Header::read(reader.as_ref(), limits)?;
    Ok(Arc::new(Jp2(Arc::new(Master {
        reader,
        header,
        kept: Kept::default(),
    }))))
}

/// What all decodes of a master share.
struct Master {
    reader: Arc<dyn RangeReader>,
    header: Header,
    kept: Kept,
}

struct Jp2(Arc<Master>);

impl Picture for Jp2 {
    fn facts(&self) -> &Facts {
        &self.0.header.facts
    }

    fn kept(&self) -> Option<&KeptSpace> {
        self.0.header.colour.kept()
    }

    fn price(&self, level: usize, window: Window) -> Price {
        Target::new(&self.0.header, level, window).map_or_else(
            |_no_such_level| Price::default(),
            |target| target.price(&self.0.header, &self.0.kept),
        )
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        let rows = self.rows(level, window, cancel)?;
        Ok(self.0.header.colour.apply(Box::new(rows)))
    }

    fn decode_shared(
        &self,
        level: usize,
        window: Window,
        cancel: &Cancel,
        crew: &Arc<dyn Crew>,
    ) -> Result<Box<dyn Rows>> {
        let rows = self.rows(level, window, cancel)?.shared(crew);
        Ok(self.0.header.colour.apply(Box::new(rows)))
    }
}

impl Jp2 {
    fn rows(&self, level: usize, window: Window, cancel: &Cancel) -> Result<TileRows> {
        cancel.check()?;
        let target = Target::new(&self.0.header, level, window)?;
        Ok(TileRows::new(Arc::clone(&self.0), target, cancel.clone()))
    }
}

impl fmt::Debug for Jp2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jp2")
            .field("facts", self.facts())
            .finish_non_exhaustive()
    }
}
