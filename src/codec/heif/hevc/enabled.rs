//! HEVC pictures → planes. The only file that knows the HEVC library.
//!
//! The library runs on the calling thread alone and cannot be stopped on the way. Whatever it trips over in
//! damaged bytes is damage: a panic within it ends there.

use heic_rs::hevc::{ChromaFormat, Frame, decode_still};

use crate::codec::guard::guarded;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;

use super::super::fields::Fields;
use super::super::planes::{Chroma, Coded};
use super::super::property::Config;
use super::size;

/// Most bits of a sample that the library knows.
const MAX_BITS: u8 = 10;

/// Pixels that a coded side may have beyond what is shown of it: less than a coding unit's, and as many
/// at the other end.
const MAX_UNIT_PX: u32 = 128;

/// Whether the library knows pictures of this kind.
///
/// # Errors
///
/// [`crate::error::ErrorKind::NotImplemented`] where it does not.
pub(in super::super) fn check(config: &Config) -> Result<()> {
    if config.bits > MAX_BITS {
        return Err(Error::unsupported(format!(
            "it is coded with HEVC of {} bits",
            config.bits
        )));
    }
    // The library takes such streams for damaged ones, or gives other pixels.
    if matches!(config.chroma, Chroma::Half | Chroma::Full) {
        return Err(Error::unsupported(format!(
            "it is coded with HEVC of {} chroma",
            config.chroma.name()
        )));
    }
    Ok(())
}

/// Decodes the picture of `units`, which has the pixels `shown` and few beside them.
pub(in super::super) fn decode(
    config: &Config,
    units: &[u8],
    shown: Dimensions,
) -> Result<Box<dyn Coded>> {
    let mut slices = Vec::new();
    let mut fields = Fields::new(units, 0);
    while !fields.rest().is_empty() {
        let length = usize::try_from(fields.number(config.length_bytes)?).unwrap_or(usize::MAX);
        slices.push(fields.take(length)?);
    }
    let is_headers = |unit: &[u8]| {
        let kind = unit.first().map_or(0, |head| head >> 1 & 0x3f);
        (32..=34).contains(&kind)
    };
    let mut headers: Vec<&[u8]> = config.headers.iter().map(Vec::as_slice).collect();
    headers.extend(slices.iter().filter(|unit| is_headers(unit)));
    slices.retain(|unit| !is_headers(unit));
    for unit in &headers {
        if let Some((width, height)) = size::coded(unit)?
            && (width > shown.width.saturating_add(MAX_UNIT_PX)
                || height > shown.height.saturating_add(MAX_UNIT_PX))
        {
            return Err(Error::corrupt(
                "a picture in it is larger than its container says",
            ));
        }
    }
    let frame = match guarded(|| decode_still(&headers, &slices)) {
        Some(Ok(frame)) => frame,
        Some(Err(heic_rs::Error::Unsupported(what))) => return Err(Error::unsupported(what)),
        Some(Err(cause)) => return Err(damaged().with_source(cause.to_string())),
        None => return Err(damaged()),
    };
    Ok(Box::new(frame))
}

fn damaged() -> Error {
    Error::corrupt("its HEVC data are damaged")
}

impl Coded for Frame {
    fn dimensions(&self) -> Option<Dimensions> {
        Dimensions::new(self.width, self.height)
    }

    fn bits(&self) -> u8 {
        self.bit_depth
    }

    fn chroma(&self) -> Chroma {
        match self.chroma {
            ChromaFormat::Monochrome => Chroma::None,
            ChromaFormat::Yuv420 => Chroma::Quarter,
            ChromaFormat::Yuv422 => Chroma::Half,
            ChromaFormat::Yuv444 => Chroma::Full,
        }
    }

    fn copy(&self, plane: usize, x: usize, y: usize, target: &mut [u16]) -> bool {
        let (samples, stride) = match plane {
            0 => (&self.y, self.y_stride),
            1 => (&self.cb, self.c_stride),
            _ => (&self.cr, self.c_stride),
        };
        let start = y * stride as usize + x;
        let row = samples.get(start..start + target.len());
        row.is_some_and(|row| {
            target.copy_from_slice(row);
            true
        })
    }
}
