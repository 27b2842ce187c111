//! `quota list`.

use waxwing_admin::protocol::QuotaRow;

use super::table;
use crate::meter::octets;

pub(super) fn rows(rows: &[QuotaRow]) -> String {
    let held = |used: Option<u64>, show: fn(u64) -> String| used.map_or("unknown".to_owned(), show);
    let may = |limit: Option<u64>, show: fn(u64) -> String| limit.map_or("none".to_owned(), show);
    let rows = rows.iter().map(|row| {
        vec![
            row.address.clone(),
            held(row.storage_used, octets),
            may(row.storage_limit, octets),
            share(row.storage_used, row.storage_limit),
            held(row.messages_used, |count| count.to_string()),
            may(row.messages_limit, |count| count.to_string()),
        ]
    });
    table(
        &["USER", "STORAGE", "QUOTA", "USED", "ITEMS", "QUOTA"],
        rows.collect(),
    )
}

fn share(used: Option<u64>, limit: Option<u64>) -> String {
    match (used, limit) {
        (Some(used), Some(limit)) if limit > 0 => {
            format!("{} %", u128::from(used) * 100 / u128::from(limit))
        }
        _ => String::new(),
    }
}
