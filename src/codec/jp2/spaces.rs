//! The number of a colour space → what its samples are, and how they become gray, red, green and blue,
//! inks or L\*a\*b\*.
//!
//! All of it is whole numbers: a sum for each colour, in 65536ths. What is not known for certain is
//! refused with the reason.
//!
//! Source: ISO/IEC 15444-1 table I.10, ISO/IEC 15444-2 tables M.25 and M.26; ISO/IEC 15444-15 for code points.

use crate::codec::LabRange;
use crate::error::{Error, Result};

use super::boxes::Precision;
use super::bytes::Bytes;

/// What the channels of a colour space are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Space {
    /// For people.
    pub(super) name: &'static str,
    pub(super) model: Model,
    mixture: Mixture,
    /// The first channels of which the highest value is the darkest colour, once they are mixed.
    pub(super) inverted: usize,
}

/// What samples stand for once they are mixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Model {
    /// Gray with sRGB's curve.
    Gray,
    /// sRGB.
    Rgb,
    /// Reference output medium metric RGB.
    Romm,
    /// By the numbers of ITU-T H.273 for primaries and curve.
    CodePoints {
        primaries: u8,
        curve: u8,
    },
    /// Cyan, magenta, yellow, without black.
    ThreeInks,
    /// Cyan, magenta, yellow, black.
    FourInks,
    Lab(Lab),
}

/// What L\*a\*b\* are counted from, and what their samples mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lab {
    /// Range and offset of each, where the file says so.
    stored: Option<[(u32, u32); 3]>,
    white: White,
}

/// The light in which L\*a\*b\* are seen, as chromaticities in 100000ths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum White {
    D50,
    Other([u32; 2]),
    /// The phase of daylight with this temperature in kelvin.
    Daylight(u16),
}

/// How three stored channels become red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mixture {
    None,
    /// A matrix in 65536ths, over the full range or that of video.
    Ycc([[i64; 3]; 3], Scale),
    /// Colours beyond sRGB on both sides, of more than 8 bits.
    Extended,
    Photo,
}

/// What black and white are of 8 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// 0 and 255.
    Full,
    /// 16 and 235, chroma from 16 to 240.
    Video,
}

const ONE: i64 = 1 << 16;

/// Source: ITU-R BT.601, full range as in IEC 61966-2-1 amendment 1.
const BT_601: [[i64; 3]; 3] = [[ONE, 0, 91_881], [ONE, -22_554, -46_802], [ONE, 116_130, 0]];

/// Source: ITU-R BT.709.
const BT_709: [[i64; 3]; 3] = [
    [ONE, 0, 103_206],
    [ONE, -12_277, -30_679],
    [ONE, 121_609, 0],
];

/// Source: ITU-R BT.2020, luminance that is not constant.
const BT_2020: [[i64; 3]; 3] = [[ONE, 0, 96_639], [ONE, -10_784, -37_444], [ONE, 123_299, 0]];

const NO_MATRIX: [[i64; 3]; 3] = [[ONE, 0, 0], [0, ONE, 0], [0, 0, ONE]];

impl Space {
    pub(super) const SYCC: Self =
        Self::mixed("sYCC", Model::Rgb, Mixture::Ycc(BT_601, Scale::Full));
    pub(super) const YCC: Self = Self {
        name: "YCC",
        ..Self::SYCC
    };

    const fn plain(name: &'static str, model: Model) -> Self {
        Self::mixed(name, model, Mixture::None)
    }

    const fn mixed(name: &'static str, model: Model, mixture: Mixture) -> Self {
        Self {
            name,
            model,
            mixture,
            inverted: 0,
        }
    }

    const fn inverted(self, inverted: usize) -> Self {
        Self { inverted, ..self }
    }

    /// The space with this number; `parameters` are what follows it.
    ///
    /// # Errors
    ///
    /// The reason why it is not read.
    pub(super) fn numbered(number: u32, parameters: Bytes<'_>) -> Result<Self, &'static str> {
        let video = Model::CodePoints {
            primaries: 1,
            curve: 1,
        };
        Ok(match number {
            0 => Self::plain("bilevel, 0 is white", Model::Gray).inverted(1),
            1 => Self::mixed("YCbCr (1)", video, Mixture::Ycc(BT_709, Scale::Video)),
            3 => Self::mixed("YCbCr (2)", Model::Rgb, Mixture::Ycc(BT_601, Scale::Full)),
            4 => Self::mixed("YCbCr (3)", video, Mixture::Ycc(BT_601, Scale::Video)),
            9 => Self::mixed("PhotoYCC", video, Mixture::Photo),
            11 => Self::plain("CMY", Model::ThreeInks),
            12 => Self::plain("CMYK", Model::FourInks),
            13 => {
                Self::mixed("YCCK", Model::FourInks, Mixture::Ycc(BT_601, Scale::Full)).inverted(3)
            }
            14 => Self::plain("L*a*b*", Model::Lab(Lab::parse(parameters)?)),
            15 => Self::plain("bilevel", Model::Gray),
            16 => Self::plain("sRGB", Model::Rgb),
            17 => Self::plain("gray", Model::Gray),
            18 => Self::SYCC,
            19 => return Err("its colour space is that of a model of appearance (CIEJab)"),
            20 => Self::mixed("e-sRGB", Model::Rgb, Mixture::Extended),
            21 => Self::plain("ROMM RGB", Model::Romm),
            22 => Self::mixed("YPbPr (1125/60)", video, Mixture::Ycc(BT_709, Scale::Video)),
            23 => return Err("its colour space is that of analogue video of 1250 lines"),
            24 => Self {
                name: "e-sYCC",
                ..Self::SYCC
            },
            _ => return Err("its colour space has a number that is not known"),
        })
    }

    /// The space of code points for primaries, curve and matrix, and a flag for the full range.
    ///
    /// # Errors
    ///
    /// The reason why it is not read; [`Error`] for a box that is too short.
    pub(super) fn of_code_points(mut content: Bytes<'_>) -> Result<Result<Self, &'static str>> {
        let [primaries, curve, matrix] = [content.u16()?, content.u16()?, content.u16()?];
        let scale = match content.u8()? {
            0 => Scale::Video,
            _ => Scale::Full,
        };
        let (Ok(primaries), Ok(curve)) = (u8::try_from(primaries), u8::try_from(curve)) else {
            return Ok(Err("its colour space has code points that are not known"));
        };
        let matrix = match matrix {
            0 => NO_MATRIX,
            1 => BT_709,
            5 | 6 => BT_601,
            9 => BT_2020,
            _ => return Ok(Err("its colours are mixed by a matrix that is not known")),
        };
        let mixture = match (matrix == NO_MATRIX, scale) {
            (true, Scale::Full) => Mixture::None,
            _ => Mixture::Ycc(matrix, scale),
        };
        let model = match (primaries, curve) {
            // sRGB's own.
            (1, 13) => Model::Rgb,
            _ => Model::CodePoints { primaries, curve },
        };
        Ok(Ok(Self::mixed("code points", model, mixture)))
    }

    /// How many channels a colour has.
    pub(super) const fn colours(&self) -> usize {
        match self.model {
            Model::Gray => 1,
            Model::FourInks => 4,
            Model::Rgb
            | Model::Romm
            | Model::CodePoints { .. }
            | Model::ThreeInks
            | Model::Lab(_) => 3,
        }
    }

    /// Whether three of its channels are mixed.
    pub(super) fn is_mixed(&self) -> bool {
        self.mixture != Mixture::None
    }

    /// The sums that make three channels of `precision` colours.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::NotImplemented`] for a depth for which the space is not defined.
    pub(super) fn sums(&self, precision: Precision) -> Result<Option<Sums>> {
        let bits = precision.bits;
        let (highest, middle) = ((1_i64 << bits) - 1, 1_i64 << (bits - 1));
        let depth = |allowed: bool| {
            let words = format!("its colours are {}, which has no {bits} bits", self.name);
            if allowed {
                Ok(())
            } else {
                Err(Error::unsupported(words))
            }
        };
        Ok(Some(match self.mixture {
            Mixture::None => return Ok(None),
            Mixture::Ycc(rows, scale) => {
                let has_luma = rows != NO_MATRIX;
                let chroma = if has_luma { middle } else { 0 };
                match scale {
                    Scale::Full => Sums::new(rows, [0, chroma, chroma], [highest; 3], highest),
                    Scale::Video => {
                        depth(bits >= 8)?;
                        let step = 1 << (bits - 8);
                        let (black, luma) = (16 * step, 219 * step);
                        if has_luma {
                            let colour = 224 * step;
                            let zero = [black, middle, middle];
                            Sums::new(rows, zero, [luma, colour, colour], highest)
                        } else {
                            Sums::new(rows, [black; 3], [luma; 3], highest)
                        }
                    }
                }
            }
            // 10 bits: black is 384, white 894.
            Mixture::Extended => {
                depth(bits > 9)?;
                let step = 1 << (bits - 9);
                Sums::new(NO_MATRIX, [192 * step; 3], [255 * step; 3], highest)
            }
            Mixture::Photo => {
                depth(bits == 8)?;
                Sums {
                    rows: PHOTO,
                    zero: [0, 156, 137],
                    highest,
                }
            }
        }))
    }
}

/// Luma of Photo CD is 255 at 1.402, its first chroma is 111.40 times blue less luma, its second 135.64 times
/// red less luma, by the luma of BT.601.
///
/// Source: Eastman Kodak, Photo CD Information Bulletin PCD045.
const PHOTO: [[i64; 3]; 3] = [
    [91_881, 0, 123_206],
    [91_881, -29_134, -62_757],
    [91_881, 150_015, 0],
];

/// Sums of three channels, in 65536ths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sums {
    rows: [[i64; 3]; 3],
    /// What stands for nothing.
    zero: [i64; 3],
    /// The highest value that comes out.
    highest: i64,
}

impl Sums {
    /// `rows` of channels that are 1 at `unit` above `zero`; all but the full range is stretched to it.
    fn new(rows: [[i64; 3]; 3], zero: [i64; 3], unit: [i64; 3], highest: i64) -> Self {
        let mut stretched = rows;
        for row in &mut stretched {
            for (factor, unit) in row.iter_mut().zip(unit) {
                let product = *factor * highest;
                *factor = (product + product.signum() * unit / 2) / unit;
            }
        }
        Self {
            rows: stretched,
            zero,
            highest,
        }
    }

    /// Makes the first three values of `pixel` red, green and blue.
    pub(super) fn mix(&self, pixel: &mut [i32]) {
        let [first, second, third, ..] = pixel else {
            return;
        };
        let [x, y, z] = self.zero;
        let values = [
            i64::from(*first) - x,
            i64::from(*second) - y,
            i64::from(*third) - z,
        ];
        let value = |row: [i64; 3]| {
            let sum = row[0] * values[0] + row[1] * values[1] + row[2] * values[2];
            let rounded = (sum + (1 << 15)) >> 16;
            i32::try_from(rounded.clamp(0, self.highest)).unwrap_or(0)
        };
        let [red, green, blue] = self.rows;
        (*first, *second, *third) = (value(red), value(green), value(blue));
    }
}

impl Lab {
    /// Ranges, offsets and the light; without them those that the standard gives.
    fn parse(mut content: Bytes<'_>) -> Result<Self, &'static str> {
        if content.is_empty() {
            return Ok(Self {
                stored: None,
                white: White::D50,
            });
        }
        let mut number = || content.u32().map_err(|_short| "its L*a*b* lack parameters");
        let mut pair = || Ok::<_, &'static str>((number()?, number()?));
        let stored = [pair()?, pair()?, pair()?];
        Ok(Self {
            stored: Some(stored),
            white: White::named(number()?)?,
        })
    }

    /// What the least and the largest sample of each stand for.
    ///
    /// Source: ISO/IEC 15444-2 M.11.7.4.1.
    pub(super) fn range(&self, precisions: [Precision; 3]) -> LabRange {
        let mut ranges = [(0.0, 0.0); 3];
        for (place, (ends, precision)) in ranges.iter_mut().zip(precisions).enumerate() {
            let (levels, half) = (1_u64 << precision.bits, 1_u64 << (precision.bits - 1));
            let least = if precision.signed {
                -(half as f64)
            } else {
                0.0
            };
            let (range, offset) = match (self.stored, place) {
                (Some(stored), _) => {
                    let (range, offset) = stored.get(place).copied().unwrap_or_default();
                    (f64::from(range), f64::from(offset))
                }
                (None, 0) => (100.0, least),
                (None, 1) => (170.0, half as f64 + least),
                // 3/8 of the levels.
                (None, _) => (200.0, 0.75 * half as f64 + least),
            };
            let step = range / (levels - 1) as f64;
            let low = (least - offset) * step;
            *ends = narrowed([low, low + range]);
        }
        ranges
    }

    /// The chromaticities of the light, if it is another than D50.
    pub(super) fn white(&self) -> Option<[f32; 2]> {
        let (x, y) = match self.white {
            White::D50 => return None,
            White::Other([x, y]) => (f64::from(x) / 1e5, f64::from(y) / 1e5),
            White::Daylight(kelvin) => daylight(f64::from(kelvin)),
        };
        let (x, y) = narrowed([x, y]);
        Some([x, y])
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "32 bits are more than samples have"
)]
fn narrowed([one, other]: [f64; 2]) -> (f32, f32) {
    (one as f32, other as f32)
}

impl White {
    /// By letters and digits, right-aligned, or `CT` and a temperature.
    ///
    /// Source: ISO/IEC 15444-2 table M.26; chromaticities from CIE 15:2018, tables T.3 and T.8.
    fn named(name: u32) -> Result<Self, &'static str> {
        let other = |x, y| Ok(Self::Other([x, y]));
        match &name.to_be_bytes() {
            b"\0D50" => Ok(Self::D50),
            b"\0D65" => other(31_272, 32_903),
            b"\0D75" => other(29_902, 31_485),
            b"\0\0SA" => other(44_757, 40_745),
            b"\0\0SC" => other(31_006, 31_616),
            b"\0\0F2" => other(37_208, 37_529),
            b"\0\0F7" => other(31_292, 32_933),
            b"\0F11" => other(38_052, 37_713),
            [b'C', b'T', high, low] => match u16::from_be_bytes([*high, *low]) {
                kelvin @ 4_000..=25_000 => Ok(Self::Daylight(kelvin)),
                _ => Err("its L*a*b* are for a light that is no daylight"),
            },
            _ => Err("its L*a*b* are for a light that is not known"),
        }
    }
}

/// Chromaticities of daylight of 4000 to 25000 kelvin.
///
/// Source: CIE 15:2018, 4.1.2.
fn daylight(kelvin: f64) -> (f64, f64) {
    let [cubed, squared, once, constant] = if kelvin <= 7000.0 {
        [-4.6070e9, 2.9678e6, 0.099_11e3, 0.244_063]
    } else {
        [-2.0064e9, 1.9018e6, 0.247_48e3, 0.237_040]
    };
    let x = ((cubed / kelvin + squared) / kelvin + once) / kelvin + constant;
    (x, -3.0 * x * x + 2.870 * x - 0.275)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(number: u32, bits: u8, pixel: [i32; 3]) -> [i32; 3] {
        let space = Space::numbered(number, Bytes::new(&[])).expect("known");
        let precision = Precision {
            bits,
            signed: false,
        };
        let sums = space.sums(precision).expect("a depth").expect("mixed");
        let mut pixel = pixel;
        sums.mix(&mut pixel);
        pixel
    }

    #[test]
    fn black_white_and_primaries_are_where_their_standards_put_them() {
        for (number, bits, pixel, wanted) in [
            (18, 8, [255, 128, 128], [255; 3]),
            (3, 8, [76, 85, 255], [254, 0, 0]),
            (1, 8, [16, 128, 128], [0; 3]),
            (1, 8, [235, 128, 128], [255; 3]),
            (1, 8, [63, 102, 240], [255, 1, 0]),
            (22, 8, [63, 102, 240], [255, 1, 0]),
            (1, 10, [64, 512, 512], [0; 3]),
            (1, 10, [940, 512, 512], [1023; 3]),
            (4, 8, [81, 90, 240], [254, 0, 0]),
            (4, 8, [255, 128, 128], [255; 3]),
            (9, 8, [0, 156, 137], [0; 3]),
            (9, 8, [182, 156, 137], [255; 3]),
            (9, 8, [91, 156, 137], [128; 3]),
            (20, 10, [384; 3], [0; 3]),
            (20, 10, [894, 640, 100], [1023, 514, 0]),
            (20, 16, [24_576, 57_216, 65_535], [0, 65_535, 65_535]),
        ] {
            assert_eq!(mixed(number, bits, pixel), wanted, "{number}: {pixel:?}");
        }
    }

    #[test]
    fn code_points_name_the_matrix_that_mixes() {
        let space = |matrix: u8, full: u8| {
            Space::of_code_points(Bytes::new(&[0, 1, 0, 13, 0, matrix, full])).expect("whole")
        };
        let byte = Precision {
            bits: 8,
            signed: false,
        };
        // 50 of red, then of blue: of BT.709 178.74 76.59 and 90.63 192.78, of BT.601 170.1 64.29 and 82.79 188.6,
        // of BT.2020 173.73 71.43 and 91.77 194.07.
        for (matrix, red, blue) in [
            (1, [179, 77, 100], [100, 91, 193]),
            (5, [170, 64, 100], [100, 83, 189]),
            (6, [170, 64, 100], [100, 83, 189]),
            (9, [174, 71, 100], [100, 92, 194]),
        ] {
            let space = space(matrix, 1).expect("known");
            let sums = space.sums(byte).expect("a depth").expect("mixed");
            for (mut pixel, wanted) in [([100, 128, 178], red), ([100, 178, 128], blue)] {
                sums.mix(&mut pixel);
                assert_eq!(pixel, wanted, "{matrix}");
            }
        }
        assert_eq!(
            space(0, 1).expect("known").sums(byte).expect("a depth"),
            None
        );
        for matrix in [2, 3, 4, 7, 8, 10] {
            assert!(space(matrix, 1).is_err(), "{matrix}");
        }
    }

    #[test]
    fn bt_601_in_and_out_is_the_same_colour() {
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..1000 {
            let rgb = [(); 3].map(|()| random.u8(..));
            let [r, g, b] = rgb.map(f64::from);
            let luma = 0.299 * r + 0.587 * g + 0.114 * b;
            let chroma = [(b - luma) / 1.772, (r - luma) / 1.402];
            let rounded = |v: f64| format!("{v:.0}").parse::<i32>().expect("a number");
            let full = [luma, chroma[0] + 128.0, chroma[1] + 128.0].map(rounded);
            let video = [
                16.0 + luma * 219.0 / 255.0,
                128.0 + chroma[0] * 224.0 / 255.0,
                128.0 + chroma[1] * 224.0 / 255.0,
            ];
            for (number, pixel, most) in [(3, full, 2), (4, video.map(rounded), 3)] {
                for (got, wanted) in mixed(number, 8, pixel).into_iter().zip(rgb) {
                    assert!((got - i32::from(wanted)).abs() <= most, "{number}: {rgb:?}");
                }
            }
        }
    }

    #[test]
    fn depths_for_which_a_space_is_not_defined_are_refused() {
        for (number, bits) in [(1, 7), (4, 4), (9, 10), (20, 8)] {
            let space = Space::numbered(number, Bytes::new(&[])).expect("known");
            let precision = Precision {
                bits,
                signed: false,
            };
            assert!(space.sums(precision).is_err(), "{number}: {bits}");
        }
    }

    #[test]
    fn lights_have_their_places() {
        let white = |name: &[u8; 4]| White::named(u32::from_be_bytes(*name));
        let place = |white| {
            Lab {
                stored: None,
                white,
            }
            .white()
        };
        assert_eq!(white(b"\0D50"), Ok(White::D50));
        assert_eq!(place(White::D50), None);
        let [x, y] = place(white(b"CT\x19\x64").expect("6500 K")).expect("another");
        assert!(
            (x - 0.312_7).abs() < 3e-4 && (y - 0.329_0).abs() < 1e-3,
            "{x} {y}"
        );
        let [x, y] = place(white(b"CT\x27\x10").expect("10000 K")).expect("another");
        assert!(
            (x - 0.2788).abs() < 1e-3 && (y - 0.2920).abs() < 1e-3,
            "{x} {y}"
        );
        assert!(white(b"CT\x0B\xB8").is_err(), "3000 K");
        assert!(white(b"\0D55").is_err());
    }

    #[test]
    fn ranges_are_the_files_or_the_standards() {
        let byte = Precision {
            bits: 8,
            signed: false,
        };
        let lab = |content: &[u8]| Lab::parse(Bytes::new(content)).expect("good");
        let near = |one: LabRange, other: LabRange| {
            one.iter().zip(other).all(|(one, other)| {
                (one.0 - other.0).abs() < 1e-3 && (one.1 - other.1).abs() < 1e-3
            })
        };
        let usual = lab(&[]).range([byte; 3]);
        let wanted = [(0.0, 100.0), (-85.333, 84.667), (-75.294, 124.706)];
        assert!(near(usual, wanted), "{usual:?}");
        let signed = Precision {
            signed: true,
            ..byte
        };
        let usual = lab(&[]).range([signed; 3]);
        assert!(near(usual, wanted), "{usual:?}, signed");
        let own = [100_u32, 0, 170, 128, 200, 96, 0x0044_3530];
        let own: Vec<u8> = own.iter().flat_map(|n| n.to_be_bytes()).collect();
        let own = lab(&own).range([byte; 3]);
        assert!(near(own, wanted), "{own:?}");
        let numbers = [100_u32, 0, 255, 128, 255, 128, 0x0044_3635];
        let content: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
        let said = lab(&content);
        let wanted = [(0.0, 100.0), (-128.0, 127.0), (-128.0, 127.0)];
        assert!(near(said.range([byte; 3]), wanted), "{said:?}");
        assert_eq!(said.white(), Some([0.312_72, 0.329_03]));
        assert!(Lab::parse(Bytes::new(&content[..20])).is_err());
    }
}
