//! Blobs: every one is read and its digest computed; rows and files name each other.

use bytes::Bytes;
use waxwing_formats_mime::Structure;

use super::Check;
use crate::{
    Body, Error, Result,
    blob::{body_of, files_without_row},
    body::blocking,
};

impl Check<'_> {
    pub(super) async fn blobs(&mut self) -> Result<()> {
        let unused =
            "SELECT id FROM blobs WHERE NOT EXISTS (SELECT 1 FROM items WHERE blob = blobs.id)
            AND NOT EXISTS (SELECT 1 FROM attachments WHERE blob = blobs.id)";
        let unused = self.numbers(unused).await?;
        for blob in unused.iter().copied() {
            self.found("row-without-use", format!("blob {blob}"), Some("removed"));
            self.fix("DELETE FROM blobs WHERE id = ?", blob).await?;
        }
        for blob in self.numbers("SELECT id FROM blobs").await? {
            if unused.contains(&blob) {
                continue;
            }
            self.report.blobs += 1;
            self.blob(blob).await?;
        }
        Ok(())
    }

    async fn blob(&mut self, blob: i64) -> Result<()> {
        let select = "SELECT digest, frames, data FROM blobs WHERE id = ?";
        let row = sqlx::query(select)
            .bind(blob)
            .fetch_one(self.work.conn()?)
            .await?;
        let (digest, structure, size): (Vec<u8>, Option<Vec<u8>>, i64) =
            sqlx::query_as("SELECT digest, structure, size FROM blobs WHERE id = ?")
                .bind(blob)
                .fetch_one(self.work.conn()?)
                .await?;
        let body: Result<Body> = body_of(&self.work.core().folder, &row).await;
        let content: Result<Bytes> = match body {
            Ok(body) => body.read_all().await,
            Err(error) => Err(error),
        };
        let content = match content {
            Ok(content) => content,
            Err(error @ (Error::Corrupt(_) | Error::Io(_))) => {
                let items = self.named_by(blob).await?;
                self.found("blob-file", format!("{items}: {error}"), None);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if blake3::hash(&content).as_bytes()[..] != digest[..]
            || content.len() as u64 != size.cast_unsigned()
        {
            let items = self.named_by(blob).await?;
            self.found(
                "blob-digest",
                format!("{items}: not the bytes that were stored"),
                None,
            );
            return Ok(());
        }
        if structure.is_some_and(|structure| Structure::decode(&structure).is_none()) {
            self.found(
                "structure-decodes",
                format!("blob {blob}"),
                Some("parsed from the blob"),
            );
            if self.repair {
                let structure = Structure::parse(&content).encode();
                let fix = sqlx::query("UPDATE blobs SET structure = ? WHERE id = ?")
                    .bind(structure)
                    .bind(blob);
                fix.execute(self.work.conn()?).await?;
            }
        }
        Ok(())
    }

    /// Where the items are that are kept without their octets.
    async fn named_by(&mut self, blob: i64) -> Result<String> {
        let select =
            "SELECT folders.name || ' UID ' || uid FROM items JOIN folders ON folders.id = folder
            WHERE items.blob = ?1 OR items.id IN (SELECT item FROM attachments WHERE attachments.blob = ?1) LIMIT 20";
        let places: Vec<String> = sqlx::query_scalar(select)
            .bind(blob)
            .fetch_all(self.work.conn()?)
            .await?;
        Ok(format!("blob {blob} of {}", places.join(", ")))
    }

    pub(super) async fn blob_files(&mut self) -> Result<()> {
        let folder = self.work.core().folder.clone();
        for file in files_without_row(self.work.conn()?, &folder).await? {
            self.found(
                "file-without-row",
                file.display().to_string(),
                Some("removed"),
            );
            if self.repair {
                blocking(move || Ok(std::fs::remove_file(file)?)).await?;
            }
        }
        Ok(())
    }
}
