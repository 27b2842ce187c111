//! `waxwing domain …`

mod dkim;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Subcommand;
use waxwing_admin::protocol::{DnsState, DomainCommand, Request, Response};

use super::confirmed;
use crate::console::Console;

#[derive(Debug, Subcommand)]
pub(crate) enum Domain {
    /// Accept mail for a domain.
    #[command(after_help = "Example:\n  waxwing domain add example.org")]
    Add {
        /// Its name; international names may be given as people write them.
        name: String,
    },
    /// List the domains and how many users are in each.
    List,
    /// Say who gets mail to addresses of a domain that do not exist; without this it is refused.
    #[command(
        after_help = "Examples:\n  waxwing domain catch-all example.org alice@example.org\n  waxwing domain catch-all example.org --off"
    )]
    CatchAll {
        /// The domain.
        domain: String,
        /// A user, alias or group of this server.
        #[arg(required_unless_present = "off", conflicts_with = "off")]
        address: Option<String>,
        /// Nobody gets it any more.
        #[arg(long)]
        off: bool,
    },
    /// Say whose folders are the public folders of a domain, and make that account if need be.
    #[command(
        after_help = "Nobody can log in as an account that is made so. Its folders are made with `waxwing folder create` and given with `waxwing share grant`; users see them below `Public/` in IMAP, and among their calendars and address books.\n\nExamples:\n  waxwing domain public example.org public@example.org\n  waxwing folder create public@example.org News\n  waxwing share grant public@example.org News anyone reviewer\n  waxwing domain public example.org --off"
    )]
    Public {
        /// The domain.
        domain: String,
        /// A user of this server, of any domain.
        #[arg(required_unless_present = "off", conflicts_with = "off")]
        account: Option<String>,
        /// There are no public folders any more; the account stays.
        #[arg(long)]
        off: bool,
    },
    /// The keys that a domain's mail is signed with (DKIM).
    #[command(
        after_help = "Examples:\n  waxwing domain dkim example.org create\n  waxwing domain dkim example.org\n  waxwing domain dkim example.org rotate\n  waxwing domain dkim example.org remove --selector rsa-20261127"
    )]
    Dkim(dkim::Dkim),
    /// All records that a domain publishes in DNS, as lines of a zone.
    #[command(
        after_help = "Examples:\n  waxwing domain dns example.org\n  waxwing domain dns example.org --check\n\nWith --check the exit status is 1 when a record is missing or wrong."
    )]
    Dns {
        /// The domain.
        domain: String,
        /// Ask DNS what is published already.
        #[arg(long)]
        check: bool,
    },
    /// Remove a domain.
    #[command(
        after_help = "Examples:\n  waxwing domain remove example.org\n  waxwing domain remove example.org --with-users --keep-mail"
    )]
    Remove {
        /// Its name.
        name: String,
        /// Remove its users, aliases and groups with it; without this a domain that has any is kept.
        #[arg(long)]
        with_users: bool,
        /// Leave the mailboxes of removed users on disk.
        #[arg(long)]
        keep_mail: bool,
        /// Do not ask whether users may be removed.
        #[arg(long)]
        yes: bool,
    },
}

impl Domain {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let command = match self {
            Domain::Add { name } => DomainCommand::Add { name },
            Domain::List => DomainCommand::List,
            Domain::CatchAll {
                domain, address, ..
            } => DomainCommand::CatchAll { domain, address },
            Domain::Public {
                domain, account, ..
            } => DomainCommand::Public { domain, account },
            Domain::Dkim(dkim) => return dkim.run(console).await,
            Domain::Dns { domain, check } => return dns(console, domain, check).await,
            Domain::Remove {
                name,
                with_users,
                keep_mail,
                yes,
            } => {
                if with_users && !yes && !confirmed(&format!("Remove {name} with all its users?")) {
                    bail!("nothing removed (--yes removes without asking)");
                }
                DomainCommand::Remove {
                    name,
                    with_users,
                    keep_mail,
                }
            }
        };
        console.execute(Request::Domain(command)).await
    }
}

async fn dns(console: &mut Console, domain: String, check: bool) -> Result<ExitCode> {
    let command = DomainCommand::Dns { domain, check };
    let response = console.ask(Request::Domain(command)).await?;
    console.print(&response)?;
    let is_fine = |state: Option<DnsState>| state.is_none_or(DnsState::is_fine);
    Ok(match response {
        Response::DnsRecords(rows) if !rows.iter().all(|row| is_fine(row.state)) => {
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    })
}
