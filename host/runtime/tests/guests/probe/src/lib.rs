//! A guest that does what its client says, good and bad: one command a line. What it is as a version stands in the
//! manifest that it is packed with; a version called `…-refusing`, `…-trapping`, `…-silly`, `…-looping` or `…-dead-end` behaves
//! so in `thaw`, once the session has had a command (so that it passes the self-test); one called `…-second` writes format 2.

wit_bindgen::generate!({
    path: "../../../../../wit",
    inline: "
        package test:probe;
        world probe {
            include waxwing:plugin/imports@1.0.0;
            export waxwing:session/%stream@1.0.0;
            export waxwing:session/handoff@1.0.0;
            export waxwing:http/handler@1.0.0;
        }
    ",
    world: "test:probe/probe",
    generate_all,
});

use std::cell::RefCell;

use exports::waxwing::{
    http::handler::{Action as HttpAction, Guest as HttpGuest, Request, Wake},
    session::{
        handoff::{Cause, Guest as HandoffGuest, Snapshot},
        stream::{Context, Event, Guest as StreamGuest, Turn},
    },
};
use waxwing::{
    config::settings,
    directory::{
        accounts::{self, Credential, Password},
        addresses,
    },
    http::types::{Head, Park},
    log::logger::{self, Level},
    session::types::FolderRef,
    session::types::{Action, Framing, Receive, Timer},
    store::{
        folders,
        types::{ItemFlags, Span},
        views::{self, FlagMode, FlagUpdate, NewMail, Selection, View},
    },
    types::bodies::{self, Body, BodyRange, Piece},
};

#[derive(Default)]
struct State {
    version: String,
    commands: u32,
    frozen: bool,
    freezes_badly: bool,
    body: Option<Body>,
    view: Option<View>,
}

thread_local! { static STATE: RefCell<State> = RefCell::default(); }

struct Probe;

impl StreamGuest for Probe {
    fn start(context: Context) -> Turn {
        let greeting = format!("hello from {}\n", context.version);
        STATE.with_borrow_mut(|state| state.version = context.version);
        say(0, greeting)
    }

    fn handle(event: Event) -> Turn {
        STATE.with_borrow_mut(|state| match event {
            Event::Input(input) => match input.iter().position(|octet| *octet == b'\n') {
                Some(end) => {
                    let line = String::from_utf8_lossy(&input[..end]).into_owned();
                    state.command(end as u32 + 1, &line)
                }
                None => Turn {
                    consumed: 0,
                    actions: vec![],
                },
            },
            Event::Changed(changed) => say(0, format!("changed {}\n", changed.len())),
            Event::Timer(id) => say(0, format!("timer {id}\n")),
            Event::BodyReceived(received) => {
                state.body = received.body;
                say(0, format!("received {}\n", received.size))
            }
            Event::Drained => say(0, "drained\n".into()),
            Event::Closing(_) => Turn {
                consumed: 0,
                actions: vec![Action::Send(b"bye\n".to_vec()), Action::Close],
            },
            _ => Turn {
                consumed: 0,
                actions: vec![],
            },
        })
    }
}

fn say(consumed: u32, text: String) -> Turn {
    Turn {
        consumed,
        actions: vec![Action::Send(text.into_bytes())],
    }
}

fn act(consumed: u32, action: Action) -> Turn {
    Turn {
        consumed,
        actions: vec![action],
    }
}

impl State {
    fn command(&mut self, consumed: u32, line: &str) -> Turn {
        self.commands += 1;
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let number: u64 = rest.parse().unwrap_or(0);
        let text = match word {
            "who" => self.version.clone(),
            "count" => self.commands.to_string(),
            "trap" => panic!("told to"),
            "loop" => loop {
                std::hint::black_box(self.commands);
            },
            "eat" => {
                let mut eaten: Vec<Vec<u8>> = Vec::new();
                loop {
                    eaten.push(std::hint::black_box(vec![1; 1 << 20]));
                }
            }
            "call" => {
                for _ in 0..number {
                    logger::emit(Level::Trace, "called", &[]);
                }
                "called".into()
            }
            "sleep" => {
                std::thread::sleep(std::time::Duration::from_millis(number));
                "slept".into()
            }
            "overconsume" => {
                return Turn {
                    consumed: consumed + 1,
                    actions: vec![],
                };
            }
            "timer" => {
                return act(
                    consumed,
                    Action::SetTimer(Timer {
                        id: 7,
                        after_ms: number,
                    }),
                );
            }
            "more" => return act(consumed, Action::More),
            "receive" => {
                return act(
                    consumed,
                    Action::ReceiveBody(Receive {
                        framing: Framing::Exact(number),
                        limit: 1 << 20,
                    }),
                );
            }
            "compose" => {
                self.body =
                    bodies::compose(&[Piece::Bytes(rest.into()), Piece::Bytes(b"!".to_vec())]).ok();
                "composed".into()
            }
            "body" => match self.body.as_ref().map(|body| body.read(0, 1 << 20)) {
                Some(Ok(octets)) => String::from_utf8_lossy(&octets).into_owned(),
                other => format!("{other:?}"),
            },
            "send-body" => {
                let body = self.body.as_ref().expect("a body").dup();
                return act(
                    consumed,
                    Action::SendBody(BodyRange {
                        body,
                        offset: 0,
                        length: number,
                    }),
                );
            }
            "config" => format!("{:?}", settings::get(rest)),
            "log-in" => {
                let password = Password {
                    user: rest.into(),
                    password: "secret".into(),
                    act_as: None,
                };
                match accounts::authenticate(&Credential::Password(password)) {
                    Ok(principal) => principal.address(),
                    Err(fault) => format!("{:?}: {}", fault.class, fault.detail),
                }
            }
            "append" => {
                let mailbox = accounts::reopen_mailbox(1).expect("a mailbox");
                let inbox = folders::by_role(&mailbox, 1).expect("an inbox");
                let message =
                    bodies::compose(&[Piece::Bytes(b"Subject: hi\r\n\r\nhi\r\n".to_vec())])
                        .expect("a body");
                let mail = NewMail {
                    message: &message,
                    flags: ItemFlags::SEEN,
                    keywords: vec![],
                    internal_date: None,
                };
                format!(
                    "{:?}",
                    views::append(&mailbox, inbox.id, &[mail]).map(|appended| appended.uids)
                )
            }
            "select" => {
                let principal = accounts::current().expect("somebody");
                let mailbox = principal.open_mailbox(None).expect("a mailbox");
                let inbox = folders::by_role(&mailbox, 1).expect("an inbox");
                self.view = Some(views::open(&mailbox, inbox.id, false).expect("a view"));
                return act(
                    consumed,
                    Action::Watch(vec![FolderRef {
                        mailbox: mailbox.number(),
                        folder: inbox.id,
                    }]),
                );
            }
            "exists" => {
                let view = self.view.as_ref().expect("a view");
                let told = view.info().exists;
                format!("{told} {:?}", view.sync(true).map(|changes| changes.exists))
            }
            // What the client of the view hears of it, then, if told to, the end of the turn before it hears it.
            "sync" => {
                let view = self.view.as_ref().expect("a view");
                let told = view.sync(true).expect("changes");
                let flags = told.changed.iter().map(|row| row.uid).collect::<Vec<_>>();
                let text = format!("{:?} {} {flags:?}", told.expunged, told.exists);
                match rest {
                    "trap" => panic!("told to"),
                    "sleep" => std::thread::sleep(std::time::Duration::from_secs(60)),
                    _ => {}
                }
                text
            }
            "flag" => {
                let (uid, then) = rest.split_once(' ').unwrap_or((rest, ""));
                let uid = uid.parse().expect("a uid");
                let update = FlagUpdate {
                    selection: Selection::Uids(vec![Span {
                        first: uid,
                        last: uid,
                    }]),
                    mode: FlagMode::Add,
                    flags: ItemFlags::DELETED,
                    keywords: vec![],
                    unchanged_since: None,
                };
                let view = self.view.as_ref().expect("a view");
                view.set_flags(&update).expect("flags");
                match then {
                    "trap" => panic!("told to"),
                    "expunge" => _ = view.expunge(None).expect("expunged"),
                    _ => {}
                }
                "flagged".into()
            }
            "deselect-and-trap" => {
                self.view.take().expect("a view").close();
                panic!("told to");
            }
            "select-and-trap" => {
                let mailbox = accounts::reopen_mailbox(1).expect("a mailbox");
                let inbox = folders::by_role(&mailbox, 1).expect("an inbox");
                views::open(&mailbox, inbox.id, false).expect("a view");
                panic!("told to");
            }
            "log-in-and-trap" => {
                let password = Password {
                    user: rest.into(),
                    password: "secret".into(),
                    act_as: None,
                };
                let principal = accounts::authenticate(&Credential::Password(password));
                principal.expect("a principal").open_mailbox(None).expect("a mailbox");
                panic!("told to");
            }
            "trap-in-freeze" => {
                self.freezes_badly = true;
                "never heard".into()
            }
            "view" => self
                .view
                .as_ref()
                .map_or(0, |view| view.info().id)
                .to_string(),
            "resume" => {
                let mailbox = accounts::reopen_mailbox(1).expect("a mailbox");
                format!(
                    "{:?}",
                    views::resume(&mailbox, number)
                        .map(|_| ())
                        .map_err(|fault| fault.class)
                )
            }
            "me" => accounts::current().map_or("nobody".into(), |principal| principal.address()),
            "resolve" => format!("{:?}", addresses::resolve(&[rest.to_owned()])),
            "file" => format!(
                "{:?}",
                std::fs::read("/etc/passwd").map_err(|error| error.kind())
            ),
            "connect" => format!(
                "{:?}",
                std::net::TcpStream::connect("127.0.0.1:1").map_err(|error| error.kind())
            ),
            "environment" => format!("{} {}", std::env::args().count(), std::env::vars().count()),
            "stay" => {
                self.frozen = true;
                "staying".into()
            }
            "go" => {
                self.frozen = false;
                "going".into()
            }
            other => format!("unknown {other}"),
        };
        say(consumed, text + "\n")
    }
}

impl HandoffGuest for Probe {
    fn freeze() -> Result<Snapshot, String> {
        STATE.with_borrow(|state| {
            assert!(!state.freezes_badly, "told to");
            if state.frozen {
                return Err("told to stay".into());
            }
            let token = state.body.as_ref().map_or(0, Body::keep);
            let view = state.view.as_ref().map_or(0, |view| view.info().id);
            let mut bytes = [
                state.commands.to_le_bytes().as_slice(),
                &token.to_le_bytes(),
                &view.to_le_bytes(),
            ]
            .concat();
            let second = state.version.ends_with("-second");
            if second {
                bytes.reverse();
            }
            Ok(Snapshot {
                format: 1 + u32::from(second),
                bytes,
            })
        })
    }

    fn thaw(mut snapshot: Snapshot, context: Context, cause: Cause) -> Result<Turn, String> {
        if snapshot.format == 2 {
            snapshot.bytes.reverse();
        }
        let (commands, handles) = snapshot.bytes.split_at(4);
        let (token, view) = handles.split_at(8);
        let view = u64::from_le_bytes(view.try_into().map_err(|_| "short")?);
        let commands = u32::from_le_bytes(commands.try_into().map_err(|_| "short")?);
        let token = u64::from_le_bytes(token.try_into().map_err(|_| "short")?);
        match context
            .version
            .split_once('-')
            .map(|(_, kind)| kind)
            .filter(|_| commands > 0)
        {
            Some("refusing") => return Err("not today".into()),
            Some("picky") if commands % 2 == 1 => return Err("not this one".into()),
            Some("trapping") => panic!("in thaw"),
            Some("silly") => return Ok(act(0, Action::StartTls)),
            // Takes the session, and is told of the view, and cannot freeze what it has.
            Some("dead-end") => STATE.with_borrow_mut(|state| state.freezes_badly = true),
            Some("looping") => loop {
                std::hint::black_box(commands);
            },
            _ => {}
        }
        STATE.with_borrow_mut(|state| {
            state.version = context.version;
            state.commands = commands;
            state.body = (token != 0)
                .then(|| bodies::resume(token))
                .transpose()
                .map_err(|fault| fault.detail)?;
            state.view = (view != 0)
                .then(|| {
                    let mailbox = accounts::reopen_mailbox(1)?;
                    views::resume(&mailbox, view)
                })
                .transpose()
                .map_err(|fault| fault.detail)?;
            Ok(match cause {
                Cause::Crash(crash) => {
                    let line = crash
                        .input
                        .iter()
                        .position(|octet| *octet == b'\n')
                        .map_or(crash.input.len(), |end| end + 1);
                    say(line as u32, format!("server error: {}\n", crash.reason))
                }
                _ => Turn {
                    consumed: 0,
                    actions: vec![],
                },
            })
        })
    }
}

impl HttpGuest for Probe {
    fn handle(request: Request) -> Vec<HttpAction> {
        let park = |timeout_ms| {
            HttpAction::Park(Park {
                watch: vec![],
                timeout_ms,
                ticket: b"parked".to_vec(),
            })
        };
        match request.path.as_str() {
            "/wait" => vec![park(30)],
            "/stream" => vec![head(200), HttpAction::Send(b"one".to_vec()), park(30)],
            "/long" => vec![
                head(200),
                HttpAction::Send(b"one".to_vec()),
                park(3_600_000),
            ],
            "/pages" => vec![
                head(200),
                HttpAction::Send(b"one".to_vec()),
                HttpAction::More(b"2".to_vec()),
            ],
            "/trap" => panic!("told to"),
            "/endless" => vec![head(200)],
            _ => vec![head(404), HttpAction::Finish],
        }
    }

    fn resume(ticket: Vec<u8>, wake: Wake) -> Vec<HttpAction> {
        let why = match wake {
            Wake::Timeout => "timeout",
            Wake::Drained => "drained",
            Wake::Closing => "closing",
            _ => "other",
        };
        let text = format!("{} {why}", String::from_utf8_lossy(&ticket));
        vec![HttpAction::Send(text.into_bytes()), HttpAction::Finish]
    }
}

fn head(status: u16) -> HttpAction {
    HttpAction::Head(Head {
        status,
        headers: vec![],
        content_length: None,
    })
}

export!(Probe);
