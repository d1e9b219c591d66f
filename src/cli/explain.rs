//! `triforium explain`: what the server would do for a request path. The running server says it, from all
//! that it remembers; where none answers, one that remembers nothing is asked in this process.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::offline::{block_on, service};
use super::output::{self, Failure, Outcome};
use super::{ConfigArgs, client};
use crate::http;

/// Says what the server would do for a request: level, window, rung, passes, engine, cost
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  triforium explain /iiif/3/page.tif/full/!200,200/0/default.jpg\n  triforium explain --json --root scans /iiif/2/map.jp2/0,0,1024,1024/512,/90/gray.png\n\nThe server at admin.listen is asked; where none answers, or with --root, this command plans on its own."
)]
pub(super) struct Explain {
    /// The request's path, as in its URL
    path: String,
    #[command(flatten)]
    config: ConfigArgs,
    /// Folder of masters, instead of the configured source; no server is asked
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A server that takes longer counts as none.
const PATIENCE: Duration = Duration::from_secs(3);

impl Explain {
    /// Runs the command.
    pub(super) fn run(self) -> Outcome {
        let told = match self.root {
            Some(_) => None,
            None => self.ask()?,
        };
        let report = told.map_or_else(|| self.plan(), Ok)?;
        output::report(&report, self.json)?;
        Ok(ExitCode::SUCCESS)
    }

    /// What the running server says; nothing where none answers.
    fn ask(&self) -> Result<Option<Value>, Failure> {
        let (config, _) = self.config.load(&[])?;
        let address = config.http.admin.listen;
        if address.is_empty() {
            return Ok(None);
        }
        let target = format!("/explain?path={}", encode(&self.path));
        let Ok((status, body)) = client::get(&address, &target, PATIENCE) else {
            return Ok(None);
        };
        // Whatever else listens there is no server of ours.
        let Ok(document) = serde_json::from_slice::<Value>(&body) else {
            return Ok(None);
        };
        if status == 200 && document["rung"].is_string() {
            return Ok(Some(document));
        }
        match document["detail"].as_str() {
            Some(detail) => Err(Failure::Words(detail.to_owned())),
            None => Ok(None),
        }
    }

    fn plan(&self) -> Result<Value, Failure> {
        let (config, service) = service(&self.config, self.root.as_deref())?;
        let settings = http::Settings::new(config.http)?;
        let request = http::image_request(&self.path, &settings)?
            .ok_or_else(|| Failure::Words(http::NO_IMAGE.to_owned()))?;
        let explanation = block_on(service.explain(&request))??;
        Ok(http::explanation_document(&explanation, "offline"))
    }
}

/// A value as it stands in a query.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/,:!".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // A string takes all text.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
