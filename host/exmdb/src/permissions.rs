//! The permissions of a folder ([MS-OXCPERM]); changes of them have a change number of their own, because a grant looks to
//! its member like new items and says nothing to others.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::FutureExt;

use crate::{Actor, ChangeNumber, Error, FolderId, Mailbox, Permission, Result, Rights};

/// Entries of one folder.
const MAX_ENTRIES: usize = 1000;
/// Octets of a member's name.
const MAX_MEMBER: usize = 320;

impl Mailbox {
    /// The entries of a folder; without one for `default` or `anonymous`, those have no rights.
    ///
    /// # Errors
    /// `Denied` unless the actor owns the folder.
    pub async fn permissions(&self, folder: FolderId) -> Result<Vec<Permission>> {
        let state = self.core.state().await?;
        state.demand(&self.actor, folder, Rights::FOLDER_OWNER)?;
        Ok(state.permissions.get(&folder).cloned().unwrap_or_default())
    }

    /// Whom any folder of the mailbox gives rights to, in lower case and sorted; of its owner's alone to know.
    ///
    /// # Errors
    /// `Denied` unless the actor is the owner or the system.
    pub async fn members(&self) -> Result<Vec<String>> {
        if matches!(self.actor, Actor::User(_)) {
            return Err(Error::Denied(
                "whom a mailbox is shared with is its owner's to know".into(),
            ));
        }
        let state = self.core.state().await?;
        let given = state.permissions.values().flatten();
        let given = given.filter(|entry| entry.rights != 0);
        let members: BTreeSet<String> = given
            .map(|entry| entry.member.to_ascii_lowercase())
            .collect();
        Ok(members.into_iter().collect())
    }

    /// Replaces the list.
    ///
    /// # Errors
    /// `Denied` unless the actor owns the folder, `Invalid` for two entries of one member or unknown rights.
    pub async fn set_permissions(
        &self,
        folder: FolderId,
        entries: Vec<Permission>,
    ) -> Result<ChangeNumber> {
        check(&entries)?;
        let actor = self.actor.clone();
        let write = self.core.write(move |work| {
            async move {
                work.state.demand(&actor, folder, Rights::FOLDER_OWNER)?;
                let id = folder.0.cast_signed();
                sqlx::query("DELETE FROM permissions WHERE folder = ?")
                    .bind(id)
                    .execute(work.conn()?)
                    .await?;
                for entry in &entries {
                    sqlx::query(
                        "INSERT INTO permissions (folder, member, rights) VALUES (?, ?, ?)",
                    )
                    .bind(id)
                    .bind(&entry.member)
                    .bind(entry.rights)
                    .execute(work.conn()?)
                    .await?;
                }
                Arc::make_mut(&mut work.state.permissions).insert(folder, entries);
                let cn = work.next_number()?;
                work.folder(folder)?.acl_cn = cn;
                work.tell(folder, cn);
                Ok(ChangeNumber(cn))
            }
            .boxed()
        });
        write.await
    }
}

fn check(entries: &[Permission]) -> Result<()> {
    if entries.len() > MAX_ENTRIES {
        return Err(Error::Limit(format!(
            "a folder has at most {MAX_ENTRIES} permissions"
        )));
    }
    let mut members: Vec<String> = entries
        .iter()
        .map(|entry| entry.member.to_ascii_lowercase())
        .collect();
    members.sort_unstable();
    members.dedup();
    if members.len() != entries.len() {
        return Err(Error::Invalid("a member has one entry only".into()));
    }
    for entry in entries {
        if entry.member.is_empty() || entry.member.len() > MAX_MEMBER {
            return Err(Error::Invalid(format!(
                "a member's name has 1 to {MAX_MEMBER} octets"
            )));
        }
        if Rights::from_bits(entry.rights).is_none() {
            return Err(Error::Invalid(format!(
                "rights {:#x} of {:?} are not known",
                entry.rights, entry.member
            )));
        }
    }
    Ok(())
}
