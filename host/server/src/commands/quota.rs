//! `waxwing quota …`

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Subcommand;
use waxwing_admin::protocol::{Limit, LimitsChange, QuotaCommand, Request};

use crate::console::Console;

#[derive(Debug, Subcommand)]
pub(crate) enum Quota {
    /// Show what mailboxes hold and may hold.
    #[command(
        after_help = "Examples:\n  waxwing quota list\n  waxwing quota list example.org\n  waxwing quota list alice@example.org --json"
    )]
    List {
        /// Only this domain's users, or only this user.
        target: Option<String>,
    },
    /// Say what a user's mailbox, or each mailbox of a domain, may hold.
    #[command(
        after_help = "Examples:\n  waxwing quota set example.org --storage 2G\n  waxwing quota set alice@example.org --storage 10G --messages 200000\n  waxwing quota set alice@example.org --storage none\n  waxwing quota set alice@example.org --storage domain\n\nWhat is over its quota takes no more mail (SMTP: 552 5.2.2, IMAP: [OVERQUOTA]) until something is removed; nothing in it is lost. Counted are the messages and other items of all folders, the trash included."
    )]
    Set {
        /// A user's address, or a domain: then it is for all its users of whom nothing else is said.
        target: String,
        /// Octets, with K, M, G or T for powers of 1024; `none`: no limit; `domain`: what the domain says.
        #[arg(long, value_parser = octets)]
        storage: Option<Limit>,
        /// How many messages and other items; `none`: no limit; `domain`: what the domain says.
        #[arg(long, value_parser = items)]
        messages: Option<Limit>,
    },
}

impl Quota {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let command = match self {
            Quota::List { target } => QuotaCommand::List { target },
            Quota::Set {
                storage: None,
                messages: None,
                ..
            } => bail!("say what changes, with --storage or --messages"),
            Quota::Set {
                target,
                storage,
                messages,
            } => QuotaCommand::Set {
                target,
                change: LimitsChange { storage, messages },
            },
        };
        console.execute(Request::Quota(command)).await
    }
}

fn octets(text: &str) -> Result<Limit, String> {
    limit(text, |text| {
        let (digits, unit) = match text.char_indices().last()? {
            (at, unit) if unit.is_ascii_alphabetic() => (text.get(..at)?, unit),
            _ => (text, 'B'),
        };
        let shift = match unit.to_ascii_uppercase() {
            'B' => 0,
            'K' => 10,
            'M' => 20,
            'G' => 30,
            'T' => 40,
            _ => return None,
        };
        digits.parse::<u64>().ok()?.checked_mul(1 << shift)
    })
    .ok_or_else(|| "octets such as 500M or 2G, `none` or `domain`".to_owned())
}

fn items(text: &str) -> Result<Limit, String> {
    limit(text, |text| text.parse().ok()).ok_or_else(|| "a number, `none` or `domain`".to_owned())
}

fn limit(text: &str, number: impl FnOnce(&str) -> Option<u64>) -> Option<Limit> {
    match text {
        "none" => Some(Limit::Unlimited),
        "domain" => Some(Limit::Inherited),
        // The directory's numbers are signed.
        _ => number(text)
            .filter(|number| i64::try_from(*number).is_ok())
            .map(Limit::AtMost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_of_1024() {
        assert_eq!(octets("2G"), Ok(Limit::AtMost(2 << 30)));
        assert_eq!(octets("500k"), Ok(Limit::AtMost(500 << 10)));
        assert_eq!(octets("17"), Ok(Limit::AtMost(17)));
        assert_eq!(octets("none"), Ok(Limit::Unlimited));
        for wrong in ["", "G", "-1", "1.5G", "2X", "99999999999T"] {
            assert!(octets(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn items_are_plain_numbers() {
        assert_eq!(items("domain"), Ok(Limit::Inherited));
        assert_eq!(items("200000"), Ok(Limit::AtMost(200_000)));
        assert!(items("2G").is_err());
    }
}
