//! `waxwing:log/logger`: a plugin's lines in the host's log, within the session's span, so many a second. Lines
//! over the limit are dropped; the next one that passes says how many.

use crate::{
    bindings::waxwing::log::logger::{Host, Level},
    host_side::{HostSide, Line},
    limits::reached,
    plugins::Facts,
    state::State,
};

/// A line is cut here, in octets.
const LONGEST: usize = 8 << 10;

/// Writes one line of a plugin.
pub(crate) fn write(
    host: &HostSide,
    facts: &Facts,
    level: Level,
    message: &str,
    fields: &[(String, String)],
) {
    let dropped = match host.identity.take_line() {
        Line::Drop => return,
        Line::Write { dropped } => dropped,
    };
    let span = host.span();
    let _in_span = span.enter();
    if dropped > 0 {
        let limit = reached("log_lines_per_second", facts.limits.log_lines_per_second);
        tracing::warn!(target: "waxwing::plugin", plugin = %facts.plugin, dropped, "lines dropped: {limit}");
    }
    let mut text = message.replace(['\r', '\n'], " ");
    for (key, value) in fields {
        text.push_str(&format!(" {key}={value:?}"));
    }
    text.truncate(text.floor_char_boundary(LONGEST));
    macro_rules! emit {
        ($level:ident) => {
            tracing::event!(target: "waxwing::plugin", tracing::Level::$level, plugin = %facts.plugin, version = %facts.version, "{text}")
        };
    }
    match level {
        Level::Trace => emit!(TRACE),
        Level::Debug => emit!(DEBUG),
        Level::Info => emit!(INFO),
        Level::Warn => emit!(WARN),
        Level::Error => emit!(ERROR),
    }
}

impl Host for State {
    async fn emit(
        &mut self,
        level: Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        self.count_call("logger.emit")
            .map_err(super::Failure::into_trap)?;
        write(&self.host, &self.facts, level, &message, &fields);
        Ok(())
    }
}
