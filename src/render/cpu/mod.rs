//! The reference engine: passes as a chain of adaptors over rows, on the thread that pulls them.
//!
//! Every pass is defined in integers; another engine has to give the same bytes. Memory is bounded by
//! strips, except before a pass that [needs the whole](Pass::needs_whole) picture. It does not
//! encode: it gives rows whatever the target.

mod flatten;
mod flow;
mod light;
mod narrow;
mod orient;
mod resample;
pub(super) mod rotate;
mod sample;
mod shrink;
pub(super) mod tone;

#[cfg(test)]
mod jpeg_fdct;
#[cfg(test)]
mod jpeg_huffman;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod testing;

use self::flow::Guarded;
use super::{Engine, Output, Target};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::plan::Pass;
use crate::raster::{Light, Rows};

/// The engine that runs on the CPU and that every other engine is measured by.
#[derive(Debug, Clone, Copy, Default)]
pub struct CpuEngine {
    light: Light,
}

impl CpuEngine {
    /// The engine that puts pixels together in `light`: halved, and resampled. Turns by odd angles stay what
    /// they are.
    pub const fn new(light: Light) -> Self {
        Self { light }
    }
}

impl Engine for CpuEngine {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn run(
        &self,
        source: Box<dyn Rows>,
        passes: &[Pass],
        _target: Target,
        cancel: &Cancel,
    ) -> Result<Output> {
        let mut rows = guard(source, cancel);
        for pass in passes {
            rows = guard(after(pass, rows, self.light, cancel), cancel);
        }
        Ok(Output::Rows(rows))
    }
}

fn guard(rows: Box<dyn Rows>, cancel: &Cancel) -> Box<dyn Rows> {
    Box::new(Guarded::new(rows, cancel))
}

/// `rows` after one pass.
fn after(pass: &Pass, rows: Box<dyn Rows>, light: Light, cancel: &Cancel) -> Box<dyn Rows> {
    let shape = pass.shape_after(rows.shape());
    match *pass {
        Pass::Shrink { times } => shrink::rows(rows, times, light, cancel),
        Pass::Resample { crop, filter, .. } => {
            resample::rows(rows, shape, crop, (filter, light), cancel)
        }
        Pass::Narrow => narrow::rows(rows, shape),
        Pass::Orient(orientation) => orient::rows(rows, shape, orientation, cancel),
        Pass::Flatten { background } => flatten::rows(rows, shape, background),
        Pass::Rotate(turn) => rotate::rows(rows, shape, turn, cancel),
        Pass::Gray => tone::gray(rows, shape),
        Pass::Bitonal => tone::bitonal(rows, shape),
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{Strips, bytes, dimensions, picture, run, start};
    use super::*;
    use crate::encoding::JpegSettings;
    use crate::error::{Error, ErrorKind};
    use crate::geometry::Orientation;
    use crate::plan::{Crop, Filter, Turn, canvas};
    use crate::raster::{Channels, OneStrip, PixelFormat, Raster, Shape};

    const RGB: PixelFormat = PixelFormat::eight(Channels::Rgb);

    /// One of each pass, for a picture of 20 × 130 with opacity and 16 bits.
    fn all_passes() -> [Pass; 8] {
        [
            Pass::Shrink { times: 1 },
            Pass::Resample {
                crop: Crop {
                    x: 0.5,
                    y: 1.0,
                    width: 9.0,
                    height: 60.0,
                },
                target: dimensions(11, 70),
                filter: Filter::Lanczos3,
            },
            Pass::Narrow,
            Pass::Orient(Orientation {
                mirror: true,
                turns: 0,
            }),
            Pass::Flatten {
                background: [255; 3],
            },
            Pass::Rotate(Turn {
                degrees: 30.0,
                canvas: canvas(dimensions(11, 70), 30.0),
                background: Some([255; 3]),
            }),
            Pass::Gray,
            Pass::Bitonal,
        ]
    }

    #[test]
    fn all_passes_together_flow_through_in_strips_of_any_height() {
        let source = picture(
            dimensions(20, 130),
            PixelFormat::sixteen(Channels::Rgba),
            31,
        );
        let result = testing::run_in_strips(&source, &all_passes());
        assert_eq!(result.format(), PixelFormat::eight(Channels::Gray));
        assert!(bytes(&result).iter().all(|level| [0, 255].contains(level)));
    }

    #[test]
    fn i3_ord_01_passes_run_in_the_order_of_the_list() {
        let source = Raster::from_u8(dimensions(2, 1), Channels::Gray, vec![10, 21]);
        let source = source.expect("two samples");
        let crop = Crop {
            x: 0.0,
            y: 0.0,
            width: 1.0,
            height: 1.0,
        };
        let resample = Pass::Resample {
            crop,
            target: dimensions(1, 1),
            filter: Filter::Box,
        };
        let mirror = Pass::Orient(Orientation {
            mirror: true,
            turns: 0,
        });
        assert_eq!(bytes(&run(source.clone(), &[resample, mirror])), [10]);
        assert_eq!(bytes(&run(source, &[mirror, resample])), [21]);
    }

    #[test]
    fn it_gives_rows_whatever_the_target() {
        let source = Box::new(OneStrip::from(picture(dimensions(3, 3), RGB, 32)));
        let target = Target::Jpeg(JpegSettings::default());
        let output = CpuEngine::default().run(source, &[], target, &Cancel::new());
        assert!(matches!(output, Ok(Output::Rows(_))), "{output:?}");
        assert_eq!(CpuEngine::default().name(), "cpu");
    }

    #[test]
    fn a_cancelled_request_stops_at_the_next_strip_of_every_pass() {
        for pass in all_passes() {
            let eight = matches!(pass, Pass::Gray | Pass::Bitonal | Pass::Rotate(_));
            let format = if eight {
                RGB
            } else {
                PixelFormat::sixteen(Channels::Rgba)
            };
            let source = picture(dimensions(11, 70), format, 33);
            let cancel = Cancel::new();
            let mut rows = start(Box::new(Strips::new(source, 2)), &[pass], &cancel);
            if !pass.needs_whole() {
                assert!(rows.next_strip().expect("not cancelled yet").is_some());
            }
            cancel.cancel();
            let error = rows.next_strip().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Cancelled, "{pass:?}");
            assert!(rows.next_strip().expect("ended").is_none());
        }
    }

    #[test]
    fn rows_taken_together_leave_nothing_behind_and_heed_the_cancel_token() {
        let source = picture(dimensions(4, 5), RGB, 35);
        let cancel = Cancel::new();
        let mut rows = start(Box::new(OneStrip::from(source.clone())), &[], &cancel);
        assert_eq!(rows.at_once().expect("a picture"), Some(source.clone()));
        assert!(rows.at_once().expect("ended").is_none());
        assert!(rows.next_strip().expect("ended").is_none());
        let mut rows = start(Box::new(Strips::new(source.clone(), 2)), &[], &cancel);
        assert!(rows.at_once().expect("strips alone").is_none());
        assert!(rows.next_strip().expect("a strip").is_some());
        let mut rows = start(Box::new(OneStrip::from(source)), &[], &cancel);
        cancel.cancel();
        assert_eq!(rows.at_once().unwrap_err().kind(), ErrorKind::Cancelled);
        assert!(rows.next_strip().expect("ended").is_none());
    }

    /// A decoder that meets damage after its first strip.
    struct Damaged(Strips, bool);

    impl Rows for Damaged {
        fn shape(&self) -> Shape {
            self.0.shape()
        }

        fn next_strip(&mut self) -> Result<Option<Raster>> {
            if std::mem::replace(&mut self.1, true) {
                return Err(Error::corrupt("a strip is cut short"));
            }
            self.0.next_strip()
        }
    }

    #[test]
    fn an_error_of_the_source_comes_through_once_and_ends_the_rows() {
        for passes in [&[][..], &[Pass::Gray], &[Pass::Shrink { times: 2 }]] {
            let source = Strips::new(picture(dimensions(5, 9), RGB, 34), 8);
            let source = Box::new(Damaged(source, false));
            let mut rows = start(source, passes, &Cancel::new());
            assert!(rows.next_strip().expect("a first strip").is_some());
            assert_eq!(rows.next_strip().unwrap_err().kind(), ErrorKind::Corrupt);
            assert!(rows.next_strip().expect("ended").is_none());
        }
    }
}
