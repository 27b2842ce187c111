//! Transcripts: what a client says and what it must hear, played against a plugin.
//!
//! ```text
//! # an empty line or one that begins with # means nothing
//! S: 220 mx.test ...        what the plugin must send next: one line; `...` stands for anything
//! C: NOOP                   what the client sends: a line with CRLF
//! S> 250 2.0.0 \            raw octets, with \r \n \t \\ \xNN and \ at the end for nothing
//! C> QU                     the same from the client
//! !freeze-thaw              the session is handed over
//! !timer 1                  timer 1 runs out; it must have been set
//! !closing shutdown         also: administrator, idle, login-timeout, limit
//! !tls                      TLS is established; it must have been asked for
//! !crash LINE               a fresh instance gets the session after a trap in handling LINE
//! !disconnect               the client is gone
//! S! park                   the plugin asked for this since the last event: park, close, start-tls, start-compression
//! ```
//!
//! Output that no line expects is a failure, and so is a close that no `S! close` expects. The player does the host's part: it
//! keeps what was not consumed, receives bodies, and answers `more`.
//!
//! [`check`] plays a transcript four times: as it is, octet by octet, with a hand-over before every event, and both. So every
//! transcript is also a test that state is frozen whole and that no parser depends on how input is cut.
//!
//! The same text plays against the component in wasm with `waxwing-sdk-harness`.

#![allow(clippy::panic, reason = "a test harness speaks by panicking")]

mod formats;
#[cfg(not(in_host))]
pub mod mail_flow;
mod native;
mod play;
mod script;

pub use formats::{check_formats, check_releases};
pub use native::Native;
pub use play::{Driver, Manner};
pub use script::{Mismatch, Script};

use crate::{
    store::folders::Folder,
    stream::{Context, Handoff, TlsInfo},
};

/// The context transcripts are played in: plaintext on loopback, STARTTLS to be had, protocol `test`.
#[must_use]
pub fn context() -> Context {
    Context {
        session: "session-1".into(),
        listener: "test".into(),
        protocol: "test".into(),
        local_address: "127.0.0.1".into(),
        local_port: 2000,
        peer_address: "127.0.0.1".into(),
        peer_port: 40_000,
        tls: None,
        tls_available: true,
        plaintext_login: true,
        host_name: "mx.test".into(),
        version: "test 0.0.0".into(),
    }
}

/// An empty folder of somebody's own, without a parent; a test changes what it is about.
#[must_use]
pub fn folder(id: u64, name: &str, container_class: &str, role: u32) -> Folder {
    Folder {
        id,
        parent: None,
        name: name.into(),
        container_class: container_class.into(),
        role,
        uid_validity: 1,
        uid_next: 1,
        items: 0,
        unread: 0,
        deleted: 0,
        recent: 0,
        size: 0,
        highest_modseq: 1,
        change_number: 1,
        rights: u32::MAX,
    }
}

/// The TLS that `!tls` establishes.
#[must_use]
pub fn tls() -> TlsInfo {
    TlsInfo {
        protocol: "TLSv1.3".into(),
        cipher: "TLS13_AES_256_GCM_SHA384".into(),
        server_name: None,
        channel_binding: Vec::new(),
        client_identity: None,
    }
}

/// Plays a transcript against a plugin, in all four manners, in the [`context`] of tests.
///
/// # Panics
/// When what the plugin does differs from the transcript; the message shows the line.
#[track_caller]
pub fn check<T: Handoff>(transcript: &str) {
    check_in::<T>(&context(), transcript);
}

/// As [`check`], in a context of one's own.
///
/// # Panics
/// As [`check`].
#[track_caller]
pub fn check_in<T: Handoff>(context: &Context, transcript: &str) {
    for manner in Manner::ALL {
        let played = Script::parse(transcript)
            .and_then(|script| script.play(&mut Native::<T>::new(), context, manner));
        if let Err(mismatch) = played {
            panic!("{manner}: {mismatch}");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::Frozen;
    use crate::frozen::Frozen as _;
    use crate::reader::{Endings, Lines};
    use crate::stream::{Cause, CloseReason, Event, Snapshot, StreamPlugin, Turn};

    /// Answers each line in upper case; understands TAKE (a dot-stuffed body), PAGE, TLS, WAIT and BYE.
    #[derive(Serialize, Deserialize, Frozen)]
    #[frozen(format = 1)]
    struct Shout {
        pages: u8,
    }

    impl StreamPlugin for Shout {
        fn start(context: &Context) -> (Shout, Turn) {
            (
                Shout { pages: 0 },
                Turn::new().send(format!("{}\r\n", context.host_name)),
            )
        }

        fn handle(&mut self, event: Event) -> Turn {
            match event {
                Event::Input(input) => self.line(&input),
                Event::BodyReceived(received) => {
                    let body = received
                        .body
                        .map(|body| body.bytes().to_vec())
                        .unwrap_or_default();
                    Turn::new()
                        .send(format!("{:?} {}", received.outcome, received.size))
                        .send(" ")
                        .send(body)
                }
                Event::Drained => {
                    self.pages -= 1;
                    let turn = Turn::new().send("page\r\n");
                    if self.pages > 0 { turn.more() } else { turn }
                }
                Event::TlsEstablished(_) => Turn::new().send("secret\r\n"),
                Event::Timer(_) => Turn::new().send("late\r\n").close(),
                Event::Closing(CloseReason::Shutdown) => Turn::new().send("stopping\r\n").close(),
                _ => Turn::new(),
            }
        }
    }

    impl Shout {
        fn line(&mut self, input: &[u8]) -> Turn {
            let mut lines = Lines::new(input, Endings::CrLf, 100);
            let mut turn = Turn::new();
            while let Ok(Some(line)) = lines.next_line() {
                turn = match line {
                    b"TAKE" => return turn.consumed(lines.consumed()).receive_dot_stuffed(8),
                    b"PAGE" => {
                        self.pages = 2;
                        return turn.consumed(lines.consumed()).more();
                    }
                    b"TLS" => return turn.consumed(lines.consumed()).start_tls(),
                    b"WAIT" => turn.timer(3, 1000).park(),
                    b"BYE" => turn.close(),
                    _ => turn.send(line.to_ascii_uppercase()).send("\r\n"),
                };
            }
            turn.consumed(lines.consumed())
        }
    }

    impl Handoff for Shout {
        fn freeze(&self) -> Result<Snapshot, String> {
            self.to_snapshot()
        }

        fn thaw(
            snapshot: Snapshot,
            _context: &Context,
            cause: Cause,
        ) -> Result<(Shout, Turn), String> {
            let turn = match cause {
                Cause::Crash(crash) => Turn::new().consumed(crash.input.len()).send("sorry\r\n"),
                Cause::Upgrade | Cause::Wake => Turn::new(),
            };
            Ok((Shout::from_snapshot(&snapshot)?, turn))
        }
    }

    #[test]
    fn a_transcript_covers_what_a_host_does() {
        check::<Shout>(
            "S: mx.test\nC: abc\nS: A...\nC: PAGE\nS: page\nS: page\n!freeze-thaw\nC: TLS\nS! start-tls\n!tls\nS: secret\n\
             C: WAIT\nS! park\n!crash boom\nS: sorry\nC> x\\x79\nC> z\\r\\n\nS> XYZ\\r\\n\n!timer 3\nS: late\nS! close",
        );
    }

    #[test]
    fn a_body_is_unstuffed_and_what_follows_it_is_input_again() {
        check::<Shout>(
            "S: mx.test\nC: TAKE\nC: ..a\nC: .\nS> Reception::Complete 4 .a\\r\\n\nC: next\nS: NEXT",
        );
        check::<Shout>(
            "S: mx.test\nC> TAKE\\r\\n.\\r\\nnext\\r\\n\nS> Reception::Complete 0 \\\nS: NEXT",
        );
    }

    #[test]
    fn a_body_over_its_limit_is_dropped() {
        check::<Shout>("S: mx.test\nC: TAKE\nC: 123456789\nC: .\nS> Reception::OverLimit 11 \\");
    }

    #[test]
    fn the_server_stops() {
        check::<Shout>("S: mx.test\n!closing shutdown\nS: stopping\nS! close");
    }

    #[test]
    fn every_difference_is_found_and_its_line_named() {
        for (transcript, complaint) in [
            ("S: other", "line 1: expected `other`, got `mx.test`"),
            (
                "S: mx.test\nC: a\nC: b",
                "line 3: unexpected output `A\\r\\n`",
            ),
            (
                "S: mx.test\nC: BYE",
                "at the end: the plugin closed the connection",
            ),
            (
                "S: mx.test\nS! park",
                "line 2: the plugin did not ask for `park`",
            ),
            ("S: mx.test\n!timer 9", "line 2: timer 9 is not set"),
            (
                "S: mx.test\nS: more",
                "line 2: expected `more`, but nothing more was sent",
            ),
            ("S: mx.test\n!tls", "line 2: TLS was not asked for"),
            ("what", "line 1: no such step: `what`"),
        ] {
            let script = Script::parse(transcript);
            let played = script.and_then(|script| {
                script.play(&mut Native::<Shout>::new(), &context(), Manner::AS_IT_IS)
            });
            assert_eq!(played.unwrap_err().to_string(), complaint);
        }
    }
}
