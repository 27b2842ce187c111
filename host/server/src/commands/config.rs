//! `waxwing config …`: works on the file alone, whether a server runs or not.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, Result, bail};
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
        if let ConfigCommand::Check = self {
            return check(global);
        }
        let config = Config::load(global.config.as_deref(), global.data.as_deref())?;
        let name = named(config.file.as_deref());
        let text = match &config.file {
            Some(file) => std::fs::read_to_string(file).with_context(|| name.clone())?,
            None => String::new(),
        };
        output::out(&format!("# {name}\n{}", effective(&text)));
        Ok(ExitCode::SUCCESS)
    }
}

/// Tells all that is wrong: in JSON as an object on standard output, else line by line on standard error.
fn check(global: &Global) -> Result<ExitCode> {
    let (file, problems) = match Config::load(global.config.as_deref(), global.data.as_deref()) {
        Ok(config) => (config.file.clone(), config.check()),
        Err(error) => (global.config.clone(), error.lines()),
    };
    if global.json {
        let answer = serde_json::json!({ "file": file, "problems": problems });
        output::out(&output::pretty(&answer)?);
    } else if problems.is_empty() {
        output::out(&format!("{}: good\n", named(file.as_deref())));
    } else {
        bail!(problems.join("\n"));
    }
    Ok(match problems.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn named(file: Option<&Path>) -> String {
    file.map_or("no file, all defaults".to_owned(), |file| {
        file.display().to_string()
    })
}
