//! What it costs to take the frozen state at the end of every turn: the same imap component, with a mailbox selected, once as it
//! is shipped and once as a package without hand-over, whose turns are never frozen. The two take turns within one run. Half
//! a line is a turn that asks the store nothing: there the difference is the freeze alone.
//!
//! ```text
//! cargo bench --workspace --bench freeze
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops where its own set-up fails, and tells what it found"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use waxwing_runtime::{Context, Event, LimitsRequest, PluginConfig, Session};
use waxwing_sdk_harness::{Component, House, PASSWORD, USERS};

const MESSAGES: u32 = 1_000;
/// Turns measured in one go, and how often.
const BATCH: u32 = 200;
const BATCHES: usize = 40;

/// A client with its inbox selected.
struct Client {
    house: House,
    session: Session,
}

impl Client {
    fn new(manifest: &str) -> Client {
        let house = House::new().unwrap();
        let imap = Component::build("waxwing-plugin-imap", manifest).unwrap();
        let unpaced = LimitsRequest {
            turns_per_second: Some(1_000_000_000),
            host_calls_per_second: Some(1_000_000_000),
            ..LimitsRequest::default()
        };
        let plugin = PluginConfig {
            limits: unpaced,
            ..PluginConfig::default()
        };
        house.load_as(&imap, plugin).unwrap();
        house.fill(USERS[0], MESSAGES).unwrap();
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 1143));
        let context = Context {
            session: "bench".into(),
            listener: "imap".into(),
            protocol: "imap".into(),
            local: here,
            peer: here,
            tls: None,
            tls_available: false,
            plaintext_login: true,
            host_name: "mx.test".into(),
        };
        let runtime = house.runtime().unwrap();
        let (session, _) = house.wait_for(runtime.open(context)).unwrap();
        let mut client = Client { house, session };
        client.say(&format!("l LOGIN {} \"{PASSWORD}\"\r\n", USERS[0]));
        client.say("s SELECT INBOX\r\n");
        client
    }

    fn say(&mut self, command: &str) {
        self.batch(command, 1);
    }

    /// Time of a turn.
    fn batch(&mut self, command: &str, turns: u32) -> Duration {
        let input = bytes::Bytes::copy_from_slice(command.as_bytes());
        let Client { house, session } = self;
        house.wait_for(async {
            let began = Instant::now();
            for _ in 0..turns {
                let turn = session.handle(Event::Input(input.clone())).await.unwrap();
                assert!(turn.consumed == input.len() || !input.ends_with(b"\n"));
            }
            began.elapsed() / turns
        })
    }
}

/// The lower quartile: what else the machine does can only add.
fn quartile(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 4).unwrap().as_secs_f64() * 1e6
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("plugin.toml");
    let shipped = include_str!("../../../../plugins/imap/plugin.toml");
    let (without, _) = shipped.split_once("[handoff]").unwrap();
    let without = without.replace("\"stream-plugin\"", "\"plain-stream-plugin\"");
    std::fs::write(&manifest, without).unwrap();
    let mut frozen = Client::new("plugins/imap/plugin.toml");
    let mut never = Client::new(manifest.to_str().unwrap());
    println!("microseconds a turn, lower quartile of {BATCHES} x {BATCH}");
    println!(
        "{:<24}{:>10}{:>10}{:>10}",
        "command", "frozen", "never", "freeze"
    );
    for command in [
        "a NOO",
        "a NOOP\r\n",
        "a FETCH 1 (FLAGS)\r\n",
        "a FETCH 1:500 (FLAGS)\r\n",
    ] {
        let (mut with, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..BATCHES {
            with.push(frozen.batch(command, BATCH));
            bare.push(never.batch(command, BATCH));
        }
        let (with, bare) = (quartile(with), quartile(bare));
        let name = command.trim_end();
        println!("{name:<24}{with:>10.1}{bare:>10.1}{:>10.1}", with - bare);
    }
}
