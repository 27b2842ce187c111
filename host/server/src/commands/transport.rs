//! `waxwing transport …`

use std::{
    fs::File,
    io::Read as _,
    net::IpAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use clap::{Args, Subcommand};
use waxwing_admin::protocol::{
    ExplainStart, QuarantineCommand, QuarantinePage, Request, Response, TransportCommand,
};
use waxwing_formats_mime::{address, header};

use crate::{console::Console, output};

/// Octets of a message that is explained; a frame of the admin socket holds it in base64.
const MAX_MESSAGE: u64 = 32 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum Transport {
    /// Messages that hooks have kept apart.
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Tell what would happen to a message, step by step, and which step decides. Nothing is delivered.
    #[command(
        after_help = "Examples:\n  waxwing transport explain spam.eml --to alice@example.org --peer 192.0.2.7\n  waxwing transport explain mail.eml --submission alice@example.org --to bob@example.net\n  waxwing transport explain mail.eml --to alice@example.org --offline --json"
    )]
    Explain(Explain),
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A file with the message; `-` for standard input.
    message: PathBuf,
    /// The envelope's sender; `<>` for the null sender. Default: whom From names, or who submits it.
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// A recipient of the envelope; may be said several times.
    #[arg(long, value_name = "ADDRESS", required = true)]
    to: Vec<String>,
    /// The address that it would come from.
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    peer: IpAddr,
    /// The name that whoever connects would give.
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    helo: String,
    /// As if it came over LMTP, from another server of ours.
    #[arg(long, conflicts_with = "submission")]
    lmtp: bool,
    /// As if this user handed it in.
    #[arg(long, value_name = "USER")]
    submission: Option<String>,
    /// Ask neither DNS nor milters.
    #[arg(long)]
    offline: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    /// List them.
    #[command(after_help = "Example:\n  waxwing transport quarantine list --json")]
    List,
    /// Tell all that is known of one, and show its beginning.
    #[command(after_help = "Example:\n  waxwing transport quarantine show 17")]
    Show {
        /// Its number, as `quarantine list` and the log name it.
        message: u64,
    },
    /// Let messages go on to their recipients. No hook is asked about them again.
    #[command(after_help = "Example:\n  waxwing transport quarantine release 17 18")]
    Release(Chosen),
    /// Throw messages away. Nobody is told.
    #[command(after_help = "Example:\n  waxwing transport quarantine delete 17 18")]
    Delete(Chosen),
}

#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// Numbers, as `quarantine list` and the log name them.
    #[arg(required = true)]
    messages: Vec<u64>,
}

impl Transport {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        match self {
            Transport::Quarantine(quarantine) => quarantine.run(console).await,
            Transport::Explain(explain) => explain.run(console).await,
        }
    }
}

impl Explain {
    async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let message = read(&self.message)?;
        let from = match self.from.as_deref() {
            Some("<>") => String::new(),
            Some(from) => from.to_owned(),
            None => self
                .submission
                .clone()
                .or_else(|| author(&message))
                .unwrap_or_default(),
        };
        let source = if self.lmtp { "lmtp" } else { "smtp" };
        let start = ExplainStart {
            from,
            to: self.to,
            peer: Some(self.peer),
            helo: self.helo,
            source: source.to_owned(),
            principal: self.submission,
            offline: self.offline,
            message: BASE64.encode(message),
        };
        let command = TransportCommand::Explain(Box::new(start));
        console.execute(Request::Transport(command)).await
    }
}

/// With the line ends of mail.
fn read(file: &Path) -> Result<Vec<u8>> {
    let mut octets = Vec::new();
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin()
            .take(MAX_MESSAGE + 1)
            .read_to_end(&mut octets),
        false => {
            File::open(file).and_then(|file| file.take(MAX_MESSAGE + 1).read_to_end(&mut octets))
        }
    };
    read.with_context(|| file.display().to_string())?;
    if octets.len() as u64 > MAX_MESSAGE {
        bail!("{}: more than {MAX_MESSAGE} octets", file.display());
    }
    let mut lines = Vec::with_capacity(octets.len());
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                lines.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
                lines.extend_from_slice(b"\r\n");
            }
            None => lines.extend_from_slice(line),
        }
    }
    Ok(lines)
}

/// The first mailbox of From.
fn author(message: &[u8]) -> Option<String> {
    let end = message.windows(4).position(|octets| octets == b"\r\n\r\n");
    let fields = message.get(..end.map_or(message.len(), |end| end + 2))?;
    let from = header::find(fields, "From")?;
    let named = address::parse(&header::unfold(from.value));
    let first = named.iter().find(|address| address.is_mailbox())?;
    let text = |part: &Option<Vec<u8>>| {
        part.as_deref()
            .map(|octets| String::from_utf8_lossy(octets).into_owned())
    };
    Some(format!("{}@{}", text(&first.mailbox)?, text(&first.host)?))
}

impl Quarantine {
    async fn run(self, console: &mut Console) -> Result<ExitCode> {
        match self {
            Quarantine::List => list(console).await,
            Quarantine::Show { message } => {
                console
                    .execute(request(QuarantineCommand::Show { id: message }))
                    .await
            }
            Quarantine::Release(chosen) => release(console, chosen.messages).await,
            Quarantine::Delete(chosen) => {
                let ids = chosen.messages;
                console
                    .execute(request(QuarantineCommand::Delete { ids }))
                    .await
            }
        }
    }
}

fn request(command: QuarantineCommand) -> Request {
    Request::Transport(TransportCommand::Quarantine(command))
}

/// Fetches page after page, so that no answer is ever too long for a frame.
async fn list(console: &mut Console) -> Result<ExitCode> {
    let (mut messages, mut after) = (Vec::new(), 0);
    loop {
        let page = match console
            .ask(request(QuarantineCommand::List { after }))
            .await?
        {
            Response::Quarantine(page) => page,
            other => bail!("unexpected answer: {}", output::text(&other).trim()),
        };
        messages.extend(page.messages);
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    let all = QuarantinePage {
        messages,
        next: None,
    };
    console.print(&Response::Quarantine(all))?;
    Ok(ExitCode::SUCCESS)
}

async fn release(console: &mut Console, ids: Vec<u64>) -> Result<ExitCode> {
    let response = console
        .ask(request(QuarantineCommand::Release { ids }))
        .await?;
    console.print(&response)?;
    let whole =
        matches!(&response, Response::Released(rows) if rows.iter().all(|row| !row.is_left));
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
