//! The one step in which a restored mailbox takes the place of another.
//!
//! Under the old mailbox's lock: its database is closed, the restored one gets its numbers, and one system call exchanges the two
//! folders. Handles stay valid and see the restored mailbox; views of before are expired, watchers are woken. Appends that
//! wait for the lock are stored in the restored mailbox.

use std::{path::Path, sync::Arc};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempDir;

use super::{
    RestoredMailbox,
    renumber::{Renumbered, renumber},
};
use crate::{
    Change, Error, MailboxGuid, Result, Store,
    body::blocking,
    mailbox::{
        Core, Living,
        create::{move_into_place, sync_folder},
    },
};

impl Store {
    /// Puts a restored mailbox in the place of the mailbox with that guid, or where none is. The rest goes on when the caller
    /// goes away.
    ///
    /// # Errors
    /// `Unavailable` when the disk cannot take it; the old mailbox serves on then.
    pub async fn install(&self, restored: RestoredMailbox, guid: MailboxGuid) -> Result<()> {
        let old = match self.mailbox(guid).await {
            Ok(mailbox) => Some(mailbox.core),
            Err(Error::NotFound(_)) => None,
            Err(error) => return Err(error),
        };
        let place = self.commons().folder_of(guid);
        let task = tokio::spawn(async move {
            match old {
                Some(old) => replace(&old, restored).await,
                None => {
                    let (folder, _) = numbered(restored, None).await?;
                    blocking(move || match place.try_exists()? {
                        // A mailbox without its file.
                        true => exchange(folder.path(), &place),
                        false => move_into_place(folder, &place),
                    })
                    .await
                }
            }
        });
        match task.await {
            Ok(result) => result.map_err(|error| error.of(guid)),
            Err(error) => Err(Error::mailbox(guid, error)),
        }
    }
}

async fn replace(old: &Arc<Core>, restored: RestoredMailbox) -> Result<()> {
    let (locked, living) = old.lock_out().await?;
    let (folder, given) = numbered(restored, living.as_ref()).await?;
    let place = old.folder.clone();
    let exchanged = blocking(move || {
        exchange(folder.path(), &place)?;
        Ok(folder)
    })
    .await?;
    old.begin_anew();
    drop(locked);
    for folder in given.folders {
        old.commons.hub.publish(Change {
            mailbox: old.guid,
            folder,
            change_number: given.counter,
        });
    }
    // Now the old one.
    blocking(move || Ok(exchanged.close()?)).await
}

/// The folder of the restored mailbox, closed, with its new numbers.
async fn numbered(
    restored: RestoredMailbox,
    living: Option<&Living>,
) -> Result<(TempDir, Renumbered)> {
    let mut reader = restored.core.read().await?;
    let given = renumber(reader.conn()?, living).await?;
    drop(reader);
    restored.core.close_database().await;
    Ok((restored.folder, given))
}

/// Two folders take each other's place in one step; durable when it returns.
pub(crate) fn exchange(new: &Path, place: &Path) -> Result<()> {
    renameat_with(CWD, new, CWD, place, RenameFlags::EXCHANGE).map_err(|error| {
        Error::Unavailable(format!(
            "the file system cannot exchange {} with its new form: {error}; stop the server, move that folder away and restore it from a backup",
            place.display()
        ))
    })?;
    for folder in [new, place] {
        sync_folder(folder.parent().unwrap_or(folder))?;
    }
    Ok(())
}
