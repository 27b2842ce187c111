//! `waxwing domain dkim DOMAIN …`

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use waxwing_admin::protocol::{DkimCommand, DnsState, DomainCommand, Request, Response};
use waxwing_directory::DkimAlgorithm;

use crate::console::Console;

#[derive(Debug, Args)]
pub(crate) struct Dkim {
    /// Whose mail.
    domain: String,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make keys and print the records to publish; the first of an algorithm signs at once.
    Create {
        /// The key's name below _domainkey; by default its kind and the day.
        #[arg(long, requires = "algorithm")]
        selector: Option<String>,
        /// One kind of key; by default one of each is made.
        #[arg(long, value_enum)]
        algorithm: Option<Algorithm>,
    },
    /// Print the records to publish and what is published; this is what is done when nothing is said.
    Show {
        /// Only this key.
        #[arg(long)]
        selector: Option<String>,
    },
    /// Make the next keys; said again when their records are published, put them in place.
    Rotate {
        /// Only keys of this kind.
        #[arg(long, value_enum)]
        algorithm: Option<Algorithm>,
        /// Put waiting keys in place without asking DNS.
        #[arg(long)]
        now: bool,
    },
    /// List the keys.
    List,
    /// Remove a key for ever.
    Remove {
        /// Its name.
        #[arg(long)]
        selector: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Algorithm {
    /// RSA with 2048 bits, which everybody verifies.
    Rsa2048,
    /// Ed25519, which is small and not verified everywhere yet.
    Ed25519,
}

impl From<Algorithm> for DkimAlgorithm {
    fn from(algorithm: Algorithm) -> DkimAlgorithm {
        match algorithm {
            Algorithm::Rsa2048 => DkimAlgorithm::Rsa2048,
            Algorithm::Ed25519 => DkimAlgorithm::Ed25519,
        }
    }
}

impl Dkim {
    pub(super) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let show = Action::Show { selector: None };
        let command = match self.action.unwrap_or(show) {
            Action::Create {
                selector,
                algorithm,
            } => DkimCommand::Create {
                selector,
                algorithm: algorithm.map(Into::into),
            },
            Action::Show { selector } => DkimCommand::Show { selector },
            Action::Rotate { algorithm, now } => DkimCommand::Rotate {
                algorithm: algorithm.map(Into::into),
                now,
            },
            Action::List => DkimCommand::List,
            Action::Remove { selector } => DkimCommand::Remove { selector },
        };
        let domain = self.domain;
        let request = Request::Domain(DomainCommand::Dkim { domain, command });
        let response = console.ask(request).await?;
        console.print(&response)?;
        Ok(match response {
            Response::DkimKeys(keys)
                if keys.keys.iter().any(|key| {
                    let state = key.record.state;
                    state.is_some_and(|state| state != DnsState::Ok)
                }) =>
            {
                ExitCode::FAILURE
            }
            _ => ExitCode::SUCCESS,
        })
    }
}
