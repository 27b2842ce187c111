//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677): a log-in in which the password is not sent.
//!
//! **Owns** the server's side of an exchange. **Promises** that neither password nor key leaves this crate; that a name nobody has
//! is answered like one that somebody has, always with the same salt; that a proof is held against the password and all app
//! passwords of a user, since a client does not say which it has; that failures are counted and delayed as everywhere.
//! An exchange is a value between two messages: nothing here is kept for a client that does not come back.
//!
//! A verifier needs the password itself, so it is made when a password is set or has been verified in another way; until then
//! the account answers as if it did not exist. `scram_iterations` is what guessing costs for whoever steals the directory's
//! file, beside argon2's: a server that fears that more than passwords on the wire sets it to 0, and no verifier is made or used.

mod learn;
mod messages;
mod verifier;

use std::{net::IpAddr, num::NonZeroU32};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

pub(crate) use self::{
    learn::{Made, Secret},
    verifier::{Terms, Verifier},
};
use self::{
    messages::{Binding, ClientFinal, ClientFirst},
    verifier::{SALT, mac},
};
use crate::{Directory, Error, Result, User, authenticate::Account};

/// RFC 7677 section 4.
const LEAST_ITERATIONS: u32 = 4_096;
/// The only type of channel binding (RFC 9266).
const EXPORTER: &str = "tls-exporter";
/// Octets of the server's part of the nonce.
const NONCE: usize = 18;

/// What connects an exchange to its stream.
#[derive(Debug, Clone, Default)]
pub struct Channel {
    /// RFC 9266 tls-exporter; empty where there is none.
    pub exporter: Vec<u8>,
    /// The client has chosen the mechanism with `-PLUS`.
    pub plus: bool,
}

/// An exchange between the client's two messages. It holds no secret.
#[derive(Debug, Clone)]
pub struct ScramExchange {
    user: String,
    act_as: Option<String>,
    terms: Terms,
    nonce: String,
    /// What the client must say again: the header, and what it is bound to.
    bound: Vec<u8>,
    /// `client-first-message-bare "," server-first-message`
    so_far: String,
}

impl Directory {
    /// Whether there is SCRAM here.
    #[must_use]
    pub fn has_scram(&self) -> bool {
        self.0.scram_iterations.is_some()
    }

    /// Answers the client's first message.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no message, [`Error::Refused`] for a channel binding that cannot be, [`Error::Database`].
    pub async fn scram_first(
        &self,
        message: &str,
        channel: &Channel,
    ) -> Result<(ScramExchange, String)> {
        let first = messages::client_first(message)?;
        let mut bound = first.header.as_bytes().to_vec();
        bound.extend_from_slice(demanded(&first, channel)?);
        let terms = self.terms(&first.user).await?;
        let ours = STANDARD.encode(rand::random::<[u8; NONCE]>());
        let nonce = format!("{}{ours}", first.nonce);
        let salt = STANDARD.encode(terms.salt);
        let answer = format!("r={nonce},s={salt},i={}", terms.iterations);
        let exchange = ScramExchange {
            so_far: format!("{},{answer}", first.bare),
            user: first.user,
            act_as: first.act_as,
            terms,
            nonce,
            bound,
        };
        Ok((exchange, answer))
    }

    /// Checks the client's final message; answers the server's. Counts and delays failures like
    /// [`Directory::authenticate`].
    ///
    /// # Errors
    /// As [`Directory::authenticate`], and [`Error::Invalid`] for what is no message.
    pub async fn scram_final(
        &self,
        peer: IpAddr,
        exchange: &ScramExchange,
        message: &str,
    ) -> Result<(User, String)> {
        let outcome = self.prove(peer, exchange, message).await;
        self.0.logins.count(&outcome);
        outcome
    }

    async fn prove(
        &self,
        peer: IpAddr,
        exchange: &ScramExchange,
        message: &str,
    ) -> Result<(User, String)> {
        let last = messages::client_final(message)?;
        let account = self.account(&exchange.user).await?;
        let name = account.as_ref().map_or(exchange.user.as_str(), |account| {
            account.user.address.as_str()
        });
        let guess = self.admit(peer, name)?;
        let signature = account
            .as_deref()
            .and_then(|account| exchange.signature(account, &last));
        let (account, signature) = match (&account, signature) {
            (Some(account), Some(signature)) if account.user.enabled => (account, signature),
            (_, signature) => {
                let disabled = signature.is_some();
                return Err(self.deny(guess, &exchange.user, disabled, None).await);
            }
        };
        self.count_success(guess);
        tracing::debug!(%peer, user = account.user.address, "logged in with SCRAM");
        let user = self
            .act_as(account.user.clone(), exchange.act_as.as_deref())
            .await?;
        Ok((user, format!("v={}", STANDARD.encode(signature))))
    }

    /// What a name's proofs are made with. For a name that has none, what it would be: always the same, or asking twice would
    /// tell.
    async fn terms(&self, typed: &str) -> Result<Terms> {
        let iterations = self.0.scram_iterations.ok_or_else(|| {
            Error::Refused("this server offers no SCRAM; log in with a password".into())
        })?;
        let known = self.account(typed).await?;
        let known = known.and_then(|account| account.provable());
        if let Some(terms) = known {
            return Ok(terms);
        }
        let spelled = self.candidates(typed).await?.into_iter().next();
        let spelled = spelled.map_or_else(|| typed.to_owned(), |address| address.to_string());
        let digest = mac(&self.0.decoys, spelled.as_bytes());
        let mut salt = [0; SALT];
        salt.iter_mut()
            .zip(digest)
            .for_each(|(to, from)| *to = from);
        Ok(Terms { salt, iterations })
    }

    /// The verifier of a secret of this user, and the terms it was made with; none where there is no SCRAM.
    pub(crate) async fn verifiers(
        &self,
        terms: Option<Terms>,
        secrets: Vec<SecretString>,
    ) -> Result<Option<(Terms, Vec<u8>)>> {
        let Some(iterations) = self.0.scram_iterations else {
            return Ok(None);
        };
        let terms = terms.unwrap_or_else(|| Terms::random(iterations));
        let turn = self.0.hasher.turn().await?;
        let made = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let made = secrets
                .iter()
                .map(|secret| Verifier::of(secret.expose_secret(), &terms).to_octets());
            made.collect::<Vec<_>>().concat()
        });
        let made = made
            .await
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Some((terms, made)))
    }
}

/// What the client's final message must be bound to, beside its header.
fn demanded<'c>(first: &ClientFirst<'_>, channel: &'c Channel) -> Result<&'c [u8]> {
    let refused = |why: &str| Err(Error::Refused(why.to_owned()));
    match (first.binding, channel.plus) {
        (Binding::Used(EXPORTER), true) if !channel.exporter.is_empty() => Ok(&channel.exporter),
        (Binding::Used(_), true) => refused("SCRAM: the channel cannot be bound in this way"),
        (_, true) => refused("SCRAM: the mechanism binds the channel, and the client does not"),
        (Binding::Used(_), false) => refused("SCRAM: the mechanism does not bind the channel"),
        // Section 6: somebody between us has taken `-PLUS` out of the list.
        (Binding::NotOffered, false) if !channel.exporter.is_empty() => {
            refused("SCRAM: the client was not told that the channel can be bound")
        }
        (Binding::NotOffered | Binding::Unsupported, false) => Ok(&[]),
    }
}

impl ScramExchange {
    /// The server's signature, if the message proves one of the account's secrets.
    fn signature(&self, account: &Account, last: &ClientFinal<'_>) -> Option<[u8; 32]> {
        let follows = last.nonce == self.nonce && last.bound == self.bound;
        if !follows || account.provable() != Some(self.terms) {
            return None;
        }
        let auth_message = format!("{},{}", self.so_far, last.without_proof);
        account
            .verifiers()
            .find_map(|verifier| verifier.accept(&last.proof, auth_message.as_bytes()))
    }
}

/// The number that an operator has set; 0 for none.
pub(crate) fn iterations(set: u32) -> Result<Option<NonZeroU32>> {
    if (1..LEAST_ITERATIONS).contains(&set) {
        return Err(Error::Invalid(format!(
            "scram_iterations = {set}: at least {LEAST_ITERATIONS}, or 0 for no SCRAM"
        )));
    }
    Ok(NonZeroU32::new(set))
}

#[cfg(test)]
mod tests;
