//! The certificates that are served, and their files.
//!
//! Handshakes read one `ArcSwap`; a changed file replaces one entry, and connections go on with what they
//! negotiated. A file that cannot be used changes nothing but the log, where it says why, once.

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::{
    config::CertificateFiles,
    error::{Error, Result},
};

/// Reads a chain and its key.
///
/// # Errors
/// When a file is missing, is not PEM, or the two do not belong together.
pub(super) fn load(files: &CertificateFiles) -> Result<CertifiedKey> {
    let wrong = |path: &Path, reason: String| Error::Certificate {
        path: path.to_owned(),
        reason,
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(|found| found.collect())
        .map_err(|error| wrong(&files.certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong(&files.certificate, "holds no certificate".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| wrong(&files.key, error.to_string()))?;
    let pair = CertifiedKey::from_der(chain, key, &super::provider()).map_err(|error| {
        wrong(
            &files.certificate,
            format!("{error} ({})", files.key.display()),
        )
    })?;
    Ok(pair)
}

impl CertificateFiles {
    /// Reads both files and asks whether they belong together; nothing is kept.
    ///
    /// # Errors
    /// [`Error::Certificate`], with what is wrong.
    pub fn check(&self) -> Result<()> {
        load(self).map(drop)
    }
}

/// DNS names of the leaf, in lower case, wildcards as they stand.
fn dns_names(pair: &CertifiedKey) -> Vec<String> {
    let Ok(leaf) = pair.end_entity_cert() else {
        return Vec::new();
    };
    let Ok((_, leaf)) = x509_parser::parse_x509_certificate(leaf) else {
        return Vec::new();
    };
    let Ok(Some(names)) = leaf.subject_alternative_name() else {
        return Vec::new();
    };
    let dns = names
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            x509_parser::extensions::GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        });
    dns.collect()
}

/// What tells a changed file from the same one: device-independent, and cheap to ask.
type Stamp = Option<(u64, i64, i64, u64)>;

fn stamp(path: &Path) -> Stamp {
    let meta = fs::metadata(path).ok()?;
    Some((meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len()))
}

struct Entry {
    files: CertificateFiles,
    stamps: [Stamp; 2],
    pair: Arc<CertifiedKey>,
}

impl Entry {
    fn load(files: &CertificateFiles) -> Result<Entry> {
        let stamps = [stamp(&files.certificate), stamp(&files.key)];
        Ok(Entry {
            files: files.clone(),
            stamps,
            pair: Arc::new(load(files)?),
        })
    }
}

#[derive(Debug, Default)]
struct Served {
    by_name: HashMap<String, Arc<CertifiedKey>>,
    default: Option<Arc<CertifiedKey>>,
}

impl Served {
    fn new(entries: &[Entry]) -> Served {
        let mut by_name = HashMap::new();
        for entry in entries {
            for name in dns_names(&entry.pair) {
                by_name
                    .entry(name)
                    .or_insert_with(|| Arc::clone(&entry.pair));
            }
        }
        Served {
            by_name,
            default: entries.first().map(|entry| Arc::clone(&entry.pair)),
        }
    }

    fn find(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let by_name = name.and_then(|name| {
            let name = name.to_ascii_lowercase();
            let wildcard = name
                .split_once('.')
                .map(|(_, parent)| format!("*.{parent}"));
            self.by_name
                .get(&name)
                .or_else(|| self.by_name.get(&wildcard?))
        });
        by_name.or(self.default.as_ref()).cloned()
    }
}

/// All certificates of the server.
pub(crate) struct Certificates {
    served: ArcSwap<Served>,
    entries: Mutex<Vec<Entry>>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}

impl Certificates {
    pub(super) fn load(files: &[CertificateFiles]) -> Result<Certificates> {
        let entries = files.iter().map(Entry::load).collect::<Result<Vec<_>>>()?;
        Ok(Certificates {
            served: ArcSwap::from_pointee(Served::new(&entries)),
            entries: Mutex::new(entries),
        })
    }

    /// Serves another set of files. Nothing changes when one of them is unusable.
    pub(super) fn replace(&self, files: &[CertificateFiles]) -> Result<()> {
        let loaded = files.iter().map(Entry::load).collect::<Result<Vec<_>>>()?;
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        *entries = loaded;
        self.served.store(Arc::new(Served::new(&entries)));
        Ok(())
    }

    /// Loads what changed on disk since it was last looked at.
    pub(super) fn refresh(&self) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = false;
        for entry in entries.iter_mut() {
            let stamps = [stamp(&entry.files.certificate), stamp(&entry.files.key)];
            if stamps == entry.stamps {
                continue;
            }
            entry.stamps = stamps;
            match load(&entry.files) {
                Ok(pair) => {
                    tracing::info!(file = %entry.files.certificate.display(), "certificate reloaded");
                    entry.pair = Arc::new(pair);
                    changed = true;
                }
                Err(error) => {
                    tracing::error!(%error, "the changed certificate is not usable, the old one is kept")
                }
            }
        }
        if changed {
            self.served.store(Arc::new(Served::new(&entries)));
        }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.served.load().find(client_hello.server_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_pair(dir: &Path, name: &str) -> CertificateFiles {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let stem = name.replace('*', "any");
        let files = CertificateFiles {
            certificate: dir.join(format!("{stem}.pem")),
            key: dir.join(format!("{stem}.key")),
        };
        fs::write(&files.certificate, made.cert.pem()).unwrap();
        fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        files
    }

    fn served_for(certificates: &Certificates, name: Option<&str>) -> Vec<String> {
        dns_names(&certificates.served.load().find(name).unwrap())
    }

    #[test]
    fn the_name_a_client_asks_for_chooses_the_certificate() {
        let dir = tempfile::tempdir().unwrap();
        let files =
            ["a.example", "b.example", "*.c.example"].map(|name| write_pair(dir.path(), name));
        let certificates = Certificates::load(&files).unwrap();
        assert_eq!(served_for(&certificates, Some("B.example")), ["b.example"]);
        assert_eq!(
            served_for(&certificates, Some("x.c.example")),
            ["*.c.example"]
        );
        assert_eq!(
            served_for(&certificates, Some("x.y.c.example")),
            ["a.example"]
        );
        assert_eq!(served_for(&certificates, None), ["a.example"]);
    }

    #[test]
    fn a_changed_file_is_served_and_a_broken_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let files = write_pair(dir.path(), "a.example");
        let other = write_pair(dir.path(), "other.example");
        let certificates = Certificates::load(std::slice::from_ref(&files)).unwrap();

        fs::copy(&other.certificate, &files.certificate).unwrap();
        certificates.refresh();
        assert_eq!(
            served_for(&certificates, None),
            ["a.example"],
            "the key does not belong to it yet"
        );
        fs::copy(&other.key, &files.key).unwrap();
        certificates.refresh();
        assert_eq!(served_for(&certificates, None), ["other.example"]);
        fs::remove_file(&files.key).unwrap();
        certificates.refresh();
        assert_eq!(served_for(&certificates, None), ["other.example"]);
    }

    #[test]
    fn a_key_that_does_not_belong_to_the_certificate_is_refused_with_both_names() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (
            write_pair(dir.path(), "a.example"),
            write_pair(dir.path(), "b.example"),
        );
        let error = load(&CertificateFiles {
            certificate: a.certificate,
            key: b.key,
        })
        .unwrap_err()
        .to_string();
        assert!(
            error.contains("a.example.pem") && error.contains("b.example.key"),
            "{error}"
        );
    }
}
