//! Removing old generations, and what only they named.
//!
//! Manifests go first; then a pack of which nothing is named any more goes, and one of which less than half is named is
//! written anew. A crash leaves objects that nobody names, or some twice: neither does harm, and the next run removes them.

use std::{collections::HashSet, fs, path::Path};

use crate::{
    Generation, Key, MailboxBackup, Result, error::At, objects::Objects, pack::PackWriter,
    repository::sync_folder, restore::blobs_of,
};

impl MailboxBackup {
    /// Keeps the newest `keep` generations, one at least. Blocks.
    ///
    /// # Errors
    /// `Damaged` when the rest cannot be read: nothing that it might need is removed then.
    pub fn prune(&self, keep: usize) -> Result<Vec<Generation>> {
        let generations = self.generations()?;
        let surplus = generations.len().saturating_sub(keep.max(1));
        let (old, rest) = generations.split_at_checked(surplus).unwrap_or_default();
        if old.is_empty() {
            return Ok(Vec::new());
        }
        for generation in old {
            let path = self.place_of(generation);
            fs::remove_file(&path).at(&path)?;
            sync_folder(path.parent().unwrap_or(&path))?;
        }
        self.collect(rest)?;
        Ok(old.to_vec())
    }

    fn collect(&self, generations: &[Generation]) -> Result<()> {
        let objects = Objects::load(&self.packs())?;
        let mut named = HashSet::new();
        for generation in generations {
            let manifest = self.manifest(generation)?;
            named.extend(blobs_of(&objects, &manifest)?);
            named.extend(manifest.tables.into_iter().flat_map(|table| table.segments));
        }
        for (number, pack) in (0u32..).zip(&objects.packs) {
            let octets = |only_named: bool| -> u64 {
                let entries = pack.entries.iter();
                let counted = entries.filter(|entry| !only_named || named.contains(&entry.key));
                counted.map(|entry| entry.length).sum()
            };
            if octets(true) * 2 < octets(false) {
                rewrite(&objects, number, &self.packs(), |key| named.contains(key))?;
            }
        }
        Ok(())
    }
}

/// Writes the objects of a pack that are wanted into another, and removes it.
pub(crate) fn rewrite(
    objects: &Objects,
    number: u32,
    folder: &Path,
    wanted: impl Fn(&Key) -> bool,
) -> Result<()> {
    let Some(pack) = objects.packs.get(number as usize) else {
        return Ok(());
    };
    let mut writer = PackWriter::new(folder)?;
    for entry in pack.entries.iter().filter(|entry| wanted(&entry.key)) {
        let payload = objects.payload(number, entry)?;
        writer.put(entry.key, entry.content.clone(), &payload)?;
    }
    writer.finish()?;
    fs::remove_file(&pack.path).at(&pack.path)?;
    sync_folder(folder)
}
