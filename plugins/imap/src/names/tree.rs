//! The folders of a mailbox by name. One call to the store gives them all, with their counts.
//!
//! Of other people's mailboxes one sees some folders only: one whose parent is not seen stands where the account begins.

use std::collections::{BTreeMap, BTreeSet};

use waxwing_sdk::store::folders::Folder;

use super::{MailboxName, OTHER_USERS, PUBLIC, SEPARATOR};

/// The role of INBOX in `store/folders.folder.role`.
pub const INBOX_ROLE: u32 = 1;

/// A folder with its full name.
#[derive(Debug, Clone)]
pub struct Node {
    /// In Unicode.
    pub name: MailboxName,
    /// As the store gave it.
    pub folder: Folder,
    /// Whether it holds mail; others are shown only as parents of such.
    pub selectable: bool,
    /// Whether a folder that is shown stands below it.
    pub has_children: bool,
    /// The number under which the session has opened the account; 0 for what stands above accounts.
    pub account: u32,
}

/// Where the folders of an account stand.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// As in [`Node::account`].
    pub account: u32,
    /// The name above them all; none for the user's own.
    pub above: Option<&'a str>,
}

impl Place<'_> {
    /// The user's own account.
    pub const fn own(account: u32) -> Self {
        Place {
            account,
            above: None,
        }
    }

    /// The name of a folder without a parent. One of the user's own that is called like a namespace would hide it, or be hidden.
    fn top(&self, own: String) -> String {
        match self.above {
            Some(above) => format!("{above}{SEPARATOR}{own}"),
            None if own == OTHER_USERS || own == PUBLIC => format!("{own}_"),
            None => own,
        }
    }
}

impl Node {
    /// What is only there for what is below it.
    fn above(name: MailboxName) -> Node {
        let folder = Folder {
            id: 0,
            parent: None,
            name: name.as_str().to_owned(),
            container_class: String::new(),
            role: 0,
            uid_validity: 0,
            uid_next: 0,
            items: 0,
            unread: 0,
            deleted: 0,
            recent: 0,
            size: 0,
            highest_modseq: 0,
            change_number: 0,
            rights: 0,
        };
        Node {
            name,
            folder,
            selectable: false,
            has_children: true,
            account: 0,
        }
    }
}

/// All folders that can be shown, by name.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    nodes: Vec<Node>,
}

/// `IPF.Note`, its subclasses, or none.
fn is_mail(folder: &Folder) -> bool {
    let class = &folder.container_class;
    let note = class
        .get(..8)
        .is_some_and(|head| head.eq_ignore_ascii_case("IPF.Note"));
    class.is_empty() || (note && matches!(class.as_bytes().get(8), None | Some(b'.')))
}

impl Tree {
    /// From what `folders.all` gave: parents before children.
    pub fn new(place: Place<'_>, folders: Vec<Folder>) -> Self {
        let mut nodes: Vec<Node> = Vec::with_capacity(folders.len());
        let mut by_id: BTreeMap<u64, usize> = BTreeMap::new();
        let mut taken: BTreeSet<String> = BTreeSet::new();
        for folder in folders {
            let parent = folder
                .parent
                .and_then(|parent| by_id.get(&parent))
                .and_then(|&at| nodes.get(at));
            // A separator in a name (MAPI allows it) would look like a level that does not exist.
            let own = folder.name.replace(SEPARATOR, "_");
            let mut name = match parent {
                _ if folder.role == INBOX_ROLE => place.top("INBOX".to_owned()),
                Some(parent) => format!("{}{SEPARATOR}{own}", parent.name.as_str()),
                None => place.top(own),
            };
            while !taken.insert(name.clone()) {
                name.push('_');
            }
            by_id.insert(folder.id, nodes.len());
            let selectable = is_mail(&folder);
            nodes.push(Node {
                name: MailboxName(name),
                folder,
                selectable,
                has_children: false,
                account: place.account,
            });
        }
        let mut tree = Tree { nodes };
        tree.mark_parents(&by_id);
        tree.nodes
            .retain(|node| node.selectable || node.has_children);
        tree.nodes.sort_by(|one, other| one.name.cmp(&other.name));
        tree
    }

    /// From the leaves up: a folder has children when one of them is shown.
    fn mark_parents(&mut self, by_id: &BTreeMap<u64, usize>) {
        for at in (0..self.nodes.len()).rev() {
            let shown = self
                .nodes
                .get(at)
                .filter(|node| node.selectable || node.has_children);
            let parent = shown
                .and_then(|node| node.folder.parent)
                .and_then(|parent| by_id.get(&parent).copied());
            if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(parent)) {
                parent.has_children = true;
            }
        }
    }

    /// With the folders of others, and what stands above them.
    #[must_use]
    pub fn with(mut self, others: Vec<Tree>) -> Self {
        let others: Vec<Node> = others.into_iter().flat_map(|tree| tree.nodes).collect();
        let mut known: BTreeSet<MailboxName> =
            others.iter().map(|node| node.name.clone()).collect();
        for node in &others {
            let above = std::iter::successors(node.name.split().0, |name| name.split().0);
            for name in above {
                if known.insert(name.clone()) {
                    self.nodes.push(Node::above(name));
                }
            }
        }
        self.nodes.extend(others);
        self.nodes.sort_by(|one, other| one.name.cmp(&other.name));
        self
    }

    /// All, in order of their names.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The folder of a name, for mail or not.
    pub fn find(&self, name: &MailboxName) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == *name)
    }

    /// The folder of a name, if it holds mail.
    pub fn selectable(&self, name: &MailboxName) -> Option<&Node> {
        self.find(name).filter(|node| node.selectable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxwing_sdk::testing;

    pub(crate) fn folder(
        id: u64,
        parent: Option<u64>,
        name: &str,
        class: &str,
        role: u32,
    ) -> Folder {
        Folder {
            parent,
            ..testing::folder(id, name, class, role)
        }
    }

    #[test]
    fn only_mail_is_shown_and_inbox_has_its_name() {
        let tree = Tree::new(
            Place::own(1),
            vec![
                folder(1, None, "Posteingang", "IPF.Note", INBOX_ROLE),
                folder(2, Some(1), "Sub", "", 0),
                folder(3, None, "Calendar", "IPF.Appointment", 8),
                folder(4, None, "Contacts", "IPF.Contact", 9),
                folder(5, Some(4), "Mail below", "IPF.Note.Special", 0),
                folder(6, None, "Notes", "IPF.StickyNote", 11),
            ],
        );
        let shown: Vec<_> = tree
            .nodes()
            .iter()
            .map(|n| (n.name.as_str(), n.selectable, n.has_children))
            .collect();
        assert_eq!(
            shown,
            [
                ("Contacts", false, true),
                ("Contacts/Mail below", true, false),
                ("INBOX", true, true),
                ("INBOX/Sub", true, false),
            ]
        );
        assert!(tree.selectable(&MailboxName::new("inbox/Sub")).is_some());
        assert!(tree.selectable(&MailboxName::new("Contacts")).is_none());
    }

    #[test]
    fn folders_of_others_stand_below_their_account_and_what_is_above_cannot_be_selected() {
        let place = Place {
            account: 2,
            above: Some("Other Users/anna@x"),
        };
        let annas = Tree::new(
            place,
            vec![
                folder(1, None, "Posteingang", "IPF.Note", INBOX_ROLE),
                folder(5, Some(4), "Seen alone", "", 0),
                folder(6, Some(3), "Seen alone", "", 0),
            ],
        );
        let own = Tree::new(Place::own(1), vec![folder(1, None, "Public", "", 0)]);
        let tree = own.with(vec![annas]);
        let shown: Vec<_> = tree
            .nodes()
            .iter()
            .map(|n| (n.name.as_str(), n.selectable, n.account))
            .collect();
        assert_eq!(
            shown,
            [
                ("Other Users", false, 0),
                ("Other Users/anna@x", false, 0),
                ("Other Users/anna@x/INBOX", true, 2),
                ("Other Users/anna@x/Seen alone", true, 2),
                ("Other Users/anna@x/Seen alone_", true, 2),
                ("Public_", true, 1),
            ]
        );
    }
}
