//! How many connections the system's limit on open files leaves room for.
//!
//! Linux gives a process 1,024 descriptors unless it asks for more, and most systems let it ask for far more (the soft
//! and the hard limit). We take all there are at start. Some are kept back for mailboxes and messages: a server
//! that has given its last descriptor to a client can serve none of them. So a connection too many is refused in its
//! protocol's words and named in the log, instead of waiting unanswered in the system's queue.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Kept for everything that is no connection: three files for each open mailbox, messages on their way, plugins.
const RESERVED: u64 = 1_000;

/// Raises the limit as far as the system lets us.
pub(crate) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let wanted = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => {
            tracing::debug!(from = ?limit.current, to = ?limit.maximum, "limit on open files raised");
        }
        Err(error) => {
            tracing::warn!(%error, limit = ?limit.current, "the limit on open files cannot be raised");
        }
    }
}

/// The limit on open files; none: there is none.
pub(crate) fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Connections that fit under the limit.
pub(crate) fn room() -> usize {
    limit().map_or(usize::MAX, |limit| {
        usize::try_from(connections_within(limit)).unwrap_or(usize::MAX)
    })
}

fn connections_within(limit: u64) -> u64 {
    limit - RESERVED.min(limit / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_kept_for_the_mailboxes() {
        assert_eq!(connections_within(20_000), 19_000);
        assert_eq!(connections_within(1_024), 768);
    }

    #[test]
    fn all_that_the_system_gives_is_taken() {
        raise_limit();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
