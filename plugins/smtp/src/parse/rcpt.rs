//! `RCPT TO:<forward-path> [parameters]`: RFC 5321 4.1.1.3, NOTIFY and ORCPT (RFC 3461).

use serde::{Deserialize, Serialize};

use super::{Error, parameter, parse_path};

/// RFC 3461 4.1. Nothing set: the default (failure, and delay at the server's discretion).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are the RFC's values")]
pub struct Notify {
    pub never: bool,
    pub success: bool,
    pub failure: bool,
    pub delay: bool,
}

/// A RCPT command.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RcptTo {
    /// `local@domain`, or `postmaster` alone.
    pub recipient: String,
    /// Whether it can only be written with SMTPUTF8.
    pub utf8: bool,
    /// NOTIFY=.
    pub notify: Notify,
    /// `type;xtext` as given.
    pub original: Option<String>,
}

pub(super) fn parse(rest: &[u8]) -> Result<RcptTo, Error> {
    const EXPECTED: Error = Error::Arguments("RCPT TO:<address>");
    let (keyword, after) = rest.split_at_checked(3).ok_or(EXPECTED)?;
    if !keyword.eq_ignore_ascii_case(b"TO:") {
        return Err(EXPECTED);
    }
    let (path, after) = parse_path(after.trim_ascii_start()).map_err(|reason| Error::Address {
        sender: false,
        reason,
    })?;
    if path.address.is_empty() {
        return Err(Error::Address {
            sender: false,
            reason: "a recipient is not empty",
        });
    }
    let mut rcpt = RcptTo {
        recipient: path.address,
        utf8: path.utf8,
        ..RcptTo::default()
    };
    for (key, value) in parameter::parse(after)? {
        match (key.as_str(), value) {
            ("NOTIFY", Some(value)) => rcpt.notify = notify(&value)?,
            ("ORCPT", Some(value)) => rcpt.original = Some(original(value)?),
            ("NOTIFY" | "ORCPT", _) => {
                return Err(Error::Arguments("a value behind NOTIFY and ORCPT"));
            }
            _ => return Err(Error::Parameter(key)),
        }
    }
    Ok(rcpt)
}

fn notify(value: &str) -> Result<Notify, Error> {
    const EXPECTED: Error = Error::Arguments("NOTIFY=NEVER or a list of SUCCESS, FAILURE, DELAY");
    let mut notify = Notify::default();
    for word in value.to_ascii_uppercase().split(',') {
        match word {
            "NEVER" => notify.never = true,
            "SUCCESS" => notify.success = true,
            "FAILURE" => notify.failure = true,
            "DELAY" => notify.delay = true,
            _ => return Err(EXPECTED),
        }
    }
    let others = notify.success || notify.failure || notify.delay;
    if notify.never && others {
        Err(EXPECTED)
    } else {
        Ok(notify)
    }
}

fn original(value: String) -> Result<String, Error> {
    let well_formed = value.len() <= 500
        && value.split_once(';').is_some_and(|(kind, address)| {
            !kind.is_empty()
                && kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && (parameter::is_xtext(address) || !address.is_ascii())
        });
    if well_formed {
        Ok(value)
    } else {
        Err(Error::Arguments("ORCPT=<type>;<xtext>"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_read() {
        let rcpt = parse(b"TO:<a@b.test> NOTIFY=success,DELAY ORCPT=rfc822;a+2Bb@c.test").unwrap();
        assert_eq!(
            rcpt.notify,
            Notify {
                success: true,
                delay: true,
                ..Notify::default()
            }
        );
        assert_eq!(rcpt.original.as_deref(), Some("rfc822;a+2Bb@c.test"));
        assert_eq!(parse(b"TO:<Postmaster>").unwrap().recipient, "Postmaster");
    }

    #[test]
    fn never_stands_alone_and_a_recipient_is_somebody() {
        for bad in [
            &b"TO:<a@b> NOTIFY=NEVER,SUCCESS"[..],
            b"TO:<a@b> NOTIFY=",
            b"TO:<a@b> ORCPT=x",
            b"TO:<>",
            b"TO",
            b"FROM:<a@b>",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
