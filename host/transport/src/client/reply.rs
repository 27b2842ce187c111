//! Replies of a next hop: RFC 5321 section 4.2, enhanced codes of RFC 2034.
//!
//! Read leniently, as everybody does: a reply without text, with a bare LF, or with any octets in its text. Bounds:
//! [`MAX_LINE`], [`MAX_LINES`].

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

use super::Broken;
use crate::Outcome;

const MAX_LINE: u64 = 4096;
const MAX_LINES: usize = 200;

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    /// Without code and line end.
    pub(crate) lines: Vec<String>,
}

impl Reply {
    pub(crate) async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> Result<Reply, Broken> {
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            let read = from.take(MAX_LINE).read_until(b'\n', &mut line).await?;
            if read == 0 {
                return Err(Broken("the connection was closed".into()));
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            let code = text.get(..3).and_then(|digits| digits.parse().ok());
            let (Some(code @ 200..600), true) = (code, line.ends_with(b"\n")) else {
                let start: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
                return Err(Broken(format!("\"{start}\" is no reply of SMTP")));
            };
            let more = text.get(3..4) == Some("-");
            lines.push(text.get(4..).unwrap_or_default().to_owned());
            if !more {
                return Ok(Reply { code, lines });
            }
            if lines.len() >= MAX_LINES {
                return Err(Broken(format!("a reply of more than {MAX_LINES} lines")));
            }
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        self.code < 300
    }

    /// The same in one line; a reply without an enhanced code gets the class alone.
    pub(crate) fn outcome(&self) -> Outcome {
        let class = self.code / 100;
        let mut enhanced = None;
        let mut words = Vec::new();
        for line in &self.lines {
            let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
            if is_enhanced(first, class) {
                enhanced.get_or_insert_with(|| first.to_owned());
                words.push(rest);
            } else {
                words.push(line);
            }
        }
        let enhanced = enhanced.unwrap_or_else(|| format!("{class}.0.0"));
        Outcome::said(self.code, &enhanced, words.join(" ").trim())
    }
}

/// RFC 3463 section 2, of the class of the reply.
fn is_enhanced(word: &str, class: u16) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let is_number = |part: &&str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|octet| octet.is_ascii_digit())
    };
    matches!(parts.as_slice(), [first, _, _] if *first == class.to_string() && parts.iter().all(is_number))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &str) -> Result<Reply, Broken> {
        Reply::read(&mut text.as_bytes()).await
    }

    #[tokio::test]
    async fn a_reply_of_several_lines_is_one() {
        let reply = read("250-mx.example\r\n250-SIZE 5\r\n250 DSN\r\n250 next\r\n")
            .await
            .unwrap();
        assert_eq!(
            (reply.code, reply.lines),
            (
                250,
                vec!["mx.example".into(), "SIZE 5".into(), "DSN".into()]
            )
        );
    }

    #[tokio::test]
    async fn enhanced_codes_are_kept_and_made_where_they_are_missing() {
        for (text, expected) in [
            ("550 5.1.1 No such user\r\n", "550 5.1.1 No such user"),
            (
                "550-5.7.1 first\r\n550 5.7.1 second\r\n",
                "550 5.7.1 first second",
            ),
            ("451 try later\n", "451 4.0.0 try later"),
            (
                "550 4.1.1 of the wrong class\r\n",
                "550 5.0.0 4.1.1 of the wrong class",
            ),
            ("250\r\n", "250 2.0.0 "),
        ] {
            assert_eq!(read(text).await.unwrap().outcome().to_string(), expected);
        }
    }

    #[tokio::test]
    async fn what_is_no_reply_breaks_the_connection() {
        for text in ["", "hello\r\n", "25", "999 x\r\n", "250-only\r\n"] {
            assert!(read(text).await.is_err(), "{text:?}");
        }
        assert!(read(&"250-x\r\n".repeat(300)).await.is_err());
        assert!(
            read(&format!("250 {}\r\n", "x".repeat(5000)))
                .await
                .is_err()
        );
    }
}
