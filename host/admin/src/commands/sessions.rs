//! `waxwing session …`

use std::time::Duration;

use waxwing_runtime::{CloseReason, Runtime, SessionStatus};

use crate::{
    Admin, Error, Result,
    protocol::{
        Response, SessionCommand, SessionFailure, SessionFilter, SessionPage, SessionRow,
        SessionTls, SessionsKilled,
    },
};

/// Lines of a page: some hundred kilobytes.
const PAGE: usize = 1_000;

pub(crate) async fn execute(admin: &Admin, command: SessionCommand) -> Result<Response> {
    let runtime = runtime(admin)?;
    match command {
        SessionCommand::List { filter, after } => {
            let filter = known(admin, filter).await?;
            let (sessions, next) =
                runtime.sessions_after(after, PAGE, |status| selects(&filter, status));
            Ok(Response::Sessions(SessionPage {
                sessions: sessions.into_iter().map(row).collect(),
                next,
            }))
        }
        SessionCommand::Show { session } => {
            let (found, _) = runtime.sessions_after(0, 1, |status| status.session == session);
            let Some(found) = found.into_iter().next() else {
                return Err(Error::Failed(format!(
                    "no session {session} is open; `waxwing session list` names those that are"
                )));
            };
            Ok(Response::Session(Box::new(row(found))))
        }
        SessionCommand::Kill {
            filter,
            wait_seconds,
        } => {
            let filter = known(admin, filter).await?;
            let (asked, left) = runtime
                .end_sessions(
                    |status| selects(&filter, status),
                    CloseReason::Administrator,
                    Duration::from_secs(wait_seconds),
                )
                .await;
            let (asked, left) = (asked as u64, left as u64);
            Ok(Response::SessionsKilled(SessionsKilled {
                asked,
                ended: asked - left,
            }))
        }
    }
}

fn runtime(admin: &Admin) -> Result<&Runtime> {
    admin.runtime.as_ref().ok_or_else(|| {
        Error::Failed("sessions live in a running server, and none answers in this data directory; start it with `waxwing serve`".into())
    })
}

/// The filter with its user as the directory spells the address. Whoever was removed may still be connected.
async fn known(admin: &Admin, filter: SessionFilter) -> Result<SessionFilter> {
    let user = match filter.user {
        Some(user) => Some(match admin.directory.user(&user).await {
            Ok(user) => user.address,
            Err(waxwing_directory::Error::NotFound(_)) => user.to_ascii_lowercase(),
            Err(error) => return Err(error.into()),
        }),
        None => None,
    };
    Ok(SessionFilter { user, ..filter })
}

fn selects(filter: &SessionFilter, status: &SessionStatus) -> bool {
    let is = |wanted: &Option<String>, has: &str| wanted.as_deref().is_none_or(|one| one == has);
    (filter.sessions.is_empty() || filter.sessions.contains(&status.session))
        && (filter.user.is_none() || filter.user == status.principal)
        && is(&filter.plugin, &status.plugin)
        && is(&filter.version, &status.version)
        && is(&filter.listener, &status.listener)
        && is(&filter.protocol, &status.protocol)
        && (!filter.frozen || status.frozen)
}

fn row(status: SessionStatus) -> SessionRow {
    SessionRow {
        session: status.session,
        user: status.principal,
        peer: status.peer.to_string(),
        local: status.local.to_string(),
        listener: status.listener,
        protocol: status.protocol,
        plugin: status.plugin,
        version: status.version,
        frozen: status.frozen,
        since: seconds(status.since),
        last_turn: seconds(status.last_turn),
        turns: status.turns,
        bytes_in: status.bytes_in,
        bytes_out: status.bytes_out,
        frozen_octets: status.frozen_octets,
        memory: status.memory,
        timers: status.timers,
        watches: status.watches,
        tls: status.tls.map(|tls| SessionTls {
            protocol: tls.protocol.clone(),
            cipher: tls.cipher.clone(),
            server_name: tls.server_name.clone(),
            client_identity: tls.client_identity.clone(),
        }),
        last_failure: status.last_failure.map(|failure| SessionFailure {
            at: seconds(failure.at),
            version: failure.version,
            reason: failure.reason,
        }),
    }
}

fn seconds(time: std::time::SystemTime) -> i64 {
    time.duration_since(std::time::SystemTime::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        })
}

#[cfg(test)]
mod tests {
    use crate::{protocol::*, testing::Fixture};

    #[tokio::test]
    async fn without_a_server_sessions_say_how_to_start_one() {
        let fixture = Fixture::with_users(&[]).await;
        let show = SessionCommand::Show {
            session: "5fb8d0a31c77e204".into(),
        };
        let refusal = fixture.refused(Request::Session(show)).await;
        assert!(refusal.contains("waxwing serve"), "{refusal}");
    }
}
