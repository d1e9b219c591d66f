//! The walk through a tile's packets, in their order.
//!
//! Every step is counted: what a tile asks of the walk is bounded by its bytes, whatever its headers
//! announce.
//!
//! Source: ISO/IEC 15444-1 B.9, B.10, A.8.

use crate::cancel::Cancel;
use crate::codec::Damaged;
use crate::error::{Error, Result};

use super::Found;
use super::feed::Feed;
use super::geometry::Resolution;
use super::precinct::State;
use super::progression::{Next, Order, Plan, Precinct, Visitor};
use super::record::{self, Draft, Records};

/// Start of packet (A.8.1): marker, length, number.
const SOP: u16 = 0xFF91;
const SOP_BYTES: u64 = 6;

/// End of packet header (A.8.2).
const EPH: u16 = 0xFF92;
const EPH_BYTES: u64 = 2;

/// Steps that a tile may take whatever its bytes: a second of work at most.
const FREE_STEPS: u64 = 1 << 26;

/// Steps for each byte of a tile beyond [`FREE_STEPS`].
const STEPS_PER_BYTE: u64 = 64;

/// Steps from one question whether the work is still wanted to the next.
const STEPS_PER_CHECK: u64 = 1 << 14;

/// Reads packets, wherever their headers are.
#[derive(Debug)]
pub(super) struct Packets<'a> {
    /// Bodies, and headers too unless they are packed.
    feed: Feed<'a>,
    packed: Option<Feed<'a>>,
    has_starts: bool,
    has_ends: bool,
}

/// A walk under way.
pub(super) struct Walk<'a> {
    order: &'a Order<'a>,
    pub(super) packets: Packets<'a>,
    /// How many layers of each precinct are through, if the order changes.
    through: Vec<u16>,
    states: States,
    /// The first and the last packet of each precinct.
    ends: Vec<(u32, u32)>,
    records: Records,
    budget: Budget<'a>,
}

/// Precincts between their packets.
struct States {
    /// Which state each precinct has.
    places: Vec<u32>,
    all: Vec<State>,
    spare: Vec<u32>,
}

/// What a walk may still take.
pub(super) struct Budget<'a> {
    cancel: &'a Cancel,
    taken: u64,
    most: u64,
    next_check: u64,
}

impl<'a> Packets<'a> {
    /// Of a tile whose packet headers are `packed`, if they are not among its other bytes.
    pub(super) fn new(plan: &Plan, feed: Feed<'a>, packed: Option<Vec<u8>>) -> Self {
        Self {
            feed,
            packed: packed.map(Feed::of_memory),
            has_starts: plan.has_starts,
            has_ends: plan.has_ends,
        }
    }

    fn bytes(&self) -> u64 {
        self.feed.length() + self.packed.as_ref().map_or(0, Feed::length)
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.packed.as_ref().unwrap_or(&self.feed).is_at_end()
    }

    /// Where the next packet begins; its body, if headers are packed.
    pub(super) const fn position(&self) -> u64 {
        self.feed.position()
    }

    /// Goes to where a packet begins; gives whether the tile has that byte.
    pub(super) fn seek(&mut self, position: u64) -> bool {
        self.feed.seek(position)
    }

    /// Reads one packet: the header for `state`'s precinct, and steps over its body. Gives its number
    /// among `records`, where it comes behind `last`, unless it holds nothing.
    pub(super) fn read(
        &mut self,
        (state, layer): (&mut State, u16),
        (records, last): (&mut Records, u32),
        budget: &mut Budget<'_>,
    ) -> Result<Option<u32>> {
        if self.has_starts && self.feed.peek_marker()? == Some(SOP) {
            let _ = self.feed.skip(SOP_BYTES);
        }
        let mut draft = Draft::new(records);
        let headers = self.packed.as_mut().unwrap_or(&mut self.feed);
        headers.begin();
        let asked = state.read(layer, headers, &mut draft)?;
        budget.step(1 + asked as u64)?;
        headers.end()?;
        if self.has_ends && headers.peek_marker()? == Some(EPH) {
            let _ = headers.skip(EPH_BYTES);
        }
        let position = self.feed.position();
        if !self.feed.skip(draft.body()) {
            return Err(Error::corrupt("a tile ends in a packet"));
        }
        match draft.finish(position, last) {
            Some(record::NONE) => Err(Error::unsupported("a tile has too many packets")),
            number => Ok(number),
        }
    }
}

impl<'a> Walk<'a> {
    /// Through a tile that has so many precincts.
    pub(super) fn new(
        order: &'a Order<'a>,
        precincts: usize,
        packets: Packets<'a>,
        cancel: &'a Cancel,
    ) -> Self {
        let bytes = packets.bytes();
        Self {
            order,
            packets,
            through: vec![
                0;
                if order.plan.is_changed() {
                    precincts
                } else {
                    0
                }
            ],
            states: States {
                places: vec![record::NONE; precincts],
                all: Vec::new(),
                spare: Vec::new(),
            },
            ends: vec![(record::NONE, record::NONE); precincts],
            records: Records::default(),
            budget: Budget::new(bytes, cancel),
        }
    }

    /// Goes through all packets; or up to the first that is damaged, if that passes.
    pub(super) fn run(&mut self, damaged: Damaged) -> Result<()> {
        let order = self.order;
        match order.visit(self) {
            Err(error) if damaged.passes(&error) => Ok(()),
            end => end.map(drop),
        }
    }

    /// What has been found.
    pub(super) fn found(mut self) -> Found {
        self.records.shrink();
        Found {
            first: self.ends.iter().map(|(first, _)| *first).collect(),
            records: self.records,
        }
    }
}

impl Visitor for Walk<'_> {
    fn packet(&mut self, precinct: Precinct, layer: u16) -> Result<Next> {
        self.budget.step(1)?;
        let resolution = self.order.resolution(precinct)?;
        let number = (resolution.precincts.first + precinct.place) as usize;
        if let Some(through) = self.through.get_mut(number) {
            if layer < *through {
                return Ok(Next::More);
            }
            *through = layer + 1;
        }
        if self.packets.is_at_end() {
            return Ok(Next::Enough);
        }
        let state = self.states.of(number, resolution, precinct.place)?;
        let Some((first, last)) = self.ends.get_mut(number) else {
            return Err(Error::internal("numbering precincts"));
        };
        let records = (&mut self.records, *last);
        let packet = (self.packets).read((state, layer), records, &mut self.budget)?;
        if let Some(packet) = packet {
            *last = packet;
            *first = (*first).min(packet);
        }
        if layer + 1 >= self.order.plan.layers {
            self.states.end(number);
        }
        Ok(Next::More)
    }

    fn step(&mut self, count: u64) -> Result<()> {
        self.budget.step(count)
    }
}

impl States {
    fn of(&mut self, number: usize, resolution: &Resolution, place: u32) -> Result<&mut State> {
        let slot = self.places.get_mut(number);
        let slot = slot.ok_or_else(|| Error::internal("numbering precincts"))?;
        let is_new = *slot == record::NONE;
        if is_new {
            *slot = match self.spare.pop() {
                Some(spare) => spare,
                None => u32::try_from(self.all.len()).unwrap_or(record::NONE),
            };
            if *slot as usize == self.all.len() {
                self.all.push(State::default());
            }
        }
        let state = self.all.get_mut(*slot as usize);
        let state = state.ok_or_else(|| Error::internal("finding a precinct"))?;
        if is_new {
            state.reset(resolution, place);
        }
        Ok(state)
    }

    fn end(&mut self, number: usize) {
        if let Some(slot) = self.places.get_mut(number) {
            self.spare.push(std::mem::replace(slot, record::NONE));
        }
    }
}

impl<'a> Budget<'a> {
    /// For a tile of so many bytes.
    pub(super) fn new(bytes: u64, cancel: &'a Cancel) -> Self {
        Self {
            cancel,
            taken: 0,
            most: FREE_STEPS.saturating_add(bytes.saturating_mul(STEPS_PER_BYTE)),
            next_check: 0,
        }
    }

    pub(super) fn step(&mut self, count: u64) -> Result<()> {
        self.taken = self.taken.saturating_add(count);
        if self.taken < self.next_check {
            return Ok(());
        }
        self.next_check = self.taken.saturating_add(STEPS_PER_CHECK);
        if self.taken > self.most {
            return Err(Error::corrupt("a tile has more packets than bytes"));
        }
        self.cancel.check()
    }
}
