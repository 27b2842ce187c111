//! Logging in at the relay host: SASL PLAIN (RFC 4616) and LOGIN, over TLS or on this machine.
//!
//! A refusal is never the message's fault: it waits until the operator has mended the password.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

use super::{COMMAND, Connection, NoConnection, reply::Reply};
use crate::{Outcome, hop::dns::Target};

/// Name and password.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: SecretString,
}

impl Login {
    pub(super) async fn log_in(
        &self,
        connection: &mut Connection,
        target: &Target,
    ) -> Result<(), NoConnection> {
        if !connection.encrypted && !target.address.ip().is_loopback() {
            return Err(refused(
                "The password of the relay host is not sent without TLS",
            ));
        }
        let offered = &connection.extensions.auth;
        let has = |name: &str| offered.iter().any(|offer| offer == name);
        let reply = if has("PLAIN") {
            self.plain(connection).await?
        } else if has("LOGIN") {
            self.login(connection).await?
        } else {
            return Err(refused("The relay host offers no log-in with a password"));
        };
        if reply.code == 235 {
            return Ok(());
        }
        let answer = reply.outcome();
        tracing::error!(host = connection.host, %answer, "the relay host refuses our log-in");
        Err(refused(&format!(
            "The relay host refuses our log-in: {}",
            answer.text
        )))
    }

    async fn plain(&self, connection: &mut Connection) -> Result<Reply, NoConnection> {
        let secret = format!("\0{}\0{}", self.user, self.password.expose_secret());
        let line = format!("AUTH PLAIN {}\r\n", STANDARD.encode(secret));
        Ok(connection.command(&line, COMMAND).await?)
    }

    async fn login(&self, connection: &mut Connection) -> Result<Reply, NoConnection> {
        let mut reply = connection.command("AUTH LOGIN\r\n", COMMAND).await?;
        for answer in [self.user.as_str(), self.password.expose_secret()] {
            if reply.code != 334 {
                break;
            }
            let line = format!("{}\r\n", STANDARD.encode(answer));
            reply = connection.command(&line, COMMAND).await?;
        }
        Ok(reply)
    }
}

fn refused(text: &str) -> NoConnection {
    NoConnection::Host(Outcome::unreachable("4.7.0", text))
}
