//! Recomputing every digest of a backup.

use std::collections::{HashMap, HashSet};

use crate::{
    Error, Generation, Key, MailboxBackup, Result, error::At, objects::Objects, prune::rewrite,
    restore::blobs_of,
};

/// What a verification says of one generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The generation.
    pub generation: Generation,
    /// The address of its user; none: its manifest cannot be read.
    pub owner: Option<String>,
    /// What is wrong with it; empty: it can be restored as it was.
    pub damages: Vec<String>,
}

/// What is wrong with the packs of a mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damage {
    /// Packs whose index cannot be read.
    pub packs: u64,
    /// Objects that are not what their keys say.
    pub objects: u64,
}

impl MailboxBackup {
    /// Reads everything. With `repair`, objects that are not what they should be are dropped, so that the next backup copies
    /// them again if the mailbox still has them. Blocks.
    ///
    /// # Errors
    /// `Io` when it cannot be read or, for a repair, written. What is damaged is no error.
    pub fn verify(
        &self,
        repair: bool,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(Vec<Verified>, Damage)> {
        let objects = Objects::load(&self.packs())?;
        let total = objects.packs.len() as u64;
        let mut bad = HashSet::new();
        for (number, pack) in (0u32..).zip(&objects.packs) {
            let mut wrong = HashSet::new();
            for entry in &pack.entries {
                if !objects.holds(number, entry)? {
                    wrong.insert(entry.key);
                }
            }
            if repair && !wrong.is_empty() {
                rewrite(&objects, number, &self.packs(), |key| !wrong.contains(key))?;
            }
            bad.extend(wrong);
            progress(u64::from(number) + 1, total);
        }
        let mut verified = Vec::new();
        let mut blobs = HashMap::new();
        for generation in self.generations()? {
            verified.push(self.generation(generation, &objects, &bad, &mut blobs)?);
        }
        if repair {
            for (path, _) in &objects.unreadable {
                let aside = path.with_extension("damaged");
                std::fs::rename(path, &aside).at(path)?;
            }
        }
        let damage = Damage {
            packs: objects.unreadable.len() as u64,
            objects: bad.len() as u64,
        };
        Ok((verified, damage))
    }

    fn generation(
        &self,
        generation: Generation,
        objects: &Objects,
        bad: &HashSet<Key>,
        known: &mut HashMap<Vec<Key>, Vec<Key>>,
    ) -> Result<Verified> {
        let manifest = match self.manifest(&generation) {
            Ok(manifest) => manifest,
            Err(error @ (Error::Damaged(..) | Error::Io(..))) => {
                return Ok(Verified {
                    generation,
                    owner: None,
                    damages: vec![error.to_string()],
                });
            }
            Err(error) => return Err(error),
        };
        let is_whole = |key: &&Key| objects.has(key) && !bad.contains(key);
        let mut damages = Vec::new();
        for table in &manifest.tables {
            let lost = table.segments.iter().filter(|key| !is_whole(key)).count();
            if lost > 0 {
                damages.push(format!(
                    "{lost} of {} segments of rows of {}: it cannot be restored",
                    table.segments.len(),
                    table.table.name
                ));
            }
        }
        if damages.is_empty() {
            // Most generations name the same blobs.
            let names: Vec<Key> = manifest
                .tables
                .iter()
                .filter(|table| table.table.name == "blobs")
                .flat_map(|table| table.segments.clone())
                .collect();
            if !known.contains_key(&names) {
                known.insert(names.clone(), blobs_of(objects, &manifest)?);
            }
            let blobs = known.get(&names).map_or(&[][..], Vec::as_slice);
            let missing: HashSet<_> = manifest.missing.iter().collect();
            let lost = blobs
                .iter()
                .filter(|key| !missing.contains(key) && !is_whole(key));
            match lost.count() {
                0 => {}
                lost => damages.push(format!("the octets of {lost} of {} messages", blobs.len())),
            }
        }
        Ok(Verified {
            generation,
            owner: Some(manifest.owner),
            damages,
        })
    }
}
