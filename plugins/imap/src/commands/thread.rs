//! THREAD and UID THREAD (RFC 5256 section 4). The store threads; here its trees become parentheses.

use waxwing_sdk::store::Threads;

use super::search::begin;
use crate::parse::ThreadRequest;
use crate::render::decimal;
use crate::session::{Answer, Completion, Imap, Output};

pub(super) fn run(
    session: &mut Imap,
    uid: bool,
    request: &ThreadRequest,
    out: &mut Output,
) -> Answer {
    let nodes = begin(session, &request.search, out)?;
    let threads = session.view()?.thread(&nodes, request.algorithm)?;
    line(out.text(), &threads, uid);
    Ok(Completion::text("THREAD completed"))
}

/// `* THREAD (2)(3 6 (4 23)(44 7 96))`
fn line(out: &mut Vec<u8>, threads: &Threads, uid: bool) {
    out.extend_from_slice(b"* THREAD");
    let numbers = if uid {
        &threads.uids
    } else {
        &threads.positions
    };
    let branches = branches(&threads.depths);
    // Depths at which a parenthesis is open.
    let mut open: Vec<u32> = Vec::new();
    for ((&depth, &number), branches) in threads.depths.iter().zip(numbers).zip(branches) {
        while open.last().is_some_and(|last| *last >= depth) {
            open.pop();
            out.push(b')');
        }
        if depth == 0 && open.is_empty() && out.ends_with(b"D") {
            out.push(b' ');
        }
        if branches {
            // Behind the number of the parent.
            if out.last().is_some_and(u8::is_ascii_digit) {
                out.push(b' ');
            }
            out.push(b'(');
            open.push(depth);
        } else {
            out.push(b' ');
        }
        if number > 0 {
            decimal(out, u64::from(number));
        }
    }
    out.extend(open.iter().map(|_| b')'));
    out.extend_from_slice(b"\r\n");
}

/// Of each node, whether it stands in parentheses of its own: the first of a thread does, and one that has siblings.
fn branches(depths: &[u32]) -> Vec<bool> {
    let mut branches: Vec<bool> = depths.iter().map(|depth| *depth == 0).collect();
    // The last node at each depth above, of which the next one there is a sibling.
    let mut last_at: Vec<Option<usize>> = Vec::new();
    for (at, &depth) in depths.iter().enumerate() {
        let level = usize::try_from(depth).unwrap_or(usize::MAX);
        let sibling = last_at.get(level).copied().flatten();
        for place in sibling.into_iter().chain(sibling.map(|_| at)) {
            if let Some(branch) = branches.get_mut(place) {
                *branch = true;
            }
        }
        last_at.truncate(level);
        last_at.resize(level, None);
        last_at.push(Some(at));
    }
    branches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(nodes: &[(u32, u32)]) -> String {
        let positions: Vec<u32> = nodes.iter().map(|(_, position)| *position).collect();
        let threads = Threads {
            depths: nodes.iter().map(|(depth, _)| *depth).collect(),
            uids: positions.clone(),
            positions,
        };
        let mut out = Vec::new();
        line(&mut out, &threads, false);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_chain_is_a_list_and_branches_are_lists_of_their_own() {
        let nodes = [
            (0, 2),
            (0, 3),
            (1, 6),
            (2, 4),
            (3, 23),
            (2, 44),
            (3, 7),
            (4, 96),
        ];
        assert_eq!(shown(&nodes), "* THREAD (2)(3 6 (4 23)(44 7 96))\r\n");
        assert_eq!(shown(&[]), "* THREAD\r\n");
    }

    #[test]
    fn siblings_without_a_parent_stand_in_parentheses_around_them() {
        assert_eq!(
            shown(&[(0, 0), (1, 3), (1, 5), (2, 6), (0, 9)]),
            "* THREAD ((3)(5 6))(9)\r\n"
        );
    }
}
