//! Folders of a mailbox by path; missing ones are made on the way.

use std::collections::HashMap;

use waxwing_exmdb::{Error, FolderId, Mailbox, NewFolder, Result, Role};

/// [MS-OXOSFLD] 2.2.1: what a folder of mail is.
pub(crate) const MAIL: &str = "IPF.Note";

/// `(parent, name)` to folder.
pub(crate) struct Folders {
    known: HashMap<(Option<FolderId>, String), FolderId>,
    inbox: FolderId,
}

impl Folders {
    pub(crate) async fn of(mailbox: &Mailbox) -> Result<Folders> {
        let inbox = mailbox.folder_by_role(Role::Inbox).await?.id;
        let all = mailbox.folders().await?;
        let known = all
            .into_iter()
            .map(|folder| ((folder.parent, folder.name), folder.id))
            .collect();
        Ok(Folders { known, inbox })
    }

    /// The folder of a path, if it is there.
    pub(crate) fn find(&self, path: &[String]) -> Option<FolderId> {
        let (mut at, rest) = self.begin(path);
        for name in rest {
            at = Some(*self.known.get(&(at, name.clone()))?);
        }
        Some(at.unwrap_or(self.inbox))
    }

    fn begin<'p>(&self, path: &'p [String]) -> (Option<FolderId>, &'p [String]) {
        match path.split_first() {
            Some((first, rest)) if first.eq_ignore_ascii_case("INBOX") => (Some(self.inbox), rest),
            None => (Some(self.inbox), path),
            Some(_) => (None, path),
        }
    }

    /// The folder of a path from the root. A first name of `INBOX` in any case is the inbox (RFC 9051 section 5.1), as is no
    /// name at all. What is made is of the container class.
    pub(crate) async fn find_or_create(
        &mut self,
        mailbox: &Mailbox,
        path: &[String],
        class: &str,
    ) -> Result<FolderId> {
        if let Some(empty) = path.iter().position(|name| name.trim().is_empty()) {
            return Err(Error::Invalid(format!(
                "part {} of the folder's name {:?} is empty",
                empty + 1,
                path.join("/")
            )));
        }
        let (mut at, rest) = self.begin(path);
        for name in rest {
            let key = (at, name.clone());
            let folder = match self.known.get(&key) {
                Some(folder) => *folder,
                None => {
                    let new = NewFolder {
                        parent: at,
                        name: name.clone(),
                        container_class: class.into(),
                        role: Role::None,
                    };
                    let made = mailbox.create_folder(new).await?.id;
                    self.known.insert(key, made);
                    made
                }
            };
            at = Some(folder);
        }
        Ok(at.unwrap_or(self.inbox))
    }
}
