//! Where imported mail comes from: mbox files, Maildirs and single messages, found by what they are and not by their names.
//!
//! This side only reads. It runs in one blocking thread, one message in memory at a time, and hands each to
//! `waxwing-admin` over a short channel that holds it back when the store is slower. What is a duplicate, and where an
//! interrupted run goes on, is decided there, where the mailbox is.

pub(crate) mod civil;
pub(crate) mod eml;
pub(crate) mod maildir;
mod mbox;

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use tokio::sync::mpsc::Sender;
use waxwing_admin::protocol::{ImportHeader, ImportMessage, ImportProblem};

use crate::export::{Sidecar, decoded};

/// The largest message that is read, in octets; also what the store takes.
const LARGEST: u64 = 256 << 20;

/// How deep folders are searched.
const DEEPEST: usize = 32;

/// Where the caller wants the mail.
#[derive(Debug, Clone)]
pub(crate) struct Target(Option<Vec<String>>);

impl Target {
    /// `Old/2024`; none: each source decides.
    pub(crate) fn new(folder: Option<&str>) -> Target {
        Target(folder.map(|name| {
            name.split('/')
                .filter(|level| !level.is_empty())
                .map(str::to_owned)
                .collect()
        }))
    }

    /// The folder for a source that has no name of its own.
    fn root(&self) -> Vec<String> {
        self.0.clone().unwrap_or_else(|| vec!["INBOX".to_owned()])
    }

    /// The folder for a source with a name, below the root that was asked for, if any.
    fn below(&self, levels: &[String]) -> Vec<String> {
        let mut folder = self.0.clone().unwrap_or_default();
        folder.extend_from_slice(levels);
        if folder.is_empty() {
            self.root()
        } else {
            folder
        }
    }
}

/// Something to read, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    path: PathBuf,
    folder: Vec<String>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mbox,
    Maildir,
    Eml,
}

/// Finds the sources under the paths given.
pub(crate) fn find(paths: &[PathBuf], target: &Target) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path).with_context(|| path.display().to_string())?;
        let before = sources.len();
        if metadata.is_dir() {
            let mut search = Search {
                target,
                exported: Sidecar::is_in(path),
                sources: &mut sources,
            };
            search.folder(path, &[])?;
        } else {
            match kind_of_file(path)? {
                Some(Kind::Mbox) => {
                    let folder = target.0.clone().unwrap_or_else(|| named(path, &[]));
                    sources.push(Source {
                        path: path.clone(),
                        folder,
                        kind: Kind::Mbox,
                    });
                }
                // Named by the caller, so taken for a message whatever its name.
                _ => sources.push(Source {
                    path: path.clone(),
                    folder: target.root(),
                    kind: Kind::Eml,
                }),
            }
        }
        if sources.len() == before {
            bail!(
                "{}: no Maildir, mbox file or .eml file in it",
                path.display()
            );
        }
    }
    Ok(sources)
}

/// How many messages the sources hold, when that is known without reading them.
pub(crate) fn total(sources: &[Source]) -> Option<u64> {
    sources
        .iter()
        .map(|source| match source.kind {
            Kind::Mbox => None,
            Kind::Eml => Some(1),
            Kind::Maildir => Some(maildir::count(&source.path)),
        })
        .sum()
}

/// Reads all sources into the channel; answers with what could not be read. Blocks: for a thread of its own.
pub(crate) fn read(sources: Vec<Source>, messages: Sender<ImportMessage>) -> Vec<ImportProblem> {
    let mut sink = Sink {
        messages,
        problems: Vec::new(),
    };
    let mut lists = eml::Lists::default();
    for source in sources {
        let done = match source.kind {
            Kind::Mbox => mbox::read(&source.path, &source.folder, &mut sink),
            Kind::Maildir => maildir::read(&source.path, &source.folder, &mut sink),
            Kind::Eml => eml::read(&source.path, &source.folder, &mut lists, &mut sink),
        };
        if done.is_err() {
            break;
        }
    }
    sink.problems
}

/// The receiving side went away: it has said why.
#[derive(Debug)]
struct Gone;

/// Takes messages and troubles.
struct Sink {
    messages: Sender<ImportMessage>,
    problems: Vec<ImportProblem>,
}

impl Sink {
    fn message(&mut self, header: ImportHeader, message: Bytes) -> Result<(), Gone> {
        self.messages
            .blocking_send(ImportMessage { header, message })
            .map_err(|_| Gone)
    }

    fn problem(&mut self, origin: impl Into<String>, reason: impl ToString) {
        self.problems.push(ImportProblem {
            origin: origin.into(),
            reason: reason.to_string(),
        });
    }
}

/// A search below one folder.
struct Search<'a> {
    target: &'a Target,
    /// It is an export, whose names are encoded and whose suffixes say what files are.
    exported: bool,
    sources: &'a mut Vec<Source>,
}

impl Search<'_> {
    fn folder(&mut self, directory: &Path, levels: &[String]) -> Result<()> {
        if levels.len() > DEEPEST {
            bail!("{}: more than {DEEPEST} folders deep", directory.display());
        }
        if maildir::is_maildir(directory) {
            for (path, own) in
                maildir::folders(directory).with_context(|| directory.display().to_string())?
            {
                let mut folder = levels.to_vec();
                folder.extend(own);
                self.sources.push(Source {
                    path,
                    folder: self.target.below(&folder),
                    kind: Kind::Maildir,
                });
            }
        }
        for path in entries(directory).with_context(|| directory.display().to_string())? {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                if maildir::is_part_of_maildir(directory, &name) {
                    continue;
                }
                let mut below = levels.to_vec();
                below.push(match self.exported {
                    true => decoded(&name),
                    // Thunderbird keeps the folders below `X` in `X.sbd`.
                    false => name.strip_suffix(".sbd").unwrap_or(&name).to_owned(),
                });
                self.folder(&path, &below)?;
            } else if !name.starts_with('.') {
                self.file(path, &name, levels)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: PathBuf, name: &str, levels: &[String]) -> Result<()> {
        let kind = match self.exported {
            false => kind_of_file(&path)?,
            true if name.ends_with(".mbox") => Some(Kind::Mbox),
            true if name.ends_with(".eml") => Some(Kind::Eml),
            true => None,
        };
        let folder = match kind {
            Some(Kind::Mbox) if self.exported => {
                let own = decoded(name.strip_suffix(".mbox").unwrap_or(name));
                [levels, &[own]].concat()
            }
            Some(Kind::Mbox) => named(&path, levels),
            _ => levels.to_vec(),
        };
        if let Some(kind @ (Kind::Mbox | Kind::Eml)) = kind {
            self.sources.push(Source {
                folder: self.target.below(&folder),
                path,
                kind,
            });
        }
        Ok(())
    }
}

/// The folder of an mbox file: its name without the suffix; what mail programs call the inbox is the inbox.
fn named(path: &Path, levels: &[String]) -> Vec<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name
        .strip_suffix(".mbox")
        .or_else(|| name.strip_suffix(".mbx"))
        .unwrap_or(&name);
    let mut folder = levels.to_vec();
    let inbox = ["inbox", "mbox"].contains(&name.to_ascii_lowercase().as_str());
    folder.push(if inbox && levels.is_empty() {
        "INBOX".to_owned()
    } else {
        name.to_owned()
    });
    folder
}

fn kind_of_file(path: &Path) -> Result<Option<Kind>> {
    let mut start = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(5).read_to_end(&mut start))
        .with_context(|| path.display().to_string())?;
    let eml = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("eml"));
    Ok(if start == b"From " {
        Some(Kind::Mbox)
    } else if eml {
        Some(Kind::Eml)
    } else {
        None
    })
}

/// In the order of their names, numbers by value, so that a run is repeatable and messages keep their order.
fn entries(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort_by_cached_key(|path| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
        (digits.parse::<u64>().unwrap_or(u64::MAX), name)
    });
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(sources: Vec<Source>) -> Vec<ImportMessage> {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(100);
        assert!(read(sources, sender).is_empty());
        std::iter::from_fn(|| receiver.try_recv().ok()).collect()
    }

    fn levels(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn folders_of_eml_files_become_folders_of_the_mailbox() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("Work/2024")).unwrap();
        fs::write(root.path().join("10.eml"), "Subject: ten\r\n\r\n").unwrap();
        fs::write(root.path().join("9.eml"), "Subject: nine\r\n\r\n").unwrap();
        fs::write(root.path().join("Work/2024/1.EML"), "Subject: work\r\n\r\n").unwrap();
        fs::write(root.path().join("notes.txt"), "no mail").unwrap();
        let sources = find(&[root.path().to_owned()], &Target::new(None)).unwrap();
        assert_eq!(total(&sources), Some(3));
        let folders: Vec<_> = sources
            .iter()
            .map(|source| source.folder.join("/"))
            .collect();
        assert_eq!(folders, ["INBOX", "INBOX", "Work/2024"]);
        assert!(collect(sources)[0].message.starts_with(b"Subject: nine"));
    }

    #[test]
    fn a_folder_that_is_asked_for_holds_everything() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("sub")).unwrap();
        fs::write(root.path().join("a.eml"), "Subject: a\n\n").unwrap();
        fs::write(
            root.path().join("sub/list.mbox"),
            "From a b\nSubject: b\n\n",
        )
        .unwrap();
        let sources = find(&[root.path().to_owned()], &Target::new(Some("Old/Mail"))).unwrap();
        let folders: Vec<_> = sources.iter().map(|source| source.folder.clone()).collect();
        assert_eq!(
            folders,
            [
                levels(&["Old", "Mail"]),
                levels(&["Old", "Mail", "sub", "list"])
            ]
        );
    }

    #[test]
    fn thunderbirds_folders_below_folders_are_understood() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("Work.sbd")).unwrap();
        fs::write(root.path().join("Inbox"), "From - x\nSubject: 1\n\n").unwrap();
        fs::write(
            root.path().join("Work.sbd/Done"),
            "From - x\nSubject: 2\n\n",
        )
        .unwrap();
        let sources = find(&[root.path().to_owned()], &Target::new(None)).unwrap();
        let folders: Vec<_> = sources
            .iter()
            .map(|source| source.folder.join("/"))
            .collect();
        assert_eq!(folders, ["INBOX", "Work/Done"]);
    }

    #[test]
    fn a_path_without_mail_is_an_error_that_names_it() {
        let root = tempfile::tempdir().unwrap();
        let error = find(&[root.path().to_owned()], &Target::new(None))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&root.path().display().to_string()),
            "{error}"
        );
    }
}
