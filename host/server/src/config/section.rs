//! What a section of the configuration file is: a struct whose keys carry their own documentation.
//!
//! [`section!`] makes the struct, its defaults, its reader and the table of its keys from one place, so a key without a
//! description or a default cannot be written. From those tables come the check for unknown keys, `config show` and the
//! list of keys in the operator's guide.

use serde::Serialize;
use toml::de::DeTable;

use super::reader::Reader;

/// One key, as `config show --defaults` prints it.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// As it stands left of the equals sign.
    pub(crate) name: &'static str,
    /// What it means; one line or more.
    pub(crate) about: String,
    /// The default in TOML; none: not set.
    pub(crate) default: Option<String>,
    /// A value to show where there is no default.
    pub(crate) example: String,
}

/// A table of the configuration file.
pub(crate) trait Section: Sized {
    /// What the table is for.
    const ABOUT: &'static str;

    /// Its keys in the order of the documentation.
    fn keys() -> Vec<Key>;

    /// Reads what is there; the rest are defaults. What cannot be read is told to the reader.
    fn read(table: &DeTable<'_>, reader: &mut Reader<'_>) -> Self;
}

/// A value as TOML; none for an option that is not set.
pub(crate) fn shown<T: Serialize>(value: &T) -> Option<String> {
    toml::Value::try_from(value)
        .ok()
        .map(|value| value.to_string())
}

/// The lines of a doc comment without the blank after `///`.
pub(crate) fn lines(doc: &str) -> String {
    let lines: Vec<&str> = doc.trim_end().lines().map(str::trim).collect();
    lines.join("\n")
}

/// See the module.
macro_rules! section {
    ($(#[doc = $about:literal])* $name:ident { $( $(#[doc = $doc:literal])* $key:ident: $type:ty = $default:expr, example $example:literal; )* }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone)]
        pub(crate) struct $name { $( $(#[doc = $doc])* pub(crate) $key: $type, )* }

        impl Default for $name {
            fn default() -> Self { Self { $( $key: $default, )* } }
        }

        impl $crate::config::section::Section for $name {
            const ABOUT: &'static str = concat!($($about, "\n"),*);

            fn keys() -> Vec<$crate::config::section::Key> {
                let defaults = Self::default();
                vec![ $( $crate::config::section::Key {
                    name: stringify!($key),
                    about: $crate::config::section::lines(concat!($($doc, "\n"),*)),
                    default: $crate::config::section::shown(&defaults.$key),
                    example: $example.to_owned(),
                }, )* ]
            }

            fn read(table: &toml::de::DeTable<'_>, reader: &mut $crate::config::reader::Reader<'_>) -> Self {
                let defaults = Self::default();
                Self { $( $key: reader.value(table, stringify!($key)).unwrap_or(defaults.$key), )* }
            }
        }
    };
}

pub(crate) use section;
