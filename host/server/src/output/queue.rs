//! Queued messages as a table, and one of them in full.

use waxwing_admin::protocol::{QueueActed, QueueAction, QueuePage, QueueRecipientRow, QueueRow};

use super::{table, time};

/// One line for each recipient.
pub(super) fn list(page: &QueuePage) -> String {
    let lines = page.messages.iter().flat_map(|row| {
        row.recipients.iter().map(|to| {
            vec![
                row.id.to_string(),
                sender(row),
                to.address.clone(),
                to.next_hop.clone(),
                row.size.to_string(),
                time(row.arrived),
                to.attempts.to_string(),
                next(row, to),
                to.answer.clone().unwrap_or_else(|| "-".to_owned()),
            ]
        })
    });
    table(
        &[
            "ID",
            "FROM",
            "TO",
            "NEXT HOP",
            "SIZE",
            "ARRIVED",
            "TRIED",
            "NEXT",
            "LAST ANSWER",
        ],
        lines.collect(),
    )
}

fn sender(row: &QueueRow) -> String {
    match row.sender.as_str() {
        "" => "<>".to_owned(),
        sender => sender.to_owned(),
    }
}

fn next(row: &QueueRow, to: &QueueRecipientRow) -> String {
    match row.held {
        true => "held".to_owned(),
        false => time(to.due),
    }
}

pub(super) fn show(row: &QueueRow) -> String {
    let state = if row.held { "held" } else { "queued" };
    let mut lines = vec![
        ("id", row.id.to_string()),
        ("from", sender(row)),
        ("state", state.to_owned()),
        ("size", format!("{} octets", row.size)),
        ("arrived", time(row.arrived)),
        (
            "came by",
            format!("{}, session {}", row.source, row.session),
        ),
    ];
    for to in &row.recipients {
        lines.push(("to", to.address.clone()));
        lines.push(("  next hop", to.next_hop.clone()));
        lines.push(("  next", next(row, to)));
        let tried = match to.tried {
            Some(at) => format!("{} times, last {}", to.attempts, time(at)),
            None => "not yet".to_owned(),
        };
        lines.push(("  tried", tried));
        if let Some(answer) = &to.answer {
            let host = to.host.as_deref().filter(|host| !host.is_empty());
            let by = host.map(|host| format!(" ({host})")).unwrap_or_default();
            lines.push(("  answer", format!("{answer}{by}")));
        }
    }
    let line = |(name, value): &(&str, String)| format!("{name:<14}{value}\n");
    lines.iter().map(line).collect()
}

pub(super) fn acted(acted: &QueueActed) -> String {
    let done = match acted.action {
        QueueAction::Retry => "due now",
        QueueAction::Hold => "held",
        QueueAction::Release => "released",
        QueueAction::Delete => "deleted",
    };
    match acted.ids.as_slice() {
        [] => "no such message is in the queue\n".to_owned(),
        ids => ids.iter().map(|id| format!("{id} {done}\n")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_waits_says_for_whom_and_why() {
        let row = QueueRow {
            id: 17,
            sender: String::new(),
            size: 9,
            arrived: 0,
            held: false,
            source: "report".into(),
            session: "s1".into(),
            recipients: vec![QueueRecipientRow {
                address: "a@example.net".into(),
                next_hop: "example.net".into(),
                due: 60,
                attempts: 1,
                tried: Some(0),
                host: Some("mx.example.net (192.0.2.1:25)".into()),
                answer: Some("451 4.2.0 later".into()),
            }],
        };
        let shown = show(&row);
        assert!(
            shown.contains("451 4.2.0 later (mx.example.net (192.0.2.1:25))"),
            "{shown}"
        );
        let page = QueuePage {
            messages: vec![row],
            next: None,
        };
        let listed = list(&page);
        assert!(
            listed.contains("<>") && listed.contains("example.net"),
            "{listed}"
        );
    }
}
