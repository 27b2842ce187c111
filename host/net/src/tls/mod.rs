//! TLS of every listener: which certificates, which settings, and what a plugin is told of a handshake.
//!
//! One set of settings per kind of listener lives as long as the server, so that session tickets stay good
//! across reloads; only the certificates behind them change.

mod authority;
mod certificates;

use std::{path::Path, sync::Arc, time::Duration};

use authority::Authority;
pub(crate) use authority::names;
use certificates::Certificates;
use rustls::{
    ProtocolVersion, ServerConfig, ServerConnection, crypto::CryptoProvider,
    server::ServerSessionMemoryCache,
};
use tokio::time::{MissedTickBehavior, interval};
use waxwing_runtime::TlsInfo;

use crate::{
    config::{CertificateFiles, TlsConfig},
    error::Result,
};

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// How many looks there are between two checks of the leaf's age.
const LOOKS_PER_EXAMINATION: u32 = 1_200;
const CACHED_SESSIONS: usize = 4_096;
/// RFC 9266 section 4.2.
const CHANNEL_BINDING_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The server's TLS.
#[derive(Debug)]
pub(crate) struct Tls {
    certificates: Arc<Certificates>,
    authority: Authority,
    names: std::sync::Mutex<Option<Vec<String>>>,
    /// For protocols that are not HTTP.
    pub(crate) stream: Arc<ServerConfig>,
    /// Offers HTTP/2 and HTTP/1.1.
    pub(crate) http: Arc<ServerConfig>,
}

impl Tls {
    /// Loads the operator's certificates; without any, sees to an authority and a leaf for `names`.
    pub(crate) fn new(config: &TlsConfig, data_dir: &Path, names: Vec<String>) -> Result<Tls> {
        let authority = Authority::new(data_dir);
        let (files, names) = files(config, &authority, names)?;
        let certificates = Arc::new(Certificates::load(&files)?);
        Ok(Tls {
            stream: settings(&certificates, &[])?,
            http: settings(&certificates, &[b"h2", b"http/1.1"])?,
            certificates,
            authority,
            names: std::sync::Mutex::new(names),
        })
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Other files or names; what cannot be used changes nothing.
    pub(crate) fn reload(&self, config: &TlsConfig, names: Vec<String>) -> Result<()> {
        let (files, names) = files(config, &self.authority, names)?;
        self.certificates.replace(&files)?;
        *self
            .names
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = names;
        Ok(())
    }

    /// Watches the files and the leaf's age, for ever.
    pub(crate) async fn tend(self: Arc<Self>) {
        let mut clock = interval(LOOK_EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for look in 0_u32.. {
            clock.tick().await;
            let tls = Arc::clone(&self);
            let examine = look % LOOKS_PER_EXAMINATION == 0;
            let looked = tokio::task::spawn_blocking(move || tls.look(examine)).await;
            if let Err(error) = looked {
                tracing::error!(%error, "certificates could not be looked at");
            }
        }
    }

    fn look(&self, examine: bool) {
        let names = self
            .names
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        if let (true, Some(names)) = (examine, names)
            && let Err(error) = self.authority.prepare(&names)
        {
            tracing::error!(%error, "the local certificate could not be renewed");
        }
        self.certificates.refresh();
    }
}

/// What to serve, and the names to keep a leaf for when it is our own.
fn files(
    config: &TlsConfig,
    authority: &Authority,
    names: Vec<String>,
) -> Result<(Vec<CertificateFiles>, Option<Vec<String>>)> {
    if !config.certificates.is_empty() {
        return Ok((config.certificates.clone(), None));
    }
    authority.prepare(&names)?;
    Ok((vec![authority.leaf()], Some(names)))
}

fn settings(certificates: &Arc<Certificates>, alpn: &[&[u8]]) -> Result<Arc<ServerConfig>> {
    let mut config =
        ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(
                Arc::clone(certificates) as Arc<dyn rustls::server::ResolvesServerCert>
            );
    config.session_storage = ServerSessionMemoryCache::new(CACHED_SESSIONS);
    config.ticketer = rustls::crypto::ring::Ticketer::new()?;
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Arc::new(config))
}

/// What a plugin learns about a finished handshake.
pub(crate) fn describe(connection: &ServerConnection) -> TlsInfo {
    let version = connection.protocol_version();
    let cipher = connection
        .negotiated_cipher_suite()
        .map(|suite| format!("{:?}", suite.suite()));
    TlsInfo {
        protocol: match version {
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
            other => format!("{other:?}"),
        },
        // The registry of TLS has no version in the names of 1.3's suites.
        cipher: cipher.unwrap_or_default().replace("TLS13_", "TLS_"),
        server_name: connection.server_name().map(str::to_owned),
        channel_binding: channel_binding(connection).unwrap_or_default(),
        client_identity: None,
    }
}

/// RFC 9266 allows the exporter of TLS 1.2 only with the extended master secret, of which rustls does not tell:
/// there is none then.
fn channel_binding(connection: &ServerConnection) -> Option<Vec<u8>> {
    (connection.protocol_version() == Some(ProtocolVersion::TLSv1_3)).then_some(())?;
    connection
        .export_keying_material(vec![0; 32], CHANNEL_BINDING_LABEL, Some(&[]))
        .ok()
}
