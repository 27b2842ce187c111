//! A server on free loopback ports, and clients for it.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use waxwing_directory::{Directory, DirectoryConfig};
use waxwing_exmdb::{Store, StoreConfig};
use waxwing_net::{ListenerConfig, ListenerMetrics, NetConfig, Server, TlsConfig, TlsMode};

use crate::scripted::Script;

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Running {
    pub(crate) server: Server<Script>,
    pub(crate) script: Script,
    pub(crate) config: NetConfig,
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Arc<ListenerMetrics>,
    _dir: TempDir,
}

/// A listener on a free port that speaks the toy protocol.
pub(crate) fn toy(tls: TlsMode) -> ListenerConfig {
    ListenerConfig {
        tls,
        ..ListenerConfig::new("toy", "toy", "127.0.0.1:0".parse().unwrap())
    }
}

pub(crate) fn web(tls: TlsMode) -> ListenerConfig {
    ListenerConfig {
        tls,
        ..ListenerConfig::new("web", "http", "127.0.0.1:0".parse().unwrap())
    }
}

impl Running {
    pub(crate) async fn new(listener: ListenerConfig) -> Running {
        let dir = tempfile::tempdir().unwrap();
        let config = NetConfig {
            host_name: "host.example".to_owned(),
            data_dir: dir.path().to_owned(),
            domains: vec!["example.org".to_owned()],
            tls: TlsConfig::default(),
            unlimited_from: Vec::new(),
            metrics_from: vec!["127.0.0.0/8".parse().unwrap()],
            listeners: vec![listener],
        };
        let store = StoreConfig {
            root: dir.path().join("mailboxes"),
            max_open: 4,
            index_cache: 1 << 20,
        };
        let store = Store::open(store).await.unwrap();
        let directory = DirectoryConfig::new(dir.path().join("directory.sqlite"));
        let directory = Directory::open(directory).await.unwrap();
        directory.add_domain("example.org").await.unwrap();
        let password = SecretString::from("wonderland");
        directory
            .add_user("ann@example.org", "Ann", password, &"0".repeat(32))
            .await
            .unwrap();
        let script = Script::default();
        let server = Server::start(config.clone(), script.clone(), store, directory)
            .await
            .unwrap();
        let bound = server.listeners().remove(0);
        Running {
            server,
            script,
            config,
            address: bound.address,
            metrics: bound.metrics,
            _dir: dir,
        }
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.server.authority()
    }

    pub(crate) async fn connect(&self) -> Client<TcpStream> {
        Client::new(TcpStream::connect(self.address).await.unwrap())
    }

    pub(crate) async fn connect_tls(&self) -> Client<TlsStream<TcpStream>> {
        self.connect().await.into_tls(self.authority()).await
    }

    /// Greeted by the toy.
    pub(crate) async fn greeted(&self) -> Client<TcpStream> {
        let mut client = self.connect().await;
        assert_eq!(client.line().await, "hello 127.0.0.1 plain");
        client
    }
}

/// A peer that speaks in lines.
pub(crate) struct Client<S> {
    pub(crate) stream: S,
}

/// Trusts the authority and nothing else.
pub(crate) fn trusting(authority: PathBuf) -> ClientConfig {
    trusting_with(authority, rustls::ALL_VERSIONS)
}

pub(crate) fn trusting_with(
    authority: PathBuf,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(authority).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

impl Client<TcpStream> {
    pub(crate) async fn into_tls(self, authority: PathBuf) -> Client<TlsStream<TcpStream>> {
        self.into_tls_with(Arc::new(trusting(authority)), "localhost")
            .await
    }

    pub(crate) async fn into_tls_with(
        self,
        config: Arc<ClientConfig>,
        name: &str,
    ) -> Client<TlsStream<TcpStream>> {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        Client::new(
            TlsConnector::from(config)
                .connect(name, self.stream)
                .await
                .unwrap(),
        )
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) fn new(stream: S) -> Client<S> {
        Client { stream }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next line, without its end; what came before the end of the stream, if that comes first.
    pub(crate) async fn line(&mut self) -> String {
        let work = async {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                match self.stream.read_u8().await {
                    Ok(octet) => line.push(octet),
                    Err(_) => break,
                }
            }
            String::from_utf8_lossy(&line).trim_end().to_owned()
        };
        timeout(PATIENCE, work).await.unwrap()
    }

    pub(crate) async fn ask(&mut self, command: &str) -> String {
        self.send(format!("{command}\r\n")).await;
        self.line().await
    }

    /// All that comes until the other side closes.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let _ = timeout(PATIENCE, self.stream.read_to_end(&mut rest))
            .await
            .unwrap();
        String::from_utf8_lossy(&rest).into_owned()
    }
}
