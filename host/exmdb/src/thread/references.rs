//! REFERENCES (RFC 5256 section 3), its steps in their order, and REFS, which leaves out step 5.
//!
//! Where messages contradict each other, what a message says of its own parent is linked before what others say of it: RFC 5256
//! has it replaced later, with the same end. A link that would make a circle is left out.

use std::collections::{HashMap, hash_map::Entry};

use super::{
    Threaded, Threads,
    forest::{Forest, Node, rank_of},
};

/// `by_subject`: REFERENCES; else REFS.
pub(super) fn thread(messages: &[Threaded<'_>], by_subject: bool) -> Threads {
    let mut forest = Links::of(messages).into_forest();
    prune(&mut forest);
    forest.sort(messages);
    if by_subject {
        merge_subjects(&mut forest, messages);
        forest.sort(messages);
    } else {
        newest_last(&mut forest, messages);
    }
    forest.into_threads(messages)
}

/// Step 1: who is whose parent.
struct Links {
    nodes: Vec<Node>,
    /// A disjoint set over the nodes: the root of the tree that a node is in, found by way of these.
    towards_root: Vec<usize>,
}

impl Links {
    fn of(messages: &[Threaded<'_>]) -> Links {
        let mut links = Links {
            nodes: Vec::with_capacity(messages.len()),
            towards_root: Vec::with_capacity(messages.len()),
        };
        let mut by_id: HashMap<u64, usize> = HashMap::with_capacity(messages.len());
        for (place, message) in messages.iter().enumerate() {
            let number = links.add(Some(place));
            // Of two messages with one id, only the first is referred to.
            if message.id != 0 {
                by_id.entry(message.id).or_insert(number);
            }
        }
        for (place, message) in messages.iter().enumerate() {
            if let Some(last) = message.references.last() {
                let parent = links.by_id(&mut by_id, *last);
                links.link(parent, place);
            }
        }
        for message in messages {
            for pair in message.references.windows(2) {
                if let [one, next] = pair {
                    let parent = links.by_id(&mut by_id, *one);
                    let child = links.by_id(&mut by_id, *next);
                    links.link(parent, child);
                }
            }
        }
        links
    }

    fn add(&mut self, message: Option<usize>) -> usize {
        let number = self.nodes.len();
        self.nodes.push(Node {
            message,
            ..Node::default()
        });
        self.towards_root.push(number);
        number
    }

    fn by_id(&mut self, by_id: &mut HashMap<u64, usize>, id: u64) -> usize {
        match by_id.entry(id) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(unknown) => *unknown.insert(self.add(None)),
        }
    }

    /// Makes one the parent of another that has none, unless it stands below it.
    fn link(&mut self, parent: usize, child: usize) {
        let root = self.root(parent);
        let free = self
            .nodes
            .get(child)
            .is_some_and(|node| node.parent.is_none());
        // A node without parent is the root of its tree.
        if !free || root == child {
            return;
        }
        if let Some(node) = self.nodes.get_mut(child) {
            node.parent = Some(parent);
        }
        if let Some(towards) = self.towards_root.get_mut(child) {
            *towards = root;
        }
    }

    fn root(&mut self, number: usize) -> usize {
        let mut root = number;
        while let Some(next) = self.towards_root.get(root).filter(|next| **next != root) {
            root = *next;
        }
        let mut at = number;
        while at != root {
            let Some(towards) = self.towards_root.get_mut(at) else {
                break;
            };
            at = std::mem::replace(towards, root);
        }
        root
    }

    /// Step 2: who has no parent.
    fn into_forest(self) -> Forest {
        let mut forest = Forest {
            nodes: self.nodes,
            roots: Vec::new(),
        };
        for number in 0..forest.nodes.len() {
            let parent = forest.node(number).and_then(|node| node.parent);
            match parent {
                None => forest.roots.push(number),
                Some(parent) => {
                    if let Some(parent) = forest.nodes.get_mut(parent) {
                        parent.children.push(number);
                    }
                }
            }
        }
        forest
    }
}

/// Step 3: what is no message goes, its children take its place; but no root without message gives way to several.
fn prune(forest: &mut Forest) {
    for number in forest.downwards().into_iter().rev() {
        let mut kept = Vec::with_capacity(forest.children_of(number).len());
        for child in forest.children_of(number) {
            match forest.message_of(*child) {
                Some(_) => kept.push(*child),
                None => kept.extend(forest.children_of(*child)),
            }
        }
        if let Some(node) = forest.nodes.get_mut(number) {
            node.children = kept;
        }
    }
    let mut roots = Vec::with_capacity(forest.roots.len());
    for root in &forest.roots {
        match (forest.message_of(*root), forest.children_of(*root)) {
            (None, few @ ([] | [_])) => roots.extend(few),
            _ => roots.push(*root),
        }
    }
    forest.roots = roots;
}

/// Step 5: roots of one base subject are put together.
fn merge_subjects(forest: &mut Forest, messages: &[Threaded<'_>]) {
    let mut table: HashMap<u64, usize> = HashMap::new();
    for root in &forest.roots {
        let Some(subject) = subject(forest, messages, *root) else {
            continue;
        };
        match table.entry(subject) {
            Entry::Vacant(free) => drop(free.insert(*root)),
            Entry::Occupied(mut taken) => {
                let (new, old) = (*root, *taken.get());
                let new_is_no_message = forest.message_of(new).is_none();
                let old_is_no_message = forest.message_of(old).is_none();
                let rather = is_reply(forest, messages, old) && !is_reply(forest, messages, new);
                if !old_is_no_message && (new_is_no_message || rather) {
                    taken.insert(new);
                }
            }
        }
    }
    let roots = std::mem::take(&mut forest.roots);
    let mut kept = Vec::with_capacity(roots.len());
    for root in roots {
        let first =
            subject(forest, messages, root).and_then(|subject| table.get(&subject).copied());
        match first {
            Some(first) if first != root => merge(forest, messages, first, root),
            _ => kept.push(root),
        }
    }
    forest.roots = kept;
}

/// Puts a root under, or beside, the one that its subject belongs to.
fn merge(forest: &mut Forest, messages: &[Threaded<'_>], first: usize, root: usize) {
    let first_is_no_message = forest.message_of(first).is_none();
    let root_is_no_message = forest.message_of(root).is_none();
    let below = is_reply(forest, messages, root) && !is_reply(forest, messages, first);
    if !first_is_no_message && !below {
        // Two that say the same of themselves: siblings under what is no message, which takes the place of the first.
        let number = forest.nodes.len();
        let taken = forest.nodes.get_mut(first).map(std::mem::take);
        forest.nodes.push(taken.unwrap_or_default());
        if let Some(first) = forest.nodes.get_mut(first) {
            first.children = vec![number];
        }
    }
    let joining = if root_is_no_message {
        forest.children_of(root).to_vec()
    } else {
        vec![root]
    };
    if let Some(first) = forest.nodes.get_mut(first) {
        first.children.extend(joining);
    }
}

/// The base subject of a thread: its first message's. Of a node without message, siblings are sorted already.
fn first_message<'a, 'm>(
    forest: &Forest,
    messages: &'a [Threaded<'m>],
    root: usize,
) -> Option<&'a Threaded<'m>> {
    let own = forest.message_of(root);
    let of_child = || forest.message_of(*forest.children_of(root).first()?);
    messages.get(own.or_else(of_child)?)
}

fn subject(forest: &Forest, messages: &[Threaded<'_>], root: usize) -> Option<u64> {
    let subject = first_message(forest, messages, root)?.subject;
    (subject != 0).then_some(subject)
}

fn is_reply(forest: &Forest, messages: &[Threaded<'_>], root: usize) -> bool {
    let message = forest
        .message_of(root)
        .and_then(|place| messages.get(place));
    message.is_some_and(|message| message.is_reply)
}

/// REFS: threads in the order of their newest message.
fn newest_last(forest: &mut Forest, messages: &[Threaded<'_>]) {
    let mut newest = vec![(i64::MIN, 0); forest.nodes.len()];
    for number in forest.downwards().into_iter().rev() {
        let own = forest
            .message_of(number)
            .and_then(|place| messages.get(place));
        let own = own.map(|message| (message.sent, message.position));
        let below = forest.children_of(number).iter();
        let below = below.map(|child| rank_of(&newest, Some(*child)));
        if let Some(last) = own.into_iter().chain(below).max()
            && let Some(place) = newest.get_mut(number)
        {
            *place = last;
        }
    }
    forest
        .roots
        .sort_by_key(|root| rank_of(&newest, Some(*root)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{ThreadAlgorithm, thread};
    use super::*;

    /// Its id, what it refers to, its subject, whether that is a reply's.
    type Mail<'a> = (u64, &'a [u64], u64, bool);

    /// The one at position n was sent at n.
    fn messages<'a>(mails: &[Mail<'a>]) -> Vec<Threaded<'a>> {
        let message =
            |(&(id, references, subject, is_reply), position): (&Mail<'a>, u32)| Threaded {
                id,
                references,
                subject,
                is_reply,
                sent: i64::from(position),
                position,
            };
        mails.iter().zip(1..).map(message).collect()
    }

    fn shown(algorithm: ThreadAlgorithm, mails: &[Mail<'_>]) -> String {
        let threads = thread(&messages(mails), algorithm);
        let nodes = threads.depths.iter().zip(&threads.positions);
        let word =
            |(depth, position): (&u32, &u32)| format!("{}{position}", ">".repeat(*depth as usize));
        nodes.map(word).collect::<Vec<_>>().join(" ")
    }

    fn references(mails: &[Mail<'_>]) -> String {
        shown(ThreadAlgorithm::References, mails)
    }

    #[test]
    fn a_reply_stands_below_what_it_answers_also_when_it_comes_first() {
        let mails: [Mail<'_>; 4] = [
            (2, &[1], 0, false),
            (1, &[], 0, false),
            (3, &[1, 2], 0, false),
            (9, &[], 0, false),
        ];
        assert_eq!(references(&mails), "2 >1 >>3 4");
    }

    #[test]
    fn answers_to_a_message_that_is_not_there_are_siblings_below_nothing() {
        let mails: [Mail<'_>; 3] = [
            (2, &[1], 0, false),
            (3, &[1], 0, false),
            (4, &[7], 0, false),
        ];
        assert_eq!(references(&mails), "0 >1 >2 3");
    }

    #[test]
    fn a_message_that_is_not_there_in_the_middle_gives_way_to_what_answers_it() {
        let mails: [Mail<'_>; 3] = [
            (1, &[], 0, false),
            (3, &[1, 2], 0, false),
            (4, &[1, 2], 0, false),
        ];
        assert_eq!(references(&mails), "1 >2 >3");
    }

    #[test]
    fn circles_and_doubled_ids_lose_no_message() {
        let mails: [Mail<'_>; 4] = [
            (1, &[2], 0, false),
            (2, &[1], 0, false),
            (2, &[2], 0, false),
            (5, &[5], 0, false),
        ];
        assert_eq!(references(&mails), "2 >1 >3 4");
    }

    #[test]
    fn a_reply_without_references_is_found_by_its_subject() {
        let mails: [Mail<'_>; 3] = [(1, &[], 7, false), (2, &[], 8, false), (3, &[], 7, true)];
        assert_eq!(references(&mails), "1 >3 2");
        assert_eq!(shown(ThreadAlgorithm::Refs, &mails), "1 2 3");
    }

    #[test]
    fn two_replies_of_one_subject_are_siblings_below_nothing() {
        let mails: [Mail<'_>; 3] = [(1, &[], 7, true), (2, &[], 7, true), (3, &[], 7, true)];
        assert_eq!(references(&mails), "0 >1 >2 >3");
    }

    #[test]
    fn refs_puts_the_thread_with_the_newest_message_last() {
        let mails: [Mail<'_>; 3] = [(1, &[], 0, false), (2, &[], 0, false), (3, &[1], 0, false)];
        assert_eq!(shown(ThreadAlgorithm::Refs, &mails), "2 1 >3");
    }

    #[test]
    fn one_subject_is_one_thread_below_its_first_message() {
        let mails: [Mail<'_>; 4] = [
            (1, &[], 7, false),
            (2, &[], 8, false),
            (3, &[], 7, true),
            (4, &[], 7, false),
        ];
        assert_eq!(shown(ThreadAlgorithm::OrderedSubject, &mails), "1 >3 >4 2");
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_is_threaded() {
        let references: Vec<[u64; 1]> = (0..100_000).map(|id| [id]).collect();
        let mails: Vec<Mail<'_>> = references
            .iter()
            .zip(1..)
            .map(|(reference, id)| (id, &reference[..], 0, false))
            .collect();
        let threads = thread(&messages(&mails), ThreadAlgorithm::References);
        assert_eq!(threads.depths.last(), Some(&99_999));
    }

    proptest! {
        #[test]
        fn every_message_is_in_one_thread(
            mails in prop::collection::vec((0u64..12, prop::collection::vec(1u64..12, 0..4), 0u64..4, any::<bool>(), 0i64..5), 0..30),
        ) {
            let messages: Vec<Threaded<'_>> = mails
                .iter()
                .zip(1..)
                .map(|((id, references, subject, is_reply, sent), position)| Threaded {
                    id: *id, references, subject: *subject, is_reply: *is_reply, sent: *sent, position,
                })
                .collect();
            for algorithm in [ThreadAlgorithm::References, ThreadAlgorithm::Refs, ThreadAlgorithm::OrderedSubject] {
                let threads = thread(&messages, algorithm);
                let mut positions: Vec<u32> = threads.positions.iter().copied().filter(|position| *position > 0).collect();
                positions.sort_unstable();
                prop_assert_eq!(positions, (1..=u32::try_from(messages.len()).unwrap()).collect::<Vec<_>>());
                let steps = threads.depths.windows(2).all(|pair| pair[1] <= pair[0] + 1);
                prop_assert!(steps && threads.depths.first().is_none_or(|depth| *depth == 0));
                let nobodies = threads.depths.iter().zip(&threads.positions).filter(|(_, position)| **position == 0);
                prop_assert!(nobodies.clone().all(|(depth, _)| *depth == 0), "only a root may be no message");
            }
        }
    }
}
