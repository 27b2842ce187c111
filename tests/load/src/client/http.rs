//! An HTTP/1.1 client for load: one request after another on a connection that stays open for as long as the server lets it, log-in
//! with every one as DAV clients do. A server that closes after each answer is connected to anew, which is its cost.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::Wire;

/// One connection at a time.
pub(crate) struct Http {
    to: SocketAddr,
    wire: Wire,
    /// The server said that it closes after the answer.
    closed: bool,
    /// Of every request.
    fields: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// How often a text stands in the body.
    pub(crate) fn count(&self, text: &str) -> usize {
        memchr::memmem::find_iter(&self.body, text).count()
    }

    /// What stands in each element of this name, whatever its prefix; without what is in other elements.
    pub(crate) fn texts(&self, element: &str) -> Vec<String> {
        let body = String::from_utf8_lossy(&self.body);
        let mut texts = Vec::new();
        for (at, _) in body.match_indices(element) {
            let before = body.get(..at).unwrap_or_default();
            let opens = before.ends_with('<')
                || before
                    .rsplit_once('<')
                    .is_some_and(|(_, prefix)| prefix.ends_with(':') && !prefix.contains('/'));
            let rest = body.get(at + element.len()..).unwrap_or_default();
            if let (true, Some(rest)) = (opens, rest.strip_prefix('>')) {
                texts.extend(rest.split_once('<').map(|(text, _)| text.to_owned()));
            }
        }
        texts
    }
}

impl Http {
    pub(crate) async fn connect(to: SocketAddr, user: &str, password: &str) -> Result<Http> {
        let credential = BASE64_STANDARD.encode(format!("{user}:{password}"));
        Ok(Http {
            to,
            wire: Wire::connect(to).await?,
            closed: false,
            fields: format!("Host: {to}\r\nAuthorization: Basic {credential}\r\n"),
        })
    }

    /// Asks; `fields` are lines that end in CRLF.
    pub(crate) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        fields: &str,
        body: &str,
    ) -> Result<Answer> {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{}{fields}Content-Length: {length}\r\n\r\n{body}",
            self.fields
        );
        if std::mem::take(&mut self.closed) {
            self.wire = Wire::connect(self.to).await?;
        }
        self.wire.send(request.as_bytes()).await?;
        self.answer()
            .await
            .with_context(|| format!("{method} {path}"))
    }

    /// The same, and the status must be one of these.
    pub(crate) async fn expect(
        &mut self,
        (method, path): (&str, &str),
        fields: &str,
        body: &str,
        statuses: &[u16],
    ) -> Result<Answer> {
        let answer = self.ask(method, path, fields, body).await?;
        if !statuses.contains(&answer.status) {
            let text = String::from_utf8_lossy(&answer.body);
            bail!("{method} {path}: {}\n{text}", answer.status);
        }
        Ok(answer)
    }

    async fn answer(&mut self) -> Result<Answer> {
        let line = self.wire.line().await?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let status = line.split(' ').nth(1);
        let status = status
            .and_then(|status| status.parse().ok())
            .with_context(|| format!("no status: {line}"))?;
        self.closed = line.starts_with("HTTP/1.0");
        let (mut length, mut chunked) = (0, false);
        loop {
            let line = self.wire.line().await?;
            if line.is_empty() {
                break;
            }
            let line = String::from_utf8_lossy(&line).to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            if let Some(value) = line.strip_prefix("connection:") {
                self.closed = value.trim() == "close";
            }
            chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
        }
        let body = match chunked {
            true => self.chunks().await?,
            false => self.wire.take(length).await?.to_vec(),
        };
        Ok(Answer { status, body })
    }

    async fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = self.wire.line().await?;
            let size = String::from_utf8_lossy(&size).into_owned();
            let size =
                usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)?;
            body.extend(self.wire.take(size).await?);
            let end = self.wire.line().await?;
            ensure!(end.is_empty(), "a chunk is longer than it says");
            if size == 0 {
                return Ok(body);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_elements_are_found_under_any_prefix() {
        let body = b"<d:multistatus><d:href>/a</d:href><href>/b</href><D:sync-token>t</D:sync-token></d:multistatus>";
        let answer = Answer {
            status: 207,
            body: body.to_vec(),
        };
        assert_eq!(answer.texts("href"), ["/a", "/b"]);
        assert_eq!(answer.texts("sync-token"), ["t"]);
    }
}
