//! `triforium info`: what a master is, and whether it will serve fast.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::ConfigArgs;
use super::offline::{block_on, service};
use super::output::{self, Failure, Outcome};
use crate::codec::{Facts, MasterFormat};
use crate::geometry::{Dimensions, Orientation};
use crate::http::gpu_document;
use crate::iiif::Identifier;
use crate::render::gpu::{GpuMode, State};
use crate::service::{Master, open_gpu};

/// Says what a master is, which rule found it, and whether it will serve fast
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  triforium info scans/page-0001.tif\n  triforium info --json ark:/12148/btv1b8449691v\n  triforium info --gpu"
)]
pub(super) struct Info {
    /// A file, or an identifier of the configured source
    #[arg(value_name = "FILE|ID", required_unless_present = "gpu")]
    master: Option<String>,
    /// Say what the GPU is, with its limits and how fast it is, instead of a master
    #[arg(long, conflicts_with = "master")]
    gpu: bool,
    #[command(flatten)]
    config: ConfigArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Info {
    /// Runs the command.
    pub(super) fn run(self) -> Outcome {
        let Some(master) = &self.master else {
            return self.gpu();
        };
        let (folder, name) = place(master)?;
        let (_, service) = service(&self.config, folder.as_deref())?;
        let identifier = Identifier::new(&name)?;
        let master = block_on(service.master(&identifier))??;
        output::report(&report(&identifier, &master), self.json)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Info {
    /// Opens the configured device, whatever the mode, and says what it is.
    fn gpu(&self) -> Outcome {
        let (config, _) = self.config.load(&[])?;
        let mut wanted = config.service.gpu;
        wanted.mode = GpuMode::On;
        let report = open_gpu(&wanted);
        output::report(&gpu_document(&report), self.json)?;
        Ok(if report.state == State::Up {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// A file is looked at in its own folder; anything else is an identifier.
fn place(master: &str) -> Result<(Option<PathBuf>, String), Failure> {
    let path = Path::new(master);
    if !path.is_file() {
        return Ok((None, master.to_owned()));
    }
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| Failure::Words("the file's name is not UTF-8".to_owned()))?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok((Some(folder), name.to_owned()))
}

fn report(identifier: &Identifier, master: &Master) -> Value {
    let facts = master.facts();
    let verdict = Verdict::of(facts);
    json!({
        "identifier": identifier.as_str(),
        "format": facts.description,
        "dimensions": size(master.dimensions()),
        "stored": size(facts.pyramid.dimensions()),
        "orientation": orientation(facts.orientation),
        "samples": format!("{} × {} bit", facts.pixel.channels.count(), facts.bits),
        "colour": facts.colour,
        "pages": facts.pages,
        "levels": facts.pyramid.levels().iter().map(|level| format!(
            "1/{} {}{}",
            level.factor.get(),
            level.dimensions,
            level.tile.map(|tile| format!(" in tiles of {tile}")).unwrap_or_default(),
        )).collect::<Vec<_>>(),
        "bytes": master.version.length,
        "rule": master.located.rule(),
        "overlays": master.overlays.as_ref().map_or(&[][..], |dress| dress.words()),
        "serves_fast": verdict.fast,
        "advice": verdict.advice,
    })
}

fn size(dimensions: Dimensions) -> Value {
    json!({ "width": dimensions.width, "height": dimensions.height })
}

fn orientation(orientation: Orientation) -> String {
    let turned = u32::from(orientation.turns) * 90;
    match (orientation.mirror, turned) {
        (false, 0) => "upright".to_owned(),
        (false, turned) => format!("turned {turned}° to be upright"),
        (true, 0) => "mirrored to be upright".to_owned(),
        (true, turned) => format!("mirrored and turned {turned}° to be upright"),
    }
}

/// Whether a master will serve fast, and what to do if not.
struct Verdict {
    fast: bool,
    advice: &'static str,
}

/// Masters up to this many pixels decode quickly whatever their layout: 2 megapixels.
const SMALL_PX: u64 = 2_000_000;

/// A level this small is a good start for thumbnails.
const COARSE_SIDE_PX: u32 = 1024;

impl Verdict {
    fn of(facts: &Facts) -> Self {
        let full = facts.pyramid.full();
        let coarsest = facts.pyramid.levels().last().unwrap_or(full).dimensions;
        let tiled = full.tile.is_some();
        let has_levels = coarsest.width.max(coarsest.height) <= COARSE_SIDE_PX;
        if full.dimensions.area() <= SMALL_PX {
            return Self::new(true, "nothing to do: the image is small");
        }
        match (facts.format, tiled, has_levels) {
            (MasterFormat::Tiff, true, true) => Self::new(true, "nothing to do"),
            (MasterFormat::Jpeg2000, true, true) => Self::new(
                true,
                "nothing to do; a pyramidal TIFF with JPEG tiles takes less processor time",
            ),
            (MasterFormat::Jpeg2000, false, _) => Self::new(
                false,
                "encode it with tiles (512 or 1024), or make a pyramid of it: triforium convert IN OUT.tif",
            ),
            (_, true, false) => Self::new(
                false,
                "it lacks reduced-resolution levels; make a pyramid of it: triforium convert IN OUT.tif",
            ),
            _ => Self::new(false, "make a pyramid of it: triforium convert IN OUT.tif"),
        }
    }

    const fn new(fast: bool, advice: &'static str) -> Self {
        Self { fast, advice }
    }
}
