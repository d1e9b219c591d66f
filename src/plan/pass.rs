//! The steps on pixels, as data. Engines interpret them; nothing in a pass is decided again.

use crate::geometry::{Dimensions, Orientation};
use crate::raster::{Channels, Depth, PixelFormat, Shape};

/// One step on pixels. A plan holds them in the order of this list, each at most once.
///
/// Source: I3-ORD-01 for the order; `Narrow` stands right after `Resample` so that 16 bits are kept
/// until no arithmetic between pixels follows at full depth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pass {
    /// Halves both sides `times` times by 2×2 boxes, mean rounded half up; an odd last row or column
    /// is repeated.
    Shrink {
        /// How often, at least 1.
        times: u8,
    },
    /// Resamples `crop` of what flows to `target`; what lies around the crop feeds the filter.
    Resample {
        /// The exact part, in pixels of what flows.
        crop: Crop,
        /// The result's dimensions.
        target: Dimensions,
        /// The kernel.
        filter: Filter,
    },
    /// 16 to 8 bits: `(v · 255 + 32767) / 65535`.
    Narrow,
    /// Mirror and quarter turns: the master's own orientation and the request's.
    Orient(Orientation),
    /// Lays the picture over a background and drops its opacity.
    Flatten {
        /// Red, green, blue.
        background: [u8; 3],
    },
    /// Turns by any angle into the tight box around the result.
    Rotate(Turn),
    /// Luma of the rounded 8-bit colours: `(19595 R + 38470 G + 7471 B + 32768) >> 16`.
    Gray,
    /// Black below a luma of 128, white from there on, one channel.
    Bitonal,
}

/// A rectangle with fractional edges, in pixels of what flows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crop {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
}

/// A resampling kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Filter {
    /// Lanczos with three lobes, widened by the ratio when it shrinks (Duchon 1979).
    Lanczos3,
    /// Catmull-Rom cubic (Catmull and Rom 1974), widened by the ratio when it shrinks.
    CatmullRom,
    /// Triangle, widened by the ratio when it shrinks.
    Bilinear,
    /// Mean of the covered area.
    Box,
}

impl Filter {
    /// Samples from the kernel's centre to its end where it does not shrink.
    pub const fn support(self) -> f64 {
        match self {
            Self::Lanczos3 => 3.0,
            Self::CatmullRom => 2.0,
            Self::Bilinear => 1.0,
            Self::Box => 0.5,
        }
    }
}

/// A turn by an angle that is no multiple of 90.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn {
    /// Degrees clockwise, above 0 and below 360.
    pub degrees: f64,
    /// The result's dimensions: the tight box, rounded up.
    pub canvas: Dimensions,
    /// What is outside: a colour, or transparent.
    pub background: Option<[u8; 3]>,
}

impl Pass {
    /// What flows after this pass if `shape` flows before it.
    pub fn shape_after(&self, shape: Shape) -> Shape {
        let Shape { dimensions, format } = shape;
        let channels = format.channels;
        match *self {
            Self::Shrink { times } => Shape {
                dimensions: (0..times).fold(dimensions, |now, _| Dimensions {
                    width: now.width.div_ceil(2),
                    height: now.height.div_ceil(2),
                }),
                format,
            },
            Self::Resample { target, .. } => Shape {
                dimensions: target,
                format,
            },
            Self::Narrow => Shape {
                dimensions,
                format: PixelFormat {
                    channels,
                    depth: Depth::Eight,
                },
            },
            Self::Orient(orientation) => Shape {
                dimensions: orientation.apply(dimensions),
                format,
            },
            Self::Flatten { .. } => Shape {
                dimensions,
                format: PixelFormat {
                    channels: channels.without_alpha(),
                    ..format
                },
            },
            Self::Rotate(turn) => Shape {
                dimensions: turn.canvas,
                format: PixelFormat {
                    channels: match turn.background {
                        // A coloured background keeps a gray picture gray only if it is gray itself.
                        Some([r, g, b]) if channels == Channels::Gray && !(r == g && g == b) => {
                            Channels::Rgb
                        }
                        Some(_) => channels,
                        None => channels.with_alpha(),
                    },
                    ..format
                },
            },
            Self::Gray => Shape {
                dimensions,
                format: PixelFormat {
                    channels: if channels.has_alpha() {
                        Channels::GrayAlpha
                    } else {
                        Channels::Gray
                    },
                    ..format
                },
            },
            Self::Bitonal => Shape {
                dimensions,
                format: PixelFormat {
                    channels: Channels::Gray,
                    ..format
                },
            },
        }
    }

    /// Whether the pass has to see the whole picture before its first row can leave.
    pub fn needs_whole(&self) -> bool {
        match self {
            Self::Resample { .. } | Self::Rotate(_) => true,
            Self::Orient(orientation) => orientation.turns != 0,
            Self::Shrink { .. }
            | Self::Narrow
            | Self::Flatten { .. }
            | Self::Gray
            | Self::Bitonal => false,
        }
    }
}
