//! The mechanisms: their registered names, and which of them a connection may use.

use serde::{Deserialize, Serialize};

use crate::accounts::scram;
use crate::config;
use crate::stream::Context;

/// A way to prove who one is. The order is part of the frozen formats of plugins: new ones come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// Never standardised, and what Outlook speaks.
    Login,
    /// What Google and Microsoft had before RFC 7628.
    XOAuth2,
    /// RFC 7628.
    OAuthBearer,
    /// RFC 4422 appendix A.
    External,
    /// RFC 7677.
    ScramSha256,
    /// The same, bound to the stream's TLS (RFC 9266).
    ScramSha256Plus,
}

/// The strongest first: some clients take the first they know.
const ALL: [Mechanism; 7] = [
    Mechanism::ScramSha256Plus,
    Mechanism::ScramSha256,
    Mechanism::Plain,
    Mechanism::Login,
    Mechanism::XOAuth2,
    Mechanism::OAuthBearer,
    Mechanism::External,
];

impl Mechanism {
    /// As registered.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
            Mechanism::XOAuth2 => "XOAUTH2",
            Mechanism::OAuthBearer => "OAUTHBEARER",
            Mechanism::External => "EXTERNAL",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
        }
    }

    /// The mechanism of a name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Mechanism> {
        ALL.into_iter()
            .find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }
}

/// Whether a password may be sent over this connection.
#[must_use]
pub fn passwords_are_safe(context: &Context) -> bool {
    context.tls.is_some() || context.plaintext_login
}

/// What this connection offers. Tokens and certificates are offered where the operator says that the directory checks them
/// (settings `offer_bearer_tokens` and `offer_client_certificates` of the plugin), SCRAM where the directory has it.
pub fn offered(context: &Context) -> impl Iterator<Item = Mechanism> + use<> {
    let safe = passwords_are_safe(context);
    let tokens = safe && config::get_or("offer_bearer_tokens", false);
    let certificate = context
        .tls
        .as_ref()
        .is_some_and(|tls| tls.client_identity.is_some())
        && config::get_or("offer_client_certificates", false);
    let scram = match safe {
        true => scram::mechanisms(),
        false => Vec::new(),
    };
    ALL.into_iter().filter(move |mechanism| match mechanism {
        Mechanism::Plain | Mechanism::Login => safe,
        Mechanism::XOAuth2 | Mechanism::OAuthBearer => tokens,
        Mechanism::External => certificate,
        Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => {
            scram.iter().any(|name| name == mechanism.name())
        }
    })
}
