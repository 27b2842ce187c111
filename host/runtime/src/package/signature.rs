//! Signatures of packages: Ed25519 (RFC 8032) over a text that holds the component's digest and the manifest, so that
//! neither can be exchanged alone. `plugin.sig` holds the 64 octets as hexadecimal digits. A signature by a key that
//! is not trusted counts as none; a broken one is an error, because nobody makes one by accident.

use ed25519_dalek::{Signature, VerifyingKey};

use crate::{Error, Result};

/// A key that the operator trusts to sign packages.
#[derive(Debug, Clone)]
pub struct TrustedKey {
    /// As the operator calls it.
    pub name: String,
    key: VerifyingKey,
}

impl TrustedKey {
    /// From 64 hexadecimal digits.
    ///
    /// # Errors
    /// When that is not an Ed25519 public key.
    pub fn from_hex(name: &str, hex: &str) -> Result<TrustedKey> {
        let wrong = || {
            Error::Package(format!(
                "trusted key {name}: not 64 hexadecimal digits of an Ed25519 public key"
            ))
        };
        let octets: [u8; 32] = octets(hex).ok_or_else(wrong)?;
        let key = VerifyingKey::from_bytes(&octets).map_err(|_| wrong())?;
        Ok(TrustedKey {
            name: name.to_owned(),
            key,
        })
    }
}

/// What is signed.
#[must_use]
pub fn message(digest: &str, manifest: &str) -> Vec<u8> {
    format!("waxwing package 1\n{digest}\n{manifest}").into_bytes()
}

/// The name of the trusted key that signed, if one did.
pub(super) fn verify(
    digest: &str,
    manifest: &str,
    signature: Option<&str>,
    trusted: &[TrustedKey],
) -> Result<Option<String>> {
    let Some(text) = signature else {
        return Ok(None);
    };
    let octets: [u8; 64] = octets(text.trim()).ok_or_else(|| {
        Error::Package("plugin.sig: not the 128 hexadecimal digits of a signature".into())
    })?;
    let (signature, message) = (Signature::from_bytes(&octets), message(digest, manifest));
    let signer = trusted
        .iter()
        .find(|trusted| trusted.key.verify_strict(&message, &signature).is_ok());
    Ok(signer.map(|trusted| trusted.name.clone()))
}

fn octets<const N: usize>(hex: &str) -> Option<[u8; N]> {
    if hex.len() != 2 * N || !hex.is_ascii() {
        return None;
    }
    let mut octets = [0; N];
    for (octet, digits) in octets.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    fn signed() -> (TrustedKey, String) {
        let key = SigningKey::from_bytes(&[7; 32]);
        let trusted = TrustedKey::from_hex("ours", &hex(key.verifying_key().as_bytes())).unwrap();
        (
            trusted,
            hex(&key.sign(&message("digest", "manifest")).to_bytes()),
        )
    }

    #[test]
    fn a_trusted_signature_names_its_key() {
        let (trusted, signature) = signed();
        assert_eq!(
            verify("digest", "manifest", Some(&signature), &[trusted])
                .unwrap()
                .as_deref(),
            Some("ours")
        );
    }

    #[test]
    fn another_component_or_manifest_is_not_signed() {
        let (trusted, signature) = signed();
        let keys = [trusted];
        assert_eq!(
            verify("other", "manifest", Some(&signature), &keys).unwrap(),
            None
        );
        assert_eq!(
            verify("digest", "other", Some(&signature), &keys).unwrap(),
            None
        );
        assert_eq!(verify("digest", "manifest", None, &keys).unwrap(), None);
    }

    #[test]
    fn a_broken_signature_is_an_error() {
        assert!(verify("digest", "manifest", Some("00"), &[]).is_err());
        assert!(TrustedKey::from_hex("short", "00ff").is_err());
    }
}
