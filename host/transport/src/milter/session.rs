//! One conversation with one filter about one message: everything that happened on the connection is told in its order, then the message.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use waxwing_exmdb::Body;

use super::{
    Mail, MilterAddress,
    protocol::{self, ACTIONS, Answer, CHUNK, Change, Trouble, VERSION, Wishes},
};
use crate::header::fields;

/// Changes of one filter to one message.
const MAX_CHANGES: usize = 10_000;
/// Signs of life before an answer.
const MAX_PROGRESS: usize = 1_000;

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// What a filter has decided.
#[derive(Debug)]
pub(super) enum Decision {
    Accept,
    Discard,
    Reject,
    TemporaryFailure,
    /// In its own words.
    Reply(String),
}

/// What a filter wants.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) decision: Decision,
    pub(super) changes: Vec<Change>,
    /// By the number of the recipient, those that it will not have.
    pub(super) refused: Vec<(usize, Decision)>,
}

/// Asks one filter.
pub(super) async fn ask(
    address: &MilterAddress,
    limit: Duration,
    mail: &Mail<'_>,
) -> Result<Wanted, Trouble> {
    let late = |_| Trouble::Late(limit.as_secs());
    let stream: Box<dyn Wire> = match address {
        MilterAddress::Tcp(host) => {
            let place = (host.host.as_str(), host.port);
            let stream = timeout(limit, TcpStream::connect(place))
                .await
                .map_err(late)??;
            let _ = stream.set_nodelay(true);
            Box::new(stream)
        }
        MilterAddress::Unix(path) => {
            let stream = timeout(limit, UnixStream::connect(path)).await;
            Box::new(stream.map_err(late)??)
        }
    };
    let mut talk = Talk {
        stream,
        limit,
        wishes: Wishes(0),
        refused: Vec::new(),
    };
    let wanted = talk.tell(mail).await?;
    // Whether it hears that makes no difference.
    let _ = talk.say(b'Q', &[]).await;
    Ok(wanted)
}

struct Talk {
    stream: Box<dyn Wire>,
    limit: Duration,
    wishes: Wishes,
    refused: Vec<(usize, Decision)>,
}

/// A step that filters may be spared, or need not answer.
#[derive(Clone, Copy)]
struct Step {
    letter: u8,
    spared: u32,
    silent: u32,
}

impl Talk {
    async fn tell(&mut self, mail: &Mail<'_>) -> Result<Wanted, Trouble> {
        self.negotiate().await?;
        let decided = match self.tell_envelope(mail).await? {
            Some(decided) => Some(decided),
            None => self.tell_message(mail).await?,
        };
        let (decision, changes) = match decided {
            Some(decision) => (decision, Vec::new()),
            None => self.end(mail).await?,
        };
        Ok(Wanted {
            decision,
            changes,
            refused: std::mem::take(&mut self.refused),
        })
    }

    async fn negotiate(&mut self) -> Result<(), Trouble> {
        let offer = [VERSION, ACTIONS, Wishes::OFFERED].map(u32::to_be_bytes);
        self.say(b'O', &offer.concat()).await?;
        match self.hear().await? {
            Answer::Options { version, wishes } if version >= 2 => {
                self.wishes = wishes;
                Ok(())
            }
            _ => Err(Trouble::Nonsense('O')),
        }
    }

    /// Some: it is decided.
    async fn tell_envelope(&mut self, mail: &Mail<'_>) -> Result<Option<Decision>, Trouble> {
        let connect = Step {
            letter: b'C',
            spared: Wishes::NO_CONNECT,
            silent: Wishes::SILENT_CONNECT,
        };
        let host_name = mail.host_name.as_bytes();
        let macros: [(&str, &[u8]); 2] = [("j", host_name), ("{daemon_name}", b"waxwing")];
        if let Some(decided) = self.step(connect, &macros, &mail.connection()).await? {
            return Ok(Some(decided));
        }
        let helo = Step {
            letter: b'H',
            spared: Wishes::NO_HELO,
            silent: Wishes::SILENT_HELO,
        };
        let name = protocol::strings(&[mail.envelope.helo.as_bytes()]);
        if let Some(decided) = self.step(helo, &[], &name).await? {
            return Ok(Some(decided));
        }
        let from = Step {
            letter: b'M',
            spared: Wishes::NO_MAIL,
            silent: Wishes::SILENT_MAIL,
        };
        let login = mail.principal.unwrap_or_default().as_bytes();
        let (id, sender) = (mail.id.as_bytes(), mail.envelope.sender.as_bytes());
        let macros: [(&str, &[u8]); 3] =
            [("i", id), ("{mail_addr}", sender), ("{auth_authen}", login)];
        let macros = if login.is_empty() {
            macros.get(..2)
        } else {
            macros.get(..)
        };
        let address = protocol::strings(&[format!("<{}>", mail.envelope.sender).as_bytes()]);
        if let Some(decided) = self
            .step(from, macros.unwrap_or_default(), &address)
            .await?
        {
            return Ok(Some(decided));
        }
        self.tell_recipients(mail).await
    }

    async fn tell_recipients(&mut self, mail: &Mail<'_>) -> Result<Option<Decision>, Trouble> {
        let to = Step {
            letter: b'R',
            spared: Wishes::NO_RCPT,
            silent: Wishes::SILENT_RCPT,
        };
        for (number, recipient) in mail.envelope.recipients.iter().enumerate() {
            let address = protocol::strings(&[format!("<{}>", recipient.address).as_bytes()]);
            let macros: [(&str, &[u8]); 1] = [("{rcpt_addr}", recipient.address.as_bytes())];
            match self.step(to, &macros, &address).await? {
                None => {}
                Some(decided @ (Decision::Accept | Decision::Discard)) => {
                    return Ok(Some(decided));
                }
                // Of this one alone.
                Some(decided) => self.refused.push((number, decided)),
            }
        }
        let data = Step {
            letter: b'T',
            spared: Wishes::NO_DATA,
            silent: Wishes::SILENT_DATA,
        };
        self.step(data, &[("i", mail.id.as_bytes())], &[]).await
    }

    async fn tell_message(&mut self, mail: &Mail<'_>) -> Result<Option<Decision>, Trouble> {
        let field_step = Step {
            letter: b'L',
            spared: Wishes::NO_HEADERS,
            silent: Wishes::SILENT_HEADERS,
        };
        for field in fields(mail.header.octets()) {
            let Some((name, value)) = self.named(field) else {
                continue;
            };
            let data = protocol::strings(&[name, &value]);
            if let Some(decided) = self.step(field_step, &[], &data).await? {
                return Ok(Some(decided));
            }
        }
        let end = Step {
            letter: b'N',
            spared: Wishes::NO_END_OF_HEADERS,
            silent: Wishes::SILENT_END_OF_HEADERS,
        };
        match self.step(end, &[], &[]).await? {
            Some(decided) => Ok(Some(decided)),
            None => {
                self.tell_body(mail.message, mail.body_offset().await?)
                    .await
            }
        }
    }

    /// The value without its last line end; filters read LF where it is folded.
    fn named<'f>(&self, field: &'f [u8]) -> Option<(&'f [u8], Vec<u8>)> {
        let colon = field.iter().position(|octet| *octet == b':')?;
        let (name, value) = field.split_at_checked(colon)?;
        let value = value.get(1..)?.trim_ascii_end();
        let value = match self.wishes.has(Wishes::LEADING_SPACE) {
            true => value,
            false => value.strip_prefix(b" ").unwrap_or(value),
        };
        let value = value.iter().copied().filter(|octet| *octet != b'\r');
        Some((name.trim_ascii_end(), value.collect()))
    }

    async fn tell_body(
        &mut self,
        message: &Body,
        mut at: u64,
    ) -> Result<Option<Decision>, Trouble> {
        let step = Step {
            letter: b'B',
            spared: Wishes::NO_BODY,
            silent: Wishes::SILENT_BODY,
        };
        if self.wishes.has(step.spared) {
            return Ok(None);
        }
        loop {
            let chunk = message.read(at, CHUNK).await;
            let chunk = chunk.map_err(|error| std::io::Error::other(error.to_string()))?;
            if chunk.is_empty() {
                return Ok(None);
            }
            at += chunk.len() as u64;
            self.say(step.letter, &chunk).await?;
            if self.wishes.has(step.silent) {
                continue;
            }
            match self.hear().await? {
                Answer::Skip => return Ok(None),
                answer => {
                    if let Some(decided) = decided(answer)? {
                        return Ok(Some(decided));
                    }
                }
            }
        }
    }

    async fn end(&mut self, mail: &Mail<'_>) -> Result<(Decision, Vec<Change>), Trouble> {
        self.macros(b'E', &[("i", mail.id.as_bytes())]).await?;
        self.say(b'E', &[]).await?;
        let mut changes = Vec::new();
        loop {
            match self.hear().await? {
                Answer::Change(change) if changes.len() < MAX_CHANGES => changes.push(change),
                Answer::Change(_) => return Err(Trouble::TooLong(u32::MAX)),
                answer => {
                    let decision = decided(answer)?.unwrap_or(Decision::Accept);
                    return Ok((decision, changes));
                }
            }
        }
    }

    async fn step(
        &mut self,
        step: Step,
        macros: &[(&str, &[u8])],
        data: &[u8],
    ) -> Result<Option<Decision>, Trouble> {
        if self.wishes.has(step.spared) {
            return Ok(None);
        }
        self.macros(step.letter, macros).await?;
        self.say(step.letter, data).await?;
        match self.wishes.has(step.silent) {
            true => Ok(None),
            false => decided(self.hear().await?),
        }
    }

    async fn macros(&mut self, letter: u8, macros: &[(&str, &[u8])]) -> Result<(), Trouble> {
        if macros.is_empty() {
            return Ok(());
        }
        let pairs = macros
            .iter()
            .flat_map(|(name, value)| [name.as_bytes(), *value]);
        let strings = protocol::strings(&pairs.collect::<Vec<&[u8]>>());
        self.say(b'D', &[&[letter], &strings[..]].concat()).await
    }

    async fn say(&mut self, letter: u8, data: &[u8]) -> Result<(), Trouble> {
        let sent = timeout(self.limit, protocol::send(&mut self.stream, letter, data)).await;
        sent.map_err(|_| Trouble::Late(self.limit.as_secs()))?
    }

    /// The next answer that is more than a sign of life.
    async fn hear(&mut self) -> Result<Answer, Trouble> {
        for _ in 0..MAX_PROGRESS {
            let heard = timeout(self.limit, protocol::receive(&mut self.stream)).await;
            match heard.map_err(|_| Trouble::Late(self.limit.as_secs()))?? {
                Answer::Progress => {}
                answer => return Ok(answer),
            }
        }
        Err(Trouble::Late(self.limit.as_secs()))
    }
}

/// None: it goes on.
fn decided(answer: Answer) -> Result<Option<Decision>, Trouble> {
    Ok(Some(match answer {
        Answer::Continue | Answer::Skip => return Ok(None),
        Answer::Accept => Decision::Accept,
        Answer::Discard => Decision::Discard,
        Answer::Reject => Decision::Reject,
        Answer::TemporaryFailure => Decision::TemporaryFailure,
        Answer::Reply(text) => Decision::Reply(text),
        Answer::Options { .. } | Answer::Progress | Answer::Change(_) => {
            return Err(Trouble::Nonsense('O'));
        }
    }))
}
