//! `waxwing config …`: works on the file alone, whether a server runs or not.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::{
    cli::Global,
    config::{Config, annotated, effective},
    output,
};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read the configuration and tell everything that is wrong with it.
    #[command(after_help = "Example:\n  waxwing --config ./waxwing.toml config check")]
    Check,
    /// Print the configuration that holds: the file's values and the defaults of the rest.
    #[command(
        after_help = "Examples:\n  waxwing config show\n  waxwing config show --defaults > waxwing.toml"
    )]
    Show {
        /// Print a file with every key, its meaning and its default instead.
        #[arg(long)]
        defaults: bool,
    },
}

impl ConfigCommand {
    pub(crate) fn run(self, global: &Global) -> Result<ExitCode> {
        if let ConfigCommand::Show { defaults: true } = self {
            output::out(&annotated());
            return Ok(ExitCode::SUCCESS);
        }
        let config = Config::load(global.config.as_deref(), global.data.as_deref())?;
        let name = config
            .file
            .as_ref()
            .map_or("no file, all defaults".to_owned(), |file| {
                file.display().to_string()
            });
        match self {
            ConfigCommand::Check => output::out(&format!("{name}: good\n")),
            ConfigCommand::Show { .. } => {
                let text = match &config.file {
                    Some(file) => std::fs::read_to_string(file).with_context(|| name.clone())?,
                    None => String::new(),
                };
                output::out(&format!("# {name}\n{}", effective(&text)));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
