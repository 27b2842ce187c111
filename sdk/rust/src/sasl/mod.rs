//! SASL (RFC 4422): how a client that speaks IMAP, POP3 or SMTP proves who it is.
//!
//! Owns the exchange: which response is awaited, what the server says next, and how responses become a credential. It does
//! not own the words around it: `AUTH` or `AUTHENTICATE`, `+ ` or `334 `, and how a failure reads, are the protocol's.
//!
//! ```text
//! AUTH mechanism [initial]  ->  Exchange::start   ->  Ask: send the challenge, keep the exchange
//! a line of the client      ->  Exchange::answer  ->  Ask again, or Proved, Refused, Broken: the exchange has ended
//! ```
//!
//! Promises: an [`Exchange`] is plain data of a few octets beyond the name it was told, to be part of a frozen state; no
//! password is ever in it. Every line ends the exchange or asks for one more, and no mechanism asks more than thrice. The
//! length of a line is bounded by whoever reads lines.
//!
//! The directory is a trait and not the imports themselves, so that an exchange can be tested where there is no host.

mod mechanism;
mod response;

pub use mechanism::{Mechanism, offered, passwords_are_safe};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::accounts::{self, Credential, Password, Principal};
use crate::fault::{Fault, FaultClass};

/// RFC 7628 section 3.2.3; XOAUTH2 has the same shape.
const TOKEN_ERROR: &str = r#"{"status":"invalid_token"}"#;

/// Who judges credentials.
pub trait Directory {
    /// Somebody who has proved who they are.
    type Principal;

    /// # Errors
    /// As [`accounts::authenticate`].
    fn check(&mut self, credential: &Credential) -> Result<Self::Principal, Fault>;
}

/// The host's directory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Host;

impl Directory for Host {
    type Principal = Principal;

    fn check(&mut self, credential: &Credential) -> Result<Principal, Fault> {
        accounts::authenticate(credential)
    }
}

/// An exchange that waits for the client's next line. The order of the fields is part of the frozen formats of plugins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    mechanism: Mechanism,
    /// The first answer of LOGIN.
    user: Option<String>,
    /// A token was refused, and only the empty answer to the reason is awaited.
    refused: bool,
}

/// What comes of a line.
#[derive(Debug)]
pub enum Outcome<P = Principal> {
    /// Send the challenge (maybe empty) behind the protocol's word for "go on", and give the exchange the next line.
    Ask {
        /// What waits for that line.
        exchange: Exchange,
        /// In base64.
        challenge: String,
    },
    /// The session is bound to the principal.
    Proved(P),
    /// The directory said no, or could not say.
    Refused(Fault),
    /// What the client sent is no answer.
    Broken(Broken),
}

/// Why a line is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The client sent `*`.
    #[error("Authentication cancelled")]
    Cancelled,
    /// The line is not base64.
    #[error("The response is not base64")]
    NotBase64,
    /// What it encodes is not UTF-8.
    #[error("The response is not UTF-8")]
    NotUtf8,
    /// It is not what the mechanism asks for.
    #[error("The response is malformed")]
    Malformed,
}

impl Exchange {
    /// Begins, with the initial response if the client sent one (RFC 4959: a single `=` is an empty one).
    pub fn start<D: Directory>(
        mechanism: Mechanism,
        initial: Option<&[u8]>,
        directory: &mut D,
    ) -> Outcome<D::Principal> {
        let exchange = Exchange {
            mechanism,
            user: None,
            refused: false,
        };
        match initial {
            Some(b"=") => exchange.take(b"", directory),
            Some(encoded) => exchange.decode(encoded, directory),
            None if mechanism == Mechanism::Login => exchange.ask("Username:"),
            None => exchange.ask(""),
        }
    }

    /// Goes on with a line of the client, without its end.
    pub fn answer<D: Directory>(self, line: &[u8], directory: &mut D) -> Outcome<D::Principal> {
        match line {
            b"*" => Outcome::Broken(Broken::Cancelled),
            encoded => self.decode(encoded, directory),
        }
    }

    fn ask<P>(self, challenge: &str) -> Outcome<P> {
        Outcome::Ask {
            exchange: self,
            challenge: STANDARD.encode(challenge),
        }
    }

    fn decode<D: Directory>(self, encoded: &[u8], directory: &mut D) -> Outcome<D::Principal> {
        match STANDARD.decode(encoded) {
            Ok(response) => self.take(&response, directory),
            Err(_) => Outcome::Broken(Broken::NotBase64),
        }
    }

    fn take<D: Directory>(mut self, response: &[u8], directory: &mut D) -> Outcome<D::Principal> {
        if self.refused {
            return Outcome::Refused(Fault::new(FaultClass::Denied, "the token was refused"));
        }
        let Ok(text) = std::str::from_utf8(response) else {
            return Outcome::Broken(Broken::NotUtf8);
        };
        let credential = match (self.mechanism, self.user.take()) {
            (Mechanism::Login, None) => {
                self.user = Some(text.to_owned());
                return self.ask("Password:");
            }
            (Mechanism::Login, Some(user)) => Some(Credential::Password(Password {
                user,
                password: text.to_owned(),
                act_as: None,
            })),
            (Mechanism::Plain, _) => response::plain(text),
            (Mechanism::XOAuth2, _) => response::xoauth2(text),
            (Mechanism::OAuthBearer, _) => response::oauthbearer(text),
            (Mechanism::External, _) => Some(Credential::External(
                (!text.is_empty()).then(|| text.to_owned()),
            )),
        };
        match credential {
            None => Outcome::Broken(Broken::Malformed),
            Some(credential) => self.judge(&credential, directory),
        }
    }

    /// A client whose token is refused is told why before the exchange fails; one that the directory cannot judge just now
    /// need not look for another token.
    fn judge<D: Directory>(
        mut self,
        credential: &Credential,
        directory: &mut D,
    ) -> Outcome<D::Principal> {
        match directory.check(credential) {
            Ok(principal) => Outcome::Proved(principal),
            Err(fault)
                if matches!(self.mechanism, Mechanism::XOAuth2 | Mechanism::OAuthBearer)
                    && is_no(fault.class) =>
            {
                self.refused = true;
                self.ask(TOKEN_ERROR)
            }
            Err(fault) => Outcome::Refused(fault),
        }
    }
}

/// Whether a fault says that the credential is wrong, and not that something else is.
#[must_use]
pub fn is_no(class: FaultClass) -> bool {
    matches!(
        class,
        FaultClass::Denied | FaultClass::Invalid | FaultClass::NotFound
    )
}

/// Exchanges that between them have every field filled and every mechanism taken, for the frozen formats of plugins.
#[cfg(any(test, feature = "testing"))]
#[must_use]
pub fn samples() -> Vec<(&'static str, Exchange)> {
    let sample = |mechanism| Exchange {
        mechanism,
        user: Some("ada".into()),
        refused: true,
    };
    vec![
        ("plain", sample(Mechanism::Plain)),
        ("login", sample(Mechanism::Login)),
        ("xoauth2", sample(Mechanism::XOAuth2)),
        ("oauthbearer", sample(Mechanism::OAuthBearer)),
        ("external", sample(Mechanism::External)),
    ]
}

#[cfg(test)]
mod tests;
