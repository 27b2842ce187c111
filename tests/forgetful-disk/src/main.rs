//! `waxwing-forgetful-disk FOLDER`: a file system for tests, mounted at a folder, which can lose its power and be told to fail.
//!
//! It keeps everything in memory, twice: as programs see it, and as it would be after a power cut. Only `fsync` (of a file
//! for its bytes, of a folder for its names) moves something from the first to the second. That is POSIX's promise and
//! no more; ext4 and xfs are kinder, and a store that is right here is right there.
//!
//! It reads one command a line from standard input and answers each with one line, `ok …` or `error …`; at the end of the
//! input it unmounts and goes:
//!
//! ```text
//! cut                         the power goes: from now on everything fails, and nothing more becomes durable
//! revive forget 7             power is back; all that was not synced is gone
//! revive any 7                power is back; any part of it may have made it, torn in sectors (7 is the seed)
//! syncs all|none|files|folders   which syncs are honest; the others answer "done" and do nothing
//! capacity OCTETS             the disk is full beyond this
//! fail read|write|sync|all ERRNO PART    operations on paths that hold PART fail with ENOSPC, EROFS, EIO, EDQUOT or EMFILE
//! delay MILLISECONDS PART     operations on them take this long
//! clear                       no faults any more
//! ```
//!
//! Why not a block device below ext4: it would test ext4's journal as well, which forgives a missing sync of a folder, and needs
//! device-mapper modules that few machines have. Needs `/dev/fuse` and the right to mount.

mod commands;
mod disk;
mod faults;
mod mount;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

/// A file system that forgets what was not synced. Reads commands from standard input.
#[derive(Debug, Parser)]
struct Options {
    /// Where to mount it.
    folder: PathBuf,
}

fn main() -> ExitCode {
    match commands::obey(&Options::parse().folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("waxwing-forgetful-disk: {error:#}");
            ExitCode::FAILURE
        }
    }
}
