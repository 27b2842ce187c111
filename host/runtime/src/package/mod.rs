//! A plugin package: a directory with `plugin.wasm` (a component), `plugin.toml` (its manifest) and, if it is signed,
//! `plugin.sig`. Reading one checks its shape, its size and its signature; what it may do is decided by `grants`,
//! whether it fits this host by `contract` and `linker`.

pub mod grants;
pub mod manifest;
pub mod signature;

use std::{io::Write, path::Path};

use self::{manifest::Manifest, signature::TrustedKey};
use crate::{Error, Result};

/// Largest component, in octets.
const COMPONENT: u64 = 64 << 20;
/// Largest manifest, in octets.
const MANIFEST: u64 = 256 << 10;

/// A package whose manifest is well formed and whose signature, where one is required, is good.
#[derive(Debug, Clone)]
pub struct Package {
    /// The parsed manifest.
    pub manifest: Manifest,
    /// `plugin.toml` as it was written.
    pub manifest_text: String,
    /// The component.
    pub component: Vec<u8>,
    /// BLAKE3 of the component, 64 hexadecimal digits.
    pub digest: String,
    /// `plugin.sig` as it was written.
    pub signature: Option<String>,
    /// The name of the trusted key that signed it.
    pub signed_by: Option<String>,
}

impl Package {
    /// Reads and checks a package.
    ///
    /// # Errors
    /// What is wrong with it, with the file's name.
    pub fn read(
        directory: &Path,
        trusted: &[TrustedKey],
        require_signature: bool,
    ) -> Result<Package> {
        let manifest_text =
            String::from_utf8(file(directory, "plugin.toml", MANIFEST)?).map_err(|_| {
                Error::Package(format!(
                    "{}: not UTF-8",
                    directory.join("plugin.toml").display()
                ))
            })?;
        let manifest = manifest::parse(&manifest_text).map_err(|error| {
            Error::Package(format!(
                "{}: {error}",
                directory.join("plugin.toml").display()
            ))
        })?;
        let component = file(directory, "plugin.wasm", COMPONENT)?;
        let digest = blake3::hash(&component).to_hex().to_string();
        let signature = match file(directory, "plugin.sig", 1 << 10) {
            Ok(text) => Some(String::from_utf8_lossy(&text).into_owned()),
            Err(_) if !directory.join("plugin.sig").exists() => None,
            Err(error) => return Err(error),
        };
        let signed_by = signature::verify(&digest, &manifest_text, signature.as_deref(), trusted)?;
        if require_signature && signed_by.is_none() {
            return Err(Error::Package(format!(
                "{} {} is not signed by a trusted key",
                manifest.name, manifest.version
            )));
        }
        Ok(Package {
            manifest,
            manifest_text,
            component,
            digest,
            signature,
            signed_by,
        })
    }

    /// Names it among all that were ever loaded: number and the beginnings of two digests, because component and manifest
    /// may change without the number, and either without the other.
    #[must_use]
    pub fn key(&self) -> String {
        let manifest = blake3::hash(self.manifest_text.as_bytes()).to_hex();
        let short = |digest: &str| digest.chars().take(12).collect::<String>();
        format!(
            "{}-{}-{}",
            self.manifest.version,
            short(&self.digest),
            short(&manifest)
        )
    }

    /// Writes the package as `read` reads it, each file whole or not at all; durable when it returns.
    ///
    /// # Errors
    /// From the file system.
    pub(crate) fn write(&self, directory: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(directory)?;
        write_synced(
            &directory.join("plugin.toml"),
            self.manifest_text.as_bytes(),
        )?;
        if let Some(signature) = &self.signature {
            write_synced(&directory.join("plugin.sig"), signature.as_bytes())?;
        }
        let part = directory.join("plugin.wasm.part");
        write_synced(&part, &self.component)?;
        std::fs::rename(part, directory.join("plugin.wasm"))?;
        sync_folder(directory)?;
        directory.parent().map_or(Ok(()), sync_folder)
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

fn file(directory: &Path, name: &str, most: u64) -> Result<Vec<u8>> {
    let path = directory.join(name);
    let failed = |error: std::io::Error| Error::Package(format!("{}: {error}", path.display()));
    let size = std::fs::metadata(&path).map_err(failed)?.len();
    if size > most {
        return Err(Error::Package(format!(
            "{}: {size} octets, at most {most}",
            path.display()
        )));
    }
    std::fs::read(&path).map_err(failed)
}
