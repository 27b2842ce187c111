//! `waxwing app-password …`

use secrecy::ExposeSecret;

use crate::{
    Admin, Result,
    protocol::{AppPasswordCommand, AppPasswordRow, Response, Secret},
};

pub(crate) async fn execute(admin: &Admin, command: AppPasswordCommand) -> Result<Response> {
    let directory = &admin.directory;
    match command {
        AppPasswordCommand::Add { user, name } => {
            let added = directory.add_app_password(&user, &name).await?;
            let password = Secret::new(added.password.expose_secret());
            Ok(Response::AppPasswordAdded {
                user: added.user,
                name: added.name,
                password,
            })
        }
        AppPasswordCommand::List { user } => {
            let listed = directory.app_passwords(&user).await?;
            let row = |one: waxwing_directory::AppPassword| AppPasswordRow {
                name: one.name,
                created: one.created,
                last_used: one.last_used,
            };
            Ok(Response::AppPasswords(
                listed.into_iter().map(row).collect(),
            ))
        }
        AppPasswordCommand::Remove { user, name } => {
            directory.remove_app_password(&user, &name).await?;
            Ok(Response::Done(format!(
                "removed app password {name} of {user}"
            )))
        }
    }
}
