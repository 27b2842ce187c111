//! Log lines: to standard error, as text or JSON, with the level of the configuration. Each line carries the spans it was written
//! in, so the lines of a connection name its session.

mod json;

use std::io::IsTerminal;

use anyhow::{Context, Result};
use tracing_subscriber::{
    EnvFilter, Registry, fmt::format::JsonFields, layer::SubscriberExt, reload,
    util::SubscriberInitExt,
};

use crate::config::{Log, LogFormat};

/// The running log; its level can be changed.
pub(super) struct Logging(reload::Handle<EnvFilter, Registry>);

impl Logging {
    /// Starts it, and has panics logged too: one is a defect, and must not get lost on a closed terminal.
    pub(super) fn start(config: &Log) -> Result<Logging> {
        let (filter, handle) = reload::Layer::new(filter(config)?);
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let registry = tracing_subscriber::registry().with(filter);
        match config.format {
            LogFormat::Text => registry
                .with(lines.with_ansi(std::io::stderr().is_terminal()))
                .try_init(),
            LogFormat::Json => registry
                .with(
                    lines
                        .fmt_fields(JsonFields::new())
                        .event_format(json::FlatJson),
                )
                .try_init(),
        }
        .context("cannot start the log")?;
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            tracing::error!("panicked: {panic}");
            default(panic);
        }));
        Ok(Logging(handle))
    }

    /// Takes over a changed level.
    pub(super) fn set_level(&self, config: &Log) -> Result<()> {
        self.0
            .reload(filter(config)?)
            .context("cannot change the log level")
    }
}

fn filter(config: &Log) -> Result<EnvFilter> {
    EnvFilter::try_new(&config.level).with_context(|| format!("[log] level = \"{}\"", config.level))
}
