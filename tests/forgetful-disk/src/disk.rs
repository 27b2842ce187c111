//! The disk itself, without FUSE: files and folders as they are seen and as they would be after a power cut.
//!
//! A file remembers its writes since the last sync. Changes of names stand in one list, in order; syncing a folder makes those
//! durable that touch it, and the earlier ones that those stand on. A rename is one change, so it happens wholly or not.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    time::{Duration, SystemTime},
};

use fuser::Errno;
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::faults::{Faults, Touch};

pub(crate) const ROOT: u64 = 1;
/// What a disk writes at once; a torn write is cut here.
const SECTOR: usize = 512;

pub(crate) type Answer<T> = Result<T, Errno>;

/// Which syncs are honest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syncs {
    All,
    None,
    Files,
    Folders,
}

/// What survives of the unsynced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Survives {
    Nothing,
    Anything,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Socket,
}

#[derive(Debug)]
enum Write {
    Data(u64, Vec<u8>),
    Resize(u64),
}

#[derive(Debug)]
enum Content {
    File {
        live: Vec<u8>,
        durable: Vec<u8>,
        pending: Vec<Write>,
    },
    Folder {
        live: BTreeMap<OsString, u64>,
        durable: BTreeMap<OsString, u64>,
    },
    Socket,
}

/// A file, folder or socket.
#[derive(Debug)]
pub(crate) struct Node {
    content: Content,
    pub(crate) mode: u16,
    pub(crate) owner: (u32, u32),
    pub(crate) modified: SystemTime,
    links: u32,
    opens: u32,
    /// The last name it was given, for rules about paths.
    place: Option<(u64, OsString)>,
}

/// Names that change together: what (folder, name) stands for afterwards.
#[derive(Debug)]
struct Change(Vec<(u64, OsString, Option<u64>)>);

impl Change {
    fn touches(&self, other: &Change) -> bool {
        let same = |(folder, name, _): &(u64, OsString, Option<u64>)| {
            other
                .0
                .iter()
                .any(|(of, named, _)| of == folder && named == name)
        };
        self.0.iter().any(same)
    }
}

/// What a power cut cost.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Writes that were not synced, and how many of these did not make it whole.
    pub(crate) writes: (usize, usize),
    /// Changes of names, likewise.
    pub(crate) names: (usize, usize),
}

/// The whole file system.
#[derive(Debug)]
pub(crate) struct Disk {
    nodes: BTreeMap<u64, Node>,
    changes: Vec<Change>,
    next: u64,
    used: u64,
    pub(crate) capacity: u64,
    pub(crate) syncs: Syncs,
    pub(crate) faults: Faults,
    without_power: bool,
}

impl Disk {
    pub(crate) fn new() -> Disk {
        let content = Content::Folder {
            live: BTreeMap::new(),
            durable: BTreeMap::new(),
        };
        let root = Node {
            content,
            mode: 0o755,
            owner: (0, 0),
            modified: SystemTime::now(),
            links: 1,
            opens: 0,
            place: None,
        };
        Disk {
            nodes: BTreeMap::from([(ROOT, root)]),
            changes: Vec::new(),
            next: ROOT + 1,
            used: 0,
            capacity: u64::MAX,
            syncs: Syncs::All,
            faults: Faults::default(),
            without_power: false,
        }
    }

    pub(crate) fn used(&self) -> u64 {
        self.used
    }

    // -- what goes wrong ---------------------------------------------------------------------------

    /// Whether an operation may go on; a name that is looked up or made below `node` may be given.
    pub(crate) fn admit(&self, touch: Touch, node: u64, name: Option<&OsStr>) -> Answer<()> {
        if self.without_power {
            return Err(Errno::EIO);
        }
        if self.faults.is_empty() {
            return Ok(());
        }
        match self.faults.failure(touch, &self.path(node, name)) {
            Some(errno) => Err(errno),
            None => Ok(()),
        }
    }

    pub(crate) fn delay(&self, node: u64) -> Option<Duration> {
        if self.faults.is_empty() {
            return None;
        }
        self.faults.delay_of(&self.path(node, None))
    }

    fn path(&self, node: u64, name: Option<&OsStr>) -> String {
        let mut parts = Vec::new();
        parts.extend(name.map(|name| name.to_string_lossy().into_owned()));
        let mut at = node;
        while let Some((folder, name)) = self.nodes.get(&at).and_then(|node| node.place.clone()) {
            parts.push(name.to_string_lossy().into_owned());
            at = folder;
        }
        parts.reverse();
        format!("/{}", parts.join("/"))
    }

    pub(crate) fn cut(&mut self) {
        self.without_power = true;
    }

    // -- looking -----------------------------------------------------------------------------------

    pub(crate) fn node(&self, node: u64) -> Answer<&Node> {
        self.nodes.get(&node).ok_or(Errno::ENOENT)
    }

    pub(crate) fn node_mut(&mut self, node: u64) -> Answer<&mut Node> {
        self.nodes.get_mut(&node).ok_or(Errno::ENOENT)
    }

    fn names(&self, folder: u64) -> Answer<&BTreeMap<OsString, u64>> {
        match &self.node(folder)?.content {
            Content::Folder { live, .. } => Ok(live),
            _ => Err(Errno::ENOTDIR),
        }
    }

    pub(crate) fn lookup(&self, folder: u64, name: &OsStr) -> Answer<u64> {
        self.names(folder)?.get(name).copied().ok_or(Errno::ENOENT)
    }

    pub(crate) fn list(&self, folder: u64) -> Answer<Vec<(OsString, u64)>> {
        let names = self.names(folder)?.iter();
        Ok(names.map(|(name, node)| (name.clone(), *node)).collect())
    }

    pub(crate) fn read(&self, node: u64, offset: u64, size: u32) -> Answer<&[u8]> {
        let Content::File { live, .. } = &self.node(node)?.content else {
            return Err(Errno::EISDIR);
        };
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(live.len());
        let end = start.saturating_add(size as usize).min(live.len());
        live.get(start..end).ok_or(Errno::EINVAL)
    }

    // -- changing ----------------------------------------------------------------------------------

    pub(crate) fn make(
        &mut self,
        (folder, name): (u64, &OsStr),
        kind: Kind,
        mode: u16,
        owner: (u32, u32),
    ) -> Answer<u64> {
        if self.names(folder)?.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        if self.used >= self.capacity {
            return Err(Errno::ENOSPC);
        }
        let content = match kind {
            Kind::File => Content::File {
                live: Vec::new(),
                durable: Vec::new(),
                pending: Vec::new(),
            },
            Kind::Folder => Content::Folder {
                live: BTreeMap::new(),
                durable: BTreeMap::new(),
            },
            Kind::Socket => Content::Socket,
        };
        let node = Node {
            content,
            mode,
            owner,
            modified: SystemTime::now(),
            links: 0,
            opens: 0,
            place: None,
        };
        let number = self.next;
        self.next += 1;
        self.nodes.insert(number, node);
        self.change(vec![(folder, name.to_owned(), Some(number))])?;
        Ok(number)
    }

    pub(crate) fn link(&mut self, node: u64, folder: u64, name: &OsStr) -> Answer<()> {
        if self.names(folder)?.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        self.change(vec![(folder, name.to_owned(), Some(node))])
    }

    pub(crate) fn remove(&mut self, folder: u64, name: &OsStr, kind: Kind) -> Answer<()> {
        let node = self.lookup(folder, name)?;
        match (self.node(node)?.kind(), kind) {
            (Kind::Folder, Kind::Folder) if !self.names(node)?.is_empty() => {
                return Err(Errno::ENOTEMPTY);
            }
            (Kind::Folder, Kind::Folder) => {}
            (Kind::Folder, _) => return Err(Errno::EISDIR),
            (_, Kind::Folder) => return Err(Errno::ENOTDIR),
            _ => {}
        }
        self.change(vec![(folder, name.to_owned(), None)])
    }

    pub(crate) fn rename(
        &mut self,
        (folder, name): (u64, &OsStr),
        (target, new_name): (u64, &OsStr),
        replace: bool,
    ) -> Answer<()> {
        let node = self.lookup(folder, name)?;
        if let Ok(there) = self.lookup(target, new_name) {
            if !replace {
                return Err(Errno::EEXIST);
            }
            if self.names(there).is_ok_and(|names| !names.is_empty()) {
                return Err(Errno::ENOTEMPTY);
            }
        }
        self.change(vec![
            (folder, name.to_owned(), None),
            (target, new_name.to_owned(), Some(node)),
        ])
    }

    fn change(&mut self, names: Vec<(u64, OsString, Option<u64>)>) -> Answer<()> {
        // First what comes: a rename must not leave its file nameless in between.
        for (folder, name, node) in &names {
            if let Some(node) = node {
                let node = self.node_mut(*node)?;
                node.links += 1;
                node.place = Some((*folder, name.clone()));
            }
        }
        for (folder, name, node) in &names {
            let Content::Folder { live, .. } = &mut self.node_mut(*folder)?.content else {
                return Err(Errno::ENOTDIR);
            };
            let before = match node {
                Some(node) => live.insert(name.clone(), *node),
                None => live.remove(name),
            };
            if let Some(before) = before {
                let gone = self.node_mut(before)?;
                gone.links = gone.links.saturating_sub(1);
                self.free(before);
            }
        }
        self.changes.push(Change(names));
        Ok(())
    }

    pub(crate) fn write(&mut self, node: u64, offset: u64, bytes: &[u8]) -> Answer<()> {
        let end = offset.saturating_add(bytes.len() as u64);
        self.grow(node, end)?;
        let now = SystemTime::now();
        let node = self.node_mut(node)?;
        node.modified = now;
        let Content::File { live, pending, .. } = &mut node.content else {
            return Err(Errno::EISDIR);
        };
        put(live, offset, bytes);
        pending.push(Write::Data(offset, bytes.to_vec()));
        Ok(())
    }

    pub(crate) fn resize(&mut self, node: u64, size: u64) -> Answer<()> {
        self.grow(node, size)?;
        let before = self.node(node)?.size();
        let Content::File { live, pending, .. } = &mut self.node_mut(node)?.content else {
            return Err(Errno::EISDIR);
        };
        live.resize(usize::try_from(size).map_err(|_| Errno::EFBIG)?, 0);
        pending.push(Write::Resize(size));
        self.used = self.used.saturating_sub(before.saturating_sub(size));
        Ok(())
    }

    fn grow(&mut self, node: u64, end: u64) -> Answer<()> {
        let more = end.saturating_sub(self.node(node)?.size());
        if more > 0 && self.used.saturating_add(more) > self.capacity {
            return Err(Errno::ENOSPC);
        }
        self.used += more;
        Ok(())
    }

    pub(crate) fn opened(&mut self, node: u64) -> Answer<()> {
        self.node_mut(node)?.opens += 1;
        Ok(())
    }

    pub(crate) fn closed(&mut self, node: u64) {
        if let Some(known) = self.nodes.get_mut(&node) {
            known.opens = known.opens.saturating_sub(1);
        }
        self.free(node);
    }

    /// Gives the room of a file back that has neither name nor user. Its durable bytes stay: its name may come back.
    fn free(&mut self, node: u64) {
        let Some(known) = self.nodes.get_mut(&node) else {
            return;
        };
        if known.links > 0 || known.opens > 0 {
            return;
        }
        let room = known.size();
        if let Content::File { live, .. } = &mut known.content {
            *live = Vec::new();
        }
        self.used = self.used.saturating_sub(room);
    }

    // -- becoming durable --------------------------------------------------------------------------

    pub(crate) fn sync_file(&mut self, node: u64) -> Answer<()> {
        if matches!(self.syncs, Syncs::All | Syncs::Files)
            && let Content::File {
                durable, pending, ..
            } = &mut self.node_mut(node)?.content
        {
            for write in pending.drain(..) {
                write.apply(durable);
            }
        }
        Ok(())
    }

    /// A sync that failed: as on Linux, what it was to write counts as written from now on, and never will be.
    pub(crate) fn sync_failed(&mut self, node: u64) {
        if let Some(Node {
            content: Content::File { pending, .. },
            ..
        }) = self.nodes.get_mut(&node)
        {
            pending.clear();
        }
    }

    pub(crate) fn sync_folder(&mut self, folder: u64) {
        if !matches!(self.syncs, Syncs::All | Syncs::Folders) {
            return;
        }
        // From the newest back: what touches the folder, and what that stands on.
        let mut chosen = BTreeSet::new();
        for (place, change) in self.changes.iter().enumerate().rev() {
            let is_of_it = change.0.iter().any(|(of, _, _)| *of == folder);
            let is_below = || {
                let mut later = chosen.iter().filter_map(|place| self.changes.get(*place));
                later.any(|later: &Change| later.touches(change))
            };
            if is_of_it || is_below() {
                chosen.insert(place);
            }
        }
        let mut left = Vec::new();
        for (place, change) in std::mem::take(&mut self.changes).into_iter().enumerate() {
            if chosen.contains(&place) {
                self.make_durable(&change);
            } else {
                left.push(change);
            }
        }
        self.changes = left;
    }

    fn make_durable(&mut self, change: &Change) {
        for (folder, name, node) in &change.0 {
            if let Some(Node {
                content: Content::Folder { durable, .. },
                ..
            }) = self.nodes.get_mut(folder)
            {
                match node {
                    Some(node) => durable.insert(name.clone(), *node),
                    None => durable.remove(name),
                };
            }
        }
    }

    /// The power is back: what is durable is all there is.
    pub(crate) fn revive(&mut self, survives: Survives, seed: u64) -> Lost {
        let mut random = StdRng::seed_from_u64(seed);
        let changes = std::mem::take(&mut self.changes);
        let kept = match survives {
            Survives::Nothing => 0,
            Survives::Anything => random.random_range(0..=changes.len()),
        };
        let mut lost = Lost {
            names: (changes.len(), changes.len() - kept),
            ..Lost::default()
        };
        for change in changes.iter().take(kept) {
            self.make_durable(change);
        }
        let reachable = self.reachable();
        self.nodes.retain(|node, _| reachable.contains_key(node));
        self.used = 0;
        for (number, node) in &mut self.nodes {
            (node.opens, node.links) = (0, reachable.get(number).copied().unwrap_or(1));
            node.wake_up(survives, &mut random, &mut lost);
            self.used += node.size();
        }
        self.remember_places();
        self.without_power = false;
        lost
    }

    /// Everything that the durable names lead to, and by how many names.
    fn reachable(&self) -> BTreeMap<u64, u32> {
        let mut found = BTreeMap::from([(ROOT, 1)]);
        let mut open = vec![ROOT];
        while let Some(folder) = open.pop() {
            if let Some(Node {
                content: Content::Folder { durable, .. },
                ..
            }) = self.nodes.get(&folder)
            {
                for node in durable.values() {
                    let links = found.entry(*node).or_insert(0);
                    *links += 1;
                    if *links == 1 {
                        open.push(*node);
                    }
                }
            }
        }
        found
    }

    fn remember_places(&mut self) {
        let mut places = Vec::new();
        for (folder, node) in &self.nodes {
            if let Content::Folder { durable, .. } = &node.content {
                places.extend(
                    durable
                        .iter()
                        .map(|(name, of)| (*of, (*folder, name.clone()))),
                );
            }
        }
        for (node, place) in places {
            if let Some(node) = self.nodes.get_mut(&node) {
                node.place = Some(place);
            }
        }
    }
}

impl Node {
    pub(crate) fn kind(&self) -> Kind {
        match self.content {
            Content::File { .. } => Kind::File,
            Content::Folder { .. } => Kind::Folder,
            Content::Socket => Kind::Socket,
        }
    }

    pub(crate) fn size(&self) -> u64 {
        match &self.content {
            Content::File { live, .. } => live.len() as u64,
            _ => 0,
        }
    }

    pub(crate) fn links(&self) -> u32 {
        self.links
    }

    fn wake_up(&mut self, survives: Survives, random: &mut StdRng, lost: &mut Lost) {
        match &mut self.content {
            Content::Folder { live, durable } => live.clone_from(durable),
            Content::File {
                live,
                durable,
                pending,
            } => {
                // One disk writes this file's pages early, another late.
                let often = match survives {
                    Survives::Nothing => 0.0,
                    Survives::Anything => random.random_range(0.0..=1.0),
                };
                for write in pending.drain(..) {
                    lost.writes.0 += 1;
                    let whole = write.survive(durable, often, random);
                    lost.writes.1 += usize::from(!whole);
                }
                live.clone_from(durable);
            }
            Content::Socket => {}
        }
    }
}

impl Write {
    fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Write::Data(offset, data) => put(bytes, offset, &data),
            Write::Resize(size) => bytes.resize(usize::try_from(size).unwrap_or_default(), 0),
        }
    }

    /// Applies each sector with this probability. True when all of it was.
    fn survive(self, bytes: &mut Vec<u8>, often: f64, random: &mut StdRng) -> bool {
        match self {
            Write::Resize(_) => {
                let kept = random.random_bool(often);
                if kept {
                    self.apply(bytes);
                }
                kept
            }
            Write::Data(offset, data) => {
                let mut whole = true;
                let mut at = 0;
                while at < data.len() {
                    let position = usize::try_from(offset).unwrap_or_default() + at;
                    let end = (at + SECTOR - position % SECTOR).min(data.len());
                    if random.random_bool(often) {
                        put(
                            bytes,
                            position as u64,
                            data.get(at..end).unwrap_or_default(),
                        );
                    } else {
                        whole = false;
                    }
                    at = end;
                }
                whole
            }
        }
    }
}

/// Writes over what is there; a gap is zeros.
fn put(bytes: &mut Vec<u8>, offset: u64, data: &[u8]) {
    let start = usize::try_from(offset).unwrap_or_default();
    let end = start + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(place) = bytes.get_mut(start..end) {
        place.copy_from_slice(data);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn name(text: &str) -> &OsStr {
        OsStr::new(text)
    }

    fn disk_with(files: &[&str]) -> Disk {
        let mut disk = Disk::new();
        for file in files {
            let node = disk
                .make((ROOT, name(file)), Kind::File, 0o600, (0, 0))
                .unwrap();
            disk.write(node, 0, b"old").unwrap();
            disk.sync_file(node).unwrap();
        }
        disk.sync_folder(ROOT);
        disk
    }

    fn content(disk: &Disk, file: &str) -> Option<Vec<u8>> {
        let node = disk.lookup(ROOT, name(file)).ok()?;
        Some(disk.read(node, 0, 1 << 20).unwrap().to_vec())
    }

    #[test]
    fn what_was_synced_is_there_and_what_was_not_is_gone() {
        let mut disk = disk_with(&["a"]);
        let a = disk.lookup(ROOT, name("a")).unwrap();
        disk.write(a, 1, b"NEW").unwrap();
        let b = disk
            .make((ROOT, name("b")), Kind::File, 0o600, (0, 0))
            .unwrap();
        disk.write(b, 0, b"b").unwrap();
        disk.sync_file(b).unwrap();
        assert_eq!(content(&disk, "a").unwrap(), b"oNEW");
        disk.cut();
        assert!(disk.admit(Touch::Read, a, None).is_err());
        assert_eq!(
            disk.revive(Survives::Nothing, 1),
            Lost {
                writes: (1, 1),
                names: (1, 1)
            }
        );
        assert_eq!(content(&disk, "a").unwrap(), b"old");
        assert_eq!(content(&disk, "b"), None, "its folder was not synced");
    }

    #[test]
    fn a_rename_that_was_synced_takes_along_what_made_the_file() {
        let mut disk = disk_with(&["a"]);
        let folder = disk
            .make((ROOT, name("d")), Kind::Folder, 0o700, (0, 0))
            .unwrap();
        disk.sync_folder(ROOT);
        let draft = disk
            .make((ROOT, name("draft")), Kind::File, 0o600, (0, 0))
            .unwrap();
        disk.write(draft, 0, b"new").unwrap();
        disk.sync_file(draft).unwrap();
        disk.rename((ROOT, name("draft")), (folder, name("a")), true)
            .unwrap();
        disk.make((ROOT, name("other")), Kind::File, 0o600, (0, 0))
            .unwrap();
        disk.sync_folder(folder);
        disk.revive(Survives::Nothing, 1);
        assert_eq!(disk.lookup(folder, name("a")), Ok(draft));
        assert_eq!(content(&disk, "draft"), None);
        assert_eq!(content(&disk, "other"), None);
    }

    #[test]
    fn unsynced_writes_come_in_any_part() {
        let mut seen = BTreeSet::new();
        for seed in 0..64 {
            let mut disk = disk_with(&["a"]);
            let a = disk.lookup(ROOT, name("a")).unwrap();
            disk.write(a, 0, &[b'x'; 2 * SECTOR]).unwrap();
            disk.revive(Survives::Anything, seed);
            let bytes = content(&disk, "a").unwrap();
            seen.insert((bytes.len(), bytes.first().copied()));
        }
        let expected = [
            (3, Some(b'o')),
            (SECTOR, Some(b'x')),
            (2 * SECTOR, Some(b'o')),
            (2 * SECTOR, Some(b'x')),
        ];
        assert_eq!(seen, BTreeSet::from(expected));
    }

    #[test]
    fn a_lying_sync_makes_nothing_durable() {
        let mut disk = disk_with(&["a"]);
        disk.syncs = Syncs::None;
        let a = disk.lookup(ROOT, name("a")).unwrap();
        disk.write(a, 0, b"new").unwrap();
        disk.sync_file(a).unwrap();
        disk.remove(ROOT, name("a"), Kind::File).unwrap();
        disk.sync_folder(ROOT);
        disk.revive(Survives::Nothing, 1);
        assert_eq!(content(&disk, "a").unwrap(), b"old");
    }

    #[test]
    fn what_a_failed_sync_was_to_write_is_never_written() {
        let mut disk = disk_with(&["a"]);
        let a = disk.lookup(ROOT, name("a")).unwrap();
        disk.write(a, 0, b"lost").unwrap();
        disk.sync_failed(a);
        disk.write(a, 4, b"kept").unwrap();
        disk.sync_file(a).unwrap();
        assert_eq!(content(&disk, "a").unwrap(), b"lostkept");
        disk.revive(Survives::Nothing, 1);
        assert_eq!(content(&disk, "a").unwrap(), b"old\0kept");
    }

    #[test]
    fn a_renamed_file_keeps_its_content() {
        let mut disk = disk_with(&["a", "b"]);
        let b = disk.lookup(ROOT, name("b")).unwrap();
        disk.write(b, 0, b"new").unwrap();
        disk.rename((ROOT, name("b")), (ROOT, name("a")), true)
            .unwrap();
        assert_eq!(content(&disk, "a").unwrap(), b"new");
        assert_eq!(disk.used(), 3);
    }

    #[test]
    fn room_is_given_back_when_the_last_user_of_a_nameless_file_goes() {
        let mut disk = disk_with(&["a"]);
        disk.capacity = 5;
        let a = disk.lookup(ROOT, name("a")).unwrap();
        assert_eq!(
            disk.write(a, 3, b"xyz").unwrap_err().code(),
            Errno::ENOSPC.code()
        );
        disk.opened(a).unwrap();
        disk.remove(ROOT, name("a"), Kind::File).unwrap();
        assert_eq!(disk.used(), 3);
        disk.closed(a);
        assert_eq!(disk.used(), 0);
    }

    #[test]
    fn faults_are_by_path() {
        let mut disk = disk_with(&["a", "b"]);
        disk.faults.fail("write", "ENOSPC", "/a").unwrap();
        let (a, b) = (
            disk.lookup(ROOT, name("a")).unwrap(),
            disk.lookup(ROOT, name("b")).unwrap(),
        );
        assert!(disk.admit(Touch::Write, a, None).is_err());
        assert!(disk.admit(Touch::Read, a, None).is_ok());
        assert!(disk.admit(Touch::Write, b, None).is_ok());
    }
}
