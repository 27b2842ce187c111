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

/// Two ways to shake hands.
#[derive(Clone)]
pub(crate) struct TlsClient {
    verifying: Arc<ClientConfig>,
    taking_any: Arc<ClientConfig>,
}

impl TlsClient {
    /// With the authorities of a PEM file, or with those of the system.
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<TlsClient, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        match ca_file {
            Some(file) => {
                let broken = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
                let certificates =
                    CertificateDer::pem_file_iter(file).map_err(|error| broken(&error))?;
                for certificate in certificates {
                    let certificate = certificate.map_err(|error| broken(&error))?;
                    roots.add(certificate).map_err(|error| broken(&error))?;
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let builder = || {
            ClientConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())
        };
        let verifying = builder()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let taking_any = builder()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider.clone())))
            .with_no_client_auth();
        Ok(TlsClient {
            verifying: Arc::new(verifying),
            taking_any: Arc::new(taking_any),
        })
    }

    /// Shakes hands with a host of that name.
    ///
    /// # Errors
    /// Of the handshake; a certificate that is not good for the name, when it is looked at.
    pub(crate) async fn connect(
        &self,
        name: &str,
        wire: Box<dyn Wire>,
        verify: bool,
    ) -> io::Result<TlsStream<Box<dyn Wire>>> {
        let config = if verify {
            &self.verifying
        } else {
            &self.taking_any
        };
        let name = ServerName::try_from(name.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        TlsConnector::from(config.clone()).connect(name, wire).await
    }
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
