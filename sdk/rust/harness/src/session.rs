//! A session of a component, driven by a transcript.

use waxwing_runtime::Session;
use waxwing_sdk::stream::{Cause, Context, Event, Turn};
use waxwing_sdk::testing::Driver;

use crate::House;
use crate::house::connection;
use crate::translate;

/// One connection to the plugin that a house has loaded.
pub struct InWasm<'h> {
    house: &'h House,
    session: Option<Session>,
}

impl<'h> InWasm<'h> {
    /// Nobody has connected yet.
    #[must_use]
    pub fn new(house: &'h House) -> InWasm<'h> {
        InWasm {
            house,
            session: None,
        }
    }
}

impl Driver for InWasm<'_> {
    fn start(&mut self, context: &Context) -> Result<Turn, String> {
        let opened = self.house.runtime().and_then(|runtime| {
            self.house.tokio.block_on(async {
                let (session, turn) = runtime.open(connection(context)).await?;
                Ok((session, translate::turn(turn).await?))
            })
        });
        let (session, turn) = opened.map_err(|error| error.to_string())?;
        self.session = Some(session);
        Ok(turn)
    }

    fn handle(&mut self, event: Event) -> Result<Turn, String> {
        let session = self.session.as_mut().ok_or("no session")?;
        let event = translate::event(event).ok_or("the runtime finds this event itself")?;
        let answer = self
            .house
            .tokio
            .block_on(async { translate::turn(session.handle(event).await?).await });
        answer.map_err(|error| error.to_string())
    }

    /// The instance is dropped; the next event thaws its state in a fresh one.
    fn hand_over(&mut self, cause: Cause) -> Result<Turn, String> {
        if matches!(cause, Cause::Crash(_)) {
            return Err("a component crashes when it does, not when it is told".into());
        }
        let session = self.session.as_mut().ok_or("no session")?;
        self.house.tokio.block_on(session.park());
        if session.is_parked() {
            Ok(Turn::new())
        } else {
            Err("the component did not freeze".into())
        }
    }
}
