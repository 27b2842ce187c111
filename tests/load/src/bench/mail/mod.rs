//! Mail, beside Dovecot: the same messages, the same client, in the same run, in turns.
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
mod thread;

use std::{future::Future, pin::Pin};

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    row::{Better, Row, Wanted, median},
    server::{Built, Dovecot, Format, Settings, Site, UNHASHED, Waxwing},
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
    round: fn(&Site, Scale) -> Measured<'_>,
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
        let waxwing = Waxwing::start(built, &Settings::default(), &users)?;
        let dovecot = if self.no_peer {
            None
        } else {
            Some(Dovecot::start(self.peer_format, &users)?)
        };
        let sites: Vec<&Site> = std::iter::once(&waxwing.site)
            .chain(dovecot.iter().map(|peer| &peer.site))
            .collect();
        if rows.iter().any(|row| row.reads) {
            for site in &sites {
                self.wanted.progress(&format!(
                    "{}: filling a folder with {} messages",
                    site.name, scale.messages
                ));
                fill::inbox(site, READER, scale.messages, MESSAGE).await?;
            }
        }
        self.wanted.head();
        for row in rows {
            self.wanted.progress(row.name);
            self.wanted.show(&self.compare(row, &sites, scale).await?);
        }
        Ok(())
    }

    /// Rounds in turns, after one of each that does not count.
    async fn compare(&self, row: &Comparison, sites: &[&Site], scale: Scale) -> Result<Row> {
        let mut measured = vec![Vec::with_capacity(self.rounds); sites.len()];
        for round in 0..=self.rounds {
            for (site, measured) in sites.iter().zip(&mut measured) {
                let value = (row.round)(site, scale)
                    .await
                    .with_context(|| format!("{}: {}", site.name, row.name))?;
                if round > 0 {
                    measured.push(value);
                }
            }
        }
        let mut medians = measured.into_iter().map(median);
        let ours = Row::alone(row.name, medians.next().unwrap_or(f64::NAN), row.unit);
        Ok(match (sites.get(1), medians.next()) {
            (Some(peer), Some(theirs)) => ours.beside(&peer.name, theirs, row.better),
            _ => ours,
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
