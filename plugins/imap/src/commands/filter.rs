//! Mailboxes that a filter names (RFC 5465 section 6, RFC 7377 section 2.2), in the order of their names.

use std::collections::BTreeSet;

use waxwing_sdk::store::folders;

use crate::names::{MailboxName, SEPARATOR, Tree};
use crate::parse::MailboxFilter;
use crate::session::{Imap, Refusal};

/// The role of INBOX in `store/folders.folder.role`.
const INBOX: u32 = 1;

/// Folders of all filters, each once. Names that are of no mailbox name nothing.
pub(super) fn folders(
    session: &mut Imap,
    tree: &Tree,
    filters: &[MailboxFilter],
) -> Result<Vec<u64>, Refusal> {
    let subscribed: BTreeSet<MailboxName> = match filters.contains(&MailboxFilter::Subscribed) {
        true => {
            let names = folders::subscriptions(session.mailbox()?)?;
            names.iter().map(|name| MailboxName::new(name)).collect()
        }
        false => BTreeSet::new(),
    };
    let selected = session.selected_own_folder();
    let nodes = tree.nodes().iter().filter(|node| node.selectable);
    let named = nodes.filter(|node| {
        filters.iter().any(|filter| match filter {
            MailboxFilter::Selected => selected == Some(node.folder.id),
            MailboxFilter::Inboxes => node.folder.role == INBOX,
            MailboxFilter::Personal => true,
            MailboxFilter::Subscribed => subscribed.contains(&node.name),
            MailboxFilter::Mailboxes(names) => names.contains(&node.name),
            MailboxFilter::Subtree(names) => {
                names.iter().any(|name| depth(name, &node.name).is_some())
            }
            MailboxFilter::SubtreeOne(names) => names
                .iter()
                .any(|name| depth(name, &node.name).is_some_and(|depth| depth <= 1)),
        })
    });
    Ok(named.map(|node| node.folder.id).collect())
}

/// So many levels below another; none elsewhere.
fn depth(above: &MailboxName, name: &MailboxName) -> Option<usize> {
    let below = name.as_str().strip_prefix(above.as_str())?;
    match below.strip_prefix(SEPARATOR) {
        Some(below) => Some(below.matches(SEPARATOR).count() + 1),
        None => below.is_empty().then_some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_below_another_by_whole_names() {
        let depth = |above, name| depth(&MailboxName::new(above), &MailboxName::new(name));
        assert_eq!(depth("a", "a"), Some(0));
        assert_eq!(depth("a", "a/b"), Some(1));
        assert_eq!(depth("a", "a/b/c"), Some(2));
        assert_eq!(depth("a", "ab"), None);
        assert_eq!(depth("a/b", "a"), None);
    }
}
