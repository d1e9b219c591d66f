//! Decoded pixels: their layout, and how they flow between rooms.
//!
//! Pixels are straight (not premultiplied), interleaved, rows tight, top row first, in sRGB (or in
//! gray with sRGB's curve). They flow as [`Rows`]: strips from top to bottom, pulled by whoever
//! consumes them; a small image is one strip.

use std::fmt;

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Window};

/// What samples are taken for where pixels are put together to fewer or more.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Light {
    /// The numbers that they are, as most programs do.
    #[default]
    Encoded,
    /// The light that they stand for by sRGB's curve.
    Linear,
}

/// The channels of a pixel, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channels {
    /// Luminance.
    Gray,
    /// Luminance, opacity.
    GrayAlpha,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, opacity.
    Rgba,
}

impl Channels {
    /// How many samples a pixel has, 1 to 4.
    pub const fn count(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    /// Whether the last channel is opacity.
    pub const fn has_alpha(self) -> bool {
        matches!(self, Self::GrayAlpha | Self::Rgba)
    }

    /// Whether there is luminance alone, with or without opacity.
    pub const fn is_gray(self) -> bool {
        matches!(self, Self::Gray | Self::GrayAlpha)
    }

    /// The same colour channels with opacity.
    #[must_use]
    pub const fn with_alpha(self) -> Self {
        if self.is_gray() {
            Self::GrayAlpha
        } else {
            Self::Rgba
        }
    }

    /// The same colour channels without opacity.
    #[must_use]
    pub const fn without_alpha(self) -> Self {
        if self.is_gray() {
            Self::Gray
        } else {
            Self::Rgb
        }
    }
}

/// Bits of a sample as it is held in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Depth {
    /// 0 to 255.
    Eight,
    /// 0 to 65535, native byte order.
    Sixteen,
}

/// What one pixel is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelFormat {
    /// Which channels.
    pub channels: Channels,
    /// Bits of each.
    pub depth: Depth,
}

impl PixelFormat {
    /// `channels` of 8 bits.
    pub const fn eight(channels: Channels) -> Self {
        Self {
            channels,
            depth: Depth::Eight,
        }
    }

    /// `channels` of 16 bits.
    pub const fn sixteen(channels: Channels) -> Self {
        Self {
            channels,
            depth: Depth::Sixteen,
        }
    }

    /// Bytes of one pixel, 1 to 8.
    pub const fn bytes_per_pixel(self) -> usize {
        match self.depth {
            Depth::Eight => self.channels.count(),
            Depth::Sixteen => 2 * self.channels.count(),
        }
    }
}

/// Samples in one of the two depths.
#[derive(Clone, PartialEq, Eq)]
pub enum Samples {
    /// 8 bits each.
    U8(Vec<u8>),
    /// 16 bits each, native byte order.
    U16(Vec<u16>),
}

impl Samples {
    /// Zeroes for `pixels` pixels of `format`.
    pub fn zeroed(format: PixelFormat, pixels: usize) -> Self {
        let samples = pixels * format.channels.count();
        match format.depth {
            Depth::Eight => Self::U8(vec![0; samples]),
            Depth::Sixteen => Self::U16(vec![0; samples]),
        }
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(samples) => samples.len(),
            Self::U16(samples) => samples.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::U8(samples) => write!(f, "U8(×{})", samples.len()),
            Self::U16(samples) => write!(f, "U16(×{})", samples.len()),
        }
    }
}

/// A rectangle of pixels in memory: a whole picture or one strip of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    dimensions: Dimensions,
    channels: Channels,
    samples: Samples,
}

impl Raster {
    /// Pixels of `dimensions`, `samples` in row order.
    ///
    /// Shapes: `samples` height × width × channels, tight.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Internal`] when the number of samples is not what the shape asks for.
    pub fn new(dimensions: Dimensions, channels: Channels, samples: Samples) -> Result<Self> {
        let wanted = dimensions.area() * channels.count() as u64;
        if samples.len() as u64 != wanted {
            return Err(Error::internal(format!(
                "making a raster of {dimensions} with {wanted} samples from {}",
                samples.len()
            )));
        }
        Ok(Self {
            dimensions,
            channels,
            samples,
        })
    }

    /// Pixels of 8 bits.
    ///
    /// # Errors
    ///
    /// As [`Raster::new`].
    pub fn from_u8(dimensions: Dimensions, channels: Channels, samples: Vec<u8>) -> Result<Self> {
        Self::new(dimensions, channels, Samples::U8(samples))
    }

    /// Pixels of 16 bits.
    ///
    /// # Errors
    ///
    /// As [`Raster::new`].
    pub fn from_u16(dimensions: Dimensions, channels: Channels, samples: Vec<u16>) -> Result<Self> {
        Self::new(dimensions, channels, Samples::U16(samples))
    }

    /// Width and height.
    pub fn dimensions(&self) -> Dimensions {
        self.dimensions
    }

    /// Channels and depth.
    pub fn format(&self) -> PixelFormat {
        PixelFormat {
            channels: self.channels,
            depth: match self.samples {
                Samples::U8(_) => Depth::Eight,
                Samples::U16(_) => Depth::Sixteen,
            },
        }
    }

    /// The samples in row order.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// The samples in row order, to change in place.
    pub fn samples_mut(&mut self) -> &mut Samples {
        &mut self.samples
    }

    /// The samples alone.
    pub fn into_samples(self) -> Samples {
        self.samples
    }

    /// Samples of one row.
    pub fn row_len(&self) -> usize {
        self.dimensions.width as usize * self.channels.count()
    }
}

/// What flows in a [`Rows`]: the whole picture's dimensions and its pixels' format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Of the whole picture.
    pub dimensions: Dimensions,
    /// Of every strip.
    pub format: PixelFormat,
}

impl Shape {
    /// Bytes of the whole picture in memory.
    pub const fn bytes(self) -> u64 {
        self.dimensions.area() * self.format.bytes_per_pixel() as u64
    }
}

/// A picture as strips from top to bottom, pulled by its consumer.
///
/// Every strip has the width and format of [`Rows::shape`] and at least one row; their heights add
/// up to its height. After the last strip, and after an error, `None` follows for ever.
pub trait Rows: Send {
    /// What will flow.
    fn shape(&self) -> Shape;

    /// The next strip, or `None` after the last.
    ///
    /// # Errors
    ///
    /// Whatever stopped the producer: a damaged master, a lost source, a cancelled request.
    fn next_strip(&mut self) -> Result<Option<Raster>>;

    /// All rows together, where that takes less than strips do and none has been taken; `None` leaves
    /// the strips as they are.
    ///
    /// # Errors
    ///
    /// As [`Rows::next_strip`].
    fn at_once(&mut self) -> Result<Option<Raster>> {
        Ok(None)
    }

    /// Writes all rows to `sink`, none of which has been taken; whoever holds them in parts writes these,
    /// and no strip is put together first.
    ///
    /// # Errors
    ///
    /// As [`Rows::next_strip`]; a cancelled or late request; those of `sink`.
    fn pour(&mut self, sink: &mut dyn RowSink, cancel: &Cancel) -> Result<()> {
        let shape = self.shape();
        let mut y = 0;
        while let Some(strip) = self.next_strip()? {
            cancel.check()?;
            let part = strip.dimensions().window();
            sink.paste(&strip, part, 0, y)?;
            y += part.height;
        }
        if y == shape.dimensions.height {
            Ok(())
        } else {
            Err(Error::internal(format!(
                "pouring {y} rows of {}",
                shape.dimensions
            )))
        }
    }
}

/// Memory that rows are written to and that is not read from here: what somebody else reads it from.
pub trait RowSink: Send {
    /// Copies `part` of `source` to column `x` and row `y`.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Internal`] when either has no such place, or their formats differ.
    fn paste(&mut self, source: &Raster, part: Window, x: u32, y: u32) -> Result<()>;
}

/// A sink whose first row is a lower one of another.
pub struct Below<'a> {
    sink: &'a mut dyn RowSink,
    row: u32,
}

impl<'a> Below<'a> {
    /// `sink` from `row` on.
    pub fn new(sink: &'a mut dyn RowSink, row: u32) -> Self {
        Self { sink, row }
    }
}

impl fmt::Debug for Below<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Below({})", self.row)
    }
}

impl RowSink for Below<'_> {
    fn paste(&mut self, source: &Raster, part: Window, x: u32, y: u32) -> Result<()> {
        self.sink.paste(source, part, x, self.row + y)
    }
}

/// A picture in memory as a single strip.
#[derive(Debug)]
pub struct OneStrip {
    shape: Shape,
    raster: Option<Raster>,
}

impl From<Raster> for OneStrip {
    fn from(raster: Raster) -> Self {
        Self {
            shape: Shape {
                dimensions: raster.dimensions(),
                format: raster.format(),
            },
            raster: Some(raster),
        }
    }
}

impl Rows for OneStrip {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        Ok(self.raster.take())
    }

    fn at_once(&mut self) -> Result<Option<Raster>> {
        Ok(self.raster.take())
    }
}

/// Gathers all strips of `rows` into one raster; a single strip is moved, not copied.
///
/// # Errors
///
/// Those of `rows`; a cancelled or late request; [`crate::error::ErrorKind::Internal`] when the strips do not
/// fill the promised shape.
pub fn gather(rows: &mut dyn Rows, cancel: &Cancel) -> Result<Raster> {
    let shape = rows.shape();
    if let Some(whole) = rows.at_once()? {
        return Raster::new(
            shape.dimensions,
            shape.format.channels,
            whole.into_samples(),
        );
    }
    let Some(first) = rows.next_strip()? else {
        return Err(Error::internal("gathering rows of which there are none"));
    };
    if first.dimensions() == shape.dimensions {
        return Ok(first);
    }
    let total = usize::try_from(shape.dimensions.area())
        .map_err(|cause| Error::internal("sizing a raster").with_source(cause))?
        * shape.format.channels.count();
    let mut samples = first.into_samples();
    match &mut samples {
        Samples::U8(all) => all.reserve_exact(total.saturating_sub(all.len())),
        Samples::U16(all) => all.reserve_exact(total.saturating_sub(all.len())),
    }
    while let Some(strip) = rows.next_strip()? {
        cancel.check()?;
        match (&mut samples, strip.samples()) {
            (Samples::U8(all), Samples::U8(more)) => all.extend_from_slice(more),
            (Samples::U16(all), Samples::U16(more)) => all.extend_from_slice(more),
            _ => return Err(Error::internal("gathering strips of two depths")),
        }
    }
    Raster::new(shape.dimensions, shape.format.channels, samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// Rows that are there together; their strips would be others.
    struct Together(Option<Raster>);

    impl Rows for Together {
        fn shape(&self) -> Shape {
            Shape {
                dimensions: Dimensions::new(2, 2).expect("not empty"),
                format: PixelFormat::eight(Channels::Gray),
            }
        }

        fn next_strip(&mut self) -> Result<Option<Raster>> {
            Err(Error::internal(
                "taking strips of rows that are there together",
            ))
        }

        fn at_once(&mut self) -> Result<Option<Raster>> {
            Ok(self.0.take())
        }
    }

    #[test]
    fn rows_that_are_there_together_are_gathered_without_strips() {
        let gathered = |width| {
            let dimensions = Dimensions::new(width, 2).expect("not empty");
            let samples = vec![7; 2 * width as usize];
            let raster = Raster::from_u8(dimensions, Channels::Gray, samples);
            let mut rows = Together(raster.ok());
            gather(&mut rows, &Cancel::new())
        };
        let whole = gathered(2).expect("four samples");
        assert_eq!(whole.samples(), &Samples::U8(vec![7; 4]));
        assert_eq!(gathered(1).unwrap_err().kind(), ErrorKind::Internal);
    }

    /// What is written, and where.
    #[derive(Default)]
    struct Written(Vec<(Window, u32, u32)>);

    impl RowSink for Written {
        fn paste(&mut self, _source: &Raster, part: Window, x: u32, y: u32) -> Result<()> {
            self.0.push((part, x, y));
            Ok(())
        }
    }

    #[test]
    fn strips_are_poured_one_below_another() {
        let dimensions = |height| Dimensions::new(2, height).expect("not empty");
        let strip = |height: u32| {
            let samples = vec![0; 2 * height as usize];
            Raster::from_u8(dimensions(height), Channels::Gray, samples).expect("it fits")
        };
        let pour = |heights: &[u32], all| {
            let strips = heights.iter().map(|height| strip(*height)).collect();
            let mut rows = Strips(dimensions(all), strips);
            let mut written = Written::default();
            let poured = rows.pour(&mut Below::new(&mut written, 10), &Cancel::new());
            poured.map(|()| written.0)
        };
        let (one, three) = (dimensions(1).window(), dimensions(3).window());
        let poured = pour(&[3, 1], 4).expect("all rows");
        assert_eq!(poured, [(three, 0, 10), (one, 0, 13)]);
        assert_eq!(pour(&[3], 4).unwrap_err().kind(), ErrorKind::Internal);
    }

    struct Strips(Dimensions, std::collections::VecDeque<Raster>);

    impl Rows for Strips {
        fn shape(&self) -> Shape {
            Shape {
                dimensions: self.0,
                format: PixelFormat::eight(Channels::Gray),
            }
        }

        fn next_strip(&mut self) -> Result<Option<Raster>> {
            Ok(self.1.pop_front())
        }
    }

    #[test]
    fn a_raster_refuses_samples_that_do_not_fill_it() {
        let dimensions = Dimensions::new(2, 2).expect("not empty");
        let error = Raster::from_u8(dimensions, Channels::Rgb, vec![0; 11]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
    }
}
