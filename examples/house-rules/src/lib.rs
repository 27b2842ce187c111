//! Rules of the house: a filter in the mail flow that does each of the things that one can do.
//!
//! | setting | what it does | stage |
//! |---|---|---|
//! | `reject_senders` | refuses mail of these addresses, or of whole domains (`@example.net`) | `on-envelope` |
//! | `quarantine_names` | keeps mail apart whose attachments' names end so | `on-message-in` |
//! | `tag_word`, `tag` | puts a tag before a subject that has the word | `on-message-in` |
//! | `stamp` | adds X-House-Rules with this value | `on-message-in`, `on-message-out` |
//! | `replace`, `with` | rewrites a text in the body of plain messages | `on-message-in`, `on-message-out` |
//! | `file_word`, `file_into`, `file_flag` | files mail whose subject has the word, and flags it | `on-deliver` |
//!
//! A rule that is not set does nothing.

#[cfg(feature = "fault-injection")]
mod faults;
mod rules;

use waxwing_formats_mime::{Part, PartKind, Structure, parameter};
use waxwing_sdk::mail_flow::{
    Connection, Edit, Envelope, MailFlowHook, Message, Verdict, Whole, body_of, header_field,
    rejected, replaced,
};
use waxwing_sdk::{Fault, bodies, warning};

use rules::Rules;

/// Octets of a message that are looked at; an instance has not much more memory than a few of these.
const LIMIT: u64 = 8 << 20;

/// The hook.
#[derive(Debug)]
pub struct HouseRules;

waxwing_sdk::mail_flow_hook!(HouseRules);

impl MailFlowHook for HouseRules {
    fn on_envelope(_connection: Connection, envelope: Envelope) -> Verdict {
        match Rules::read().refuses(&envelope.sender) {
            true => rejected(550, "5.7.1", "We do not take mail from you"),
            false => Verdict::Accept,
        }
    }

    fn on_message_in(message: Message) -> Verdict {
        #[cfg(feature = "fault-injection")]
        faults::on_demand(&message);
        let rules = Rules::read();
        if message.body.size() > LIMIT {
            return match rules.quarantine_names.is_empty() {
                true => Verdict::Accept,
                false => Verdict::Quarantine("too long to be looked into".into()),
            };
        }
        if let Some(name) = forbidden(&rules, &message) {
            return Verdict::Quarantine(format!("an attachment is called {name}"));
        }
        edited(&rules, &message, true)
    }

    fn on_message_out(message: Message) -> Verdict {
        edited(&Rules::read(), &message, false)
    }

    fn on_deliver(message: Message, _recipient: String) -> Verdict {
        let rules = Rules::read();
        let subject = Whole::read(&message.body, LIMIT).ok();
        let subject = subject.and_then(|whole| whole.field("Subject"));
        if rules.file_word.is_empty()
            || !subject.is_some_and(|text| text.contains(&rules.file_word))
        {
            return Verdict::Accept;
        }
        let mut edits = vec![Edit::FileInto(rules.file_into)];
        if !rules.file_flag.is_empty() {
            edits.push(Edit::AddFlag(rules.file_flag));
        }
        Verdict::Modify(edits)
    }
}

/// What becomes of a message that goes on. One that cannot be read goes on as it is.
fn edited(rules: &Rules, message: &Message, is_tagged: bool) -> Verdict {
    let edits = match edits(rules, message, is_tagged) {
        Ok(edits) => edits,
        Err(fault) => {
            warning!("the message is not looked into: {fault}");
            return Verdict::Accept;
        }
    };
    match edits.is_empty() {
        true => Verdict::Accept,
        false => Verdict::Modify(edits),
    }
}

fn edits(rules: &Rules, message: &Message, is_tagged: bool) -> Result<Vec<Edit>, Fault> {
    let octets = bodies::read_all(&message.body, LIMIT)?;
    let is_plain = is_plain(&Structure::parse(&octets).root);
    let whole = Whole::of(octets);
    let mut edits = Vec::new();
    if let Some(subject) = whole.field("Subject").filter(|_| is_tagged)
        && rules.tags(&subject)
    {
        edits.extend(replaced("Subject", &format!("{} {subject}", rules.tag)));
    }
    if !rules.stamp.is_empty() {
        edits.push(Edit::AddHeader(header_field("X-House-Rules", &rules.stamp)));
    }
    let body = String::from_utf8_lossy(&whole.body);
    if is_plain && !rules.replace.is_empty() && body.contains(&rules.replace) {
        let body = body.replace(&rules.replace, &rules.with);
        edits.push(Edit::ReplaceBody(body_of(body.into_bytes())?));
    }
    Ok(edits)
}

/// Whether its body is text as it stands, without an encoding.
fn is_plain(root: &Part) -> bool {
    let is_bare = matches!(root.encoding.as_slice(), b"7BIT" | b"8BIT");
    is_bare && root.media_type == b"TEXT" && root.kind == PartKind::Leaf
}

/// The first name of an attachment that the rules forbid.
fn forbidden(rules: &Rules, message: &Message) -> Option<String> {
    if rules.quarantine_names.is_empty() {
        return None;
    }
    let octets = bodies::read_all(&message.body, LIMIT).ok()?;
    let structure = Structure::parse(&octets);
    let mut parts = vec![&structure.root];
    while let Some(part) = parts.pop() {
        match &part.kind {
            PartKind::Multipart(inner) => parts.extend(inner),
            PartKind::Message(embedded) => parts.push(&embedded.root),
            PartKind::Leaf => {}
        }
        let found = names(part).find(|name| rules.forbids(name));
        if found.is_some() {
            return found;
        }
    }
    None
}

/// What a part is called, by either field that can say it.
fn names(part: &Part) -> impl Iterator<Item = String> {
    let disposition = part.disposition.as_ref().map(|(_, named)| named);
    let disposition = disposition.and_then(|named| parameter::plain_value(named, "FILENAME"));
    let content_type = parameter::plain_value(&part.params, "NAME");
    let both = disposition.into_iter().chain(content_type);
    both.map(|name| String::from_utf8_lossy(&name).into_owned())
}

#[cfg(test)]
mod tests;
