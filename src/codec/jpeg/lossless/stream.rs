//! The segments of a lossless JPEG → its frame, and the samples of its components.
//!
//! Source: ITU-T T.81, annex B.

use crate::cancel::Cancel;
use crate::codec::open::dimensions_within;
use crate::codec::{DecodeLimits, jpeg::markers::Markers};
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::reader::RangeReader;

use super::bits::{Bits, Codes};
use super::scan::{Coding, Scan};

/// The marker of a lossless frame.
const FRAME: u8 = 0xc3;

/// What the components of a picture are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colours {
    Gray,
    Rgb,
    YCbCr,
}

/// What the segments before the first scan say.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) dimensions: Dimensions,
    pub(super) precision: u8,
    /// The names of its components.
    names: Vec<u8>,
    pub(super) colours: Colours,
}

impl Frame {
    /// The frame of the stream behind `reader`; `None` where it is not a lossless one.
    pub(super) fn find(reader: &dyn RangeReader, limits: &DecodeLimits) -> Result<Option<Self>> {
        let mut markers = Markers::new(reader, limits.max_metadata_bytes)?;
        let (mut jfif, mut transform, mut found) = (false, None, None);
        loop {
            let (marker, length) = markers.next_segment()?;
            let payload = markers.payload(length)?;
            match marker {
                FRAME => found = Some(Self::parse(payload, limits)?),
                0xe0 => jfif |= payload.starts_with(b"JFIF\0"),
                0xee if payload.starts_with(b"Adobe") => transform = payload.get(11).copied(),
                // Start of scan, other frames.
                0xda | 0xc0..=0xc2 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => break,
                _ => {}
            }
            markers.skip(length);
        }
        if let Some(frame) = &mut found {
            frame.colours = match (frame.names.len(), jfif, transform) {
                (1, ..) => Colours::Gray,
                (_, true, _) | (_, _, Some(1..)) => Colours::YCbCr,
                _ => Colours::Rgb,
            };
        }
        Ok(found)
    }

    fn parse(payload: &[u8], limits: &DecodeLimits) -> Result<Self> {
        let [precision, y1, y0, x1, x0, count, rest @ ..] = payload else {
            return Err(Error::corrupt("its frame is cut short"));
        };
        let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
        let dimensions = dimensions_within(side(*x1, *x0), side(*y1, *y0), limits)?;
        let (parts, odd) = rest.as_chunks::<3>();
        if parts.len() != usize::from(*count) || !odd.is_empty() {
            return Err(Error::corrupt("its frame does not list its components"));
        }
        if !(2..=16).contains(precision) {
            return Err(Error::corrupt(format!("samples of {precision} bits")));
        }
        let whole = |[_, factors, _]: &[u8; 3]| *factors == parts[0][1];
        if !matches!(parts.len(), 1 | 3) || !parts.iter().all(whole) {
            return Err(Error::unsupported(
                "lossless JPEG of anything but gray and RGB, or with fewer samples of some colours",
            ));
        }
        Ok(Self {
            dimensions,
            precision: *precision,
            names: parts.iter().map(|[name, ..]| *name).collect(),
            colours: Colours::Gray,
        })
    }

    /// How many components it has.
    pub(super) fn components(&self) -> usize {
        self.names.len()
    }

    /// The samples of each component of the whole stream, as they are stored.
    pub(super) fn decode(&self, bytes: &[u8], cancel: &Cancel) -> Result<Vec<Vec<u16>>> {
        let area = usize::try_from(self.dimensions.area())
            .map_err(|cause| Error::internal("sizing a plane").with_source(cause))?;
        let mut planes = vec![vec![0; area]; self.names.len()];
        let mut left: Vec<bool> = vec![true; self.names.len()];
        let mut codes = [const { None }; 4];
        let (mut interval, mut at) = (0, 2);
        while left.contains(&true) {
            let (marker, payload) = segment(bytes, &mut at)?;
            match marker {
                0xc4 => tables(payload, &mut codes)?,
                0xdd => {
                    let value = payload.first_chunk::<2>();
                    interval = value.map_or(0, |value| usize::from(u16::from_be_bytes(*value)));
                }
                0xda => {
                    let scan = self.scan(payload)?;
                    let coding = Coding {
                        width: self.dimensions.width as usize,
                        precision: self.precision,
                        codes: &codes,
                        interval,
                    };
                    let mut bits = Bits::new(bytes, at);
                    scan.decode(&coding, &mut bits, &mut planes, cancel)?;
                    for (place, _) in &scan.components {
                        left[*place] = false;
                    }
                    at = bits.end();
                }
                _ => {}
            }
        }
        Ok(planes)
    }

    /// Source: ITU-T T.81, B.2.3.
    fn scan(&self, payload: &[u8]) -> Result<Scan> {
        let damaged = || Error::corrupt("a scan of it is damaged");
        let (count, rest) = payload.split_first().ok_or_else(damaged)?;
        let (parts, tail) = rest
            .split_at_checked(2 * usize::from(*count))
            .ok_or_else(damaged)?;
        let components = parts.as_chunks::<2>().0.iter().map(|[name, table]| {
            let place = self.names.iter().position(|known| known == name)?;
            Some((place, usize::from(table >> 4)))
        });
        let components = components.collect::<Option<Vec<_>>>().ok_or_else(damaged)?;
        let [selector @ 1..=7, _, low, ..] = *tail else {
            return Err(damaged());
        };
        let shift = low & 15;
        if shift >= self.precision || components.is_empty() {
            return Err(damaged());
        }
        Ok(Scan {
            components,
            selector,
            shift,
        })
    }
}

/// The next segment, behind which `at` then is.
fn segment<'a>(bytes: &'a [u8], at: &mut usize) -> Result<(u8, &'a [u8])> {
    let damaged = || Error::corrupt("its segments end before its pixels");
    let left = bytes.get(*at..).ok_or_else(damaged)?;
    // Filling may stand before a marker.
    let filling = left.iter().take_while(|byte| **byte == 0xff).count();
    let [marker, high, low, ..] = *left.get(filling..).ok_or_else(damaged)? else {
        return Err(damaged());
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if filling == 0 || length < 2 {
        return Err(damaged());
    }
    let start = *at + filling + 1;
    let payload = bytes.get(start + 2..start + length).ok_or_else(damaged)?;
    *at = start + length;
    Ok((marker, payload))
}

/// Source: ITU-T T.81, B.2.4.2.
fn tables(mut payload: &[u8], codes: &mut [Option<Codes>; 4]) -> Result<()> {
    while let Some((kind, rest)) = payload.split_first() {
        let (table, length) = Codes::parse(rest)?;
        let place = codes.get_mut(usize::from(*kind));
        *place.ok_or_else(|| Error::corrupt("a table of its codes is damaged"))? = Some(table);
        payload = &rest[length..];
    }
    Ok(())
}
