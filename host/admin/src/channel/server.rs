//! The server's end: one task per administrator, at most [`AT_ONCE`].
//!
//! The socket file is 0600, and the kernel's word on who connected (SO_PEERCRED) is checked as well: only the server's own
//! user and root are administrators. A connection that breaks its promise hears why and is closed; nothing it does ends
//! the server.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

use super::{frames, socket::SocketPath};
use crate::{
    Admin, Error, Result, export,
    import::Import,
    protocol::{
        ExportFrame, ExportItem, ExportStart, ImportFrame, ImportMessage, ImportStart, Progress,
        Reply, Request, Response,
    },
};

/// Connections that are served at the same time; others wait.
const AT_ONCE: usize = 32;
/// Between two tries when the kernel gives no connection.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// Exported messages between the mailbox and the socket.
const EXPORT_AHEAD: usize = 4;
/// Octets of one imported message.
const MAX_MESSAGE: u64 = 512 * 1024 * 1024;

/// Answers administrators until dropped. A socket that nobody listens on is replaced.
///
/// # Errors
/// [`Error::Channel`] when another server answers there, [`Error::Io`] when the socket cannot be made.
pub async fn serve(socket: &Path, admin: Admin) -> Result<()> {
    let path = SocketPath::new(socket)?;
    if UnixStream::connect(&path).await.is_ok() {
        return Err(Error::Channel(format!(
            "another server answers on {}",
            socket.display()
        )));
    }
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
    let _removed = RemovedWhenDropped(socket);
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut administrators = JoinSet::new();
    loop {
        while administrators.try_join_next().is_some() {}
        let place = places
            .clone()
            .acquire_owned()
            .await
            .map_err(|error| Error::Channel(error.to_string()))?;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // Out of descriptors, say: whoever administers then needs this socket most.
            Err(error) => {
                tracing::error!(%error, "admin socket");
                tokio::time::sleep(RETRY_AFTER).await;
                continue;
            }
        };
        let admin = admin.clone();
        administrators.spawn(async move {
            let _place = place;
            if let Err(error) = serve_one(stream, &admin).await {
                tracing::warn!(%error, "administrator's connection");
            }
        });
    }
}

struct RemovedWhenDropped<'a>(&'a Path);

impl Drop for RemovedWhenDropped<'_> {
    fn drop(&mut self) {
        // A leftover is replaced at the next start.
        let _ = fs::remove_file(self.0);
    }
}

async fn serve_one(stream: UnixStream, admin: &Admin) -> Result<()> {
    let uid = stream.peer_cred()?.uid();
    if uid != rustix::process::geteuid().as_raw() && uid != 0 {
        return Err(Error::Channel(format!("uid {uid} is no administrator")));
    }
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let answer = match frames::read::<Request>(&mut reader).await {
        Ok(None) => return Ok(()),
        Ok(Some(Request::Import(start))) => import(admin, start, &mut reader, &mut writer).await,
        Ok(Some(Request::Export(start))) => export(admin, start, &mut writer).await,
        Ok(Some(request)) => {
            let may_stop = request.may_be_broken_off();
            tokio::select! {
                answer = execute(admin, request, &mut writer) => answer,
                () = gone(&mut reader), if may_stop => return Err(Error::Channel(
                    "the administrator went away, what was asked for is broken off".into(),
                )),
            }
        }
        Err(error) => Err(error),
    };
    let reply = match answer {
        Ok(response) => Reply::Done(response),
        Err(error) => Reply::Failed(error.to_string()),
    };
    frames::write(&mut writer, &reply).await
}

/// Resolves when the other side has closed, or sends what nobody asked for.
async fn gone(reader: &mut (impl AsyncBufRead + Unpin)) {
    let _ = reader.fill_buf().await;
}

async fn execute(
    admin: &Admin,
    request: Request,
    writer: &mut (impl AsyncWrite + Unpin),
) -> Result<Response> {
    let (sender, mut receiver) = mpsc::unbounded_channel::<Progress>();
    let mut tell = move |progress| {
        // Fails only when nobody is left to be told.
        let _ = sender.send(progress);
    };
    let command = admin.execute(request, &mut tell);
    tokio::pin!(command);
    let response = loop {
        tokio::select! {
            Some(progress) = receiver.recv() => {
                // A client that went away does not stop a check half-way through its repairs.
                let _ = frames::write(writer, &Reply::Progress(progress)).await;
            }
            response = &mut command => break response,
        }
    };
    while let Ok(progress) = receiver.try_recv() {
        frames::write(writer, &Reply::Progress(progress)).await?;
    }
    response
}

/// Sends messages as fast as they are taken: the socket holds the reading back.
async fn export(
    admin: &Admin,
    start: ExportStart,
    writer: &mut (impl AsyncWrite + Unpin),
) -> Result<Response> {
    let (sender, mut items) = mpsc::channel(EXPORT_AHEAD);
    let sending = async {
        while let Some(item) = items.recv().await {
            match item {
                ExportItem::Folder(folder) => {
                    frames::write(writer, &Reply::Export(ExportFrame::Folder(folder))).await?;
                }
                ExportItem::Message(header, octets) => {
                    let size = octets.len() as u64;
                    let frame = ExportFrame::Message { header, size };
                    frames::write(writer, &Reply::Export(frame)).await?;
                    writer.write_all(&octets).await?;
                }
            }
        }
        Ok::<(), Error>(())
    };
    let (summary, ()) = tokio::try_join!(export::export(admin, start, sender), sending)?;
    Ok(Response::Exported(summary))
}

/// Reads messages as fast as they are stored: the socket holds the client back.
async fn import(
    admin: &Admin,
    start: ImportStart,
    reader: &mut (impl AsyncBufRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
) -> Result<Response> {
    let mut import = Import::begin(admin, start).await?;
    loop {
        let progress = match frames::read::<ImportFrame>(reader).await? {
            Some(ImportFrame::Message { header, size }) if size <= MAX_MESSAGE => {
                let mut message = Vec::new();
                if reader.take(size).read_to_end(&mut message).await? as u64 != size {
                    return Err(Error::Channel(format!("{} was cut off", header.origin)));
                }
                import
                    .message(ImportMessage {
                        header,
                        message: message.into(),
                    })
                    .await?
            }
            Some(ImportFrame::Message { header, size }) => {
                tokio::io::copy(&mut reader.take(size), &mut tokio::io::sink()).await?;
                import.refuse(header.origin, format!("limit reached: a message may have {MAX_MESSAGE} octets, this one has {size}"));
                None
            }
            Some(ImportFrame::End) => return Ok(Response::Imported(import.finish().await?)),
            // What came before is kept, and known at the next run.
            None => {
                import.finish().await?;
                return Err(Error::Channel(
                    "the import was broken off; run it again to go on".into(),
                ));
            }
        };
        if let Some(progress) = progress {
            frames::write(writer, &Reply::Progress(Progress::Import(progress))).await?;
        }
    }
}
