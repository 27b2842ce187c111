//! TLS from the first byte and by STARTTLS, compression, certificates.

use std::{fs, process::Command, sync::Arc, time::Duration};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use rustls::{HandshakeKind, version::TLS12};
use tokio::{io::AsyncReadExt, net::TcpStream, time::sleep};
use waxwing_net::{CertificateFiles, TlsMode};

use crate::running::{Client, Running, toy, trusting, trusting_with};

#[tokio::test]
async fn a_rustls_client_that_trusts_only_the_authority_is_served_under_every_name() {
    let running = Running::new(toy(TlsMode::Implicit)).await;
    let config = Arc::new(trusting(running.authority()));
    for name in [
        "localhost",
        "127.0.0.1",
        "::1",
        "host.example",
        "example.org",
        "autodiscover.example.org",
        "mail.example.org",
    ] {
        let mut client = running
            .connect()
            .await
            .into_tls_with(Arc::clone(&config), name)
            .await;
        assert_eq!(client.line().await, "hello 127.0.0.1 encrypted", "{name}");
    }
    assert_eq!(running.metrics.tls_handshakes.get(), 7);
}

#[tokio::test]
async fn pythons_ssl_module_in_its_strict_mode_is_served() {
    let running = Running::new(toy(TlsMode::Implicit)).await;
    let script = "import socket, ssl, sys\n\
        context = ssl.create_default_context(cafile=sys.argv[1])\n\
        context.verify_flags |= ssl.VERIFY_X509_STRICT\n\
        for name in ['localhost', '127.0.0.1', 'autodiscover.example.org']:\n\
        \x20   with context.wrap_socket(socket.create_connection(('127.0.0.1', int(sys.argv[2]))), server_hostname=name) as s:\n\
        \x20       assert s.recv(100).startswith(b'hello'), name\n";
    let (authority, port) = (running.authority(), running.address.port().to_string());
    let python = move || {
        Command::new("python3")
            .args(["-c", script])
            .arg(authority)
            .arg(port)
            .output()
            .unwrap()
    };
    let output = tokio::task::spawn_blocking(python).await.unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn starttls_encrypts_the_same_session_and_tells_the_plugin_what_was_agreed() {
    let running = Running::new(toy(TlsMode::Starttls)).await;
    let mut client = running.greeted().await;
    assert_eq!(client.ask("starttls").await, "go ahead");
    let mut client = client.into_tls(running.authority()).await;
    let established = client.line().await;
    assert!(
        established.starts_with("TLSv1.3 TLS_") && established.ends_with(" 32"),
        "{established}"
    );
    assert_eq!(client.ask("echo secret").await, "secret");
}

#[tokio::test]
async fn plaintext_sent_behind_starttls_is_never_executed() {
    let running = Running::new(toy(TlsMode::Starttls)).await;
    let mut client = running.greeted().await;
    client.send("starttls\r\necho injected\r\n").await;
    assert_eq!(client.line().await, "go ahead");
    let mut client = client.into_tls(running.authority()).await;
    assert!(client.line().await.starts_with("TLSv1.3"));
    assert_eq!(client.ask("echo mine").await, "mine");
    assert!(
        !running
            .script
            .log()
            .contains(&"line echo injected".to_owned())
    );
}

#[tokio::test]
async fn the_channel_binding_is_the_exporter_of_rfc_9266_and_missing_where_it_would_be_unsafe() {
    let running = Running::new(toy(TlsMode::Starttls)).await;
    let config = trusting_with(running.authority(), &[&TLS12]);
    let mut client = running.greeted().await;
    assert_eq!(client.ask("starttls").await, "go ahead");
    let mut client = client.into_tls_with(Arc::new(config), "localhost").await;
    let established = client.line().await;
    assert!(
        established.starts_with("TLSv1.2 TLS_") && established.ends_with(" 0"),
        "{established}"
    );
}

#[tokio::test]
async fn a_second_connection_resumes_the_first_ones_session_even_across_a_reload() {
    let running = Running::new(toy(TlsMode::Implicit)).await;
    let config = Arc::new(trusting(running.authority()));
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let mut client = running
            .connect()
            .await
            .into_tls_with(Arc::clone(&config), "localhost")
            .await;
        assert_eq!(client.ask("echo x").await, "hello 127.0.0.1 encrypted");
        kinds.push(client.stream.get_ref().1.handshake_kind());
        running.server.reload(running.config.clone()).await.unwrap();
    }
    assert_eq!(
        kinds.last(),
        Some(&Some(HandshakeKind::Resumed)),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn a_changed_certificate_file_is_served_within_seconds_and_connections_stay() {
    let running = Running::new(toy(TlsMode::Implicit)).await;
    let own = tempfile::tempdir().unwrap();
    let files = CertificateFiles {
        certificate: own.path().join("c.pem"),
        key: own.path().join("k.pem"),
    };
    let local = running.authority().with_file_name("cert.pem");
    fs::copy(&local, &files.certificate).unwrap();
    fs::copy(local.with_file_name("key.pem"), &files.key).unwrap();
    let mut config = running.config.clone();
    config.tls.certificates = vec![files.clone()];
    running.server.reload(config).await.unwrap();
    let mut before = running.connect_tls().await;
    assert_eq!(before.line().await, "hello 127.0.0.1 encrypted");

    let other = Running::new(toy(TlsMode::Implicit)).await;
    let authority = other.authority();
    fs::write(&files.certificate, "broken").unwrap();
    sleep(Duration::from_secs(4)).await;
    running.connect_tls().await;
    fs::copy(authority.with_file_name("key.pem"), &files.key).unwrap();
    fs::copy(authority.with_file_name("cert.pem"), &files.certificate).unwrap();
    sleep(Duration::from_secs(4)).await;
    let mut after = running.connect().await.into_tls(authority).await;
    assert_eq!(after.line().await, "hello 127.0.0.1 encrypted");
    assert_eq!(before.ask("echo still here").await, "still here");
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_counted_and_harms_nobody() {
    let running = Running::new(toy(TlsMode::Implicit)).await;
    let mut client = running.connect().await;
    client.send("a1 LOGIN ann secret\r\n").await;
    client.rest().await;
    running.connect_tls().await;
    assert_eq!(running.metrics.tls_failed.get(), 1);
}

/// The client's side of RFC 4978.
struct Deflated {
    stream: TcpStream,
    compress: Compress,
    decompress: Decompress,
}

impl Deflated {
    async fn ask(&mut self, text: &str) -> String {
        let mut out = Vec::with_capacity(text.len() + 1_000);
        self.compress
            .compress_vec(text.as_bytes(), &mut out, FlushCompress::Sync)
            .unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut self.stream, &out)
            .await
            .unwrap();
        let mut plain = Vec::with_capacity(2_000_000);
        while !plain.ends_with(b"\r\n") {
            let mut raw = vec![0; 4_096];
            let count = self.stream.read(&mut raw).await.unwrap();
            assert_ne!(count, 0);
            self.decompress
                .decompress_vec(&raw[..count], &mut plain, FlushDecompress::Sync)
                .unwrap();
        }
        String::from_utf8(plain).unwrap().trim_end().to_owned()
    }
}

#[tokio::test]
async fn compression_works_both_ways_and_saves_octets() {
    let running = Running::new(toy(TlsMode::None)).await;
    let mut client: Client<TcpStream> = running.greeted().await;
    assert_eq!(client.ask("compress").await, "go ahead");
    let mut client = Deflated {
        stream: client.stream,
        compress: Compress::new(Compression::fast(), false),
        decompress: Decompress::new(false),
    };
    assert_eq!(client.ask("echo small\r\n").await, "small");
    assert_eq!(client.ask("body 1000000\r\n").await.len(), 1_000_002);
    assert_eq!(
        client
            .ask(&format!("echo {}\r\n", "y".repeat(50_000)))
            .await
            .len(),
        50_000
    );
}
