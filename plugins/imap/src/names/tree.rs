//! The folders of a mailbox by name. One call to the store gives them all, with their counts.

use waxwing_sdk::store::folders::Folder;

use super::{MailboxName, SEPARATOR};

/// The role of INBOX in `store/folders.folder.role`.
const INBOX_ROLE: u32 = 1;

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
    pub fn new(folders: Vec<Folder>) -> Self {
        let mut nodes: Vec<Node> = Vec::with_capacity(folders.len());
        let mut by_id: std::collections::BTreeMap<u64, usize> = std::collections::BTreeMap::new();
        for folder in folders {
            let parent = folder
                .parent
                .and_then(|parent| by_id.get(&parent))
                .and_then(|&at| nodes.get(at));
            // A separator in a name (MAPI allows it) would look like a level that does not exist.
            let own = folder.name.replace(SEPARATOR, "_");
            let name = match parent {
                _ if folder.role == INBOX_ROLE => "INBOX".to_owned(),
                Some(parent) => format!("{}{SEPARATOR}{own}", parent.name.as_str()),
                None => own,
            };
            by_id.insert(folder.id, nodes.len());
            let selectable = is_mail(&folder);
            nodes.push(Node {
                name: MailboxName(name),
                folder,
                selectable,
                has_children: false,
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
    fn mark_parents(&mut self, by_id: &std::collections::BTreeMap<u64, usize>) {
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
        let tree = Tree::new(vec![
            folder(1, None, "Posteingang", "IPF.Note", INBOX_ROLE),
            folder(2, Some(1), "Sub", "", 0),
            folder(3, None, "Calendar", "IPF.Appointment", 8),
            folder(4, None, "Contacts", "IPF.Contact", 9),
            folder(5, Some(4), "Mail below", "IPF.Note.Special", 0),
            folder(6, None, "Notes", "IPF.StickyNote", 11),
        ]);
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
}
