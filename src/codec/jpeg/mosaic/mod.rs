//! JPEG tiles that stand side by side → one JPEG of a rectangle of them, without decoding any.
//!
//! The bits of whole units are copied ([`assembly`]); what is coded anew are the differences where units
//! meet that were no neighbours. A [`Mosaic`] is made from headers alone, as [`Stored`] is, and its tiles
//! are looked at when they have been read: tiles that do not fit together are no answer. Pixels are those
//! of the decoded tiles, but for the chroma of subsampled ones along their seams, which readers smooth
//! across; luma is equal everywhere.

mod assembly;
mod luma;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::cancel::Cancel;
use crate::codec::{Passage, Stored};
use crate::error::Result;
use crate::geometry::{Dimensions, Window};

use super::Outline;
use super::coded::layout::Layout;
use super::tile::InMemory;

/// The highest category of a DC difference that a baseline stream has. Source: ITU-T T.81 table F.1.
pub(super) const HIGHEST_CATEGORY: u8 = 11;

/// What of the tiles' colours is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Components {
    /// All that is stored.
    All,
    /// Luma alone.
    Luma,
}

/// A rectangle of stored tiles.
#[derive(Debug, Clone)]
pub struct Mosaic {
    /// Row by row.
    tiles: Vec<Stored>,
    /// How many stand in a row.
    across: usize,
    tile: Dimensions,
    /// What is wanted, in pixels from the first tile's corner.
    window: Window,
    components: Components,
    heads: Heads,
}

impl Mosaic {
    /// Most tiles that are put together: all of a large answer, unless they are tiny.
    pub(in crate::codec) const MOST_TILES: usize = 256;

    /// `window`, in pixels from the corner of the first of `tiles`, which all have the dimensions `tile`,
    /// stand `across` in a row and are those that it touches.
    pub(in crate::codec) fn new(
        window: Window,
        components: Components,
        tile: Dimensions,
        across: usize,
        tiles: Vec<Stored>,
        heads: Heads,
    ) -> Self {
        Self {
            tiles,
            across,
            tile,
            window,
            components,
            heads,
        }
    }

    /// Pixels whose codes are read for it: those of the window and all above and beside it in its tiles.
    pub fn walked_pixels(&self) -> u64 {
        let width = self.across as u64 * u64::from(self.tile.width);
        width * u64::from(self.window.bottom())
    }

    /// Bytes of its tiles.
    pub fn stored_bytes(&self) -> u64 {
        self.tiles.iter().map(Stored::length).sum()
    }

    /// Most bytes that putting it together holds: the tiles, what is made of them, and room to grow.
    pub fn bytes(&self) -> u64 {
        3 * self.stored_bytes()
    }

    /// The answer, through `read`, which fills a buffer from an offset of the file in one go, or says
    /// that it cannot now.
    ///
    /// # Errors
    ///
    /// Those of `read` and of `cancel`.
    pub fn compose(
        &self,
        mut read: impl FnMut(u64, &mut [u8]) -> Result<bool>,
        cancel: &Cancel,
    ) -> Result<Passage> {
        let mut streams = Vec::with_capacity(self.tiles.len());
        for tile in &self.tiles {
            match tile.gather(&mut read)? {
                Passage::Bytes(stream) => streams.push(stream),
                other @ (Passage::Away | Passage::Unfit) => return Ok(other),
            }
        }
        let answer = self.put_together(&streams, cancel)?;
        Ok(answer.map_or(Passage::Unfit, |answer| Passage::Bytes(answer.into())))
    }

    fn put_together(&self, streams: &[Bytes], cancel: &Cancel) -> Result<Option<Vec<u8>>> {
        let first = streams.first();
        let head = first.and_then(|first| first.get(..Outline::of(first)?.coded_at));
        let alike = |head: &&[u8]| streams.iter().all(|stream| stream.starts_with(head));
        let Some(head) = head.filter(alike) else {
            return Ok(None);
        };
        let Some(layout) = self.heads.layout(head, self.tile)? else {
            return Ok(None);
        };
        assembly::assemble(self, &layout, head, streams, cancel)
    }
}

/// What tiles begin with and what that says, remembered: tiles of one master begin alike.
#[derive(Debug, Clone, Default)]
pub(in crate::codec) struct Heads(Arc<OnceLock<Head>>);

#[derive(Debug)]
struct Head {
    bytes: Box<[u8]>,
    tile: Dimensions,
    /// `None` for codings that are not walked.
    layout: Option<Arc<Layout>>,
}

impl Heads {
    /// What `head` says of tiles of these dimensions.
    fn layout(&self, head: &[u8], tile: Dimensions) -> Result<Option<Arc<Layout>>> {
        let is_known = |known: &&Head| *known.bytes == *head && known.tile == tile;
        if let Some(known) = self.0.get().filter(is_known) {
            return Ok(known.layout.clone());
        }
        let most = head.len() as u64;
        let layout = Layout::read(&InMemory(head), tile, most, HIGHEST_CATEGORY)?.map(Arc::new);
        // Another head than the first is read each time.
        let _ = self.0.set(Head {
            bytes: head.into(),
            tile,
            layout: layout.clone(),
        });
        Ok(layout)
    }
}
