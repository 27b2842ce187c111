//! A line protocol: it greets whoever says a name, and counts the lines of the connection. The count survives an upgrade.

use serde::{Deserialize, Serialize};
use waxwing_sdk::frozen::Frozen as _;
use waxwing_sdk::stream::{Cause, Context, Event, Handoff, Snapshot, StreamPlugin, Turn};
use waxwing_sdk::{Frozen, stream_plugin};

/// The most octets of a line.
const LINE_LIMIT: usize = 1000;

/// A session's whole state.
#[derive(Serialize, Deserialize, Frozen)]
#[frozen(format = 1)]
pub struct Hello {
    lines: u64,
}

impl StreamPlugin for Hello {
    fn start(context: &Context) -> (Hello, Turn) {
        (
            Hello { lines: 0 },
            Turn::new().send(format!(
                "{} says hello; who are you?\r\n",
                context.host_name
            )),
        )
    }

    fn handle(&mut self, event: Event) -> Turn {
        match event {
            Event::Input(input) => self.lines(&input),
            Event::Closing(_) => Turn::new().send("bye\r\n").close(),
            _ => Turn::new(),
        }
    }
}

impl Hello {
    fn lines(&mut self, input: &[u8]) -> Turn {
        let mut turn = Turn::new();
        let mut consumed = 0;
        for line in input
            .split_inclusive(|octet| *octet == b'\n')
            .filter(|line| line.ends_with(b"\n"))
        {
            consumed += line.len();
            self.lines += 1;
            turn = turn.send(format!(
                "hello {} ({})\r\n",
                String::from_utf8_lossy(line).trim_end(),
                self.lines
            ));
        }
        if input.len() - consumed > LINE_LIMIT {
            return turn.send("too long a line\r\n").close();
        }
        turn.consumed(consumed)
    }
}

impl Handoff for Hello {
    fn freeze(&self) -> Result<Snapshot, String> {
        self.to_snapshot()
    }

    fn thaw(
        snapshot: Snapshot,
        _context: &Context,
        _cause: Cause,
    ) -> Result<(Hello, Turn), String> {
        Ok((Hello::from_snapshot(&snapshot)?, Turn::new()))
    }
}

stream_plugin!(Hello);
