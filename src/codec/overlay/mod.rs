//! Rectangles that hide and marks that are laid over a master: a [`Picture`] whose pixels nobody sees
//! without them.
//!
//! [`overlaid`] paints every window of every level as it is decoded, before its first consumer, and
//! refuses to pass stored bytes of a window that an overlay touches. Whatever is made of the picture,
//! by whatever rung or engine, and whatever is remembered of it, has the overlay in it. Which masters
//! have overlays is decided by `service`.

mod cover;
mod mark;
mod paint;
mod text;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{Components, Crew, Facts, KeptSpace, Mosaic, Picture, Price, Stored};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::geometry::{Region, ScaleFactor, Window};
use crate::iiif::Format;
use crate::raster::Rows;

pub use mark::MarkImage;

use cover::Cover;
use mark::Mark;
use paint::{Painted, Painter};

/// What is laid over a master, in pixels of the upright full image.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    /// Rectangles that are filled with a colour, each inside the image.
    pub covers: Vec<(Region, [u8; 3])>,
    /// Marks with the rectangle that each fills and their opacity, 0 to 65535, from the lowest to the
    /// uppermost; all lie over the covers.
    pub marks: Vec<(Arc<MarkImage>, Region, u16)>,
}

/// `picture` under `overlay`.
pub fn overlaid(picture: Arc<dyn Picture>, overlay: &Overlay) -> Arc<dyn Picture> {
    let facts = picture.facts();
    let upright = facts.orientation.apply(facts.pyramid.dimensions());
    let stored = |region| (facts.orientation.inverse()).apply_region(region, upright);
    let covers = (overlay.covers.iter())
        .map(|(region, colour)| Cover::new(stored(*region), *colour, picture.coding_block()))
        .collect();
    let marks = (overlay.marks.iter())
        .map(|(image, region, opacity)| Mark {
            image: Arc::clone(image),
            region: *region,
            stored: stored(*region),
            full: facts.pyramid.dimensions(),
            orientation: facts.orientation,
            opacity: *opacity,
        })
        .collect();
    Arc::new(Overlaid {
        picture,
        covers,
        marks,
    })
}

/// A picture under an overlay, which is in stored orientation here.
///
/// Only pixels come through. A way out that [`Picture`] gives by default, and that is not named here,
/// stays closed.
#[derive(Debug)]
struct Overlaid {
    picture: Arc<dyn Picture>,
    covers: Vec<Cover>,
    marks: Vec<Mark>,
}

/// The grid, in pixels of a level, to which a window is widened before its stored bytes may pass: the
/// largest unit of JPEG (T.81 A.2.3), all of which is in the bytes however little of it is shown.
const UNIT_PX: u32 = 32;

impl Overlaid {
    fn factor(&self, level: usize) -> Option<ScaleFactor> {
        let level = self.picture.facts().pyramid.levels().get(level)?;
        Some(level.factor)
    }

    /// `rows` of `window` with all that lies over them.
    fn painted(&self, rows: Box<dyn Rows>, level: usize, window: Window) -> Result<Box<dyn Rows>> {
        let no_level = || Error::internal("laying something over a level that is not there");
        let factor = self.factor(level).ok_or_else(no_level)?;
        let painter = Painter::new(&self.covers, &self.marks, factor, window);
        if painter.is_idle() {
            return Ok(rows);
        }
        Ok(Box::new(Painted::new(rows, painter)))
    }

    /// Whether the bytes of `window` hold something that must not be seen, or lack what must.
    fn touches(&self, level: usize, window: Window) -> bool {
        let Some(factor) = self.factor(level) else {
            return true;
        };
        let (x, y) = (window.x / UNIT_PX * UNIT_PX, window.y / UNIT_PX * UNIT_PX);
        let up = |end: u32| end.checked_next_multiple_of(UNIT_PX).unwrap_or(end);
        let reach = Window {
            x,
            y,
            width: up(window.right()) - x,
            height: up(window.bottom()) - y,
        };
        let covers = self.covers.iter().map(|cover| cover.window_at(factor));
        let marks = self.marks.iter().map(|mark| mark.window_at(factor));
        (covers.chain(marks)).any(|over| over.intersection(reach).is_some())
    }
}

impl Picture for Overlaid {
    fn facts(&self) -> &Facts {
        self.picture.facts()
    }

    fn kept_bytes(&self) -> u64 {
        self.picture.kept_bytes()
    }

    fn kept(&self) -> Option<&KeptSpace> {
        self.picture.kept()
    }

    fn price(&self, level: usize, window: Window) -> Price {
        self.picture.price(level, window)
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        let rows = self.picture.decode(level, window, cancel)?;
        self.painted(rows, level, window)
    }

    fn decode_shared(
        &self,
        level: usize,
        window: Window,
        cancel: &Cancel,
        crew: &Arc<dyn Crew>,
    ) -> Result<Box<dyn Rows>> {
        let rows = self.picture.decode_shared(level, window, cancel, crew)?;
        self.painted(rows, level, window)
    }

    fn stored(&self, level: usize, window: Window, format: Format) -> Option<Stored> {
        if self.touches(level, window) {
            return None;
        }
        self.picture.stored(level, window, format)
    }

    fn mosaic(&self, level: usize, window: Window, components: Components) -> Option<Mosaic> {
        if self.touches(level, window) {
            return None;
        }
        self.picture.mosaic(level, window, components)
    }
}
