//! The CLI's end, and the same commands without a server.

use std::{
    io::{self, ErrorKind},
    path::PathBuf,
};

use tokio::{
    io::{AsyncBufRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::UnixStream,
    sync::mpsc,
};

use super::{frames, socket::SocketPath};
use crate::{
    Admin, DataDir, Error, Result,
    admin::ProgressSink,
    export,
    import::Import,
    protocol::{
        ExportFrame, ExportItem, ExportStart, ExportSummary, ImportFrame, ImportMessage,
        ImportStart, ImportSummary, Progress, Reply, Request, Response,
    },
};

/// A way to have commands executed.
pub struct Connection(Way);

enum Way {
    /// One connection to this socket per command.
    Server(PathBuf),
    Here(Box<Admin>),
}

impl Connection {
    /// The running server of this data directory, if one answers.
    ///
    /// # Errors
    /// [`Error::Io`] when the socket is somebody else's.
    pub async fn to_server(data: &DataDir) -> Result<Option<Connection>> {
        let socket = data.admin_socket();
        match connect(&socket).await {
            Ok(_) => Ok(Some(Connection(Way::Server(socket)))),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::ConnectionRefused
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(Error::Io(error)),
        }
    }

    /// The databases themselves, which the caller has opened; the store's lock says that no server has.
    pub fn here(admin: Admin) -> Connection {
        Connection(Way::Here(Box::new(admin)))
    }

    /// Whether a running server executes the commands.
    pub fn is_online(&self) -> bool {
        matches!(self.0, Way::Server(_))
    }

    /// Executes one command (not `Import`).
    ///
    /// # Errors
    /// [`Error::Failed`] with the server's words, [`Error::Channel`] and [`Error::Io`] when it went away.
    pub async fn call(&mut self, request: Request, progress: ProgressSink<'_>) -> Result<Response> {
        match &self.0 {
            Way::Here(admin) => admin.execute(request, progress).await,
            Way::Server(socket) => {
                let (reader, mut writer) = connect(socket).await?.into_split();
                frames::write(&mut writer, &request).await?;
                answer(&mut BufReader::new(reader), progress).await
            }
        }
    }

    /// Imports what comes out of `messages` until its sender is dropped. Send on it from a blocking thread: it holds back
    /// when the store is slower. When this returns an error the receiver is gone, and so is the reason to go on sending.
    ///
    /// # Errors
    /// As [`Connection::call`]. What was imported before is kept, and skipped by the next run.
    pub async fn import(
        &mut self,
        start: ImportStart,
        messages: mpsc::Receiver<ImportMessage>,
        progress: ProgressSink<'_>,
    ) -> Result<ImportSummary> {
        match &self.0 {
            Way::Here(admin) => import_here(admin, start, messages, progress).await,
            Way::Server(socket) => {
                let (reader, mut writer) = connect(socket).await?.into_split();
                let mut reader = BufReader::new(reader);
                let sending = send(&mut writer, start, messages);
                let answer = answer(&mut reader, progress);
                tokio::pin!(answer);
                let response = tokio::select! {
                    response = &mut answer => response?,
                    // A server that refuses closes its end; its answer says why.
                    _ = sending => answer.await?,
                };
                match response {
                    Response::Imported(summary) => Ok(summary),
                    other => Err(Error::Channel(format!(
                        "{other:?} is no answer to an import"
                    ))),
                }
            }
        }
    }

    /// Exports a mailbox into `items`; take from it in a blocking thread, it is held back by a taker that is slower. The
    /// sender is gone when this returns.
    ///
    /// # Errors
    /// As [`Connection::call`]; also when the taker went away.
    pub async fn export(
        &mut self,
        start: ExportStart,
        items: mpsc::Sender<ExportItem>,
    ) -> Result<ExportSummary> {
        match &self.0 {
            Way::Here(admin) => export::export(admin, start, items).await,
            Way::Server(socket) => {
                let (reader, mut writer) = connect(socket).await?.into_split();
                frames::write(&mut writer, &Request::Export(start)).await?;
                take(&mut BufReader::new(reader), &items).await
            }
        }
    }

    /// Closes what was opened. Without a server, this is where the mailboxes are flushed.
    pub async fn close(self) {
        if let Way::Here(admin) = self.0 {
            admin.store.shutdown().await;
            admin.directory.close().await;
        }
    }
}

async fn connect(socket: &std::path::Path) -> io::Result<UnixStream> {
    // By reference: the path must outlive the connecting, and a path given away does not.
    let path = SocketPath::new(socket)?;
    UnixStream::connect(&path).await
}

/// Hands on the progress and returns the last line.
async fn answer(
    reader: &mut (impl AsyncBufRead + Unpin),
    progress: ProgressSink<'_>,
) -> Result<Response> {
    loop {
        match frames::read(reader).await? {
            Some(Reply::Progress(step)) => progress(step),
            Some(Reply::Done(response)) => return Ok(response),
            Some(Reply::Export(_)) => {
                return Err(Error::Channel("an export that nobody asked for".into()));
            }
            Some(Reply::Failed(reason)) => return Err(Error::Failed(reason)),
            None => {
                return Err(Error::Channel(
                    "the server closed before it answered".into(),
                ));
            }
        }
    }
}

/// Hands on what an export sends.
async fn take(
    reader: &mut (impl AsyncBufRead + Unpin),
    items: &mpsc::Sender<ExportItem>,
) -> Result<ExportSummary> {
    loop {
        let item = match frames::read(reader).await? {
            Some(Reply::Export(ExportFrame::Folder(folder))) => ExportItem::Folder(folder),
            Some(Reply::Export(ExportFrame::Message { header, size })) => {
                let mut octets = Vec::new();
                if (&mut *reader).take(size).read_to_end(&mut octets).await? as u64 != size {
                    return Err(Error::Channel("a message was cut off".into()));
                }
                ExportItem::Message(header, octets.into())
            }
            Some(Reply::Progress(_)) => continue,
            Some(Reply::Done(Response::Exported(summary))) => return Ok(summary),
            Some(Reply::Done(other)) => {
                return Err(Error::Channel(format!(
                    "{other:?} is no answer to an export"
                )));
            }
            Some(Reply::Failed(reason)) => return Err(Error::Failed(reason)),
            None => {
                return Err(Error::Channel(
                    "the server closed before it answered".into(),
                ));
            }
        };
        let gone = |_| Error::Channel("the messages cannot be written".into());
        items.send(item).await.map_err(gone)?;
    }
}

async fn send(
    writer: &mut (impl AsyncWrite + Unpin),
    start: ImportStart,
    mut messages: mpsc::Receiver<ImportMessage>,
) -> Result<()> {
    frames::write(writer, &Request::Import(start)).await?;
    while let Some(ImportMessage { header, message }) = messages.recv().await {
        frames::write(
            writer,
            &ImportFrame::Message {
                header,
                size: message.len() as u64,
            },
        )
        .await?;
        writer.write_all(&message).await?;
    }
    frames::write(writer, &ImportFrame::End).await
}

async fn import_here(
    admin: &Admin,
    start: ImportStart,
    mut messages: mpsc::Receiver<ImportMessage>,
    progress: ProgressSink<'_>,
) -> Result<ImportSummary> {
    let mut import = Import::begin(admin, start).await?;
    while let Some(message) = messages.recv().await {
        if let Some(step) = import.message(message).await? {
            progress(Progress::Import(step));
        }
    }
    import.finish().await
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::{
        protocol::{DomainCommand, DomainRow, MailboxCommand},
        serve,
        testing::{Fixture, message},
    };

    fn ignore(_: Progress) {}

    #[tokio::test]
    async fn a_command_means_the_same_with_and_without_a_server() {
        let fixture = Fixture::with_users(&[]).await;
        let add = |name: &str| Request::Domain(DomainCommand::Add { name: name.into() });
        let mut offline = Connection::here(fixture.admin.clone());
        assert!(!offline.is_online());
        offline.call(add("example.com"), &mut ignore).await.unwrap();
        let (data, server) = fixture.served();
        let mut online = Fixture::connected(&data).await;
        online.call(add("example.net"), &mut ignore).await.unwrap();
        let domains = online
            .call(Request::Domain(DomainCommand::List), &mut ignore)
            .await
            .unwrap();
        let row = |name: &str| DomainRow {
            name: name.into(),
            users: 0,
            catch_all: None,
        };
        assert_eq!(
            domains,
            Response::Domains(vec![
                row("example.com"),
                row("example.net"),
                row("example.org")
            ])
        );
        let refusal = online
            .call(add("example.net"), &mut ignore)
            .await
            .unwrap_err();
        assert_eq!(refusal.to_string(), "domain example.net exists already");
        let mode = std::fs::metadata(data.admin_socket())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        server.abort();
        let _ = server.await;
        assert!(!data.admin_socket().exists());
    }

    #[tokio::test]
    async fn progress_and_imports_go_through_the_socket() {
        let fixture = Fixture::with_users(&["anna@example.org", "bob@example.org"]).await;
        let (data, server) = fixture.served();
        let mut online = Fixture::connected(&data).await;
        let mut steps = 0;
        let check = Request::Mailbox(MailboxCommand::Check {
            mailbox: None,
            repair: false,
        });
        online.call(check, &mut |_| steps += 1).await.unwrap();
        assert_eq!(steps, 2);
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            for number in 0..250 {
                sender
                    .send(message(
                        "INBOX",
                        &format!("Subject: {number}\r\n\r\nbody\r\n"),
                    ))
                    .await
                    .unwrap();
            }
        });
        let start = ImportStart {
            user: "anna".into(),
            total: Some(250),
        };
        let mut last = 0;
        let mut seen = |step| {
            if let Progress::Import(step) = step {
                last = step.imported
            }
        };
        let summary = online.import(start, receiver, &mut seen).await.unwrap();
        assert_eq!((summary.imported, summary.failed), (250, 0));
        assert!(last >= 200, "no progress: {last}");
        server.abort();
    }

    #[tokio::test]
    async fn a_refused_import_says_why_while_the_client_still_sends() {
        let fixture = Fixture::with_users(&[]).await;
        let (data, server) = fixture.served();
        let mut online = Fixture::connected(&data).await;
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            while sender
                .send(message("INBOX", &"x".repeat(1 << 20)))
                .await
                .is_ok()
            {}
        });
        let start = ImportStart {
            user: "nobody".into(),
            total: None,
        };
        let refusal = online
            .import(start, receiver, &mut ignore)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            refusal.contains("nobody@example.org does not exist"),
            "{refusal}"
        );
        server.abort();
    }

    #[tokio::test]
    async fn a_second_server_does_not_take_the_socket() {
        let fixture = Fixture::with_users(&[]).await;
        let (data, server) = fixture.served();
        Fixture::connected(&data).await;
        let second = serve(&data.admin_socket(), fixture.admin.clone()).await;
        assert!(matches!(second, Err(Error::Channel(_))));
        Fixture::connected(&data).await;
        server.abort();
    }

    #[tokio::test]
    async fn nonsense_is_answered_and_ends_nothing() {
        let fixture = Fixture::with_users(&[]).await;
        let (data, server) = fixture.served();
        Fixture::connected(&data).await;
        let (reader, mut writer) = connect(&data.admin_socket()).await.unwrap().into_split();
        writer.write_all(b"EHLO\r\n").await.unwrap();
        let refusal = answer(&mut BufReader::new(reader), &mut ignore)
            .await
            .unwrap_err();
        assert!(matches!(refusal, Error::Failed(_)), "{refusal}");
        let mut online = Fixture::connected(&data).await;
        online
            .call(Request::Domain(DomainCommand::List), &mut ignore)
            .await
            .unwrap();
        server.abort();
    }
}
