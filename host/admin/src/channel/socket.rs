//! The path of a Unix socket, however long.
//!
//! The kernel takes 107 octets; a data directory may lie deeper (tests do). A longer path goes by the open directory:
//! `/proc/self/fd/7/admin.sock` names the same file.

use std::{
    fs::File,
    io,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

/// `sun_path` without its NUL.
const MAX_PATH: usize = 107;

/// A path that the kernel takes, as long as this lives.
pub(crate) struct SocketPath {
    path: PathBuf,
    _directory: Option<File>,
}

impl SocketPath {
    pub(crate) fn new(path: &Path) -> io::Result<SocketPath> {
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{} is no socket", path.display()),
            ));
        };
        if path.as_os_str().len() <= MAX_PATH {
            return Ok(SocketPath {
                path: path.to_owned(),
                _directory: None,
            });
        }
        let directory = File::open(directory)?;
        let path = Path::new("/proc/self/fd")
            .join(directory.as_raw_fd().to_string())
            .join(name);
        Ok(SocketPath {
            path,
            _directory: Some(directory),
        })
    }
}

impl AsRef<Path> for SocketPath {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}
