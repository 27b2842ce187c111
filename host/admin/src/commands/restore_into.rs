//! Restoring into a folder of a mailbox that goes on: for who misses something of last week and wants to keep the rest.
//!
//! The folder must be new, so that it holds what the backup held and nothing else; whoever has looked through it moves what is
//! wanted, or deletes it and does it again. Messages are appended like new ones: with new UIDs, and their flags, keywords
//! and dates.

use waxwing_exmdb::{Columns, FolderId, ItemFlags, Mailbox, NewMail, Query, Role, Selection, View};

use crate::{
    Error, Result,
    import::{Folders, MAIL},
    paths::{below, no_such, paths},
};

/// Messages of one commit, which are as many as are read ahead.
const BATCH: u32 = 100;

/// How many came along.
pub(super) struct Copied {
    pub(super) items: u64,
    /// Without octets, or of a kind that has no message form.
    pub(super) failed: u64,
}

/// Copies the folders of a mailbox, or one with those below it, under a new folder of another.
pub(super) async fn copy_into(
    source: &Mailbox,
    only: Option<&[String]>,
    target: &Mailbox,
    folder: &[String],
) -> Result<Copied> {
    let mut folders = Folders::of(target).await?;
    if folders.find(folder).is_some() {
        return Err(Error::Failed(format!(
            "there is a folder {} already; name one that is not there",
            folder.join("/")
        )));
    }
    let paths = paths(source).await?;
    let wanted: Vec<_> = paths
        .iter()
        .filter_map(|(folder, path)| Some((folder, below(path, only)?)))
        .collect();
    if wanted.is_empty() {
        return Err(Error::Failed(no_such(&paths, only)));
    }
    let keywords = source.keywords().await?;
    let mut copied = Copied {
        items: 0,
        failed: 0,
    };
    for (found, path) in wanted {
        if found.items == 0 && found.role != Role::None {
            continue;
        }
        let path = [folder, path].concat();
        let to = folders.find_or_create(target, &path, MAIL).await?;
        let view = source.open_view(found.id, true).await?;
        let done = copy_folder(&view, &keywords, target, to, &mut copied).await;
        view.close();
        done?;
    }
    // At least the folder that was asked for.
    folders.find_or_create(target, folder, MAIL).await?;
    Ok(copied)
}

async fn copy_folder(
    view: &View,
    keywords: &[String],
    target: &Mailbox,
    to: FolderId,
    copied: &mut Copied,
) -> Result<()> {
    let mut after = 0;
    loop {
        let page = view
            .fetch(Query {
                selection: Selection::Positions(vec![1..=u32::MAX]),
                columns: Columns::default(),
                tags: Vec::new(),
                changed_since: None,
                after,
                limit: BATCH,
            })
            .await?;
        let items: Vec<_> = page.rows.iter().map(|row| row.item).collect();
        let mut mail = Vec::with_capacity(items.len());
        for (row, body) in page.rows.iter().zip(view.open_bodies(&items).await) {
            let octets = match body {
                Ok(body) => {
                    let size = usize::try_from(body.size()).unwrap_or(usize::MAX);
                    body.read(0, size).await.ok()
                }
                Err(_) => None,
            };
            let Some(octets) = octets else {
                copied.failed += 1;
                continue;
            };
            let names = row.keywords.iter();
            let names = names.filter_map(|number| keywords.get(usize::from(*number)));
            mail.push(NewMail {
                message: waxwing_exmdb::Body::from_bytes(octets),
                flags: ItemFlags(row.flags.0 & !ItemFlags::RECENT),
                keywords: names.cloned().collect(),
                internal_date: Some(row.internal_date),
            });
        }
        if !mail.is_empty() {
            copied.items += mail.len() as u64;
            target.append(to, mail).await?;
        }
        match page.next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}
