//! A plugin side without plugins: a toy line protocol and a few HTTP paths, each doing one thing of the contract.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::mpsc;
use waxwing_exmdb::Body;
use waxwing_net::{Attention, HttpExchange, Plugins, StreamSession};
use waxwing_runtime::{
    Action, CloseReason, Context, Error, Event, Framing, HttpAction, HttpRequest, PluginStatus,
    Result, Route, RouteAuth, Turn, Usage,
};

/// What happened on the plugin side, and the doors to wake its sessions by.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Inner>);

#[derive(Default)]
struct Inner {
    log: Mutex<Vec<String>>,
    wakers: Mutex<Vec<mpsc::UnboundedSender<Attention<&'static str>>>>,
}

impl Script {
    pub(crate) fn log(&self) -> Vec<String> {
        self.0.log.lock().unwrap().clone()
    }

    pub(crate) fn note(&self, line: impl Into<String>) {
        self.0.log.lock().unwrap().push(line.into());
    }

    /// Wakes all sessions.
    pub(crate) fn wake(&self, attention: impl Fn() -> Attention<&'static str>) {
        for waker in self.0.wakers.lock().unwrap().iter() {
            let _ = waker.send(attention());
        }
    }

    /// Until `line` stands in the log.
    pub(crate) async fn noted(&self, line: &str) {
        for _ in 0..500 {
            if self.log().iter().any(|noted| noted == line) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{line:?} is not in {:?}", self.log());
    }
}

impl Plugins for Script {
    type Session = Session;
    type Exchange = Exchange;

    async fn open(&self, context: Context) -> Result<(Session, Turn)> {
        if &*context.listener == "without-plugin" {
            return Err(Error::NoPlugin(context.protocol.to_string()));
        }
        let (waker, wakes) = mpsc::unbounded_channel();
        self.0.wakers.lock().unwrap().push(waker);
        let tls = if context.tls.is_some() {
            "encrypted"
        } else {
            "plain"
        };
        let hello = format!("hello {} {tls}\r\n", context.peer.ip());
        let session = Session {
            script: self.clone(),
            wakes,
            version: 1,
            principal: None,
            pages: 0..0,
        };
        Ok((session, says(hello)))
    }

    fn routes(&self) -> Arc<Vec<Route>> {
        let route = |prefix: &str, auth| Route {
            plugin: "toy".to_owned(),
            prefix: prefix.to_owned(),
            auth,
            max_body: 1_000_000,
        };
        let missing = Route {
            plugin: "missing".to_owned(),
            ..route("/missing", RouteAuth::None)
        };
        Arc::new(vec![
            route("/toy/", RouteAuth::None),
            route("/secret/", RouteAuth::Basic),
            missing,
        ])
    }

    fn exchange(&self, plugin: &str, request: HttpRequest) -> Result<Exchange> {
        if plugin == "missing" {
            return Err(Error::NoPlugin(plugin.to_owned()));
        }
        Ok(Exchange {
            script: self.clone(),
            request,
            turns: 0,
        })
    }

    fn status(&self) -> Vec<PluginStatus> {
        let version = |state: &str, digest: &str| PluginStatus {
            plugin: "toy".to_owned(),
            version: "1.0.0".to_owned(),
            state: state.to_owned(),
            digest: digest.to_owned(),
            sessions: 3,
            frozen: 2,
            turns: 5,
            cpu: Duration::from_millis(1500),
            ..PluginStatus::default()
        };
        vec![version("retired", "aa"), version("active", "bb")]
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }
}

pub(crate) struct Session {
    script: Script,
    wakes: mpsc::UnboundedReceiver<Attention<&'static str>>,
    version: u32,
    principal: Option<String>,
    /// Still to be shown.
    pages: std::ops::Range<u32>,
}

fn send(text: impl Into<String>) -> Action {
    Action::Send(Bytes::from(text.into()))
}

fn says(text: impl Into<String>) -> Turn {
    Turn {
        consumed: 0,
        actions: vec![send(text)],
    }
}

impl Session {
    /// All whole lines, as far as one of them wants something to happen first.
    fn lines(&mut self, input: &[u8]) -> Result<Turn> {
        let mut turn = Turn::default();
        while let Some(end) = input[turn.consumed..]
            .windows(2)
            .position(|pair| pair == b"\r\n")
        {
            let line =
                String::from_utf8_lossy(&input[turn.consumed..turn.consumed + end]).into_owned();
            turn.consumed += end + 2;
            self.script.note(format!("line {line}"));
            let before = turn.actions.len();
            self.command(&line, &mut turn.actions)?;
            if turn.actions[before..]
                .iter()
                .any(|action| !matches!(action, Action::Send(_) | Action::SendBody { .. }))
            {
                break;
            }
        }
        Ok(turn)
    }

    fn command(&mut self, line: &str, actions: &mut Vec<Action>) -> Result<()> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let number = || rest.split(' ').next().unwrap().parse::<u64>().unwrap();
        match verb {
            "echo" => actions.push(send(format!("{rest}\r\n"))),
            "version" => actions.push(send(format!("version {}\r\n", self.version))),
            "login" => self.principal = Some(rest.to_owned()),
            "exact" => actions.push(Action::ReceiveBody {
                framing: Framing::Exact(number()),
                limit: 1_000,
            }),
            "data" => actions.push(Action::ReceiveBody {
                framing: Framing::DotStuffed,
                limit: number(),
            }),
            "body" => {
                let body = Body::from_bytes(vec![b'b'; number() as usize].into());
                let length = body.size();
                actions.extend([
                    send("<"),
                    Action::SendBody {
                        body,
                        offset: 0,
                        length,
                        stuffed: false,
                    },
                    send(">\r\n"),
                ]);
            }
            "pages" => {
                self.pages = 1..number() as u32;
                actions.extend([
                    send(format!("page 0 of version {}\r\n", self.version)),
                    Action::More,
                ]);
            }
            "starttls" => actions.extend([send("go ahead\r\n"), Action::StartTls]),
            "compress" => actions.extend([send("go ahead\r\n"), Action::StartCompression]),
            "park" => actions.push(Action::Park),
            "trap" => return Err(Error::SessionLost("trapped".to_owned())),
            "quit" => actions.extend([send("bye\r\n"), Action::Close]),
            _ => actions.push(send("what?\r\n")),
        }
        Ok(())
    }

    async fn received(body: Option<Body>, head: String) -> Turn {
        let Some(body) = body else {
            return says(format!("{head}\r\n"));
        };
        let mut text = head.into_bytes();
        text.push(b' ');
        text.extend_from_slice(&body.read(0, 200).await.unwrap());
        text.extend_from_slice(b"\r\n");
        Turn {
            consumed: 0,
            actions: vec![Action::Send(text.into())],
        }
    }
}

impl StreamSession for Session {
    type Pending = &'static str;

    async fn handle(&mut self, event: Event) -> Result<Turn> {
        match event {
            Event::Input(input) => {
                self.script.note(format!("input {}", input.len()));
                self.lines(&input)
            }
            Event::TlsEstablished(tls) => Ok(says(format!(
                "{} {} {}\r\n",
                tls.protocol,
                tls.cipher,
                tls.channel_binding.len()
            ))),
            Event::BodyReceived {
                outcome,
                body,
                size,
                ..
            } => Ok(Session::received(body, format!("{outcome:?} {size}")).await),
            Event::Drained => {
                let page = self.pages.next().unwrap();
                let mut turn = says(format!("page {page} of version {}\r\n", self.version));
                if !self.pages.is_empty() {
                    turn.actions.push(Action::More);
                }
                self.script.note(format!("page {page}"));
                Ok(turn)
            }
            Event::Closing(reason) => Ok(says(format!("goodbye {reason:?}\r\n"))),
            Event::Closed => {
                self.script.note("closed");
                Ok(Turn::default())
            }
        }
    }

    fn has_moved(&self, _bytes_in: u64, _bytes_out: u64) {}

    fn span(&self) -> tracing::Span {
        tracing::Span::none()
    }

    async fn wake(&mut self) -> Attention<&'static str> {
        match self.wakes.recv().await {
            Some(attention) => attention,
            None => std::future::pending().await,
        }
    }

    async fn turn_for(&mut self, pending: &'static str) -> Result<Turn> {
        Ok(says(format!("* {pending}\r\n")))
    }

    async fn upgrade(&mut self) -> Result<Turn> {
        self.version += 1;
        self.script.note("upgraded");
        Ok(Turn::default())
    }

    async fn park(&mut self) {
        self.script.note("parked");
    }

    fn principal(&self) -> Option<String> {
        self.principal.clone()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.script.note("dropped");
    }
}

pub(crate) struct Exchange {
    script: Script,
    request: HttpRequest,
    turns: u32,
}

fn head(status: u16, content_length: Option<u64>) -> HttpAction {
    let headers = vec![("content-type".to_owned(), Bytes::from_static(b"text/plain"))];
    HttpAction::Head {
        status,
        headers,
        content_length,
    }
}

fn page(text: impl Into<String>) -> Result<Option<Vec<HttpAction>>> {
    Ok(Some(vec![
        head(200, None),
        HttpAction::Send(Bytes::from(text.into())),
        HttpAction::Finish,
    ]))
}

impl HttpExchange for Exchange {
    async fn next(&mut self) -> Result<Option<Vec<HttpAction>>> {
        self.turns += 1;
        let request = &self.request;
        match (
            request
                .path
                .to_ascii_lowercase()
                .trim_start_matches("/toy/"),
            self.turns,
        ) {
            ("hello", _) => page(format!("{} {}", request.method, request.path)),
            ("headers", _) => page(format!("{:?}", request.headers)),
            ("/secret/me", _) => page(request.principal.as_ref().unwrap().address.clone()),
            ("upload", _) => {
                let body = request.body.clone().unwrap();
                let length = body.size();
                let content = HttpAction::SendBody {
                    body,
                    offset: 0,
                    length,
                };
                Ok(Some(vec![
                    head(200, Some(length)),
                    content,
                    HttpAction::Finish,
                ]))
            }
            ("stream", 1) => Ok(Some(vec![head(200, None)])),
            ("stream", 5) => Ok(Some(vec![HttpAction::Finish])),
            ("broken" | "late", 2..) => {
                // What was sent before has left by then.
                tokio::time::sleep(Duration::from_millis(100)).await;
                match request.path.as_str() {
                    "/toy/broken" => Ok(Some(vec![HttpAction::Abort])),
                    _ => Err(Error::SessionLost("trapped".to_owned())),
                }
            }
            ("stream", turn @ 2..) => Ok(Some(vec![HttpAction::Send(
                format!("chunk {turn}\n").into(),
            )])),
            ("broken" | "late", _) => Ok(Some(vec![
                head(200, None),
                HttpAction::Send("start".into()),
            ])),
            ("early", _) => Err(Error::SessionLost("trapped".to_owned())),
            ("not-allowed", _) => Ok(Some(vec![head(405, None), HttpAction::Finish])),
            ("park", _) => {
                self.script.note("exchange parked");
                std::future::pending().await
            }
            ("endless", 1) => Ok(Some(vec![head(200, None)])),
            ("endless", turn) => {
                self.script.note(format!("endless {turn}"));
                Ok(Some(vec![HttpAction::Send(vec![0; 256 * 1024].into())]))
            }
            other => panic!("{other:?} is not in the script"),
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.script.note("exchange dropped");
    }
}

/// For the tests that end sessions from the plugin side.
pub(crate) fn end(reason: CloseReason) -> Attention<&'static str> {
    Attention::Close(reason)
}
