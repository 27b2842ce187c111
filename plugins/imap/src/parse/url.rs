//! IMAP URLs of messages and their parts (RFC 5092), as CATENATE (RFC 4469) names them:
//! `imap://joe@example.org/INBOX;UIDVALIDITY=3/;UID=20/;SECTION=1.2/;PARTIAL=0.1024`, or without the server, `/INBOX/;UID=20`, or
//! without the mailbox, `;UID=20`, of the selected one. Authorized URLs (RFC 4467) are not read.

use super::{Bad, Mode, Section, SectionPart, cursor::Cursor, limits};

/// A message or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImapUrl {
    /// Of an absolute URL: whose mailbox it is, where that is said, and the host in lower case.
    pub server: Option<(Option<String>, String)>,
    /// In Unicode; none: the selected mailbox.
    pub mailbox: Option<String>,
    /// UIDVALIDITY
    pub uid_validity: Option<u32>,
    /// UID
    pub uid: u32,
    /// SECTION; the whole message without it.
    pub section: Section,
    /// PARTIAL: first octet and number of octets.
    pub partial: Option<(u64, u64)>,
}

/// Octets of a URL.
const LONGEST: usize = 8_192;

/// Removes a prefix, whatever its case.
fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn find(text: &str, word: &str) -> Option<usize> {
    text.to_ascii_uppercase().find(word)
}

/// `%20` and the like; the result must be UTF-8.
fn decoded(text: &str) -> Result<String, Bad> {
    let wrong = || Bad::new("malformed percent-encoding");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2).ok_or_else(wrong)?;
        let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
        rest = behind;
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.chars().any(char::is_control) => {
            Err(Bad::new("a control character in the URL"))
        }
        Ok(text) => Ok(text),
        Err(_) => Err(Bad::new("the URL is not UTF-8")),
    }
}

fn nz_number(text: &str, what: &str) -> Result<u32, Bad> {
    let mut cursor = Cursor::new(text.as_bytes(), Mode::default());
    let number = cursor.nz_number(what)?;
    cursor.end().map(|()| number)
}

impl ImapUrl {
    /// Reads a URL of a message.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(url: &str) -> Result<Self, Bad> {
        if url.len() > LONGEST {
            return Err(Bad::new("the URL is longer than 8192 octets"));
        }
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Bad::new("the URL has characters that must be encoded"));
        }
        let (server, path) = match strip(url, "imap://") {
            Some(rest) => {
                let slash = rest
                    .find('/')
                    .ok_or_else(|| Bad::new("the URL is of no message"))?;
                let (authority, path) = rest.split_at(slash);
                (Some(server(authority)?), path)
            }
            None if url.contains("://") => return Err(Bad::new("the URL is not of IMAP")),
            None => (None, url),
        };
        let at = find(path, ";UID=").ok_or_else(|| Bad::new("the URL is of no message"))?;
        let (folder, message) = path.split_at(at);
        let (mailbox, uid_validity) = folder_of(folder)?;
        let mut parsed = ImapUrl {
            server,
            mailbox,
            uid_validity,
            uid: 0,
            section: Section {
                path: Vec::new(),
                part: SectionPart::Whole,
            },
            partial: None,
        };
        for parameter in message.split(';').skip(1) {
            parsed.parameter(parameter)?;
        }
        match parsed.uid {
            0 => Err(Bad::new("the URL is of no message")),
            _ => Ok(parsed),
        }
    }

    fn parameter(&mut self, parameter: &str) -> Result<(), Bad> {
        let trimmed = parameter.strip_suffix('/').unwrap_or(parameter);
        if let Some(uid) = strip(trimmed, "UID=") {
            self.uid = nz_number(uid, "a UID")?;
        } else if let Some(section) = strip(trimmed, "SECTION=") {
            let section = decoded(section)?;
            let mut cursor = Cursor::new(section.as_bytes(), Mode::default());
            self.section = Section::parse(&mut cursor)?;
            cursor.end()?;
        } else if let Some(range) = strip(trimmed, "PARTIAL=") {
            self.partial = Some(partial(range)?);
        } else {
            return Err(Bad::new("unknown parameter of the URL"));
        }
        Ok(())
    }
}

/// `joe;AUTH=*@example.org:143`
fn server(authority: &str) -> Result<(Option<String>, String), Bad> {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => {
            let name = user.split(';').next().unwrap_or_default();
            (Some(decoded(name)?).filter(|name| !name.is_empty()), host)
        }
        None => (None, authority),
    };
    let host = host.split(':').next().unwrap_or_default();
    match host.is_empty() {
        true => Err(Bad::new("the URL names no server")),
        false => Ok((user, host.to_ascii_lowercase())),
    }
}

/// `/INBOX;UIDVALIDITY=3/`
fn folder_of(text: &str) -> Result<(Option<String>, Option<u32>), Bad> {
    let text = text.strip_prefix('/').unwrap_or(text);
    let text = text.strip_suffix('/').unwrap_or(text);
    let (name, uid_validity) = match find(text, ";UIDVALIDITY=") {
        Some(at) => {
            let (name, validity) = text.split_at(at);
            let number = strip(validity, ";UIDVALIDITY=").unwrap_or_default();
            (name, Some(nz_number(number, "a UIDVALIDITY")?))
        }
        None => (text, None),
    };
    let name = decoded(name)?;
    if name.len() > limits::MAILBOX_NAME {
        return Err(Bad::new("the mailbox name is longer than 1000 octets"));
    }
    Ok((Some(name).filter(|name| !name.is_empty()), uid_validity))
}

/// `0.1024`; without a length, to the end.
fn partial(text: &str) -> Result<(u64, u64), Bad> {
    let mut cursor = Cursor::new(text.as_bytes(), Mode::default());
    let first = cursor.number64("the first octet")?;
    let length = match cursor.eat(b'.') {
        true => cursor.number64("the number of octets")?,
        false => u64::MAX,
    };
    cursor.end()?;
    match length {
        0 => Err(Bad::new("the number of octets must not be 0")),
        length => Ok((first, length)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_relative_url_names_a_part_of_a_message() {
        let url = ImapUrl::parse(
            "/Entw%C3%BCrfe;uidvalidity=385759045/;UID=20/;section=1.MIME/;partial=0.512",
        )
        .unwrap();
        assert_eq!(url.mailbox.as_deref(), Some("Entwürfe"));
        assert_eq!((url.uid_validity, url.uid), (Some(385_759_045), 20));
        assert_eq!(url.section.path, [1]);
        assert_eq!(url.section.part, SectionPart::Mime);
        assert_eq!((url.partial, url.server), (Some((0, 512)), None));
        assert_eq!(ImapUrl::parse(";UID=3").unwrap().mailbox, None);
        assert_eq!(ImapUrl::parse("/;UID=3").unwrap().mailbox, None);
        assert_eq!(
            ImapUrl::parse("a/b/;UID=3").unwrap().mailbox.as_deref(),
            Some("a/b")
        );
    }

    #[test]
    fn an_absolute_url_names_user_and_host() {
        let url =
            ImapUrl::parse("imap://Joe%40x.test;AUTH=*@Example.com:143/INBOX/;uid=20").unwrap();
        assert_eq!(
            url.server,
            Some((Some("Joe@x.test".into()), "example.com".into()))
        );
    }

    #[test]
    fn what_is_no_url_of_a_message_is_refused() {
        for wrong in [
            "",
            "http://x/;UID=1",
            "imap://example.com",
            "imap:///INBOX/;UID=1",
            "/INBOX",
            "/INBOX/;UID=0",
            "/INBOX/;UID=1/;SECTION=",
            "/INBOX/;UID=1/;SECTION=FOO",
            "/INBOX/;UID=1/;PARTIAL=0.0",
            "/INBOX/;UID=1;URLAUTH=anonymous",
            "/INBOX/;UID=1;FOO=2",
            "/IN%GGBOX/;UID=1",
            "/IN%+1BOX/;UID=1",
            "/IN%0ABOX/;UID=1",
            "/a b/;UID=1",
        ] {
            assert!(ImapUrl::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_url_is_too_strange(url in "[ -~]{0,80}", tail in "[;/:=%A-Za-z0-9+.]{0,60}") {
            let _ = ImapUrl::parse(&url);
            let _ = ImapUrl::parse(&format!("/INBOX/;UID=1{tail}"));
        }
    }
}
