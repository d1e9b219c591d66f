//! Packet lengths that the file lists → packets that are read when they are wanted.
//!
//! The list is believed only as far as it agrees with itself: it has a length for each packet, those of a
//! tile-part fill it, and a packet that is read has the length that it should have. Where it does not,
//! the tile is walked through as if there were none.
//!
//! Source: ISO/IEC 15444-1 A.7.3.

use crate::cancel::Cancel;
use crate::error::{Error, Result};

use super::super::boxes::Extent;
use super::precinct::State;
use super::progression::{Next, Order, Plan, Precinct, Visitor};
use super::record::{NONE, Records};
use super::walk::{Budget, Packets};

/// Where each packet of a tile is.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) plan: Plan,
    /// Where packets begin, layer by layer of each precinct.
    starts: Vec<u64>,
    /// How long they are, likewise.
    lengths: Vec<u32>,
}

impl Listed {
    /// From the lengths of the packets in each tile-part; `None` if they cannot be those.
    pub(super) fn new(
        order: &Order<'_>,
        precincts: usize,
        parts: &[Extent],
        lengths: &[Vec<u32>],
        cancel: &Cancel,
    ) -> Result<Option<Self>> {
        let count = precincts.saturating_mul(usize::from(order.plan.layers));
        let sum = |part: &Vec<u32>| part.iter().map(|length| u64::from(*length)).sum::<u64>();
        let fills = parts
            .iter()
            .map(|part| part.length)
            .eq(lengths.iter().map(sum));
        if !fills || lengths.iter().map(Vec::len).sum::<usize>() != count {
            return Ok(None);
        }
        let bytes = parts.iter().map(|part| part.length).sum();
        let mut listing = Listing {
            order,
            through: vec![
                0;
                if order.plan.is_changed() {
                    precincts
                } else {
                    0
                }
            ],
            left: lengths.iter().flatten(),
            position: 0,
            listed: Self {
                plan: order.plan.clone(),
                starts: vec![0; count],
                lengths: vec![0; count],
            },
            budget: Budget::new(bytes, cancel),
        };
        order.visit(&mut listing)?;
        let is_whole = listing.position == bytes && listing.left.next().is_none();
        Ok(is_whole.then_some(listing.listed))
    }

    /// Bytes of memory.
    pub(super) const fn memory(&self) -> u64 {
        (self.starts.capacity() * size_of::<u64>() + self.lengths.capacity() * size_of::<u32>())
            as u64
    }

    /// How many packets there are.
    pub(super) const fn packets(&self) -> u64 {
        self.starts.len() as u64
    }

    /// Reads the packets of one precinct; gives the first that holds something.
    pub(super) fn read(
        &self,
        number: usize,
        state: &mut State,
        packets: &mut Packets<'_>,
        records: &mut Records,
        budget: &mut Budget<'_>,
    ) -> Result<u32> {
        let (mut first, mut last) = (NONE, NONE);
        for layer in 0..self.plan.layers {
            let place = number * usize::from(self.plan.layers) + usize::from(layer);
            let (Some(start), Some(length)) = (self.starts.get(place), self.lengths.get(place))
            else {
                return Err(Error::internal("finding a packet"));
            };
            if !packets.seek(*start) {
                return Err(wrong());
            }
            if let Some(packet) = packets.read((state, layer), (records, last), budget)? {
                first = first.min(packet);
                last = packet;
            }
            if packets.position() != start + u64::from(*length) {
                return Err(wrong());
            }
        }
        Ok(first)
    }
}

fn wrong() -> Error {
    Error::corrupt("a packet has another length than the file lists")
}

/// Gives each packet its length.
struct Listing<'a, L> {
    order: &'a Order<'a>,
    /// How many layers of each precinct are through, if the order changes.
    through: Vec<u16>,
    left: L,
    position: u64,
    listed: Listed,
    budget: Budget<'a>,
}

impl<'a, L: Iterator<Item = &'a u32>> Visitor for Listing<'a, L> {
    fn packet(&mut self, precinct: Precinct, layer: u16) -> Result<Next> {
        self.budget.step(1)?;
        let first = self.order.resolution(precinct)?.precincts.first;
        let number = (first + precinct.place) as usize;
        if let Some(through) = self.through.get_mut(number) {
            if layer < *through {
                return Ok(Next::More);
            }
            *through = layer + 1;
        }
        let Some(length) = self.left.next() else {
            return Ok(Next::Enough);
        };
        let layers = usize::from(self.order.plan.layers);
        let place = number * layers + usize::from(layer);
        let listed = &mut self.listed;
        let slots = (listed.starts.get_mut(place), listed.lengths.get_mut(place));
        let (Some(start), Some(slot)) = slots else {
            return Err(Error::internal("numbering packets"));
        };
        (*start, *slot) = (self.position, *length);
        self.position += u64::from(*length);
        Ok(Next::More)
    }

    fn step(&mut self, count: u64) -> Result<()> {
        self.budget.step(count)
    }
}
