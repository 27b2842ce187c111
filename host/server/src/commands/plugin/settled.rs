//! Which packages of a folder have changed and been left alone since.
//!
//! Looking at names, sizes, times and inodes now and then, and not being told by the kernel: a package is three files, and
//! looking works on every file system, through a changed link and after the folder was replaced. A package is settled when
//! two looks that are [`SETTLE`] apart see the same, so that one that is still being copied is not taken.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

/// How long nothing may have changed.
pub(super) const SETTLE: Duration = Duration::from_millis(500);

const MANIFEST: &str = "plugin.toml";
const COMPONENT: &str = "plugin.wasm";
const FILES: [&str; 3] = [MANIFEST, COMPONENT, "plugin.sig"];

/// A folder of packages, or one package.
pub(super) struct Folder {
    root: PathBuf,
    packages: BTreeMap<PathBuf, Seen>,
    looked: bool,
}

/// A package to take.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) package: PathBuf,
    /// It was there when the watch began, and has not changed since.
    pub(super) as_found: bool,
}

/// Length, time and inode of each file.
type Look = Vec<Option<(u64, Option<SystemTime>, u64)>>;

struct Seen {
    look: Look,
    since: Instant,
    as_found: bool,
    told: bool,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Folder {
        Folder {
            root,
            packages: BTreeMap::new(),
            looked: false,
        }
    }

    /// Looks; answers with each package once after every change.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn settled(&mut self, now: Instant) -> io::Result<Vec<Settled>> {
        let present = packages(&self.root)?;
        self.packages.retain(|package, _| present.contains(package));
        let mut settled = Vec::new();
        for package in present {
            let look = look(&package);
            let as_found = !self.looked;
            let seen = self
                .packages
                .entry(package.clone())
                .or_insert_with(|| Seen {
                    look: look.clone(),
                    since: now,
                    as_found,
                    told: false,
                });
            if seen.look != look {
                *seen = Seen {
                    look,
                    since: now,
                    as_found: false,
                    told: false,
                };
            } else if !seen.told && now.saturating_duration_since(seen.since) >= SETTLE {
                seen.told = true;
                settled.push(Settled {
                    package,
                    as_found: seen.as_found,
                });
            }
        }
        self.looked = true;
        Ok(settled)
    }

    /// It could not be taken for a reason that lies elsewhere: answer with it again.
    pub(super) fn again(&mut self, package: &Path, now: Instant) {
        if let Some(seen) = self.packages.get_mut(package) {
            (seen.told, seen.since) = (false, now);
        }
    }
}

/// The folder itself when it is a package, else those in it that are.
fn packages(root: &Path) -> io::Result<Vec<PathBuf>> {
    let is_package =
        |folder: &Path| folder.join(MANIFEST).is_file() && folder.join(COMPONENT).is_file();
    let entries = fs::read_dir(root)?;
    if is_package(root) {
        return Ok(vec![root.to_owned()]);
    }
    let mut packages: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|folder| is_package(folder))
        .collect();
    packages.sort();
    Ok(packages)
}

fn look(package: &Path) -> Look {
    let files = FILES.iter().map(|name| {
        let file = fs::metadata(package.join(name)).ok()?;
        Some((file.len(), file.modified().ok(), file.ino()))
    });
    files.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixture {
        folder: tempfile::TempDir,
        watched: Folder,
        now: Instant,
    }

    impl Fixture {
        fn new() -> Fixture {
            let folder = tempfile::tempdir().unwrap();
            Fixture {
                watched: Folder::new(folder.path().to_owned()),
                folder,
                now: Instant::now(),
            }
        }

        fn write(&self, package: &str, file: &str, text: &str) {
            let package = self.folder.path().join(package);
            fs::create_dir_all(&package).unwrap();
            fs::write(package.join(file), text).unwrap();
        }

        /// What is settled after so many milliseconds more, by the last part of its path.
        fn after(&mut self, milliseconds: u64) -> Vec<(String, bool)> {
            self.now += Duration::from_millis(milliseconds);
            let settled = self.watched.settled(self.now).unwrap();
            let name = |package: &Path| package.file_name().unwrap().to_string_lossy().into_owned();
            settled
                .iter()
                .map(|one| (name(&one.package), one.as_found))
                .collect()
        }
    }

    #[test]
    fn what_is_there_at_first_is_told_once_as_found() {
        let mut fixture = Fixture::new();
        fixture.write("imap", MANIFEST, "a");
        fixture.write("imap", COMPONENT, "a");
        assert_eq!(fixture.after(0), []);
        assert_eq!(fixture.after(500), [("imap".to_owned(), true)]);
        assert_eq!(fixture.after(500), []);
    }

    #[test]
    fn a_package_that_is_still_being_copied_is_left_alone() {
        let mut fixture = Fixture::new();
        fixture.after(0);
        fixture.write("imap", MANIFEST, "a");
        assert_eq!(fixture.after(1_000), []);
        for length in 1..5 {
            fixture.write("imap", COMPONENT, &"x".repeat(length));
            assert_eq!(fixture.after(400), []);
        }
        assert_eq!(fixture.after(400), []);
        assert_eq!(fixture.after(200), [("imap".to_owned(), false)]);
    }

    #[test]
    fn every_change_is_told_even_one_that_keeps_the_length() {
        let mut fixture = Fixture::new();
        fixture.write("imap", MANIFEST, "a");
        fixture.write("imap", COMPONENT, "a");
        fixture.after(0);
        fixture.after(500);
        let component = fixture.folder.path().join("imap").join(COMPONENT);
        let copy = fixture.folder.path().join("copy");
        fs::write(&copy, "b").unwrap();
        fs::rename(copy, component).unwrap();
        assert_eq!(fixture.after(500), []);
        assert_eq!(fixture.after(500), [("imap".to_owned(), false)]);
    }

    #[test]
    fn what_could_not_be_taken_is_told_again() {
        let mut fixture = Fixture::new();
        fixture.write("imap", MANIFEST, "a");
        fixture.write("imap", COMPONENT, "a");
        fixture.after(0);
        fixture.after(500);
        let package = fixture.folder.path().join("imap");
        fixture.watched.again(&package, fixture.now);
        assert_eq!(fixture.after(500), [("imap".to_owned(), true)]);
    }

    #[test]
    fn a_folder_that_is_itself_a_package_is_one() {
        let mut fixture = Fixture::new();
        fixture.write("", MANIFEST, "a");
        fixture.write("", COMPONENT, "a");
        fixture.write("inner", MANIFEST, "a");
        fixture.write("inner", COMPONENT, "a");
        fixture.after(0);
        assert_eq!(fixture.after(500).len(), 1);
    }
}
