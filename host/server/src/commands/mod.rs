//! One file a noun of the command line: its words, and the request that they become.

pub(crate) mod alias;
pub(crate) mod app_password;
pub(crate) mod backup;
pub(crate) mod config;
pub(crate) mod domain;
pub(crate) mod export;
pub(crate) mod folder;
pub(crate) mod group;
pub(crate) mod import;
pub(crate) mod mailbox;
pub(crate) mod plugin;
pub(crate) mod queue;
pub(crate) mod quota;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod session;
pub(crate) mod share;
pub(crate) mod transport;
pub(crate) mod user;

use std::io::{BufRead, IsTerminal, Write};

/// Asks a yes-or-no question on the terminal; without one the answer is no.
fn confirmed(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    let mut stderr = std::io::stderr();
    let mut answer = String::new();
    let asked = stderr
        .write_all(format!("{question} [y/N] ").as_bytes())
        .and_then(|()| stderr.flush());
    asked.is_ok()
        && std::io::stdin().lock().read_line(&mut answer).is_ok()
        && matches!(answer.trim(), "y" | "Y" | "yes")
}
