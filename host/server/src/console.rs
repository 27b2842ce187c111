//! Where a command goes and how its answer comes out: one connection to the running server or to the files, and one way
//! of printing for each kind of answer, as a table or as JSON.

use std::{io::IsTerminal, process::ExitCode};

use anyhow::Result;
use waxwing_admin::{
    Connection,
    protocol::{Progress, Request, Response},
};

use crate::{config::Config, output, rooms::Rooms};

/// The administrator's side of one command.
pub(crate) struct Console {
    connection: Connection,
    json: bool,
}

impl Console {
    /// Connects to the running server of this data directory, or opens its files; the engine only for those who need plugins.
    pub(crate) async fn connect(
        config: &Config,
        needs_plugins: bool,
        json: bool,
    ) -> Result<Console> {
        let connection = match Connection::to_server(&config.data()).await? {
            Some(connection) => connection,
            None => {
                let rooms = Rooms::open(config).await?;
                let runtime = if needs_plugins {
                    Some(rooms.runtime(config).await?)
                } else {
                    None
                };
                Connection::here(rooms.admin(config, runtime).await?)
            }
        };
        Ok(Console { connection, json })
    }

    /// Whether the answer is to be JSON.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// For commands that talk more than once.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Has one command executed; progress goes to a terminal, when there is one.
    pub(crate) async fn ask(&mut self, request: Request) -> Result<Response> {
        let terminal = std::io::stderr().is_terminal();
        let mut progress = |progress: Progress| {
            if let (true, Progress::Mailboxes { done, total }) = (terminal, progress) {
                eprint!("\r{done} of {total} mailboxes");
                if done == total {
                    eprintln!();
                }
            }
        };
        Ok(self.connection.call(request, &mut progress).await?)
    }

    /// Has one command executed and prints its answer.
    pub(crate) async fn execute(&mut self, request: Request) -> Result<ExitCode> {
        let response = self.ask(request).await?;
        self.print(&response)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Prints an answer.
    pub(crate) fn print(&self, response: &Response) -> Result<()> {
        let text = if self.json {
            output::json(response)?
        } else {
            output::text(response)
        };
        output::out(&text);
        Ok(())
    }

    /// Flushes what was opened.
    pub(crate) async fn close(self) {
        self.connection.close().await;
    }
}
