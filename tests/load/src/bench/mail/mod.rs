//! Mail, beside Dovecot, and beside Postfix what is sent: the same messages, the same client, in the same run, in turns.
//!
//! Each row is a file that gives one [`Comparison`]: how to measure one round on one server. Here the servers are started and
//! filled, rounds alternate between them, and the medians are reported.

mod append;
mod copy;
mod fetch;
pub(super) mod fill;
mod lmtp;
mod login;
mod pop3;
mod qresync;
mod search;
mod select;
mod sort;
mod store;
mod submission;
mod thread;

use std::{future::Future, pin::Pin};

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    row::{Better, Row, Wanted, median},
    server::{Built, Dovecot, Format, Outgoing, Postfix, Settings, Sink, Site, UNHASHED, Waxwing},
};

/// `mail …`
#[derive(Debug, Args)]
pub(crate) struct Mail {
    #[command(flatten)]
    wanted: Wanted,
    /// Messages in the folder that is read.
    #[arg(long, default_value_t = 10_000)]
    messages: usize,
    /// Messages that each round of a row writes.
    #[arg(long, default_value_t = 400)]
    writes: usize,
    /// Rounds of each row; the medians count.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How Dovecot keeps mail.
    #[arg(long, value_enum, default_value_t = Format::Sdbox)]
    peer_format: Format,
    /// Measure Waxwing alone.
    #[arg(long)]
    no_peer: bool,
}

/// How much a round does.
#[derive(Debug, Clone, Copy)]
struct Scale {
    messages: usize,
    writes: usize,
}

type Measured<'a> = Pin<Box<dyn Future<Output = Result<f64>> + 'a>>;

/// One row: a name and how to measure a round of it.
struct Comparison {
    name: &'static str,
    unit: &'static str,
    better: Better,
    /// Whether the folder of many messages must be there.
    reads: bool,
    round: Round,
}

/// Which servers it is about.
enum Round {
    /// Those that people read their mail on: Waxwing and Dovecot.
    Access(fn(&Site, Scale) -> Measured<'_>),
    /// Those that they send it by: Waxwing and Postfix.
    Outgoing(fn(&Outgoing, Scale) -> Measured<'_>),
}

/// Who is measured; ours come first.
struct Servers<'a> {
    access: Vec<&'a Site>,
    outgoing: Vec<&'a Outgoing>,
}

impl Servers<'_> {
    /// Names of those that a row is about, and one round on each.
    fn rounds(&self, row: &Comparison, scale: Scale) -> Vec<(&str, Measured<'_>)> {
        match row.round {
            Round::Access(round) => {
                let each = self.access.iter();
                each.map(|site| (site.name.as_str(), round(site, scale)))
                    .collect()
            }
            Round::Outgoing(round) => {
                let each = self.outgoing.iter();
                each.map(|server| (server.name.as_str(), round(server, scale)))
                    .collect()
            }
        }
    }
}

const ROWS: &[&Comparison] = &[
    &login::LOGIN,
    &login::UNHASHED_LOGIN,
    &append::ONE,
    &append::TWENTY,
    &lmtp::LMTP,
    &fetch::META,
    &fetch::BODY,
    &select::SELECT,
    &search::SUBJECT,
    &search::TEXT,
    &sort::DATE,
    &thread::REFERENCES,
    &qresync::CHANGED,
    &store::FLAGS,
    &copy::COPY,
    &pop3::SESSION,
    &submission::SUBMISSION,
    &submission::RELAY,
];

/// Octets of a message.
const MESSAGE: usize = 8_000;
/// Users that are busy at the same time.
const BUSY: usize = 20;
/// Whose inbox is read.
const READER: &str = "reader";

impl Mail {
    pub(crate) async fn run(self, built: &Built) -> Result<()> {
        let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        self.wanted.check(&names)?;
        let rows: Vec<&Comparison> = ROWS
            .iter()
            .copied()
            .filter(|row| self.wanted.wants(row.name))
            .collect();
        let users: Vec<String> = std::iter::once(READER.to_owned())
            .chain((0..BUSY).map(busy))
            .chain((0..BUSY).map(unhashed))
            .collect();
        let scale = Scale {
            messages: self.messages,
            writes: self.writes,
        };
        self.wanted.progress("starting the servers");
        let sink = Sink::start().await?;
        let settings = Settings {
            configuration: format!(
                "[transport]\nrelay_host = \"{}\"\ntls = \"none\"\n",
                sink.address
            ),
        };
        let waxwing = Waxwing::start(built, &settings, &users)?;
        let ours = Outgoing {
            name: waxwing.site.name.clone(),
            submission: waxwing.submission,
            sink,
        };
        let dovecot = if self.no_peer {
            None
        } else {
            Some(Dovecot::start(self.peer_format, &users)?)
        };
        let sends = rows
            .iter()
            .any(|row| matches!(row.round, Round::Outgoing(_)));
        let postfix = match &dovecot {
            Some(dovecot) if sends => Some(Postfix::start(dovecot.auth).await?),
            _ => None,
        };
        let servers = Servers {
            access: std::iter::once(&waxwing.site)
                .chain(dovecot.iter().map(|peer| &peer.site))
                .collect(),
            outgoing: std::iter::once(&ours)
                .chain(postfix.iter().map(|peer| &peer.outgoing))
                .collect(),
        };
        if rows.iter().any(|row| row.reads) {
            self.fill(&servers).await?;
        }
        self.wanted.head();
        for row in rows {
            self.wanted.progress(row.name);
            self.wanted.show(&self.compare(row, &servers, scale).await?);
        }
        Ok(())
    }

    async fn fill(&self, servers: &Servers<'_>) -> Result<()> {
        let messages = self.messages;
        for site in &servers.access {
            self.wanted.progress(&format!(
                "{}: filling a folder with {messages} messages",
                site.name
            ));
            fill::inbox(site, READER, messages, MESSAGE).await?;
        }
        Ok(())
    }

    /// Rounds in turns, after one of each that does not count.
    async fn compare(&self, row: &Comparison, servers: &Servers<'_>, scale: Scale) -> Result<Row> {
        let mut measured: Vec<(&str, Vec<f64>)> = Vec::new();
        for round in 0..=self.rounds {
            for (place, (name, value)) in servers.rounds(row, scale).into_iter().enumerate() {
                let value = value
                    .await
                    .with_context(|| format!("{name}: {}", row.name))?;
                if round == 0 {
                    measured.push((name, Vec::with_capacity(self.rounds)));
                } else if let Some((_, values)) = measured.get_mut(place) {
                    values.push(value);
                }
            }
        }
        let mut medians = measured
            .into_iter()
            .map(|(name, values)| (name, median(values)));
        let ours = medians.next().map_or(f64::NAN, |(_, median)| median);
        let ours = Row::alone(row.name, ours, row.unit);
        Ok(match medians.next() {
            Some((peer, theirs)) => ours.beside(peer, theirs, row.better),
            None => ours,
        })
    }
}

/// The name of a user whose password costs Dovecot nothing.
fn unhashed(number: usize) -> String {
    format!("{UNHASHED}{number}")
}

/// The name of a busy user.
fn busy(number: usize) -> String {
    format!("busy{number}")
}

/// How many numbers stand in an untagged response of this name.
fn numbers_of(line: &[u8], name: &[u8]) -> usize {
    let numbers = line.strip_prefix(name).unwrap_or_default();
    numbers
        .split(|&byte| byte == b' ')
        .filter(|number| !number.is_empty())
        .count()
}
