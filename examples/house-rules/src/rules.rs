//! What the operator has written under `[plugin.house-rules.config]`.

use serde::de::DeserializeOwned;
use waxwing_sdk::config;

#[derive(Debug, Default)]
pub(crate) struct Rules {
    reject_senders: Vec<String>,
    pub(crate) quarantine_names: Vec<String>,
    tag_word: String,
    pub(crate) tag: String,
    pub(crate) stamp: String,
    pub(crate) replace: String,
    pub(crate) with: String,
    pub(crate) file_word: String,
    pub(crate) file_into: String,
    pub(crate) file_flag: String,
}

fn setting<T: DeserializeOwned + Default>(key: &str) -> T {
    config::get_or(key, T::default())
}

impl Rules {
    pub(crate) fn read() -> Rules {
        Rules {
            reject_senders: setting("reject_senders"),
            quarantine_names: setting("quarantine_names"),
            tag_word: setting("tag_word"),
            tag: setting("tag"),
            stamp: setting("stamp"),
            replace: setting("replace"),
            with: setting("with"),
            file_word: setting("file_word"),
            file_into: config::get_or("file_into", "Filed".to_owned()),
            file_flag: setting("file_flag"),
        }
    }

    pub(crate) fn refuses(&self, sender: &str) -> bool {
        let sender = sender.to_ascii_lowercase();
        self.reject_senders.iter().any(|refused| {
            let refused = refused.to_ascii_lowercase();
            match refused.starts_with('@') {
                true => sender.ends_with(&refused),
                false => sender == refused,
            }
        })
    }

    pub(crate) fn forbids(&self, name: &str) -> bool {
        let name = name.trim().to_lowercase();
        let mut endings = self.quarantine_names.iter();
        endings.any(|ending| name.ends_with(&ending.to_lowercase()))
    }

    /// One that has its tag already gets no second one.
    pub(crate) fn tags(&self, subject: &str) -> bool {
        let has_word = !self.tag_word.is_empty() && subject.contains(&self.tag_word);
        has_word && !subject.starts_with(&self.tag)
    }
}
