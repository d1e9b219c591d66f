//! A code stream → the JP2 file around it: dimensions, colours, opacity, resolution, metadata.
//!
//! Source: ISO/IEC 15444-1 I.5 and I.7; the identifiers of EXIF and IPTC by convention, that of XMP from
//! its specification, part 3.

use super::super::written_box::append;
use super::super::{Attached, Density};
use crate::raster::{Depth, Shape};

/// The box of a file's first bytes, content included.
const SIGNATURE: &[u8] = b"\r\n\x87\n";
/// `EnumCS` of sRGB and of gray with its curve.
const SRGB: u32 = 16;
const GRAY: u32 = 17;
/// The identifier of a box that holds an EXIF block.
const EXIF: &[u8] = b"JpgTiffExif->JP2";
/// The identifier of a box that holds an XMP packet.
const XMP: &[u8] = b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
/// The identifier of a box that holds IPTC records.
const IPTC: &[u8] = b"\x33\xc7\xa4\xd2\xb8\x1d\x47\x23\xa0\xba\xf1\xa3\xe0\x97\xad\x38";

/// The file of a picture of `shape`.
pub(super) fn file(shape: Shape, stream: &[u8], attached: &Attached) -> Vec<u8> {
    let mut file = Vec::with_capacity(stream.len() + 1024);
    append(&mut file, *b"jP  ", &[SIGNATURE]);
    append(&mut file, *b"ftyp", &[b"jp2 \0\0\0\0jp2 "]);
    append(&mut file, *b"jp2h", &[&header(shape, attached)]);
    for (id, content) in [
        (EXIF, &attached.exif),
        (XMP, &attached.xmp),
        (IPTC, &attached.iptc),
    ] {
        if let Some(content) = content {
            append(&mut file, *b"uuid", &[id, content]);
        }
    }
    append(&mut file, *b"jp2c", &[stream]);
    file
}

fn header(shape: Shape, attached: &Attached) -> Vec<u8> {
    let channels = shape.format.channels;
    let bits: u8 = match shape.format.depth {
        Depth::Eight => 8,
        Depth::Sixteen => 16,
    };
    let count = u8::try_from(channels.count()).unwrap_or(u8::MAX);
    let mut header = Vec::new();
    let (width, height) = (shape.dimensions.width, shape.dimensions.height);
    let sides = [height.to_be_bytes(), width.to_be_bytes()].concat();
    // Compression 7 is the only one; the colours are known, and there are no rights boxes.
    append(
        &mut header,
        *b"ihdr",
        &[&sides, &[0, count, bits - 1, 7, 0, 0]],
    );
    if let Some(icc) = &attached.icc {
        append(&mut header, *b"colr", &[&[2, 0, 0], icc]);
    } else {
        let space = if channels.is_gray() { GRAY } else { SRGB };
        append(&mut header, *b"colr", &[&[1, 0, 0], &space.to_be_bytes()]);
    }
    if channels.has_alpha() {
        append(&mut header, *b"cdef", &[&definitions(u16::from(count))]);
    }
    if let Some(density) = attached.density {
        let mut resolution = Vec::new();
        append(&mut resolution, *b"resc", &[&captured(density)]);
        append(&mut header, *b"res ", &[&resolution]);
    }
    header
}

/// Colours in their order; the last channel is the opacity of all.
fn definitions(count: u16) -> Vec<u8> {
    let colours = (0..count.saturating_sub(1)).map(|channel| [channel, 0, channel + 1]);
    let all = colours.chain([[count.saturating_sub(1), 1, 0]]);
    let entries = all.flatten().flat_map(u16::to_be_bytes);
    count.to_be_bytes().into_iter().chain(entries).collect()
}

/// Pixels of a metre, down before across: fractions of 16 bits times powers of ten.
fn captured(density: Density) -> Vec<u8> {
    let (down, down_power) = scientific(density.down);
    let (across, across_power) = scientific(density.across);
    let mut content = Vec::with_capacity(10);
    for number in [down, 1000, across, 1000] {
        content.extend(number.to_be_bytes());
    }
    content.extend([down_power.to_be_bytes(), across_power.to_be_bytes()].concat());
    content
}

/// A value as thousandths from 1000 to 10000 and a power of ten.
fn scientific(value: f64) -> (u16, i8) {
    let power = value.log10().floor();
    let thousandths = (value / 10_f64.powf(power) * 1000.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a density lies between its own bounds; `as` holds at the ends"
    )]
    (thousandths as u16, power as i8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_density_is_told_in_four_digits() {
        for (value, wanted) in [(11811.02, (1181, 4)), (1.0, (1000, 0)), (0.05, (5000, -2))] {
            assert_eq!(scientific(value), wanted, "{value}");
        }
    }

    #[test]
    fn the_last_of_four_channels_is_opacity() {
        let wanted = [
            0, 4, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 2, 0, 2, 0, 0, 0, 3, 0, 3, 0, 1, 0, 0,
        ];
        assert_eq!(definitions(4), wanted);
    }
}
