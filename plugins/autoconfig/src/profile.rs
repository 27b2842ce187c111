//! A configuration profile for iOS and macOS: mail, calendars and contacts of one person, without the password, which the device asks for.
//!
//! The identifiers are made of the address, so a profile that is fetched again takes the place of the first. It is not signed: a
//! device says so when it is installed.

use plist::{Dictionary, Value};
use uuid::Uuid;

use crate::{address::Address, services::Services};

/// The profile as XML.
///
/// # Errors
/// When it cannot be written, which memory always can.
pub(crate) fn profile(address: &Address, services: &Services) -> Result<Vec<u8>, plist::Error> {
    let mut parts = Vec::new();
    parts.extend(mail(address, services));
    parts.extend(
        services
            .calendars
            .map(|port| web(address, services, ("CalDAV", port))),
    );
    parts.extend(
        services
            .contacts
            .map(|port| web(address, services, ("CardDAV", port))),
    );
    let mut whole = part(address, "Configuration", "profile");
    set(&mut whole, "PayloadDisplayName", address.as_str());
    set(&mut whole, "PayloadOrganization", address.domain());
    set(
        &mut whole,
        "PayloadDescription",
        "Mail, calendars and contacts",
    );
    set(&mut whole, "PayloadRemovalDisallowed", false);
    set(&mut whole, "PayloadContent", parts);
    let mut xml = Vec::new();
    Value::Dictionary(whole).to_writer_xml(&mut xml)?;
    Ok(xml)
}

fn set(dictionary: &mut Dictionary, key: &str, value: impl Into<Value>) {
    dictionary.insert(key.to_owned(), value.into());
}

/// What every payload has.
fn part(address: &Address, kind: &str, name: &str) -> Dictionary {
    let domain: Vec<&str> = address.domain().rsplit('.').collect();
    let identifier = format!("{}.waxwing.{name}.{}", domain.join("."), address.as_str());
    let uuid = Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("{name}:{}", address.as_str()).as_bytes(),
    );
    let mut part = Dictionary::new();
    set(&mut part, "PayloadType", kind);
    set(&mut part, "PayloadVersion", 1);
    set(&mut part, "PayloadIdentifier", identifier);
    set(&mut part, "PayloadUUID", uuid.to_string().to_uppercase());
    part
}

/// A profile has one account for incoming and outgoing mail; without both there is none.
fn mail(address: &Address, services: &Services) -> Option<Value> {
    let (kind, incoming) = match (services.imap.first(), services.pop3.first()) {
        (Some(server), _) => ("EmailTypeIMAP", server),
        (None, Some(server)) => ("EmailTypePOP", server),
        (None, None) => return None,
    };
    let outgoing = services.submission.first()?;
    let mut mail = part(address, "com.apple.mail.managed", "mail");
    set(&mut mail, "PayloadDisplayName", "Mail");
    set(&mut mail, "EmailAccountType", kind);
    set(&mut mail, "EmailAddress", address.as_str());
    set(&mut mail, "EmailAccountDescription", address.as_str());
    for (prefix, server) in [
        ("IncomingMailServer", incoming),
        ("OutgoingMailServer", outgoing),
    ] {
        let key = |name: &str| format!("{prefix}{name}");
        set(&mut mail, &key("Authentication"), "EmailAuthPassword");
        set(&mut mail, &key("HostName"), services.host.as_str());
        set(&mut mail, &key("PortNumber"), server.port);
        // Also where TLS begins with STARTTLS: the device finds out which.
        set(&mut mail, &key("UseSSL"), true);
        set(&mut mail, &key("Username"), address.as_str());
    }
    set(&mut mail, "OutgoingPasswordSameAsIncomingPassword", true);
    Some(Value::Dictionary(mail))
}

/// `CalDAV` or `CardDAV`: the keys differ in that word alone.
fn web(address: &Address, services: &Services, (protocol, port): (&str, u16)) -> Value {
    let name = protocol.to_lowercase();
    let mut web = part(address, &format!("com.apple.{name}.account"), &name);
    let display = match protocol {
        "CalDAV" => "Calendars",
        _ => "Contacts",
    };
    set(&mut web, "PayloadDisplayName", display);
    let key = |name: &str| format!("{protocol}{name}");
    set(&mut web, &key("AccountDescription"), address.as_str());
    set(&mut web, &key("HostName"), services.host.as_str());
    set(&mut web, &key("Port"), port);
    set(&mut web, &key("UseSSL"), true);
    set(&mut web, &key("Username"), address.as_str());
    Value::Dictionary(web)
}
