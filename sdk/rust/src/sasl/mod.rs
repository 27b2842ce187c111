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
//! length of a line is bounded by whoever reads lines. The messages of SCRAM are the directory's to read: they pass through.
//!
//! The directory is a trait and not the imports themselves, so that an exchange can be tested where there is no host.

mod mechanism;
mod response;

pub use mechanism::{Mechanism, offered, passwords_are_safe};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::accounts::{self, Credential, Password, Principal, scram};
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

    /// Answers the first message of SCRAM.
    ///
    /// # Errors
    /// As [`scram::begin`].
    fn begin_scram(&mut self, mechanism: &str, message: &str) -> Result<String, Fault>;

    /// Checks the final message of SCRAM, and says what the client must see of it.
    ///
    /// # Errors
    /// As [`accounts::authenticate`].
    fn finish_scram(&mut self, message: &str) -> Result<String, Fault>;

    /// Who has proved who they are with SCRAM.
    fn proved(&mut self) -> Option<Self::Principal>;

    /// The client has given up after that.
    fn forget(&mut self);
}

/// The host's directory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Host;

impl Directory for Host {
    type Principal = Principal;

    fn check(&mut self, credential: &Credential) -> Result<Principal, Fault> {
        accounts::authenticate(credential)
    }

    fn begin_scram(&mut self, mechanism: &str, message: &str) -> Result<String, Fault> {
        scram::begin(mechanism, message)
    }

    fn finish_scram(&mut self, message: &str) -> Result<String, Fault> {
        scram::finish(message).map(|proved| proved.message)
    }

    fn proved(&mut self) -> Option<Principal> {
        accounts::current()
    }

    fn forget(&mut self) {
        accounts::forget();
    }
}

/// An exchange that waits for the client's next line. The order of the fields is part of the frozen formats of plugins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    mechanism: Mechanism,
    /// The first answer of LOGIN.
    user: Option<String>,
    step: Step,
}

/// Which response is awaited. The order is part of the frozen formats of plugins: new ones come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Step {
    /// One with something in it.
    Asked,
    /// A token was refused, and only the empty answer to the reason is awaited.
    Refused,
    /// The final message of SCRAM.
    Final,
    /// SCRAM has proved both sides, and only the empty answer to the server's final message is awaited.
    Proved,
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
            step: Step::Asked,
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
        let was_proved = self.step == Step::Proved;
        let outcome = match line {
            b"*" => Outcome::Broken(Broken::Cancelled),
            encoded => self.decode(encoded, directory),
        };
        if was_proved && !matches!(outcome, Outcome::Proved(_)) {
            directory.forget();
        }
        outcome
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
        if self.step == Step::Refused {
            return Outcome::Refused(Fault::new(FaultClass::Denied, "the token was refused"));
        }
        let Ok(text) = std::str::from_utf8(response) else {
            return Outcome::Broken(Broken::NotUtf8);
        };
        if matches!(
            self.mechanism,
            Mechanism::ScramSha256 | Mechanism::ScramSha256Plus
        ) {
            return self.relay(text, directory);
        }
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
            (Mechanism::ScramSha256 | Mechanism::ScramSha256Plus, _) => None,
        };
        match credential {
            None => Outcome::Broken(Broken::Malformed),
            Some(credential) => self.judge(&credential, directory),
        }
    }

    /// RFC 5802 section 5: two messages of each side, and an empty one for protocols that have no place for data behind a
    /// success.
    fn relay<D: Directory>(mut self, text: &str, directory: &mut D) -> Outcome<D::Principal> {
        let (answer, next) = match self.step {
            Step::Asked => (
                directory.begin_scram(self.mechanism.name(), text),
                Step::Final,
            ),
            Step::Final => (directory.finish_scram(text), Step::Proved),
            Step::Proved | Step::Refused => {
                return match directory.proved().filter(|_| text.is_empty()) {
                    Some(principal) => Outcome::Proved(principal),
                    None => Outcome::Broken(Broken::Malformed),
                };
            }
        };
        match answer {
            Ok(message) => {
                self.step = next;
                self.ask(&message)
            }
            Err(fault) => Outcome::Refused(fault),
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
                self.step = Step::Refused;
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
        step: Step::Refused,
    };
    let scram = |mechanism, step| Exchange {
        mechanism,
        user: None,
        step,
    };
    vec![
        ("plain", sample(Mechanism::Plain)),
        ("login", sample(Mechanism::Login)),
        ("xoauth2", sample(Mechanism::XOAuth2)),
        ("oauthbearer", sample(Mechanism::OAuthBearer)),
        ("external", sample(Mechanism::External)),
        ("scram", scram(Mechanism::ScramSha256, Step::Asked)),
        (
            "scram-final",
            scram(Mechanism::ScramSha256Plus, Step::Final),
        ),
        ("scram-proved", scram(Mechanism::ScramSha256, Step::Proved)),
    ]
}

#[cfg(test)]
mod tests;
