//! `waxwing user …`

mod many;
mod resource;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Result, bail};
use clap::Subcommand;
use waxwing_admin::protocol::{Request, Response, UserCommand};

use super::confirmed;
use crate::{
    console::Console,
    output,
    password::{Given, PasswordSource},
};

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a user and create the mailbox.
    #[command(
        after_help = "Examples:\n  waxwing user add alice@example.org\n  waxwing user add alice@example.org --name 'Alice Adams' --generate\n  pass show alice | waxwing user add alice@example.org --password-stdin\n  waxwing user add --from users.txt\n\nA file for --from has a line for each user: ADDRESS[:HASH[:NAME]]. HASH is a PHC string of argon2id ($argon2id$v=19$…, also with {ARGON2ID} before it, as Dovecot writes it); without one nobody can log in as that user before `user passwd`. Empty lines and those that begin with # are passed over. Users who are there already stay as they are, so that it can be run again."
    )]
    Add {
        /// The address, such as alice@example.org; without a domain, of the default domain.
        #[arg(required_unless_present = "from")]
        address: Option<String>,
        /// The name that people see.
        #[arg(long, default_value = "")]
        name: String,
        #[command(flatten)]
        password: PasswordSource,
        /// Add all users of a file (`-`: standard input).
        #[arg(long, value_name = "FILE", conflicts_with_all = ["address", "name", "password_stdin", "generate"])]
        from: Option<PathBuf>,
    },
    /// List users.
    List {
        /// Only this domain's.
        domain: Option<String>,
    },
    /// Set a new password.
    Passwd {
        /// Whose.
        address: String,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Remove a user and the mailbox.
    Remove {
        /// Who.
        address: String,
        /// Leave the mailbox on disk.
        #[arg(long)]
        keep_mail: bool,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Let a user log in again.
    Enable {
        /// Who.
        address: String,
    },
    /// Let a user log in no more; mail still arrives.
    Disable {
        /// Who.
        address: String,
    },
    /// Make a user a room or equipment that answers invitations by itself, or a person again.
    #[command(
        after_help = "Examples:\n  waxwing user resource room1@example.org --kind room\n  waxwing user resource van@example.org --kind equipment --answers by-hand\n  waxwing user resource room1@example.org --kind person\n\nif-free accepts a meeting when none of its times in the next two years is taken, else declines it. by-hand leaves the answer to whoever may edit the calendar."
    )]
    Resource(resource::Resource),
    /// Switch a capability of a protocol off or on for one user.
    #[command(after_help = "Example:\n  waxwing user feature alice@example.org imap.idle off")]
    Feature {
        /// Who.
        address: String,
        /// Its name, such as imap.idle.
        feature: String,
        /// on or off.
        #[arg(value_parser = ["on", "off"])]
        state: String,
    },
}

impl User {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let command = match self {
            User::Add {
                from: Some(file), ..
            } => return many::add(console, &file).await,
            User::Add {
                address,
                name,
                password,
                from: None,
            } => {
                let address = address.unwrap_or_default();
                let given = password.obtain(&address)?;
                let command = UserCommand::Add {
                    address,
                    display_name: name,
                    password: given.password.clone(),
                };
                return with_password(console, command, &given).await;
            }
            User::Passwd { address, password } => {
                let given = password.obtain(&address)?;
                let command = UserCommand::Passwd {
                    address,
                    password: given.password.clone(),
                };
                return with_password(console, command, &given).await;
            }
            User::List { domain } => UserCommand::List { domain },
            User::Remove {
                address,
                keep_mail,
                yes,
            } => {
                let what = if keep_mail { "" } else { " and all mail" };
                if !yes && !confirmed(&format!("Remove {address}{what}?")) {
                    bail!("nothing removed (--yes removes without asking)");
                }
                UserCommand::Remove { address, keep_mail }
            }
            User::Enable { address } => UserCommand::Enable { address, on: true },
            User::Disable { address } => UserCommand::Enable { address, on: false },
            User::Resource(resource) => resource.command(),
            User::Feature {
                address,
                feature,
                state,
            } => UserCommand::Feature {
                address,
                feature,
                on: state == "on",
            },
        };
        console.execute(Request::User(command)).await
    }
}

/// Executes, and shows a password that was made for the caller: nobody else knows it.
async fn with_password(
    console: &mut Console,
    command: UserCommand,
    given: &Given,
) -> Result<ExitCode> {
    let response = console.ask(Request::User(command)).await?;
    if !given.generated {
        console.print(&response)?;
    } else if console.json() {
        let mut answer = match &response {
            Response::UserAdded(row) => serde_json::to_value(row)?,
            _ => serde_json::json!({}),
        };
        if let Some(object) = answer.as_object_mut() {
            object.insert("password".to_owned(), given.password.expose().into());
        }
        output::out(&output::pretty(&answer)?);
    } else {
        console.print(&response)?;
        output::out(&format!("password: {}\n", given.password.expose()));
    }
    Ok(ExitCode::SUCCESS)
}
