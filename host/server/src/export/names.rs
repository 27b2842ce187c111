//! Names of folders as names of files, and the file that says so.
//!
//! What a file system or an import would take otherwise (a slash, a dot in front, a suffix that means something) is written as `%`
//! and two digits. `waxwing-export.json` in the export's folder tells an import to read names that way; another program
//! sees ordinary names wherever folders have them.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

/// Its name.
const SIDECAR: &str = "waxwing-export.json";
/// Suffixes that mean something to an import, or to whoever made the files.
const SUFFIXES: [&str; 6] = [".mbox", ".mbx", ".sbd", ".eml", ".json", ".jsonl"];

/// What `waxwing-export.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sidecar {
    /// Names of files and folders have `%` and two hex digits for octets that they cannot have.
    pub(crate) percent_encoded_names: bool,
}

impl Sidecar {
    pub(super) fn write(folder: &Path) -> io::Result<()> {
        let sidecar = Sidecar {
            percent_encoded_names: true,
        };
        fs::create_dir_all(folder)?;
        fs::write(
            folder.join(SIDECAR),
            serde_json::to_string(&sidecar)? + "\n",
        )
    }

    /// Whether the names below a folder are encoded.
    pub(crate) fn is_in(folder: &Path) -> bool {
        let text = fs::read(folder.join(SIDECAR)).unwrap_or_default();
        serde_json::from_slice(&text).is_ok_and(|sidecar: Sidecar| sidecar.percent_encoded_names)
    }
}

/// One level of a path as a name.
pub(super) fn encoded(level: &str) -> String {
    let lower = level.to_ascii_lowercase();
    let suffix = SUFFIXES.iter().find(|suffix| lower.ends_with(**suffix));
    let dot = suffix.map(|suffix| level.len() - suffix.len());
    let special = ["cur", "new", "tmp"].contains(&lower.as_str());
    let mut name = String::new();
    for (at, letter) in level.char_indices() {
        let first = at == 0 && (letter == '.' || special);
        if first || Some(at) == dot || matches!(letter, '/' | '%') || letter.is_control() {
            let mut octets = [0; 4];
            for octet in letter.encode_utf8(&mut octets).bytes() {
                name.push_str(&format!("%{octet:02X}"));
            }
        } else {
            name.push(letter);
        }
    }
    name
}

/// The level of a name; what is not encoded properly stays as it is.
pub(crate) fn decoded(name: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('%') {
        octets.extend_from_slice(before.as_bytes());
        let digits = after.get(..2).map(|digits| u8::from_str_radix(digits, 16));
        let (Some(Ok(octet)), Some(behind)) = (digits, after.get(2..)) else {
            return name.to_owned();
        };
        octets.push(octet);
        rest = behind;
    }
    octets.extend_from_slice(rest.as_bytes());
    String::from_utf8(octets).unwrap_or_else(|_| name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_names_stay_readable() {
        assert_eq!(encoded("Entwürfe 2024"), "Entwürfe 2024");
        assert_eq!(encoded("a/b"), "a%2Fb");
        assert_eq!(encoded(".."), "%2E.");
        assert_eq!(encoded("x.mbox"), "x%2Embox");
        assert_eq!(decoded("100%"), "100%");
    }

    proptest! {
        #[test]
        fn names_come_back(level in "\\PC{1,20}|[./%a]{1,6}") {
            let name = encoded(&level);
            prop_assert!(!name.contains('/') && !name.starts_with('.'));
            prop_assert_eq!(decoded(&name), level);
        }
    }
}
