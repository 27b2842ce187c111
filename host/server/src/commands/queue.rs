//! `waxwing queue …`

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use waxwing_admin::protocol::{
    QueueAction, QueueCommand, QueuePage, QueueSelection, Request, Response,
};

use crate::{console::Console, output};

#[derive(Debug, Subcommand)]
pub(crate) enum Queue {
    /// List messages that wait to be delivered to other servers.
    #[command(
        after_help = "Examples:\n  waxwing queue list --next-hop example.net\n  waxwing queue list --sender alice@example.org --json"
    )]
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Tell all that is known of one.
    #[command(after_help = "Example:\n  waxwing queue show 17")]
    Show {
        /// Its number, as `queue list` and the log name it.
        message: i64,
    },
    /// Try messages now.
    #[command(
        after_help = "Examples:\n  waxwing queue retry 17\n  waxwing queue retry --next-hop example.net"
    )]
    Retry(Chosen),
    /// Keep messages back until they are released.
    #[command(
        after_help = "Examples:\n  waxwing queue hold 17\n  waxwing queue hold --sender mallory@example.org"
    )]
    Hold(Chosen),
    /// Let messages go on that are held.
    #[command(after_help = "Examples:\n  waxwing queue release 17\n  waxwing queue release --all")]
    Release(Chosen),
    /// Throw messages away. Nobody is told.
    #[command(
        after_help = "Examples:\n  waxwing queue delete 17 18\n  waxwing queue delete --sender mallory@example.org --held"
    )]
    Delete(Chosen),
}

/// Which messages; all that is said must hold.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Whose sender's address contains this; `<>` for reports.
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
    /// With a recipient whose address contains this.
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
    /// With a recipient whose next hop this is, as `queue list` names it.
    #[arg(long, value_name = "HOP")]
    next_hop: Option<String>,
    /// Only those that are held.
    #[arg(long)]
    held: bool,
}

/// Messages by their numbers, or by what is known of them.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// Numbers, as `queue list` and the log name them.
    messages: Vec<i64>,
    #[command(flatten)]
    which: Which,
    /// Every message there is.
    #[arg(long, conflicts_with = "messages")]
    all: bool,
}

impl Which {
    fn selection(self, ids: Vec<i64>) -> QueueSelection {
        QueueSelection {
            ids,
            sender: self.sender,
            recipient: self.recipient,
            next_hop: self.next_hop,
            held: self.held,
        }
    }
}

impl Queue {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        match self {
            Queue::List { which } => list(console, which.selection(Vec::new())).await,
            Queue::Show { message } => {
                let command = QueueCommand::Show { id: message };
                console.execute(Request::Queue(command)).await
            }
            Queue::Retry(chosen) => act(console, QueueAction::Retry, chosen).await,
            Queue::Hold(chosen) => act(console, QueueAction::Hold, chosen).await,
            Queue::Release(chosen) => act(console, QueueAction::Release, chosen).await,
            Queue::Delete(chosen) => act(console, QueueAction::Delete, chosen).await,
        }
    }
}

/// Fetches page after page, so that no answer is ever too long for a frame.
async fn list(console: &mut Console, filter: QueueSelection) -> Result<ExitCode> {
    let (mut messages, mut after) = (Vec::new(), 0);
    loop {
        let filter = filter.clone();
        let command = QueueCommand::List { filter, after };
        let page = match console.ask(Request::Queue(command)).await? {
            Response::Queue(page) => page,
            other => bail!("unexpected answer: {}", output::text(&other).trim()),
        };
        messages.extend(page.messages);
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    let all = QueuePage {
        messages,
        next: None,
    };
    console.print(&Response::Queue(all))?;
    Ok(ExitCode::SUCCESS)
}

async fn act(console: &mut Console, action: QueueAction, chosen: Chosen) -> Result<ExitCode> {
    let filter = chosen.which.selection(chosen.messages);
    if filter == QueueSelection::default() && !chosen.all {
        bail!("which messages? Name numbers or a filter, or say --all");
    }
    let command = QueueCommand::Act { action, filter };
    let response = console.ask(Request::Queue(command)).await?;
    console.print(&response)?;
    let found = matches!(&response, Response::QueueActed(acted) if !acted.ids.is_empty());
    Ok(if found {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
