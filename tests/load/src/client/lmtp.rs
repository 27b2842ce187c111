//! An LMTP, SMTP and submission client for load: one transaction after another on a connection, pipelined as far as RFC 2920 allows.

use std::net::SocketAddr;

use anyhow::{Result, bail};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::Wire;

/// One connection, after its greeting.
pub(crate) struct Lmtp(Wire);

impl Lmtp {
    /// Connects and says `LHLO`.
    pub(crate) async fn connect(to: SocketAddr) -> Result<Lmtp> {
        Lmtp::greet(to, "LHLO").await
    }

    /// The same for a server of SMTP, with `EHLO`; a transaction then has one reply, not one for each recipient.
    pub(crate) async fn connect_smtp(to: SocketAddr) -> Result<Lmtp> {
        Lmtp::greet(to, "EHLO").await
    }

    async fn greet(to: SocketAddr, hello: &str) -> Result<Lmtp> {
        let mut client = Lmtp(Wire::connect(to).await?);
        client.expect(b"220").await?;
        client
            .0
            .send(format!("{hello} client.test\r\n").as_bytes())
            .await?;
        client.expect(b"250").await?;
        Ok(client)
    }

    /// Connects to a server of submission and logs in.
    pub(crate) async fn submitting(to: SocketAddr, user: &str, password: &str) -> Result<Lmtp> {
        let mut client = Lmtp::greet(to, "EHLO").await?;
        let response = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
        let auth = format!("AUTH PLAIN {response}\r\n");
        client.0.send(auth.as_bytes()).await?;
        client.expect(b"235").await?;
        Ok(client)
    }

    /// Delivers a message to one recipient; `stuffed` is what [`stuffed`] made of it.
    pub(crate) async fn deliver(&mut self, recipient: &str, stuffed: &[u8]) -> Result<()> {
        self.send("sender@elsewhere.test", recipient, stuffed).await
    }

    /// The same from a sender.
    pub(crate) async fn send(
        &mut self,
        sender: &str,
        recipient: &str,
        stuffed: &[u8],
    ) -> Result<()> {
        let envelope = format!("MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n");
        self.0.send(envelope.as_bytes()).await?;
        for reply in [b"250", b"250", b"354"] {
            self.expect(reply).await?;
        }
        self.0.send(stuffed).await?;
        self.expect(b"250").await
    }

    async fn expect(&mut self, code: &[u8]) -> Result<()> {
        loop {
            let line = self.0.line().await?;
            if !line.starts_with(code) {
                bail!(
                    "expected {}, got {}",
                    String::from_utf8_lossy(code),
                    String::from_utf8_lossy(&line)
                );
            }
            if line.get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }
}

/// A message as it follows `354`: lines that begin with a dot have another (RFC 5321, section 4.5.2), a dot alone ends it.
pub(crate) fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(message.len() + 8);
    for line in message.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(b".") {
            stuffed.push(b'.');
        }
        stuffed.extend_from_slice(line);
    }
    if !stuffed.ends_with(b"\r\n") {
        stuffed.extend_from_slice(b"\r\n");
    }
    stuffed.extend_from_slice(b".\r\n");
    stuffed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_dot_is_doubled_and_a_dot_alone_ends_the_message() {
        assert_eq!(stuffed(b"a\r\n.b\r\n"), b"a\r\n..b\r\n.\r\n");
        assert_eq!(stuffed(b"a"), b"a\r\n.\r\n");
    }
}
