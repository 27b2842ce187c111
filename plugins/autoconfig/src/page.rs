//! The page for people: an address in, settings and an Apple profile out. No script, nothing fetched from elsewhere.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use crate::{
    address::Address,
    services::{Security, Server, Services},
};

/// Asks for the address; says why the last one was not good.
pub(crate) fn form(why: Option<&str>) -> String {
    let why = why.map_or_else(String::new, |why| {
        format!("<p role=\"alert\">{}</p>\n", escape(why.trim_end()))
    });
    format!(
        "{HEAD}{why}<form action=\"/setup\"><label>Your address <input type=\"email\" name=\"address\" autocomplete=\"email\" required></label>
<button>Continue</button></form>
{TAIL}"
    )
}

/// What to type where, and the profile.
pub(crate) fn settings(address: &Address, services: &Services) -> String {
    let mut rows = String::new();
    let host = &services.host;
    let mail = [
        ("Mail in (IMAP)", services.imap.first()),
        ("Mail in (POP3)", services.pop3.first()),
        ("Mail out (SMTP)", services.submission.first()),
        ("Filters (ManageSieve)", services.sieve.as_ref()),
    ];
    for (what, server) in mail {
        if let Some(server) = server {
            row(&mut rows, what, &place(host, *server));
        }
    }
    for (what, port) in [
        ("Calendars, tasks (CalDAV)", services.calendars),
        ("Contacts (CardDAV)", services.contacts),
    ] {
        if let Some(port) = port {
            row(&mut rows, what, &services.dav_url(port));
        }
    }
    row(&mut rows, "User name", address.as_str());
    let query: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("address", address.as_str())
        .finish();
    format!(
        "{HEAD}<p><strong>Thunderbird, K-9, Evolution</strong> and others need only your address and your password: they find the rest here.</p>
<p><strong>iPhone, iPad, Mac</strong>: <a href=\"/setup/profile.mobileconfig?{}\">install this profile</a>, which sets up mail, calendars and contacts;
the device asks for your password.</p>
<p><strong>Everything else</strong>:</p>
<table>
{rows}</table>
{TAIL}",
        escape(&query)
    )
}

fn row(rows: &mut String, what: &str, value: &str) {
    let _ = writeln!(
        rows,
        "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
        escape(what),
        escape(value)
    );
}

fn place(host: &str, server: Server) -> String {
    let security = match server.security {
        Security::Implicit => "TLS",
        Security::Starttls => "STARTTLS",
    };
    format!("{host}, port {}, {security}", server.port)
}

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Set up your programs</title>
<style>body{font:1rem sans-serif;margin:3rem;max-width:45rem}th{text-align:left;padding-right:2rem}</style></head>
<body><h1>Set up your programs</h1>
";

const TAIL: &str = "</body></html>\n";
