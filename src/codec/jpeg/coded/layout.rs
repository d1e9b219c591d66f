//! What a walk over a scan has to know: units, tables, restart interval. From the markers before it.
//!
//! [`Layout::read`] gives `None` for what cannot be walked; such a picture is decoded as if there
//! were no index. Nothing is judged here that a decoder should refuse.

use std::sync::Arc;

use crate::error::Result;
use crate::geometry::Dimensions;
use crate::reader::RangeReader;

use super::super::markers::{Markers, SOS};
use super::huffman::{AcTable, Codes, DcTable, DcWriter};

/// Most blocks of a unit. Source: ITU-T T.81 B.2.3.
const MAX_BLOCKS: usize = 10;

/// Most components that are walked: what masters have.
pub(in crate::codec::jpeg) const MAX_COMPONENTS: usize = 3;

/// A block of a unit, in the order of the scan.
#[derive(Debug, Clone)]
pub(in crate::codec::jpeg) struct Block {
    /// Of the scan.
    pub(in crate::codec::jpeg) component: usize,
    pub(in crate::codec::jpeg) dc: Arc<DcTable>,
    pub(in crate::codec::jpeg) ac: Arc<AcTable>,
    /// The component's differences in a stream of our own.
    pub(in crate::codec::jpeg) writer: Arc<DcWriter>,
}

/// A scan of interleaved units (ITU-T T.81 A.2: MCU), or of the blocks of the only component.
#[derive(Debug)]
pub(in crate::codec::jpeg) struct Layout {
    /// Pixels of a unit, across and down.
    pub(in crate::codec::jpeg) unit: (u32, u32),
    /// Units in a row.
    pub(in crate::codec::jpeg) columns: u32,
    /// Rows of units.
    pub(in crate::codec::jpeg) rows: u32,
    /// Units between restart markers; 0 for none.
    pub(in crate::codec::jpeg) restart: u32,
    pub(in crate::codec::jpeg) blocks: Vec<Block>,
    /// Where the coded data begin.
    pub(in crate::codec::jpeg) coded_at: u64,
    /// Segments of a stream with the same tables: DQT and DHT, complete.
    pub(in crate::codec::jpeg) tables: Vec<u8>,
    /// The marker and the component triples of the frame.
    pub(in crate::codec::jpeg) frame: (u8, Vec<u8>),
    /// The payload of the scan's segment.
    pub(in crate::codec::jpeg) scan: Vec<u8>,
}

impl Layout {
    /// Reads the markers of a picture of `dimensions`. The tables are to be able to write differences
    /// of DC values of every category up to `highest`.
    ///
    /// # Errors
    ///
    /// Those of the reader.
    pub(in crate::codec::jpeg) fn read(
        reader: &dyn RangeReader,
        dimensions: Dimensions,
        max_bytes: u64,
        highest: u8,
    ) -> Result<Option<Self>> {
        let mut markers = Markers::new(reader, max_bytes)?;
        let mut found = Found {
            highest,
            ..Found::default()
        };
        loop {
            let (marker, length) = markers.next_segment()?;
            if matches!(marker, DQT | DHT | DRI | SOF0 | SOF1 | SOS) {
                let payload = markers.payload(length)?;
                if found.take(marker, payload).is_none() {
                    return Ok(None);
                }
            }
            markers.skip(length);
            if marker == SOS {
                return Ok(found.into_layout(dimensions, markers.position()));
            }
        }
    }

    /// All units.
    pub(in crate::codec::jpeg) fn units(&self) -> u32 {
        self.columns.saturating_mul(self.rows)
    }
}

/// Appends the frame's segment in a stream of `dimensions`, at most 65535 a side.
pub(in crate::codec::jpeg) fn frame(
    marker: u8,
    triples: &[u8],
    dimensions: Dimensions,
    out: &mut Vec<u8>,
) {
    let [.., h1, h0] = dimensions.height.to_be_bytes();
    let [.., w1, w0] = dimensions.width.to_be_bytes();
    let [.., count] = (triples.len() / 3).to_be_bytes();
    let mut payload = vec![8, h1, h0, w1, w0, count];
    payload.extend(triples);
    segment(out, marker, &payload);
}

const DQT: u8 = 0xdb;
const DHT: u8 = 0xc4;
const DRI: u8 = 0xdd;
const SOF0: u8 = 0xc0;
const SOF1: u8 = 0xc1;

#[derive(Default)]
struct Found {
    quantisers: [Option<Vec<u8>>; 4],
    dc: [Option<Codes>; 4],
    ac: [Option<Codes>; 4],
    restart: u32,
    frame: Option<(u8, Vec<u8>)>,
    scan: Vec<u8>,
    /// The highest category that differences are written of.
    highest: u8,
}

impl Found {
    fn take(&mut self, marker: u8, payload: &[u8]) -> Option<()> {
        match marker {
            DQT => self.take_quantisers(payload),
            DHT => self.take_codes(payload),
            DRI => {
                self.restart = u16::from_be_bytes(payload.try_into().ok()?).into();
                Some(())
            }
            SOS => {
                self.scan = payload.to_vec();
                Some(())
            }
            _ if self.frame.is_some() => None,
            _ => {
                self.frame = Some((marker, payload.get(6..)?.to_vec()));
                Some(())
            }
        }
    }

    /// Source: ITU-T T.81 B.2.4.1.
    fn take_quantisers(&mut self, mut payload: &[u8]) -> Option<()> {
        while let [head, ..] = payload {
            let length = if head >> 4 == 0 { 65 } else { 129 };
            let (table, rest) = payload.split_at_checked(length)?;
            *self.quantisers.get_mut(usize::from(head & 15))? = Some(table.to_vec());
            payload = rest;
        }
        Some(())
    }

    /// Source: ITU-T T.81 B.2.4.2.
    fn take_codes(&mut self, mut payload: &[u8]) -> Option<()> {
        while let Some((head, rest)) = payload.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let total = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, rest) = rest.split_at_checked(total)?;
            let tables = match head >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return None,
            };
            *tables.get_mut(usize::from(head & 15))? = Some(Codes::new(*counts, symbols)?);
            payload = rest;
        }
        Some(())
    }

    fn into_layout(self, dimensions: Dimensions, coded_at: u64) -> Option<Layout> {
        let (marker, mut triples) = self.frame.clone()?;
        let components = self.components(&mut triples)?;
        let max = |factor: fn(&Component) -> u32| components.iter().map(factor).max();
        let (max_h, max_v) = (max(|c| c.h)?, max(|c| c.v)?);
        if components
            .iter()
            .any(|c| max_h % c.h != 0 || max_v % c.v != 0)
        {
            return None;
        }
        let mut tables = Tables::default();
        let mut blocks = Vec::new();
        for (index, component) in components.iter().enumerate() {
            let block = tables.block(index, component, &self)?;
            let count = usize::try_from(component.h * component.v).ok()?;
            blocks.extend(std::iter::repeat_n(block, count));
        }
        let unit = (8 * max_h, 8 * max_v);
        (blocks.len() <= MAX_BLOCKS).then(|| Layout {
            unit,
            columns: dimensions.width.div_ceil(unit.0),
            rows: dimensions.height.div_ceil(unit.1),
            restart: self.restart,
            blocks,
            coded_at,
            tables: tables.segments(&self),
            frame: (marker, triples),
            scan: self.scan,
        })
    }

    /// The scan's components, in its order; the only component counts as not subsampled, in
    /// `triples` too (ITU-T T.81 A.2.2).
    fn components(&self, triples: &mut [u8]) -> Option<Vec<Component>> {
        let (frame, _) = triples.as_chunks_mut::<3>();
        if let [[_, factors, _]] = frame {
            *factors = 0x11;
        }
        let (count, rest) = self.scan.split_first()?;
        let (pairs, end) = rest.as_chunks::<2>();
        let (pairs, spectral) = pairs.split_at_checked(usize::from(*count))?;
        let whole = frame.len() == pairs.len() && pairs.len() <= MAX_COMPONENTS;
        if !whole || [spectral.as_flattened(), end].concat() != [0, 63, 0] {
            return None;
        }
        let component = |[id, tables]: &[u8; 2]| {
            let mut same = frame.iter().filter(|[other, ..]| other == id);
            let [_, factors, quantiser] = same.next().filter(|_| same.next().is_none())?;
            Some(Component {
                h: u32::from(factors >> 4),
                v: u32::from(factors & 15),
                quantiser: usize::from(*quantiser),
                dc: usize::from(tables >> 4),
                ac: usize::from(tables & 15),
            })
        };
        pairs.iter().map(component).collect()
    }
}

struct Component {
    h: u32,
    v: u32,
    quantiser: usize,
    dc: usize,
    ac: usize,
}

/// Tables that some component uses, built once.
#[derive(Default)]
struct Tables {
    quantisers: [bool; 4],
    dc: [Option<Dc>; 4],
    ac: [Option<Arc<AcTable>>; 4],
}

/// A table of DC differences: its codes with more categories, to read with and to write with.
struct Dc {
    all: Codes,
    table: Arc<DcTable>,
    writer: Arc<DcWriter>,
}

impl Dc {
    fn new(codes: &Codes, highest: u8) -> Option<Self> {
        let all = codes.with_categories(highest);
        let all = all.filter(Codes::are_categories)?;
        Some(Self {
            table: Arc::new(DcTable::new(codes.clone())),
            writer: Arc::new(DcWriter::new(&all)),
            all,
        })
    }
}

impl Tables {
    fn block(&mut self, index: usize, component: &Component, found: &Found) -> Option<Block> {
        found.quantisers.get(component.quantiser)?.as_ref()?;
        *self.quantisers.get_mut(component.quantiser)? = true;
        let dc = self.dc.get_mut(component.dc)?;
        if dc.is_none() {
            let codes = found.dc.get(component.dc)?.as_ref()?;
            *dc = Some(Dc::new(codes, found.highest)?);
        }
        let Dc { table, writer, .. } = dc.as_ref()?;
        let ac = self.ac.get_mut(component.ac)?;
        if ac.is_none() {
            *ac = Some(Arc::new(AcTable::new(found.ac.get(component.ac)?.clone()?)));
        }
        Some(Block {
            component: index,
            dc: Arc::clone(table),
            ac: Arc::clone(ac.as_ref()?),
            writer: Arc::clone(writer),
        })
    }

    fn segments(&self, found: &Found) -> Vec<u8> {
        let mut out = Vec::new();
        for (used, table) in self.quantisers.iter().zip(&found.quantisers) {
            if let Some(table) = table.as_ref().filter(|_| *used) {
                segment(&mut out, DQT, table);
            }
        }
        let mut codes = Vec::new();
        for (id, dc) in (0_u8..).zip(&self.dc) {
            if let Some(dc) = dc {
                dc.all.write(id, &mut codes);
            }
        }
        for (id, (used, all)) in (0x10_u8..).zip(self.ac.iter().zip(&found.ac)) {
            if let Some(all) = all.as_ref().filter(|_| used.is_some()) {
                all.write(id, &mut codes);
            }
        }
        segment(&mut out, DHT, &codes);
        out
    }
}

/// Appends a segment; payloads here are far below 64 KiB.
pub(in crate::codec::jpeg) fn segment(out: &mut Vec<u8>, marker: u8, payload: &[u8]) {
    let length = u16::try_from(payload.len() + 2).unwrap_or(u16::MAX);
    out.extend([0xff, marker]);
    out.extend(length.to_be_bytes());
    out.extend(payload);
}
