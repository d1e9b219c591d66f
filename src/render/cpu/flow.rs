//! The three ways in which a pass pulls rows: strip by strip, all before its first, and guarded.

use crate::cancel::Cancel;
use crate::error::Result;
use crate::geometry::Dimensions;
use crate::raster::{Raster, Rows, Shape, gather};

/// Rows that end for ever after their last strip or first error, and that look at a cancel token
/// before each strip. What they hold is freed as soon as they end.
pub(super) struct Guarded {
    rows: Option<Box<dyn Rows>>,
    shape: Shape,
    cancel: Cancel,
}

impl Guarded {
    /// `rows`, as long as `cancel` lets them.
    pub(super) fn new(rows: Box<dyn Rows>, cancel: &Cancel) -> Self {
        Self {
            shape: rows.shape(),
            rows: Some(rows),
            cancel: cancel.clone(),
        }
    }
}

impl Rows for Guarded {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        let Some(rows) = &mut self.rows else {
            return Ok(None);
        };
        let strip = self.cancel.check().and_then(|()| rows.next_strip());
        if !matches!(strip, Ok(Some(_))) {
            self.rows = None;
        }
        strip
    }

    fn at_once(&mut self) -> Result<Option<Raster>> {
        let Some(rows) = &mut self.rows else {
            return Ok(None);
        };
        let whole = self.cancel.check().and_then(|()| rows.at_once());
        if !matches!(whole, Ok(None)) {
            self.rows = None;
        }
        whole
    }
}

/// A pass that makes one strip of each.
pub(super) struct EachStrip<F> {
    rows: Box<dyn Rows>,
    shape: Shape,
    change: F,
}

impl<F> EachStrip<F> {
    /// `change` of every strip of `rows`; `shape` of what it makes.
    pub(super) fn new(rows: Box<dyn Rows>, shape: Shape, change: F) -> Self {
        Self {
            rows,
            shape,
            change,
        }
    }
}

impl<F: FnMut(&Raster) -> Result<Raster> + Send> Rows for EachStrip<F> {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        let strip = self.rows.next_strip()?;
        strip.as_ref().map(&mut self.change).transpose()
    }
}

/// What a pass does that has to see the whole picture before its first row can leave.
pub(super) trait WholePass: Send {
    /// Changes the gathered picture once.
    fn prepare(&self, source: Raster) -> Result<Raster> {
        Ok(source)
    }

    /// Rows `top .. top + dimensions.height` of the result.
    fn strip(&self, source: &Raster, top: u32, dimensions: Dimensions) -> Result<Raster>;
}

/// A pass over a gathered picture, in strips. The picture is freed before the last strip leaves.
pub(super) struct AfterAll<P> {
    rows: Box<dyn Rows>,
    source: Option<Raster>,
    pass: P,
    shape: Shape,
    strip_height: u32,
    top: u32,
    cancel: Cancel,
}

impl<P: WholePass> AfterAll<P> {
    /// `pass` over all of `rows`, giving `shape` in strips of `strip_height` rows.
    pub(super) fn new(
        rows: Box<dyn Rows>,
        shape: Shape,
        pass: P,
        strip_height: u32,
        cancel: &Cancel,
    ) -> Self {
        Self {
            rows,
            source: None,
            pass,
            shape,
            strip_height,
            top: 0,
            cancel: cancel.clone(),
        }
    }

    fn gathered(&mut self) -> Result<Raster> {
        match self.source.take() {
            Some(source) => Ok(source),
            None => self.pass.prepare(gather(self.rows.as_mut(), &self.cancel)?),
        }
    }
}

impl<P: WholePass> Rows for AfterAll<P> {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        let Dimensions { width, height } = self.shape.dimensions;
        let Some(dimensions) = Dimensions::new(
            width,
            self.strip_height.min(height.saturating_sub(self.top)),
        ) else {
            return Ok(None);
        };
        let source = self.gathered()?;
        self.cancel.check()?;
        let strip = self.pass.strip(&source, self.top, dimensions)?;
        self.top += dimensions.height;
        if self.top < height {
            self.source = Some(source);
        }
        Ok(Some(strip))
    }
}
