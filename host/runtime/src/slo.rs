//! How much a version may fail before it is taken back by itself, in one table: name, default, meaning.
//!
//! A version is watched while there is one to go back to: as a canary always, as the active one for `trial_seconds`
//! after its activation. It is taken back when more than `max_failures` of its turns failed within `window_seconds`
//! *and* these were more than `max_failure_percent` of its turns in that time: the first keeps one unlucky client from
//! deciding on a quiet server, the second on a busy one.
//!
//! The manifest's `[slo]` gives what its author holds for normal, the operator's `[plugin.NAME.slo]` has the last word.
//! Not a comparison with the version before: that one may have served no turn in the window, and then says nothing.

use serde::{Deserialize, Serialize};

macro_rules! slo {
    ($( $(#[doc = $doc:literal])* $key:ident: $of:ty = $default:expr, $least:expr => $most:expr; )*) => {
        /// How much a version may fail.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub struct Slo { $( $(#[doc = $doc])* pub $key: $of, )* }

        impl Default for Slo {
            fn default() -> Self { Slo { $( $key: $default, )* } }
        }

        /// Some of the keys, as a manifest or a configuration file gives them.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct SloRequest {
            $( $(#[doc = $doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $key: Option<$of>, )*
        }

        impl Slo {
            /// Key, default and meaning of each, for documentation and for "did you mean".
            pub const TABLE: &'static [(&'static str, &'static str, &'static str)] =
                &[ $( (stringify!($key), stringify!($default), concat!($($doc),*)), )* ];

            /// These with somebody's changes.
            #[must_use]
            pub fn with(&self, changes: &SloRequest) -> Slo {
                Slo { $( $key: changes.$key.unwrap_or(self.$key), )* }
            }
        }

        impl SloRequest {
            /// Whether every value is one that means something.
            ///
            /// # Errors
            /// The first that does not, with what would.
            pub fn check(&self) -> Result<(), String> {
                $( if let Some(given) = self.$key && !(($least..=$most).contains(&given)) {
                    return Err(format!("{} = {given}: {} to {}", stringify!($key), $least, $most));
                } )*
                Ok(())
            }
        }
    };
}

slo! {
    /// Failed turns (traps, time used up, other limits) that are borne within the window.
    max_failures: u64 = 5, 0 => 1_000_000;
    /// The window, in seconds.
    window_seconds: u64 = 60, 1 => 86_400;
    /// Failed turns that are borne, in percent of all turns within the window.
    max_failure_percent: f64 = 0.1, 0.0 => 100.0;
    /// How long after its activation a version is watched, in seconds; a canary is watched always. 0: only canaries.
    trial_seconds: u64 = 86_400, 0 => 31_536_000;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_has_the_last_word() {
        let author = SloRequest {
            max_failures: Some(1),
            window_seconds: Some(10),
            ..SloRequest::default()
        };
        let operator = SloRequest {
            max_failures: Some(100),
            ..SloRequest::default()
        };
        let slo = Slo::default().with(&author).with(&operator);
        assert_eq!(
            (slo.max_failures, slo.window_seconds, slo.trial_seconds),
            (100, 10, 86_400)
        );
    }

    #[test]
    fn a_value_that_means_nothing_is_named_with_its_range() {
        let request = |text: &str| toml::from_str::<SloRequest>(text).unwrap().check();
        assert_eq!(
            request("window_seconds = 0").unwrap_err(),
            "window_seconds = 0: 1 to 86400"
        );
        assert!(request("max_failure_percent = nan").is_err());
        assert_eq!(request("max_failure_percent = 1"), Ok(()));
    }
}
