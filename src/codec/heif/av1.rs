//! AV1 pictures → planes. The only file that knows the AV1 library.
//!
//! The library runs on the calling thread alone and cannot be stopped on the way. Whatever it trips over in
//! damaged bytes is damage: a panic within it ends there.

use rusty_av1d::{Decoder, Picture, PixelLayout, PlanarImageComponent, Rav1dError, Settings};

use crate::codec::guard::guarded;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;

use super::planes::{Chroma, Coded};

/// Most pictures that are sent before one is shown: a still picture is one.
const MAX_PICTURES: usize = 16;

/// Decodes the first picture of `units`, which has no more than `area` pixels.
pub(super) fn decode(units: Vec<u8>, area: u64) -> Result<Box<dyn Coded>> {
    guarded(|| first(units, area)).unwrap_or_else(|| Err(damaged()))
}

fn first(units: Vec<u8>, area: u64) -> Result<Box<dyn Coded>> {
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_frame_size_limit(u32::try_from(area).unwrap_or(u32::MAX));
    settings.set_all_layers(false);
    let failed = |cause: Rav1dError| damaged().with_source(format!("{cause:?}"));
    let mut decoder = Decoder::with_settings(&settings).map_err(failed)?;
    let mut sent = decoder.send_data(units.into_boxed_slice(), None, None, None);
    for _ in 0..MAX_PICTURES {
        match decoder.get_picture() {
            Ok(picture) => {
                return Frame::new(picture).map(|frame| Box::new(frame) as Box<dyn Coded>);
            }
            Err(Rav1dError::TryAgain) if matches!(sent, Err(Rav1dError::TryAgain)) => {
                sent = decoder.send_pending_data();
            }
            Err(cause) => return Err(failed(sent.err().unwrap_or(cause))),
        }
    }
    Err(damaged())
}

fn damaged() -> Error {
    Error::corrupt("its AV1 data are damaged")
}

/// A decoded picture.
struct Frame {
    picture: Picture,
    chroma: Chroma,
    bits: u8,
}

impl Frame {
    fn new(picture: Picture) -> Result<Self> {
        let chroma = match picture.pixel_layout() {
            PixelLayout::I400 => Chroma::None,
            PixelLayout::I420 => Chroma::Quarter,
            PixelLayout::I422 => Chroma::Half,
            PixelLayout::I444 => Chroma::Full,
        };
        let bits = picture.bits_per_component().ok_or_else(damaged)?.0;
        Ok(Self {
            picture,
            chroma,
            bits,
        })
    }
}

impl Coded for Frame {
    fn dimensions(&self) -> Option<Dimensions> {
        Dimensions::new(self.picture.width(), self.picture.height())
    }

    fn bits(&self) -> u8 {
        self.bits
    }

    fn chroma(&self) -> Chroma {
        self.chroma
    }

    fn copy(&self, plane: usize, x: usize, y: usize, target: &mut [u16]) -> bool {
        let component = match plane {
            0 => PlanarImageComponent::Y,
            1 => PlanarImageComponent::U,
            _ => PlanarImageComponent::V,
        };
        let stride = self.picture.stride(component) as usize;
        let sample = if self.bits == 8 { 1 } else { 2 };
        let start = y * stride + x * sample;
        let bytes = self.picture.plane(component);
        let Some(row) = bytes.get(start..start + target.len() * sample) else {
            return false;
        };
        if sample == 1 {
            for (target, value) in target.iter_mut().zip(row) {
                *target = u16::from(*value);
            }
        } else {
            let (pairs, _) = row.as_chunks::<2>();
            for (target, pair) in target.iter_mut().zip(pairs) {
                *target = u16::from_ne_bytes(*pair);
            }
        }
        true
    }
}
