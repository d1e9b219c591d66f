//! `triforium explain`: the plan for a request path, not run.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::ConfigArgs;
use super::offline::{block_on, service};
use super::output::{self, Failure, Outcome};
use crate::http;
use crate::plan::Pass;
use crate::service::Explanation;

/// Says what the server would do for a request: level, window, rung, passes, engine, cost
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  triforium explain /iiif/3/page.tif/full/!200,200/0/default.jpg\n  triforium explain --json --root scans /iiif/2/map.jp2/0,0,1024,1024/512,/90/gray.png"
)]
pub(super) struct Explain {
    /// The request's path, as in its URL
    path: String,
    #[command(flatten)]
    config: ConfigArgs,
    /// Folder of masters, instead of the configured source
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Runs the command.
    pub(super) fn run(self) -> Outcome {
        let (config, service) = service(&self.config, self.root.as_deref())?;
        let settings = http::Settings::new(config.http)?;
        let request = http::image_request(&self.path, &settings)?.ok_or_else(|| {
            Failure::Words(
                "this is no image request; one looks like \
                 /iiif/3/IDENTIFIER/full/max/0/default.jpg"
                    .to_owned(),
            )
        })?;
        let explanation = block_on(service.explain(&request))??;
        output::report(&report(&explanation), self.json)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn report(explanation: &Explanation) -> Value {
    let plan = &explanation.plan;
    let window = plan.window;
    json!({
        "canonical": explanation.canonical,
        "rung": explanation.rung.name(),
        "engine": explanation.engine,
        "lane": explanation.lane,
        "level": plan.level,
        "factor": plan.factor.get(),
        "window": [window.x, window.y, window.width, window.height],
        "passes": plan.passes.iter().map(pass).collect::<Vec<_>>(),
        "output": { "width": plan.output.dimensions.width, "height": plan.output.dimensions.height },
        "streamed": plan.streamed,
        "decoded_pixels": explanation.price.pixels,
        "memory_bytes": explanation.price.bytes + plan.working_bytes,
    })
}

fn pass(pass: &Pass) -> String {
    match pass {
        Pass::Shrink { times } => format!("shrink by {}", 1_u64 << times),
        Pass::Resample { target, filter, .. } => format!("resample to {target} by {filter:?}"),
        Pass::Narrow => "narrow to 8 bits".to_owned(),
        Pass::Orient(orientation) => format!(
            "{}turn {}°",
            if orientation.mirror { "mirror, " } else { "" },
            u32::from(orientation.turns) * 90
        ),
        Pass::Flatten { .. } => "lay over the background".to_owned(),
        Pass::Rotate(turn) => format!("rotate {}° into {}", turn.degrees, turn.canvas),
        Pass::Gray => "gray".to_owned(),
        Pass::Bitonal => "bitonal".to_owned(),
    }
}
