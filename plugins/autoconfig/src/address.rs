//! The address that was typed, and whether its domain is ours.

use waxwing_sdk::{
    delivery::{self, AddressClass},
    http::Request,
};

/// RFC 5321 section 4.5.3.1: local part, `@`, domain.
const LONGEST: usize = 64 + 1 + 255;

/// `NAME@DOMAIN`, without what would end a line or a field of somebody's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    text: String,
    at: usize,
}

impl Address {
    /// # Errors
    /// What is wrong, for a person.
    pub(crate) fn parse(typed: &str) -> Result<Address, &'static str> {
        let text = typed.trim();
        let Some(at) = text.rfind('@') else {
            return Err("An address looks like name@example.org.\n");
        };
        let is_plain = |octet: char| !octet.is_control() && !octet.is_whitespace();
        if text.len() > LONGEST || at == 0 || at + 1 == text.len() || !text.chars().all(is_plain) {
            return Err("This is no address: it looks like name@example.org.\n");
        }
        Ok(Address {
            text: text.to_owned(),
            at,
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }
}

/// A parameter of the query; the first, where it stands twice.
pub(crate) fn parameter(request: &Request, name: &str) -> Option<String> {
    let query = request.query.as_deref().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// Thunderbird asks `autoconfig.DOMAIN` and may leave the address out; other servers ask `mta-sts.DOMAIN`.
pub(crate) fn domain_of_host(prefix: &str, authority: &str) -> Option<String> {
    let host = authority.split(':').next().unwrap_or_default();
    let host = host.to_ascii_lowercase();
    host.strip_prefix(prefix)
        .filter(|domain| !domain.is_empty())
        .map(str::to_owned)
}

/// What the directory says of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Ours,
    Foreign,
    /// Nobody can say now.
    Unknown,
}

impl Asked {
    pub(crate) fn status(self) -> u16 {
        match self {
            Asked::Ours => 200,
            Asked::Foreign => 404,
            Asked::Unknown => 503,
        }
    }

    pub(crate) fn why(self) -> &'static str {
        match self {
            Asked::Ours => "",
            Asked::Foreign => "Mail of this domain is not kept here.\n",
            Asked::Unknown => {
                "The directory of users cannot be read at the moment; try again soon.\n"
            }
        }
    }
}

/// Asks for `postmaster`, which every domain has: what comes back tells of the domain and of nobody in it.
pub(crate) fn ask(domain: &str) -> Asked {
    let resolved = delivery::resolve(&[format!("postmaster@{domain}")]);
    match resolved.first().map(|resolution| resolution.class) {
        Some(AddressClass::Local | AddressClass::Unknown) => Asked::Ours,
        Some(AddressClass::Foreign | AddressClass::Malformed) => Asked::Foreign,
        _ => Asked::Unknown,
    }
}
