//! The local certificate authority: what a server without certificates of its own shows to its clients.
//!
//! A self-signed leaf would be less, but clients built on rustls refuse one that is its own authority. So there
//! are two: an authority that clients are told to trust (`ca.pem`, ten years), and an ECDSA P-256 leaf signed by
//! it (`cert.pem`, at most [`LEAF_DAYS`]). The leaf is made anew from the same authority when it nears its end or
//! does not cover every name, so clients that trust the authority never notice. Whether it is good is asked of
//! the verifier that a rustls client uses, not of a second opinion.

use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{RootCertStore, client::WebPkiServerVerifier};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use time::OffsetDateTime;

use super::certificates;
use crate::{
    config::CertificateFiles,
    error::{Error, Result},
};

/// Apple's clients refuse more than 825 days, others more than 398.
const LEAF_DAYS: i64 = 397;
const RENEW_BEFORE: Duration = Duration::from_secs(30 * 86_400);
const AUTHORITY_DAYS: i64 = 3_650;

/// The files of `<data>/tls`.
#[derive(Debug, Clone)]
pub(crate) struct Authority {
    dir: PathBuf,
}

impl Authority {
    pub(crate) fn new(data_dir: &Path) -> Authority {
        Authority {
            dir: data_dir.join("tls"),
        }
    }

    /// What clients must trust.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    fn key(&self) -> PathBuf {
        self.dir.join("ca-key.pem")
    }

    /// The leaf and its key.
    pub(crate) fn leaf(&self) -> CertificateFiles {
        CertificateFiles {
            certificate: self.dir.join("cert.pem"),
            key: self.dir.join("key.pem"),
        }
    }

    /// Sees to an authority, and a leaf for all `names` that is good for weeks to come.
    pub(crate) fn prepare(&self, names: &[String]) -> Result<()> {
        if let Err(reason) = self.examine(names) {
            tracing::info!(reason, folder = %self.dir.display(), "making a certificate");
            fs::create_dir_all(&self.dir).map_err(|error| unreadable(&self.dir, &error))?;
            let issuer = match self.load() {
                Ok(issuer) => issuer,
                Err(_) => self.found()?,
            };
            self.issue(&issuer, names)?;
        }
        Ok(())
    }

    /// Why a new leaf is needed.
    fn examine(&self, names: &[String]) -> std::result::Result<(), String> {
        let leaf = certificates::load(&self.leaf()).map_err(|error| error.to_string())?;
        let leaf = leaf.end_entity_cert().map_err(|error| error.to_string())?;
        let root =
            CertificateDer::from_pem_file(self.certificate()).map_err(|error| error.to_string())?;
        let later = Duration::from_secs(UnixTime::now().as_secs()) + RENEW_BEFORE;
        let later = UnixTime::since_unix_epoch(later);
        for name in names {
            verify(leaf, &root, name, UnixTime::now())
                .and_then(|()| verify(leaf, &root, name, later))
                .map_err(|error| format!("{name}: {error}"))?;
        }
        Ok(())
    }

    fn load(&self) -> Result<Issuer<'static, KeyPair>> {
        let read =
            |path: PathBuf| fs::read_to_string(&path).map_err(|error| unreadable(&path, &error));
        let key = KeyPair::from_pem(&read(self.key())?)?;
        Ok(Issuer::from_ca_cert_pem(&read(self.certificate())?, key)?)
    }

    fn found(&self) -> Result<Issuer<'static, KeyPair>> {
        let mut params = CertificateParams::default();
        let name = format!("Waxwing local authority {:08x}", rand::random::<u32>());
        params.distinguished_name.remove(DnType::CommonName);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) = validity(AUTHORITY_DAYS);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        write(&self.key(), &key.serialize_pem(), 0o600)?;
        write(&self.certificate(), &certificate.pem(), 0o644)?;
        Ok(Issuer::new(params, key))
    }

    fn issue(&self, issuer: &Issuer<'static, KeyPair>, names: &[String]) -> Result<()> {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.remove(DnType::CommonName);
        // RFC 5280 allows 64 characters here; clients look at the alternative names only.
        let common_name: String = names
            .first()
            .map(|name| name.chars().take(64).collect())
            .unwrap_or_default();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = validity(LEAF_DAYS);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, issuer)?;
        let files = self.leaf();
        write(&files.key, &key.serialize_pem(), 0o600)?;
        write(&files.certificate, &certificate.pem(), 0o644)
    }
}

/// What a leaf must be good for: this machine by every name a client may know it by.
pub(crate) fn names(host_name: &str, domains: &[String]) -> Vec<String> {
    let mut names = vec![
        host_name.to_owned(),
        "localhost".into(),
        "127.0.0.1".into(),
        "::1".into(),
    ];
    for domain in domains {
        names.extend([
            domain.clone(),
            format!("autoconfig.{domain}"),
            format!("autodiscover.{domain}"),
            format!("mail.{domain}"),
            format!("mta-sts.{domain}"),
        ]);
    }
    names.retain(|name| {
        let usable = ServerName::try_from(name.as_str()).is_ok();
        if !usable {
            tracing::warn!(name, "not a name that a certificate can carry");
        }
        usable
    });
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.to_ascii_lowercase()));
    names
}

/// As a rustls client does.
pub(super) fn verify(
    leaf: &CertificateDer<'_>,
    root: &CertificateDer<'static>,
    name: &str,
    at: UnixTime,
) -> std::result::Result<(), String> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).map_err(|error| error.to_string())?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), super::provider())
        .build()
        .map_err(|error| error.to_string())?;
    let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
    rustls::client::danger::ServerCertVerifier::verify_server_cert(
        &*verifier,
        leaf,
        &[],
        &name,
        &[],
        at,
    )
    .map(|_| ())
    .map_err(|error| error.to_string())
}

/// From yesterday, since clocks differ.
fn validity(days: i64) -> (OffsetDateTime, OffsetDateTime) {
    let start = OffsetDateTime::now_utc() - time::Duration::DAY;
    (start, start + time::Duration::days(days))
}

/// Whole or not at all, durable, and never readable by others for a moment.
fn write(path: &Path, text: &str, mode: u32) -> Result<()> {
    let draft = path.with_extension("new");
    let _ = fs::remove_file(&draft);
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&draft)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
        })
        .and_then(|()| fs::rename(&draft, path))
        .and_then(|()| sync_names(path))
        .map_err(|error| unreadable(path, &error))
}

/// Clients trust this authority: that its folder and the files in it are there must not depend on luck.
fn sync_names(path: &Path) -> std::io::Result<()> {
    for folder in path.ancestors().skip(1).take(2) {
        if !folder.as_os_str().is_empty() {
            fs::File::open(folder)?.sync_all()?;
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::Certificate {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn prepared(domains: &[&str]) -> (tempfile::TempDir, Authority, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new(dir.path());
        let domains: Vec<String> = domains.iter().map(|domain| (*domain).to_owned()).collect();
        let names = names("host.example", &domains);
        authority.prepare(&names).unwrap();
        (dir, authority, names)
    }

    #[test]
    fn a_leaf_that_is_good_is_kept_and_one_that_misses_a_name_is_replaced_by_the_same_authority() {
        let (_dir, authority, names) = prepared(&["example.org"]);
        let read = |path: PathBuf| fs::read(path).unwrap();
        let (ca, leaf) = (
            read(authority.certificate()),
            read(authority.leaf().certificate),
        );
        authority.prepare(&names).unwrap();
        assert_eq!(read(authority.leaf().certificate), leaf);
        let more = super::names(
            "host.example",
            &["example.org".into(), "example.net".into()],
        );
        authority.prepare(&more).unwrap();
        assert_ne!(read(authority.leaf().certificate), leaf);
        assert_eq!(read(authority.certificate()), ca);
        assert_eq!(authority.examine(&more), Ok(()));
    }

    #[test]
    fn a_leaf_near_its_end_is_replaced() {
        let (_dir, authority, _) = prepared(&[]);
        let leaf = CertificateDer::from_pem_file(authority.leaf().certificate).unwrap();
        let root = CertificateDer::from_pem_file(authority.certificate()).unwrap();
        let in_days = |days: u64| {
            UnixTime::since_unix_epoch(Duration::from_secs(
                UnixTime::now().as_secs() + days * 86_400,
            ))
        };
        assert_eq!(verify(&leaf, &root, "localhost", in_days(395)), Ok(()));
        assert!(verify(&leaf, &root, "localhost", in_days(397)).is_err());
    }

    #[test]
    fn only_the_authority_is_an_authority_and_the_keys_are_private() {
        let (_dir, authority, _) = prepared(&["example.org"]);
        let der = |path| CertificateDer::from_pem_file(path).unwrap();
        let (ca, leaf) = (
            der(authority.certificate()),
            der(authority.leaf().certificate),
        );
        let ca = x509_parser::parse_x509_certificate(&ca).unwrap().1;
        let leaf = x509_parser::parse_x509_certificate(&leaf).unwrap().1;
        assert!(ca.is_ca() && !leaf.is_ca());
        assert!(ca.key_usage().unwrap().unwrap().value.key_cert_sign());
        assert!(leaf.key_usage().unwrap().unwrap().value.digital_signature());
        assert!(
            leaf.extended_key_usage()
                .unwrap()
                .unwrap()
                .value
                .server_auth
        );
        let validity =
            leaf.validity().not_after.timestamp() - leaf.validity().not_before.timestamp();
        assert!(validity <= 825 * 86_400);
        for key in [authority.key(), authority.leaf().key] {
            assert_eq!(
                fs::metadata(key).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn openssl_in_its_strictest_mode_accepts_every_name() {
        let (_dir, authority, names) = prepared(&["example.org"]);
        for name in names {
            let option = if name.parse::<std::net::IpAddr>().is_ok() {
                "-verify_ip"
            } else {
                "-verify_hostname"
            };
            let output = std::process::Command::new("openssl")
                .args([
                    "verify",
                    "-x509_strict",
                    "-purpose",
                    "sslserver",
                    option,
                    &name,
                    "-CAfile",
                ])
                .args([authority.certificate(), authority.leaf().certificate])
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{name}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}
