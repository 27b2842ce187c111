//! The pop3 component on a real store: in one piece, octet by octet, and handed over between all events.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where its own set-up fails"
)]

use waxwing_exmdb::{Body, ItemFlags, MailboxGuid, NewMail, Role};
use waxwing_sdk::stream::{Context, Event};
use waxwing_sdk::testing::{Driver as _, Manner, Script, context};
use waxwing_sdk_harness::{Component, House, InWasm, USERS};

const LOG_IN: &str =
    "S: +OK ...\nC: USER ada@waxwing.test\nS: +OK ...\nC: PASS a password of tests\n";

fn house() -> House {
    let house = House::new().unwrap();
    let pop3 = Component::build("waxwing-plugin-pop3", "plugins/pop3/plugin.toml").unwrap();
    house.load(&pop3).unwrap();
    house
}

fn pop3() -> Context {
    Context {
        protocol: "pop3".into(),
        ..context()
    }
}

fn put(house: &House, messages: &[&str]) {
    let mail = |message: &&str| NewMail {
        message: Body::from_bytes(message.as_bytes().to_vec().into()),
        flags: ItemFlags(0),
        keywords: Vec::new(),
        internal_date: Some(0),
    };
    house.wait_for(async {
        let services = house.services();
        let user = services.directory.user(USERS[0]).await.unwrap();
        let guid: MailboxGuid = user.mailbox.parse().unwrap();
        let mailbox = services.store.mailbox(guid).await.unwrap();
        let inbox = mailbox.folder_by_role(Role::Inbox).await.unwrap();
        mailbox
            .append(inbox.id, messages.iter().map(mail).collect())
            .await
            .unwrap();
    });
}

#[test]
fn a_clients_day_survives_any_cut_and_any_hand_over() {
    let house = house();
    put(
        &house,
        &[
            "Subject: 1\r\n\r\none\r\ntwo\r\nthree\r\n",
            ".dots\r\n\r\n.\r\n..\r\nend\n.\nno end",
            "Subject: 3\r\n\r\n",
        ],
    );
    house.check("pop3", include_str!("pop3/day.txt"));
}

#[test]
fn messages_leave_at_quit_and_not_before() {
    let house = house();
    for manner in Manner::ALL {
        let play = |transcript: &str| {
            let script = Script::parse(&format!("{LOG_IN}{transcript}")).unwrap();
            if let Err(mismatch) = script.play(&mut InWasm::new(&house), &pop3(), manner) {
                panic!("{manner}: {mismatch}");
            }
        };
        house.fill(USERS[0], 5).unwrap();
        play(
            "S: +OK Logged in, 5 messages ...\nC: DELE 1\nS: +OK ...\nC: DELE 3\nS: +OK ...\nC: STAT\nS: +OK 3 51\n!disconnect",
        );
        play(
            "S: +OK Logged in, 5 messages ...\nC: DELE 2\nS: +OK ...\nC: RSET\nS: +OK 5 messages ...\nC: QUIT\nS: +OK Bye\nS! close",
        );
        play(
            "S: +OK Logged in, 5 messages ...\nC: DELE 1\nS: +OK ...\nC: DELE 2\nS: +OK ...\nC: DELE 4\nS: +OK ...\nC: DELE 4\n\
              S: -ERR The message is deleted\nC: QUIT\nS: +OK Bye, the deleted messages are removed\nS! close",
        );
        play(
            "S: +OK Logged in, 2 messages ...\nC: TOP 1 1\nS: +OK ...\nS: Subject: 3\nS:\nS: 3\nS: .\nC: DELE 1\nS: +OK ...\n\
              C: DELE 2\nS: +OK ...\nC: QUIT\nS: +OK ...\nS! close",
        );
        play(
            "S: +OK Logged in, 0 messages (0 octets)\nC: LIST\nS: +OK 0 messages ...\nS: .\nC: QUIT\nS: +OK Bye\nS! close",
        );
    }
}

#[test]
fn a_long_list_is_whole_though_handed_over_between_its_pages() {
    const COUNT: u32 = 4_200;
    let house = house();
    house.fill(USERS[0], COUNT).unwrap();
    let mut transcript = format!(
        "{LOG_IN}S: +OK Logged in, 4200 messages ...\nC> LIST\\r\\nUIDL 4200\\r\\n\nS: +OK ...\n"
    );
    for number in 1..=COUNT {
        let size = 13 + 2 * number.to_string().len() + 2;
        transcript.push_str(&format!("S: {number} {size}\n"));
    }
    transcript.push_str("S: .\nS: +OK 4200 00001068...\n");
    house.check("pop3", &transcript);
}

#[test]
fn a_maildrop_is_one_sessions_and_goes_back_when_it_ends() {
    let house = house();
    let log_in = |expected: &str| {
        let script = Script::parse(&format!("{LOG_IN}S: {expected}")).unwrap();
        let mut session = InWasm::new(&house);
        script
            .play(&mut session, &pop3(), Manner::AS_IT_IS)
            .unwrap();
        session
    };
    let mut first = log_in("+OK ...");
    // Both have frozen meanwhile.
    first.hand_over(waxwing_sdk::stream::Cause::Wake).unwrap();
    drop(log_in("-ERR [IN-USE] ..."));
    first.handle(Event::Input(b"NOOP\r\n".to_vec())).unwrap();
    drop(log_in("-ERR [IN-USE] ..."));
    drop(first);
    drop(log_in("+OK ..."));
}
