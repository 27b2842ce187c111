//! Files for the mail of a mailbox: mbox files, a Maildir, or .eml files, in forms that other programs read and that
//! [`crate::import`] reads back with the same octets, flags, dates and folders.
//!
//! This side only writes. It runs in one blocking thread and takes messages from a short channel, which holds the reading of the
//! mailbox back when the disk is slower. A format is a file of its own that says what it can carry and how.

mod eml;
mod maildir;
mod mbox;
mod names;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use tokio::sync::mpsc::Receiver;
use waxwing_admin::protocol::{ExportHeader, ExportItem, ImportProblem};

pub(crate) use mbox::Mark as MboxMark;
pub(crate) use names::{Sidecar, decoded};

/// A form of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A file a folder, messages one behind the other (mboxrd).
    Mbox,
    /// A file a message, flags in its name, folders as .A.B (Maildir++).
    Maildir,
    /// A file a message, its octets and nothing else, flags and dates in a file beside them.
    Eml,
}

/// One form's way of writing; folders come one after the other, each followed by its messages.
trait Writer {
    fn folder(&mut self, path: &[String]) -> io::Result<()>;
    /// What could not be carried, if anything.
    fn message(&mut self, header: &ExportHeader, octets: &[u8]) -> io::Result<Option<String>>;
    fn end(&mut self) -> io::Result<()>;
}

/// Makes the folder for an export, which must be empty or not there.
pub(crate) fn prepare(folder: &Path) -> Result<()> {
    let shown = || folder.display().to_string();
    fs::create_dir_all(folder).with_context(shown)?;
    if fs::read_dir(folder).with_context(shown)?.next().is_some() {
        bail!(
            "{} is not empty; name an empty folder or a new one",
            shown()
        );
    }
    Ok(())
}

/// Writes all that comes, and syncs the file system at the end. Tells how many messages of how many are written. Blocks: for a
/// thread of its own.
pub(crate) fn write(
    format: Format,
    folder: PathBuf,
    mut items: Receiver<ExportItem>,
    mut tell: impl FnMut(u64, u64),
) -> io::Result<Vec<ImportProblem>> {
    let mut writer: Box<dyn Writer> = match format {
        Format::Mbox => Box::new(mbox::Mbox::new(&folder)?),
        Format::Maildir => Box::new(maildir::Maildir::new(&folder)),
        Format::Eml => Box::new(eml::Eml::new(&folder)?),
    };
    let (mut problems, mut name, mut written, mut total) = (Vec::new(), String::new(), 0, 0);
    while let Some(item) = items.blocking_recv() {
        match item {
            ExportItem::Folder(of) => {
                name = of.path.join("/");
                total = of.total;
                let named = |error| io::Error::other(format!("folder {name}: {error}"));
                writer.folder(&of.path).map_err(named)?;
            }
            ExportItem::Message(header, octets) => {
                if let Some(reason) = writer.message(&header, &octets)? {
                    let origin = name.clone();
                    problems.push(ImportProblem { origin, reason });
                }
                written += 1;
                tell(written, total);
            }
        }
    }
    writer.end()?;
    // One sync for any number of files.
    rustix::fs::syncfs(File::open(&folder)?)?;
    Ok(problems)
}

/// The octets with the line ends of this system, when an import makes the same octets of them again: every line end is
/// CRLF and none has another CR before it. None: they must be written as they are.
fn with_lf(octets: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some(at) = rest.iter().position(|octet| *octet == b'\n') {
        let (line, behind) = rest.split_at_checked(at)?;
        let line = line.strip_suffix(b"\r")?;
        if line.ends_with(b"\r") {
            return None;
        }
        text.extend_from_slice(line);
        text.push(b'\n');
        rest = behind.get(1..)?;
    }
    text.extend_from_slice(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use waxwing_admin::protocol::{ExportFolder, ImportMessage};

    use super::*;
    use crate::import::{self, Target};

    type Mail = Vec<(Vec<String>, Vec<(ExportHeader, Vec<u8>)>)>;

    /// Writes and reads again.
    fn round(format: Format, mail: &Mail) -> Vec<ImportMessage> {
        let root = tempfile::tempdir().unwrap();
        let to = root.path().join("export");
        prepare(&to).unwrap();
        let (sender, receiver) = tokio::sync::mpsc::channel(1000);
        for (path, messages) in mail {
            let path = path.clone();
            let folder = ExportFolder { path, total: 0 };
            sender.try_send(ExportItem::Folder(folder)).unwrap();
            for (header, octets) in messages {
                let octets = Bytes::from(octets.clone());
                sender
                    .try_send(ExportItem::Message(header.clone(), octets))
                    .unwrap();
            }
        }
        drop(sender);
        assert!(
            write(format, to.clone(), receiver, |_, _| {})
                .unwrap()
                .is_empty()
        );
        if mail.iter().all(|(_, messages)| messages.is_empty()) {
            return Vec::new();
        }
        let sources = import::find(&[to], &Target::new(None)).unwrap();
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1000);
        assert!(import::read(sources, sender).is_empty());
        std::iter::from_fn(|| receiver.try_recv().ok()).collect()
    }

    /// What an import stores.
    fn stored(message: &ImportMessage) -> Vec<u8> {
        if message.header.as_is {
            return message.message.to_vec();
        }
        let mut octets = Vec::new();
        for octet in &message.message {
            if *octet == b'\n' && octets.last() != Some(&b'\r') {
                octets.push(b'\r');
            }
            octets.push(*octet);
        }
        octets
    }

    fn same(format: Format, mail: &Mail) {
        let mut expected: Vec<_> = mail
            .iter()
            .flat_map(|(path, messages)| {
                messages.iter().map(move |(header, octets)| {
                    let mut flags = header.flags.clone();
                    flags.sort();
                    (
                        path.clone(),
                        flags,
                        Some(header.internal_date),
                        octets.clone(),
                    )
                })
            })
            .collect();
        let mut found: Vec<_> = round(format, mail)
            .iter()
            .map(|message| {
                let header = message.header.clone();
                let mut flags = header.flags;
                flags.sort();
                (header.folder, flags, header.internal_date, stored(message))
            })
            .collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{format:?}");
    }

    fn one(
        folder: &str,
        flags: &[&str],
        octets: &[u8],
    ) -> (Vec<String>, Vec<(ExportHeader, Vec<u8>)>) {
        let header = ExportHeader {
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            internal_date: 1_000_000_000,
        };
        let path = folder.split('|').map(str::to_owned).collect();
        (path, vec![(header, octets.to_vec())])
    }

    const ALL: [Format; 3] = [Format::Mbox, Format::Maildir, Format::Eml];

    #[test]
    fn octets_that_no_text_file_would_keep_are_kept() {
        for octets in [
            &b"Subject: a\r\n\r\nx\r\n"[..],
            b"Subject: a\r\n\r\nno end",
            b"Subject: a\r\n\r\nx\r\n\r\n\r\n",
            b"Subject: a\r\n\r\nbare\nline\r\n",
            b"Subject: a\n\nonly bare\n",
            b"Subject: a\r\n\r\ntwo\r\r\n",
            b"Subject: a\r\n\r\ncarriage\rreturn\r\n",
            b"From here\r\nFrom there\r\n>From quoted\r\n>>From twice\r\n\r\nFrom body\r\n",
            b"X-Waxwing-Mbox: lines=9; octets=1; line-ends=lf\r\n\r\nfake\r\n",
            b"Status: RO\r\nX-Status: AF\r\nX-Keywords: other\r\n\r\nx\r\n",
            b"\r\n",
            b"\n",
            b"\x00\xff\r\n\r\n\x00",
        ] {
            for format in ALL {
                same(format, &vec![one("INBOX", &[], octets)]);
            }
        }
    }

    #[test]
    fn folders_of_any_name_come_back() {
        let names = [
            "INBOX",
            "INBOX|below",
            "A",
            "A|B",
            "A|B|C",
            "A.mbox",
            "A.mbox|x",
            "x.eml",
            "Y.sbd",
            "mbox",
            ".hidden",
            "a.b|c.d",
            "Entwürfe",
            "R&D",
            "100%25",
            "with/slash",
            "cur",
            "new|tmp",
            "\u{1f600}",
            "a b",
            "..",
            "-",
            "&-",
            "waxwing-export.json",
        ];
        let mail = names.map(|name| one(name, &["\\Seen"], b"Subject: a\r\n\r\nx\r\n"));
        for format in ALL {
            same(format, &mail.to_vec());
        }
    }

    #[test]
    fn every_flag_and_keyword_comes_back() {
        let all = [
            "\\Seen",
            "\\Answered",
            "\\Flagged",
            "\\Deleted",
            "\\Draft",
            "$Forwarded",
            "$MDNSent",
            "work",
            "a,b",
            "$Junk",
            "ümlaut",
        ];
        let octets = b"Subject: a\r\n\r\nx\r\n";
        for format in ALL {
            same(
                format,
                &vec![one("INBOX", &all, octets), one("B", &all[7..], octets)],
            );
            same(
                format,
                &all.iter()
                    .map(|flag| one(flag.trim_start_matches('\\'), &[flag], octets))
                    .collect(),
            );
        }
    }

    #[test]
    fn more_keywords_than_a_maildir_has_letters_for_are_told() {
        let root = tempfile::tempdir().unwrap();
        let (sender, receiver) = tokio::sync::mpsc::channel(100);
        let path = vec!["INBOX".to_owned()];
        sender
            .try_send(ExportItem::Folder(ExportFolder { path, total: 1 }))
            .unwrap();
        let header = ExportHeader {
            flags: (0..27).map(|number| format!("k{number}")).collect(),
            internal_date: 1,
        };
        sender
            .try_send(ExportItem::Message(header, Bytes::from_static(b"x")))
            .unwrap();
        drop(sender);
        let problems = write(Format::Maildir, root.path().join("m"), receiver, |_, _| {}).unwrap();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].reason.contains("k26"), "{}", problems[0].reason);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_octets_come_back_in_any_form(
            texts in prop::collection::vec("(From |>|\r|\n|\r\n|a|: |\u{0}){0,40}", 1..6), dates in prop::collection::vec(0i64..4_000_000_000, 6),
        ) {
            let texts = texts.iter().filter(|text| !text.is_empty()).zip(dates);
            let messages: Vec<_> = texts
                .map(|(text, internal_date)| (ExportHeader { flags: vec!["\\Seen".into()], internal_date }, text.clone().into_bytes()))
                .collect();
            for format in ALL {
                same(format, &vec![(vec!["Any".to_owned()], messages.clone())]);
            }
        }
    }
}
