//! JPEG files of a picture's bands, from top to bottom → the picture's file, as they come.
//!
//! Every band is a file of its own that ends between units. Its bits are copied; what is coded anew are
//! the first differences of its components, which count from the band above. What comes out is, byte for
//! byte, the file that the encoder of the bands makes of the whole picture.

use std::io;

use crate::codec::sink;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;

use super::Outline;
use super::coded::bits::{Place, Writer};
use super::coded::layout::Layout;
use super::coded::walk::{Predictors, Walk};
use super::mosaic::HIGHEST_CATEGORY;
use super::tile::InMemory;

const SOF0: u8 = 0xc0;
const EOI: u8 = 0xd9;

/// A file that grows by bands.
#[derive(Debug)]
pub struct Stack {
    dimensions: Dimensions,
    /// What all bands begin with, as the whole file does.
    head: Vec<u8>,
    layout: Option<Layout>,
    /// DC values above the next band.
    above: Predictors,
    rows: u32,
    out: Writer,
}

impl Stack {
    /// A file of a picture of `dimensions`, without any rows.
    pub fn new(dimensions: Dimensions) -> Self {
        Self {
            dimensions,
            head: Vec::new(),
            layout: None,
            above: Predictors::default(),
            rows: 0,
            out: Writer::default(),
        }
    }

    /// Appends the file of the next `height` rows; what is whole of the file goes to `sink`.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Internal`] for bands that are not of one picture or end within a unit;
    /// [`crate::error::ErrorKind::Cancelled`] when the sink refuses bytes.
    pub fn push(&mut self, band: &[u8], height: u32, sink: &mut dyn io::Write) -> Result<()> {
        let apart = || Error::internal("stacking bands that do not fit together");
        let coded_at = Outline::of(band).ok_or_else(apart)?.coded_at;
        let head = band.get(..coded_at).ok_or_else(apart)?;
        let whole = with_height(head, self.dimensions.height).ok_or_else(apart)?;
        if self.layout.is_none() {
            let most = head.len() as u64;
            self.layout = Layout::read(&InMemory(head), self.dimensions, most, HIGHEST_CATEGORY)?;
            self.out.plain(&whole);
            self.head = whole;
        } else if self.head != whole {
            return Err(apart());
        }
        self.append(band, coded_at, height).ok_or_else(apart)?;
        self.flush(sink)
    }

    /// The end of the file, after all rows.
    ///
    /// # Errors
    ///
    /// As [`Stack::push`]; rows that are missing.
    pub fn finish(mut self, sink: &mut dyn io::Write) -> Result<()> {
        if self.rows != self.dimensions.height {
            return Err(Error::internal(format!(
                "ending a stack of {} rows after {}",
                self.dimensions, self.rows
            )));
        }
        self.out.align();
        self.out.plain(&[0xff, EOI]);
        self.flush(sink)
    }

    fn append(&mut self, band: &[u8], coded_at: usize, height: u32) -> Option<()> {
        let layout = self.layout.as_ref().filter(|layout| layout.restart == 0)?;
        let rows = self.rows.checked_add(height)?;
        let ends_between = height.is_multiple_of(layout.unit.1) || rows == self.dimensions.height;
        if height == 0 || rows > self.dimensions.height || !ends_between {
            return None;
        }
        let units = layout.columns * height.div_ceil(layout.unit.1);
        let start = Place {
            byte: coded_at,
            bit: 0,
        };
        let mut walk = Walk::new(layout, band, start, 0, Predictors::default());
        walk.copy(band, self.above, &mut self.out)?;
        let from = walk.place();
        for _ in 1..units {
            walk.pass_bits()?;
        }
        self.out.copy(band, from, walk.place())?;
        self.above = walk.predictors();
        self.rows = rows;
        Some(())
    }

    fn flush(&mut self, sink: &mut dyn io::Write) -> Result<()> {
        sink.write_all(self.out.bytes()).map_err(sink::refused)?;
        self.out.clear();
        Ok(())
    }
}

/// `head` as that of a picture of so many rows. Source: ITU-T T.81 B.2.2.
fn with_height(head: &[u8], height: u32) -> Option<Vec<u8>> {
    let mut whole = head.to_vec();
    let mut at = 2;
    loop {
        let &[0xff, marker, high, low] = whole.get(at..)?.first_chunk::<4>()? else {
            return None;
        };
        if marker == SOF0 {
            let height = u16::try_from(height).ok()?.to_be_bytes();
            whole.get_mut(at + 5..at + 7)?.copy_from_slice(&height);
            return Some(whole);
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::jpeg::testing::Seeded;
    use crate::codec::jpeg::{file, is_standard};
    use crate::encoding::JpegSettings;
    use crate::error::ErrorKind;
    use crate::raster::{Channels, Raster};

    fn picture(width: u32, height: u32, channels: Channels, top: u32) -> Raster {
        let mut samples = Vec::new();
        for y in top..top + height {
            let mut seeded = Seeded(u64::from(y) + 7);
            for x in 0..width * u32::try_from(channels.count()).expect("few") {
                let noise = if y / 24 % 2 == 0 { 200 } else { 9 };
                samples.push(((x / 3 + y) % 50 + seeded.below(noise)).to_le_bytes()[0]);
            }
        }
        let dimensions = Dimensions { width, height };
        Raster::from_u8(dimensions, channels, samples).expect("it fits")
    }

    fn settings(quality: u8) -> JpegSettings {
        JpegSettings {
            quality,
            ..JpegSettings::default()
        }
    }

    /// The file of bands of `heights`, and the encoder's of all.
    fn stacked(width: u32, heights: &[u32], channels: Channels, quality: u8) -> (Vec<u8>, Vec<u8>) {
        let height = heights.iter().sum();
        let mut stack = Stack::new(Dimensions { width, height });
        let (mut out, mut top) = (Vec::new(), 0);
        for height in heights {
            let band = file(picture(width, *height, channels, top), settings(quality));
            (stack.push(&band.expect("a file"), *height, &mut out)).expect("it fits");
            top += height;
        }
        stack.finish(&mut out).expect("all rows");
        let whole = file(picture(width, height, channels, 0), settings(quality));
        (out, whole.expect("a file"))
    }

    #[test]
    fn bands_become_the_file_of_the_whole_picture() {
        if !is_standard() {
            return;
        }
        for channels in [Channels::Gray, Channels::Rgb] {
            for quality in [1, 40, 80, 100] {
                for width in [1, 16, 33, 250] {
                    for heights in [&[32, 16, 48, 5][..], &[16, 16], &[21], &[16, 1]] {
                        let (stacked, whole) = stacked(width, heights, channels, quality);
                        assert!(
                            stacked == whole,
                            "{channels:?} {quality} {width} {heights:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn bands_that_do_not_fit_together_are_refused() {
        if !is_standard() {
            return;
        }
        let dimensions = Dimensions {
            width: 20,
            height: 48,
        };
        let band = |width, height, quality| {
            let raster = picture(width, height, Channels::Rgb, 0);
            file(raster, settings(quality)).expect("a file")
        };
        let push = |stack: &mut Stack, file: &[u8], height| {
            let pushed = stack.push(file, height, &mut Vec::new());
            pushed.map_err(|error| error.kind())
        };
        let internal = Err(ErrorKind::Internal);
        let mut stack = Stack::new(dimensions);
        assert_eq!(push(&mut stack, &band(20, 16, 80), 16), Ok(()));
        // Of another quality, of another width, ending within a unit, cut, beyond the last row.
        assert_eq!(push(&mut stack, &band(20, 16, 70), 16), internal);
        assert_eq!(push(&mut stack, &band(24, 16, 80), 16), internal);
        assert_eq!(push(&mut stack, &band(20, 17, 80), 17), internal);
        let whole = band(20, 16, 80);
        let cut = &whole[..whole.len() - 40];
        assert_eq!(push(&mut stack, cut, 16), internal);
        assert_eq!(push(&mut stack, &band(20, 48, 80), 48), internal);
        assert!(stack.finish(&mut Vec::new()).is_err());
    }
}
