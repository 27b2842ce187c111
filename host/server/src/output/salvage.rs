//! What `mailbox check --repair` tells of a file that it replaced.

use waxwing_exmdb::{Loss, Lost, Salvage};

pub(super) fn salvaged(salvage: &Salvage) -> String {
    let pages = match salvage.damaged_pages.len() {
        0 => String::new(),
        1 => ", 1 page unreadable".to_owned(),
        count => format!(", {count} pages unreadable"),
    };
    let mut text = format!(
        "  its file was damaged ({}{pages}); a new one was made of what could be read\n  the damaged file is kept as {}\n",
        salvage.damage,
        salvage.damaged_file.display()
    );
    if salvage.losses.is_empty() {
        text.push_str("  nothing was lost\n");
    }
    text.extend(salvage.losses.iter().map(loss));
    text
}

fn loss(loss: &Loss) -> String {
    let (of, uids) = (&loss.of, ranges(&loss.uids));
    match loss.lost {
        Lost::FolderRow => {
            format!(
                "  lost: what folder {of} was beside its name and mail; it has a new UIDVALIDITY\n"
            )
        }
        Lost::Item => format!("  lost: {of} UID {uids}\n"),
        Lost::Octets => {
            format!("  lost: the octets of {of} UID {uids}; a notice stands in their place\n")
        }
        Lost::Flags => format!("  lost: flags, keywords and dates of {of} UID {uids}\n"),
        Lost::Place => {
            format!("  lost: folder and flags of messages that are now {of} UID {uids}\n")
        }
        Lost::Rows => format!("  lost: rows of the table {of}\n"),
    }
}

/// UIDs in ascending order, as IMAP writes a set of them.
fn ranges(uids: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if uid.checked_sub(1) == Some(*last) => *last = *uid,
            _ => ranges.push((*uid, *uid)),
        }
    }
    let texts = ranges.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}:{last}"),
    });
    texts.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_damaged_file_is_and_what_was_lost_is_told_in_lines() {
        let salvage = Salvage {
            damaged_file: "/data/mailbox.sqlite.damaged-1".into(),
            damage: "malformed".into(),
            damaged_pages: vec![7],
            losses: vec![Loss {
                lost: Lost::Item,
                of: "INBOX".into(),
                uids: vec![3, 4, 5, 9],
            }],
        };
        let text = salvaged(&salvage);
        assert!(text.contains("malformed, 1 page unreadable"), "{text}");
        assert!(
            text.contains("kept as /data/mailbox.sqlite.damaged-1"),
            "{text}"
        );
        assert!(text.contains("lost: INBOX UID 3:5,9\n"), "{text}");
    }
}
