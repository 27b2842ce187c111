//! LIST (RFC 9051 section 6.3.9) with LIST-EXTENDED (RFC 5258), SPECIAL-USE (RFC 6154), CHILDREN (RFC 3348) and LIST-STATUS
//! (RFC 5819), METADATA (RFC 9590) and MYRIGHTS (RFC 8440). One call for an account gives all its folders with their counts; the rest is done here.

use std::collections::{BTreeMap, BTreeSet};

use waxwing_sdk::store::folders;

use super::{acl, metadata, status};
use crate::names::{self, MailboxName, Node, Realm, SEPARATOR, Tree};
use crate::parse::{ListRequest, StatusItem};
use crate::render::text;
use crate::rights;
use crate::session::{Answer, Completion, Imap, Output};

/// Roles of `store/folders` that RFC 6154 and RFC 8457 have a name for.
pub(super) const SPECIAL_USES: [(u32, &str); 8] = [
    (2, "\\Drafts"),
    (3, "\\Sent"),
    (4, "\\Trash"),
    (5, "\\Junk"),
    (6, "\\Archive"),
    (13, "\\All"),
    (14, "\\Flagged"),
    (15, "\\Important"),
];

pub(super) fn run(session: &mut Imap, request: &ListRequest, out: &mut Output) -> Answer {
    if !request.extended && request.patterns.iter().all(String::is_empty) {
        // A question for the separator and the root (RFC 9051 section 6.3.9).
        out.line("* LIST (\\Noselect) \"/\" \"\"");
        return Ok(Completion::text("LIST completed"));
    }
    if request.returns.status.contains(&StatusItem::HighestModSeq) {
        session.enable_condstore(out)?;
    }
    let patterns = Patterns::new(request);
    let tree = session.tree_for(|above| patterns.reach(above))?;
    let wants_subscriptions = request.selection.subscribed || request.returns.subscribed;
    let subscribed = match wants_subscriptions {
        true => folders::subscriptions(session.mailbox()?)?
            .iter()
            .map(|name| MailboxName::new(name))
            .collect(),
        false => BTreeSet::new(),
    };
    let utf8 = session.state.enabled.utf8;
    let metadata = metadata::list(session, &request.returns.metadata)?;
    for entry in entries(&tree, &subscribed, request) {
        entry.line(out.text(), utf8);
        let Some(node) = entry.node.filter(|node| node.selectable) else {
            continue;
        };
        if request.returns.my_rights {
            acl::my_rights(out, &entry.name, node.folder.rights, utf8);
        }
        let own = session.state.mailbox == Some(node.account);
        // RFC 5819 section 2: without the right to it there is no STATUS line.
        if !request.returns.status.is_empty() && rights::is_readable(node.folder.rights) {
            let mailbox = session.mailbox_numbered(node.account)?;
            let described = status::Described {
                name: &entry.name,
                folder: &node.folder,
                mailbox: &mailbox,
            };
            described.line(out.text(), &request.returns.status, utf8)?;
        }
        if let Some(metadata) = metadata.as_ref().filter(|_| own) {
            metadata.line(session.mailbox()?, node, utf8, out)?;
        }
    }
    Ok(Completion::text("LIST completed"))
}

/// The patterns of a request, with its reference before each.
pub(super) struct Patterns(Vec<String>);

impl Patterns {
    pub(super) fn new(request: &ListRequest) -> Self {
        let whole = |pattern: &String| {
            MailboxName::new(&format!("{}{pattern}", request.reference))
                .as_str()
                .to_owned()
        };
        Patterns(request.patterns.iter().map(whole).collect())
    }

    /// Whether any can match a name at or below another.
    fn reach(&self, above: &str) -> bool {
        self.0.iter().any(|pattern| names::reaches(pattern, above))
    }

    pub(super) fn matches(&self, name: &MailboxName) -> bool {
        self.0.iter().any(|pattern| {
            names::matches(pattern, name.as_str())
                || (name.is_inbox() && names::matches(&pattern.to_ascii_uppercase(), name.as_str()))
        })
    }
}

/// A line of the answer.
struct Entry<'a> {
    name: MailboxName,
    node: Option<&'a Node>,
    subscribed: bool,
    /// Something below, not shown itself, is what was asked for.
    child_info: bool,
    has_children: bool,
}

impl Entry<'_> {
    fn attributes(&self) -> Vec<&'static str> {
        let mut attributes = Vec::new();
        match self.node {
            None => attributes.push("\\NonExistent"),
            Some(node) if !node.selectable => attributes.push("\\Noselect"),
            Some(_) => {}
        }
        if self.subscribed {
            attributes.push("\\Subscribed");
        }
        attributes.push(if self.has_children {
            "\\HasChildren"
        } else {
            "\\HasNoChildren"
        });
        // Those of other people are not where the user's own drafts or sent mail go.
        let own = self
            .node
            .filter(|node| node.name.realm() == Realm::Personal);
        attributes.extend(own.and_then(special_use));
        attributes
    }

    /// `* LIST (attributes) "/" name`
    fn line(&self, out: &mut Vec<u8>, utf8: bool) {
        out.extend_from_slice(
            format!("* LIST ({}) \"{SEPARATOR}\" ", self.attributes().join(" ")).as_bytes(),
        );
        text::astring(out, &self.name.to_wire(utf8), utf8);
        if self.child_info {
            out.extend_from_slice(b" (\"CHILDINFO\" (\"SUBSCRIBED\"))");
        }
        out.extend_from_slice(b"\r\n");
    }
}

pub(super) fn special_use(node: &Node) -> Option<&'static str> {
    SPECIAL_USES
        .iter()
        .find(|(role, _)| *role == node.folder.role)
        .map(|(_, name)| *name)
}

/// The line of the mailbox that SELECT opens, in IMAP4rev2 (RFC 9051 section 6.3.2).
pub(super) fn selected(out: &mut Output, tree: &Tree, node: &Node, utf8: bool) {
    let is_below = |other: &Node| above(&other.name).any(|name| name == node.name);
    let entry = Entry {
        name: node.name.clone(),
        node: Some(node),
        subscribed: false,
        child_info: false,
        has_children: tree.nodes().iter().any(is_below),
    };
    entry.line(out.text(), utf8);
}

/// A name and the names above it, nearest first.
fn above(name: &MailboxName) -> impl Iterator<Item = MailboxName> {
    std::iter::successors(name.split().0, |name| name.split().0)
}

fn entries<'a>(
    tree: &'a Tree,
    subscribed: &BTreeSet<MailboxName>,
    request: &ListRequest,
) -> Vec<Entry<'a>> {
    let selection = request.selection;
    let mut candidates: BTreeMap<MailboxName, Option<&Node>> = tree
        .nodes()
        .iter()
        .map(|node| (node.name.clone(), Some(node)))
        .collect();
    if selection.subscribed {
        for name in subscribed {
            candidates.entry(name.clone()).or_insert(None);
        }
    }
    let chosen = |name: &MailboxName, node: Option<&Node>| {
        (!selection.subscribed || subscribed.contains(name))
            && (!selection.special_use
                || (name.realm() == Realm::Personal && node.and_then(special_use).is_some()))
    };
    let mut holders: BTreeSet<MailboxName> = BTreeSet::new();
    let patterns = Patterns::new(request);
    if selection.recursive_match {
        let deep = candidates
            .iter()
            .filter(|(name, node)| chosen(name, **node) && !patterns.matches(name));
        holders = deep.flat_map(|(name, _)| above(name)).collect();
        for name in &holders {
            candidates.entry(name.clone()).or_insert(None);
        }
    }
    let below: BTreeSet<MailboxName> = candidates.keys().flat_map(above).collect();
    let wanted = candidates
        .into_iter()
        .filter(|(name, _)| patterns.matches(name));
    let shown = wanted.filter(|(name, node)| chosen(name, *node) || holders.contains(name));
    shown
        .map(|(name, node)| Entry {
            node,
            subscribed: subscribed.contains(&name),
            child_info: selection.subscribed && holders.contains(&name),
            has_children: below.contains(&name),
            name,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Command, Parsed, parse_command};
    use waxwing_sdk::{store::folders::Folder, testing};

    fn folder(id: u64, parent: Option<u64>, name: &str, role: u32) -> Folder {
        Folder {
            parent,
            ..testing::folder(id, name, "IPF.Note", role)
        }
    }

    /// What LIST answers where INBOX, INBOX/Sub, Sent and Foo/Bar/Baz exist, and Foo/Bar/Baz and Gone/Deep are subscribed.
    fn listed(arguments: &str) -> Vec<String> {
        let tree = Tree::new(
            names::Place::own(1),
            vec![
                folder(1, None, "Inbox", 1),
                folder(2, Some(1), "Sub", 0),
                folder(3, None, "Sent", 3),
                folder(4, None, "Foo", 0),
                folder(5, Some(4), "Bar", 0),
                folder(6, Some(5), "Baz", 0),
            ],
        );
        let subscribed = ["Foo/Bar/Baz", "Gone/Deep"]
            .map(MailboxName::new)
            .into_iter()
            .collect();
        let Parsed::Command { request, .. } =
            parse_command(format!("a LIST {arguments}\r\n").as_bytes())
        else {
            panic!("{arguments}")
        };
        let Command::List(request) = request.command else {
            panic!()
        };
        let line = |entry: Entry<'_>| {
            let mut out = Vec::new();
            entry.line(&mut out, false);
            String::from_utf8(out)
                .unwrap()
                .trim_end()
                .trim_start_matches("* LIST ")
                .to_owned()
        };
        entries(&tree, &subscribed, &request)
            .into_iter()
            .map(line)
            .collect()
    }

    #[test]
    fn a_percent_shows_one_level() {
        assert_eq!(
            listed("\"\" %"),
            [
                "(\\HasChildren) \"/\" Foo",
                "(\\HasChildren) \"/\" INBOX",
                "(\\HasNoChildren \\Sent) \"/\" Sent",
            ]
        );
        assert_eq!(listed("inbox/ %"), ["(\\HasNoChildren) \"/\" INBOX/Sub"]);
        assert_eq!(listed("\"\" inb%"), ["(\\HasChildren) \"/\" INBOX"]);
    }

    #[test]
    fn special_uses_can_be_asked_for() {
        assert_eq!(
            listed("(SPECIAL-USE) \"\" *"),
            ["(\\HasNoChildren \\Sent) \"/\" Sent"]
        );
    }

    #[test]
    fn subscribed_names_are_shown_though_their_mailbox_is_gone() {
        assert_eq!(
            listed("(SUBSCRIBED) \"\" *"),
            [
                "(\\Subscribed \\HasNoChildren) \"/\" Foo/Bar/Baz",
                "(\\NonExistent \\Subscribed \\HasNoChildren) \"/\" Gone/Deep",
            ]
        );
    }

    #[test]
    fn recursivematch_shows_what_holds_a_match_below() {
        assert_eq!(
            listed("(SUBSCRIBED RECURSIVEMATCH) \"\" %"),
            [
                "(\\HasChildren) \"/\" Foo (\"CHILDINFO\" (\"SUBSCRIBED\"))",
                "(\\NonExistent \\HasChildren) \"/\" Gone (\"CHILDINFO\" (\"SUBSCRIBED\"))",
            ]
        );
    }
}
