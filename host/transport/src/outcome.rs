//! What became of a recipient, in SMTP's words (RFC 5321 section 4.2, RFC 3463).

use std::fmt;

/// One recipient's reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// 250, 4yz or 5yz.
    pub code: u16,
    /// RFC 3463, such as `2.1.5`.
    pub enhanced: String,
    /// For people; one line.
    pub text: String,
}

impl Outcome {
    fn new(code: u16, enhanced: &str, text: impl Into<String>) -> Outcome {
        Outcome {
            code,
            enhanced: enhanced.to_owned(),
            text: text.into(),
        }
    }

    pub(crate) fn delivered() -> Outcome {
        Outcome::new(250, "2.1.5", "Delivered")
    }

    pub(crate) fn unknown(address: &str) -> Outcome {
        Outcome::new(
            550,
            "5.1.1",
            format!("<{}> does not exist here", printable(address)),
        )
    }

    /// Somebody else's words.
    pub(crate) fn said(code: u16, enhanced: &str, text: &str) -> Outcome {
        Outcome::new(code, enhanced, printable(text))
    }

    /// The queue has it.
    pub(crate) fn queued(id: crate::QueueId) -> Outcome {
        Outcome::new(250, "2.0.0", format!("Queued as {id}"))
    }

    pub(crate) fn queue(error: &crate::Error) -> Outcome {
        tracing::error!(%error, "not queued");
        match error.is_full() {
            true => Outcome::new(452, "4.3.1", "No room left, try again later"),
            false => Outcome::new(451, "4.3.0", "The queue is unavailable, try again later"),
        }
    }

    /// No way leads there, and none will.
    pub(crate) fn routing(enhanced: &str, text: &str) -> Outcome {
        Outcome::new(550, enhanced, printable(text))
    }

    /// RFC 8689 section 4.2.1.
    pub(crate) fn no_require_tls() -> Outcome {
        let text = "The message asks for REQUIRETLS, which the next hop does not offer under TLS with a name that it can prove";
        Outcome::routing("5.7.30", text)
    }

    /// RFC 3463 X.3.4.
    pub(crate) fn header_too_big(limit: usize) -> Outcome {
        let text = format!("The header is too big to be filtered, the limit is {limit} octets");
        Outcome::new(552, "5.3.4", text)
    }

    /// It was taken, and nobody will get it.
    pub(crate) fn is_discarded(&self) -> bool {
        *self == Outcome::discarded()
    }

    /// Not now.
    pub(crate) fn unreachable(enhanced: &str, text: &str) -> Outcome {
        Outcome::new(451, enhanced, printable(text))
    }

    /// The same, as a reason to come again: what a host says of itself is not said of a message.
    pub(crate) fn for_now(self) -> Outcome {
        match self.enhanced.strip_prefix("5.") {
            Some(rest) => Outcome::new(450, &format!("4.{rest}"), self.text),
            None => self,
        }
    }

    /// RFC 3463 X.4.7: the same at the end of the message's time.
    pub(crate) fn expired(self) -> Outcome {
        let text = format!("Delivery time expired; the last answer: {}", self);
        Outcome::new(554, "5.4.7", printable(&text))
    }

    pub(crate) fn is_loop(&self) -> bool {
        self.enhanced == "5.4.6"
    }

    pub(crate) fn foreign() -> Outcome {
        Outcome::new(
            550,
            "5.7.1",
            "Relaying denied: this is not a domain of this server",
        )
    }

    pub(crate) fn not_own(address: &str, principal: &str) -> Outcome {
        Outcome::new(
            550,
            "5.7.1",
            format!(
                "<{}> is neither an address nor an alias of {}",
                printable(address),
                printable(principal)
            ),
        )
    }

    pub(crate) fn no_author() -> Outcome {
        Outcome::new(550, "5.6.0", "The message has no From field")
    }

    /// RFC 7372 section 3.4.
    pub(crate) fn not_authentic(domain: &str) -> Outcome {
        Outcome::new(
            550,
            "5.7.26",
            format!(
                "{} has not sent this: neither SPF nor DKIM bears it out, and its DMARC policy is to reject",
                printable(domain)
            ),
        )
    }

    /// RFC 9989 section 10.5: which one would a policy be asked of?
    pub(crate) fn several_authors() -> Outcome {
        Outcome::new(550, "5.7.1", "The message has more than one From field")
    }

    pub(crate) fn may_not_post(address: &str) -> Outcome {
        Outcome::new(
            550,
            "5.7.2",
            format!(
                "<{}> does not take mail from this sender",
                printable(address)
            ),
        )
    }

    pub(crate) fn filter_unavailable() -> Outcome {
        Outcome::new(451, "4.7.1", "A filter is unavailable, try again later")
    }

    pub(crate) fn refused_by_filter() -> Outcome {
        Outcome::new(550, "5.7.1", "A filter refuses this message")
    }

    pub(crate) fn put_off_by_filter() -> Outcome {
        Outcome::new(
            451,
            "4.7.1",
            "A filter puts this message off, try again later",
        )
    }

    pub(crate) fn discarded() -> Outcome {
        Outcome::new(250, "2.0.0", "Taken")
    }

    /// A filter's own words, `550 5.7.1 text`; what is no refusal is put into our own.
    pub(crate) fn filter_reply(words: &str) -> Outcome {
        let (code, rest) = words.split_once([' ', '-']).unwrap_or((words, ""));
        let Some(code) = code.parse().ok().filter(|code| (400..600).contains(code)) else {
            return Outcome::refused_by_filter();
        };
        let class = code / 100;
        let (enhanced, text) = rest.split_once(' ').unwrap_or((rest, ""));
        match is_enhanced(enhanced, class) {
            true => Outcome::said(code, enhanced, text),
            false => Outcome::said(code, &format!("{class}.7.1"), rest),
        }
    }

    /// A hook's words; what is no answer of that class (4 or 5) is put into our own.
    pub(crate) fn hook_reply(class: u16, code: u16, enhanced: &str, text: &str) -> Outcome {
        let ours = match class {
            4 => Outcome::put_off_by_filter(),
            _ => Outcome::refused_by_filter(),
        };
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Outcome {
            code: if code / 100 == class { code } else { ours.code },
            enhanced: match is_enhanced(enhanced, class) {
                true => enhanced.to_owned(),
                false => ours.enhanced,
            },
            text: match line.is_empty() {
                true => ours.text,
                false => printable(&line),
            },
        }
    }

    /// The sender comes again, when there may be room.
    pub(crate) fn no_quarantine(error: &crate::Error) -> Outcome {
        match error.is_full() {
            true => Outcome::new(452, "4.3.1", "No room left, try again later"),
            false => Outcome::filter_unavailable(),
        }
    }

    pub(crate) fn no_resolver() -> Outcome {
        Outcome::new(451, "4.4.3", "DNS cannot be asked, try again later")
    }

    pub(crate) fn malformed(reason: &str) -> Outcome {
        Outcome::new(553, "5.1.3", printable(reason))
    }

    pub(crate) fn empty_group() -> Outcome {
        Outcome::new(550, "5.2.4", "This group has no members")
    }

    pub(crate) fn bad_sender() -> Outcome {
        Outcome::new(
            553,
            "5.1.7",
            "The sender's address holds a control character",
        )
    }

    pub(crate) fn loops(limit: usize) -> Outcome {
        Outcome::new(
            554,
            "5.4.6",
            format!("Mail loop: more than {limit} Received fields"),
        )
    }

    /// RFC 5429 section 2.2: in the words of the recipient's filter.
    pub(crate) fn refused_by_recipient(text: &str) -> Outcome {
        let line = printable(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        Outcome::new(550, "5.7.1", line)
    }

    /// A message that a filter has sent on is here again.
    pub(crate) fn came_back() -> Outcome {
        Outcome::new(
            554,
            "5.4.6",
            "Mail loop: this message was sent on from here",
        )
    }

    pub(crate) fn directory(error: &waxwing_directory::Error) -> Outcome {
        tracing::error!(%error, "directory unavailable for delivery");
        Outcome::new(
            451,
            "4.3.0",
            "The directory is unavailable, try again later",
        )
    }

    /// Others have the message; this one is refused, and the sender hears of it by a report.
    pub(crate) fn told_by_report() -> Outcome {
        Outcome::new(250, "2.1.5", "Refused, a report says why")
    }

    /// RFC 3463 X.2.2. Not for now: who writes is to hear of it today and not in five days.
    pub(crate) fn mailbox_full() -> Outcome {
        Outcome::new(552, "5.2.2", "The mailbox is full")
    }

    /// What the store's refusal means to a sender. What an operator can mend is temporary, so that no mail is lost over it.
    pub(crate) fn store(error: &waxwing_exmdb::Error) -> Outcome {
        use waxwing_exmdb::Error;
        match error {
            Error::Limit(limit) => Outcome::new(
                552,
                "5.3.4",
                printable(&format!("Message too large: {limit}")),
            ),
            Error::OverQuota(_) => Outcome::mailbox_full(),
            Error::Invalid(reason) => Outcome::new(554, "5.6.0", printable(reason)),
            // RFC 3463: "mail system full", RFC 5321: insufficient system storage.
            Error::Full(_) => Outcome::new(452, "4.3.1", "No room left, try again later"),
            _ => Outcome::new(451, "4.3.0", "The mailbox is unavailable, try again later"),
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        self.code < 300
    }

    pub(crate) fn is_temporary(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// Of all mailboxes that a recipient reaches: a retry can mend a temporary failure, so it comes before a permanent one;
    /// either comes before success, because what is acknowledged must have arrived everywhere.
    pub(crate) fn worst(outcomes: impl Iterator<Item = Outcome>) -> Option<Outcome> {
        outcomes.max_by_key(|outcome| match outcome.code {
            ..300 => 0,
            500.. => 1,
            _ => 2,
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.code, self.enhanced, self.text)
    }
}

/// RFC 3463, of that class.
fn is_enhanced(word: &str, class: u16) -> bool {
    let mut parts = word.split('.').map(str::parse::<u16>);
    let first = parts.next().is_some_and(|first| first == Ok(class));
    first && parts.clone().count() == 2 && parts.all(|part| part.is_ok())
}

/// Other people's text in a reply line.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(400)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_a_group_is_its_answer() {
        let temporary = Outcome::store(&waxwing_exmdb::Error::Unavailable("closed".into()));
        let permanent = Outcome::store(&waxwing_exmdb::Error::Limit("50 MiB".into()));
        let worst = |outcomes: &[&Outcome]| {
            Outcome::worst(outcomes.iter().map(|outcome| (*outcome).clone()))
                .unwrap()
                .code
        };
        assert_eq!(worst(&[&Outcome::delivered(), &temporary, &permanent]), 451);
        assert_eq!(worst(&[&permanent, &Outcome::delivered()]), 552);
        assert_eq!(worst(&[&Outcome::delivered(), &Outcome::delivered()]), 250);
    }

    #[test]
    fn what_an_operator_can_mend_is_temporary() {
        use waxwing_exmdb::Error;
        let full = Outcome::store(&Error::Full("disk is full".into()));
        assert_eq!((full.code, full.enhanced.as_str()), (452, "4.3.1"));
        let errors = [
            Error::Unavailable("disk fails".into()),
            Error::NotFound("mailbox".into()),
            Error::Corrupt("page".into()),
        ];
        for error in errors {
            let outcome = Outcome::store(&error);
            assert_eq!(
                (outcome.code, outcome.enhanced.as_str()),
                (451, "4.3.0"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_reply_is_one_line() {
        assert!(
            !Outcome::unknown("a\r\n250 OK@example.org")
                .text
                .contains('\n')
        );
    }
}
