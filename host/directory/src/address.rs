//! Mailbox addresses as the directory compares them.
//!
//! An [`Address`] is parsed once, at the edge, and is canonical from then on: the domain in A-labels (UTS 46, so
//! `BÜCHER.example` and `xn--bcher-kva.example` are one), the local part in lower case and without needless quotes. RFC
//! 5321 section 2.4 leaves the case of a local part to the receiving host, and this host is it: two users who differ
//! only in case would be a trap for everybody who writes to them. Lengths are those of RFC 5321 section 4.5.3.1.

use std::fmt;

use crate::{Error, Result};

/// RFC 5321 section 4.5.3.1.1, octets.
const MAX_LOCAL: usize = 64;
/// RFC 5321 section 4.5.3.1.2, octets.
const MAX_DOMAIN: usize = 255;

/// A domain name in lower-case A-labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DomainName(String);

impl DomainName {
    /// Reads a name as people write it.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is no host name.
    pub fn parse(text: &str) -> Result<DomainName> {
        let text = text.trim().trim_end_matches('.');
        let invalid = || Error::Invalid(format!("{text:?} is not a domain name"));
        if text.is_empty() || text.len() > 4 * MAX_DOMAIN {
            return Err(invalid());
        }
        let name = idna::domain_to_ascii_strict(text).map_err(|_| invalid())?;
        if name.len() > MAX_DOMAIN {
            return Err(invalid());
        }
        Ok(DomainName(name))
    }

    /// As stored and compared.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `example` of `example.org`: what `EXAMPLE\user` calls it.
    pub fn first_label(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A local part: lower case, unquoted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LocalPart(String);

impl LocalPart {
    /// Reads a dot-string or a quoted string (RFC 5321 section 4.1.2, with the characters of RFC 6531).
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is neither.
    pub fn parse(text: &str) -> Result<LocalPart> {
        let invalid = |why: &str| {
            Error::Invalid(format!(
                "{text:?} is not the local part of an address: {why}"
            ))
        };
        let plain = match text.strip_prefix('"') {
            Some(quoted) => unquote(quoted).ok_or_else(|| invalid("bad quoting"))?,
            None if is_dot_string(text) => text.to_owned(),
            None => return Err(invalid("it holds a character that needs quotes")),
        };
        if plain.is_empty() || plain.len() > MAX_LOCAL {
            return Err(invalid("it must have 1 to 64 octets"));
        }
        let lower = plain.to_lowercase();
        Ok(LocalPart(lower))
    }

    /// What [`LocalPart::as_str`] gave, read back from the database.
    pub(crate) fn from_stored(text: &str) -> LocalPart {
        LocalPart(text.to_owned())
    }

    /// As stored and compared.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `anna` of `anna+news`; none without a delimiter, or when nothing is before it.
    pub fn without_detail(&self, delimiter: char) -> Option<LocalPart> {
        match self.0.split_once(delimiter) {
            Some((base, _)) if !base.is_empty() => Some(LocalPart(base.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.0) {
            return f.write_str(&self.0);
        }
        f.write_str("\"")?;
        for character in self.0.chars() {
            if matches!(character, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{character}")?;
        }
        f.write_str("\"")
    }
}

/// `local@domain`, canonical.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// Before the `@`.
    pub local: LocalPart,
    /// After it.
    pub domain: DomainName,
}

impl Address {
    /// Reads `local@domain`, without angle brackets.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the half that is wrong.
    pub fn parse(text: &str) -> Result<Address> {
        let (local, domain) = split(text)
            .ok_or_else(|| Error::Invalid(format!("{text:?} is not an address: no @")))?;
        Ok(Address {
            local: LocalPart::parse(local)?,
            domain: DomainName::parse(domain)?,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// The halves of an address. A domain holds no `@`, a quoted local part may.
pub(crate) fn split(text: &str) -> Option<(&str, &str)> {
    text.rsplit_once('@')
}

fn is_dot_string(text: &str) -> bool {
    !text.is_empty()
        && text
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

/// RFC 5322 section 3.2.3 atext, and RFC 6531 section 3.3 UTF8-non-ascii without what is invisible or a space.
fn is_atext(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(character)
        || (!character.is_ascii() && !character.is_control() && !character.is_whitespace())
}

/// The content of a quoted string whose opening quote is gone.
fn unquote(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let character = match character {
            '"' => return characters.as_str().is_empty().then_some(plain),
            '\\' => characters.next()?,
            other => other,
        };
        if character.is_control() {
            return None;
        }
        plain.push(character);
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_person_however_the_address_is_spelled() {
        for spelling in [
            "Anna@Example.ORG",
            "\"anna\"@example.org",
            "anna@example.org.",
            "\"an\\na\"@EXAMPLE.org",
        ] {
            assert_eq!(
                Address::parse(spelling).unwrap().to_string(),
                "anna@example.org",
                "{spelling}"
            );
        }
    }

    #[test]
    fn a_domain_in_umlauts_is_its_a_label() {
        assert_eq!(
            DomainName::parse("BÜCHER.example").unwrap().as_str(),
            "xn--bcher-kva.example"
        );
    }

    #[test]
    fn quotes_stay_where_they_are_needed() {
        let address = Address::parse("\"Anna \\\"B\\\" @home\"@example.org").unwrap();
        assert_eq!(address.local.as_str(), "anna \"b\" @home");
        assert_eq!(Address::parse(&address.to_string()).unwrap(), address);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(65));
        for text in [
            "",
            "@",
            "anna",
            "anna@",
            "@example.org",
            "a b@example.org",
            "a..b@example.org",
            ".a@example.org",
            "\"a@example.org",
            "a\"b@example.org",
            "a@exa mple.org",
            "a@[192.0.2.1]",
            "a@-x.org",
            "\"a\nb\"@example.org",
            &long,
        ] {
            assert!(Address::parse(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn the_detail_is_what_follows_the_delimiter() {
        let local = |text| LocalPart::parse(text).unwrap();
        assert_eq!(
            local("anna+news+x").without_detail('+'),
            Some(local("anna"))
        );
        assert_eq!(local("anna").without_detail('+'), None);
        assert_eq!(local("+news").without_detail('+'), None);
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_becomes_canonical(text in "\\PC{0,40}@?[a-z.-]{0,12}") {
            if let Ok(address) = Address::parse(&text) {
                prop_assert_eq!(Address::parse(&address.to_string()).unwrap(), address);
            }
        }
    }
}
