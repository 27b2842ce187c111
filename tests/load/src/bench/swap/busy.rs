//! Clients in the middle of something, and what they must find in the end.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tokio::task::JoinSet;

use crate::{
    client::{Wire, imap::Imap},
    server::{PASSWORD, Site, address},
};

/// Whose inbox everybody fetches.
const SHELF: &str = "shelf";
/// Messages on the shelf, and their octets.
const MESSAGES: usize = 20;
const SIZE: usize = 8_000;
/// Users whose inboxes grow.
const WRITERS: usize = 10;
/// Between two pieces of what is sent or read.
const PAUSE: Duration = Duration::from_millis(25);
/// From one command of a client to its next.
const REST: Duration = Duration::from_millis(400);
/// A client that waits longer has lost its connection.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn users() -> impl Iterator<Item = String> {
    std::iter::once(SHELF.to_owned()).chain((0..WRITERS).map(writer))
}

fn writer(number: usize) -> String {
    format!("writer{number}")
}

/// Message `number` of the shelf: no two lines alike, so that one octet too many or too few is seen.
fn message(number: usize) -> Vec<u8> {
    let mut text = format!("Subject: message {number}\r\n\r\n");
    let mut line = 0;
    while text.len() < SIZE {
        text.push_str(&format!("{number:06} {line:06} of the shelf\r\n"));
        line += 1;
    }
    text.into_bytes()
}

pub(super) async fn fill(site: &Site) -> Result<()> {
    let mut client = Imap::login(site.imap, &address(SHELF), PASSWORD).await?;
    for number in 1..=MESSAGES {
        client.append("INBOX", "", &message(number)).await?;
    }
    Ok(())
}

/// How long clients waited, in milliseconds: from a command to its last octet, or to its next piece.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    pub(super) longest: f64,
    pub(super) p99: f64,
}

/// What was acknowledged and how long it took.
#[derive(Default)]
pub(super) struct Ledger {
    acknowledged: Mutex<BTreeMap<String, Vec<String>>>,
    waits: Mutex<Vec<f64>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    fn acknowledge(&self, user: &str, key: String) {
        let mut acknowledged = lock(&self.acknowledged);
        acknowledged.entry(user.to_owned()).or_default().push(key);
    }

    fn waited(&self, since: Instant) {
        lock(&self.waits).push(since.elapsed().as_secs_f64() * 1_000.0);
    }

    /// The waits since the last call.
    pub(super) fn forget_waits(&self) -> Waits {
        let mut waits = std::mem::take(&mut *lock(&self.waits));
        waits.sort_by(f64::total_cmp);
        Waits {
            longest: waits.last().copied().unwrap_or(f64::NAN),
            p99: waits
                .get(waits.len() * 99 / 100)
                .copied()
                .unwrap_or(f64::NAN),
        }
    }
}

/// How a client's work ended badly.
enum Trouble {
    Dropped(anyhow::Error),
    Torn(String),
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Trouble {
        Trouble::Dropped(error)
    }
}

pub(super) struct Load {
    clients: JoinSet<Result<(), Trouble>>,
    stop: Arc<AtomicBool>,
}

impl Load {
    pub(super) async fn start(site: &Site, count: usize, ledger: &Arc<Ledger>) -> Result<Load> {
        let stop = Arc::<AtomicBool>::default();
        let mut clients = JoinSet::new();
        let expected = Arc::new((1..=MESSAGES).map(message).collect::<Vec<_>>());
        for number in 0..count {
            let (stop, ledger) = (Arc::clone(&stop), Arc::clone(ledger));
            let reads = number % 2 == 0;
            let user = if reads {
                SHELF.to_owned()
            } else {
                writer(number / 2 % WRITERS)
            };
            let mut wire = selected(site, &user).await?;
            let expected = Arc::clone(&expected);
            clients.spawn(async move {
                // Not all at once.
                tokio::time::sleep(REST * u32::try_from(number % 64).unwrap_or(0) / 64).await;
                if reads {
                    reading(&mut wire, &stop, &ledger, &expected).await
                } else {
                    writing(&mut wire, &stop, &ledger, (&user, number)).await
                }
            });
        }
        Ok(Load { clients, stop })
    }

    /// Lets everybody finish; connections that were dropped and answers that were torn.
    pub(super) async fn stop(mut self) -> (usize, usize) {
        self.stop.store(true, Ordering::Relaxed);
        let (dropped, torn) = (AtomicUsize::new(0), AtomicUsize::new(0));
        while let Some(ended) = self.clients.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(Trouble::Torn(what))) => {
                    eprintln!("torn: {what}");
                    torn.fetch_add(1, Ordering::Relaxed);
                }
                Ok(Err(Trouble::Dropped(error))) => {
                    eprintln!("dropped: {error:#}");
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
                Err(_) => {
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        (dropped.into_inner(), torn.into_inner())
    }
}

async fn line(wire: &mut Wire) -> Result<String> {
    let line = tokio::time::timeout(PATIENCE, wire.line())
        .await
        .context("no answer")??;
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// A connection with the user's inbox selected.
async fn selected(site: &Site, user: &str) -> Result<Wire> {
    let mut wire = Wire::connect(site.imap).await?;
    wire.line().await?;
    let user = address(user);
    exchange(&mut wire, &format!("LOGIN {user} \"{PASSWORD}\"")).await?;
    exchange(&mut wire, "SELECT INBOX").await?;
    Ok(wire)
}

async fn exchange(wire: &mut Wire, command: &str) -> Result<()> {
    wire.send(format!("x {command}\r\n").as_bytes()).await?;
    loop {
        let line = line(wire).await?;
        if let Some(answer) = line.strip_prefix("x ") {
            if answer.starts_with("OK") {
                return Ok(());
            }
            bail!("{command}: {answer}");
        }
    }
}

/// Fetches the shelf again and again, a message at a time with a pause after each.
async fn reading(
    wire: &mut Wire,
    stop: &AtomicBool,
    ledger: &Ledger,
    expected: &[Vec<u8>],
) -> Result<(), Trouble> {
    while !stop.load(Ordering::Relaxed) {
        let mut began = Instant::now();
        wire.send(b"f FETCH 1:* (UID BODY.PEEK[])\r\n").await?;
        for (at, message) in expected.iter().enumerate() {
            let number = at + 1;
            let head = line(wire).await?;
            let wanted = format!(
                "* {number} FETCH (UID {number} BODY[] {{{}}}",
                message.len()
            );
            if head != wanted {
                return Err(Trouble::Torn(format!("{head} instead of {wanted}")));
            }
            let body = tokio::time::timeout(PATIENCE, wire.take(message.len()))
                .await
                .context("no answer")??;
            if body != *message {
                return Err(Trouble::Torn(format!("message {number} is another")));
            }
            let tail = line(wire).await?;
            if tail != ")" {
                return Err(Trouble::Torn(format!("{tail} after message {number}")));
            }
            ledger.waited(began);
            tokio::time::sleep(PAUSE / 5).await;
            began = Instant::now();
        }
        let end = line(wire).await?;
        ledger.waited(began);
        if !end.starts_with("f OK") {
            return Err(Trouble::Torn(end));
        }
        tokio::time::sleep(REST).await;
    }
    Ok(())
}

/// Appends messages of its own, each literal in two pieces.
async fn writing(
    wire: &mut Wire,
    stop: &AtomicBool,
    ledger: &Ledger,
    (user, number): (&str, usize),
) -> Result<(), Trouble> {
    for count in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let key = format!("{number}.{count}");
        let message = format!("X-Key: {key}\r\n\r\n{}\r\n", "text ".repeat(200));
        let (first, second) = message.split_at(message.len() / 2);
        let began = Instant::now();
        wire.send(format!("a APPEND INBOX {{{}}}\r\n", message.len()).as_bytes())
            .await?;
        let mut answer = line(wire).await?;
        while answer.starts_with("* ") {
            answer = line(wire).await?;
        }
        if !answer.starts_with('+') {
            return Err(Trouble::Torn(answer));
        }
        ledger.waited(began);
        wire.send(first.as_bytes()).await?;
        tokio::time::sleep(PAUSE).await;
        let began = Instant::now();
        wire.send(format!("{second}\r\n").as_bytes()).await?;
        answer = line(wire).await?;
        while answer.starts_with("* ") {
            answer = line(wire).await?;
        }
        ledger.waited(began);
        if !answer.starts_with("a OK [APPENDUID ") {
            return Err(Trouble::Torn(answer));
        }
        ledger.acknowledge(user, key);
        tokio::time::sleep(REST).await;
    }
    Ok(())
}

/// The keys of all messages in a user's inbox.
async fn keys_of(site: &Site, user: &str) -> Result<Vec<String>> {
    let mut wire = selected(site, user).await?;
    wire.send(b"k FETCH 1:* (BODY.PEEK[HEADER.FIELDS (X-KEY)])\r\n")
        .await?;
    let mut keys = Vec::new();
    loop {
        let line = line(&mut wire).await?;
        if let Some(answer) = line.strip_prefix("k ") {
            if answer.starts_with("OK") {
                return Ok(keys);
            }
            bail!("the keys: {answer}");
        }
        let length = line.rsplit_once('{').and_then(|(_, rest)| {
            let digits = rest.strip_suffix('}')?;
            digits.parse::<usize>().ok()
        });
        if let Some(length) = length {
            let header = wire.take(length).await?;
            let header = String::from_utf8_lossy(&header).into_owned();
            keys.extend(header.trim().strip_prefix("X-Key: ").map(str::to_owned));
        }
    }
}

/// Messages that were acknowledged and are not there, or are there without, or twice.
pub(super) async fn unaccounted(site: &Site, ledger: &Ledger) -> Result<usize> {
    let acknowledged = lock(&ledger.acknowledged).clone();
    let mut wrong = 0;
    for (user, mut keys) in acknowledged {
        let mut found = keys_of(site, &user).await?;
        keys.sort_unstable();
        found.sort_unstable();
        wrong += keys
            .iter()
            .filter(|key| found.binary_search(key).is_err())
            .count();
        wrong += found.len().abs_diff(keys.len());
    }
    Ok(wrong)
}
