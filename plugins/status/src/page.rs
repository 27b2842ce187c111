//! The status page: what a request can know about the server that answers it.
//!
//! An instance lives for one request, so there is no count and no uptime here: the host's own metrics have those.

use std::fmt::Write as _;

use serde::Serialize;
use waxwing_sdk::http::{Action, Request, respond};

#[derive(Serialize)]
struct Facts<'a> {
    status: &'static str,
    /// Name and version of this plugin.
    plugin: &'a str,
    authority: &'a str,
    scheme: &'a str,
    tls: Option<Tls<'a>>,
    /// The id of this request in the server's log.
    request: &'a str,
}

#[derive(Serialize)]
struct Tls<'a> {
    protocol: &'a str,
    cipher: &'a str,
}

impl<'a> Facts<'a> {
    fn of(request: &'a Request) -> Facts<'a> {
        Facts {
            status: "ok",
            plugin: &request.version,
            authority: &request.authority,
            scheme: &request.scheme,
            tls: request.tls.as_ref().map(|tls| Tls {
                protocol: &tls.protocol,
                cipher: &tls.cipher,
            }),
            request: &request.id,
        }
    }
}

/// The facts as JSON.
pub(crate) fn json(request: &Request) -> Vec<Action> {
    match serde_json::to_vec(&Facts::of(request)) {
        Ok(json) => respond(200, "application/json", json),
        Err(error) => {
            waxwing_sdk::error!("the status cannot be written: {error}");
            respond(
                500,
                "text/plain; charset=utf-8",
                "The status cannot be written.\n",
            )
        }
    }
}

/// The facts as a page.
pub(crate) fn html(request: &Request) -> Vec<Action> {
    let facts = Facts::of(request);
    let tls = facts.tls.map_or_else(
        || "no".to_owned(),
        |tls| format!("{}, {}", tls.protocol, tls.cipher),
    );
    let rows = [
        ("Status", facts.status),
        ("Answered by", facts.plugin),
        ("Server", facts.authority),
        ("Scheme", facts.scheme),
        ("TLS", &tls),
        ("Request", facts.request),
    ];
    let mut table = String::new();
    for (name, value) in rows {
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\">{name}</th><td>{}</td></tr>",
            escape(value)
        );
    }
    respond(
        200,
        "text/html; charset=utf-8",
        format!("{HEAD}{table}{TAIL}"),
    )
}

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Waxwing</title>
<style>body{font:1rem sans-serif;margin:3rem}th{text-align:left;padding-right:2rem}</style></head>
<body><h1>Waxwing</h1>
<table>
";

const TAIL: &str = "</table></body></html>\n";

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
