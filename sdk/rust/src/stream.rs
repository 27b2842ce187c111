//! Protocols over one connection.
//!
//! Implement [`StreamPlugin`] for the type that is a session's whole state, [`Handoff`] so that sessions survive upgrades,
//! crashes and parking, and name the type once in [`stream_plugin!`](crate::stream_plugin). A component has one session, so
//! the macro keeps one value.
//!
//! A turn says how much of the last [`Event::Input`] is done with, and what to do. Input that is not consumed is offered
//! again, longer, when more has come or after another event; so a parser never stores a half line.

pub use crate::bindings::exports::waxwing::session::handoff::{Cause, Crash, Snapshot};
pub use crate::bindings::waxwing::session::types::{
    Action, CloseReason, Context, Event, FolderRef, Framing, Receive, Received, Reception, Timer,
    TlsInfo, Turn,
};

/// A session of a protocol: its value is the whole state between two turns.
pub trait StreamPlugin: Sized + 'static {
    /// A connection was accepted: the state to begin with, and the greeting.
    fn start(context: &Context) -> (Self, Turn);

    /// One event. Must not panic on anything a peer can send: a panic is a trap, and costs the client its command.
    fn handle(&mut self, event: Event) -> Turn;
}

/// A session that another version, or a fresh instance, can go on with.
pub trait Handoff: StreamPlugin {
    /// The state as bytes; pure. The session goes on here if nobody takes it.
    ///
    /// # Errors
    /// A reason why the session cannot be handed over just now, for the operator's log.
    fn freeze(&self) -> Result<Snapshot, String>;

    /// The session that `freeze` described, and a turn (usually none). With [`Cause::Crash`] the turn answers the command
    /// that was lost with the protocol's server error and consumes it.
    ///
    /// # Errors
    /// A reason (a format this version does not read); the old version then goes on.
    fn thaw(snapshot: Snapshot, context: &Context, cause: Cause) -> Result<(Self, Turn), String>;
}

/// Where the macros keep the component's one session.
#[doc(hidden)]
pub struct Slot<T>(std::cell::RefCell<Option<T>>);

impl<T: StreamPlugin> Slot<T> {
    pub const fn empty() -> Slot<T> {
        Slot(std::cell::RefCell::new(None))
    }

    pub fn start(&self, context: &Context) -> Turn {
        let (state, turn) = T::start(context);
        self.0.replace(Some(state));
        turn
    }

    /// An event before `start` would be a defect of the host: the connection ends.
    pub fn handle(&self, event: Event) -> Turn {
        self.0
            .borrow_mut()
            .as_mut()
            .map_or_else(|| Turn::new().close(), |state| state.handle(event))
    }
}

impl<T: Handoff> Slot<T> {
    /// # Errors
    /// As [`Handoff::freeze`].
    pub fn freeze(&self) -> Result<Snapshot, String> {
        self.0
            .borrow()
            .as_ref()
            .map_or_else(|| Err("no session has started".into()), Handoff::freeze)
    }

    /// # Errors
    /// As [`Handoff::thaw`].
    pub fn thaw(
        &self,
        snapshot: Snapshot,
        context: &Context,
        cause: Cause,
    ) -> Result<Turn, String> {
        let (state, turn) = T::thaw(snapshot, context, cause)?;
        self.0.replace(Some(state));
        Ok(turn)
    }
}

/// Makes a component of a type that is [`StreamPlugin`] and [`Handoff`].
///
/// Outside a host (native builds, tests) it only checks that the type is one.
#[macro_export]
macro_rules! stream_plugin {
    ($session:ty) => {
        const _: fn() = || {
            fn is_a_stream_plugin<T: $crate::stream::Handoff>() {}
            is_a_stream_plugin::<$session>();
        };
        $crate::__export_stream!($session, freeze_and_thaw);
    };
}

/// Makes a component of a type that is only [`StreamPlugin`]: its sessions end with their version, because every
/// hand-over is refused.
#[macro_export]
macro_rules! plain_stream_plugin {
    ($session:ty) => {
        const _: fn() = || {
            fn is_a_stream_plugin<T: $crate::stream::StreamPlugin>() {}
            is_a_stream_plugin::<$session>();
        };
        $crate::__export_stream!($session, refuse);
    };
}

#[cfg(not(in_host))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_stream {
    ($session:ty, $handoff:ident) => {};
}

#[cfg(in_host)]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_stream {
    (@handoff freeze_and_thaw, $slot:ident) => {
        fn freeze() -> Result<$crate::stream::Snapshot, String> {
            $slot.with($crate::stream::Slot::freeze)
        }
        fn thaw(
            snapshot: $crate::stream::Snapshot,
            context: $crate::stream::Context,
            cause: $crate::stream::Cause,
        ) -> Result<$crate::stream::Turn, String> {
            $slot.with(|slot| slot.thaw(snapshot, &context, cause))
        }
    };
    (@handoff refuse, $slot:ident) => {
        fn freeze() -> Result<$crate::stream::Snapshot, String> {
            Err("this plugin has no hand-over".into())
        }
        fn thaw(
            _snapshot: $crate::stream::Snapshot,
            _context: $crate::stream::Context,
            _cause: $crate::stream::Cause,
        ) -> Result<$crate::stream::Turn, String> {
            Err("this plugin has no hand-over".into())
        }
    };
    ($session:ty, $handoff:ident) => {
        const _: () = {
            thread_local! {
                static SESSION: $crate::stream::Slot<$session> = const { $crate::stream::Slot::empty() };
            }
            struct Component;
            impl $crate::bindings::exports::waxwing::session::stream::Guest for Component {
                fn start(context: $crate::stream::Context) -> $crate::stream::Turn {
                    SESSION.with(|slot| slot.start(&context))
                }
                fn handle(event: $crate::stream::Event) -> $crate::stream::Turn {
                    SESSION.with(|slot| slot.handle(event))
                }
            }
            impl $crate::bindings::exports::waxwing::session::handoff::Guest for Component {
                $crate::__export_stream!(@handoff $handoff, SESSION);
            }
            $crate::bindings::export!(Component with_types_in $crate::bindings);
        };
    };
}
