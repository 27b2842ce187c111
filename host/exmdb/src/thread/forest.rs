//! Trees of messages, some of whose roots are no message.

use super::Threaded;

/// A message, or what holds messages together.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// Place among the messages.
    pub(super) message: Option<usize>,
    pub(super) parent: Option<usize>,
    pub(super) children: Vec<usize>,
}

/// Nodes by their numbers.
#[derive(Debug, Default)]
pub(super) struct Forest {
    pub(super) nodes: Vec<Node>,
    pub(super) roots: Vec<usize>,
}

/// The order of siblings: when they were sent, then where they stand (RFC 5256 section 2.2).
pub(super) type Rank = (i64, u32);

impl Forest {
    pub(super) fn node(&self, number: usize) -> Option<&Node> {
        self.nodes.get(number)
    }

    pub(super) fn message_of(&self, number: usize) -> Option<usize> {
        self.node(number)?.message
    }

    pub(super) fn children_of(&self, number: usize) -> &[usize] {
        self.node(number).map_or(&[], |node| &node.children)
    }

    /// All nodes, parents before their children.
    pub(super) fn downwards(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut open: Vec<usize> = self.roots.iter().rev().copied().collect();
        while let Some(number) = open.pop() {
            order.push(number);
            open.extend(self.children_of(number).iter().rev());
        }
        order
    }

    /// The rank of each node: its message's, or of what is no message the first of its children's.
    pub(super) fn ranks(&self, messages: &[Threaded<'_>]) -> Vec<Rank> {
        let mut ranks = vec![(i64::MAX, u32::MAX); self.nodes.len()];
        for number in self.downwards().into_iter().rev() {
            let own = self
                .message_of(number)
                .and_then(|place| messages.get(place));
            let rank = match own {
                Some(message) => (message.sent, message.position),
                None => rank_of(
                    &ranks,
                    self.children_of(number)
                        .iter()
                        .copied()
                        .min_by_key(|child| rank_of(&ranks, Some(*child))),
                ),
            };
            if let Some(place) = ranks.get_mut(number) {
                *place = rank;
            }
        }
        ranks
    }

    /// Sorts roots and siblings.
    pub(super) fn sort(&mut self, messages: &[Threaded<'_>]) {
        let ranks = self.ranks(messages);
        let by_rank = |number: &usize| rank_of(&ranks, Some(*number));
        self.roots.sort_by_key(by_rank);
        for node in &mut self.nodes {
            node.children.sort_by_key(by_rank);
        }
    }

    pub(super) fn into_threads(self, messages: &[Threaded<'_>]) -> Threads {
        let mut threads = Threads::default();
        let mut open: Vec<(usize, u32)> = self.roots.iter().rev().map(|root| (*root, 0)).collect();
        while let Some((number, depth)) = open.pop() {
            let message = self
                .message_of(number)
                .and_then(|place| messages.get(place));
            threads.depths.push(depth);
            threads
                .positions
                .push(message.map_or(0, |message| message.position));
            let children = self.children_of(number).iter().rev();
            open.extend(children.map(|child| (*child, depth + 1)));
        }
        threads
    }
}

pub(super) fn rank_of(ranks: &[Rank], number: Option<usize>) -> Rank {
    let rank = number.and_then(|number| ranks.get(number));
    rank.copied().unwrap_or((i64::MAX, u32::MAX))
}

/// The nodes of all threads, parents before their children and siblings in their order: one column for each fact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Threads {
    /// 0 for roots.
    pub(crate) depths: Vec<u32>,
    /// 0 for what is no message.
    pub(crate) positions: Vec<u32>,
}
