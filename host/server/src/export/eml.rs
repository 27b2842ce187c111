//! A file a message, with the octets that the mailbox has and nothing else. Flags and dates stand in `waxwing-messages.jsonl`
//! in the same folder, a line of JSON a message; the date is the file's time too.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use waxwing_admin::protocol::ExportHeader;

use super::{
    Writer,
    names::{Sidecar, encoded},
};
use crate::import::eml::{Known, LIST};

pub(super) struct Eml {
    root: PathBuf,
    folder: PathBuf,
    list: Option<BufWriter<File>>,
    number: u64,
}

impl Eml {
    pub(super) fn new(root: &Path) -> io::Result<Eml> {
        Sidecar::write(root)?;
        Ok(Eml {
            root: root.to_owned(),
            folder: root.to_owned(),
            list: None,
            number: 0,
        })
    }
}

impl Writer for Eml {
    fn folder(&mut self, path: &[String]) -> io::Result<()> {
        self.end()?;
        self.folder = self.root.clone();
        self.folder.extend(path.iter().map(|level| encoded(level)));
        fs::create_dir_all(&self.folder)?;
        self.list = Some(BufWriter::new(File::create(self.folder.join(LIST))?));
        self.number = 0;
        Ok(())
    }

    fn message(&mut self, header: &ExportHeader, octets: &[u8]) -> io::Result<Option<String>> {
        self.number += 1;
        let file = format!("{:06}.eml", self.number);
        write_dated(&self.folder.join(&file), octets, header.internal_date)?;
        if let Some(list) = &mut self.list {
            let known = Known {
                file,
                flags: header.flags.clone(),
                internal_date: header.internal_date,
            };
            writeln!(list, "{}", serde_json::to_string(&known)?)?;
        }
        Ok(None)
    }

    fn end(&mut self) -> io::Result<()> {
        match self.list.take() {
            Some(mut list) => list.flush(),
            None => Ok(()),
        }
    }
}

/// A new file with the time of the message's arrival.
pub(super) fn write_dated(path: &Path, octets: &[u8], seconds: i64) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(octets)?;
    let since = std::time::Duration::from_secs(seconds.unsigned_abs());
    let time = match seconds {
        0.. => std::time::UNIX_EPOCH.checked_add(since),
        _ => std::time::UNIX_EPOCH.checked_sub(since),
    };
    time.map_or(Ok(()), |time| file.set_modified(time))
}
