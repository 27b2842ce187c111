//! `MAIL FROM:<reverse-path> [parameters]`: RFC 5321 4.1.1.2, SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), RET and
//! ENVID (RFC 3461); of submission AUTH (RFC 4954), HOLDFOR and HOLDUNTIL (RFC 4865), REQUIRETLS (RFC 8689).

use serde::{Deserialize, Serialize};

use super::{Error, number, parameter, parse_path};
use crate::date;

/// BODY=. BINARYMIME is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the variants are the RFC's values")]
pub enum BodyType {
    #[default]
    SevenBit,
    EightBitMime,
}

/// A MAIL command.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MailFrom {
    /// Empty for the null reverse-path.
    pub sender: String,
    /// Octets announced; 0 when not.
    pub size: u64,
    /// What the message may hold.
    pub body_type: BodyType,
    /// RFC 6531.
    pub smtp_utf8: bool,
    /// RET=HDRS.
    pub return_headers_only: bool,
    /// xtext as given.
    pub envelope_id: Option<String>,
}

/// When a message may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// HOLDFOR: seconds from now.
    For(u64),
    /// HOLDUNTIL: seconds since 1970.
    Until(u64),
}

/// Parameters of submission. They do not belong to [`MailFrom`], which is part of a frozen format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extras {
    /// The first that was given, by its name: what does not know it refuses it by that.
    pub first: Option<String>,
    /// RFC 4865.
    pub hold: Option<Hold>,
    /// RFC 8689.
    pub require_tls: bool,
}

impl Extras {
    /// Whether the parameter is one of these.
    fn set(&mut self, key: &str, value: Option<&str>) -> Result<bool, Error> {
        const FOR: Error = Error::Arguments("HOLDFOR=<seconds>");
        const UNTIL: Error = Error::Arguments("HOLDUNTIL=<YYYY-MM-DDThh:mm:ssZ>");
        const ONE: Error = Error::Arguments("one of HOLDFOR and HOLDUNTIL");
        let hold = match (key, value) {
            // RFC 4954 section 5: who sent it first, which nobody here acts on.
            ("AUTH", Some(value)) if value == "<>" || parameter::is_xtext(value) => None,
            ("AUTH", _) => return Err(Error::Arguments("AUTH=<mailbox in xtext>")),
            ("HOLDFOR", value) => Some(Hold::For(value.and_then(number).ok_or(FOR)?)),
            ("REQUIRETLS", None) => {
                self.require_tls = true;
                None
            }
            ("REQUIRETLS", Some(_)) => return Err(Error::Arguments("REQUIRETLS without a value")),
            ("HOLDUNTIL", value) => Some(Hold::Until(value.and_then(date::parse).ok_or(UNTIL)?)),
            _ => return Ok(false),
        };
        if hold.is_some() && self.hold.is_some() {
            return Err(ONE);
        }
        self.hold = self.hold.or(hold);
        self.first.get_or_insert_with(|| key.to_owned());
        Ok(true)
    }
}

pub(super) fn parse(rest: &[u8]) -> Result<(MailFrom, Extras), Error> {
    const EXPECTED: Error = Error::Arguments("MAIL FROM:<address>");
    let (keyword, after) = rest.split_at_checked(5).ok_or(EXPECTED)?;
    if !keyword.eq_ignore_ascii_case(b"FROM:") {
        return Err(EXPECTED);
    }
    let (path, after) = parse_path(after.trim_ascii_start()).map_err(|reason| Error::Address {
        sender: true,
        reason,
    })?;
    if !path.address.is_empty() && !path.address.contains('@') {
        return Err(Error::Address {
            sender: true,
            reason: "an address has a domain",
        });
    }
    let mut mail = MailFrom {
        sender: path.address,
        ..MailFrom::default()
    };
    let mut extras = Extras::default();
    for (key, value) in parameter::parse(after)? {
        if !extras.set(&key, value.as_deref())? {
            mail.set(&key, value)?;
        }
    }
    if path.utf8 && !mail.smtp_utf8 {
        Err(Error::NeedsUtf8)
    } else {
        Ok((mail, extras))
    }
}

impl MailFrom {
    fn set(&mut self, key: &str, value: Option<String>) -> Result<(), Error> {
        match (key, value.as_deref()) {
            ("SIZE", Some(value)) => {
                self.size = number(value).ok_or(Error::Arguments("SIZE=<octets>"))?
            }
            ("BODY", Some(value)) => {
                self.body_type = match value.to_ascii_uppercase().as_str() {
                    "7BIT" => BodyType::SevenBit,
                    "8BITMIME" => BodyType::EightBitMime,
                    _ => return Err(Error::Arguments("BODY=7BIT or BODY=8BITMIME")),
                };
            }
            ("SMTPUTF8", None) => self.smtp_utf8 = true,
            ("RET", Some(value)) => {
                self.return_headers_only = match value.to_ascii_uppercase().as_str() {
                    "HDRS" => true,
                    "FULL" => false,
                    _ => return Err(Error::Arguments("RET=FULL or RET=HDRS")),
                };
            }
            ("ENVID", Some(id)) => {
                if id.len() > 100 || !parameter::is_xtext(id) {
                    return Err(Error::Arguments("ENVID=<at most 100 octets of xtext>"));
                }
                self.envelope_id = value;
            }
            ("SIZE" | "BODY" | "RET" | "ENVID" | "SMTPUTF8", _) => {
                return Err(Error::Arguments(
                    "a value behind SIZE, BODY, RET and ENVID and none behind SMTPUTF8",
                ));
            }
            _ => return Err(Error::Parameter(key.to_owned())),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_read() {
        let (mail, extras) =
            parse(b"FROM:<a@b.test> SIZE=12 BODY=8bitmime SMTPUTF8 RET=HDRS ENVID=Q+2B1").unwrap();
        assert_eq!(extras, Extras::default());
        assert_eq!(
            (
                mail.size,
                mail.body_type,
                mail.smtp_utf8,
                mail.return_headers_only
            ),
            (12, BodyType::EightBitMime, true, true)
        );
        assert_eq!(mail.envelope_id.as_deref(), Some("Q+2B1"));
        assert_eq!(parse(b"from: <>").unwrap().0.sender, "");
    }

    #[test]
    fn what_is_not_offered_is_named() {
        assert_eq!(
            parse(b"FROM:<a@b> BY=120;R"),
            Err(Error::Parameter("BY".into()))
        );
        for malformed in ["SIZE", "SMTPUTF8=1", "BODY=BINARYMIME"] {
            assert!(matches!(
                parse(format!("FROM:<a@b> {malformed}").as_bytes()),
                Err(Error::Arguments(_))
            ));
        }
    }

    #[test]
    fn a_message_may_be_held() {
        let hold = |text: &str| parse(text.as_bytes()).map(|(_, extras)| extras.hold);
        assert_eq!(hold("FROM:<> HOLDFOR=60"), Ok(Some(Hold::For(60))));
        assert_eq!(
            hold("FROM:<> HOLDUNTIL=2026-11-23T21:01:01Z AUTH=<>"),
            Ok(Some(Hold::Until(1_795_467_661)))
        );
        let (_, extras) = parse(b"FROM:<> AUTH=a+2Bb@c HOLDFOR=1").unwrap();
        assert_eq!(extras.first.as_deref(), Some("AUTH"));
        for bad in [
            "HOLDFOR",
            "HOLDFOR=-1",
            "HOLDUNTIL=tomorrow",
            "HOLDFOR=1 HOLDUNTIL=2026-11-23T21:01:01Z",
            "AUTH=a b",
            "AUTH",
        ] {
            assert!(hold(&format!("FROM:<> {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn utf8_needs_its_parameter() {
        assert_eq!(parse("FROM:<ä@b.test>".as_bytes()), Err(Error::NeedsUtf8));
        assert!(parse("FROM:<ä@b.test> SMTPUTF8".as_bytes()).is_ok());
    }

    #[test]
    fn a_sender_is_an_address_or_nothing() {
        for bad in [
            &b"FROM"[..],
            b"FROM:",
            b"FROM:a@b",
            b"FROM:<postmaster>",
            b"TO:<a@b>",
            b"FROM:<a@b>x",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
