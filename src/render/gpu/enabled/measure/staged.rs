//! What it takes the host to bring a window's rows into staging memory: all of them gathered and then
//! copied, or each strip written there as it comes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::super::pictures::picture;
use super::super::stock::{Staging, Stock};
use super::{Bare, us};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::raster::{Channels, OneStrip, Raster, Rows, Shape, gather};
use crate::render::gpu::{Fault, Measured};

/// Sides of the windows, and rows of a decoder's strips.
const WINDOWS: [(u32, u32); 2] = [(512, 64), (2048, 64)];

/// Rounds behind each median; both ways in turns.
const ROUNDS: usize = 15;

/// Bytes of staging memory.
const MOST_BYTES: u64 = 64 << 20;

pub(super) fn measure(bare: &Bare, measured: &mut Measured) -> std::result::Result<(), Fault> {
    for (side, height) in WINDOWS {
        let [alone, gathered, poured] = taken(bare, side, height).map_err(|_error| Fault::Unfit)?;
        let mut note = |what: &str, value, unit| {
            measured.note("staging", format!("{side}² {what}"), value, unit);
        };
        note("strips made and dropped", us(alone), "µs");
        note("gathered, then copied", us(gathered), "µs");
        note("written as they come", us(poured), "µs");
        let [gathered, poured] = [gathered, poured].map(|took| took.saturating_sub(alone));
        // Where making the strips is all that takes time, both take nothing that a clock can tell.
        let ratio = us(gathered).max(1.0) / us(poured).max(1.0);
        note("gathered against written, strips apart", ratio, "times");
    }
    Ok(())
}

/// Medians of making the strips, of both copies, and of one.
fn taken(bare: &Bare, side: u32, height: u32) -> Result<[Duration; 3]> {
    let strip = picture(side, height, Channels::Rgb, side)?;
    let stock = Stock::new(std::sync::Arc::clone(&bare.device), MOST_BYTES);
    let shape = Strips::new(&strip, side).shape();
    let staging = || {
        let staging = stock.staging(shape);
        staging.ok_or_else(|| Error::internal("measuring without staging memory"))
    };
    let cancel = Cancel::new();
    let (mut alone, mut gathered, mut poured) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let mut strips = Strips::new(&strip, side);
        while let Some(strip) = strips.next_strip()? {
            drop(black_box(strip));
        }
        alone.push(begun.elapsed());

        let begun = Instant::now();
        let whole = gather(&mut Strips::new(&strip, side), &cancel)?;
        written(staging()?, &mut OneStrip::from(whole), &cancel)?;
        gathered.push(begun.elapsed());

        let begun = Instant::now();
        written(staging()?, &mut Strips::new(&strip, side), &cancel)?;
        poured.push(begun.elapsed());
    }
    Ok([alone, gathered, poured].map(|mut taken| {
        taken.sort_unstable();
        taken[taken.len() / 2]
    }))
}

fn written(mut staging: Staging, rows: &mut dyn Rows, cancel: &Cancel) -> Result<()> {
    rows.pour(&mut staging, cancel)?;
    drop(staging.finish());
    Ok(())
}

/// Strips as a decoder gives them: each has just been made.
struct Strips<'a> {
    strip: &'a Raster,
    side: u32,
    given: u32,
}

impl<'a> Strips<'a> {
    fn new(strip: &'a Raster, side: u32) -> Self {
        Self {
            strip,
            side,
            given: 0,
        }
    }
}

impl Rows for Strips<'_> {
    fn shape(&self) -> Shape {
        Shape {
            dimensions: crate::geometry::Dimensions {
                width: self.side,
                height: self.side,
            },
            format: self.strip.format(),
        }
    }

    fn next_strip(&mut self) -> Result<Option<Raster>> {
        if self.given == self.side {
            return Ok(None);
        }
        self.given += self.strip.dimensions().height;
        Ok(Some(self.strip.clone()))
    }
}
