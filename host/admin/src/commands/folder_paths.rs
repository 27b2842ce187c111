//! Folders of an account under the paths that IMAP shows: names with `/` between them, the inbox as `INBOX`.

use waxwing_exmdb::{Folder, FolderId, Mailbox, Role};

use crate::{Admin, Error, Result};

/// The folders of one account.
pub(super) struct FolderPaths(Vec<(String, Folder)>);

impl FolderPaths {
    pub(super) async fn of(mailbox: &Mailbox) -> Result<FolderPaths> {
        let mut paths: Vec<(String, Folder)> = Vec::new();
        for folder in mailbox.folders().await? {
            let above = |id: FolderId| {
                let mut known = paths.iter();
                known.find(|(_, folder)| folder.id == id)
            };
            let path = match folder.parent.and_then(above) {
                _ if folder.role == Role::Inbox => "INBOX".to_owned(),
                Some((above, _)) => format!("{above}/{}", folder.name),
                None => folder.name.clone(),
            };
            paths.push((path, folder));
        }
        paths.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(FolderPaths(paths))
    }

    /// All, by path.
    pub(super) fn all(&self) -> &[(String, Folder)] {
        &self.0
    }

    /// The folder of a path.
    pub(super) fn find(&self, account: &str, path: &str) -> Result<&Folder> {
        let path = match path.split_at_checked("INBOX".len()) {
            Some((head, rest)) if head.eq_ignore_ascii_case("INBOX") => format!("INBOX{rest}"),
            _ => path.to_owned(),
        };
        let mut all = self.0.iter();
        let found = all.find(|(known, _)| *known == path);
        found.map(|(_, folder)| folder).ok_or_else(|| {
            Error::Failed(format!(
                "{account} has no folder {path:?}; `waxwing folder list {account}` shows all, and `waxwing folder create` makes one"
            ))
        })
    }

    /// A folder and all below it.
    pub(super) fn with_those_below(&self, top: FolderId) -> Vec<FolderId> {
        let mut found = vec![top];
        // Children come after their parents in the order of paths.
        for (_, folder) in &self.0 {
            if folder.parent.is_some_and(|parent| found.contains(&parent)) {
                found.push(folder.id);
            }
        }
        found
    }
}

/// The mailbox of a user's address, and the address in its one spelling.
pub(super) async fn account(admin: &Admin, address: &str) -> Result<(String, Mailbox)> {
    let user = admin.directory.user(address).await?;
    let mailbox = admin.store.mailbox(user.mailbox.parse()?).await?;
    Ok((user.address, mailbox))
}
