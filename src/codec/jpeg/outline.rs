//! A JPEG stream in memory → what its markers say up to its scan, and whether any reader can make the
//! same of it without what stands around it.
//!
//! For streams that leave as they are: nothing is decoded, and whatever is unusual has no outline, so
//! that it is left to a decoder.
//!
//! Source: ITU-T T.81 annex B; JFIF 1.02; Adobe Technical Note 5116, section 18.

use crate::geometry::Dimensions;

use super::TileColour;

/// Bytes that writers put behind the end of a stream to fill up a word.
const MOST_PADDING: usize = 3;

/// What a stream says before its scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::codec) struct Outline {
    /// Where its height stands, and behind it its width, each in two bytes.
    pub(in crate::codec) sides_at: usize,
    /// Where the coded data of the first scan begin.
    pub(in crate::codec) coded_at: usize,
    pub(in crate::codec) dimensions: Dimensions,
    /// What readers take its components for.
    pub(in crate::codec) colour: TileColour,
    /// Pixels of the units in which it is coded; none where it has several scans.
    pub(in crate::codec) unit: Option<Dimensions>,
}

impl Outline {
    /// The outline of `stream`; `None` for anything that some reader might not take as it is meant:
    /// arithmetic coding, more than 8 bits, tables that are not in it, colours that are guessed.
    pub(in crate::codec) fn of(stream: &[u8]) -> Option<Self> {
        let mut found = Found::default();
        let mut at = 2;
        stream.strip_prefix(&[0xff, 0xd8])?;
        loop {
            let [0xff, marker, high, low] = *stream.get(at..at + 4)? else {
                return None;
            };
            let length = usize::from(u16::from_be_bytes([high, low]));
            let payload = stream.get(at + 4..at + 2 + length)?;
            match marker {
                0xc0..=0xc2 if found.frame.is_none() => {
                    found.frame = Some(Frame::parse(marker, payload, at + 5)?);
                }
                0xc4 => found.take_codes(payload)?,
                0xda => return found.outline(payload, at + 2 + length),
                0xdb => found.take_quantities(payload)?,
                0xe0 => found.jfif |= payload.starts_with(b"JFIF\0"),
                0xee if payload.starts_with(b"Adobe") => {
                    found.transform = Some(*payload.get(11)?);
                }
                // Restart interval, applications' own segments, comments.
                0xdd | 0xe1..=0xef | 0xfe => {}
                _ => return None,
            }
            at += 2 + length;
        }
    }

    /// Whether a stream with these bytes at its end is complete.
    pub(in crate::codec) fn ends(stream: &[u8]) -> bool {
        let padding = stream.iter().rev().take_while(|byte| **byte == 0).count();
        padding <= MOST_PADDING
            && stream
                .get(..stream.len() - padding)
                .is_some_and(|stream| stream.ends_with(&[0xff, 0xd9]))
    }

    /// Whether the stream with `dimensions` in its frame is the upper left part of this one: it has to
    /// have the same units in the same places.
    pub(in crate::codec) fn can_be_cut(&self, dimensions: Dimensions) -> bool {
        let whole = self.dimensions;
        let Some(unit) = self.unit else {
            return whole == dimensions;
        };
        let same = |whole: u32, part: u32, unit: u32| {
            part <= whole && part.div_ceil(unit) == whole.div_ceil(unit)
        };
        same(whole.width, dimensions.width, unit.width)
            && same(whole.height, dimensions.height, unit.height)
    }

    /// Writes other dimensions into the frame of this `stream`; says whether they fit.
    pub(in crate::codec) fn cut(&self, stream: &mut [u8], dimensions: Dimensions) -> bool {
        let (Some([y1, y0, x1, x0]), Ok(height), Ok(width)) = (
            stream.get_mut(self.sides_at..self.sides_at + 4),
            u16::try_from(dimensions.height),
            u16::try_from(dimensions.width),
        ) else {
            return false;
        };
        [*y1, *y0] = height.to_be_bytes();
        [*x1, *x0] = width.to_be_bytes();
        true
    }
}

/// What has been met so far.
#[derive(Debug, Default)]
struct Found {
    frame: Option<Frame>,
    jfif: bool,
    transform: Option<u8>,
    /// A bit for each table: of quantities, of DC codes, of AC codes.
    quantities: u8,
    codes: [u8; 2],
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    progressive: bool,
    sides_at: usize,
    dimensions: Dimensions,
    components: [Component; 3],
    count: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Component {
    id: u8,
    across: u32,
    down: u32,
    table: u8,
}

impl Frame {
    /// Source: ITU-T T.81 B.2.2. The sides stand behind the precision, at `sides_at`.
    fn parse(marker: u8, payload: &[u8], sides_at: usize) -> Option<Self> {
        let [8, y1, y0, x1, x0, count @ (1 | 3), triples @ ..] = payload else {
            return None;
        };
        let side = |high: &u8, low: &u8| u32::from(u16::from_be_bytes([*high, *low]));
        let count = usize::from(*count);
        let (triples, odd) = triples.as_chunks::<3>();
        if triples.len() != count || !odd.is_empty() {
            return None;
        }
        let mut components = [Component::default(); 3];
        for (component, [id, factors, table]) in components.iter_mut().zip(triples) {
            *component = Component {
                id: *id,
                across: u32::from(factors >> 4),
                down: u32::from(factors & 15),
                table: *table,
            };
            let possible = 1..=4;
            if !possible.contains(&component.across) || !possible.contains(&component.down) {
                return None;
            }
        }
        Some(Self {
            progressive: marker == 0xc2,
            sides_at,
            dimensions: Dimensions::new(side(x1, x0), side(y1, y0))?,
            components,
            count,
        })
    }

    fn components(&self) -> impl Iterator<Item = Component> {
        self.components.into_iter().take(self.count)
    }

    /// Pixels of a unit of coding, if all components are coded in one scan.
    fn unit(&self, in_scan: usize) -> Option<Dimensions> {
        if self.progressive || in_scan != self.count {
            return None;
        }
        if self.count == 1 {
            // A scan of one component is not interleaved: its units are its blocks, and there is nothing
            // that its factors would be smaller than.
            return Dimensions::new(8, 8);
        }
        let across = self.components().map(|c| c.across).max()?;
        let down = self.components().map(|c| c.down).max()?;
        Dimensions::new(8 * across, 8 * down)
    }
}

impl Found {
    /// Source: ITU-T T.81 B.2.4.1.
    fn take_quantities(&mut self, mut payload: &[u8]) -> Option<()> {
        while let [head, rest @ ..] = payload {
            let length = if head >> 4 == 0 { 64 } else { 128 };
            self.quantities |= bit(head & 15)?;
            payload = rest.get(length..)?;
        }
        Some(())
    }

    /// Source: ITU-T T.81 B.2.4.2.
    fn take_codes(&mut self, mut payload: &[u8]) -> Option<()> {
        while let [head, rest @ ..] = payload {
            let counts = rest.get(..16)?;
            let values: usize = counts.iter().map(|count| usize::from(*count)).sum();
            *self.codes.get_mut(usize::from(head >> 4))? |= bit(head & 15)?;
            payload = rest.get(16 + values..)?;
        }
        Some(())
    }

    /// Source: ITU-T T.81 B.2.3.
    fn outline(&self, scan: &[u8], coded_at: usize) -> Option<Outline> {
        let frame = self.frame?;
        let [in_scan, rest @ ..] = scan else {
            return None;
        };
        let in_scan = usize::from(*in_scan);
        let selectors = rest.get(..2 * in_scan)?.as_chunks::<2>().0;
        let complete = |[_, tables]: &[u8; 2]| {
            let (dc, ac) = (bit(tables >> 4), bit(tables & 15));
            dc.is_some_and(|bit| self.codes[0] & bit != 0)
                && ac.is_some_and(|bit| self.codes[1] & bit != 0)
        };
        // Tables of a progressive stream may come between its scans, and are then in it.
        let coded = frame.progressive || selectors.iter().all(complete);
        let quantised = frame
            .components()
            .all(|c| bit(c.table).is_some_and(|bit| self.quantities & bit != 0));
        if !coded || !quantised {
            return None;
        }
        Some(Outline {
            sides_at: frame.sides_at,
            coded_at,
            dimensions: frame.dimensions,
            colour: self.colour(&frame)?,
            unit: frame.unit(in_scan),
        })
    }

    /// What every reader takes the components for; `None` where they differ.
    fn colour(&self, frame: &Frame) -> Option<TileColour> {
        if frame.count == 1 {
            return Some(TileColour::Gray);
        }
        let [a, b, c] = frame.components.map(|component| component.id);
        match (self.jfif, self.transform, [a, b, c]) {
            (true, None | Some(1), _)
            | (false, Some(1), _)
            | (false, None, [1, 2, 3] | [0, 1, 2]) => Some(TileColour::YCbCr),
            (false, Some(0), _) => Some(TileColour::Rgb),
            _ => None,
        }
    }
}

/// The bit of table `number`, of which there are four.
fn bit(number: u8) -> Option<u8> {
    (number < 4).then(|| 1 << number)
}
