//! One message in one file. Beside those that an export wrote stands a list of their flags and dates.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use waxwing_admin::protocol::ImportHeader;

use super::{Gone, LARGEST, Sink};

/// The list of a folder's messages: a line of JSON each.
pub(crate) const LIST: &str = "waxwing-messages.jsonl";

/// What the list says of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// Its name.
    pub(crate) file: String,
    /// IMAP flags and keywords.
    pub(crate) flags: Vec<String>,
    /// Seconds since 1970.
    pub(crate) internal_date: i64,
}

/// The list of the folder that was read last; a folder's files come one behind the other.
#[derive(Debug, Default)]
pub(super) struct Lists {
    folder: PathBuf,
    known: HashMap<String, Known>,
}

impl Lists {
    /// What the list of its folder says of a file.
    fn known(&mut self, path: &Path) -> Option<Known> {
        let folder = path.parent()?;
        if folder != self.folder {
            let list = fs::read_to_string(folder.join(LIST)).unwrap_or_default();
            let lines = list
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            self.known = lines
                .map(|known: Known| (known.file.clone(), known))
                .collect();
            folder.clone_into(&mut self.folder);
        }
        self.known.remove(path.file_name()?.to_str()?)
    }
}

/// Reads it; the time of arrival is left to its own headers, since copying a file changes the file's.
pub(super) fn read(
    path: &Path,
    folder: &[String],
    lists: &mut Lists,
    sink: &mut Sink,
) -> Result<(), Gone> {
    let origin = path.display().to_string();
    match bounded(path) {
        Ok(message) => {
            let known = lists.known(path);
            let header = ImportHeader {
                folder: folder.to_vec(),
                internal_date: known.as_ref().map(|known| known.internal_date),
                as_is: known.is_some(),
                flags: known.map(|known| known.flags).unwrap_or_default(),
                origin,
            };
            sink.message(header, message)
        }
        Err(reason) => {
            sink.problem(origin, reason);
            Ok(())
        }
    }
}

/// A whole file of at most [`LARGEST`] octets.
pub(super) fn bounded(path: &Path) -> Result<Bytes, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > LARGEST {
        return Err(format!("{size} octets, at most {LARGEST} are read"));
    }
    fs::read(path)
        .map(Bytes::from)
        .map_err(|error| error.to_string())
}
