//! `waxwing group …`

use waxwing_directory::PostingChange;

use super::shares;
use crate::{
    Admin, Result,
    protocol::{GroupCommand, GroupRow, Response},
};

pub(crate) async fn execute(admin: &Admin, command: GroupCommand) -> Result<Response> {
    let directory = &admin.directory;
    match command {
        GroupCommand::Add { address, members } => {
            directory.add_group(&address, &members).await?;
            Ok(Response::Done(format!(
                "added group {address} with {} members",
                members.len()
            )))
        }
        GroupCommand::List { domain } => {
            let groups = directory.groups(domain.as_deref()).await?;
            let row = |group: waxwing_directory::Group| GroupRow {
                address: group.address,
                members: group.members,
                posting: group.posting,
                senders: group.senders,
            };
            Ok(Response::Groups(groups.into_iter().map(row).collect()))
        }
        GroupCommand::Remove { address } => {
            let canonical = directory.canonical(&address).await?;
            directory.remove_group(&address).await?;
            shares::forget(admin, &canonical).await?;
            Ok(Response::Done(format!("removed group {address}")))
        }
        GroupCommand::AddMembers { address, members } => {
            directory.add_members(&address, &members).await?;
            Ok(Response::Done(format!(
                "added {} to group {address}",
                members.join(", ")
            )))
        }
        GroupCommand::Posting {
            address,
            who,
            allow,
            disallow,
        } => {
            let change = PostingChange {
                who,
                allow,
                disallow,
            };
            directory.change_posting(&address, &change).await?;
            Ok(Response::Done(format!(
                "changed who may write to {address}"
            )))
        }
        GroupCommand::RemoveMembers { address, members } => {
            directory.remove_members(&address, &members).await?;
            Ok(Response::Done(format!(
                "took {} out of group {address}",
                members.join(", ")
            )))
        }
    }
}
