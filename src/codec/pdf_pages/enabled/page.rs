//! A PDF file's bytes → a page's pixels. The only file that knows the library.
//!
//! White paper lies below the page. Annotations are drawn as they look on paper. What the library would
//! leave out with a warning refuses the page, unless damage is passed over.
//!
//! Source: ISO 32000-2:2020; 7.7.3.3 for the boxes, the turn and the unit of a page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hayro::hayro_interpret::{InterpreterSettings, InterpreterWarning, TransformExt as _};
use hayro::hayro_syntax::object::dict::keys::USER_UNIT;
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::{LoadPdfError, Pdf};
use hayro::kurbo::Affine;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::{Pixmap, RasterizerSettings, RenderContext, Resources, TargetInit};
use hayro::{RenderCache, RenderSettings};

use super::job::{Job, Paper, Refusal};
use crate::codec::guard::guarded;

/// Units of an inch on a page.
const UNITS_PER_INCH: f64 = 72.0;

/// A page that is found, or drawn.
pub(super) struct Drawn {
    /// How large it is.
    pub(super) paper: Paper,
    /// Its pixels, opaque, where they were wanted.
    pixels: Option<Pixmap>,
}

impl Drawn {
    /// Red, green and blue of each row, one after the other.
    pub(super) fn rows(&self) -> impl Iterator<Item = Vec<u8>> {
        let width = usize::try_from(self.paper.width).unwrap_or(usize::MAX);
        let pixels = self
            .pixels
            .as_ref()
            .map_or(&[][..], Pixmap::data_as_u8_slice);
        let (pixels, _) = pixels.as_chunks::<4>();
        let row = |row: &[[u8; 4]]| {
            row.iter()
                .flat_map(|[red, green, blue, _]| [*red, *green, *blue])
                .collect()
        };
        pixels.chunks_exact(width.max(1)).map(row)
    }
}

/// Finds the page of `job` in a file, and draws it where its rows are wanted.
///
/// # Errors
///
/// Why there is nothing to show.
pub(super) fn draw(file: Vec<u8>, job: &Job) -> Result<Drawn, Refusal> {
    guarded(|| found(file, job)).unwrap_or(Err(Refusal::Damaged))
}

fn found(file: Vec<u8>, job: &Job) -> Result<Drawn, Refusal> {
    let pdf = Pdf::new(file).map_err(|error| match error {
        LoadPdfError::Decryption(_) => Refusal::Encrypted,
        LoadPdfError::Invalid => Refusal::Damaged,
    })?;
    let pages = u32::try_from(pdf.pages().len()).unwrap_or(u32::MAX);
    if pages == 0 {
        return Err(Refusal::Damaged);
    }
    let index = usize::try_from(job.page)
        .ok()
        .and_then(|page| page.checked_sub(1));
    let page = index.and_then(|index| pdf.pages().get(index));
    let page = page.ok_or(Refusal::NoPage { pages })?;
    let scale = f64::from(job.dpi) / UNITS_PER_INCH * unit(page);
    let (width, height) = page.render_dimensions();
    let (width, height) = (f64::from(width), f64::from(height));
    let (across, down) = (side(width * scale)?, side(height * scale)?);
    let paper = Paper {
        pages,
        width: across.into(),
        height: down.into(),
    };
    let pixels = if job.rows {
        let area = u64::from(across) * u64::from(down);
        if job.check_bytes(area).is_err() {
            return Err(Refusal::Size);
        }
        // Sides are rounded, and the page fills them.
        let scale = Affine::scale_non_uniform(f64::from(across) / width, f64::from(down) / height);
        Some(drawn(page, scale, [across, down], job.damaged)?)
    } else {
        None
    };
    Ok(Drawn { paper, pixels })
}

/// The page's own unit, in those of all pages.
fn unit(page: &Page<'_>) -> f64 {
    let said: Option<f64> = page.raw().get(USER_UNIT);
    said.filter(|unit| unit.is_finite() && *unit > 0.0)
        .unwrap_or(1.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is within the type's bounds"
)]
fn side(pixels: f64) -> Result<u16, Refusal> {
    let pixels = pixels.round().max(1.0);
    if pixels > f64::from(u16::MAX) || pixels.is_nan() {
        return Err(Refusal::Size);
    }
    Ok(pixels as u16)
}

fn drawn(
    page: &Page<'_>,
    scale: Affine,
    [width, height]: [u16; 2],
    damaged: bool,
) -> Result<Pixmap, Refusal> {
    let lacks_picture = Arc::new(AtomicBool::new(false));
    let lacks_font = Arc::new(AtomicBool::new(false));
    let (picture, font) = (Arc::clone(&lacks_picture), Arc::clone(&lacks_font));
    let settings = InterpreterSettings {
        warning_sink: Arc::new(move |warning| match warning {
            InterpreterWarning::ImageDecodeFailure => picture.store(true, Ordering::Relaxed),
            InterpreterWarning::UnsupportedFont => font.store(true, Ordering::Relaxed),
            // A frame or a note beside what is printed.
            InterpreterWarning::UnresolvedAnnotationAppearance | _ => {}
        }),
        ..InterpreterSettings::default()
    };
    let mut context = RenderContext::new(width, height);
    let transform = scale * page.initial_transform(true).to_kurbo();
    let cache = RenderCache::new();
    hayro::render_into(
        page,
        &cache,
        &settings,
        &RenderSettings::default(),
        &mut context,
        transform,
    );
    if !damaged && lacks_picture.load(Ordering::Relaxed) {
        return Err(Refusal::Picture);
    }
    if !damaged && lacks_font.load(Ordering::Relaxed) {
        return Err(Refusal::Font);
    }
    context.flush();
    let mut pixels = Pixmap::new(width, height);
    let paper = RasterizerSettings {
        target_init: TargetInit::Clear(WHITE),
        ..RasterizerSettings::default()
    };
    context.render_with(&mut pixels, &mut Resources::default(), paper);
    Ok(pixels)
}
