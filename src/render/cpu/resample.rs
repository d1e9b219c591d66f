//! Resamples a crop of the whole picture to new dimensions, with a separable kernel in integers.
//!
//! The library's result is the specification, and `reference.rs` is that specification in scalar code:
//! - weights in `f64`, widened by the ratio when the axis shrinks, cut at the edges of the picture (not
//!   of the crop), made to add up to 1, then rounded to integers with as many fractional bits *p* as the
//!   axis's largest weight leaves room for: `i16` for 8-bit samples, `i32` for 16-bit ones;
//! - each axis gives `clamp((2^(p−1) + Σ w·v) >> p)` at the samples' own depth;
//! - 8 bits: columns first, then rows; 16 bits: rows first, then columns;
//! - an axis whose crop starts at a whole pixel and is as long as the target is left alone;
//! - opacity: colours times opacity, both axes, colours divided by opacity; not when neither axis
//!   changes. The division of 16 bits is our own: the library's is in `f32` where the processor has
//!   vectors and in integers where it has not;
//! - in linear light (`light`): the picture becomes light of 16 bits first, all of the above is done to
//!   that, and its samples come back at the end.

use std::cell::RefCell;
use std::error::Error as StdError;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, MulDiv, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::flow::{AfterAll, WholePass};
use super::light::{lit, unlit};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::plan::{Crop, Filter};
use crate::raster::{Channels, Depth, Light, PixelFormat, Raster, Rows, Samples, Shape};

/// Scratch memory that a thread keeps for its next job: what the intermediate picture of a 2048-pixel
/// tile takes. Larger jobs give theirs back.
const KEPT_SCRATCH_BYTES: usize = 16 << 20;

/// How far a crop may reach past the picture by rounding; it is cut there.
const CROP_SLACK_PX: f64 = 1e-6;

thread_local! {
    static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
}

/// `crop` of `rows`, resampled to `shape` in one strip.
pub(super) fn rows(
    rows: Box<dyn Rows>,
    shape: Shape,
    crop: Crop,
    (filter, light): (Filter, Light),
    cancel: &Cancel,
) -> Box<dyn Rows> {
    let target = shape.dimensions;
    let pass = Resample {
        crop,
        target,
        filter,
        light,
        depth: shape.format.depth,
    };
    Box::new(AfterAll::new(rows, shape, pass, target.height, cancel))
}

struct Resample {
    crop: Crop,
    target: Dimensions,
    filter: Filter,
    light: Light,
    /// That of the samples that come in and go out.
    depth: Depth,
}

impl WholePass for Resample {
    fn prepare(&self, mut source: Raster) -> Result<Raster> {
        if self.light == Light::Linear {
            source = lit(source)?;
        }
        if self.weighs(&source) {
            let multiplied = MulDiv::new().multiply_alpha_inplace(&mut view_mut(&mut source)?);
            multiplied.map_err(failed)?;
        }
        Ok(source)
    }

    fn strip(&self, source: &Raster, _top: u32, target: Dimensions) -> Result<Raster> {
        let crop = inside(self.crop, source.dimensions())?;
        let mut result = RESIZER.with_borrow_mut(|resizer| {
            let result = resampled(resizer, source, crop, target, self.filter);
            if resizer.size_of_internal_buffers() > KEPT_SCRATCH_BYTES {
                resizer.reset_internal_buffers();
            }
            result
        })?;
        if self.weighs(source) {
            divide(&mut result)?;
        }
        match self.light {
            Light::Encoded => Ok(result),
            Light::Linear => unlit(result, self.depth),
        }
    }
}

impl Resample {
    /// Whether colours count by their opacity: not where every pixel stays what it is.
    #[expect(
        clippy::float_cmp,
        reason = "the library takes exactly these for unchanged"
    )]
    fn weighs(&self, source: &Raster) -> bool {
        let Crop {
            x,
            y,
            width,
            height,
        } = self.crop;
        let whole = x.fract() == 0.0 && y.fract() == 0.0;
        let as_long =
            width == f64::from(self.target.width) && height == f64::from(self.target.height);
        source.format().channels.has_alpha() && !(whole && as_long)
    }
}

/// `crop`, cut where rounding makes it reach past the picture.
fn inside(crop: Crop, dimensions: Dimensions) -> Result<Crop> {
    let axis = |start: f64, length: f64, side: u32| {
        let side = f64::from(side);
        let fits = start >= 0.0 && start < side && length > 0.0;
        (fits && start + length <= side + CROP_SLACK_PX).then(|| length.min(side - start))
    };
    let width = axis(crop.x, crop.width, dimensions.width);
    let height = axis(crop.y, crop.height, dimensions.height);
    let (Some(width), Some(height)) = (width, height) else {
        return Err(Error::internal(format!(
            "resampling {crop:?} of a picture of {dimensions}"
        )));
    };
    Ok(Crop {
        width,
        height,
        ..crop
    })
}

fn resampled(
    resizer: &mut Resizer,
    source: &Raster,
    crop: Crop,
    target: Dimensions,
    filter: Filter,
) -> Result<Raster> {
    if needs_an_axis_at_a_time(crop, filter) {
        axis_by_axis(resizer, source, crop, target, filter)
    } else {
        resize(resizer, source, crop, target, filter)
    }
}

/// Whether the library must not run both axes in one call.
///
/// For that it reserves the part of the intermediate picture between the first target sample's first
/// weight and the last one's last, having dropped zero weights at either end. The Catmull-Rom kernel is
/// zero one sample away from its centre, so where the first or last target sample falls exactly on a
/// source sample its neighbour reaches further out, and the library would read outside what it
/// reserved. With whole edges no outer sample can fall so; the other kernels have no zero inside.
fn needs_an_axis_at_a_time(crop: Crop, filter: Filter) -> bool {
    let edges = [crop.x, crop.y, crop.width, crop.height];
    filter == Filter::CatmullRom && edges.iter().any(|edge| edge.fract() != 0.0)
}

/// The same as one call, to the bit: the order of axes and the rounding between them are the library's.
fn axis_by_axis(
    resizer: &mut Resizer,
    source: &Raster,
    crop: Crop,
    target: Dimensions,
    filter: Filter,
) -> Result<Raster> {
    let Dimensions { width, height } = source.dimensions();
    let ((first, between), second) = match source.format().depth {
        Depth::Eight => (
            (whole_rows(crop, width), (width, target.height)),
            whole_columns(crop, target.height),
        ),
        Depth::Sixteen => (
            (whole_columns(crop, height), (target.width, height)),
            whole_rows(crop, target.width),
        ),
    };
    let half_way = resize(resizer, source, first, sides(between), filter)?;
    resize(resizer, &half_way, second, target, filter)
}

fn sides((width, height): (u32, u32)) -> Dimensions {
    Dimensions { width, height }
}

fn whole_rows(crop: Crop, width: u32) -> Crop {
    Crop {
        x: 0.0,
        width: f64::from(width),
        ..crop
    }
}

fn whole_columns(crop: Crop, height: u32) -> Crop {
    Crop {
        y: 0.0,
        height: f64::from(height),
        ..crop
    }
}

fn resize(
    resizer: &mut Resizer,
    source: &Raster,
    crop: Crop,
    target: Dimensions,
    filter: Filter,
) -> Result<Raster> {
    let kernel = match filter {
        Filter::Lanczos3 => FilterType::Lanczos3,
        Filter::CatmullRom => FilterType::CatmullRom,
        Filter::Bilinear => FilterType::Bilinear,
        Filter::Box => FilterType::Box,
    };
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(kernel))
        .crop(crop.x, crop.y, crop.width, crop.height)
        .use_alpha(false);
    let mut result = blank(target, source.format())?;
    let done = resizer.resize(&view(source)?, &mut view_mut(&mut result)?, &options);
    done.map_err(|cause| failed(cause).while_doing(format!("resampling {crop:?} to {target}")))?;
    Ok(result)
}

/// Colours divided by opacity; black where the pixel is clear.
fn divide(picture: &mut Raster) -> Result<()> {
    let channels = picture.format().channels.count();
    match picture.samples_mut() {
        Samples::U8(_) => MulDiv::new()
            .divide_alpha_inplace(&mut view_mut(picture)?)
            .map_err(failed),
        Samples::U16(all) => {
            for pixel in all.chunks_exact_mut(channels) {
                divide_pixel(pixel);
            }
            Ok(())
        }
    }
}

/// `(c · 65535 + α / 2) / α`, at most 65535.
fn divide_pixel(pixel: &mut [u16]) {
    let Some((opacity, colours)) = pixel.split_last_mut() else {
        return;
    };
    let opacity = u32::from(*opacity);
    for colour in colours {
        let scaled = u32::from(*colour) * 65535 + opacity / 2;
        let divided = scaled.checked_div(opacity).unwrap_or(0);
        *colour = u16::try_from(divided).unwrap_or(u16::MAX);
    }
}

fn blank(dimensions: Dimensions, format: PixelFormat) -> Result<Raster> {
    let pixels = usize::try_from(dimensions.area()).map_err(failed)?;
    Raster::new(dimensions, format.channels, Samples::zeroed(format, pixels))
}

fn view(raster: &Raster) -> Result<ImageRef<'_>> {
    let Dimensions { width, height } = raster.dimensions();
    let bytes = match raster.samples() {
        Samples::U8(all) => all.as_slice(),
        Samples::U16(all) => bytemuck::cast_slice(all),
    };
    ImageRef::new(width, height, bytes, pixel_type(raster.format())).map_err(failed)
}

fn view_mut(raster: &mut Raster) -> Result<Image<'_>> {
    let Dimensions { width, height } = raster.dimensions();
    let pixel = pixel_type(raster.format());
    let bytes = match raster.samples_mut() {
        Samples::U8(all) => all.as_mut_slice(),
        Samples::U16(all) => bytemuck::cast_slice_mut(all),
    };
    Image::from_slice_u8(width, height, bytes, pixel).map_err(failed)
}

fn pixel_type(format: PixelFormat) -> PixelType {
    match (format.channels, format.depth) {
        (Channels::Gray, Depth::Eight) => PixelType::U8,
        (Channels::GrayAlpha, Depth::Eight) => PixelType::U8x2,
        (Channels::Rgb, Depth::Eight) => PixelType::U8x3,
        (Channels::Rgba, Depth::Eight) => PixelType::U8x4,
        (Channels::Gray, Depth::Sixteen) => PixelType::U16,
        (Channels::GrayAlpha, Depth::Sixteen) => PixelType::U16x2,
        (Channels::Rgb, Depth::Sixteen) => PixelType::U16x3,
        (Channels::Rgba, Depth::Sixteen) => PixelType::U16x4,
    }
}

fn failed(cause: impl StdError + Send + Sync + 'static) -> Error {
    Error::internal("resampling").with_source(cause)
}

#[cfg(test)]
mod tests;
