//! BDAT (RFC 3030): the client does not wait for an answer, so a refused chunk's octets are read and thrown away.

use super::Next;
use crate::reply;
use crate::session::Smtp;
use crate::state::Receiving;

pub(super) fn run(session: &mut Smtp, size: u64, last: bool) -> (String, Next) {
    match refusal(session, size) {
        Some(reply) => {
            session.state.errors += 1;
            session.reset();
            session.state.receiving = Some(Receiving::Refused);
            (reply, Next::Chunk { size, limit: 0 })
        }
        None => {
            session.state.receiving = Some(Receiving::Chunk { last });
            (
                String::new(),
                Next::Chunk {
                    size,
                    limit: session.max_message_size,
                },
            )
        }
    }
}

fn refusal(session: &mut Smtp, size: u64) -> Option<String> {
    let Some(transaction) = session
        .state
        .transaction
        .as_mut()
        .filter(|transaction| !transaction.recipients.is_empty())
    else {
        return Some(reply::line(503, "5.5.1", "No valid recipients"));
    };
    transaction.in_chunks = true;
    transaction.chunked = transaction.chunked.saturating_add(size);
    if transaction.chunked > session.max_message_size {
        return Some(reply::line(
            552,
            "5.3.4",
            &format!(
                "Message too big, the limit is {} octets",
                session.max_message_size
            ),
        ));
    }
    None
}
