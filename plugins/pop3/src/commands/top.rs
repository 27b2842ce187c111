//! TOP: the header, the empty line and so many lines of the body. Only what is counted is read here; all is sent by the host.

use waxwing_sdk::bodies::Body;
use waxwing_sdk::stream::Turn;

use super::retr;
use crate::reply::{Answer, ok};
use crate::session::Pop3;

/// Octets of one read.
const STEP: u32 = 64 * 1024;

pub(super) fn run(session: &mut Pop3, number: u32, lines: u64) -> Answer<Turn> {
    let body = retr::open(session, number)?;
    let length = match lines < body.size() {
        true => length_of_top(&body, lines)?,
        // No message has more lines than octets.
        false => body.size(),
    };
    Ok(Turn::new()
        .send(ok("The top of the message follows"))
        .send_stuffed(body, 0, length)
        .send(".\r\n"))
}

/// Octets up to the end of line `lines` behind the header.
fn length_of_top(body: &Body, lines: u64) -> Answer<u64> {
    let mut top = Top::new(lines);
    let mut at = 0;
    while at < body.size() {
        let octets = body.read(at, STEP)?;
        if octets.is_empty() {
            break;
        }
        if let Some(end) = top.end_in(&octets) {
            return Ok(at + end);
        }
        at += octets.len() as u64;
    }
    Ok(body.size())
}

/// Looks for the end in chunks that are cut anywhere.
struct Top {
    /// Lines of the body that are still wanted.
    lines: u64,
    in_header: bool,
    /// Nothing but perhaps a CR since the last LF.
    line_is_empty: bool,
}

impl Top {
    fn new(lines: u64) -> Top {
        Top {
            lines,
            in_header: true,
            line_is_empty: true,
        }
    }

    /// Octets of this chunk up to the end, if it is here.
    fn end_in(&mut self, octets: &[u8]) -> Option<u64> {
        let mut at = 0_u64;
        for line in octets.split_inclusive(|octet| *octet == b'\n') {
            at += line.len() as u64;
            let (content, ended) = match line.strip_suffix(b"\n") {
                Some(content) => (content, true),
                None => (line, false),
            };
            self.line_is_empty &= matches!(content, b"" | b"\r");
            if ended && self.ends_here() {
                return Some(at);
            }
        }
        None
    }

    /// A line has ended.
    fn ends_here(&mut self) -> bool {
        let empty = std::mem::replace(&mut self.line_is_empty, true);
        match self.in_header {
            true => self.in_header = !empty,
            false => self.lines = self.lines.saturating_sub(1),
        }
        !self.in_header && self.lines == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAIL: &str = "From: a\r\nTo: b\r\n\r\none\r\n\r\nthree\r\nfour";

    fn top(message: &str, lines: u64) -> &str {
        let length = length_of_top(&Body::of(message.as_bytes()), lines).unwrap();
        &message[..usize::try_from(length).unwrap()]
    }

    #[test]
    fn top_is_the_header_and_so_many_lines() {
        assert_eq!(top(MAIL, 0), "From: a\r\nTo: b\r\n\r\n");
        assert_eq!(top(MAIL, 1), "From: a\r\nTo: b\r\n\r\none\r\n");
        assert_eq!(top(MAIL, 3), "From: a\r\nTo: b\r\n\r\none\r\n\r\nthree\r\n");
        assert_eq!(top(MAIL, 4), MAIL);
        assert_eq!(top("From: a\r\n", 3), "From: a\r\n");
        assert_eq!(top("\r\nbody\r\nmore\r\n", 1), "\r\nbody\r\n");
        assert_eq!(top("a: b\n\nbody\nmore\n", 1), "a: b\n\nbody\n");
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_message_is_read(lines in 0u64..6, cuts in prop::collection::vec(1usize..5, 1..40)) {
            let (mut state, mut at) = (Top::new(lines), 0);
            let mut sizes = cuts.iter().copied().cycle();
            let mut found = MAIL.len();
            while at < MAIL.len() {
                let end = (at + sizes.next().unwrap()).min(MAIL.len());
                if let Some(octets) = state.end_in(&MAIL.as_bytes()[at..end]) {
                    found = at + usize::try_from(octets).unwrap();
                    break;
                }
                at = end;
            }
            prop_assert_eq!(&MAIL[..found], top(MAIL, lines));
        }
    }
}
