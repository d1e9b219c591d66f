//! Builds with libwebp: quality and effort as the settings say.

use std::io::Write;

use webp::{Encoder, WebPConfig};

use crate::encoding::WebpSettings;
use crate::error::{Error, Result};
use crate::raster::Channels;

use super::super::super::sink::{self, EightBit};

/// Writes a lossy WebP; opacity is kept exactly.
pub(in crate::codec::webp) fn encode(
    picture: EightBit,
    settings: WebpSettings,
    sink: &mut dyn Write,
) -> Result<()> {
    let picture = with_colour(picture);
    let (width, height) = (picture.dimensions.width, picture.dimensions.height);
    let encoder = if picture.channels.has_alpha() {
        Encoder::from_rgba(&picture.samples, width, height)
    } else {
        Encoder::from_rgb(&picture.samples, width, height)
    };
    let mut config =
        WebPConfig::new().map_err(|()| Error::internal("making a WebP configuration"))?;
    config.quality = f32::from(settings.quality.min(100));
    config.method = i32::from(settings.method.min(6));
    let file = encoder
        .encode_advanced(&config)
        .map_err(|cause| Error::internal(format!("writing a WebP ({cause:?})")))?;
    sink.write_all(&file).map_err(sink::refused)
}

/// The same picture with three colour channels where it had one.
fn with_colour(picture: EightBit) -> EightBit {
    let channels = match picture.channels {
        Channels::Gray => Channels::Rgb,
        Channels::GrayAlpha => Channels::Rgba,
        Channels::Rgb | Channels::Rgba => return picture,
    };
    let mut samples = Vec::with_capacity(picture.samples.len() * 3);
    for pixel in picture.samples.chunks_exact(picture.channels.count()) {
        if let [gray, opacity @ ..] = pixel {
            samples.extend([*gray; 3]);
            samples.extend(opacity);
        }
    }
    EightBit {
        channels,
        samples,
        ..picture
    }
}
