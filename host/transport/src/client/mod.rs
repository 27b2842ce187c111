//! An SMTP client: one connection to one host, message after message.
//!
//! **Promises** one outcome for each recipient, as the host gave it, whatever it gave to the others; that a message counts as handed over
//! exactly when the host's answer to its end has been read; the time-outs of RFC 5321 section 4.5.3.2. PIPELINING, SIZE, 8BITMIME,
//! SMTPUTF8 and DSN are used where they are offered. Not CHUNKING: one way to write a message is enough.
//!
//! Written here, and not taken from `mail-send` or `lettre`: both give a message up at the first recipient that is refused, keep no
//! enhanced codes, wait for each answer before the next command, and hold the whole message in memory. What `smtp-proto` would
//! save is the reading of replies, which is [`reply`].

mod data;
mod login;
mod reply;
pub(crate) mod tls;
mod transaction;

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufStream},
    net::TcpStream,
    time::timeout,
};

pub(crate) use self::transaction::{Errand, ErrandRecipient, Octets, Verdict};
use self::{
    reply::Reply,
    tls::{Proof, TlsClient},
};
use crate::{OutboundTls, Outcome, TlsDemand, hop::dns::Target};

const CONNECT: Duration = Duration::from_secs(30);
const HANDSHAKE: Duration = Duration::from_secs(60);
/// RFC 5321 sections 4.5.3.2.1 to 4.5.3.2.3.
const COMMAND: Duration = Duration::from_secs(300);
const QUIT: Duration = Duration::from_secs(5);

/// The connection is of no use any more; why.
#[derive(Debug)]
pub(crate) struct Broken(pub(crate) String);

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Broken {
        Broken(error.to_string())
    }
}

/// A socket, or TLS over one.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// What all connections have in common.
pub(crate) struct Client {
    /// What we call ourselves.
    pub(crate) own_name: String,
    pub(crate) tls: TlsClient,
    pub(crate) mode: OutboundTls,
    /// For the relay host only.
    pub(crate) login: Option<login::Login>,
}

/// What a host offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    pub(crate) pipelining: bool,
    pub(crate) eight_bit: bool,
    pub(crate) smtp_utf8: bool,
    pub(crate) dsn: bool,
    pub(crate) require_tls: bool,
    starttls: bool,
    auth: Vec<String>,
    /// Octets; none: not offered, or no limit.
    pub(crate) size: Option<u64>,
    offers_size: bool,
}

/// A connection that has been greeted.
pub(crate) struct Connection {
    stream: BufStream<Box<dyn Wire>>,
    /// Name and address, for people.
    pub(crate) host: String,
    pub(crate) extensions: Extensions,
    pub(crate) encrypted: bool,
    /// Its certificate is for the name that was looked for.
    pub(crate) is_proven: bool,
    /// What the messages ask for that it was made for; no others go over it.
    pub(crate) demand: TlsDemand,
}

/// Why there is no connection.
enum NoConnection {
    /// Another host may do better.
    Host(Outcome),
    /// The handshake failed, and plaintext is allowed.
    Handshake,
}

impl From<Broken> for NoConnection {
    fn from(broken: Broken) -> NoConnection {
        NoConnection::Host(Outcome::unreachable("4.4.2", &broken.0))
    }
}

/// Waits no longer than it may.
async fn within<T, E: Into<Broken>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Broken> {
    match timeout(limit, work).await {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(Broken(format!(
            "no answer within {} seconds",
            limit.as_secs()
        ))),
    }
}

impl Client {
    /// Connects to the first of the places that takes us, and gives what is asked for (RFC 8689 section 4.2.1: each is tried).
    pub(crate) async fn connect(
        &self,
        targets: &[Target],
        demand: TlsDemand,
    ) -> Result<Connection, Outcome> {
        let mut last = None;
        for target in targets {
            match self.connect_to(target).await {
                Ok(connection) if demand == TlsDemand::Required && !connection.keeps_tls() => {
                    last = Some(Outcome::no_require_tls());
                    connection.quit().await;
                }
                Ok(connection) => {
                    return Ok(Connection {
                        demand,
                        ..connection
                    });
                }
                Err(outcome) => {
                    tracing::debug!(host = target.name, address = %target.address, %outcome, "no connection");
                    // What says that we are at home is said of all that come after it.
                    if outcome.is_loop() {
                        return Err(outcome);
                    }
                    last = Some(Outcome {
                        text: format!("{} ({}): {}", target.name, target.address, outcome.text),
                        ..outcome
                    });
                }
            }
        }
        Err(last.unwrap_or_else(|| Outcome::unreachable("4.4.1", "There is no host to try")))
    }

    async fn connect_to(&self, target: &Target) -> Result<Connection, Outcome> {
        let mut refused = None;
        // The second time without TLS, when the first handshake failed and that is allowed.
        for with_tls in [self.mode != OutboundTls::None, false] {
            match self.open(target, with_tls).await {
                Ok(connection) => return Ok(connection),
                Err(NoConnection::Host(outcome)) => {
                    refused = Some(outcome);
                    break;
                }
                Err(NoConnection::Handshake) => {
                    tracing::info!(host = target.name, "TLS failed, trying without");
                }
            }
        }
        Err(refused.unwrap_or_else(|| Outcome::unreachable("4.7.5", "TLS failed")))
    }

    async fn open(&self, target: &Target, with_tls: bool) -> Result<Connection, NoConnection> {
        let socket = within(CONNECT, TcpStream::connect(target.address))
            .await
            .map_err(|broken| NoConnection::Host(Outcome::unreachable("4.4.1", &broken.0)))?;
        // Commands are small, and each is waited for.
        let _ = socket.set_nodelay(true);
        let implicit = with_tls && self.mode == OutboundTls::Implicit;
        let mut wire: Box<dyn Wire> = Box::new(socket);
        if implicit {
            wire = self.handshake(target, wire, Proof::Named).await?;
        }
        let mut connection = Connection {
            stream: BufStream::new(wire),
            host: format!("{} ({})", target.name, target.address),
            extensions: Extensions::default(),
            encrypted: implicit,
            is_proven: implicit,
            demand: TlsDemand::Usual,
        };
        self.greet(&mut connection).await?;
        if with_tls && !implicit {
            connection = self.start_tls(target, connection).await?;
        }
        if let Some(login) = &self.login {
            login.log_in(&mut connection, target).await?;
        }
        Ok(connection)
    }

    async fn greet(&self, connection: &mut Connection) -> Result<(), NoConnection> {
        let greeting = connection.reply(COMMAND).await?;
        if greeting.code != 220 {
            return Err(NoConnection::Host(greeting.outcome().for_now()));
        }
        let name = greeting
            .lines
            .first()
            .and_then(|line| line.split(' ').next());
        if name.is_some_and(|name| name.eq_ignore_ascii_case(&self.own_name)) {
            return Err(NoConnection::Host(Outcome::routing(
                "5.4.6",
                "The mail would come back to this server: the next hop has its name",
            )));
        }
        self.hello(connection).await
    }

    async fn hello(&self, connection: &mut Connection) -> Result<(), NoConnection> {
        let reply = connection
            .command(&format!("EHLO {}\r\n", self.own_name), COMMAND)
            .await?;
        if reply.is_success() {
            connection.extensions = Extensions::read(&reply);
            return Ok(());
        }
        // RFC 5321 section 3.2: a host that does not know EHLO.
        connection.extensions = Extensions::default();
        let reply = connection
            .command(&format!("HELO {}\r\n", self.own_name), COMMAND)
            .await?;
        if reply.is_success() {
            return Ok(());
        }
        Err(NoConnection::Host(reply.outcome().for_now()))
    }

    async fn start_tls(
        &self,
        target: &Target,
        mut connection: Connection,
    ) -> Result<Connection, NoConnection> {
        let may_be_plain = self.mode == OutboundTls::Opportunistic && !target.verified;
        let offered = connection.extensions.starttls;
        let ready = match offered {
            true => connection
                .command("STARTTLS\r\n", COMMAND)
                .await?
                .is_success(),
            false => false,
        };
        if !ready && may_be_plain {
            return Ok(connection);
        }
        if !ready {
            let who = match target.verified {
                true => "its domain's MTA-STS policy",
                false => "this server",
            };
            let text = format!("The host offers no TLS, which {who} asks for");
            return Err(NoConnection::Host(Outcome::unreachable("4.7.5", &text)));
        }
        // RFC 3207 section 4.2: what came before the handshake is nobody's word.
        let wire = connection.stream.into_inner();
        let proof = match (self.mode, target.verified) {
            (OutboundTls::Verified, _) => Proof::Named,
            (_, true) => Proof::Public,
            (_, false) => Proof::Any,
        };
        let wire = match self.handshake(target, wire, proof).await {
            Err(NoConnection::Host(_)) if may_be_plain => return Err(NoConnection::Handshake),
            other => other?,
        };
        let mut connection = Connection {
            stream: BufStream::new(wire),
            host: connection.host,
            extensions: Extensions::default(),
            encrypted: true,
            is_proven: proof != Proof::Any,
            demand: TlsDemand::Usual,
        };
        self.hello(&mut connection).await?;
        Ok(connection)
    }

    async fn handshake(
        &self,
        target: &Target,
        wire: Box<dyn Wire>,
        proof: Proof,
    ) -> Result<Box<dyn Wire>, NoConnection> {
        let done = within(HANDSHAKE, self.tls.connect(&target.name, wire, proof)).await;
        match done {
            Ok(stream) => Ok(Box::new(stream)),
            Err(broken) => {
                let text = format!("TLS failed: {}", broken.0);
                Err(NoConnection::Host(Outcome::unreachable("4.7.5", &text)))
            }
        }
    }
}

impl Connection {
    /// Whether the host has proved its name and promises the same of the next.
    pub(crate) fn keeps_tls(&self) -> bool {
        self.is_proven && self.extensions.require_tls
    }

    async fn send(&mut self, octets: &[u8], limit: Duration) -> Result<(), Broken> {
        within(limit, async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        })
        .await
    }

    async fn reply(&mut self, limit: Duration) -> Result<Reply, Broken> {
        within(limit, Reply::read(&mut self.stream)).await
    }

    async fn command(&mut self, line: &str, limit: Duration) -> Result<Reply, Broken> {
        self.send(line.as_bytes(), limit).await?;
        self.reply(limit).await
    }

    /// Says goodbye; nobody minds when it is not heard.
    pub(crate) async fn quit(mut self) {
        let _ = timeout(QUIT, async {
            let _ = self.command("QUIT\r\n", QUIT).await;
            let _ = self.stream.shutdown().await;
        })
        .await;
    }
}

impl Extensions {
    fn read(reply: &Reply) -> Extensions {
        let mut offers = Extensions::default();
        for line in reply.lines.iter().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
            match keyword.as_str() {
                "PIPELINING" => offers.pipelining = true,
                "8BITMIME" => offers.eight_bit = true,
                "SMTPUTF8" => offers.smtp_utf8 = true,
                "DSN" => offers.dsn = true,
                "REQUIRETLS" => offers.require_tls = true,
                "STARTTLS" => offers.starttls = true,
                "AUTH" => offers.auth = words.map(str::to_ascii_uppercase).collect(),
                "SIZE" => {
                    offers.offers_size = true;
                    offers.size = words
                        .next()
                        .and_then(|limit| limit.parse().ok())
                        .filter(|limit| *limit > 0);
                }
                _ => {}
            }
        }
        offers
    }
}

/// Shared by all connections of a courier.
pub(crate) type SharedClient = Arc<Client>;

pub(crate) use self::login::Login;

#[cfg(test)]
mod tests;
