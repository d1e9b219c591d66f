//! A picture → 256 colours: its own where they suffice, else the nearest of a trained palette.
//!
//! Opacity becomes all or nothing at one half. The same picture always gives the same indices.
//!
//! Source: Dekker, "Kohonen neural networks for optimal colour quantization", 1994.

use std::collections::BTreeSet;

use color_quant::NeuQuant;

use crate::cancel::Cancel;
use crate::error::Result;
use crate::raster::Channels;

use super::super::sink::EightBit;

/// Colours that an index of 8 bits can name.
const MAX_COLOURS: usize = 256;

/// Least opacity that counts as opaque.
const OPAQUE_FROM: u8 = 128;

/// What every transparent pixel becomes.
const CLEAR: [u8; 4] = [0; 4];

/// One pixel in this many trains the palette: the trade of speed for quality that its author advises.
const TRAINING_STEP: i32 = 10;

/// Slots of the memory of colours that were looked up: neighbours are mostly alike.
const MEMORY_SLOTS: usize = 4096;

/// Pixels between two looks at the token.
const PIXELS_PER_CHECK: usize = 1 << 16;

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
    /// `picture` in at most 256 colours.
    ///
    /// # Errors
    ///
    /// Those of `cancel`.
    pub(super) fn new(picture: &EightBit, cancel: &Cancel) -> Result<Self> {
        let pixels: Vec<[u8; 4]> = picture
            .samples
            .chunks_exact(picture.channels.count())
            .map(|pixel| rgba(pixel, picture.channels))
            .collect();
        match own_colours(&pixels) {
            Some(colours) => Ok(Self::exact(&pixels, &colours)),
            None => Self::trained(&pixels, cancel),
        }
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

    fn trained(pixels: &[[u8; 4]], cancel: &Cancel) -> Result<Self> {
        let opaque: Vec<[u8; 4]> = pixels.iter().filter(|p| **p != CLEAR).copied().collect();
        let has_clear = opaque.len() < pixels.len();
        let colours = MAX_COLOURS - usize::from(has_clear);
        let network = NeuQuant::new(TRAINING_STEP, colours, opaque.as_flattened());
        let mut palette = network.color_map_rgb();
        let transparent = has_clear.then(|| byte(colours));
        if has_clear {
            palette.extend([0; 3]);
        }
        let mut memory = vec![(CLEAR, 0); MEMORY_SLOTS];
        let mut indices = Vec::with_capacity(pixels.len());
        for part in pixels.chunks(PIXELS_PER_CHECK) {
            cancel.check()?;
            indices.extend(part.iter().map(|pixel| match transparent {
                Some(index) if *pixel == CLEAR => index,
                _ => nearest(&network, &mut memory, *pixel),
            }));
        }
        Ok(Self {
            palette,
            indices,
            transparent,
        })
    }
}

/// The palette's nearest colour; one that was asked for lately is remembered.
fn nearest(network: &NeuQuant, memory: &mut [([u8; 4], u8)], pixel: [u8; 4]) -> u8 {
    let [red, green, blue, _] = pixel.map(usize::from);
    let slot = (red << 4 ^ green << 2 ^ blue) % MEMORY_SLOTS;
    match memory.get_mut(slot) {
        Some((known, index)) if *known == pixel => *index,
        found => {
            let index = byte(network.index_of(&pixel));
            if let Some(entry) = found {
                *entry = (pixel, index);
            }
            index
        }
    }
}

fn byte(index: usize) -> u8 {
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
