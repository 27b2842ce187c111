//! Sessions as a table, and one of them in full.

use waxwing_admin::protocol::{SessionPage, SessionRow, SessionsKilled};

use super::{table, time};

pub(super) fn list(page: &SessionPage) -> String {
    let cells = page.sessions.iter().map(|row| {
        vec![
            row.session.clone(),
            row.user.clone().unwrap_or_else(|| "-".to_owned()),
            row.peer.clone(),
            row.listener.clone(),
            format!("{} {}", row.plugin, row.version),
            state(row).to_owned(),
            time(row.since),
            row.turns.to_string(),
            row.bytes_in.to_string(),
            row.bytes_out.to_string(),
        ]
    });
    table(
        &[
            "SESSION",
            "USER",
            "PEER",
            "LISTENER",
            "SERVED BY",
            "STATE",
            "SINCE",
            "TURNS",
            "IN",
            "OUT",
        ],
        cells.collect(),
    )
}

fn state(row: &SessionRow) -> &'static str {
    if row.frozen { "frozen" } else { "live" }
}

pub(super) fn show(row: &SessionRow) -> String {
    let none = || "none".to_owned();
    let octets = |count: u64| format!("{count} octets");
    let tls = row.tls.as_ref().map_or_else(none, |tls| {
        let name = tls.server_name.as_ref().map(|name| format!(", to {name}"));
        let client = tls
            .client_identity
            .as_ref()
            .map(|who| format!(", from {who}"));
        let (name, client) = (name.unwrap_or_default(), client.unwrap_or_default());
        format!("{} with {}{name}{client}", tls.protocol, tls.cipher)
    });
    let failure = row.last_failure.as_ref().map_or_else(none, |failure| {
        format!(
            "{} in {}: {}",
            time(failure.at),
            failure.version,
            failure.reason
        )
    });
    let lines = [
        ("session", row.session.clone()),
        (
            "user",
            row.user
                .clone()
                .unwrap_or_else(|| "not logged in".to_owned()),
        ),
        ("peer", row.peer.clone()),
        (
            "listener",
            format!("{} at {}, {}", row.listener, row.local, row.protocol),
        ),
        ("TLS", tls),
        ("served by", format!("{} {}", row.plugin, row.version)),
        ("state", state(row).to_owned()),
        ("since", time(row.since)),
        ("last turn", time(row.last_turn)),
        ("turns", row.turns.to_string()),
        ("received", octets(row.bytes_in)),
        ("sent", octets(row.bytes_out)),
        ("frozen state", row.frozen_octets.map_or_else(none, octets)),
        ("instance", octets(row.memory)),
        ("timers", row.timers.to_string()),
        ("watches", format!("{} folders", row.watches)),
        ("last failure", failure),
    ];
    lines
        .iter()
        .map(|(name, value)| format!("{name:<14}{value}\n"))
        .collect()
}

pub(super) fn killed(killed: &SessionsKilled) -> String {
    let left = killed.asked - killed.ended;
    match (killed.asked, left) {
        (0, _) => "no such session is open\n".to_owned(),
        (asked, 0) => format!("{asked} ended\n"),
        (_, left) => format!(
            "{} ended, {left} are in the middle of something and end after it\n",
            killed.ended
        ),
    }
}

#[cfg(test)]
mod tests {
    use waxwing_admin::protocol::{SessionFailure, SessionTls};

    use super::*;

    fn row() -> SessionRow {
        SessionRow {
            session: "5fb8d0a31c77e204".into(),
            user: None,
            peer: "192.0.2.1:40000".into(),
            local: "192.0.2.9:993".into(),
            listener: "imaps".into(),
            protocol: "imap".into(),
            plugin: "imap".into(),
            version: "0.1.0".into(),
            frozen: true,
            since: 951_782_400,
            last_turn: 951_782_460,
            turns: 3,
            bytes_in: 40,
            bytes_out: 900,
            frozen_octets: Some(210),
            memory: 0,
            timers: 1,
            watches: 2,
            tls: None,
            last_failure: None,
        }
    }

    #[test]
    fn whoever_has_not_logged_in_is_a_dash_in_the_list() {
        let page = SessionPage {
            sessions: vec![row()],
            next: None,
        };
        let text = list(&page);
        assert!(
            text.contains("5fb8d0a31c77e204  -     192.0.2.1:40000  imaps     imap 0.1.0  frozen"),
            "{text}"
        );
    }

    #[test]
    fn one_session_is_told_line_by_line() {
        let mut row = row();
        row.tls = Some(SessionTls {
            protocol: "TLSv1.3".into(),
            cipher: "TLS13_AES_128_GCM_SHA256".into(),
            server_name: Some("mx.example.test".into()),
            client_identity: None,
        });
        row.last_failure = Some(SessionFailure {
            at: 951_782_400,
            version: "imap 0.1.1".into(),
            reason: "unreachable".into(),
        });
        let text = show(&row);
        for line in [
            "TLS           TLSv1.3 with TLS13_AES_128_GCM_SHA256, to mx.example.test\n",
            "frozen state  210 octets\n",
            "last failure  2000-02-29 00:00Z in imap 0.1.1: unreachable\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn a_kill_tells_what_is_left() {
        let told = |asked, ended| killed(&SessionsKilled { asked, ended });
        assert_eq!(told(0, 0), "no such session is open\n");
        assert_eq!(told(2, 2), "2 ended\n");
        assert!(told(3, 2).starts_with("2 ended, 1 are"));
    }
}
