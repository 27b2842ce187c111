//! The messages of RFC 5802 section 7, read. Free of secrets and of I/O.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::verifier::{KEY, Key};
use crate::{Error, Result};

/// Octets of a message; names and nonces are short.
const MAX_MESSAGE: usize = 4_096;

/// What a client says of channel binding (section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binding<'a> {
    /// It cannot.
    Unsupported,
    /// It can, and believes that the server cannot.
    NotOffered,
    /// It does, of this type.
    Used(&'a str),
}

/// `gs2-header client-first-message-bare`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientFirst<'a> {
    pub(super) binding: Binding<'a>,
    pub(super) act_as: Option<String>,
    pub(super) user: String,
    pub(super) nonce: &'a str,
    /// As it stands in the message, with both commas.
    pub(super) header: &'a str,
    pub(super) bare: &'a str,
}

/// `channel-binding "," nonce ["," extensions] "," proof`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientFinal<'a> {
    /// The header again, and what it was bound to.
    pub(super) bound: Vec<u8>,
    pub(super) nonce: &'a str,
    pub(super) proof: Key,
    pub(super) without_proof: &'a str,
}

fn malformed() -> Error {
    Error::Invalid("the SCRAM message is malformed".into())
}

pub(super) fn client_first(message: &str) -> Result<ClientFirst<'_>> {
    read_first(message)
        .filter(|_| message.len() <= MAX_MESSAGE)
        .ok_or_else(malformed)
}

fn read_first(message: &str) -> Option<ClientFirst<'_>> {
    let (flag, rest) = message.split_once(',')?;
    let binding = match flag {
        "n" => Binding::Unsupported,
        "y" => Binding::NotOffered,
        used => Binding::Used(used.strip_prefix("p=").filter(|name| !name.is_empty())?),
    };
    let (act_as, bare) = rest.split_once(',')?;
    let act_as = match act_as {
        // Some clients write the name that they have none of.
        "" | "a=" => None,
        named => Some(name(named.strip_prefix("a=")?)?),
    };
    // `m=` would come first: an extension that must be understood, and none is.
    let (user, rest) = bare.strip_prefix("n=")?.split_once(',')?;
    let nonce = rest.strip_prefix("r=")?.split(',').next()?;
    let header = message.get(..message.len() - bare.len())?;
    Some(ClientFirst {
        binding,
        act_as,
        user: name(user)?,
        nonce: Some(nonce).filter(|nonce| is_nonce(nonce))?,
        header,
        bare,
    })
}

pub(super) fn client_final(message: &str) -> Result<ClientFinal<'_>> {
    read_final(message)
        .filter(|_| message.len() <= MAX_MESSAGE)
        .ok_or_else(malformed)
}

fn read_final(message: &str) -> Option<ClientFinal<'_>> {
    let (without_proof, proof) = message.rsplit_once(",p=")?;
    let mut attributes = without_proof.split(',');
    let bound = STANDARD
        .decode(attributes.next()?.strip_prefix("c=")?)
        .ok()?;
    let nonce = attributes.next()?.strip_prefix("r=")?;
    let proof: [u8; KEY] = STANDARD.decode(proof).ok()?.try_into().ok()?;
    Some(ClientFinal {
        bound,
        nonce,
        proof,
        without_proof,
    })
}

/// `saslname`: a comma and an equals sign are written as `=2C` and `=3D`, and no other equals sign stands in it.
fn name(text: &str) -> Option<String> {
    let mut pieces = text.split('=');
    let mut name = pieces.next()?.to_owned();
    for piece in pieces {
        let (octet, rest) = match piece.split_at_checked(2)? {
            ("2C", rest) => (',', rest),
            ("3D", rest) => ('=', rest),
            _ => return None,
        };
        name.push(octet);
        name.push_str(rest);
    }
    (!name.is_empty()).then_some(name)
}

fn is_nonce(nonce: &str) -> bool {
    !nonce.is_empty() && nonce.bytes().all(|octet| octet.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_messages_of_rfc_7677_are_read() {
        let first = client_first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
        assert_eq!(
            (first.user.as_str(), first.nonce, first.header, first.bare),
            (
                "user",
                "rOprNGfwEbeRWgbNEkqO",
                "n,,",
                "n=user,r=rOprNGfwEbeRWgbNEkqO"
            )
        );
        let last = client_final(
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        )
        .unwrap();
        assert_eq!(last.bound, b"n,,");
        assert_eq!(
            last.without_proof,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        );
    }

    #[test]
    fn a_header_says_what_is_bound_and_for_whom() {
        let first = client_first("p=tls-exporter,a=b=2Cc=3Dd,n=ada,r=x,ext=1").unwrap();
        assert_eq!(first.binding, Binding::Used("tls-exporter"));
        assert_eq!(first.act_as.as_deref(), Some("b,c=d"));
        assert_eq!(first.header, "p=tls-exporter,a=b=2Cc=3Dd,");
        assert_eq!(first.nonce, "x");
        assert_eq!(client_first("n,a=,n=a,r=x").unwrap().act_as, None);
        assert_eq!(
            client_first("y,,n=a,r=x").unwrap().binding,
            Binding::NotOffered
        );
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for message in [
            "",
            "n,,",
            "n,,n=a",
            "x,,n=a,r=b",
            "p=,,n=a,r=b",
            "n,a,n=a,r=b",
            "n,,m=1,n=a,r=b",
            "n,,n=,r=b",
            "n,,n=a=2d,r=b",
            "n,,n=a,r=",
            "n,,n=a,r=é",
        ] {
            assert!(client_first(message).is_err(), "{message}");
        }
        for message in [
            "",
            "c=biws",
            "c=biws,r=x",
            "c=!,r=x,p=AAAA",
            "c=biws,r=x,p=AAAA",
            "r=x,c=biws,p=AAAA",
        ] {
            assert!(client_final(message).is_err(), "{message}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_message_or_is_not(text in "([npyrcma=,]|2C|é|[A-Z+/]){0,60}") {
            if let Ok(first) = client_first(&text) {
                prop_assert_eq!(format!("{}{}", first.header, first.bare), text.clone());
            }
            let _ = client_final(&text);
        }
    }
}
