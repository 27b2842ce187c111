//! What the mailbox store has done, and what it holds.

use waxwing_exmdb::StoreMetrics;

use super::families::{self, Page};

pub(super) fn write(page: &mut Page, store: StoreMetrics) {
    page.count(&families::DATABASES, &[], store.open_databases);
    page.count(&families::MAX_DATABASES, &[], store.max_open_databases);
    page.count(&families::INDEX_CACHE, &[], store.index_cache);
    page.count(&families::MAX_INDEX_CACHE, &[], store.index_cache_limit);
    page.count(&families::COMMITS, &[], store.commits);
    page.add(&families::COMMIT_TIME, &[], store.commit_time.as_secs_f64());
    page.count(&families::SLOW_COMMITS, &[], store.slow_commits);
    page.count(&families::GROUPS, &[], store.append_groups);
    page.count(&families::APPENDS, &[], store.appends);
}
