//! The plugin's own settings: the `[plugin.NAME.config]` table of the operator's file.
//!
//! ```
//! let limit: u64 = waxwing_sdk::config::get_or("max_message_size", 50 << 20);
//! # assert_eq!(limit, 50 << 20);
//! ```

use serde::de::DeserializeOwned;

/// Why a setting could not be used.
#[derive(Debug, thiserror::Error)]
#[error("setting `{key}`: {reason}")]
pub struct Unusable {
    /// The dotted key.
    pub key: String,
    /// What is wrong with its value.
    pub reason: String,
}

/// The value of a dotted key, if it is set.
///
/// # Errors
/// When it is set to something else than a `T`.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Unusable> {
    raw(key)
        .map(|json| {
            serde_json::from_str(&json).map_err(|error| Unusable {
                key: key.to_owned(),
                reason: error.to_string(),
            })
        })
        .transpose()
}

/// The value of a dotted key, or `otherwise`: also when it is unusable, which is logged.
pub fn get_or<T: DeserializeOwned>(key: &str, otherwise: T) -> T {
    match get(key) {
        Ok(value) => value.unwrap_or(otherwise),
        Err(unusable) => {
            crate::warning!("{unusable}; the default is used");
            otherwise
        }
    }
}

/// All settings by key, as JSON text.
#[must_use]
pub fn entries() -> Vec<(String, String)> {
    #[cfg(in_host)]
    return crate::bindings::waxwing::config::settings::entries();
    #[cfg(not(in_host))]
    crate::standin::settings()
}

fn raw(key: &str) -> Option<String> {
    #[cfg(in_host)]
    return crate::bindings::waxwing::config::settings::get(key);
    #[cfg(not(in_host))]
    crate::standin::setting(key)
}
