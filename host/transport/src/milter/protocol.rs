//! The packets of the milter protocol, version 6: a length, a letter, and what belongs to it. Sendmail's `mfdef.h` has the letters.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Octets of one packet; a body that a filter puts in the place of ours comes in pieces of 64 KiB.
const MAX_PACKET: u32 = 1 << 20;
/// Octets of a message in one packet.
pub(super) const CHUNK: usize = 65_535;
pub(super) const VERSION: u32 = 6;

/// What a filter may do, as it is offered: add and change fields, change the body, add and delete recipients, quarantine, change the sender.
pub(super) const ACTIONS: u32 = 0xff;

/// What a filter need not be told, or will not answer (SMFIP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wishes(pub(super) u32);

impl Wishes {
    /// All that are offered: each step may be left out, and each may go without an answer; `SKIP`, and rejected recipients are not told.
    pub(super) const OFFERED: u32 = 0x001f_f7ff;
    pub(super) const NO_CONNECT: u32 = 0x1;
    pub(super) const NO_HELO: u32 = 0x2;
    pub(super) const NO_MAIL: u32 = 0x4;
    pub(super) const NO_RCPT: u32 = 0x8;
    pub(super) const NO_BODY: u32 = 0x10;
    pub(super) const NO_HEADERS: u32 = 0x20;
    pub(super) const NO_END_OF_HEADERS: u32 = 0x40;
    pub(super) const SILENT_HEADERS: u32 = 0x80;
    pub(super) const NO_DATA: u32 = 0x200;
    pub(super) const SILENT_CONNECT: u32 = 0x1000;
    pub(super) const SILENT_HELO: u32 = 0x2000;
    pub(super) const SILENT_MAIL: u32 = 0x4000;
    pub(super) const SILENT_RCPT: u32 = 0x8000;
    pub(super) const SILENT_DATA: u32 = 0x1_0000;
    pub(super) const SILENT_END_OF_HEADERS: u32 = 0x4_0000;
    pub(super) const SILENT_BODY: u32 = 0x8_0000;
    pub(super) const LEADING_SPACE: u32 = 0x10_0000;

    pub(super) fn has(self, wish: u32) -> bool {
        self.0 & wish != 0
    }
}

/// What a filter answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Options {
        version: u32,
        wishes: Wishes,
    },
    Continue,
    Accept,
    Discard,
    Reject,
    TemporaryFailure,
    /// `550 5.7.1 text`.
    Reply(String),
    /// No more of the body.
    Skip,
    /// More time.
    Progress,
    Change(Change),
}

/// What is changed at the end of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Append {
        name: String,
        value: Vec<u8>,
    },
    /// Before the field of that number; 0 is the top.
    Insert {
        at: u32,
        name: String,
        value: Vec<u8>,
    },
    /// The field of that name and number, from 1; an empty value takes it out.
    Replace {
        number: u32,
        name: String,
        value: Vec<u8>,
    },
    /// A piece of the new body.
    Body(Bytes),
    Sender(String),
    AddRecipient(String),
    DeleteRecipient(String),
    Quarantine(String),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("a packet of {0} octets")]
    TooLong(u32),
    #[error("an answer that is none: {0:?}")]
    Nonsense(char),
    #[error("no answer within {0} s")]
    Late(u64),
}

/// Writes one packet.
pub(super) async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    letter: u8,
    data: &[u8],
) -> Result<(), Trouble> {
    let mut packet = BytesMut::with_capacity(data.len() + 5);
    let length = u32::try_from(data.len() + 1).map_err(|_| Trouble::TooLong(u32::MAX))?;
    packet.put_u32(length);
    packet.put_u8(letter);
    packet.put_slice(data);
    stream.write_all(&packet).await?;
    Ok(stream.flush().await?)
}

/// Reads one packet.
pub(super) async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> Result<Answer, Trouble> {
    let length = stream.read_u32().await?;
    if length == 0 || length > MAX_PACKET {
        return Err(Trouble::TooLong(length));
    }
    let letter = stream.read_u8().await?;
    let mut data = vec![0; usize::try_from(length - 1).unwrap_or_default()];
    stream.read_exact(&mut data).await?;
    answer(letter, data.into())
}

/// What a packet says.
pub(super) fn answer(letter: u8, mut data: Bytes) -> Result<Answer, Trouble> {
    let nonsense = || Trouble::Nonsense(char::from(letter));
    Ok(match letter {
        b'O' => {
            let version = number(&mut data).ok_or_else(nonsense)?;
            let _actions = number(&mut data).ok_or_else(nonsense)?;
            let wishes = Wishes(number(&mut data).ok_or_else(nonsense)?);
            Answer::Options { version, wishes }
        }
        b'c' => Answer::Continue,
        b'a' => Answer::Accept,
        b'd' => Answer::Discard,
        b'r' => Answer::Reject,
        // Also SMFIR_CONN_FAIL and SMFIR_SHUTDOWN: come again.
        b't' | b'f' | b'4' => Answer::TemporaryFailure,
        b's' => Answer::Skip,
        b'p' => Answer::Progress,
        b'y' => Answer::Reply(text(&mut data).ok_or_else(nonsense)?),
        b'h' => Answer::Change(Change::Append {
            name: text(&mut data).ok_or_else(nonsense)?,
            value: string(&mut data).ok_or_else(nonsense)?,
        }),
        b'i' => Answer::Change(Change::Insert {
            at: number(&mut data).ok_or_else(nonsense)?,
            name: text(&mut data).ok_or_else(nonsense)?,
            value: string(&mut data).ok_or_else(nonsense)?,
        }),
        b'm' => Answer::Change(Change::Replace {
            number: number(&mut data).ok_or_else(nonsense)?,
            name: text(&mut data).ok_or_else(nonsense)?,
            value: string(&mut data).ok_or_else(nonsense)?,
        }),
        b'b' => Answer::Change(Change::Body(data)),
        b'e' => Answer::Change(Change::Sender(text(&mut data).ok_or_else(nonsense)?)),
        b'+' | b'2' => Answer::Change(Change::AddRecipient(text(&mut data).ok_or_else(nonsense)?)),
        b'-' => Answer::Change(Change::DeleteRecipient(
            text(&mut data).ok_or_else(nonsense)?,
        )),
        b'q' => Answer::Change(Change::Quarantine(text(&mut data).ok_or_else(nonsense)?)),
        _ => return Err(nonsense()),
    })
}

fn number(data: &mut Bytes) -> Option<u32> {
    data.try_get_u32().ok()
}

/// Up to a NUL, which goes too; without one, all.
fn string(data: &mut Bytes) -> Option<Vec<u8>> {
    if data.is_empty() {
        return None;
    }
    let end = data.iter().position(|octet| *octet == 0);
    let string = data.split_to(end.unwrap_or(data.len()));
    data.advance(usize::from(end.is_some()));
    Some(string.to_vec())
}

fn text(data: &mut Bytes) -> Option<String> {
    string(data).map(|octets| String::from_utf8_lossy(&octets).into_owned())
}

/// Strings, each with its NUL.
pub(super) fn strings(strings: &[&[u8]]) -> Vec<u8> {
    let with_nul = |string: &&[u8]| {
        let plain = string.iter().copied().filter(|octet| *octet != 0);
        plain.chain([0]).collect::<Vec<u8>>()
    };
    strings.iter().flat_map(with_nul).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_are_read_as_sendmail_writes_them() {
        for (letter, data, expected) in [
            (b'c', &b""[..], Answer::Continue),
            (
                b'y',
                b"550 5.7.1 no\0",
                Answer::Reply("550 5.7.1 no".into()),
            ),
            (
                b'm',
                b"\0\0\0\x02Subject\0\0",
                Answer::Change(Change::Replace {
                    number: 2,
                    name: "Subject".into(),
                    value: Vec::new(),
                }),
            ),
            (
                b'i',
                b"\0\0\0\0X-A\0b c\0",
                Answer::Change(Change::Insert {
                    at: 0,
                    name: "X-A".into(),
                    value: b"b c".to_vec(),
                }),
            ),
            (
                b'+',
                b"<a@b.c>\0",
                Answer::Change(Change::AddRecipient("<a@b.c>".into())),
            ),
        ] {
            assert_eq!(answer(letter, data.into()).unwrap(), expected);
        }
        for (letter, data) in [(b'O', &b"\0\0\0\x06"[..]), (b'y', b""), (b'?', b"")] {
            assert!(answer(letter, data.into()).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_octets_break_the_reader(letter in any::<u8>(), data in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = answer(letter, data.into());
        }
    }
}
