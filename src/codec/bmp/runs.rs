//! Run lengths → a whole picture.
//!
//! Pixels that the codes step over have the first colour of the palette, or are black where there is none,
//! as in a fresh bitmap. A run that reaches past its row ends there, as some writers have it; codes below
//! the last row, or none at all where pixels are still to come, are damage.
//!
//! Source: Microsoft, "Bitmap Compression"; IBM, "OS/2 Presentation Manager Programming Reference",
//! `BITMAPINFOHEADER2`, for runs of 24 bits.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::codec::stream::{self, Stream};
use crate::codec::whole::reserve;
use crate::error::{Error, Result};
use crate::raster::{Raster, Shape};
use crate::reader::RangeReader;

use super::header::Header;

/// Decodes the whole of a picture of run lengths.
pub(super) fn decode(
    reader: &Arc<dyn RangeReader>,
    header: &Header,
    cancel: &Cancel,
) -> Result<Raster> {
    let mut input = stream::stream(reader);
    input
        .seek(SeekFrom::Start(header.start))
        .map_err(stream::error)?;
    let (dimensions, format) = (header.dimensions, header.format());
    let mut canvas = Canvas {
        samples: reserve(Shape { dimensions, format })?,
        width: dimensions.width,
        height: dimensions.height,
        x: 0,
        y: 0,
    };
    let ground = header.colour(0);
    canvas.samples.as_chunks_mut::<3>().0.fill(ground);
    while canvas.step(&mut input, header)? {
        if canvas.x == 0 {
            cancel.check()?;
        }
    }
    if !header.top_down {
        canvas.turn();
    }
    Raster::from_u8(dimensions, format.channels, canvas.samples)
}

/// The picture under way, its first stored row first.
struct Canvas {
    samples: Vec<u8>,
    width: u32,
    height: u32,
    x: u32,
    y: u32,
}

impl Canvas {
    /// Follows one code; false after the last.
    fn step(&mut self, input: &mut Stream, header: &Header) -> Result<bool> {
        let mut code = [0; 2];
        match input.read_exact(&mut code) {
            Ok(()) => {}
            // Some writers leave the last code out.
            Err(_) if self.is_full() => return Ok(false),
            Err(cause) => return Err(stream::error(cause)),
        }
        match code {
            [0, 0] => (self.x, self.y) = (0, self.y.saturating_add(1)),
            [0, 1] => return Ok(false),
            [0, 2] => {
                let [across, down] = bytes(input)?;
                self.x = self.x.saturating_add(across.into());
                self.y = self.y.saturating_add(down.into());
            }
            [0, count] => self.literal(input, header, count)?,
            [count, first] => self.run(input, header, count, first)?,
        }
        Ok(true)
    }

    /// Whether every pixel has been passed.
    fn is_full(&self) -> bool {
        self.y >= self.height || (self.y + 1 == self.height && self.x >= self.width)
    }

    fn run(&mut self, input: &mut Stream, header: &Header, count: u8, first: u8) -> Result<()> {
        let colours = match header.bits {
            4 => [header.colour(first >> 4), header.colour(first & 15)],
            8 => [header.colour(first); 2],
            _ => {
                let [green, red] = bytes(input)?;
                [[red, green, first]; 2]
            }
        };
        for at in 0..usize::from(count) {
            self.put(colours[at % 2])?;
        }
        Ok(())
    }

    fn literal(&mut self, input: &mut Stream, header: &Header, count: u8) -> Result<()> {
        let count = usize::from(count);
        let length = (count * usize::from(header.bits)).div_ceil(8);
        let mut stored = [0; 3 * 255 + 1];
        let stored = &mut stored[..length.next_multiple_of(2)];
        input.read_exact(stored).map_err(stream::error)?;
        for at in 0..count {
            let colour = match header.bits {
                4 => header.colour(stored[at / 2] << (at % 2 * 4) >> 4),
                8 => header.colour(stored[at]),
                _ => [stored[3 * at + 2], stored[3 * at + 1], stored[3 * at]],
            };
            self.put(colour)?;
        }
        Ok(())
    }

    fn put(&mut self, colour: [u8; 3]) -> Result<()> {
        if self.y >= self.height {
            return Err(Error::corrupt("its run lengths pass its last row"));
        }
        if self.x < self.width {
            let place = self.y as usize * self.width as usize + self.x as usize;
            let pixels = self.samples.as_chunks_mut::<3>().0;
            if let Some(pixel) = pixels.get_mut(place) {
                *pixel = colour;
            }
            self.x += 1;
        }
        Ok(())
    }

    /// Puts the last row first.
    fn turn(&mut self) {
        let row = self.width as usize * 3;
        let height = self.height as usize;
        for y in 0..height / 2 {
            let (upper, lower) = self.samples.split_at_mut((height - 1 - y) * row);
            upper[y * row..][..row].swap_with_slice(&mut lower[..row]);
        }
    }
}

fn bytes(input: &mut Stream) -> Result<[u8; 2]> {
    let mut bytes = [0; 2];
    input.read_exact(&mut bytes).map_err(stream::error)?;
    Ok(bytes)
}
