//! PDF masters: one page, drawn at a resolution that the settings give.
//!
//! Files are programs of strangers that no reader can bound from outside. So each look at one is a process of
//! its own (`worker`), which this one asks, waits for and ends (`process`) by the words of `job`; `page` alone
//! knows the library. What is drawn is the whole page, whatever the window: requests that come together share
//! it.

mod job;
mod page;
mod process;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Condvar, Mutex, PoisonError, TryLockError, Weak};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub use process::draw_pages_by;
pub use worker::{draw_page, serve_page};

use self::job::Job;
use self::process::LOOK_EVERY;
use crate::cancel::Cancel;
use crate::codec::open::dimensions_within;
use crate::codec::whole::{self, WholeRows};
use crate::codec::{Damaged, DecodeLimits, Facts, MasterFormat, Picture, Price};
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Orientation, Window};
use crate::raster::{Channels, PixelFormat, Raster, Rows, Samples};
use crate::reader::RangeReader;

/// How long finding a page may take.
const FIND: Duration = Duration::from_secs(10);

/// Most processor seconds of a drawing: whoever waits gives up sooner.
const DRAW_SECONDS: u64 = 120;

/// Pages that are looked for at a time.
const MOST_FINDERS: usize = 2;

/// Finds a page.
///
/// # Errors
///
/// [`crate::error::ErrorKind::NotFound`] for a page that is not there, [`crate::error::ErrorKind::Corrupt`],
/// [`crate::error::ErrorKind::NotImplemented`] for encrypted files and where pages are not drawn,
/// [`crate::error::ErrorKind::TooLarge`], [`crate::error::ErrorKind::Timeout`], and those of the reader.
pub(in crate::codec) fn open(
    reader: Arc<dyn RangeReader>,
    page: u32,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Picture>> {
    let dpi = limits.pdf.dpi;
    if dpi == 0 {
        return Err(Error::unsupported(
            "pages of PDF are not drawn here (pdf.dpi)",
        ));
    }
    // What this process holds and what the other one takes.
    let bytes = limits.pdf.bytes.min(limits.max_bytes / 2);
    let job = Job {
        page,
        dpi,
        length: reader.length(),
        bytes,
        seconds: FIND.as_secs(),
        damaged: limits.damaged == Damaged::Decode,
        rows: false,
    };
    job.check_bytes(0)?;
    let cancel = Cancel::with_deadline(Instant::now() + FIND);
    let finder = FINDERS.enter(&cancel)?;
    let (paper, _) = process::ask(&job, None, reader.as_ref(), &cancel)?;
    drop(finder);
    let dimensions = dimensions_within(paper.width, paper.height, limits)?;
    job.check_bytes(dimensions.area())?;
    let pixel = PixelFormat::eight(Channels::Rgb);
    let facts = Facts {
        description: format!("PDF, drawn at {dpi} pixels per inch"),
        format: MasterFormat::Pdf,
        pyramid: whole::single_level(dimensions),
        orientation: Orientation::IDENTITY,
        pixel,
        bits: 8,
        colour: "sRGB".to_owned(),
        pages: paper.pages,
    };
    Ok(Arc::new(Page {
        drawing: Arc::new(Drawing {
            reader,
            job: Job {
                seconds: DRAW_SECONDS,
                rows: true,
                ..job
            },
            dimensions,
            last: Mutex::default(),
        }),
        facts,
    }))
}

/// A page that has been found.
#[derive(Debug)]
struct Page {
    facts: Facts,
    drawing: Arc<Drawing>,
}

/// How a page is drawn, and what is left of it for those who come meanwhile.
#[derive(Debug)]
struct Drawing {
    reader: Arc<dyn RangeReader>,
    job: Job,
    dimensions: Dimensions,
    /// Taken while it is drawn; the pixels are those of whoever still reads them.
    last: Mutex<Weak<Raster>>,
}

impl Drawing {
    /// The page's pixels.
    fn pixels(&self, cancel: &Cancel) -> Result<Arc<Raster>> {
        let mut last = loop {
            cancel.check()?;
            match self.last.try_lock() {
                Ok(last) => break last,
                Err(TryLockError::Poisoned(last)) => break last.into_inner(),
                Err(TryLockError::WouldBlock) => sleep(LOOK_EVERY),
            }
        };
        if let Some(pixels) = last.upgrade() {
            return Ok(pixels);
        }
        let known = Some(self.dimensions);
        let (_, rows) = process::ask(&self.job, known, self.reader.as_ref(), cancel)?;
        let pixels = Arc::new(Raster::new(
            self.dimensions,
            Channels::Rgb,
            Samples::U8(rows),
        )?);
        *last = Arc::downgrade(&pixels);
        Ok(pixels)
    }
}

impl Picture for Page {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn price(&self, _level: usize, window: Window) -> Price {
        let job = &self.drawing.job;
        whole::price(self.drawing.dimensions, self.facts.pixel, job.bytes, window)
    }

    fn decode(&self, level: usize, window: Window, cancel: &Cancel) -> Result<Box<dyn Rows>> {
        whole::check_window(level, window, self.drawing.dimensions)?;
        let (drawing, token) = (Arc::clone(&self.drawing), cancel.clone());
        let decode = move || drawing.pixels(&token);
        Ok(Box::new(WholeRows::shared(
            window,
            self.facts.pixel,
            cancel,
            decode,
        )))
    }
}

/// Those who look for pages: admission asks for no memory before it is known what a master is.
static FINDERS: Finders = Finders {
    inside: Mutex::new(0),
    left: Condvar::new(),
};

struct Finders {
    inside: Mutex<usize>,
    left: Condvar,
}

impl Finders {
    fn enter(&self, cancel: &Cancel) -> Result<Finder<'_>> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        while *inside >= MOST_FINDERS {
            cancel.check()?;
            let waited = self.left.wait_timeout(inside, LOOK_EVERY);
            (inside, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        *inside += 1;
        Ok(Finder(self))
    }
}

struct Finder<'a>(&'a Finders);

impl Drop for Finder<'_> {
    fn drop(&mut self) {
        *self.0.inside.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.left.notify_one();
    }
}
