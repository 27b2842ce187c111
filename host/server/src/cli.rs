//! The command line as a whole: its words and their order. What a command does is in [`crate::commands`].

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

use crate::{
    commands::{
        alias, app_password, config, domain, folder, group, import, mailbox, plugin, queue, quota,
        serve, session, share, transport, user,
    },
    config::Config,
    console::Console,
};

const EXAMPLES: &str = "\
Examples:
  waxwing --config /etc/waxwing/waxwing.toml serve
  waxwing domain add example.org
  waxwing user add alice@example.org --generate
  waxwing import --user alice@example.org ~/Maildir
  waxwing plugin load ./imap-1.1.0 && waxwing plugin activate imap
  waxwing mailbox check --json
  waxwing mailbox backup --all --to /backup/waxwing

A command that changes or lists something is done by the running server of the same data directory; when none runs, it works on the files itself.

Exit status: 0 done, 1 failed or found something wrong, 2 not understood.";

/// A groupware server whose protocols are sandboxed plugins, replaced while clients stay connected.
#[derive(Debug, Parser)]
#[command(name = "waxwing", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Words that every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The configuration file. Without it: DATA/waxwing.toml, ./waxwing.toml, /etc/waxwing/waxwing.toml.
    #[arg(long, value_name = "FILE", global = true, env = "WAXWING_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The data directory, in place of the configuration's `data_dir`.
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server in the foreground.
    Serve(serve::Serve),
    /// Mail domains.
    #[command(subcommand)]
    Domain(domain::Domain),
    /// People who have a mailbox.
    #[command(subcommand)]
    User(user::User),
    /// Other names for addresses.
    #[command(subcommand)]
    Alias(alias::Alias),
    /// Addresses that stand for several.
    #[command(subcommand)]
    Group(group::Group),
    /// Passwords for single devices.
    #[command(subcommand)]
    AppPassword(app_password::AppPassword),
    /// Mailboxes on disk.
    #[command(subcommand)]
    Mailbox(mailbox::Mailbox),
    /// Protocols: which versions there are, and which one serves.
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// Connections that are open now.
    #[command(subcommand)]
    Session(session::Session),
    /// Mail on its way to other servers.
    #[command(subcommand)]
    Queue(queue::Queue),
    /// What happens to mail that comes in or is handed in.
    #[command(subcommand)]
    Transport(transport::Transport),
    /// Who may do what in whose folders.
    #[command(subcommand)]
    Share(share::Share),
    /// Folders of an account, without a mail client: for public folders above all.
    #[command(subcommand)]
    Folder(folder::Folder),
    /// What mailboxes hold and may hold.
    #[command(subcommand)]
    Quota(quota::Quota),
    /// Bring mail from mbox files, Maildirs and .eml files into a mailbox.
    Import(import::Import),
    /// The configuration file.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Compiles one component under limits; the server starts this for itself.
    #[command(name = "__compile", hide = true)]
    Compile(serve::Compile),
}

/// Does what was asked.
pub(crate) fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Compile(compile) => return Ok(compile.run()),
        Command::Config(command) => return command.run(&cli.global),
        Command::Mailbox(ref command) => {
            if let Some(done) = command.apart(cli.global.json) {
                return done;
            }
        }
        _ => {}
    }
    let config = Config::load(cli.global.config.as_deref(), cli.global.data.as_deref())?;
    // Two at least, so that a plugin's long turn never has the only one (`waxwing_runtime`, `long_turns`).
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.max(2))
        .enable_all()
        .build()
        .context("cannot start threads")?;
    runtime.block_on(async {
        if let Command::Serve(serve) = cli.command {
            return serve.run(config, &cli.global).await;
        }
        let needs_plugins = matches!(cli.command, Command::Plugin(_) | Command::Transport(_));
        let mut console = Console::connect(&config, needs_plugins, cli.global.json).await?;
        let code = administer(cli.command, &mut console).await;
        console.close().await;
        code
    })
}

async fn administer(command: Command, console: &mut Console) -> Result<ExitCode> {
    match command {
        Command::Domain(command) => command.run(console).await,
        Command::User(command) => command.run(console).await,
        Command::Alias(command) => command.run(console).await,
        Command::Group(command) => command.run(console).await,
        Command::AppPassword(command) => command.run(console).await,
        Command::Mailbox(command) => command.run(console).await,
        Command::Plugin(command) => command.run(console).await,
        Command::Session(command) => command.run(console).await,
        Command::Queue(command) => command.run(console).await,
        Command::Transport(command) => command.run(console).await,
        Command::Share(command) => command.run(console).await,
        Command::Folder(command) => command.run(console).await,
        Command::Quota(command) => command.run(console).await,
        Command::Import(command) => command.run(console).await,
        Command::Serve(_) | Command::Config(_) | Command::Compile(_) => Ok(ExitCode::SUCCESS),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_says_what_it_does() {
        fn visit(command: &clap::Command, path: &str) {
            assert!(
                command.is_hide_set() || command.get_about().is_some(),
                "{path} has no description"
            );
            for argument in command
                .get_arguments()
                .filter(|argument| !argument.is_hide_set())
            {
                assert!(
                    argument.get_help().is_some(),
                    "{path} {} has no description",
                    argument.get_id()
                );
            }
            for inner in command.get_subcommands() {
                visit(inner, &format!("{path} {}", inner.get_name()));
            }
        }
        visit(&Cli::command(), "waxwing");
    }

    #[test]
    fn global_words_may_stand_before_or_after_the_command() {
        for words in [
            ["waxwing", "--json", "domain", "list"],
            ["waxwing", "domain", "list", "--json"],
        ] {
            assert!(Cli::try_parse_from(words).unwrap().global.json);
        }
    }

    #[test]
    fn a_password_is_never_an_argument() {
        let command = Cli::command();
        let user = command.find_subcommand("user").unwrap();
        for name in ["add", "passwd"] {
            let names: Vec<_> = user
                .find_subcommand(name)
                .unwrap()
                .get_arguments()
                .map(|a| a.get_id().as_str())
                .collect();
            assert!(!names.contains(&"password"), "{names:?}");
        }
    }
}
