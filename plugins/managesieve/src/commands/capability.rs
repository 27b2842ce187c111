//! CAPABILITY (RFC 5804 section 1.7), which also greets.

use waxwing_formats_sieve::{capabilities, limits};
use waxwing_sdk::sasl;

use crate::reply::{ok, string};
use crate::session::ManageSieve;

/// One capability a line, and the `OK` behind them.
pub(crate) fn told(session: &ManageSieve, text: &str) -> String {
    let state = &session.state;
    let mechanisms: Vec<&str> = match state.owner {
        // Nobody logs in twice.
        Some(_) => Vec::new(),
        None => sasl::offered(&session.context)
            .map(|mechanism| mechanism.name())
            .collect(),
    };
    let mut out = String::new();
    let mut line = |name: &str, value: Option<&str>| {
        let value = value
            .map(|value| format!(" {}", string(value)))
            .unwrap_or_default();
        out.push_str(&format!("\"{name}\"{value}\r\n"));
    };
    line("IMPLEMENTATION", Some("Waxwing"));
    line("VERSION", Some("1.0"));
    line("SASL", Some(&mechanisms.join(" ")));
    line("SIEVE", Some(&capabilities().collect::<Vec<_>>().join(" ")));
    line("MAXREDIRECTS", Some(&limits::MAX_REDIRECTS.to_string()));
    if session.context.tls_available && session.context.tls.is_none() && state.owner.is_none() {
        line("STARTTLS", None);
    }
    if let Some((_, owner)) = &state.owner {
        line("OWNER", Some(owner));
    }
    line("UNAUTHENTICATE", None);
    out.push_str(&ok(text));
    out
}
