//! `waxwing folder …`: folders of an account, for whoever sets up public folders and needs no mail client for it.

use waxwing_runtime::sharing;

use super::folder_paths::{FolderPaths, account};
use crate::{
    Admin, Result,
    import::Folders,
    protocol::{FolderCommand, FolderRow, Response},
};

pub(crate) async fn execute(admin: &Admin, command: FolderCommand) -> Result<Response> {
    match command {
        FolderCommand::List { account: address } => {
            let (_, mailbox) = account(admin, &address).await?;
            let folders = FolderPaths::of(&mailbox).await?;
            let rows = folders.all().iter().map(|(path, folder)| FolderRow {
                folder: path.clone(),
                class: folder.container_class.clone(),
                items: folder.items,
                size: folder.size,
            });
            Ok(Response::Folders(rows.collect()))
        }
        FolderCommand::Create {
            account: address,
            folder,
            class,
        } => {
            let (address, mailbox) = account(admin, &address).await?;
            let path: Vec<String> = folder.split('/').map(str::to_owned).collect();
            let mut folders = Folders::of(&mailbox).await?;
            if folders.find(&path).is_some() {
                return Err(
                    waxwing_exmdb::Error::AlreadyExists(format!("{address} {folder:?}")).into(),
                );
            }
            folders.find_or_create(&mailbox, &path, &class).await?;
            Ok(Response::Done(format!("created {folder:?} of {address}")))
        }
        FolderCommand::Delete {
            account: address,
            folder,
        } => {
            let (address, mailbox) = account(admin, &address).await?;
            let folders = FolderPaths::of(&mailbox).await?;
            let id = folders.find(&address, &folder)?.id;
            mailbox.delete_folder(id).await?;
            sharing::refresh(&admin.directory, &mailbox).await?;
            Ok(Response::Done(format!("deleted {folder:?} of {address}")))
        }
    }
}
