//! Storing a message where a filter wants it, and the folders of a mailbox by the names that filters use.

use waxwing_exmdb::{Body, Error, Folder, FolderId, ItemFlags, Mailbox, NewFolder, NewMail, Role};

use crate::{Deposit, arrive::Incoming};

/// MS-OXCMSG: what the receive folder of mail is looked up by.
const MESSAGE_CLASS: &str = "IPM.Note";
/// [MS-OXOSFLD] 2.2.1: what a folder of mail is.
const MAIL_FOLDER: &str = "IPF.Note";
/// Levels of a folder's name.
const MAX_LEVELS: usize = 32;

/// Stores the message in the folder that is meant, or in the receive folder when that one is not to be had.
pub(crate) async fn deposit(
    mailbox: &Mailbox,
    incoming: &Incoming<'_>,
    deposit: &Deposit,
) -> Result<(), Error> {
    let (envelope, mut folder) = (incoming.envelope, None);
    let junk = (envelope.junk && deposit.folder.is_none()).then(Deposit::junk);
    if let Some(wanted) = junk
        .as_ref()
        .or(deposit.folder.is_some().then_some(deposit))
    {
        match destination(mailbox, wanted).await {
            Ok(found) => folder = Some(found),
            Err(error) if is_passing(&error) => return Err(error),
            Err(error) => {
                tracing::warn!(session = envelope.session, mailbox = %mailbox.guid(), folder = ?deposit.folder, %error,
                    "not filed, the message is kept");
            }
        }
    }
    let folder = match folder {
        Some(folder) => folder,
        None => mailbox.receive_folder(MESSAGE_CLASS).await?.id,
    };
    let store = mail(incoming, deposit);
    match mailbox.append(folder, vec![store]).await {
        // Too many keywords, or a message that became too long: it is still mail.
        Err(error) if !is_passing(&error) && !deposit.is_plain() => {
            tracing::warn!(session = envelope.session, mailbox = %mailbox.guid(), %error,
                "not filed as the filter wants it, the message is kept");
            let inbox = mailbox.receive_folder(MESSAGE_CLASS).await?.id;
            let plain = mail(incoming, &Deposit::default());
            mailbox.append(inbox, vec![plain]).await.map(drop)
        }
        appended => appended.map(drop),
    }
}

fn mail(incoming: &Incoming<'_>, deposit: &Deposit) -> NewMail {
    let sender = &incoming.envelope.sender;
    let return_path = Body::from_bytes(format!("Return-Path: <{sender}>\r\n").into());
    let message = deposit
        .message
        .clone()
        .unwrap_or_else(|| incoming.message.clone());
    let (flags, keywords) = flags(&deposit.flags);
    NewMail {
        message: Body::concat(vec![return_path, message]),
        flags,
        keywords,
        internal_date: None,
    }
}

impl Deposit {
    /// Where mail goes that is not what it says.
    fn junk() -> Deposit {
        Deposit {
            folder: Some("Junk".to_owned()),
            special_use: Some("\\Junk".to_owned()),
            create: true,
            ..Deposit::default()
        }
    }

    fn is_plain(&self) -> bool {
        self.folder.is_none() && self.flags.is_empty() && self.message.is_none()
    }
}

/// Whether the sender should come again; everything else is a reason to keep the message where it is safe.
fn is_passing(error: &Error) -> bool {
    !matches!(
        error,
        Error::NotFound(_)
            | Error::AlreadyExists(_)
            | Error::Invalid(_)
            | Error::Denied(_)
            | Error::Limit(_)
            | Error::OverQuota(_)
    )
}

/// The folder that is meant, made where it may be.
pub(crate) async fn destination(mailbox: &Mailbox, deposit: &Deposit) -> Result<FolderId, Error> {
    let role = deposit.special_use.as_deref().and_then(role);
    if let Some(role) = role
        && let Ok(folder) = mailbox.folder_by_role(role).await
    {
        return Ok(folder.id);
    }
    let name = deposit.folder.as_deref().unwrap_or("INBOX");
    let (found, missing) = Folders::of(mailbox).await?.find(name)?;
    if !missing.is_empty() && !deposit.create {
        return Err(Error::NotFound(format!("the folder {name:?}")));
    }
    let mut at = found;
    let mut levels = missing.into_iter().peekable();
    while let Some(level) = levels.next() {
        // RFC 8579 section 4: a folder that is made for a use has it.
        let role = role.filter(|_| levels.peek().is_none());
        let new = NewFolder {
            parent: at,
            name: level.to_owned(),
            container_class: MAIL_FOLDER.into(),
            role: role.unwrap_or(Role::None),
        };
        at = Some(make(mailbox, new).await?);
    }
    at.ok_or_else(|| Error::NotFound(format!("the folder {name:?}")))
}

/// Makes a folder, or takes the one that another delivery has made meanwhile.
async fn make(mailbox: &Mailbox, new: NewFolder) -> Result<FolderId, Error> {
    let (parent, name) = (new.parent, new.name.clone());
    match mailbox.create_folder(new).await {
        Ok(folder) => Ok(folder.id),
        Err(Error::AlreadyExists(what)) => {
            let all = mailbox.folders().await?;
            let same = |folder: &&Folder| folder.parent == parent && folder.name == name;
            let found = all.iter().find(same).map(|folder| folder.id);
            found.ok_or(Error::AlreadyExists(what))
        }
        Err(error) => Err(error),
    }
}

/// The folders of a mailbox by path, as IMAP names them: levels parted by `/`, the first one `INBOX` in any case.
pub(crate) struct Folders {
    all: Vec<Folder>,
    inbox: Option<FolderId>,
}

/// Missing levels of a path, and the folder below which they would stand.
type Found<'n> = (Option<FolderId>, Vec<&'n str>);

impl Folders {
    pub(crate) async fn of(mailbox: &Mailbox) -> Result<Folders, Error> {
        let all = mailbox.folders().await?;
        let inbox = all.iter().find(|folder| folder.role == Role::Inbox);
        Ok(Folders {
            inbox: inbox.map(|folder| folder.id),
            all,
        })
    }

    fn find<'n>(&self, path: &'n str) -> Result<Found<'n>, Error> {
        let levels: Vec<&str> = path.split('/').collect();
        if levels.len() > MAX_LEVELS || levels.iter().any(|level| level.is_empty()) {
            return Err(Error::Invalid(format!(
                "{path:?} is not the name of a folder"
            )));
        }
        let (mut at, mut rest) = (None, levels.as_slice());
        if let Some((first, below)) = rest.split_first()
            && first.eq_ignore_ascii_case("INBOX")
        {
            (at, rest) = (self.inbox, below);
        }
        while let Some((level, below)) = rest.split_first() {
            let same = |folder: &&Folder| folder.parent == at && folder.name == *level;
            let Some(folder) = self.all.iter().find(same) else {
                break;
            };
            (at, rest) = (Some(folder.id), below);
        }
        Ok((at, rest.to_vec()))
    }
}

/// Whether mail can be filed into a folder of that name.
///
/// # Errors
/// As every call that reads.
pub async fn has_folder(mailbox: &Mailbox, name: &str) -> Result<bool, Error> {
    let folders = Folders::of(mailbox).await?;
    Ok(folders
        .find(name)
        .is_ok_and(|(found, missing)| found.is_some() && missing.is_empty()))
}

/// Whether a folder has a special use (`\Junk`): the folder of that name, or any.
///
/// # Errors
/// As every call that reads.
pub async fn has_special_use(
    mailbox: &Mailbox,
    special_use: &str,
    name: Option<&str>,
) -> Result<bool, Error> {
    let Some(role) = role(special_use) else {
        return Ok(false);
    };
    let folders = Folders::of(mailbox).await?;
    let used = folders.all.iter().find(|folder| folder.role == role);
    Ok(match (used, name) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(used), Some(name)) => folders
            .find(name)
            .is_ok_and(|(found, missing)| missing.is_empty() && found == Some(used.id)),
    })
}

/// RFC 6154.
fn role(special_use: &str) -> Option<Role> {
    let name = special_use.strip_prefix('\\')?.to_ascii_lowercase();
    Some(match name.as_str() {
        "all" => Role::All,
        "archive" => Role::Archive,
        "drafts" => Role::Drafts,
        "flagged" => Role::Flagged,
        "important" => Role::Important,
        "junk" => Role::Junk,
        "sent" => Role::Sent,
        "trash" => Role::Trash,
        _ => return None,
    })
}

/// Flags that are columns, and keywords; `\Recent` is nobody's to set.
fn flags(names: &[String]) -> (ItemFlags, Vec<String>) {
    let (mut flags, mut keywords) = (0, Vec::new());
    for name in names {
        match name.to_ascii_lowercase().as_str() {
            "\\seen" => flags |= ItemFlags::SEEN,
            "\\answered" => flags |= ItemFlags::ANSWERED,
            "\\flagged" => flags |= ItemFlags::FLAGGED,
            "\\deleted" => flags |= ItemFlags::DELETED,
            "\\draft" => flags |= ItemFlags::DRAFT,
            "$forwarded" => flags |= ItemFlags::FORWARDED,
            "$mdnsent" => flags |= ItemFlags::MDN_SENT,
            other if other.starts_with('\\') => {}
            _ => keywords.push(name.clone()),
        }
    }
    (ItemFlags(flags), keywords)
}
