//! Blobs whose row is lost and whose file is there. The file is independent zstd frames, so its frame table follows from it, and
//! its name is the digest of its content, so nothing else is taken for it.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use sqlx::SqliteConnection;
use waxwing_formats_mime::Structure;
use zstd::zstd_safe;

use super::{folders::id_of, read::Seen};
use crate::{
    Result, StoredValue,
    blob::files_without_row,
    body::{Frames, blocking, unpack},
};

/// A file that is a blob.
pub(super) struct Found {
    digest: [u8; 32],
    size: u64,
    frames: Frames,
    structure: Structure,
    /// Whether it begins like a message, for those that nothing names.
    is_mail: bool,
}

/// Files of blobs that no row names and that hold what their name says.
pub(super) async fn found(conn: &mut SqliteConnection, folder: &Path) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for file in files_without_row(conn, folder).await? {
        found.extend(blocking(move || Ok(read(file))).await?);
    }
    Ok(found)
}

fn read(file: PathBuf) -> Option<Found> {
    let mut rest = Bytes::from(std::fs::read(&file).ok()?);
    let (mut lengths, mut digest) = (Vec::new(), blake3::Hasher::new());
    let mut content = Vec::new();
    while !rest.is_empty() {
        let packed_length = zstd_safe::find_frame_compressed_size(&rest).ok()?;
        let after = (packed_length <= rest.len()).then(|| rest.split_off(packed_length))?;
        let length = zstd_safe::get_frame_content_size(&rest).ok()??;
        let length = u32::try_from(length).ok()?;
        let piece = unpack(&rest, length).ok()?;
        digest.update(&piece);
        content.extend_from_slice(&piece);
        lengths.push((length, u32::try_from(packed_length).ok()?));
        rest = after;
    }
    let digest = digest.finalize();
    if file.file_name()?.to_str()? != digest.to_hex().as_str() {
        return None;
    }
    let structure = Structure::parse(&content);
    let head = content.get(..usize::try_from(structure.root.header.1).ok()?)?;
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let is_mail = ["from:", "date:", "message-id:", "received:"]
        .iter()
        .any(|field| head.lines().any(|line| line.starts_with(field)));
    Some(Found {
        digest: *digest.as_bytes(),
        size: content.len() as u64,
        frames: Frames::from_lengths(&lengths),
        structure,
        is_mail,
    })
}

/// Gives rows to blobs whose number an index tells; the others are left over.
pub(super) async fn give_back(
    conn: &mut SqliteConnection,
    found: Vec<Found>,
    seen: &Seen,
) -> Result<Vec<Found>> {
    let entries = seen.witnesses("sqlite_autoindex_blobs_1").iter();
    let ids: HashMap<&[u8], i64> = entries
        .filter_map(|entry| match entry.first() {
            Some(StoredValue::Blob(digest)) => Some((digest.as_slice(), id_of(entry)?)),
            _ => None,
        })
        .collect();
    let mut left = Vec::new();
    for blob in found {
        match ids.get(&blob.digest[..]) {
            Some(id) => insert(conn, Some(*id), &blob).await?,
            None => left.push(blob),
        }
    }
    Ok(left)
}

/// Gives rows with new numbers to blobs that look like mail.
pub(super) async fn adopt(conn: &mut SqliteConnection, found: &[Found]) -> Result<()> {
    for blob in found.iter().filter(|blob| blob.is_mail) {
        insert(conn, None, blob).await?;
    }
    Ok(())
}

async fn insert(conn: &mut SqliteConnection, id: Option<i64>, blob: &Found) -> Result<()> {
    let header = blob.structure.root.header.1;
    let insert = "INSERT OR IGNORE INTO blobs (id, digest, size, header_size, header_packed, frames, structure)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6,
            iif(?1 IS NOT NULL AND EXISTS (SELECT 1 FROM attachments WHERE blob = ?1), NULL, ?7))";
    sqlx::query(insert)
        .bind(id)
        .bind(&blob.digest[..])
        .bind(blob.size.cast_signed())
        .bind(header.cast_signed())
        .bind(blob.frames.packed_up_to(header).cast_signed())
        .bind(blob.frames.encode())
        .bind(blob.structure.encode())
        .execute(conn)
        .await?;
    Ok(())
}
