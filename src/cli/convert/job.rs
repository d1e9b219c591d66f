//! One master → one pyramid, or why not.

use std::fs;
use std::io::{BufWriter, ErrorKind as IoKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::choice::Choice;
use super::master::{MasterFile, Version};
use super::progress::Progress;
use super::target::Target;
use super::walk::Task;
use crate::cancel::Cancel;
use crate::codec::{
    self, Carried, ColourMode, DecodeLimits, Facts, Picture, PyramidSettings, TileCompression,
};
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Dimensions, Orientation};
use crate::raster::Shape;
use crate::reader::RangeReader;

/// Bytes that are written at a time.
const WRITE_BYTES: usize = 1 << 20;

/// What all files of a run share.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) choice: &'a Choice,
    pub(super) page: u32,
    pub(super) resume: bool,
    pub(super) dry_run: bool,
    /// Threads that encode one file's tiles.
    pub(super) threads: usize,
    /// Most bytes that decoding one file may hold.
    pub(super) memory_bytes: u64,
    pub(super) progress: &'a Progress,
    pub(super) cancel: &'a Cancel,
}

/// What became of a master.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) input: PathBuf,
    output: PathBuf,
    end: End,
}

#[derive(Debug)]
enum End {
    Converted { made: Made, seconds: f64 },
    Planned(Made),
    Skipped,
    Failed(Error),
}

/// What a pyramid is.
#[derive(Debug)]
struct Made {
    master: String,
    levels: Vec<Dimensions>,
    settings: PyramidSettings,
    big: bool,
    /// Of the finished file.
    bytes: Option<u64>,
    pages: u32,
    page: u32,
}

impl Job<'_> {
    /// Converts one master.
    pub(super) fn run(&self, task: &Task) -> Done {
        Done {
            input: task.input.clone(),
            output: task.output.clone(),
            end: self.end(task).unwrap_or_else(End::Failed),
        }
    }

    fn end(&self, task: &Task) -> Result<End> {
        let mut part = self.progress.part(task);
        if let Some(rival) = &task.rival {
            return Err(refused(format!(
                "{} becomes the same file",
                rival.display()
            )));
        }
        let started = Instant::now();
        let master = Arc::new(MasterFile::open(&task.input)?);
        if task.output.symlink_metadata().is_ok() {
            return self.existing(&task.output, master.version());
        }
        let reader: Arc<dyn RangeReader> = Arc::clone(&master) as _;
        let picture = codec::open(Arc::clone(&reader), self.page, &self.limits())?;
        let facts = picture.facts();
        let settings = self.choice.settings(facts, self.threads);
        let shape = shape(facts);
        codec::check_pyramid(shape, &settings)?;
        let metadata = codec::metadata(&reader, self.page, &self.limits())?;
        let metadata = metadata.fitted(facts.pixel.channels);
        let mut made = self.made(facts, settings, metadata.bytes());
        if self.dry_run {
            return Ok(End::Planned(made));
        }
        let carried = Carried {
            software: software(metadata.software(), master.version()),
            metadata,
            orientation: tag_of(facts.orientation),
        };
        let target = create(&task.output)?;
        let written = self.write(picture.as_ref(), carried, &settings, &target, &mut |rows| {
            part.rows(rows, shape.dimensions.height);
        })?;
        master.check_unchanged()?;
        self.cancel.check()?;
        target.publish().map_err(|cause| not_written(&cause))?;
        (made.big, made.bytes) = (written.big, Some(written.bytes));
        Ok(End::Converted {
            made,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    fn limits(&self) -> DecodeLimits {
        DecodeLimits {
            max_bytes: self.memory_bytes,
            colour: ColourMode::Keep,
            ..DecodeLimits::default()
        }
    }

    fn write(
        &self,
        picture: &dyn Picture,
        carried: Carried,
        settings: &PyramidSettings,
        target: &Target,
        seen: &mut dyn FnMut(u32),
    ) -> Result<codec::WrittenPyramid> {
        let window = picture.facts().pyramid.dimensions().window();
        let mut rows = picture.decode(0, window, self.cancel)?;
        let mut sink = BufWriter::with_capacity(WRITE_BYTES, target.file());
        codec::write_pyramid(
            rows.as_mut(),
            carried,
            settings,
            &mut sink,
            seen,
            self.cancel,
        )
    }

    /// There is something under the result's name already: it stays.
    fn existing(&self, output: &Path, version: Version) -> Result<End> {
        if !self.resume {
            return Err(refused(format!("{} exists already", output.display())));
        }
        let reader: Arc<dyn RangeReader> = Arc::new(MasterFile::open(output)?);
        let made_of_it = codec::metadata(&reader, 1, &self.limits())
            .ok()
            .and_then(|metadata| Some(metadata.software()?.ends_with(&version.mark())));
        if made_of_it == Some(true) {
            return Ok(End::Skipped);
        }
        Err(refused(format!(
            "{} exists already, and was not made of this state of the master",
            output.display()
        )))
    }

    fn made(&self, facts: &Facts, settings: PyramidSettings, metadata_bytes: u64) -> Made {
        let shape = shape(facts);
        Made {
            master: facts.description.clone(),
            levels: codec::pyramid_levels(shape.dimensions, settings.tile_px),
            settings,
            big: settings.big || codec::may_need_big(shape, &settings, metadata_bytes),
            bytes: None,
            pages: facts.pages,
            page: self.page,
        }
    }
}

impl Done {
    /// Whether the master is not converted and should have been.
    pub(super) fn is_failure(&self) -> bool {
        matches!(self.end, End::Failed(_))
    }

    /// In one word.
    pub(super) fn status(&self) -> &'static str {
        match self.end {
            End::Converted { .. } => "converted",
            End::Planned(_) => "planned",
            End::Skipped => "skipped",
            End::Failed(_) => "failed",
        }
    }

    /// In a line.
    pub(super) fn words(&self) -> String {
        match &self.end {
            End::Converted { made, seconds } => format!("{}, {seconds:.1} s", made.words()),
            End::Planned(made) => format!("would be {}", made.words()),
            End::Skipped => "made before".to_owned(),
            End::Failed(error) => reason(error),
        }
    }

    /// As JSON.
    pub(super) fn report(&self) -> Value {
        let mut report = json!({
            "input": self.input.to_string_lossy(),
            "output": self.output.to_string_lossy(),
            "status": self.status(),
        });
        let more = match &self.end {
            End::Converted { made, seconds } => {
                let mut more = made.report();
                more["seconds"] = json!(seconds);
                more
            }
            End::Planned(made) => made.report(),
            End::Skipped => json!({}),
            End::Failed(error) => json!({ "error": reason(error) }),
        };
        if let (Value::Object(report), Value::Object(more)) = (&mut report, more) {
            report.extend(more);
        }
        report
    }
}

impl Made {
    fn words(&self) -> String {
        let sides = self.levels.first().map(ToString::to_string);
        let size = self.bytes.map_or(String::new(), |bytes| {
            format!(", {:.1} MB", bytes as f64 / 1e6)
        });
        let page = if self.pages > 1 {
            format!("page {} of {}, ", self.page, self.pages)
        } else {
            String::new()
        };
        format!(
            "{page}{}, {} levels, {} tiles of {}{}{size}",
            sides.unwrap_or_default(),
            self.levels.len(),
            compression(self.settings.compression),
            self.settings.tile_px,
            if self.big { ", BigTIFF" } else { "" },
        )
    }

    fn report(&self) -> Value {
        let full = self.levels.first();
        json!({
            "master": self.master,
            "page": self.page,
            "pages": self.pages,
            "width": full.map(|full| full.width),
            "height": full.map(|full| full.height),
            "levels": self.levels.len(),
            "compression": compression(self.settings.compression),
            "tile": self.settings.tile_px,
            "bigtiff": self.big,
            "bytes": self.bytes,
        })
    }
}

fn compression(compression: TileCompression) -> String {
    match compression {
        TileCompression::Jpeg { quality, .. } => format!("JPEG {quality}"),
        TileCompression::Webp {
            quality: Some(quality),
        } => format!("WebP {quality}"),
        TileCompression::Webp { quality: None } => "WebP lossless".to_owned(),
        TileCompression::Deflate => "deflate".to_owned(),
        TileCompression::Zstd => "zstd".to_owned(),
    }
}

fn shape(facts: &Facts) -> Shape {
    Shape {
        dimensions: facts.pyramid.dimensions(),
        format: facts.pixel,
    }
}

/// Who wrote the file, and of what: `--resume` reads the end of it.
fn software(masters_own: Option<&str>, version: Version) -> String {
    let own = format!(
        "triforium {}, {}",
        env!("CARGO_PKG_VERSION"),
        version.mark()
    );
    match masters_own.map(str::trim) {
        Some(theirs) if !theirs.is_empty() && !theirs.contains("triforium ") => {
            format!("{theirs}; {own}")
        }
        _ => own,
    }
}

/// Why a master was not converted.
fn reason(error: &Error) -> String {
    if error.kind() == ErrorKind::Cancelled {
        return "interrupted".to_owned();
    }
    error.public().to_owned()
}

/// The tag of an orientation. Source: EXIF 2.32 tag 0x0112.
fn tag_of(orientation: Orientation) -> u16 {
    (1..=8)
        .find(|tag| Orientation::from_tag(*tag) == orientation)
        .unwrap_or(1)
}

fn create(output: &Path) -> Result<Target> {
    let folder = output
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        fs::create_dir_all(folder).map_err(|cause| not_written(&cause))?;
    }
    Target::create(output).map_err(|cause| not_written(&cause))
}

fn not_written(cause: &std::io::Error) -> Error {
    if cause.kind() == IoKind::AlreadyExists {
        return refused("something of this name has appeared meanwhile".to_owned());
    }
    let words = format!("the result cannot be written: {cause}");
    Error::new(ErrorKind::Upstream, words)
}

fn refused(words: String) -> Error {
    Error::new(ErrorKind::BadRequest, words)
}
