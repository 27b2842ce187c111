//! `waxwing session …`

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use waxwing_admin::protocol::{Request, Response, SessionCommand, SessionFilter, SessionPage};

use crate::{console::Console, output};

#[derive(Debug, Subcommand)]
pub(crate) enum Session {
    /// List the connections that are open, and what serves them.
    #[command(
        after_help = "Examples:\n  waxwing session list --user alice@example.org\n  waxwing session list --plugin imap --version 1.1.0 --frozen --json"
    )]
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Tell all that is known of one.
    #[command(after_help = "Example:\n  waxwing session show 5fb8d0a31c77e204")]
    Show {
        /// Its id, as `session list` and the log name it.
        session: String,
    },
    /// End connections with their protocol's goodbye.
    #[command(after_help = KILL)]
    Kill {
        /// Ids, as `session list` and the log name them.
        sessions: Vec<String>,
        #[command(flatten)]
        which: Which,
        /// Every session there is.
        #[arg(long, conflicts_with = "sessions")]
        all: bool,
        /// Seconds to wait until they have gone.
        #[arg(long, default_value_t = 10, value_name = "SECONDS")]
        wait: u64,
    },
}

const KILL: &str = "\
Exit status: 0 when all of them have gone, 1 when there were none or some are still in the middle of something.

Examples:
  waxwing session kill 5fb8d0a31c77e204
  waxwing session kill --user alice@example.org
  waxwing session kill --plugin imap --version 1.0.0";

/// Which sessions; all that is said must hold.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Logged in as this user.
    #[arg(long, value_name = "ADDRESS")]
    user: Option<String>,
    /// Served by this plugin.
    #[arg(long, value_name = "NAME")]
    plugin: Option<String>,
    /// Served by this version.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Connected to this listener.
    #[arg(long, value_name = "NAME")]
    listener: Option<String>,
    /// Speaking this protocol.
    #[arg(long, value_name = "NAME")]
    protocol: Option<String>,
    /// Frozen: idle, without an instance.
    #[arg(long)]
    frozen: bool,
}

impl Which {
    fn filter(self, sessions: Vec<String>) -> SessionFilter {
        SessionFilter {
            sessions,
            user: self.user,
            plugin: self.plugin,
            version: self.version,
            listener: self.listener,
            protocol: self.protocol,
            frozen: self.frozen,
        }
    }
}

impl Session {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        match self {
            Session::List { which } => list(console, which.filter(Vec::new())).await,
            Session::Show { session } => {
                console
                    .execute(Request::Session(SessionCommand::Show { session }))
                    .await
            }
            Session::Kill {
                sessions,
                which,
                all,
                wait,
            } => kill(console, which.filter(sessions), all, wait).await,
        }
    }
}

/// Fetches page after page, so that no answer is ever too long for a frame.
async fn list(console: &mut Console, filter: SessionFilter) -> Result<ExitCode> {
    let (mut sessions, mut after) = (Vec::new(), 0);
    loop {
        let command = SessionCommand::List {
            filter: filter.clone(),
            after,
        };
        let page = match console.ask(Request::Session(command)).await? {
            Response::Sessions(page) => page,
            other => bail!("unexpected answer: {}", output::text(&other).trim()),
        };
        sessions.extend(page.sessions);
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    let all = SessionPage {
        sessions,
        next: None,
    };
    console.print(&Response::Sessions(all))?;
    Ok(ExitCode::SUCCESS)
}

async fn kill(
    console: &mut Console,
    filter: SessionFilter,
    all: bool,
    wait_seconds: u64,
) -> Result<ExitCode> {
    if filter == SessionFilter::default() && !all {
        bail!("which sessions? Name ids or a filter, or say --all");
    }
    let command = SessionCommand::Kill {
        filter,
        wait_seconds,
    };
    let response = console.ask(Request::Session(command)).await?;
    console.print(&response)?;
    let done = matches!(&response, Response::SessionsKilled(killed) if killed.asked > 0 && killed.ended == killed.asked);
    Ok(if done {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
