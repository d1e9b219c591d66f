//! What goes into a derivative's file beside its pixels: read from the master when it is made.
//!
//! A picture's size on paper stays what it is, whatever its size in pixels.

use std::sync::Arc;

use super::Shared;
use super::image::Work;
use super::masters::{Master, run_blocking};
use crate::codec::{self, Attached, Colour, Density, KeptSpace, Metadata};
use crate::encoding::MetadataSettings;
use crate::error::{ErrorKind, Result};
use crate::iiif::{Format, Resolved};
use crate::reader::RangeReader;
use crate::source::FileReader;

/// Whether anything of the master goes into the answer beside its pixels, or they are not what is stored: its
/// metadata, or the colour space that it keeps.
pub(super) fn carries(shared: &Shared, master: &Master, resolved: &Resolved) -> bool {
    master.picture.kept().is_some() || carries_metadata(shared, master, resolved)
}

fn carries_metadata(shared: &Shared, master: &Master, resolved: &Resolved) -> bool {
    let whole = resolved.region == master.dimensions().region();
    shared.config.encode.metadata.carries(whole)
}

/// Whether the file of `format` has a place for a profile of gray, or of RGB.
fn has_place(format: Format, gray: bool) -> bool {
    match format {
        Format::Jpg | Format::Png | Format::Tif | Format::Jp2 | Format::Pdf => true,
        // Their gray is RGB.
        Format::Webp | Format::Avif => !gray,
        Format::Gif | Format::Jxl => false,
    }
}

impl Work {
    /// What goes into the answer's file.
    ///
    /// # Errors
    ///
    /// Those of the master's source.
    pub(super) async fn attached(&self) -> Result<Arc<Attached>> {
        let mut attached = self.attached_metadata().await?;
        if let Some(kept) = self.kept() {
            attached.icc = Some(kept.profile().to_vec());
        }
        Ok(Arc::new(attached))
    }

    /// The colour space that the answer keeps: the master's, where its file has a place for the profile.
    pub(super) fn kept(&self) -> Option<&KeptSpace> {
        let gray = self.plan.output.format.channels.is_gray();
        let kept = self.master.picture.kept()?;
        (kept.is_gray() == gray && has_place(self.plan.format, gray)).then_some(kept)
    }

    /// What makes sRGB of the master's pixels, where they are kept in another space and the answer is not.
    pub(super) fn converted(&self) -> Option<Colour> {
        let kept = self.master.picture.kept()?;
        self.kept().is_none().then(|| kept.srgb().clone())
    }

    async fn attached_metadata(&self) -> Result<Attached> {
        let carries = carries_metadata(&self.shared, &self.master, &self.resolved);
        let is_paper = self.plan.format == Format::Pdf;
        if !carries && !is_paper {
            return Ok(Attached::default());
        }
        let metadata = metadata(&self.shared, &self.master).await?;
        let mut attached = if carries {
            self.carried(&metadata)?
        } else {
            Attached::default()
        };
        if is_paper {
            attached.density = self.density(&metadata);
            attached.title = Some(self.identifier.as_str().to_owned());
            let rights = &self.shared.config.iiif.rights;
            attached.rights = (!rights.is_empty()).then(|| rights.clone());
        }
        Ok(attached)
    }

    fn carried(&self, metadata: &Metadata) -> Result<Attached> {
        let mut settings = self.shared.config.encode.metadata;
        if self.master.overlays.is_some() {
            // Words and thumbnails may tell what is hidden.
            settings = MetadataSettings {
                exif: false,
                xmp: false,
                iptc: false,
                ..settings
            };
        }
        let output = self.plan.output;
        let (format, density) = (self.plan.format, self.density(metadata));
        let mut attached = metadata.attached(settings, format, output.dimensions, density)?;
        if settings.icc {
            let gray = output.format.channels.is_gray();
            attached.icc = codec::standard_profile(gray && has_place(self.plan.format, gray));
        }
        Ok(attached)
    }

    /// The derivative's pixels of a metre. Turned by an odd angle it is as dense both ways.
    fn density(&self, metadata: &Metadata) -> Option<Density> {
        let (resolved, published) = (&self.resolved, density(&self.master, metadata)?);
        let share = |size: u32, region: u32| f64::from(size) / f64::from(region);
        let upright = published.scaled(
            share(resolved.size.width, resolved.region.width),
            share(resolved.size.height, resolved.region.height),
        )?;
        match resolved.quarter_turns() {
            Some(0 | 2) => Some(upright),
            Some(_) => Some(upright.transposed()),
            None => {
                let mean = (upright.across * upright.down).sqrt();
                Density::new(mean, mean)
            }
        }
    }
}

/// Pixels of a metre of the image as it is published: upright, at its share of its size.
pub(super) fn density(master: &Master, metadata: &Metadata) -> Option<Density> {
    let facts = master.facts();
    let stored = metadata.density()?;
    let upright = if facts.orientation.transposes() {
        stored.transposed()
    } else {
        stored
    };
    let full = facts.orientation.apply(facts.pyramid.dimensions());
    let published = master.dimensions();
    let share = |published: u32, full: u32| f64::from(published) / f64::from(full);
    upright.scaled(
        share(published.width, full.width),
        share(published.height, full.height),
    )
}

/// Millimetres of a pixel of the image as it is published; read from the master once.
///
/// # Errors
///
/// Those of the master's source.
pub(super) async fn pixel_mm(shared: &Shared, master: &Arc<Master>) -> Result<Option<f64>> {
    if let Some(known) = master.pixel_mm.get() {
        return Ok(*known);
    }
    let metadata = metadata(shared, master).await?;
    let found = density(master, &metadata).and_then(pixel);
    Ok(*master.pixel_mm.get_or_init(|| found))
}

/// Millimetres of a square pixel, to a hundredth of a micrometre.
fn pixel(density: Density) -> Option<f64> {
    let is_square = (density.across / density.down - 1.0).abs() < 0.01;
    let hundredths = (1e8 / density.across).round();
    (is_square && hundredths >= 1.0).then_some(hundredths / 1e5)
}

/// The master's metadata; those that are damaged count as none.
async fn metadata(shared: &Shared, master: &Arc<Master>) -> Result<Metadata> {
    let master = Arc::clone(master);
    let limits = shared.config.decode_limits(u64::MAX);
    let read = run_blocking("metadata", move || {
        let reader: Arc<dyn RangeReader> = Arc::<FileReader>::clone(&master.reader);
        codec::metadata(&reader, master.meta.page, &limits)
    });
    let unreadable = [
        ErrorKind::Corrupt,
        ErrorKind::TooLarge,
        ErrorKind::NotImplemented,
    ];
    match read.await {
        Err(error) if unreadable.contains(&error.kind()) => Ok(Metadata::default()),
        read => read,
    }
}
