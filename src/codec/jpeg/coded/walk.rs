//! A walk over the units of a scan: where each begins, and its DC predictors.
//!
//! Coefficients are passed over, not kept. A walk ends at the first thing that is not as the standard
//! says; what that means for the picture is left to the decoder.

use super::bits::{Place, Reader, Writer};
use super::layout::{Block, Layout, MAX_COMPONENTS};

/// Most bytes of a coded unit: ten blocks of 64 coefficients, each a code and its extra bits of 16
/// and 15 bits at most, each byte stuffed.
pub(in crate::codec::jpeg) const MAX_UNIT_BYTES: usize = 10 * MAX_BLOCK_BYTES;
/// The same of one block.
pub(in crate::codec::jpeg) const MAX_BLOCK_BYTES: usize = 64 * 31 / 8 * 2;

/// Largest DC value either way; quantised means of 8-bit samples are within half of it.
const MAX_DC: u32 = 2047;

/// DC values of the last block of each component.
pub(in crate::codec::jpeg) type Predictors = [i16; MAX_COMPONENTS];

/// A block in coded data.
#[derive(Debug, Clone, Copy)]
pub(in crate::codec::jpeg) struct Coded {
    /// Its DC value.
    pub(in crate::codec::jpeg) value: i32,
    /// Where its other coefficients stand.
    pub(in crate::codec::jpeg) from: Place,
    pub(in crate::codec::jpeg) to: Place,
}

/// A walk that stands before a unit.
#[derive(Debug, Clone, Copy)]
pub(in crate::codec::jpeg) struct Walk<'a> {
    layout: &'a Layout,
    reader: Reader<'a>,
    /// The number of the unit in the scan.
    unit: u32,
    predictors: Predictors,
}

impl<'a> Walk<'a> {
    /// Before the unit with this number, whose bits begin at `place` of `data`; its restart marker,
    /// if it has one, lies before that.
    pub(in crate::codec::jpeg) fn new(
        layout: &'a Layout,
        data: &'a [u8],
        place: Place,
        unit: u32,
        predictors: Predictors,
    ) -> Self {
        Self {
            layout,
            reader: Reader::new(data, place),
            unit,
            predictors,
        }
    }

    pub(in crate::codec::jpeg) fn unit(&self) -> u32 {
        self.unit
    }

    pub(in crate::codec::jpeg) fn predictors(&self) -> Predictors {
        self.predictors
    }

    pub(in crate::codec::jpeg) fn place(&self) -> Place {
        self.reader.place()
    }

    /// Bytes of the data that have not been loaded yet.
    pub(in crate::codec::jpeg) fn bytes_left(&self) -> usize {
        self.reader.bytes_left()
    }

    /// Passes over the next unit, up to the place where the one behind it begins.
    #[inline]
    pub(in crate::codec::jpeg) fn pass(&mut self) -> Option<()> {
        self.pass_bits()?;
        self.restart()
    }

    /// Passes over the next unit; a restart marker behind it is left.
    pub(in crate::codec::jpeg) fn pass_bits(&mut self) -> Option<()> {
        let layout = self.layout;
        let mut reader = self.reader;
        for block in &layout.blocks {
            let difference = block.dc.difference(&mut reader)?;
            self.predict(block, difference)?;
            block.ac.pass(&mut reader)?;
        }
        self.reader = reader;
        self.unit += 1;
        (!reader.is_past_end()).then_some(())
    }

    /// The DC value of `block`, which is `difference` from the last.
    #[inline]
    fn predict(&mut self, block: &Block, difference: i32) -> Option<i32> {
        let predictor = self.predictors.get_mut(block.component)?;
        let value = i32::from(*predictor) + difference;
        *predictor = i16::try_from(value).ok()?;
        (value.unsigned_abs() <= MAX_DC).then_some(value)
    }

    /// Passes over the restart marker before the unit that comes next, where it has one.
    pub(in crate::codec::jpeg) fn restart(&mut self) -> Option<()> {
        let every = self.layout.restart;
        let Some(number) = self.unit.checked_div(every) else {
            return Some(());
        };
        if number == 0 || self.unit != number * every || self.unit == self.layout.units() {
            return Some(());
        }
        let number = u8::try_from((number - 1) % 8).ok()?;
        self.reader.restart(number)?;
        self.predictors = Predictors::default();
        Some(())
    }

    /// Units up to the next restart marker, or `u32::MAX`.
    pub(in crate::codec::jpeg) fn until_restart(&self) -> u32 {
        let into = self.unit.checked_rem(self.layout.restart);
        into.map_or(u32::MAX, |into| self.layout.restart - into)
    }

    /// Passes over the next unit and adds the blocks of its first component to `blocks`.
    pub(in crate::codec::jpeg) fn collect(&mut self, blocks: &mut Vec<Coded>) -> Option<()> {
        for block in &self.layout.blocks {
            let difference = block.dc.difference(&mut self.reader)?;
            let value = self.predict(block, difference)?;
            if block.component > 0 {
                block.ac.pass(&mut self.reader)?;
                continue;
            }
            let from = self.reader.place();
            block.ac.pass(&mut self.reader)?;
            let to = self.reader.place();
            blocks.push(Coded { value, from, to });
        }
        self.unit += 1;
        (!self.reader.is_past_end()).then_some(())
    }

    /// Copies the next unit to `out`, where the blocks before it have the DC values `before`.
    pub(in crate::codec::jpeg) fn copy(
        &mut self,
        data: &[u8],
        before: Predictors,
        out: &mut Writer,
    ) -> Option<()> {
        let mut met = [false; MAX_COMPONENTS];
        for block in &self.layout.blocks {
            let mut from = self.reader.place();
            let difference = block.dc.difference(&mut self.reader)?;
            let value = self.predict(block, difference)?;
            let met = met.get_mut(block.component)?;
            if !std::mem::replace(met, true) {
                from = self.reader.place();
                let before = before.get(block.component)?;
                block.writer.write(value - i32::from(*before), out)?;
            }
            block.ac.pass(&mut self.reader)?;
            out.copy(data, from, self.reader.place())?;
        }
        self.unit += 1;
        (!self.reader.is_past_end()).then_some(())
    }
}
