//! A picture → 256 colours: its own where they suffice, else the nearest of a palette that is made for it.
//!
//! The palette's colours come from boxes of the colour space that are cut where their variance falls most,
//! and move to the middle of what is nearest to them. Where it is asked for, what a pixel's colour misses
//! is handed on to its neighbours. Opacity becomes all or nothing at one half. The same picture always
//! gives the same indices.
//!
//! Source: Wu, "Efficient statistical computations for optimal color quantization", 1991; Lloyd, "Least
//! squares quantization in PCM", 1982; Floyd and Steinberg, "An adaptive algorithm for spatial greyscale",
//! 1976.

use std::collections::BTreeSet;

use crate::cancel::Cancel;
use crate::error::Result;
use crate::raster::Channels;

use super::super::sink::EightBit;
use super::boxes;
use super::dither;
use super::nearest::Nearest;

/// Colours that an index of 8 bits can name.
const MAX_COLOURS: usize = 256;

/// Least opacity that counts as opaque.
const OPAQUE_FROM: u8 = 128;

/// What every transparent pixel becomes.
pub(super) const CLEAR: [u8; 4] = [0; 4];

/// A picture as indices into a palette.
pub(super) struct Indexed {
    /// Red, green, blue of each colour.
    pub(super) palette: Vec<u8>,
    /// One a pixel, in row order.
    pub(super) indices: Vec<u8>,
    /// The index without colour, if a pixel needs it.
    pub(super) transparent: Option<u8>,
}

impl Indexed {
    /// `picture` in at most 256 colours, with `dithered` between them.
    ///
    /// # Errors
    ///
    /// Those of `cancel`.
    pub(super) fn new(picture: &EightBit, dithered: bool, cancel: &Cancel) -> Result<Self> {
        let pixels: Vec<[u8; 4]> = picture
            .samples
            .chunks_exact(picture.channels.count())
            .map(|pixel| rgba(pixel, picture.channels))
            .collect();
        if let Some(colours) = own_colours(&pixels) {
            return Ok(Self::exact(&pixels, &colours));
        }
        let width = picture.dimensions.width as usize;
        Self::approximate(&pixels, width, dithered, cancel)
    }

    fn exact(pixels: &[[u8; 4]], colours: &[[u8; 4]]) -> Self {
        let index = |pixel| colours.binary_search(pixel).map_or(0, byte);
        Self {
            palette: colours
                .iter()
                .flat_map(|[r, g, b, _]| [*r, *g, *b])
                .collect(),
            indices: pixels.iter().map(index).collect(),
            transparent: colours.binary_search(&CLEAR).ok().map(byte),
        }
    }

    fn approximate(
        pixels: &[[u8; 4]],
        width: usize,
        dithered: bool,
        cancel: &Cancel,
    ) -> Result<Self> {
        let has_clear = pixels.contains(&CLEAR);
        let opaque = pixels.iter().filter(|pixel| **pixel != CLEAR);
        let colours = boxes::palette(opaque, MAX_COLOURS - usize::from(has_clear));
        cancel.check()?;
        let transparent = has_clear.then(|| byte(colours.len()));
        let nearest = Nearest::new(&colours);
        let rows = pixels.chunks_exact(width);
        let indices = if dithered {
            dither::indices(rows, width, nearest, transparent, cancel)?
        } else {
            plain(rows, nearest, transparent, cancel)?
        };
        let mut palette = colours.into_flattened();
        if has_clear {
            palette.extend([0; 3]);
        }
        Ok(Self {
            palette,
            indices,
            transparent,
        })
    }
}

/// The nearest colour of each pixel.
fn plain<'a>(
    rows: impl Iterator<Item = &'a [[u8; 4]]>,
    mut nearest: Nearest<'_>,
    transparent: Option<u8>,
    cancel: &Cancel,
) -> Result<Vec<u8>> {
    let mut indices = Vec::new();
    for row in rows {
        cancel.check()?;
        indices.extend(row.iter().map(|pixel| match transparent {
            Some(index) if *pixel == CLEAR => index,
            _ => {
                let [red, green, blue, _] = *pixel;
                nearest.index([red, green, blue])
            }
        }));
    }
    Ok(indices)
}

pub(super) fn byte(index: usize) -> u8 {
    u8::try_from(index).unwrap_or(u8::MAX)
}

/// Red, green, blue and full opacity, or [`CLEAR`].
fn rgba(pixel: &[u8], channels: Channels) -> [u8; 4] {
    match (channels, pixel) {
        (Channels::GrayAlpha, [_, opacity]) | (Channels::Rgba, [_, _, _, opacity])
            if *opacity < OPAQUE_FROM =>
        {
            CLEAR
        }
        (_, [gray] | [gray, _]) => [*gray, *gray, *gray, u8::MAX],
        (_, [red, green, blue, ..]) => [*red, *green, *blue, u8::MAX],
        (_, []) => CLEAR,
    }
}

/// All colours of the picture in order, if they are few enough.
fn own_colours(pixels: &[[u8; 4]]) -> Option<Vec<[u8; 4]>> {
    let mut colours = BTreeSet::new();
    let mut last = None;
    for pixel in pixels {
        if last != Some(pixel) && colours.insert(*pixel) && colours.len() > MAX_COLOURS {
            return None;
        }
        last = Some(pixel);
    }
    Some(colours.into_iter().collect())
}
