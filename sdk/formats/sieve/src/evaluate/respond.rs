//! Answers to the sender: `vacation` (RFC 5230, and what RFC 3834 asks of every answer that nobody wrote), and the notice of
//! a `reject` that came too late.

use super::{Machine, address};
use crate::action::{Action, Reply};
use crate::reply;
use crate::script::Vacation;
use crate::{Error, Result};

/// Fields in which a person is named as a recipient (RFC 5230 section 4.5).
const RECIPIENTS: [&str; 6] = ["To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"];

impl Machine<'_> {
    pub(super) fn vacation(&mut self, line: u32, vacation: &Vacation) -> Result<()> {
        if self
            .actions
            .iter()
            .any(|action| matches!(action, Action::Reply(_)))
        {
            return Err(Error::at(line, "vacation may be done once"));
        }
        let mut own = self.texts(&vacation.addresses);
        own.extend(self.arrival.addresses.iter().cloned());
        own.push(self.arrival.recipient.to_owned());
        if self.is_automatic() || !self.is_for(&own) {
            return Ok(());
        }
        let sender = self.arrival.sender.to_owned();
        if own
            .iter()
            .any(|address| address.eq_ignore_ascii_case(&sender))
        {
            return Ok(());
        }
        let reason = self.text(&vacation.reason);
        let subject = vacation.subject.as_ref().map(|subject| self.text(subject));
        let from = vacation.from.as_ref().map(|from| self.text(from));
        // RFC 5230 section 4.2: another answer is another reason to answer.
        let handle = match &vacation.handle {
            Some(handle) => self.text(handle),
            None => format!("{subject:?}\0{from:?}\0{}\0{reason}", vacation.mime),
        };
        let key = format!("vacation\0{}\0{handle}", sender.to_ascii_lowercase());
        if vacation.seconds > 0 && self.surroundings.seen(&key) {
            return Ok(());
        }
        let answer = reply::Answer {
            from: from.filter(|from| !address::of_field(from.as_bytes()).is_empty()),
            subject,
            text: &reason,
            mime: vacation.mime,
        };
        let message = self.compose(&answer);
        self.take_action(
            line,
            Action::Reply(Reply {
                to: sender,
                message,
            }),
        )?;
        if vacation.seconds > 0 {
            self.remember.push(Action::Remember {
                key,
                seconds: vacation.seconds,
            });
        }
        Ok(())
    }

    pub(super) fn rejection(&self, reason: &str) -> Reply {
        Reply {
            to: self.arrival.sender.to_owned(),
            message: reply::rejection(&self.original(), reason),
        }
    }

    fn compose(&self, answer: &reply::Answer<'_>) -> Vec<u8> {
        reply::vacation(&self.original(), answer)
    }

    fn original(&self) -> reply::Original<'_> {
        let first = |name: &str| self.header.values(name).next();
        reply::Original {
            sender: self.arrival.sender,
            recipient: self.arrival.recipient,
            owner: self
                .arrival
                .addresses
                .first()
                .map_or(self.arrival.recipient, String::as_str),
            subject: first("Subject"),
            message_id: first("Message-ID"),
            references: first("References"),
            now: self.arrival.now,
        }
    }

    /// Whether the message was written by nobody, or to a list: such a one is not answered.
    fn is_automatic(&self) -> bool {
        let sender = self.arrival.sender.to_ascii_lowercase();
        let local = sender
            .rsplit_once('@')
            .map_or(sender.as_str(), |(local, _)| local);
        let machine = [
            "mailer-daemon",
            "postmaster",
            "listserv",
            "majordomo",
            "noreply",
            "no-reply",
        ];
        let said = |field: &str, words: &[&str]| {
            let values: Vec<String> = self.header.values(field).collect();
            values.iter().any(|value| {
                words
                    .iter()
                    .any(|word| value.to_ascii_lowercase().contains(word))
            })
        };
        let submitted = self.header.values("Auto-Submitted").any(|value| {
            let word = value
                .split([';', ' '])
                .next()
                .unwrap_or_default()
                .to_owned();
            !word.eq_ignore_ascii_case("no")
        });
        !address::is_address(&sender)
            || machine.contains(&local)
            || local.starts_with("owner-")
            || local.ends_with("-owner")
            || local.ends_with("-request")
            || submitted
            || self.header.has_prefix("List-")
            || said("Precedence", &["bulk", "list", "junk"])
            || said("X-Auto-Response-Suppress", &["all", "oof", "autoreply"])
    }

    /// Whether the message names one of these addresses as its recipient.
    fn is_for(&self, own: &[String]) -> bool {
        RECIPIENTS.iter().any(|name| {
            self.header.raw(name).any(|field| {
                let named = address::of_field(field);
                named
                    .iter()
                    .any(|address| own.iter().any(|own| own.eq_ignore_ascii_case(address)))
            })
        })
    }
}
