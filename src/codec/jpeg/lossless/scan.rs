//! A scan's differences → samples, each predicted from those beside and above it.
//!
//! Source: ITU-T T.81, H.1.2 and H.2.

use crate::cancel::Cancel;
use crate::error::{Error, Result};

use super::bits::{Bits, Codes};

/// What a scan's segment says.
#[derive(Debug)]
pub(super) struct Scan {
    /// Places of its components in the frame, and which table of codes each has.
    pub(super) components: Vec<(usize, usize)>,
    /// How samples are predicted, 1 to 7.
    pub(super) selector: u8,
    /// Lower bits that are left out.
    pub(super) shift: u8,
}

/// How the components of a picture are coded.
pub(super) struct Coding<'a> {
    pub(super) width: usize,
    pub(super) precision: u8,
    pub(super) codes: &'a [Option<Codes>; 4],
    /// Pixels between restart markers; none where 0.
    pub(super) interval: usize,
}

impl Scan {
    /// Decodes the scan into the frame's `planes`.
    pub(super) fn decode(
        &self,
        coding: &Coding<'_>,
        bits: &mut Bits<'_>,
        planes: &mut [Vec<u16>],
        cancel: &Cancel,
    ) -> Result<()> {
        if !coding.interval.is_multiple_of(coding.width) {
            return Err(Error::corrupt("its restart markers are within rows"));
        }
        let rows_of_interval = coding.interval / coding.width;
        let middle = 1 << (u32::from(coding.precision - self.shift) - 1);
        let parts = self.components.iter().map(|(place, table)| {
            let codes = coding.codes.get(*table).and_then(Option::as_ref);
            let codes = codes.ok_or_else(|| Error::corrupt("it lacks a table of codes"))?;
            Ok((*place, codes))
        });
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let height = planes.first().map_or(0, |plane| plane.len() / coding.width);
        for row in 0..height {
            cancel.check()?;
            let mut first = row == 0;
            if rows_of_interval > 0 && row > 0 && row % rows_of_interval == 0 {
                bits.restart()?;
                first = true;
            }
            let start = row * coding.width;
            for x in 0..coding.width {
                for (place, codes) in &parts {
                    let plane = &mut planes[*place];
                    let at = start + x;
                    let predicted = match (first, x) {
                        (true, 0) => middle,
                        (true, _) => i32::from(plane[at - 1]),
                        (false, 0) => i32::from(plane[at - coding.width]),
                        (false, _) => self.predicted(plane, at, coding.width),
                    };
                    let sample = predicted + bits.difference(codes)?;
                    plane[at] = u16::try_from(sample & 0xffff).unwrap_or(0);
                }
            }
            bits.check()?;
        }
        for (place, _) in &parts {
            for sample in &mut planes[*place] {
                *sample <<= self.shift;
            }
        }
        Ok(())
    }

    /// Source: ITU-T T.81, table H.1.
    fn predicted(&self, plane: &[u16], at: usize, width: usize) -> i32 {
        let [left, above, corner] =
            [at - 1, at - width, at - width - 1].map(|place| i32::from(plane[place]));
        match self.selector {
            1 => left,
            2 => above,
            3 => corner,
            4 => left + above - corner,
            5 => left + ((above - corner) >> 1),
            6 => above + ((left - corner) >> 1),
            _ => (left + above) >> 1,
        }
    }
}
