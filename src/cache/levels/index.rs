//! Where each tile of each level stands in a file.

/// The cells of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// The level's scale factor.
    pub factor: u32,
    /// Cells from left to right.
    pub columns: u32,
    /// Cells from top to bottom.
    pub rows: u32,
}

impl Grid {
    fn cells(&self) -> usize {
        let cells = u64::from(self.columns) * u64::from(self.rows);
        usize::try_from(cells).unwrap_or(usize::MAX)
    }
}

/// Where a tile stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) length: u32,
    pub(super) checksum: u32,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) about: Vec<u8>,
    pub(super) grids: Vec<Grid>,
    /// The places of all grids' cells, row by row.
    places: Vec<Place>,
}

/// Bytes of a place.
const PLACE_BYTES: usize = 16;

impl Index {
    /// An index of empty places.
    pub(super) fn new(about: Vec<u8>, grids: Vec<Grid>) -> Self {
        let cells = grids.iter().map(Grid::cells).sum();
        Self {
            about,
            grids,
            places: vec![Place::default(); cells],
        }
    }

    /// The number of the cell's place.
    fn number(&self, factor: u32, column: u32, row: u32) -> Option<usize> {
        let mut before = 0;
        for grid in &self.grids {
            if grid.factor == factor {
                let inside = column < grid.columns && row < grid.rows;
                let cell = row as usize * grid.columns as usize + column as usize;
                return inside.then_some(before + cell);
            }
            before += grid.cells();
        }
        None
    }

    /// Where the cell stands, if there is such a cell.
    pub(super) fn place(&self, factor: u32, column: u32, row: u32) -> Option<Place> {
        let number = self.number(factor, column, row)?;
        self.places.get(number).copied()
    }

    /// The same, to be filled in.
    pub(super) fn place_mut(&mut self, factor: u32, column: u32, row: u32) -> Option<&mut Place> {
        let number = self.number(factor, column, row)?;
        self.places.get_mut(number)
    }

    /// Whether every cell has its tile.
    pub(super) fn is_complete(&self) -> bool {
        self.places.iter().all(|place| place.length > 0)
    }

    /// The index as it stands in the file.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 + self.places.len() * PLACE_BYTES);
        let counts = [self.about.len(), self.grids.len()];
        for count in counts.map(|count| u32::try_from(count).unwrap_or(u32::MAX)) {
            bytes.extend_from_slice(&count.to_le_bytes());
        }
        bytes.extend_from_slice(&self.about);
        for grid in &self.grids {
            for field in [grid.factor, grid.columns, grid.rows] {
                bytes.extend_from_slice(&field.to_le_bytes());
            }
        }
        for place in &self.places {
            bytes.extend_from_slice(&place.offset.to_le_bytes());
            bytes.extend_from_slice(&place.length.to_le_bytes());
            bytes.extend_from_slice(&place.checksum.to_le_bytes());
        }
        bytes
    }

    /// What `bytes` say; `None` where they are no index, or one whose tiles reach past `end`.
    pub(super) fn parse(bytes: &[u8], end: u64) -> Option<Self> {
        let (about_length, bytes) = number(bytes)?;
        let (grid_count, bytes) = number(bytes)?;
        let (about, bytes) = bytes.split_at_checked(about_length as usize)?;
        let (grids, places) = bytes.split_at_checked((grid_count as usize).checked_mul(12)?)?;
        let grids = grids.as_chunks::<12>().0.iter().map(grid);
        let grids: Vec<_> = grids.collect::<Option<_>>()?;
        let cells = grids.iter().map(|grid| grid.cells() as u64).sum::<u64>();
        if places.len() as u64 != cells.checked_mul(PLACE_BYTES as u64)? {
            return None;
        }
        let places = places.as_chunks::<PLACE_BYTES>().0.iter().map(place);
        let places: Vec<_> = places.collect::<Option<_>>()?;
        let within = |place: &Place| {
            (place.offset.checked_add(u64::from(place.length))).is_some_and(|last| last <= end)
        };
        places.iter().all(within).then(|| Self {
            about: about.to_vec(),
            grids,
            places,
        })
    }
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number), rest))
}

fn grid(bytes: &[u8; 12]) -> Option<Grid> {
    let (factor, rest) = number(bytes)?;
    let (columns, rest) = number(rest)?;
    let (rows, _) = number(rest)?;
    // A level of more cells than this has no file.
    let sane = factor > 0 && columns < 1 << 24 && rows < 1 << 24;
    sane.then_some(Grid {
        factor,
        columns,
        rows,
    })
}

fn place(bytes: &[u8; PLACE_BYTES]) -> Option<Place> {
    let (offset, rest) = bytes.split_first_chunk::<8>()?;
    let (length, rest) = number(rest)?;
    let (checksum, _) = number(rest)?;
    Some(Place {
        offset: u64::from_le_bytes(*offset),
        length,
        checksum,
    })
}
