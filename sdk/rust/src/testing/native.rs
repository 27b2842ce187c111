//! A plugin in this very process, through its traits.

use super::play::Driver;
use crate::stream::{Cause, Context, Event, Handoff, Turn};

/// Drives a plugin through its traits.
pub struct Native<T> {
    session: Option<T>,
    context: Option<Context>,
}

impl<T> Native<T> {
    /// Nobody has connected yet.
    #[must_use]
    pub const fn new() -> Native<T> {
        Native {
            session: None,
            context: None,
        }
    }
}

impl<T> Default for Native<T> {
    fn default() -> Native<T> {
        Native::new()
    }
}

impl<T: Handoff> Driver for Native<T> {
    fn start(&mut self, context: &Context) -> Result<Turn, String> {
        let (session, turn) = T::start(context);
        self.session = Some(session);
        self.context = Some(context.clone());
        Ok(turn)
    }

    fn handle(&mut self, event: Event) -> Result<Turn, String> {
        if let (Event::TlsEstablished(tls), Some(context)) = (&event, &mut self.context) {
            context.tls = Some(tls.clone());
        }
        self.session
            .as_mut()
            .map(|session| session.handle(event))
            .ok_or_else(|| "no session".into())
    }

    fn hand_over(&mut self, cause: Cause) -> Result<Turn, String> {
        let (Some(session), Some(context)) = (&self.session, &self.context) else {
            return Err("no session".into());
        };
        let (session, turn) = T::thaw(session.freeze()?, context, cause)?;
        self.session = Some(session);
        Ok(turn)
    }
}
