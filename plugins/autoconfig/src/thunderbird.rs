//! `config-v1.1.xml`, the format of Mozilla's ISPDB that many programs read.
//!
//! Servers of one kind stand in the order in which they are to be tried. `%EMAILADDRESS%` is filled in by the program, so the file is
//! the same for everybody in a domain.

use std::io;

use quick_xml::{Writer, events::BytesText};

use crate::services::{Security, Server, Services};

type Xml = Writer<Vec<u8>>;

/// The file for a domain.
///
/// # Errors
/// None in practice: it is written to memory.
pub(crate) fn config(domain: &str, services: &Services) -> io::Result<Vec<u8>> {
    let mut xml = Writer::new_with_indent(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_vec(),
        b' ',
        2,
    );
    xml.create_element("clientConfig")
        .with_attribute(("version", "1.1"))
        .write_inner_content(|xml| {
            xml.create_element("emailProvider")
                .with_attribute(("id", domain))
                .write_inner_content(|xml| provider(xml, domain, services))?;
            if let Some(port) = services.contacts {
                web(xml, ("addressBook", "carddav"), &services.dav_url(port))?;
            }
            if let Some(port) = services.calendars {
                web(xml, ("calendar", "caldav"), &services.dav_url(port))?;
            }
            Ok(())
        })?;
    Ok(xml.into_inner())
}

fn provider(xml: &mut Xml, domain: &str, services: &Services) -> io::Result<()> {
    for name in ["domain", "displayName", "displayShortName"] {
        text(xml, name, domain)?;
    }
    let incoming = services.imap.iter().map(|server| ("imap", server));
    for (kind, server) in incoming.chain(services.pop3.iter().map(|server| ("pop3", server))) {
        mail_server(xml, ("incomingServer", kind), &services.host, *server)?;
    }
    for server in &services.submission {
        mail_server(xml, ("outgoingServer", "smtp"), &services.host, *server)?;
    }
    Ok(())
}

fn mail_server(
    xml: &mut Xml,
    (element, kind): (&str, &str),
    host: &str,
    server: Server,
) -> io::Result<()> {
    xml.create_element(element)
        .with_attribute(("type", kind))
        .write_inner_content(|xml| {
            text(xml, "hostname", host)?;
            text(xml, "port", &server.port.to_string())?;
            let security = match server.security {
                Security::Implicit => "SSL",
                Security::Starttls => "STARTTLS",
            };
            text(xml, "socketType", security)?;
            // The format knows no SCRAM; inside TLS programs use it where they can.
            text(xml, "authentication", "password-cleartext")?;
            text(xml, "username", "%EMAILADDRESS%")
        })?;
    Ok(())
}

fn web(xml: &mut Xml, (element, kind): (&str, &str), url: &str) -> io::Result<()> {
    xml.create_element(element)
        .with_attribute(("type", kind))
        .write_inner_content(|xml| {
            text(xml, "username", "%EMAILADDRESS%")?;
            text(xml, "authentication", "http-basic")?;
            text(xml, "serverURL", url)
        })?;
    Ok(())
}

fn text(xml: &mut Xml, element: &str, content: &str) -> io::Result<()> {
    xml.create_element(element)
        .write_text_content(BytesText::new(content))?;
    Ok(())
}
