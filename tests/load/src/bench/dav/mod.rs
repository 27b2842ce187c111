//! Calendars, beside Radicale: the same events, the same client, in the same run, in turns.
//!
//! Each row is a file that gives one [`Comparison`]. Every server has one user with a collection of many events ([`MANY`]), one of
//! recurring events ([`RECURRING`]), and one for what is written. A client logs in with every request, over a connection that stays open.

mod events;
mod put;
mod sync;
mod time_range;

use std::{future::Future, net::SocketAddr, path::PathBuf, pin::Pin};

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    client::http::Http,
    row::{Better, Row, Wanted, median},
    server::{Built, PASSWORD, Radicale, Settings, Waxwing, address},
};

/// `dav …`
#[derive(Debug, Args)]
pub(crate) struct Dav {
    #[command(flatten)]
    wanted: Wanted,
    /// Events in the collection that is synchronised.
    #[arg(long, default_value_t = 10_000)]
    events: usize,
    /// Recurring events in the collection that is asked for a week.
    #[arg(long, default_value_t = 200)]
    recurring: usize,
    /// Events that each round of `dav_put_per_s` writes.
    #[arg(long, default_value_t = 200)]
    writes: usize,
    /// Rounds of each row; the medians count.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The program `radicale`.
    #[arg(long, value_name = "FILE", default_value = "radicale")]
    radicale: PathBuf,
    /// Measure Waxwing alone.
    #[arg(long)]
    no_peer: bool,
}

/// How much there is, and how much a round does.
#[derive(Debug, Clone, Copy)]
struct Scale {
    events: usize,
    recurring: usize,
    writes: usize,
}

/// A server that runs.
#[derive(Debug)]
struct Site {
    name: String,
    http: SocketAddr,
    /// Where collections are made; ends in a slash.
    home: String,
    /// A PUT of all its events makes a collection.
    takes_whole: bool,
}

impl Site {
    async fn connect(&self) -> Result<Http> {
        Http::connect(self.http, &address(OWNER), PASSWORD).await
    }

    /// The path of a collection.
    fn collection(&self, name: &str) -> String {
        format!("{}{name}/", self.home)
    }
}

type Measured<'a> = Pin<Box<dyn Future<Output = Result<f64>> + 'a>>;

/// One row: a name and how to measure a round of it.
struct Comparison {
    name: &'static str,
    unit: &'static str,
    better: Better,
    round: fn(&Site, Scale) -> Measured<'_>,
}

const ROWS: &[&Comparison] = &[
    &sync::INITIAL,
    &sync::NO_CHANGE,
    &sync::TEN_CHANGED,
    &put::PUT,
    &time_range::TIME_RANGE,
];

/// Whose calendars they are.
const OWNER: &str = "owner";
/// The collection of many events.
const MANY: &str = "many";
/// The collection of recurring events.
const RECURRING: &str = "recurring";
/// The collection that is written to.
const WRITTEN: &str = "written";

impl Dav {
    pub(crate) async fn run(self, built: &Built) -> Result<()> {
        let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        self.wanted.check(&names)?;
        let scale = Scale {
            events: self.events,
            recurring: self.recurring,
            writes: self.writes,
        };
        self.wanted.progress("starting the servers");
        let waxwing = Waxwing::start(built, &Settings::default(), &[OWNER.to_owned()])?;
        let radicale = if self.no_peer {
            None
        } else {
            Some(Radicale::start(&self.radicale, &address(OWNER))?)
        };
        let owner = address(OWNER).replace('@', "%40");
        let mut sites = vec![Site {
            name: waxwing.site.name.clone(),
            http: waxwing.http,
            home: format!("/dav/calendars/{owner}/"),
            takes_whole: false,
        }];
        sites.extend(radicale.iter().map(|peer| Site {
            name: peer.name.clone(),
            http: peer.http,
            home: format!("/{owner}/"),
            takes_whole: true,
        }));
        for site in &sites {
            self.wanted.progress(&format!(
                "{}: {} events and {} recurring ones",
                site.name, scale.events, scale.recurring
            ));
            events::fill(site, scale)
                .await
                .with_context(|| site.name.clone())?;
        }
        self.wanted.head();
        let wanted = ROWS.iter().filter(|row| self.wanted.wants(row.name));
        for row in wanted {
            self.wanted.progress(row.name);
            for shown in self.compare(row, &sites, scale).await? {
                self.wanted.show(&shown);
            }
        }
        Ok(())
    }

    /// Rounds in turns, after one of each that does not count; a row for each peer.
    async fn compare(&self, row: &Comparison, sites: &[Site], scale: Scale) -> Result<Vec<Row>> {
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
        let peers = sites.iter().skip(1).zip(medians);
        let rows: Vec<Row> = peers
            .map(|(site, theirs)| ours.clone().beside(&site.name, theirs, row.better))
            .collect();
        Ok(if rows.is_empty() { vec![ours] } else { rows })
    }
}
