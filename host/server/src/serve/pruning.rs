//! Once a day, mailbox after mailbox, what is older than `[store] keep_tombstones_days` and `keep_deleted_days` goes; and what is too old for the quarantine.
//!
//! Not at the start, when everybody comes back, and with a pause between two mailboxes: nobody waits for this.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use waxwing_exmdb::{PruneBefore, Pruned, Store};

use crate::{config::StoreKeys, rooms::Rooms};

/// After the start.
const FIRST: Duration = Duration::from_secs(10 * 60);
const EVERY: Duration = Duration::from_secs(24 * 3600);
/// Between two mailboxes.
const PAUSE: Duration = Duration::from_millis(100);
const DAY: i64 = 24 * 3600;

/// Prunes until it is aborted.
pub(super) async fn run(rooms: Rooms, keys: StoreKeys) {
    tokio::time::sleep(FIRST).await;
    loop {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if let Some(quarantine) = rooms.delivery.quarantine() {
            quarantine.prune().await;
        }
        round(&rooms.store, before(&keys, now)).await;
        tokio::time::sleep(EVERY).await;
    }
}

/// 0 days keep for ever.
fn before(keys: &StoreKeys, now: i64) -> PruneBefore {
    let cut = |days: u32| match days {
        0 => i64::MIN,
        days => now - i64::from(days) * DAY,
    };
    PruneBefore {
        tombstones: cut(keys.keep_tombstones_days),
        deleted: cut(keys.keep_deleted_days),
    }
}

async fn round(store: &Store, before: PruneBefore) {
    let mailboxes = match store.list().await {
        Ok(mailboxes) => mailboxes,
        Err(error) => {
            tracing::error!(%error, "old tombstones and deleted items stay: the mailboxes cannot be listed");
            return;
        }
    };
    let mut sum = Pruned::default();
    for guid in &mailboxes {
        let pruned = async { store.mailbox(*guid).await?.prune(before).await };
        match pruned.await {
            Ok(pruned) => {
                sum.tombstones += pruned.tombstones;
                sum.items += pruned.items;
            }
            // Removed meanwhile, or in trouble that it tells itself; its turn comes again.
            Err(error) => tracing::debug!(mailbox = %guid, %error, "not pruned"),
        }
        tokio::time::sleep(PAUSE).await;
    }
    tracing::info!(
        mailboxes = mailboxes.len(),
        tombstones = sum.tombstones,
        items = sum.items,
        "old tombstones and deleted items are gone"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_days_keep_for_ever() {
        let keys = StoreKeys {
            keep_deleted_days: 0,
            keep_tombstones_days: 2,
            ..StoreKeys::default()
        };
        let before = before(&keys, 10 * DAY);
        assert_eq!(before.tombstones, 8 * DAY);
        assert_eq!(before.deleted, i64::MIN);
    }
}
