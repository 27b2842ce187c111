//! TLS towards a next hop.
//!
//! Opportunistic TLS takes any certificate: it keeps out those who only listen, and a host that cannot prove its name would else get the
//! same mail in plaintext. Where `[transport] tls = "verified"`, and where the domain's policy asks for it ([`crate::sts`]), the certificate must be
//! for the host's name.

use std::{io, path::Path, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::Wire;

/// What a certificate must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Nothing.
    Any,
    /// The host's name, by the authorities that the operator names, or by those of the system.
    Named,
    /// The host's name, by an authority of the system or one that the operator names: what others ask of hosts that they do not know.
    Public,
}

/// The ways to shake hands.
#[derive(Clone)]
pub(crate) struct TlsClient {
    named: Arc<ClientConfig>,
    public: Arc<ClientConfig>,
    taking_any: Arc<ClientConfig>,
}

impl TlsClient {
    /// With the authorities of a PEM file, or with those of the system.
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<TlsClient, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let named = ca_file.map(of_file).transpose()?;
        let mut public = RootCertStore::empty();
        public.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(named) = &named {
            public.roots.extend(named.roots.iter().cloned());
        }
        let builder = || {
            ClientConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())
        };
        let trusting = |roots: RootCertStore| {
            let config = builder()?.with_root_certificates(roots);
            Ok::<_, String>(Arc::new(config.with_no_client_auth()))
        };
        let taking_any = builder()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider.clone())))
            .with_no_client_auth();
        let public_config = trusting(public)?;
        Ok(TlsClient {
            named: match named {
                Some(named) => trusting(named)?,
                None => public_config.clone(),
            },
            public: public_config,
            taking_any: Arc::new(taking_any),
        })
    }

    /// Shakes hands with a host of that name.
    ///
    /// # Errors
    /// Of the handshake; a certificate that does not show what it must.
    pub(crate) async fn connect(
        &self,
        name: &str,
        wire: Box<dyn Wire>,
        proof: Proof,
    ) -> io::Result<TlsStream<Box<dyn Wire>>> {
        let config = match proof {
            Proof::Any => &self.taking_any,
            Proof::Named => &self.named,
            Proof::Public => &self.public,
        };
        let name = ServerName::try_from(name.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        TlsConnector::from(config.clone()).connect(name, wire).await
    }
}

fn of_file(file: &Path) -> Result<RootCertStore, String> {
    let broken = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| broken(&error))? {
        let certificate = certificate.map_err(|error| broken(&error))?;
        roots.add(certificate).map_err(|error| broken(&error))?;
    }
    Ok(roots)
}

/// Who the host is does not matter; that it holds the key of its certificate does.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
