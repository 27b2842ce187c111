//! Structured log lines. The host adds plugin, version, session, peer and principal, and bounds their number per second.
//!
//! ```
//! waxwing_sdk::info!("message accepted", recipients = 3, size = 1024);
//! ```
//!
//! Passwords, tokens and message contents do not belong in a log.

pub use crate::bindings::waxwing::log::logger::Level;

/// Writes one line; the macros are shorter.
pub fn emit(level: Level, message: &str, fields: &[(String, String)]) {
    #[cfg(in_host)]
    crate::bindings::waxwing::log::logger::emit(level, message, fields);
    #[cfg(not(in_host))]
    crate::standin::log(level, message, fields);
}

/// One line of a level with fields: `log!(Level::Info, "text {x}", key = value)`.
#[macro_export]
macro_rules! log {
    ($level:expr, $message:literal $(, $key:ident = $value:expr)* $(,)?) => {
        $crate::log::emit($level, &format!($message), &[$((stringify!($key).to_owned(), $value.to_string())),*])
    };
}

/// A line about something that must be looked at.
#[macro_export]
macro_rules! error { ($($line:tt)*) => { $crate::log!($crate::log::Level::Error, $($line)*) }; }

/// A line about something that an operator may want to change.
#[macro_export]
macro_rules! warning { ($($line:tt)*) => { $crate::log!($crate::log::Level::Warn, $($line)*) }; }

/// A line about something that happened.
#[macro_export]
macro_rules! info { ($($line:tt)*) => { $crate::log!($crate::log::Level::Info, $($line)*) }; }

/// A line for whoever looks for a defect.
#[macro_export]
macro_rules! debug { ($($line:tt)*) => { $crate::log!($crate::log::Level::Debug, $($line)*) }; }
