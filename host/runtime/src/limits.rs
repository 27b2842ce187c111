//! Every bound on what a plugin may use, in one table: name, default, meaning. A limit that is reached is named in
//! the message, with the key that raises it.
//!
//! Three voices decide a value. The operator's `[limits]` (or the default here) and `[plugin.NAME.limits]` set
//! the ceiling; the manifest's `[limits]` may ask for less, or for more, which it gets up to the ceiling. So a
//! package can never give itself more than the operator allows.

use serde::{Deserialize, Serialize};

macro_rules! limits {
    ($( $(#[doc = $doc:literal])* $key:ident = $default:expr; )*) => {
        /// What one plugin may use. Sizes are octets.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        pub struct Limits { $( $(#[doc = $doc])* pub $key: u64, )* }

        impl Default for Limits {
            fn default() -> Self { Limits { $( $key: $default, )* } }
        }

        /// Some of the limits, as a manifest or a configuration file gives them.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct LimitsRequest {
            $( $(#[doc = $doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $key: Option<u64>, )*
        }

        impl Limits {
            /// Key, default and meaning of each limit, for documentation and for "did you mean".
            pub const TABLE: &'static [(&'static str, u64, &'static str)] =
                &[ $( (stringify!($key), $default, concat!($($doc),*)), )* ];

            /// These limits with an operator's changes.
            #[must_use]
            pub fn with(&self, changes: &LimitsRequest) -> Limits {
                Limits { $( $key: changes.$key.unwrap_or(self.$key), )* }
            }

            /// What a manifest gets that asks for `ask` under this ceiling.
            #[must_use]
            pub fn grant(&self, ask: &LimitsRequest) -> Limits {
                Limits { $( $key: ask.$key.map_or(self.$key, |asked| asked.min(self.$key)), )* }
            }

            /// Keys of which `ask` wants more than this ceiling, with the value asked for.
            #[must_use]
            pub fn exceeded_by(&self, ask: &LimitsRequest) -> Vec<(&'static str, u64)> {
                let mut keys = Vec::new();
                $( if let Some(asked) = ask.$key && asked > self.$key { keys.push((stringify!($key), asked)); } )*
                keys
            }
        }
    };
}

limits! {
    /// Linear memory of one instance.
    memory = 64 << 20;
    /// Linear memory of all live instances of the plugin.
    plugin_memory = 1 << 30;
    /// Entries of a component's tables (indirect calls).
    table_elements = 20_000;
    /// CPU time of one turn, in milliseconds. Waiting for the host does not count.
    cpu_per_turn_ms = 2_000;
    /// Time by the clock of one turn, host calls included, in milliseconds.
    turn_ms = 300_000;
    /// Time by the clock of one host call, in milliseconds.
    host_call_ms = 120_000;
    /// Turns of one session in a second; more are delayed.
    turns_per_second = 5_000;
    /// Host calls of one session in a second.
    host_calls_per_second = 20_000;
    /// Lines a session may log in a second; more are dropped and counted.
    log_lines_per_second = 100;
    /// Handles (mailboxes, views, bodies, streams) open at once in one instance.
    handles = 1_024;
    /// What one call may hand to the host.
    call_bytes = 16 << 20;
    /// Actions in one turn.
    actions_per_turn = 4_096;
    /// What a session may freeze to.
    frozen_bytes = 256 << 10;
    /// What a parked request may keep as its ticket.
    ticket_bytes = 64 << 10;
    /// Bodies kept over a freeze.
    kept_bodies = 64;
    /// Mailboxes that one session may open.
    mailboxes = 64;
    /// Views that one session may have open.
    views = 64;
    /// Locks on mailboxes that one session may have.
    locks = 16;
    /// Timers that one session may have running.
    timers = 16;
    /// Folders that one session may watch.
    watched_folders = 1_024;
}

/// The message for a limit that was reached.
pub(crate) fn reached(key: &str, value: u64) -> String {
    format!("limit {key} = {value} reached (an operator raises it under [plugin.NAME.limits])")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_gets_what_it_asks_for_up_to_the_operators_ceiling() {
        let ceiling = Limits::default().with(&LimitsRequest {
            memory: Some(100),
            ..LimitsRequest::default()
        });
        let ask = LimitsRequest {
            memory: Some(200),
            handles: Some(3),
            ..LimitsRequest::default()
        };
        let granted = ceiling.grant(&ask);
        assert_eq!((granted.memory, granted.handles), (100, 3));
        assert_eq!(ceiling.exceeded_by(&ask), vec![("memory", 200)]);
    }

    #[test]
    fn every_limit_has_a_name_a_default_and_a_meaning() {
        assert!(
            Limits::TABLE
                .iter()
                .all(|(key, default, meaning)| !key.is_empty()
                    && *default > 0
                    && !meaning.is_empty())
        );
        assert!(
            Limits::TABLE
                .iter()
                .any(|(key, ..)| *key == "cpu_per_turn_ms")
        );
    }

    #[test]
    fn a_message_names_the_limit_and_where_it_is_raised() {
        assert!(reached("memory", 64).contains("memory = 64"));
        assert!(reached("memory", 64).contains("[plugin.NAME.limits]"));
    }
}
