//! One worker of one line: a connection, and what goes over it.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, time::timeout};

use super::{Courier, Job, attempt, outcome};
use crate::{client::Connection, hop::Hop};

/// A connection without anything to carry is kept for so long.
const IDLE: Duration = Duration::from_secs(2);
/// Messages over one connection; some hosts count them.
const MESSAGES: usize = 100;

enum Task {
    Job(Job),
    /// Nothing waits; this rings when something does.
    Wait(Arc<Notify>),
    /// The worker is counted out already.
    Leave,
}

/// Works until the line is empty.
pub(super) async fn run(courier: Courier, hop: Hop) {
    let mut place = Place(Some((courier.clone(), hop.clone())));
    let mut connection = None;
    let mut carried = 0;
    loop {
        match next(&courier, &hop, connection.is_some()) {
            Task::Job(job) => {
                let verdicts = attempt::run(&courier, &hop, &job, &mut connection).await;
                let again = outcome::settle(&courier, &hop, &job, verdicts).await;
                done(&courier, &job);
                // Only now: what is being tried is passed over by who looks for what is due.
                if again {
                    courier.0.queue.ring();
                }
                carried += 1;
                if carried % MESSAGES == 0 {
                    quit(connection.take()).await;
                }
            }
            Task::Wait(bell) => {
                let mut stopping = courier.0.stopping.subscribe();
                let something = async {
                    tokio::select! {
                        () = bell.notified() => {}
                        _ = stopping.wait_for(|stopping| *stopping) => {}
                    }
                };
                if timeout(IDLE, something).await.is_err() {
                    quit(connection.take()).await;
                }
            }
            Task::Leave => break,
        }
    }
    place.0 = None;
    quit(connection).await;
}

/// The next thing to do. Looked at and left under one lock, so that nothing is put in a line that nobody works on.
fn next(courier: &Courier, hop: &Hop, connected: bool) -> Task {
    let mut lines = courier.lines();
    let stopping = courier.is_stopping();
    let Some(line) = lines.by_hop.get_mut(hop) else {
        return Task::Leave;
    };
    if !stopping {
        if let Some(job) = line.waiting.pop_front() {
            return Task::Job(job);
        }
        if connected {
            return Task::Wait(line.bell.clone());
        }
    }
    courier.leave(&mut lines, hop);
    Task::Leave
}

fn done(courier: &Courier, job: &Job) {
    let mut lines = courier.lines();
    for recipient in &job.recipients {
        lines.active.remove(recipient);
    }
    drop(lines);
    courier.0.freed.notify_waiters();
}

async fn quit(connection: Option<Connection>) {
    if let Some(connection) = connection {
        connection.quit().await;
    }
}

impl Courier {
    fn leave(&self, lines: &mut super::Lines, hop: &Hop) {
        lines.workers = lines.workers.saturating_sub(1);
        if let Some(line) = lines.by_hop.get_mut(hop) {
            line.workers = line.workers.saturating_sub(1);
            if line.workers == 0 && line.waiting.is_empty() {
                lines.by_hop.remove(hop);
            }
        }
        // Somebody else may have waited for a place.
        self.employ(lines);
        self.0.freed.notify_waiters();
    }
}

/// A worker that breaks leaves its place all the same.
struct Place(Option<(Courier, Hop)>);

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((courier, hop)) = self.0.take() {
            courier.leave(&mut courier.lines(), &hop);
        }
    }
}
