//! An IMAP client for load: it knows where an answer ends (RFC 3501, section 7: lines, literals, the tag) and no more.

use std::{net::SocketAddr, path::Path};

use anyhow::{Context, Result, bail};

use super::Wire;

/// One connection, after its greeting.
pub(crate) struct Imap {
    wire: Wire,
    tags: u32,
}

/// What a command was answered with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Untagged responses.
    pub(crate) untagged: usize,
    /// Octets, literals included.
    pub(crate) octets: usize,
    /// What follows the tag, such as `OK [READ-WRITE] done`.
    pub(crate) completion: String,
}

impl Imap {
    pub(crate) async fn connect(to: SocketAddr) -> Result<Imap> {
        Imap::greeted(Wire::connect(to).await?).await
    }

    pub(crate) async fn connect_tls(to: SocketAddr, authority: &Path) -> Result<Imap> {
        Imap::greeted(Wire::connect_tls(to, authority).await?).await
    }

    /// A new connection as this user.
    pub(crate) async fn login(to: SocketAddr, user: &str, password: &str) -> Result<Imap> {
        let mut client = Imap::connect(to).await?;
        client
            .command(&format!("LOGIN {user} \"{password}\""))
            .await?;
        Ok(client)
    }

    async fn greeted(mut wire: Wire) -> Result<Imap> {
        let greeting = wire.line().await?;
        if !greeting.starts_with(b"* OK") {
            bail!("greeted with {}", String::from_utf8_lossy(&greeting));
        }
        Ok(Imap { wire, tags: 0 })
    }

    /// Sends a command and reads its whole answer; anything but OK is an error.
    pub(crate) async fn command(&mut self, text: &str) -> Result<Answer> {
        self.command_showing(text, |_| ()).await
    }

    /// The same, and shows each untagged line that is not inside a literal.
    pub(crate) async fn command_showing(
        &mut self,
        text: &str,
        show: impl FnMut(&[u8]),
    ) -> Result<Answer> {
        let tag = self.tag();
        self.wire
            .send(format!("{tag} {text}\r\n").as_bytes())
            .await?;
        let answer = self.answer(&tag, show).await?;
        ok(answer).with_context(|| text.to_owned())
    }

    /// Appends a message, with a non-synchronising literal (RFC 7888): one round trip.
    pub(crate) async fn append(
        &mut self,
        mailbox: &str,
        flags: &str,
        message: &[u8],
    ) -> Result<()> {
        let tag = self.send_append(mailbox, flags, message).await?;
        ok(self.answer(&tag, |_| ()).await?)
            .map(drop)
            .context("APPEND")
    }

    /// Sends an APPEND without waiting for the answer; [`Imap::answer_ok`] takes them in order.
    pub(crate) async fn send_append(
        &mut self,
        mailbox: &str,
        flags: &str,
        message: &[u8],
    ) -> Result<String> {
        let tag = self.tag();
        let mut bytes = format!(
            "{tag} APPEND {mailbox} ({flags}) {{{}+}}\r\n",
            message.len()
        )
        .into_bytes();
        bytes.extend_from_slice(message);
        bytes.extend_from_slice(b"\r\n");
        self.wire.send(&bytes).await?;
        Ok(tag)
    }

    /// Reads the answer to a command that was sent before.
    pub(crate) async fn answer_ok(&mut self, tag: &str) -> Result<Answer> {
        ok(self.answer(tag, |_| ()).await?)
    }

    /// Sends a line as it is.
    pub(crate) async fn send_line(&mut self, line: &str) -> Result<()> {
        self.wire.send(format!("{line}\r\n").as_bytes()).await
    }

    /// The next line, whatever it is.
    pub(crate) async fn line(&mut self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.wire.line().await?).into_owned())
    }

    fn tag(&mut self) -> String {
        self.tags += 1;
        format!("t{}", self.tags)
    }

    async fn answer(&mut self, tag: &str, mut show: impl FnMut(&[u8])) -> Result<Answer> {
        let mut answer = Answer::default();
        // Whether this line goes on one that ended in a literal.
        let mut inside = false;
        loop {
            let line = self.wire.line().await?;
            answer.octets += line.len() + 2;
            if !inside {
                let after = line
                    .strip_prefix(tag.as_bytes())
                    .and_then(|rest| rest.strip_prefix(b" "));
                if let Some(completion) = after {
                    answer.completion = String::from_utf8_lossy(completion).into_owned();
                    return Ok(answer);
                }
                answer.untagged += usize::from(line.starts_with(b"* "));
                show(&line);
            }
            let literal = literal(&line);
            inside = literal.is_some();
            if let Some(length) = literal {
                self.wire.skip(length).await?;
                answer.octets += length;
            }
        }
    }
}

fn ok(answer: Answer) -> Result<Answer> {
    if answer.completion.starts_with("OK") {
        Ok(answer)
    } else {
        bail!("answered {}", answer.completion)
    }
}

/// The length of the literal that a line announces at its end.
fn literal(line: &[u8]) -> Option<usize> {
    let inner = line.strip_suffix(b"}")?;
    let opened = memchr::memrchr(b'{', inner)?;
    std::str::from_utf8(inner.get(opened + 1..)?)
        .ok()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_announced_at_the_end_of_a_line() {
        assert_eq!(literal(b"* 1 FETCH (BODY[] {42}"), Some(42));
        assert_eq!(literal(b"* 1 FETCH (FLAGS ())"), None);
        assert_eq!(literal(b"* 1 FETCH (X \"{a}"), None);
    }
}
