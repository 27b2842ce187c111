//! Properties of folders: those the store knows come from the tree, the rest from the folder's packed bag.

use futures_util::FutureExt;
use waxwing_formats_mapi::{Property, PropertyTag, Value, columns};

use crate::{
    ChangeNumber, Error, FolderId, Mailbox, Result, Rights,
    item::bag,
    mailbox::{commit::Work, state::FolderState},
};

/// PidTagDisplayName.
const DISPLAY_NAME: PropertyTag = PropertyTag(0x3001_001F);
/// PidTagContainerClass.
const CONTAINER_CLASS: PropertyTag = PropertyTag(0x3613_001F);
/// PidTagContentCount.
const CONTENT_COUNT: PropertyTag = PropertyTag(0x3602_0003);
/// PidTagContentUnreadCount.
const CONTENT_UNREAD_COUNT: PropertyTag = PropertyTag(0x3603_0003);
/// PidTagMessageSizeExtended.
const MESSAGE_SIZE_EXTENDED: PropertyTag = PropertyTag(0x0E08_0014);
/// Octets of all properties of a folder.
const MAX_BAG: usize = 1024 * 1024;

fn known(folder: &FolderState, tag: PropertyTag) -> Option<Value> {
    Some(match tag {
        DISPLAY_NAME => Value::Text(folder.name.clone()),
        CONTAINER_CLASS => Value::Text(folder.container_class.clone()),
        CONTENT_COUNT => Value::Int32(folder.items.cast_signed()),
        CONTENT_UNREAD_COUNT => Value::Int32(folder.unread.cast_signed()),
        MESSAGE_SIZE_EXTENDED => Value::Int64(folder.size.cast_signed()),
        _ => return None,
    })
}

impl Mailbox {
    /// Values in the order of the tags; absent ones are left out.
    ///
    /// # Errors
    /// `NotFound` without the folder.
    pub async fn folder_properties(
        &self,
        id: FolderId,
        tags: &[PropertyTag],
    ) -> Result<Vec<Property>> {
        let mut reader = self.core.read().await?;
        let state = reader.state()?;
        state.demand(&self.actor, id, Rights::FOLDER_VISIBLE | Rights::READ_ANY)?;
        let folder = state.folder(id)?;
        let load =
            sqlx::query_scalar("SELECT bag FROM folders WHERE id = ?").bind(id.0.cast_signed());
        let bytes: Vec<u8> = load.fetch_one(reader.conn()?).await?;
        let stored = bag::unpack(&bytes)?;
        let value = |tag: &PropertyTag| {
            known(folder, *tag)
                .map(|value| Property { tag: *tag, value })
                .or_else(|| bag::find(&stored, *tag).cloned())
        };
        Ok(tags.iter().filter_map(value).collect())
    }

    /// Sets properties; the name is set by [`Mailbox::move_folder`], counts by nobody.
    ///
    /// # Errors
    /// `NotFound` without the folder, `Denied` without being its owner, `Invalid` for properties that the store computes.
    pub async fn set_folder_properties(
        &self,
        id: FolderId,
        properties: Vec<Property>,
    ) -> Result<ChangeNumber> {
        let actor = self.actor.clone();
        let write = self.core.write(move |work| {
            async move {
                work.state.demand(&actor, id, Rights::FOLDER_OWNER)?;
                let load = sqlx::query_scalar("SELECT bag FROM folders WHERE id = ?")
                    .bind(id.0.cast_signed());
                let bytes: Vec<u8> = load.fetch_one(work.conn()?).await?;
                let mut stored = bag::unpack(&bytes)?;
                for property in properties {
                    match (property.tag, property.value) {
                        (CONTAINER_CLASS, Value::Text(class)) => {
                            work.folder(id)?.container_class = class
                        }
                        (
                            tag @ (DISPLAY_NAME
                            | CONTENT_COUNT
                            | CONTENT_UNREAD_COUNT
                            | MESSAGE_SIZE_EXTENDED
                            | columns::OUTSIDE_NAME),
                            _,
                        ) => {
                            return Err(Error::Invalid(format!(
                                "the property {:#010x} of a folder is not set this way",
                                tag.0
                            )));
                        }
                        (tag, value) => bag::set(&mut stored, Property { tag, value }),
                    }
                }
                write_bag(work, id, &stored).await?;
                let cn = work.next_number()?;
                work.folder(id)?.cn = cn;
                work.tell(id, cn);
                Ok(ChangeNumber(cn))
            }
            .boxed()
        });
        write.await
    }
}

/// The properties of a folder that are not the tree's.
///
/// # Errors
/// `Limit` when they are too large.
pub(crate) async fn write_bag(
    work: &mut Work,
    id: FolderId,
    properties: &[Property],
) -> Result<()> {
    let packed = bag::pack(properties);
    if packed.len() > MAX_BAG {
        return Err(Error::Limit(format!(
            "the properties of a folder have at most {MAX_BAG} octets"
        )));
    }
    sqlx::query("UPDATE folders SET bag = ? WHERE id = ?")
        .bind(packed)
        .bind(id.0.cast_signed())
        .execute(work.conn()?)
        .await?;
    Ok(())
}
