//! FUSE's side: each request of the kernel becomes one call on the [`Disk`].
//!
//! The kernel may keep names and attributes for as long as it likes, since nobody else changes them. Writes come through at
//! once (no write-back cache), those to mapped memory at the latest before a sync.

use std::{
    ffi::OsStr,
    path::Path,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem,
    FopenFlags, Generation, INodeNo, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr,
    ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs,
    ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use crate::{
    commands::{Shared, held},
    disk::{Answer, Disk, Kind, ROOT},
    faults::Touch,
};

const REMEMBERED: Duration = Duration::from_secs(3600);
/// A path that is made slow holds up one of these, not the others.
const THREADS: usize = 8;
const BLOCK: u32 = 4096;
const FILE_TYPE: u32 = 0o170_000;
const SOCKET: u32 = 0o140_000;
const REGULAR: u32 = 0o100_000;

struct Mount(Shared);

/// Shows the disk at the folder.
pub(crate) fn mount(disk: &Shared, folder: &Path) -> Result<BackgroundSession> {
    let mut config = Config::default();
    config.mount_options = vec![
        MountOption::FSName("forgetful".into()),
        MountOption::DefaultPermissions,
    ];
    config.n_threads = Some(THREADS);
    fuser::spawn_mount(Mount(disk.clone()), folder, &config).with_context(|| {
        format!(
            "mounting at {} (needs /dev/fuse and the right to mount)",
            folder.display()
        )
    })
}

fn attributes(disk: &Disk, node: u64) -> Answer<FileAttr> {
    let known = disk.node(node)?;
    let kind = match known.kind() {
        Kind::File => FileType::RegularFile,
        Kind::Folder => FileType::Directory,
        Kind::Socket => FileType::Socket,
    };
    Ok(FileAttr {
        ino: INodeNo(node),
        size: known.size(),
        blocks: known.size().div_ceil(512),
        atime: known.modified,
        mtime: known.modified,
        ctime: known.modified,
        crtime: known.modified,
        kind,
        perm: known.mode,
        nlink: known.links(),
        uid: known.owner.0,
        gid: known.owner.1,
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    })
}

/// The permission bits of a mode.
fn bits(mode: u32, umask: u32) -> u16 {
    u16::try_from(mode & !umask & 0o7777).unwrap_or(0o600)
}

impl Mount {
    fn wait(&self, node: u64) {
        let delay = held(&self.0).delay(node);
        if let Some(delay) = delay {
            std::thread::sleep(delay);
        }
    }

    fn make(
        &self,
        request: &Request,
        at: (u64, &OsStr),
        kind: Kind,
        mode: u16,
    ) -> Answer<FileAttr> {
        let mut disk = held(&self.0);
        disk.admit(Touch::Write, at.0, Some(at.1))?;
        let owner = (request.uid(), request.gid());
        let node = disk.make(at, kind, mode, owner)?;
        attributes(&disk, node)
    }

    fn change(
        &self,
        at: (u64, &OsStr),
        change: impl FnOnce(&mut Disk) -> Answer<()>,
    ) -> Answer<()> {
        let mut disk = held(&self.0);
        disk.admit(Touch::Write, at.0, Some(at.1))?;
        change(&mut disk)
    }
}

fn entry(reply: ReplyEntry, answer: Answer<FileAttr>) {
    match answer {
        Ok(attributes) => reply.entry(&REMEMBERED, &attributes, Generation(0)),
        Err(errno) => reply.error(errno),
    }
}

fn empty(reply: ReplyEmpty, answer: Answer<()>) {
    match answer {
        Ok(()) => reply.ok(),
        Err(errno) => reply.error(errno),
    }
}

impl Filesystem for Mount {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let disk = held(&self.0);
        let found = disk
            .admit(Touch::Read, parent.0, Some(name))
            .and_then(|()| disk.lookup(parent.0, name))
            .and_then(|node| attributes(&disk, node));
        entry(reply, found);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match attributes(&held(&self.0), ino.0) {
            Ok(attributes) => reply.attr(&REMEMBERED, &attributes),
            Err(errno) => reply.error(errno),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the trait's")]
    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut disk = held(&self.0);
        let set = |disk: &mut Disk| {
            disk.admit(Touch::Write, ino.0, None)?;
            if let Some(size) = size {
                disk.resize(ino.0, size)?;
            }
            let node = disk.node_mut(ino.0)?;
            node.mode = mode.map_or(node.mode, |mode| bits(mode, 0));
            node.owner = (uid.unwrap_or(node.owner.0), gid.unwrap_or(node.owner.1));
            node.modified = match mtime {
                Some(TimeOrNow::SpecificTime(time)) => time,
                Some(TimeOrNow::Now) => SystemTime::now(),
                None => node.modified,
            };
            attributes(disk, ino.0)
        };
        match set(&mut disk) {
            Ok(attributes) => reply.attr(&REMEMBERED, &attributes),
            Err(errno) => reply.error(errno),
        }
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: u32,
        reply: ReplyEntry,
    ) {
        let kind = match mode & FILE_TYPE {
            SOCKET => Kind::Socket,
            REGULAR => Kind::File,
            _ => return reply.error(Errno::EPERM),
        };
        entry(
            reply,
            self.make(request, (parent.0, name), kind, bits(mode, umask)),
        );
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        entry(
            reply,
            self.make(request, (parent.0, name), Kind::Folder, bits(mode, umask)),
        );
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(
            reply,
            self.change((parent.0, name), |disk| {
                disk.remove(parent.0, name, Kind::File)
            }),
        );
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(
            reply,
            self.change((parent.0, name), |disk| {
                disk.remove(parent.0, name, Kind::Folder)
            }),
        );
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if flags.contains(RenameFlags::RENAME_EXCHANGE) {
            return reply.error(Errno::EINVAL);
        }
        let replace = !flags.contains(RenameFlags::RENAME_NOREPLACE);
        let renamed = self.change((newparent.0, newname), |disk| {
            disk.rename((parent.0, name), (newparent.0, newname), replace)
        });
        empty(reply, renamed);
    }

    fn link(&self, _: &Request, ino: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let linked = self.change((parent.0, name), |disk| disk.link(ino.0, parent.0, name));
        entry(
            reply,
            linked.and_then(|()| attributes(&held(&self.0), ino.0)),
        );
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let mut disk = held(&self.0);
        let opened = disk
            .admit(Touch::Read, ino.0, None)
            .and_then(|()| disk.opened(ino.0));
        match opened {
            Ok(()) => reply.opened(FileHandle(ino.0), FopenFlags::empty()),
            Err(errno) => reply.error(errno),
        }
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let made = self.make(request, (parent.0, name), Kind::File, bits(mode, umask));
        let made = made.and_then(|made| held(&self.0).opened(made.ino.0).map(|()| made));
        match made {
            Ok(made) => reply.created(
                &REMEMBERED,
                &made,
                Generation(0),
                FileHandle(made.ino.0),
                FopenFlags::empty(),
            ),
            Err(errno) => reply.error(errno),
        }
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        self.wait(ino.0);
        let disk = held(&self.0);
        let read = disk
            .admit(Touch::Read, ino.0, None)
            .and_then(|()| disk.read(ino.0, offset, size));
        match read {
            Ok(bytes) => reply.data(bytes),
            Err(errno) => reply.error(errno),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        self.wait(ino.0);
        let mut disk = held(&self.0);
        let written = disk
            .admit(Touch::Write, ino.0, None)
            .and_then(|()| disk.write(ino.0, offset, data));
        match written {
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            Err(errno) => reply.error(errno),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn release(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        held(&self.0).closed(ino.0);
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.wait(ino.0);
        let mut disk = held(&self.0);
        let synced = match disk.admit(Touch::Sync, ino.0, None) {
            Ok(()) => disk.sync_file(ino.0),
            Err(errno) => {
                disk.sync_failed(ino.0);
                Err(errno)
            }
        };
        empty(reply, synced);
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.wait(ino.0);
        let mut disk = held(&self.0);
        let admitted = disk.admit(Touch::Sync, ino.0, None);
        empty(reply, admitted.map(|()| disk.sync_folder(ino.0)));
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let disk = held(&self.0);
        let listed = disk
            .admit(Touch::Read, ino.0, None)
            .and_then(|()| disk.list(ino.0));
        let names = match listed {
            Ok(names) => names,
            Err(errno) => return reply.error(errno),
        };
        let dots = [(".".into(), ROOT), ("..".into(), ROOT)];
        let all = dots.into_iter().chain(names).zip(1u64..);
        for ((name, node), next) in all.skip(usize::try_from(offset).unwrap_or_default()) {
            let kind = match disk.node(node).map(crate::disk::Node::kind) {
                Ok(Kind::Folder) => FileType::Directory,
                Ok(Kind::Socket) => FileType::Socket,
                _ => FileType::RegularFile,
            };
            if reply.add(INodeNo(node), next, kind, &name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let disk = held(&self.0);
        let blocks = disk.capacity.min(1 << 40) / u64::from(BLOCK);
        let free = disk.capacity.min(1 << 40).saturating_sub(disk.used()) / u64::from(BLOCK);
        reply.statfs(blocks, free, free, 1 << 20, 1 << 20, BLOCK, 255, BLOCK);
    }
}
