//! `share list` and `folder list`.

use waxwing_admin::protocol::{FolderRow, ShareRow};

use super::table;
use crate::meter::octets;

pub(super) fn rows(rows: &[ShareRow]) -> String {
    let rows = rows.iter().map(|row| {
        let level = row.level.clone();
        vec![
            row.account.clone(),
            row.folder.clone(),
            row.member.clone(),
            level.unwrap_or_else(|| format!("{:#06x}", row.rights)),
        ]
    });
    table(&["ACCOUNT", "FOLDER", "WHO", "LEVEL"], rows.collect())
}

pub(super) fn folders(rows: &[FolderRow]) -> String {
    let rows = rows.iter().map(|row| {
        vec![
            row.folder.clone(),
            row.class.clone(),
            row.items.to_string(),
            octets(row.size),
        ]
    });
    table(&["FOLDER", "CLASS", "ITEMS", "SIZE"], rows.collect())
}
