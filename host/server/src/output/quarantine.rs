//! Messages in quarantine as a table, and one of them in full.

use waxwing_admin::protocol::{QuarantinePage, QuarantineRow, QuarantinedMessage, ReleasedRow};

use super::{table, time};

pub(super) fn list(page: &QuarantinePage) -> String {
    let lines = page.messages.iter().map(|row| {
        vec![
            row.id.to_string(),
            sender(row),
            row.recipients.join(", "),
            row.size.to_string(),
            time(row.arrived),
            row.hook.clone(),
            row.reason.clone(),
        ]
    });
    table(
        &["ID", "FROM", "TO", "SIZE", "ARRIVED", "HOOK", "REASON"],
        lines.collect(),
    )
}

fn sender(row: &QuarantineRow) -> String {
    match row.sender.as_str() {
        "" => "<>".to_owned(),
        sender => sender.to_owned(),
    }
}

pub(super) fn show(message: &QuarantinedMessage) -> String {
    let row = &message.row;
    let unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let lines = [
        ("id", row.id.to_string()),
        ("from", sender(row)),
        ("to", row.recipients.join(", ")),
        ("hook", format!("{} at {}", row.hook, row.stage)),
        ("reason", row.reason.clone()),
        ("size", format!("{} octets", row.size)),
        ("arrived", time(row.arrived)),
        (
            "came by",
            format!("{}, session {}", row.source, row.session),
        ),
        ("peer", unknown(&row.peer)),
        ("logged in", unknown(&row.principal)),
    ];
    let line = |(name, value): &(&str, String)| format!("{name:<14}{value}\n");
    let known: String = lines.iter().map(line).collect();
    let more = if message.is_cut { "\n…\n" } else { "" };
    // A terminal is not a place for other people's control characters.
    let shown = |character: &char| !character.is_control() || matches!(character, '\n' | '\t');
    let beginning: String = message.beginning.chars().filter(shown).collect();
    format!("{known}\n{beginning}{more}")
}

pub(super) fn released(rows: &[ReleasedRow]) -> String {
    let mut lines = String::new();
    for row in rows {
        for to in &row.recipients {
            lines.push_str(&format!("{} {}: {}\n", row.id, to.address, to.answer));
        }
        if row.is_left {
            lines.push_str(&format!(
                "{} stays in quarantine for those who did not get it\n",
                row.id
            ));
        }
    }
    lines
}
