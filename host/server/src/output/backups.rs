//! What came of backups and restorations.

use waxwing_admin::protocol::{BackedUpMailbox, BackupSummary, RestoreSummary, RestoredRow};

use super::{findings, table};
use crate::meter::octets;

pub(super) fn backed_up(summary: &BackupSummary) -> String {
    let name = |row: &BackedUpMailbox| row.owner.clone().unwrap_or_else(|| row.mailbox.clone());
    let made = summary.mailboxes.iter().filter_map(|row| {
        Some(vec![
            name(row),
            row.generation.clone()?,
            row.change_number.to_string(),
            row.items.to_string(),
            row.octets.to_string(),
            row.copied_octets.to_string(),
        ])
    });
    let header = [
        "MAILBOX",
        "GENERATION",
        "CHANGE",
        "ITEMS",
        "OCTETS",
        "COPIED",
    ];
    let mut text = table(&header, made.collect());
    for row in &summary.mailboxes {
        if let Some(error) = &row.error {
            let what = match row.generation {
                Some(_) => "backed up, but ",
                None => "not backed up: ",
            };
            text.push_str(&format!("{}: {what}{error}\n", name(row)));
        }
        if row.missing > 0 {
            text.push_str(&format!(
                "{}: the octets of {} messages are lost; `waxwing mailbox check` names them\n",
                name(row),
                row.missing
            ));
        }
    }
    let failed = summary
        .mailboxes
        .iter()
        .filter(|row| row.generation.is_none());
    let copied: u64 = summary.mailboxes.iter().map(|row| row.copied_octets).sum();
    let failed = failed.count();
    let users = if summary.directory {
        " and the directory of users"
    } else {
        ""
    };
    text.push_str(&format!(
        "{} mailboxes{users} backed up, {failed} failed, {} copied\n",
        summary.mailboxes.len() - failed,
        octets(copied)
    ));
    text
}

pub(super) fn restored(summary: &RestoreSummary) -> String {
    let mut text: String = summary.mailboxes.iter().map(one).collect();
    if let Some(users) = summary.users {
        text.push_str(&format!("{users} users restored\n"));
    }
    text
}

fn one(row: &RestoredRow) -> String {
    let name = row.owner.as_ref().unwrap_or(&row.mailbox);
    if let Some(error) = &row.error {
        return format!("{name}: not restored: {error}\n");
    }
    let of = row.generation.as_deref().unwrap_or_default();
    let lost = match row.missing {
        0 => String::new(),
        missing => format!(", {missing} messages without their octets"),
    };
    format!(
        "{name}: {} items of {of}{lost}\n{}",
        row.items,
        findings(&row.findings)
    )
}
