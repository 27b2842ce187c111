//! `waxwing alias …`

use crate::{
    Admin, Result,
    protocol::{AliasCommand, AliasRow, Response},
};

pub(crate) async fn execute(admin: &Admin, command: AliasCommand) -> Result<Response> {
    let directory = &admin.directory;
    match command {
        AliasCommand::Add { address, target } => {
            directory.add_alias(&address, &target).await?;
            Ok(Response::Done(format!(
                "added alias {address} for {target}"
            )))
        }
        AliasCommand::List { domain } => {
            let aliases = directory.aliases(domain.as_deref()).await?;
            let row = |alias: waxwing_directory::Alias| AliasRow {
                address: alias.address,
                target: alias.target,
            };
            Ok(Response::Aliases(aliases.into_iter().map(row).collect()))
        }
        AliasCommand::Remove { address } => {
            directory.remove_alias(&address).await?;
            Ok(Response::Done(format!("removed alias {address}")))
        }
    }
}
