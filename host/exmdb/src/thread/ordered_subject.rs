//! ORDEREDSUBJECT (RFC 5256 section 3): messages of one base subject, by when they were sent.

use std::collections::HashMap;

use super::{
    Threaded, Threads,
    forest::{Forest, Node},
};

pub(super) fn thread(messages: &[Threaded<'_>]) -> Threads {
    let mut order: Vec<usize> = (0..messages.len()).collect();
    order.sort_by_key(|place| {
        messages
            .get(*place)
            .map(|message| (message.sent, message.position))
    });
    let mut forest = Forest {
        nodes: vec![Node::default(); messages.len()],
        roots: Vec::new(),
    };
    let mut first_of: HashMap<u64, usize> = HashMap::new();
    // The first of each subject comes first, so threads stand in the order of their first messages.
    for place in order {
        let (Some(message), Some(node)) = (messages.get(place), forest.nodes.get_mut(place)) else {
            continue;
        };
        node.message = Some(place);
        let first = *first_of.entry(message.subject).or_insert(place);
        if first == place {
            forest.roots.push(place);
        } else if let Some(first) = forest.nodes.get_mut(first) {
            first.children.push(place);
        }
    }
    forest.into_threads(messages)
}
