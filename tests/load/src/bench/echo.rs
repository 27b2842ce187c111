//! The least that a server on tokio and rustls can do: it answers each read with what it read. Its connections are what
//! sockets, tasks and TLS sessions cost by themselves. It runs as a process of its own, this very program again.

use std::{
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use anyhow::{Context, Result};
use clap::Args;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::{client::Wire, server::resident};

/// What it is called as a peer.
pub(super) const NAME: &str = "tokio+rustls echo";

/// `echo …`: the child.
#[derive(Debug, Args)]
pub(crate) struct Echo {
    /// The folder with `cert.pem` and `key.pem`; in the clear without.
    #[arg(long)]
    tls: Option<PathBuf>,
}

impl Echo {
    /// Prints its port and serves until it is killed. Has the threads that Waxwing has.
    pub(crate) fn run(self) -> Result<()> {
        let acceptor = self.tls.as_deref().map(acceptor).transpose()?;
        tokio::runtime::Runtime::new()?.block_on(serve(acceptor.as_ref()))
    }
}

fn acceptor(folder: &Path) -> Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(folder.join("cert.pem"))?;
    let chain = chain.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(acceptor: Option<&TlsAcceptor>) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        let acceptor = acceptor.cloned();
        tokio::spawn(async move {
            // A client that goes away is no trouble.
            let _ = match acceptor {
                Some(acceptor) => match Box::pin(acceptor.accept(socket)).await {
                    Ok(stream) => echo(stream).await,
                    Err(error) => Err(error),
                },
                None => echo(socket).await,
            };
        });
    }
}

async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    let mut buffer = [0; 1_024];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        stream
            .write_all(buffer.get(..count).unwrap_or_default())
            .await?;
        stream.flush().await?;
    }
}

/// A running echo server.
pub(super) struct Child {
    child: std::process::Child,
    address: SocketAddr,
    tls: bool,
}

impl Child {
    pub(super) fn start(tls: Option<&Path>) -> Result<Child> {
        let mut command = std::process::Command::new(std::env::current_exe()?);
        // It needs no server and no packages; the command line wants them.
        command
            .args(["--server", "-", "--packages", "-", "echo"])
            .stdout(Stdio::piped());
        if let Some(folder) = tls {
            command.arg("--tls").arg(folder);
        }
        let mut child = command.spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        Ok(Child {
            child,
            address: line.trim().parse().context("the echo server's address")?,
            tls: tls.is_some(),
        })
    }

    /// A client that was answered once.
    pub(super) async fn client(&self, authority: &Path) -> Result<Wire> {
        let mut wire = if self.tls {
            Wire::connect_tls(self.address, authority).await?
        } else {
            Wire::connect(self.address).await?
        };
        wire.send(b"a line\r\n").await?;
        wire.line().await?;
        Ok(wire)
    }

    pub(super) fn resident(&self) -> Result<u64> {
        resident(self.child.id())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
