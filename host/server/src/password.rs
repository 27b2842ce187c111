//! Where a password comes from: standard input, a prompt without echo, or dice. Never the command line, which every
//! process of the machine can read.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, Result, bail};
use clap::Args;
use rand::seq::IndexedRandom;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use waxwing_admin::protocol::Secret;

/// Letters and digits that nobody mistakes for another.
const CHARACTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// How the password is given.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct PasswordSource {
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Make a password and print it.
    #[arg(long)]
    generate: bool,
}

/// A password and whether the caller must be shown it.
pub(crate) struct Given {
    pub(crate) password: Secret,
    pub(crate) generated: bool,
}

impl PasswordSource {
    /// Reads, makes or asks for it.
    pub(crate) fn obtain(&self, for_whom: &str) -> Result<Given> {
        if self.generate {
            return Ok(Given {
                password: generate(),
                generated: true,
            });
        }
        let text = if self.password_stdin {
            first_line()?
        } else {
            ask_twice(for_whom)?
        };
        if text.is_empty() {
            bail!("the password is empty");
        }
        Ok(Given {
            password: Secret::new(text),
            generated: false,
        })
    }
}

/// Four groups of five: about 98 bits.
pub(crate) fn generate() -> Secret {
    let mut random = rand::rng();
    let groups: Vec<String> = (0..4)
        .map(|_| {
            (0..5)
                .filter_map(|_| CHARACTERS.choose(&mut random))
                .map(|c| char::from(*c))
                .collect()
        })
        .collect();
    Secret::new(groups.join("-"))
}

fn first_line() -> Result<String> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read the password from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn ask_twice(for_whom: &str) -> Result<String> {
    if !std::io::stdin().is_terminal() {
        bail!("no password: give --password-stdin and write it to standard input, or --generate");
    }
    let first = ask(&format!("Password for {for_whom}: "))?;
    if first != ask("The same again: ")? {
        bail!("the two passwords differ");
    }
    Ok(first)
}

fn ask(prompt: &str) -> Result<String> {
    let mut stderr = std::io::stderr();
    stderr
        .write_all(prompt.as_bytes())
        .and_then(|()| stderr.flush())?;
    let _silence = NoEcho::begin()?;
    let line = first_line();
    eprintln!();
    line
}

/// A terminal that does not show what is typed, until dropped.
struct NoEcho(Termios);

impl NoEcho {
    fn begin() -> Result<NoEcho> {
        let before =
            tcgetattr(std::io::stdin()).context("cannot switch off the terminal's echo")?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(NoEcho(before))
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_password_is_long_and_never_the_same() {
        let (one, two) = (generate(), generate());
        assert_eq!(one.expose().len(), 23);
        assert_ne!(one.expose(), two.expose());
    }
}
