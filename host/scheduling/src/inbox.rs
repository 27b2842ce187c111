//! The scheduling inbox and outbox of a mailbox (RFC 6638 section 2): folders that no other protocol shows.

use waxwing_exmdb::{
    Error as StoreError, Folder, FolderId, Mailbox, NewCollection, NewFolder, ObjectCondition,
    ObjectPlace, Role,
};
use waxwing_formats_mapi::{Property, Value, columns};

use crate::{Result, Scheduling};

/// The container class of an inbox.
pub(crate) const INBOX_CLASS: &str = "IPF.ScheduleInbox";
/// The container class of an outbox.
pub(crate) const OUTBOX_CLASS: &str = "IPF.ScheduleOutbox";
/// Items that an inbox keeps: clients that know inboxes take out what they have seen, and those that do not never look.
pub(crate) const MOST: u32 = 500;

/// Where messages come in and leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collections {
    /// Messages that came.
    pub inbox: FolderId,
    /// Always empty; what is posted to it leaves.
    pub outbox: FolderId,
}

impl Scheduling {
    /// Inbox and outbox of a mailbox, made when there are none.
    ///
    /// # Errors
    /// As the store's; `Denied` when there are none and the actor may not make them.
    pub async fn collections(&self, mailbox: &Mailbox) -> Result<Collections> {
        let all = mailbox.folders().await?;
        Ok(Collections {
            inbox: folder(mailbox, &all, (INBOX_CLASS, "Schedule Inbox", "inbox")).await?,
            outbox: folder(mailbox, &all, (OUTBOX_CLASS, "Schedule Outbox", "outbox")).await?,
        })
    }
}

async fn folder(
    mailbox: &Mailbox,
    all: &[Folder],
    (class, name, outside): (&str, &str, &str),
) -> Result<FolderId> {
    let of_class = |all: &[Folder]| {
        let found = all.iter().find(|folder| folder.container_class == class);
        found.map(|folder| folder.id)
    };
    if let Some(id) = of_class(all) {
        return Ok(id);
    }
    for attempt in 0..3 {
        let name = match attempt {
            0 => name.to_owned(),
            other => format!("{name} {other}"),
        };
        let outside = Property {
            tag: columns::OUTSIDE_NAME,
            value: Value::Text(outside.to_owned()),
        };
        let new = NewCollection {
            folder: NewFolder {
                parent: None,
                name,
                container_class: class.to_owned(),
                role: Role::None,
            },
            // A calendar may have the name already; then it is known by its number.
            properties: if attempt < 2 {
                vec![outside]
            } else {
                Vec::new()
            },
        };
        match mailbox.create_collection(new).await {
            Ok(folder) => return Ok(folder.id),
            // Somebody makes it at the same time, or there is a folder of that name.
            Err(StoreError::AlreadyExists(_)) => {
                if let Some(id) = of_class(&mailbox.folders().await?) {
                    return Ok(id);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::AlreadyExists(format!("the folder {name:?}")).into())
}

/// The calendar that invitations go to: what was chosen for the inbox as long as it is there, else that of the mailbox.
pub(crate) async fn default_calendar(mailbox: &Mailbox) -> Result<FolderId> {
    let all = mailbox.folders().await?;
    let inbox = all
        .iter()
        .find(|folder| folder.container_class == INBOX_CLASS);
    if let Some(inbox) = inbox {
        let tags = [columns::DEFAULT_CALENDAR];
        let properties = mailbox.folder_properties(inbox.id, &tags).await?;
        let chosen = properties.iter().find_map(|one| one.value.as_integer());
        let chosen = chosen.map(|id| FolderId(id.cast_unsigned()));
        let is_calendar = |folder: &&Folder| {
            Some(folder.id) == chosen
                && folder
                    .container_class
                    .eq_ignore_ascii_case("IPF.Appointment")
        };
        if let Some(folder) = all.iter().find(is_calendar) {
            return Ok(folder.id);
        }
    }
    Ok(mailbox.folder_by_role(Role::Calendar).await?.id)
}

/// Takes the oldest items out when there are too many.
pub(crate) async fn prune(mailbox: &Mailbox, inbox: FolderId) -> Result<()> {
    let items = mailbox.folder(inbox).await?.items;
    let over = items.saturating_sub(MOST);
    if over == 0 {
        return Ok(());
    }
    for object in mailbox.objects(inbox, 0, over.min(100)).await?.objects {
        let place = ObjectPlace {
            folder: inbox,
            name: object.name,
        };
        mailbox.delete_object(place, ObjectCondition::Any).await?;
    }
    Ok(())
}
