//! `triforium health`: a probe for containers.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::output::{self, Failure, Outcome};
use super::{ConfigArgs, client};

/// Asks a running server whether it is ready; exit status 0 or 1
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  triforium health\n  triforium health --live --address 127.0.0.1:8183"
)]
pub(super) struct Health {
    #[command(flatten)]
    config: ConfigArgs,
    /// Address of the server's admin or plain public listener [default: the configured one]
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
    /// Ask whether the process lives instead of whether it is ready
    #[arg(long)]
    live: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A server that has not answered by then is not healthy.
const PATIENCE: Duration = Duration::from_secs(5);

impl Health {
    /// Runs the command.
    pub(super) fn run(self) -> Outcome {
        let address = match &self.address {
            Some(address) => address.clone(),
            None => self.configured()?,
        };
        let path = if self.live {
            "/health/live"
        } else {
            "/health/ready"
        };
        let (status, _) = client::get(&address, path, PATIENCE)
            .map_err(|cause| Failure::Words(format!("{address} does not answer: {cause}")))?;
        let healthy = status == 200;
        output::report(
            &json!({ "healthy": healthy, "status": status, "address": address }),
            self.json,
        )?;
        Ok(if healthy {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn configured(&self) -> Result<String, Failure> {
        let (config, _) = self.config.load(&[])?;
        let http = config.http;
        let admin = http.admin.listen;
        Ok(if admin.is_empty() {
            http.server.listen
        } else {
            admin
        })
    }
}
