//! A place for bytes that arrive: memory at first, a temporary file when they grow beyond 256 KiB. The file has no name
//! (it is unlinked at once), so nothing is left over when the process dies, and nothing needs cleaning.

use std::{fs::File, io::Write, path::PathBuf, sync::Arc};

use bytes::{Bytes, BytesMut};

use super::{Body, blocking};
use crate::{Error, Result};

/// Octets kept in memory before a file takes over.
const IN_MEMORY: usize = 256 * 1024;

/// Takes bytes in order and gives a [`Body`].
#[derive(Debug)]
pub struct BodyWriter {
    folder: Arc<PathBuf>,
    buffer: BytesMut,
    file: Option<File>,
    written: u64,
}

impl BodyWriter {
    pub(crate) fn new(folder: Arc<PathBuf>) -> BodyWriter {
        BodyWriter {
            folder,
            buffer: BytesMut::new(),
            file: None,
            written: 0,
        }
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// `Unavailable` or `Io` when the temporary file cannot be written; the writer is of no use then.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() > IN_MEMORY {
            self.flush().await
        } else {
            Ok(())
        }
    }

    async fn flush(&mut self) -> Result<()> {
        let buffer = self.buffer.split().freeze();
        let length = buffer.len() as u64;
        let (file, folder) = (self.file.take(), self.folder.clone());
        let write = move || write_out(file, &folder, &buffer);
        self.file = Some(blocking(write).await?);
        self.written += length;
        Ok(())
    }

    /// The body of what was written.
    ///
    /// # Errors
    /// As [`BodyWriter::write`].
    pub async fn finish(mut self) -> Result<Body> {
        if self.written == 0 {
            return Ok(Body::from_bytes(self.buffer.freeze()));
        }
        if !self.buffer.is_empty() {
            self.flush().await?;
        }
        let file = self
            .file
            .take()
            .ok_or_else(|| Error::Unavailable("the spool file was lost".into()))?;
        Ok(Body::from_file(file, self.written))
    }
}

fn write_out(file: Option<File>, folder: &PathBuf, buffer: &Bytes) -> Result<File> {
    let mut file = match file {
        Some(file) => file,
        None => tempfile::tempfile_in(folder)?,
    };
    file.write_all(buffer)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_large_body_goes_to_a_nameless_file_and_comes_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = BodyWriter::new(Arc::new(folder.path().into()));
        let data: Vec<u8> = (0..700_000u32).map(|n| (n % 251) as u8).collect();
        for piece in data.chunks(10_007) {
            writer.write(piece).await.unwrap();
        }
        let body = writer.finish().await.unwrap();
        assert_eq!(body.size(), 700_000);
        assert_eq!(body.read_all().await.unwrap(), data);
        assert_eq!(body.read(699_990, 100).await.unwrap().len(), 10);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
