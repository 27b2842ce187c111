//! LSUB (RFC 3501 section 6.3.9): subscribed names. What a `%` stops at is shown as `\Noselect` when a subscribed name is
//! below it.

use std::collections::{BTreeMap, BTreeSet};

use waxwing_sdk::store::folders;

use super::list::Patterns;
use crate::names::MailboxName;
use crate::parse::ListRequest;
use crate::render::text;
use crate::session::{Answer, Completion, Imap, Output};

pub(super) fn run(session: &mut Imap, request: &ListRequest, out: &mut Output) -> Answer {
    let subscriptions = folders::subscriptions(session.mailbox()?)?;
    let names = subscriptions
        .iter()
        .map(|name| MailboxName::new(name))
        .collect();
    let utf8 = session.state.enabled.utf8;
    for (name, attribute) in entries(&names, &Patterns::new(request)) {
        out.text()
            .extend_from_slice(format!("* LSUB ({attribute}) \"/\" ").as_bytes());
        text::astring(out.text(), &name.to_wire(utf8), utf8);
        out.line("");
    }
    Ok(Completion::text("LSUB completed"))
}

fn entries(
    subscribed: &BTreeSet<MailboxName>,
    patterns: &Patterns,
) -> BTreeMap<MailboxName, &'static str> {
    let mut entries = BTreeMap::new();
    for name in subscribed {
        if patterns.matches(name) {
            entries.insert(name.clone(), "");
            continue;
        }
        let mut above = std::iter::successors(name.split().0, |name| name.split().0);
        if let Some(shown) = above.find(|name| patterns.matches(name)) {
            entries.entry(shown).or_insert("\\Noselect");
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percent_shows_what_holds_a_subscribed_name() {
        let names = ["INBOX", "foo/bar"]
            .map(MailboxName::new)
            .into_iter()
            .collect();
        let request = ListRequest {
            patterns: vec!["%".into()],
            ..ListRequest::default()
        };
        let shown: Vec<_> = entries(&names, &Patterns::new(&request))
            .into_iter()
            .map(|(n, a)| (n.as_str().to_owned(), a))
            .collect();
        assert_eq!(
            shown,
            [("INBOX".to_owned(), ""), ("foo".to_owned(), "\\Noselect")]
        );
    }
}
