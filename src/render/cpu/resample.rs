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
//!   vectors and in integers where it has not.

use std::cell::RefCell;
use std::error::Error as StdError;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, MulDiv, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::flow::{AfterAll, WholePass};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::plan::{Crop, Filter};
use crate::raster::{Channels, Depth, PixelFormat, Raster, Rows, Samples, Shape};

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
    filter: Filter,
    cancel: &Cancel,
) -> Box<dyn Rows> {
    let target = shape.dimensions;
    let pass = Resample {
        crop,
        target,
        filter,
    };
    Box::new(AfterAll::new(rows, shape, pass, target.height, cancel))
}

struct Resample {
    crop: Crop,
    target: Dimensions,
    filter: Filter,
}

impl WholePass for Resample {
    fn prepare(&self, mut source: Raster) -> Result<Raster> {
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
        Ok(result)
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
mod tests {
    use super::super::reference;
    use super::super::testing::{
        Noise, bytes, dimensions, painted, picture, run, run_in_strips, start,
    };
    use super::*;
    use crate::error::ErrorKind;
    use crate::plan::Pass;
    use crate::raster::OneStrip;

    const FILTERS: [Filter; 4] = [
        Filter::Lanczos3,
        Filter::CatmullRom,
        Filter::Bilinear,
        Filter::Box,
    ];
    const CHANNELS: [Channels; 4] = [
        Channels::Gray,
        Channels::GrayAlpha,
        Channels::Rgb,
        Channels::Rgba,
    ];

    fn crop(x: f64, y: f64, width: f64, height: f64) -> Crop {
        Crop {
            x,
            y,
            width,
            height,
        }
    }

    fn resample(source: &Raster, crop: Crop, target: (u32, u32), filter: Filter) -> Raster {
        let target = dimensions(target.0, target.1);
        let pass = Pass::Resample {
            crop,
            target,
            filter,
        };
        run(source.clone(), &[pass])
    }

    fn assert_as_specified(source: &Raster, crop: Crop, target: (u32, u32), filter: Filter) {
        let result = resample(source, crop, target, filter);
        let wanted = reference::resample(source, crop, result.dimensions(), filter);
        assert!(
            result == wanted,
            "{:?} {} {crop:?} to {target:?} by {filter:?}",
            source.format(),
            source.dimensions()
        );
    }

    /// A crop of one axis: whole or not, the full side or a part, and as long as the target or not.
    fn axis(noise: &mut Noise, side: u32, target: u32) -> (f64, f64) {
        let whole = |noise: &mut Noise, side: u32| {
            let start = noise.below(side);
            (start, 1 + noise.below(side - start))
        };
        match noise.below(4) {
            0 => (0.0, f64::from(side)),
            1 if target <= side => (f64::from(noise.below(side - target + 1)), f64::from(target)),
            2 => {
                let (start, length) = whole(noise, side);
                (f64::from(start), f64::from(length))
            }
            _ => {
                let (start, length) = whole(noise, side);
                let start = f64::from(start) + noise.unit() * 0.9;
                let end = (start + f64::from(length) * noise.unit().max(0.05)).min(side.into());
                (start, end - start)
            }
        }
    }

    #[test]
    fn the_library_equals_the_integer_specification_in_random_jobs() {
        let mut noise = Noise::new(11);
        for job in 0..400_u32 {
            let channels = CHANNELS[job as usize % 4];
            let depth = match job / 4 % 2 {
                0 => Depth::Eight,
                _ => Depth::Sixteen,
            };
            let side = 1 + noise.below(if job % 10 == 0 { 300 } else { 90 });
            let source = dimensions(side, 1 + noise.below(90));
            let target = (1 + noise.below(120), 1 + noise.below(120));
            let (x, width) = axis(&mut noise, source.width, target.0);
            let (y, height) = axis(&mut noise, source.height, target.1);
            let source = picture(source, PixelFormat { channels, depth }, job.into());
            let filter = FILTERS[job as usize / 8 % 4];
            assert_as_specified(&source, crop(x, y, width, height), target, filter);
        }
    }

    #[test]
    fn outer_samples_that_fall_on_a_source_sample_stay_in_their_picture() {
        // First centre 2.25 + 0.25 − 0.5 = 2, last centre 2.75 + 7.75 − 0.5 = 10: both exact.
        for depth in [Depth::Eight, Depth::Sixteen] {
            for channels in CHANNELS {
                let source = picture(dimensions(16, 16), PixelFormat { channels, depth }, 12);
                for filter in FILTERS {
                    for (start, length, target) in
                        [(2.25, 8.0, 16), (2.5, 8.25, 33), (2.75, 8.0, 16)]
                    {
                        let crop = crop(start, start, length, length);
                        assert_as_specified(&source, crop, (target, target), filter);
                    }
                }
            }
        }
    }

    #[test]
    fn an_unchanged_size_at_whole_pixels_is_the_identity() {
        for channels in CHANNELS {
            let source = picture(dimensions(20, 9), PixelFormat::eight(channels), 13);
            let same = resample(
                &source,
                crop(0.0, 0.0, 20.0, 9.0),
                (20, 9),
                Filter::Lanczos3,
            );
            assert_eq!(same, source);
            assert!(same.samples() == source.samples());
        }
        let source = picture(dimensions(20, 9), PixelFormat::eight(Channels::Gray), 13);
        let part = resample(&source, crop(3.0, 2.0, 5.0, 4.0), (5, 4), Filter::Lanczos3);
        let wanted: Vec<u8> = (2..6)
            .flat_map(|y| bytes(&source)[y * 20 + 3..y * 20 + 8].to_vec())
            .collect();
        assert_eq!(bytes(&part), wanted);
    }

    #[test]
    fn what_lies_around_the_crop_feeds_the_filter() {
        let gray = PixelFormat::eight(Channels::Gray);
        let source = painted(
            dimensions(20, 1),
            gray,
            |x, _, _| if x < 10 { 0 } else { 200 },
        );
        let alone = painted(dimensions(10, 1), gray, |_, _, _| 200);
        let part = resample(
            &source,
            crop(10.0, 0.0, 10.0, 1.0),
            (5, 1),
            Filter::Lanczos3,
        );
        let flat = resample(&alone, crop(0.0, 0.0, 10.0, 1.0), (5, 1), Filter::Lanczos3);
        assert_eq!(bytes(&flat), [200; 5]);
        assert_ne!(bytes(&part)[0], 200);
        assert_eq!(bytes(&part)[4], 200);
    }

    #[test]
    fn a_lanczos_without_rounding_between_the_axes_is_close() {
        let rgb = PixelFormat::eight(Channels::Rgb);
        let waves = |x: u32, y: u32, c: u8| {
            let (x, y, c) = (f64::from(x), f64::from(y), f64::from(c));
            let wave = (x * 0.11 + c).sin() * (y * 0.07 + c * 0.7).cos();
            let edge = if (x / 23.0).floor() % 2.0 == 0.0 {
                30.0
            } else {
                0.0
            };
            let [level, ..] = reference::rounded(100.0 + 80.0 * wave + edge).to_le_bytes();
            level
        };
        for ((w, h), target) in [
            ((256, 200), (128, 100)),
            ((150, 100), (225, 167)),
            ((301, 203), (97, 61)),
        ] {
            let source = painted(dimensions(w, h), rgb, waves);
            let whole = crop(0.0, 0.0, w.into(), h.into());
            let result = resample(&source, whole, target, Filter::Lanczos3);
            let wanted = reference::exact_lanczos(&source, result.dimensions());
            let pairs = bytes(&result).iter().zip(&wanted);
            let distances: Vec<u8> = pairs.map(|(a, b)| a.abs_diff(*b)).collect();
            let sum: u32 = distances.iter().copied().map(u32::from).sum();
            let near = distances.iter().filter(|distance| **distance <= 1).count();
            assert!(f64::from(sum) <= 0.3 * distances.len() as f64, "mean {sum}");
            assert!(near as f64 >= 0.995 * distances.len() as f64, "near {near}");
        }
    }

    #[test]
    fn colours_of_clear_pixels_do_not_bleed() {
        let samples = [[250, 10, 20, 255], [0, 255, 255, 0]].concat().repeat(32);
        let source =
            Raster::from_u8(dimensions(64, 1), Channels::Rgba, samples).expect("64 pixels");
        let result = resample(&source, crop(0.0, 0.0, 64.0, 1.0), (8, 1), Filter::Lanczos3);
        for pixel in bytes(&result).as_chunks::<4>().0 {
            for (channel, wanted) in [250, 10, 20].into_iter().enumerate() {
                assert!(pixel[channel].abs_diff(wanted) <= 2, "{pixel:?}");
            }
            assert!(pixel[3].abs_diff(128) <= 8, "{pixel:?}");
        }
    }

    #[test]
    fn strips_of_any_height_give_the_same() {
        let source = picture(dimensions(50, 131), PixelFormat::eight(Channels::Rgb), 14);
        let pass = Pass::Resample {
            crop: crop(3.5, 2.0, 40.25, 120.0),
            target: dimensions(21, 64),
            filter: Filter::Lanczos3,
        };
        run_in_strips(&source, &[pass]);
    }

    #[test]
    fn a_crop_may_reach_past_the_picture_by_rounding_alone() {
        let source = picture(dimensions(10, 10), PixelFormat::eight(Channels::Rgb), 15);
        let rounded = resample(
            &source,
            crop(0.0, 0.0, 10.0 + 1e-9, 10.0),
            (5, 5),
            Filter::Box,
        );
        let exact = resample(&source, crop(0.0, 0.0, 10.0, 10.0), (5, 5), Filter::Box);
        assert!(rounded.samples() == exact.samples());
        for outside in [
            crop(0.0, 0.0, 10.1, 10.0),
            crop(-1.0, 0.0, 5.0, 5.0),
            crop(10.0, 0.0, 1.0, 1.0),
            crop(0.0, 3.0, 5.0, 0.0),
            crop(f64::NAN, 0.0, 5.0, 5.0),
        ] {
            let pass = Pass::Resample {
                crop: outside,
                target: dimensions(5, 5),
                filter: Filter::Box,
            };
            let source = Box::new(OneStrip::from(source.clone()));
            let error = start(source, &[pass], &Cancel::new())
                .next_strip()
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Internal, "{outside:?}");
        }
    }

    #[test]
    fn scratch_of_large_jobs_is_given_back() {
        let source = picture(
            dimensions(3000, 1000),
            PixelFormat::eight(Channels::Rgba),
            16,
        );
        resample(
            &source,
            crop(0.0, 0.0, 3000.0, 1000.0),
            (2990, 900),
            Filter::Box,
        );
        RESIZER.with_borrow(|resizer| {
            assert!(resizer.size_of_internal_buffers() <= KEPT_SCRATCH_BYTES);
        });
    }
}
