//! `waxwing serve`, and the hidden word that makes this binary the process in which plugins are compiled.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;

use crate::{cli::Global, config::Config, serve};

const EXAMPLES: &str = "\
Log lines go to standard error. When every listener is open, `ready` is printed on standard output.

Signals:
  SIGTERM, SIGINT  stop; connections have `shutdown_grace` seconds to end. A second one stops at once.
  SIGHUP           read the configuration again: certificates, listeners and their limits, log level.

Example:
  waxwing --config /etc/waxwing/waxwing.toml serve";

/// Run the server in the foreground.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Print this file instead of `ready`.
    #[arg(long, value_name = "FILE")]
    announce: Option<PathBuf>,
}

impl Serve {
    pub(crate) async fn run(self, config: Config, global: &Global) -> Result<ExitCode> {
        let (file, data) = (config.file.clone(), global.data.clone());
        let reread = move || Ok(Config::load(file.as_deref(), data.as_deref())?);
        serve::run(config, reread, self.announce.as_deref()).await
    }
}

/// Compile one component; arguments are the runtime's own.
#[derive(Debug, Args)]
pub(crate) struct Compile {
    /// Input, output and limits.
    #[arg(hide = true)]
    arguments: Vec<String>,
}

impl Compile {
    pub(crate) fn run(self) -> ExitCode {
        waxwing_runtime::compile_child_main()
    }
}
