//! A Maildir with the folders of Maildir++ beside `cur` and `new`: flags in the names, dates as times of files, keywords as
//! the letters that Dovecot's `dovecot-keywords` explains. A folder has letters for 26 keywords; what is beyond is told.
//!
//! Names carry `S=` and `W=`, the octets of the file and of the message on the wire (Maildir++, as Dovecot and Courier write
//! them). A message whose line ends are not all CRLF is written as it is, with both the same.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use waxwing_admin::protocol::ExportHeader;

use super::{Writer, eml::write_dated, with_lf};
use crate::import::maildir::encoded;

/// Letters for keywords, `a` to `z`.
const LETTERS: u8 = 26;

pub(super) struct Maildir {
    root: PathBuf,
    folder: PathBuf,
    keywords: Vec<String>,
    number: u64,
}

impl Maildir {
    pub(super) fn new(root: &Path) -> Maildir {
        Maildir {
            root: root.to_owned(),
            folder: root.to_owned(),
            keywords: Vec::new(),
            number: 0,
        }
    }

    fn make(&self) -> io::Result<()> {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(self.folder.join(part))?;
        }
        Ok(())
    }

    fn letter(&mut self, flag: &str) -> Option<char> {
        let standard = match flag {
            "\\Draft" => 'D',
            "\\Flagged" => 'F',
            "$Forwarded" => 'P',
            "\\Answered" => 'R',
            "\\Seen" => 'S',
            "\\Deleted" => 'T',
            _ => {
                let known = self.keywords.iter().position(|keyword| keyword == flag);
                let number = known.unwrap_or(self.keywords.len());
                let number = u8::try_from(number)
                    .ok()
                    .filter(|number| *number < LETTERS)?;
                if known.is_none() {
                    self.keywords.push(flag.to_owned());
                }
                return Some(char::from(b'a' + number));
            }
        };
        Some(standard)
    }
}

impl Writer for Maildir {
    fn folder(&mut self, path: &[String]) -> io::Result<()> {
        self.end()?;
        // Without it, folders would be beside no Maildir.
        self.folder.clone_from(&self.root);
        self.make()?;
        let is_inbox = |name: &String| name.eq_ignore_ascii_case("INBOX");
        if !matches!(path, [only] if is_inbox(only)) {
            let levels = path.iter().map(|level| format!(".{}", encoded(level)));
            self.folder = self.root.join(levels.collect::<String>());
            self.make()?;
            fs::write(self.folder.join("maildirfolder"), "")?;
        }
        self.number = 0;
        Ok(())
    }

    fn message(&mut self, header: &ExportHeader, octets: &[u8]) -> io::Result<Option<String>> {
        self.number += 1;
        let (mut letters, mut lost) = (Vec::new(), Vec::new());
        for flag in &header.flags {
            match self.letter(flag) {
                Some(letter) => letters.push(letter),
                None => lost.push(flag.as_str()),
            }
        }
        letters.sort_unstable();
        let letters: String = letters.into_iter().collect();
        let text = with_lf(octets);
        let text = text.as_deref().unwrap_or(octets);
        let name = format!(
            "{}.M{:06}.waxwing,S={},W={}:2,{letters}",
            header.internal_date.max(0),
            self.number,
            text.len(),
            octets.len()
        );
        let path = self.folder.join("cur").join(name);
        write_dated(&path, text, header.internal_date)?;
        Ok((!lost.is_empty()).then(|| {
            format!(
                "message {}: a Maildir's folder has {LETTERS} keywords, so without {}; mbox and eml have all",
                self.number,
                lost.join(", ")
            )
        }))
    }

    fn end(&mut self) -> io::Result<()> {
        if self.keywords.is_empty() {
            return Ok(());
        }
        let keywords = std::mem::take(&mut self.keywords);
        let lines = keywords.iter().enumerate();
        let lines = lines.map(|(number, keyword)| format!("{number} {keyword}\n"));
        fs::write(
            self.folder.join("dovecot-keywords"),
            lines.collect::<String>(),
        )
    }
}
