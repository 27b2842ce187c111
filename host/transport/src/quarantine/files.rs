//! The files of the quarantine.

use std::{
    io,
    path::{Path, PathBuf},
};

use tokio::{
    fs,
    io::{AsyncReadExt as _, AsyncWriteExt as _},
};
use waxwing_exmdb::{Body, BodyWriter};

use super::{QuarantineId, Quarantined};
use crate::Result;

const CHUNK: usize = 64 * 1024;

pub(super) struct Files(PathBuf);

impl Files {
    pub(super) fn new(folder: &Path) -> Files {
        Files(folder.to_owned())
    }

    fn message(&self, id: QuarantineId) -> PathBuf {
        self.0.join(format!("{id}.eml"))
    }

    fn description(&self, id: QuarantineId) -> PathBuf {
        self.0.join(format!("{id}.json"))
    }

    /// All that is there, and the last number that a file has, also one that cannot be read; what was not finished goes.
    pub(super) async fn recall(&self) -> Result<(Vec<Quarantined>, u64)> {
        let mut folder = match fs::read_dir(&self.0).await {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((Vec::new(), 0));
            }
            Err(error) => return Err(error.into()),
        };
        let mut last = 0;
        let (mut all, mut messages) = (Vec::new(), Vec::new());
        while let Some(entry) = folder.next_entry().await? {
            let path = entry.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => {
                    let number = path
                        .file_stem()
                        .and_then(|stem| stem.to_str()?.parse().ok());
                    last = last.max(number.unwrap_or(0));
                    match described(&path).await {
                        Ok(known) => all.push(known),
                        Err(error) => {
                            tracing::error!(file = %path.display(), %error, "a file of the quarantine cannot be read");
                        }
                    }
                }
                Some("eml") if !path.with_extension("json").exists() => messages.push(path),
                Some("new") => messages.push(path),
                _ => {}
            }
        }
        for unfinished in messages {
            fs::remove_file(&unfinished).await?;
        }
        Ok((all, last))
    }

    pub(super) async fn write(&self, known: &Quarantined, message: &Body) -> Result<()> {
        self.make_folder().await?;
        let path = self.message(known.id);
        let mut file = fs::File::create(&path).await?;
        let mut offset = 0;
        while offset < message.size() {
            let chunk = message.read(offset, CHUNK).await?;
            if chunk.is_empty() {
                let cut = "a body is shorter than its size".to_owned();
                return Err(waxwing_exmdb::Error::Corrupt(cut).into());
            }
            file.write_all(&chunk).await?;
            offset += chunk.len() as u64;
        }
        file.sync_all().await?;
        self.describe(known).await
    }

    /// Nobody but the server's user reads other people's mail.
    async fn make_folder(&self) -> io::Result<()> {
        let made = fs::DirBuilder::new().mode(0o700).create(&self.0).await;
        match made {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            Err(_) => Ok(()),
            Ok(()) => match self.0.parent() {
                Some(parent) => fs::File::open(parent).await?.sync_all().await,
                None => Ok(()),
            },
        }
    }

    pub(super) async fn describe(&self, known: &Quarantined) -> Result<()> {
        let text = serde_json::to_vec(known).map_err(io::Error::from)?;
        let path = self.description(known.id);
        let new = path.with_extension("new");
        let mut file = fs::File::create(&new).await?;
        file.write_all(&text).await?;
        file.sync_all().await?;
        fs::rename(&new, &path).await?;
        self.sync().await?;
        Ok(())
    }

    async fn sync(&self) -> io::Result<()> {
        fs::File::open(&self.0).await?.sync_all().await
    }

    pub(super) async fn delete(&self, id: QuarantineId) -> Result<()> {
        for path in [self.description(id), self.message(id)] {
            match fs::remove_file(&path).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        self.sync().await?;
        Ok(())
    }

    pub(super) async fn read(&self, id: QuarantineId, most: u64) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        let file = fs::File::open(self.message(id)).await?;
        file.take(most).read_to_end(&mut octets).await?;
        Ok(octets)
    }

    pub(super) async fn body(&self, id: QuarantineId, mut spool: BodyWriter) -> Result<Body> {
        let mut file = fs::File::open(self.message(id)).await?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let length = file.read(&mut chunk).await?;
            match chunk.get(..length) {
                Some([]) | None => break,
                Some(octets) => spool.write(octets).await?,
            }
        }
        Ok(spool.finish().await?)
    }
}

async fn described(path: &Path) -> io::Result<Quarantined> {
    Ok(serde_json::from_slice(&fs::read(path).await?)?)
}
