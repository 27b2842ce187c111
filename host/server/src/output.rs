//! Answers as people and as machines want them.

mod backups;
mod dns;
mod quarantine;
mod queue;
mod quotas;
mod salvage;
mod sessions;
mod shares;

use std::io::Write;

use serde::Serialize;
use waxwing_admin::protocol::{
    CanaryAudience, CheckedMailbox, DomainRow, ExplainedRow, Finding, ImportProblem, MailboxRow,
    PluginCanary, PluginLoaded, PluginRow, Response, UserProblem, UserRow, UsersImported,
};

/// Writes to standard output; a reader that went away (`| head`) is no error.
pub(crate) fn out(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}

/// The rows of a list, or the one object that a command answered with.
pub(crate) fn json(response: &Response) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Done<'a> {
        done: &'a str,
    }
    match response {
        Response::Done(sentence) => pretty(&Done { done: sentence }),
        Response::Domains(rows) => pretty(rows),
        Response::DkimKeys(keys) => pretty(&keys.keys),
        Response::DnsRecords(rows) => pretty(rows),
        Response::Users(rows) => pretty(rows),
        Response::UserAdded(row) => pretty(row),
        Response::UsersImported(done) => pretty(done),
        Response::UsersRemoved(rows) => pretty(rows),
        Response::Aliases(rows) => pretty(rows),
        Response::Groups(rows) => pretty(rows),
        Response::AppPasswords(rows) => pretty(rows),
        Response::AppPasswordAdded {
            user,
            name,
            password,
        } => pretty(
            &serde_json::json!({ "user": user, "name": name, "password": password.expose() }),
        ),
        Response::Mailboxes(rows) => pretty(rows),
        Response::Checked(rows) => pretty(rows),
        Response::Plugins(rows) => pretty(rows),
        Response::PluginLoaded(row) => pretty(row),
        Response::PluginSwapped(row) => pretty(row),
        Response::PluginCanary(row) => pretty(row),
        Response::Sessions(page) => pretty(&page.sessions),
        Response::Session(row) => pretty(row),
        Response::SessionsKilled(killed) => pretty(killed),
        Response::Quotas(rows) => pretty(rows),
        Response::Shares(rows) => pretty(rows),
        Response::Folders(rows) => pretty(rows),
        Response::Queue(page) => pretty(&page.messages),
        Response::Queued(row) => pretty(row),
        Response::QueueActed(acted) => pretty(acted),
        Response::Quarantine(page) => pretty(&page.messages),
        Response::Quarantined(message) => pretty(message),
        Response::Released(rows) => pretty(rows),
        Response::Explained(rows) => pretty(rows),
        Response::Imported(summary) => pretty(summary),
        Response::BackedUp(summary) => pretty(summary),
        Response::Restored(summary) => pretty(summary),
        Response::Exported(summary) => pretty(summary),
    }
}

/// One JSON value and a line end.
pub(crate) fn pretty(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(|text| text + "\n")
}

/// The steps on a message's way; a star stands before those that decide.
fn explained(rows: &[ExplainedRow]) -> String {
    let lines = rows.iter().map(|row| {
        let mark = if row.decides { "*" } else { "" };
        let who = if row.who.is_empty() { "-" } else { &row.who };
        let cells = [mark, &row.step, who, &row.answer];
        cells.map(str::to_owned).to_vec()
    });
    table(&["", "STEP", "WHO", "WHAT"], lines.collect())
}

/// An answer for people.
#[allow(clippy::too_many_lines, reason = "one short arm an answer")]
pub(crate) fn text(response: &Response) -> String {
    match response {
        Response::Done(sentence) => format!("{sentence}\n"),
        Response::Domains(rows) => domains(rows),
        Response::DkimKeys(keys) => dns::keys(keys),
        Response::DnsRecords(rows) => dns::records(rows),
        Response::Users(rows) => users(rows),
        Response::UserAdded(row) => {
            format!("added user {}, mailbox {}\n", row.address, row.mailbox)
        }
        Response::UsersImported(done) => users_imported(done),
        Response::UsersRemoved(rows) => rows
            .iter()
            .map(|row| {
                let mail = if row.mail_kept {
                    "stays on disk"
                } else {
                    "is removed"
                };
                format!(
                    "removed user {}; mailbox {} {mail}\n",
                    row.address, row.mailbox
                )
            })
            .collect(),
        Response::Aliases(rows) => table(
            &["ALIAS", "FOR"],
            rows.iter()
                .map(|row| vec![row.address.clone(), row.target.clone()])
                .collect(),
        ),
        Response::Groups(rows) => table(
            &["GROUP", "WHO MAY WRITE", "MEMBERS"],
            rows.iter()
                .map(|row| {
                    let who = [row.posting.name().to_owned()];
                    let who: Vec<String> = who.into_iter().chain(row.senders.clone()).collect();
                    vec![row.address.clone(), who.join(", "), row.members.join(", ")]
                })
                .collect(),
        ),
        Response::AppPasswords(rows) => table(
            &["NAME", "CREATED", "LAST USED"],
            rows.iter()
                .map(|row| {
                    vec![
                        row.name.clone(),
                        time(row.created),
                        row.last_used.map_or("never".to_owned(), time),
                    ]
                })
                .collect(),
        ),
        Response::AppPasswordAdded {
            user,
            name,
            password,
        } => {
            format!(
                "app password \"{name}\" of {user}, shown only now: {}\n",
                password.expose()
            )
        }
        Response::Mailboxes(rows) => mailboxes(rows),
        Response::Checked(rows) => rows.iter().map(checked).collect(),
        Response::BackedUp(summary) => backups::backed_up(summary),
        Response::Restored(summary) => backups::restored(summary),
        Response::Plugins(rows) => plugins(rows),
        Response::PluginLoaded(row) => loaded(row),
        Response::PluginSwapped(row) => match (&row.from, &row.from_key) {
            // Another package of the same number.
            (Some(from), Some(from_key)) if *from == row.to && *from_key != row.to_key => {
                format!("{}: {from_key} → {}\n", row.plugin, row.to_key)
            }
            (Some(from), _) => format!("{}: {from} → {}\n", row.plugin, row.to),
            (None, _) => format!("{}: {} is active\n", row.plugin, row.to),
        },
        Response::PluginCanary(row) => canary(row),
        Response::Sessions(page) => sessions::list(page),
        Response::Session(row) => sessions::show(row),
        Response::SessionsKilled(killed) => sessions::killed(killed),
        Response::Shares(rows) => shares::rows(rows),
        Response::Folders(rows) => shares::folders(rows),
        Response::Quotas(rows) => quotas::rows(rows),
        Response::Queue(page) => queue::list(page),
        Response::Queued(row) => queue::show(row),
        Response::Quarantine(page) => quarantine::list(page),
        Response::Quarantined(message) => quarantine::show(message),
        Response::Released(rows) => quarantine::released(rows),
        Response::Explained(rows) => explained(rows),
        Response::QueueActed(acted) => queue::acted(acted),
        Response::Imported(summary) => {
            format!(
                "{} imported, {} there already, {} failed\n{}",
                summary.imported,
                summary.skipped,
                summary.failed,
                problems(&summary.problems)
            )
        }
        Response::Exported(summary) => format!(
            "{} messages of {} folders exported, {} failed\n{}",
            summary.exported,
            summary.folders,
            summary.failed,
            problems(&summary.problems)
        ),
    }
}

fn domains(rows: &[DomainRow]) -> String {
    let caught = rows.iter().any(|row| row.catch_all.is_some());
    let mut header = vec!["DOMAIN", "USERS"];
    header.extend(caught.then_some("CATCH-ALL"));
    let cells = rows.iter().map(|row| {
        let mut cells = vec![row.name.clone(), row.users.to_string()];
        let catch_all = row.catch_all.as_deref().unwrap_or("-");
        cells.extend(caught.then(|| catch_all.to_owned()));
        cells
    });
    table(&header, cells.collect())
}

fn users_imported(done: &UsersImported) -> String {
    let line = |problem: &UserProblem| {
        let UserProblem {
            line,
            address,
            reason,
        } = problem;
        format!("  line {line}: {address}: {reason}\n")
    };
    format!(
        "{} users added, {} there already, {} failed\n{}",
        done.added,
        done.present,
        done.problems.len(),
        done.problems.iter().map(line).collect::<String>()
    )
}

fn problems(problems: &[ImportProblem]) -> String {
    let line = |problem: &ImportProblem| format!("  {}: {}\n", problem.origin, problem.reason);
    problems.iter().map(line).collect()
}

fn loaded(row: &PluginLoaded) -> String {
    let (plugin, version) = (&row.plugin, &row.version);
    let next = match row.ungranted.as_slice() {
        [] if row.state == "active" => "it is active already".to_owned(),
        [] => format!("`waxwing plugin activate {plugin}` puts it in place"),
        needs => format!(
            "it waits for grants: it needs {}, which stand not among `grants` under [plugin.{plugin}]",
            needs.join(", ")
        ),
    };
    format!(
        "loaded {plugin} {version} (digest {}); {next}\n",
        row.digest
    )
}

fn canary(row: &PluginCanary) -> String {
    let (plugin, version) = (&row.plugin, &row.version);
    let mut text = format!(
        "{plugin}: {version} serves {}, {} all others\n",
        audience(&row.canary),
        row.active
    );
    if let Some(why) = &row.no_way_back {
        text.push_str(&format!("warning: {why}\n"));
    }
    text.push_str(&format!(
        "`waxwing plugin activate {plugin}` gives it to everybody, `waxwing plugin canary {plugin} --stop` takes it back\n"
    ));
    text
}

fn audience(canary: &CanaryAudience) -> String {
    let users = canary.users.join(", ");
    match (canary.users.is_empty(), canary.percent) {
        (true, percent) => format!("{percent} % of mailboxes"),
        (false, 0) => users,
        (false, percent) => format!("{users} and {percent} % of mailboxes"),
    }
}

fn users(rows: &[UserRow]) -> String {
    let cells = rows.iter().map(|row| {
        let state = match (row.enabled, row.features_off.is_empty()) {
            (false, _) => "disabled".to_owned(),
            (true, true) => "enabled".to_owned(),
            (true, false) => format!("enabled without {}", row.features_off.join(", ")),
        };
        vec![
            row.address.clone(),
            row.display_name.clone(),
            row.mailbox.clone(),
            state,
        ]
    });
    table(&["ADDRESS", "NAME", "MAILBOX", "LOG-IN"], cells.collect())
}

fn mailboxes(rows: &[MailboxRow]) -> String {
    let sized = rows.iter().any(|row| row.items.is_some());
    let mut header = vec!["MAILBOX", "OWNER"];
    if sized {
        header.extend(["FOLDERS", "ITEMS", "OCTETS", "ON DISK"]);
    }
    let number = |value: Option<u64>| value.map_or(String::new(), |value| value.to_string());
    let cells = rows.iter().map(|row| {
        let mut cells = vec![
            row.mailbox.clone(),
            row.owner.clone().unwrap_or_else(|| "(nobody)".to_owned()),
        ];
        if sized {
            cells.extend([
                number(row.folders.map(u64::from)),
                number(row.items),
                number(row.bytes),
                number(row.bytes_on_disk),
            ]);
        }
        cells
    });
    table(&header, cells.collect())
}

fn checked(row: &CheckedMailbox) -> String {
    let name = row.owner.as_deref().unwrap_or(&row.mailbox);
    let mut text = format!(
        "{name}: {} folders, {} items, {} blobs",
        row.folders, row.items, row.blobs
    );
    match (&row.error, row.findings.len()) {
        (Some(error), _) => text.push_str(&format!(", not checked to the end: {error}\n")),
        (None, 0) => text.push_str(", nothing wrong\n"),
        (None, count) => text.push_str(&format!(", {count} wrong\n")),
    }
    text.push_str(&findings(&row.findings));
    text.push_str(
        &row.salvage
            .as_ref()
            .map_or_else(String::new, salvage::salvaged),
    );
    text
}

fn findings(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let done = finding
            .repaired
            .as_ref()
            .map_or("not repaired".to_owned(), |what| {
                format!("repaired: {what}")
            });
        format!("  {}: {} ({done})\n", finding.invariant, finding.what)
    };
    findings.iter().map(line).collect()
}

fn plugins(rows: &[PluginRow]) -> String {
    let cells = rows.iter().map(|row| {
        vec![
            row.plugin.clone(),
            row.version.clone(),
            row.state.clone(),
            row.sessions.to_string(),
            row.frozen.to_string(),
            row.turns.to_string(),
            row.traps.to_string(),
            row.timeouts.to_string(),
            row.limits.to_string(),
            row.recoveries.to_string(),
            row.lost.to_string(),
            row.handovers.to_string(),
            row.refusals.to_string(),
            row.digest.chars().take(12).collect(),
        ]
    });
    let mut text = table(
        &[
            "PLUGIN",
            "VERSION",
            "STATE",
            "SESSIONS",
            "FROZEN",
            "TURNS",
            "TRAPS",
            "TIME-OUTS",
            "LIMITS",
            "RECOVERED",
            "LOST",
            "TAKEN OVER",
            "REFUSED",
            "DIGEST",
        ],
        cells.collect(),
    );
    for row in rows {
        let identity = format!("{} {}", row.plugin, row.version);
        if let Some(canary) = &row.canary {
            text.push_str(&format!("{identity} serves {}\n", audience(canary)));
        }
        if let Some(why) = &row.reason {
            text.push_str(&format!("{identity} was taken back by itself: {why}\n"));
        }
        if row.lingering > 0 {
            let why = row.last_refusal.as_deref().unwrap_or("no reason is known");
            let sessions = counted(row.lingering, "session");
            text.push_str(&format!(
                "{identity} keeps {sessions} until they end; the last stays because: {why}\n"
            ));
        }
    }
    text
}

/// `1 session`, `2 sessions`.
fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// Seconds since 1970 as `2026-01-31 12:00Z`.
pub(crate) fn time(seconds: i64) -> String {
    let (year, month, day) = crate::import::civil::date_of_day(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}Z",
        of_day / 3600,
        of_day % 3600 / 60
    )
}

/// Columns as wide as their widest cell; numbers to the right.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let header = header.iter().map(|cell| (*cell).to_owned()).collect();
    let mut text = String::new();
    for row in std::iter::once(header).chain(rows) {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| {
                let number = !cell.is_empty() && cell.chars().all(|c| c.is_ascii_digit());
                if number {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use waxwing_admin::protocol::Secret;

    use super::*;

    #[test]
    fn columns_are_aligned_and_numbers_stand_to_the_right() {
        let text = text(&Response::Domains(vec![
            DomainRow {
                name: "example.org".into(),
                users: 12,
                catch_all: None,
            },
            DomainRow {
                name: "a.test".into(),
                users: 3,
                catch_all: None,
            },
        ]));
        assert_eq!(
            text,
            "DOMAIN       USERS\nexample.org     12\na.test           3\n"
        );
    }

    #[test]
    fn a_list_in_json_is_an_array_of_its_rows() {
        let text = json(&Response::Domains(vec![DomainRow {
            name: "a.test".into(),
            users: 3,
            catch_all: None,
        }]))
        .unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value, serde_json::json!([{ "name": "a.test", "users": 3 }]));
    }

    #[test]
    fn a_new_app_password_is_shown_once_in_either_form() {
        let added = Response::AppPasswordAdded {
            user: "a@a.test".into(),
            name: "phone".into(),
            password: Secret::new("xyz"),
        };
        assert!(text(&added).contains("xyz") && json(&added).unwrap().contains("xyz"));
    }

    #[test]
    fn a_time_is_written_so_that_it_sorts() {
        assert_eq!(time(951_782_400), "2000-02-29 00:00Z");
    }
}
