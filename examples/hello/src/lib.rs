//! A line protocol: it greets whoever says a name, and counts the lines of the connection. The count survives an upgrade.

use serde::{Deserialize, Serialize};
use waxwing_sdk::reader::{Endings, Lines};
use waxwing_sdk::stream::{Cause, Context, Event, Handoff, Snapshot, StreamPlugin, Turn};
use waxwing_sdk::{Frozen, frozen::Frozen as _, stream_plugin};

/// A session's whole state.
#[derive(Serialize, Deserialize, Frozen)]
#[frozen(format = 1)]
pub struct Hello {
    lines: u64,
}

impl StreamPlugin for Hello {
    fn start(context: &Context) -> (Hello, Turn) {
        let greeting = format!("{} says hello; who are you?\r\n", context.host_name);
        (Hello { lines: 0 }, Turn::new().send(greeting))
    }

    fn handle(&mut self, event: Event) -> Turn {
        match event {
            Event::Input(input) => self.greet(&mut Lines::new(&input, Endings::Any, 200)),
            Event::Closing(_) => Turn::new().send("bye\r\n").close(),
            _ => Turn::new(),
        }
    }
}

impl Hello {
    fn greet(&mut self, lines: &mut Lines<'_>) -> Turn {
        let mut turn = Turn::new();
        loop {
            match lines.next_line() {
                Ok(Some(line)) => {
                    self.lines += 1;
                    let name = String::from_utf8_lossy(line);
                    turn = turn.send(format!("hello {name} ({})\r\n", self.lines));
                }
                Ok(None) => return turn.consumed(lines.consumed()),
                Err(error) => return turn.send(format!("{error}\r\n")).close(),
            }
        }
    }
}

impl Handoff for Hello {
    fn freeze(&self) -> Result<Snapshot, String> {
        self.to_snapshot()
    }

    fn thaw(snapshot: Snapshot, _: &Context, _: Cause) -> Result<(Hello, Turn), String> {
        Ok((Hello::from_snapshot(&snapshot)?, Turn::new()))
    }
}

stream_plugin!(Hello);
