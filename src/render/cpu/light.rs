//! sRGB's curve in whole numbers: samples ↔ light.
//!
//! Light has 24 bits, in which a sample that becomes light and comes back is the same sample at both depths.
//! Pictures that are held as light have 16: samples of 8 bits come back, those of 16 are up to 7 off in the dark.
//!
//! Source: IEC 61966-2-1, 5.2.

use std::sync::LazyLock;

use super::sample::Sample;
use crate::error::{Error, Result};
use crate::raster::{Depth, Raster, Samples};

/// Full light.
const FULL: f64 = 16_777_215.0;

/// Full light of pictures that are held as light.
const FULL_16: u32 = 65_535;

/// The curve for samples of one depth.
pub(super) struct Curve {
    /// The light of each sample.
    light: Vec<u32>,
    /// The least light of each sample but the first.
    least: Vec<u32>,
}

static EIGHT: LazyLock<Curve> = LazyLock::new(|| Curve::new(u8::MAX.into()));
static SIXTEEN: LazyLock<Curve> = LazyLock::new(|| Curve::new(u16::MAX.into()));

/// What a sample of each depth is for each light of 16 bits.
static OF_LIGHT_8: LazyLock<Vec<u8>> = LazyLock::new(of_light);
static OF_LIGHT_16: LazyLock<Vec<u16>> = LazyLock::new(of_light);

fn of_light<T: Sample>() -> Vec<T> {
    let curve = Curve::of::<T>();
    (0..=FULL_16)
        .map(|light| T::of(curve.sample(light * 256 + light / 256)))
        .collect()
}

impl Curve {
    fn new(most: u32) -> Self {
        let light = |sample: f64| {
            let share = sample / f64::from(most);
            let light = if share <= 0.040_45 {
                share / 12.92
            } else {
                ((share + 0.055) / 1.055).powf(2.4)
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and full light"
            )]
            let light = (light * FULL).round() as u32;
            light
        };
        Self {
            light: (0..=most).map(|sample| light(f64::from(sample))).collect(),
            // Half-way between two samples begins the upper one.
            least: (0..most)
                .map(|sample| light(f64::from(sample) + 0.5))
                .collect(),
        }
    }

    /// The curve for samples of this type.
    pub(super) fn of<T: Sample>() -> &'static Self {
        if T::MAX == u32::from(u8::MAX) {
            &EIGHT
        } else {
            &SIXTEEN
        }
    }

    /// The light of a sample.
    pub(super) fn light(&self, sample: u32) -> u32 {
        self.light.get(sample as usize).copied().unwrap_or_default()
    }

    /// The sample nearest to this light.
    pub(super) fn sample(&self, light: u32) -> u32 {
        let below = self.least.partition_point(|least| *least <= light);
        u32::try_from(below).unwrap_or(u32::MAX)
    }

    fn light_16(&self, sample: u32) -> u16 {
        // 24 bits to 16, rounded.
        let light = (u64::from(self.light(sample)) * u64::from(FULL_16) + 8_388_607) / 16_777_215;
        u16::try_from(light).unwrap_or(u16::MAX)
    }
}

/// `picture` as light of 16 bits; opacity stays what it is.
pub(super) fn lit(picture: Raster) -> Result<Raster> {
    let (dimensions, channels) = (picture.dimensions(), picture.format().channels);
    let colours = channels.without_alpha().count();
    let each = |count: usize| (0..channels.count()).cycle().take(count);
    let samples = match picture.into_samples() {
        Samples::U8(all) => {
            let light: Vec<u16> = (0..=255).map(|sample| EIGHT.light_16(sample)).collect();
            let lit = all.iter().zip(each(all.len())).map(|(sample, channel)| {
                if channel < colours {
                    light.get(usize::from(*sample)).copied().unwrap_or_default()
                } else {
                    u16::from(*sample) * 257
                }
            });
            lit.collect()
        }
        Samples::U16(mut all) => {
            let places = each(all.len());
            for (sample, channel) in all.iter_mut().zip(places) {
                if channel < colours {
                    *sample = SIXTEEN.light_16(u32::from(*sample));
                }
            }
            all
        }
    };
    Raster::new(dimensions, channels, Samples::U16(samples))
}

/// A picture of light as samples of `depth`.
pub(super) fn unlit(picture: Raster, depth: Depth) -> Result<Raster> {
    let (dimensions, channels) = (picture.dimensions(), picture.format().channels);
    let colours = channels.without_alpha().count();
    let Samples::U16(mut all) = picture.into_samples() else {
        return Err(Error::internal("taking samples of 8 bits for light"));
    };
    let places = (0..channels.count()).cycle();
    let samples = match depth {
        Depth::Eight => {
            let samples = all.iter().zip(places).map(|(light, channel)| {
                if channel < colours {
                    OF_LIGHT_8
                        .get(usize::from(*light))
                        .copied()
                        .unwrap_or_default()
                } else {
                    u8::of((u32::from(*light) * 255 + 32_767) / FULL_16)
                }
            });
            Samples::U8(samples.collect())
        }
        Depth::Sixteen => {
            for (light, channel) in all.iter_mut().zip(places) {
                if channel < colours {
                    *light = OF_LIGHT_16
                        .get(usize::from(*light))
                        .copied()
                        .unwrap_or_default();
                }
            }
            Samples::U16(all)
        }
    };
    Raster::new(dimensions, channels, samples)
}

#[cfg(test)]
mod tests {
    use super::super::CpuEngine;
    use super::super::testing::{bytes, dimensions, picture};
    use super::*;
    use crate::cancel::Cancel;
    use crate::plan::{Crop, Filter, Pass};
    use crate::raster::{Channels, Light, OneStrip, PixelFormat, gather};
    use crate::render::{Engine as _, Output, Target};

    const ENCODED: CpuEngine = CpuEngine::new(Light::Encoded);
    const LINEAR: CpuEngine = CpuEngine::new(Light::Linear);

    fn run(engine: CpuEngine, source: &Raster, pass: Pass) -> Raster {
        let (rows, cancel) = (Box::new(OneStrip::from(source.clone())), Cancel::new());
        let output = engine.run(rows, &[pass], Target::Rows, &cancel);
        let Output::Rows(mut rows) = output.expect("good") else {
            panic!("no rows");
        };
        gather(rows.as_mut(), &cancel).expect("good")
    }

    fn resample(source: &Raster, width: u32, height: u32, filter: Filter) -> Pass {
        let from = source.dimensions();
        Pass::Resample {
            crop: Crop {
                x: 0.0,
                y: 0.0,
                width: f64::from(from.width),
                height: f64::from(from.height),
            },
            target: dimensions(width, height),
            filter,
        }
    }

    #[test]
    fn every_sample_comes_back_from_light() {
        for sample in 0..=255 {
            assert_eq!(EIGHT.sample(EIGHT.light(sample)), sample);
            let light = usize::from(EIGHT.light_16(sample));
            assert_eq!(u32::from(OF_LIGHT_8[light]), sample);
        }
        for sample in 0..=65_535 {
            assert_eq!(SIXTEEN.sample(SIXTEEN.light(sample)), sample);
            // 16 bits of light have fewer steps than samples below the middle.
            let light = usize::from(SIXTEEN.light_16(sample));
            let back = u32::from(OF_LIGHT_16[light]);
            assert!(back.abs_diff(sample) <= 7, "{sample}: {back}");
            assert!(sample < 35_500 || back == sample, "{sample}: {back}");
        }
    }

    #[test]
    fn a_chequerboard_is_half_the_light_and_not_half_the_number() {
        let board = |x: u32, y: u32| if (x + y).is_multiple_of(2) { 255 } else { 0 };
        let all = (0..64).flat_map(|y| (0..64).map(move |x| board(x, y)));
        let source = Raster::from_u8(dimensions(64, 64), Channels::Gray, all.collect()).unwrap();
        let shrink = Pass::Shrink { times: 1 };
        assert_eq!(bytes(&run(LINEAR, &source, shrink)), [188; 1024]);
        assert_eq!(bytes(&run(ENCODED, &source, shrink)), [128; 1024]);
        let boxes = resample(&source, 32, 32, Filter::Box);
        assert_eq!(bytes(&run(LINEAR, &source, boxes)), [188; 1024]);
        assert_eq!(bytes(&run(ENCODED, &source, boxes)), [128; 1024]);
        let lanczos = run(LINEAR, &source, resample(&source, 16, 16, Filter::Lanczos3));
        let inner = &bytes(&lanczos)[16 * 8 + 4..16 * 8 + 12];
        assert!(
            inner.iter().all(|level| level.abs_diff(188) <= 2),
            "{inner:?}"
        );
    }

    #[test]
    fn flat_colours_stay_whatever_is_done_to_their_size() {
        for channels in [Channels::Gray, Channels::Rgb, Channels::Rgba] {
            for level in [0, 1, 2, 9, 77, 128, 200, 254, 255] {
                let colour = [level, 255 - level, level / 2, 255];
                let pixel = &colour[..channels.count()];
                let source = Raster::from_u8(dimensions(37, 23), channels, pixel.repeat(37 * 23));
                let source = source.unwrap();
                for pass in [
                    Pass::Shrink { times: 3 },
                    resample(&source, 11, 8, Filter::Lanczos3),
                    resample(&source, 50, 61, Filter::CatmullRom),
                ] {
                    let result = run(LINEAR, &source, pass);
                    let pixels = bytes(&result).chunks_exact(channels.count());
                    assert!(pixels.clone().len() > 0);
                    for got in pixels {
                        assert_eq!(
                            &got[..channels.without_alpha().count()],
                            &pixel[..channels.without_alpha().count()]
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_clear_tints_nothing_in_light_either() {
        let samples = vec![
            200, 100, 50, 255, 0, 255, 0, 0, 0, 255, 0, 0, 200, 100, 50, 255,
        ];
        let source = Raster::from_u8(dimensions(2, 2), Channels::Rgba, samples).expect("4 pixels");
        let shrunk = run(LINEAR, &source, Pass::Shrink { times: 1 });
        assert_eq!(bytes(&shrunk), [200, 100, 50, 128]);
        let boxed = run(LINEAR, &source, resample(&source, 1, 1, Filter::Box));
        let close = bytes(&boxed).iter().zip([200_u8, 100, 50, 128]);
        assert!(close.clone().all(|(a, b)| a.abs_diff(b) <= 1), "{boxed:?}");
    }

    #[test]
    fn sixteen_bits_are_halved_as_eight_are() {
        let source = picture(dimensions(34, 26), PixelFormat::eight(Channels::Rgb), 9);
        let wide: Vec<u16> = bytes(&source).iter().map(|v| u16::from(*v) * 257).collect();
        let wide = Raster::new(source.dimensions(), Channels::Rgb, Samples::U16(wide)).unwrap();
        let eight = run(LINEAR, &source, Pass::Shrink { times: 1 });
        let sixteen = run(LINEAR, &wide, Pass::Shrink { times: 1 });
        let Samples::U16(sixteen) = sixteen.samples() else {
            panic!("the depth has changed");
        };
        for (eight, sixteen) in bytes(&eight).iter().zip(sixteen) {
            let back = (u32::from(*sixteen) * 255 + 32_767) / 65_535;
            assert!(back.abs_diff(u32::from(*eight)) <= 1, "{eight} {sixteen}");
        }
    }
}
