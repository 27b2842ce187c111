//! A connection, in the clear or under TLS, read line by line.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context, Result, bail};
use bytes::{Buf, BytesMut};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// The most that is asked of the socket at once.
const READ: usize = 256 * 1024;

/// A connection to a server.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
}

impl Wire {
    pub(crate) async fn connect(to: SocketAddr) -> Result<Wire> {
        let stream = TcpStream::connect(to)
            .await
            .with_context(|| format!("connect to {to}"))?;
        stream.set_nodelay(true)?;
        Ok(Wire {
            stream: Box::new(stream),
            buffer: BytesMut::new(),
        })
    }

    /// Connects with TLS from the first byte; the server is `localhost` of the authority in a PEM file.
    pub(crate) async fn connect_tls(to: SocketAddr, authority: &Path) -> Result<Wire> {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(authority)? {
            roots.add(certificate?)?;
        }
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(
            rustls::crypto::ring::default_provider(),
        ))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
        let stream = TcpStream::connect(to)
            .await
            .with_context(|| format!("connect to {to}"))?;
        stream.set_nodelay(true)?;
        let stream = tokio_rustls::TlsConnector::from(Arc::new(config))
            .connect(ServerName::try_from("localhost")?, stream)
            .await?;
        Ok(Wire {
            stream: Box::new(stream),
            buffer: BytesMut::new(),
        })
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await?;
        // TLS keeps what it could not write at once.
        self.stream.flush().await?;
        Ok(())
    }

    async fn fill(&mut self) -> Result<()> {
        self.buffer.reserve(READ);
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }

    /// The next line, without its CRLF.
    pub(crate) async fn line(&mut self) -> Result<BytesMut> {
        let mut searched = 0;
        loop {
            let rest = self.buffer.get(searched..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', rest) {
                let mut line = self.buffer.split_to(searched + at + 1);
                line.truncate(line.len() - 1);
                if line.last() == Some(&b'\r') {
                    line.truncate(line.len() - 1);
                }
                return Ok(line);
            }
            searched = self.buffer.len();
            self.fill().await?;
        }
    }

    /// The next octets, so many.
    pub(crate) async fn take(&mut self, count: usize) -> Result<BytesMut> {
        while self.buffer.len() < count {
            self.fill().await?;
        }
        Ok(self.buffer.split_to(count))
    }

    /// Passes over octets that nobody looks at.
    pub(crate) async fn skip(&mut self, mut count: usize) -> Result<()> {
        loop {
            let here = count.min(self.buffer.len());
            self.buffer.advance(here);
            count -= here;
            if count == 0 {
                return Ok(());
            }
            self.fill().await?;
        }
    }
}
