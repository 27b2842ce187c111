//! Folders as collections: made and changed with their properties in one commit, and read many in one call.

use futures_util::FutureExt;
use waxwing_formats_mapi::{Property, PropertyTag, columns};

use crate::{
    ChangeNumber, Error, Folder, FolderId, Mailbox, NewFolder, Result, Rights,
    blob::json_numbers,
    folder::{create, rename, write_bag},
    item::bag,
    mailbox::commit::Work,
};

/// A folder to be made, with the properties that it begins with.
#[derive(Debug, Clone)]
pub struct NewCollection {
    /// The folder.
    pub folder: NewFolder,
    /// [`columns::OUTSIDE_NAME`] among them is unique.
    pub properties: Vec<Property>,
}

/// A change of a folder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CollectionUpdate {
    /// Its new name.
    pub name: Option<String>,
    /// To be set.
    pub set: Vec<Property>,
    /// To be removed.
    pub remove: Vec<PropertyTag>,
    /// A newer change number is a `Conflict`.
    pub expected: Option<ChangeNumber>,
}

impl Mailbox {
    /// What [`Mailbox::folder_properties`] answers, of many folders, in their order; nothing of those that the actor may not see.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn properties_of_folders(
        &self,
        folders: &[FolderId],
        tags: &[PropertyTag],
    ) -> Result<Vec<Vec<Property>>> {
        let mut reader = self.core.read_unfolded().await?;
        let state = reader.state()?;
        let ids = json_numbers(folders.iter().map(|folder| folder.0.cast_signed()));
        let select = "SELECT id, bag FROM folders WHERE id IN (SELECT value FROM json_each(?))";
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(select)
            .bind(ids)
            .fetch_all(reader.conn()?)
            .await?;
        let visible = |folder: FolderId| {
            let rights = state.rights(&self.actor, folder);
            rights.intersects(Rights::FOLDER_VISIBLE | Rights::READ_ANY)
        };
        let mut answer = Vec::with_capacity(folders.len());
        for folder in folders {
            let row = rows.iter().find(|(id, _)| id.cast_unsigned() == folder.0);
            let Some((_, packed)) = row.filter(|_| visible(*folder)) else {
                answer.push(Vec::new());
                continue;
            };
            let mut properties = bag::unpack(packed)?;
            properties.retain(|property| tags.contains(&property.tag));
            answer.push(properties);
        }
        Ok(answer)
    }

    /// Makes a folder with its properties.
    ///
    /// # Errors
    /// As [`Mailbox::create_folder`]; `AlreadyExists` also for an outside name that is taken.
    pub async fn create_collection(&self, new: NewCollection) -> Result<Folder> {
        let actor = self.actor.clone();
        let write = self.core.write(move |work| {
            async move {
                let NewCollection { folder, properties } = new;
                let parent = folder.parent.unwrap_or(work.state.root);
                work.state
                    .demand(&actor, parent, Rights::CREATE_SUBFOLDER)?;
                let id = create(work, parent, folder).await?;
                demand_free(work, id, &properties).await?;
                write_bag(work, id, &properties).await?;
                Ok(id)
            }
            .boxed()
        });
        let id = write.await?;
        self.folder(id).await
    }

    /// Changes name and properties of a folder in one commit.
    ///
    /// # Errors
    /// `NotFound` without the folder, `Denied` without being its owner, `Conflict` when it is newer than expected,
    /// `AlreadyExists` for a name that is taken.
    pub async fn update_collection(
        &self,
        id: FolderId,
        update: CollectionUpdate,
    ) -> Result<ChangeNumber> {
        let actor = self.actor.clone();
        let write = self.core.write(move |work| {
            async move {
                work.state.demand(&actor, id, Rights::FOLDER_OWNER)?;
                let folder = work.state.folder(id)?.clone();
                if update
                    .expected
                    .is_some_and(|expected| folder.cn > expected.0)
                {
                    return Err(Error::Conflict(format!("folder {id}")));
                }
                demand_free(work, id, &update.set).await?;
                if let (Some(name), Some(parent)) = (update.name, folder.parent) {
                    rename(work, id, parent, name)?;
                }
                let mut properties = stored(work, id).await?;
                properties.retain(|property| !update.remove.contains(&property.tag));
                for property in update.set {
                    bag::set(&mut properties, property);
                }
                write_bag(work, id, &properties).await?;
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

async fn stored(work: &mut Work, id: FolderId) -> Result<Vec<Property>> {
    let load = sqlx::query_scalar("SELECT bag FROM folders WHERE id = ?").bind(id.0.cast_signed());
    let packed: Vec<u8> = load.fetch_one(work.conn()?).await?;
    bag::unpack(&packed)
}

/// Refuses an outside name that another folder has.
async fn demand_free(work: &mut Work, id: FolderId, properties: &[Property]) -> Result<()> {
    let Some(name) = bag::find(properties, columns::OUTSIDE_NAME) else {
        return Ok(());
    };
    let others = sqlx::query_scalar("SELECT bag FROM folders WHERE id <> ? AND bag <> x''")
        .bind(id.0.cast_signed());
    let others: Vec<Vec<u8>> = others.fetch_all(work.conn()?).await?;
    for packed in others {
        if bag::find(&bag::unpack(&packed)?, columns::OUTSIDE_NAME) == Some(name) {
            return Err(Error::AlreadyExists(
                "a folder of this outside name".to_owned(),
            ));
        }
    }
    Ok(())
}
