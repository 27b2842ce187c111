//! `waxwing user add --from FILE`: a batch after the other, so that it can be told how far it is and broken off between two.

use std::{io::IsTerminal, path::Path, process::ExitCode};

use anyhow::{Context, Result, bail};
use waxwing_admin::protocol::{
    ImportedUser, Request, Response, Secret, UserCommand, UsersImported,
};

use crate::console::Console;

/// Users added by one request.
const BATCH: usize = 250;

pub(super) async fn add(console: &mut Console, file: &Path) -> Result<ExitCode> {
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.with_context(|| file.display().to_string())?;
    let users = users(&text);
    if users.is_empty() {
        bail!("{}: no user in it", file.display());
    }
    let (total, mut done) = (users.len(), UsersImported::default());
    let mut rest = users.into_iter();
    for number in 1.. {
        let users: Vec<_> = rest.by_ref().take(BATCH).collect();
        if users.is_empty() {
            break;
        }
        let answer = console
            .ask(Request::User(UserCommand::Import { users }))
            .await?;
        let Response::UsersImported(batch) = answer else {
            bail!("the server answered something else");
        };
        done.added += batch.added;
        done.present += batch.present;
        done.problems.extend(batch.problems);
        if std::io::stderr().is_terminal() {
            eprint!("\r{} of {total} users", total.min(number * BATCH));
        }
    }
    if std::io::stderr().is_terminal() {
        eprintln!();
    }
    let failed = !done.problems.is_empty();
    console.print(&Response::UsersImported(done))?;
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// What the lines say; what is wrong with them is the directory's to find.
fn users(text: &str) -> Vec<ImportedUser> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            let mut parts = line.splitn(3, ':').map(str::trim);
            let mut part = || parts.next().unwrap_or_default().to_owned();
            let (address, hash, display_name) = (part(), part(), part());
            ImportedUser {
                line: number,
                address,
                display_name,
                hash: (!hash.is_empty()).then(|| Secret::new(hash)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_address_with_or_without_hash_and_name() {
        let text = "# people\n\nalice@example.org\nbob:$argon2id$v=19$m=8,t=1,p=1$a$b:Bob: the builder\ncarl::Carl\n";
        let users = users(text);
        let told: Vec<_> = users
            .iter()
            .map(|user| {
                let hash = user.hash.as_ref().map(|hash| hash.expose().to_owned());
                (
                    user.line,
                    user.address.as_str(),
                    hash,
                    user.display_name.as_str(),
                )
            })
            .collect();
        let hash = Some("$argon2id$v=19$m=8,t=1,p=1$a$b".to_owned());
        assert_eq!(
            told,
            [
                (3, "alice@example.org", None, ""),
                (4, "bob", hash, "Bob: the builder"),
                (5, "carl", None, "Carl"),
            ]
        );
    }
}
