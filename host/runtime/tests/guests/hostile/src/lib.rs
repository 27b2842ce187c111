//! A guest that takes all it can get: one command for each limit, one command a line. `count` tells how many commands
//! its state remembers, so that a test sees what a turn over a limit has cost.

wit_bindgen::generate!({
    path: "../../../../../wit",
    inline: "
        package test:hostile;
        world hostile {
            include waxwing:plugin/imports@1.0.0;
            export waxwing:session/%stream@1.0.0;
            export waxwing:session/handoff@1.0.0;
            export waxwing:http/handler@1.0.0;
        }
    ",
    world: "test:hostile/hostile",
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
    directory::accounts::{self, Credential, Password},
    http::types::Park,
    log::logger::{self, Level},
    session::types::{Action, FolderRef, Timer},
    store::{folders, views},
    types::{
        bodies::{self, Body, Piece},
        faults::Fault,
    },
};

#[derive(Default)]
struct State {
    commands: u32,
    /// Octets that the frozen state is padded with.
    padding: usize,
    /// Bodies that are kept over a freeze.
    kept: Vec<Body>,
}

thread_local! { static STATE: RefCell<State> = RefCell::default(); }

struct Hostile;

impl StreamGuest for Hostile {
    fn start(_: Context) -> Turn {
        turn(0, vec![Action::Send(b"hello\n".to_vec())])
    }

    fn handle(event: Event) -> Turn {
        STATE.with_borrow_mut(|state| match event {
            Event::Input(input) => match input.iter().position(|octet| *octet == b'\n') {
                Some(end) => {
                    let line = String::from_utf8_lossy(&input[..end]).into_owned();
                    state.commands += 1;
                    turn(end as u32 + 1, state.command(&line))
                }
                None => turn(0, vec![]),
            },
            Event::Closing(_) => turn(0, vec![Action::Close]),
            _ => turn(0, vec![]),
        })
    }
}

fn turn(consumed: u32, actions: Vec<Action>) -> Turn {
    Turn { consumed, actions }
}

fn body() -> Result<Body, Fault> {
    bodies::compose(&[Piece::Bytes(b"body".to_vec())])
}

/// So many of something, as far as the host gives them.
fn many<T>(count: u64, mut one: impl FnMut() -> Result<T, Fault>) -> String {
    let mut held = Vec::new();
    for _ in 0..count {
        match one() {
            Ok(thing) => held.push(thing),
            Err(fault) => {
                return format!("{} then {:?}: {}", held.len(), fault.class, fault.detail);
            }
        }
    }
    format!("{}", held.len())
}

impl State {
    fn command(&mut self, line: &str) -> Vec<Action> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let number: u64 = rest.parse().unwrap_or(0);
        let text = match word {
            "count" => self.commands.to_string(),
            "trap" => panic!("told to"),
            "spin" => loop {
                std::hint::black_box(self.commands);
            },
            "burn" => {
                for turn in 0..number * 1_000_000 {
                    std::hint::black_box(turn);
                }
                "burnt".into()
            }
            "eat" => {
                let mut eaten: Vec<Vec<u8>> = Vec::new();
                loop {
                    eaten.push(std::hint::black_box(vec![1; 1 << 20]));
                }
            }
            "sleep" => {
                std::thread::sleep(std::time::Duration::from_millis(number));
                "slept".into()
            }
            "call" => {
                for _ in 0..number {
                    logger::emit(Level::Trace, "called", &[]);
                }
                "called".into()
            }
            "lines" => {
                for line in 0..number {
                    logger::emit(Level::Info, &format!("line {line}"), &[]);
                }
                "logged".into()
            }
            "log-in" => log_in(rest),
            "handles" => many(number, body),
            "hand" => {
                let octets = vec![0; number as usize];
                format!("{:?}", bodies::compose(&[Piece::Bytes(octets)]).is_ok())
            }
            "locks" => {
                let mailbox = own_mailbox();
                let mut name = 0;
                many(number, || {
                    name += 1;
                    mailbox.lock(&format!("lock {name}"))
                })
            }
            "views" => {
                let mailbox = own_mailbox();
                let inbox = folders::by_role(&mailbox, 1).expect("an inbox");
                many(number, || views::open(&mailbox, inbox.id, true))
            }
            "mailboxes" => {
                let principal = accounts::current().expect("somebody");
                many(number, || principal.open_mailbox(None))
            }
            "pad" => {
                self.padding = number as usize;
                "padded".into()
            }
            "keep" => {
                self.kept = (0..number).filter_map(|_| body().ok()).collect();
                "kept".into()
            }
            "actions" => return (0..number).map(|_| Action::Send(b".".to_vec())).collect(),
            "timers" => {
                let timer = |id| {
                    Action::SetTimer(Timer {
                        id,
                        after_ms: 60_000,
                    })
                };
                return (0..number as u32).map(timer).collect();
            }
            "watch" => {
                let folder = |folder| FolderRef { mailbox: 1, folder };
                return vec![Action::Watch((0..number).map(folder).collect())];
            }
            other => format!("unknown {other}"),
        };
        vec![Action::Send((text + "\n").into_bytes())]
    }
}

fn own_mailbox() -> waxwing::store::mailboxes::Mailbox {
    let principal = accounts::current().expect("somebody");
    principal.open_mailbox(None).expect("a mailbox")
}

fn log_in(user: &str) -> String {
    let (user, password) = user.split_once(' ').unwrap_or((user, "secret"));
    let password = Password {
        user: user.into(),
        password: password.into(),
        act_as: None,
    };
    match accounts::authenticate(&Credential::Password(password)) {
        Ok(principal) => principal.address(),
        Err(fault) => format!("{:?}: {}", fault.class, fault.detail),
    }
}

impl HandoffGuest for Hostile {
    fn freeze() -> Result<Snapshot, String> {
        STATE.with_borrow(|state| {
            for body in &state.kept {
                body.keep();
            }
            let mut bytes = state.commands.to_le_bytes().to_vec();
            bytes.resize(4 + state.padding, 0);
            Ok(Snapshot { format: 1, bytes })
        })
    }

    fn thaw(snapshot: Snapshot, _: Context, cause: Cause) -> Result<Turn, String> {
        let commands = snapshot.bytes.first_chunk().ok_or("short")?;
        STATE.with_borrow_mut(|state| state.commands = u32::from_le_bytes(*commands));
        Ok(match cause {
            Cause::Crash(crash) => {
                let line = crash.input.iter().position(|octet| *octet == b'\n');
                let consumed = line.map_or(crash.input.len(), |end| end + 1) as u32;
                let told = format!("server error: {}\n", crash.reason);
                turn(consumed, vec![Action::Send(told.into_bytes())])
            }
            _ => turn(0, vec![]),
        })
    }
}

impl HttpGuest for Hostile {
    /// The path is the length of the ticket that the request is parked with.
    fn handle(request: Request) -> Vec<HttpAction> {
        let length = request.path.trim_start_matches('/').parse().unwrap_or(0);
        vec![HttpAction::Park(Park {
            watch: vec![],
            timeout_ms: 10,
            ticket: vec![0; length],
        })]
    }

    fn resume(_: Vec<u8>, _: Wake) -> Vec<HttpAction> {
        vec![HttpAction::Abort]
    }
}

export!(Hostile);
