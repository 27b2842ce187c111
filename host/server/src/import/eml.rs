//! One message in one file.

use std::{fs, path::Path};

use bytes::Bytes;
use waxwing_admin::protocol::ImportHeader;

use super::{Gone, LARGEST, Sink};

/// Reads it; the time of arrival is left to its own headers, since copying a file changes the file's.
pub(super) fn read(path: &Path, folder: &[String], sink: &mut Sink) -> Result<(), Gone> {
    let origin = path.display().to_string();
    match bounded(path) {
        Ok(message) => {
            let header = ImportHeader {
                folder: folder.to_vec(),
                flags: Vec::new(),
                internal_date: None,
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
