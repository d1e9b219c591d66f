//! How much work a job is, whoever does it.

use crate::plan::{Crop, Filter, Pass};
use crate::raster::Shape;
use crate::render::Target;

/// The work of passes and of JPEG encoding, in units that take about the same time each.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Labour {
    /// Products of a weight and a sample.
    pub(super) macs: f64,
    /// Samples that passes without arithmetic between pixels touch.
    pub(super) moved: f64,
    /// Pixels that are turned by any angle.
    pub(super) rotated: f64,
    /// Pixels that are encoded as JPEG.
    pub(super) encoded: f64,
    /// Pixels of the result.
    pub(super) result: f64,
}

impl Labour {
    /// The work of `passes` on `shape`, and of encoding where `target` wants a file.
    pub fn of(shape: Shape, passes: &[Pass], target: Target) -> Self {
        let mut labour = Self::default();
        let mut now = shape;
        for pass in passes {
            let after = pass.shape_after(now);
            match *pass {
                Pass::Resample { crop, filter, .. } => {
                    labour.macs += macs(now, after, crop, filter);
                }
                Pass::Rotate(_) => labour.rotated += after.dimensions.area() as f64,
                Pass::Shrink { .. }
                | Pass::Narrow
                | Pass::Orient(_)
                | Pass::Flatten { .. }
                | Pass::Gray
                | Pass::Bitonal => {
                    labour.moved += samples(now);
                }
            }
            now = after;
        }
        labour.result = now.dimensions.area() as f64;
        if matches!(target, Target::Jpeg(_)) {
            labour.encoded = labour.result;
        }
        labour
    }

    /// A share of it.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        Self {
            macs: self.macs * share,
            moved: self.moved * share,
            rotated: self.rotated * share,
            encoded: self.encoded * share,
            result: self.result * share,
        }
    }

    /// Its dearest part, as metrics name it.
    pub fn kind(&self) -> &'static str {
        if self.rotated > 0.0 {
            "rotate"
        } else if self.macs > 0.0 {
            "resample"
        } else if self.moved > 0.0 {
            "move"
        } else {
            "encode"
        }
    }
}

fn samples(shape: Shape) -> f64 {
    shape.dimensions.area() as f64 * shape.format.channels.count() as f64
}

/// Vertical pass first: columns of the crop and their neighbours, then rows of the result.
fn macs(before: Shape, after: Shape, crop: Crop, filter: Filter) -> f64 {
    let (target, channels) = (after.dimensions, after.format.channels.count() as f64);
    let across = taps(crop.width, f64::from(target.width), filter);
    let down = taps(crop.height, f64::from(target.height), filter);
    let columns = (crop.width + across).min(f64::from(before.dimensions.width));
    let vertical = columns * f64::from(target.height) * down;
    let horizontal = target.area() as f64 * across;
    (vertical + horizontal) * channels
}

/// Weights of one sample of the result.
fn taps(from: f64, to: f64, filter: Filter) -> f64 {
    2.0 * filter.support() * (from / to).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::JpegSettings;
    use crate::geometry::Dimensions;
    use crate::plan::{Turn, canvas};
    use crate::raster::{Channels, PixelFormat};

    fn shape(width: u32, height: u32) -> Shape {
        Shape {
            dimensions: Dimensions::new(width, height).expect("not empty"),
            format: PixelFormat::eight(Channels::Rgb),
        }
    }

    fn halved(shape: Shape) -> Pass {
        Pass::Resample {
            crop: Crop {
                x: 0.0,
                y: 0.0,
                width: f64::from(shape.dimensions.width),
                height: f64::from(shape.dimensions.height),
            },
            target: Dimensions::new(shape.dimensions.width / 2, shape.dimensions.height / 2)
                .expect("not empty"),
            filter: Filter::Lanczos3,
        }
    }

    #[test]
    fn halving_takes_twelve_weights_a_sample_in_each_direction() {
        let shape = shape(512, 512);
        let labour = Labour::of(shape, &[halved(shape)], Target::Rows);
        let expected = 12.0 * 3.0 * (512.0 * 256.0 + 256.0 * 256.0);
        assert!((labour.macs - expected).abs() < 1.0, "{labour:?}");
        assert_eq!(labour.kind(), "resample");
        assert!(labour.encoded == 0.0, "{labour:?}");
    }

    #[test]
    fn a_file_counts_its_pixels_and_a_turn_its_canvas() {
        let (shape, settings) = (shape(100, 50), JpegSettings::default());
        let turn = Pass::Rotate(Turn {
            degrees: 30.0,
            canvas: canvas(shape.dimensions, 30.0),
            background: Some([255; 3]),
        });
        let labour = Labour::of(shape, &[turn, Pass::Gray], Target::Jpeg(settings));
        let area = canvas(shape.dimensions, 30.0).area() as f64;
        assert!(
            (labour.rotated - area).abs() < 0.5 && (labour.encoded - area).abs() < 0.5,
            "{labour:?}"
        );
        assert!(labour.moved > 0.0);
        assert_eq!(labour.kind(), "rotate");
        let labour = Labour::of(shape, &[], Target::Jpeg(settings));
        assert_eq!(labour.kind(), "encode");
    }
}
