//! `waxwing mailbox check`: every invariant of a mailbox, looked at one by one under its lock. With `repair`, what follows from
//! the rest is made right in one commit; what is lost (the bytes of a blob) is reported and left as it is.
//!
//! | invariant | repair |
//! |---|---|
//! | `database-integrity`, `foreign-keys` | none here: [`Mailbox::repair`] makes a new file |
//! | `flag-log-decodes` | the entry goes; nothing else is looked at before |
//! | `folder-counts`, `uid-below-next`, `highest-modseq` | computed from the items |
//! | `number-below-counter` | the counter moves up |
//! | `modseq-is-the-maximum`, `size-of-the-blob` | computed from the row |
//! | `keyword-exists` | the number is dropped from the item |
//! | `tombstone-above-floor`, `tombstone-of-a-live-uid` | the tombstone goes |
//! | `etag-of-the-source` | taken from the blob |
//! | `object-has-a-name` | the object's row goes; the item stays |
//! | `bag-decodes`, `derived-digest` | derived anew from the source; reported only without one |
//! | `blob-digest`, `blob-file` | none: the bytes are lost; the items that name them are told, and kept |
//! | `structure-decodes` | parsed from the blob |
//! | `row-without-use` | the blob row goes |
//! | `file-without-row` | the file goes |
//! | `index-agrees` | the index is loaded anew |

mod blobs;
mod folders;
mod items;

use futures_util::FutureExt;

use crate::{
    CheckReport, Error, Finding, Mailbox, MailboxSize, Result,
    blob::files,
    body::blocking,
    mailbox::{Actor, commit::Work},
};

/// A check that runs.
struct Check<'w> {
    work: &'w mut Work,
    repair: bool,
    report: CheckReport,
}

impl Check<'_> {
    /// Notes what does not hold; `repaired` says what a repair does.
    fn found(&mut self, invariant: &'static str, what: String, repaired: Option<&str>) {
        let repaired = repaired.filter(|_| self.repair).map(str::to_owned);
        self.report.findings.push(Finding {
            invariant,
            what,
            repaired,
        });
    }
}

impl Mailbox {
    /// Verifies every invariant; with `repair`, repairs what can be repaired. The mailbox is locked meanwhile.
    ///
    /// # Errors
    /// `Denied` unless the owner or the system asks; as every call that reads. What is found is no error.
    pub async fn check(&self, repair: bool) -> Result<CheckReport> {
        if matches!(self.actor, Actor::User(_)) {
            return Err(Error::Denied("only the owner checks a mailbox".into()));
        }
        // A flag log that cannot be folded is a finding.
        self.core
            .write_unfolded(move |work| async move { check(work, repair).await }.boxed())
            .await
    }

    /// Octets: logical size of items, and bytes on disk.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn size(&self) -> Result<MailboxSize> {
        let (items, bytes, folders) = {
            let mut reader = self.core.read().await?;
            let folders = reader.state()?.folders.len().saturating_sub(1);
            let sum = sqlx::query_as("SELECT count(*), coalesce(sum(size), 0) FROM items");
            let (items, bytes): (i64, i64) = sum.fetch_one(reader.conn()?).await?;
            (items.cast_unsigned(), bytes.cast_unsigned(), folders)
        };
        let folder = self.core.folder.clone();
        let bytes_on_disk =
            blocking(move || Ok(files(&folder)?.iter().map(|(_, size)| size).sum())).await?;
        Ok(MailboxSize {
            items,
            bytes,
            bytes_on_disk,
            folders: u32::try_from(folders).unwrap_or(u32::MAX),
        })
    }
}

async fn check(work: &mut Work, repair: bool) -> Result<CheckReport> {
    let report = CheckReport {
        items: 0,
        folders: 0,
        blobs: 0,
        findings: Vec::new(),
        salvage: None,
    };
    let mut check = Check {
        work,
        repair,
        report,
    };
    check.database().await?;
    if !check.flag_log().await? {
        return Ok(check.report);
    }
    check.items().await?;
    check.objects().await?;
    check.bags().await?;
    check.tombstones().await?;
    check.folders().await?;
    check.counter().await?;
    check.blobs().await?;
    check.blob_files().await?;
    Ok(check.report)
}

impl Check<'_> {
    async fn database(&mut self) -> Result<()> {
        let lines: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(20)")
            .fetch_all(self.work.conn()?)
            .await?;
        for line in lines.into_iter().filter(|line| line != "ok") {
            self.found("database-integrity", line, None);
        }
        let check = "SELECT \"table\" || ' row ' || coalesce(rowid, '?') || ' names no row of ' || parent FROM pragma_foreign_key_check LIMIT 20";
        let lines: Vec<String> = sqlx::query_scalar(check)
            .fetch_all(self.work.conn()?)
            .await?;
        for line in lines {
            self.found("foreign-keys", line, None);
        }
        Ok(())
    }

    /// Folds the flag log. False when it cannot be: what items say is not known then.
    async fn flag_log(&mut self) -> Result<bool> {
        let damaged = match self.repair {
            true => self.work.drop_damaged_entries().await?,
            false => self.work.damaged_entries().await?,
        };
        for number in &damaged {
            self.found(
                "flag-log-decodes",
                format!("entry {number} of the flag log"),
                Some("removed: its items have the flags of before"),
            );
        }
        if self.repair && !damaged.is_empty() {
            // Memory has the flags of the entries.
            let folders: Vec<_> = self.work.state.folders.keys().copied().collect();
            for folder in folders {
                self.work.core().forget_index(folder);
            }
        }
        let folds = damaged.is_empty() || self.repair;
        if folds {
            self.work.fold().await?;
        }
        Ok(folds)
    }

    /// Runs last of those that may move numbers.
    async fn counter(&mut self) -> Result<()> {
        let select = "SELECT max((SELECT coalesce(max(max(id, modseq)), 0) FROM items), (SELECT coalesce(max(cn), 0) FROM tombstones),
            (SELECT coalesce(max(cn), 0) FROM folder_tombstones),
            (SELECT coalesce(max(max(id, cn, acl_cn, highest_modseq)), 0) FROM folders))";
        let highest: i64 = sqlx::query_scalar(select)
            .fetch_one(self.work.conn()?)
            .await?;
        let counter = self.work.state.counter;
        if highest.cast_unsigned() > counter {
            let what = format!("{highest} was given, the counter says {counter}");
            self.found("number-below-counter", what, Some("the counter moved up"));
            if self.repair {
                self.work.state.counter = highest.cast_unsigned();
            }
        }
        Ok(())
    }
}
