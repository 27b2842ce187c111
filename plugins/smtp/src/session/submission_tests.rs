//! Submission as transcripts: the log-in, whose name, to whom, and what becomes of the header.

use std::rc::Rc;

use waxwing_sdk::Fault;
use waxwing_sdk::accounts::Credential;
use waxwing_sdk::delivery::AddressClass;
use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::standin;
use waxwing_sdk::standin::store::{Accounts, HostMailbox, HostView, answer_with, folders::Folder};
use waxwing_sdk::stream::{Cause, Event, Handoff, StreamPlugin};

use super::Smtp;
use super::tests::{codes, context, received, text};

/// `a@here.test` with the password `secret`, without a mailbox: nothing here opens one.
struct Anna;

impl Accounts for Anna {
    fn authenticate(&self, credential: &Credential) -> Result<Rc<dyn HostMailbox>, Fault> {
        match credential {
            Credential::Password(given)
                if given.user == "a@here.test" && given.password == "secret" =>
            {
                Ok(Rc::new(Anna))
            }
            _ => Err(Fault::new(FaultClass::Denied, "wrong")),
        }
    }
}

impl HostMailbox for Anna {
    fn guid(&self) -> String {
        String::new()
    }

    fn address(&self) -> String {
        "a@here.test".into()
    }

    fn keywords(&self) -> Result<Vec<String>, Fault> {
        Err(Fault::new(FaultClass::Unsupported, "keywords"))
    }

    fn folders(&self) -> Result<Vec<Folder>, Fault> {
        Err(Fault::new(FaultClass::Unsupported, "folders"))
    }

    fn open_view(&self, _: u64, _: bool) -> Result<Rc<dyn HostView>, Fault> {
        Err(Fault::new(FaultClass::Unsupported, "open-view"))
    }
}

/// Greeted, on a connection that is as good as encrypted.
fn session() -> Smtp {
    standin::reset();
    standin::add_address("a@here.test", AddressClass::Local);
    answer_with(Rc::new(Anna));
    let mut context = context("submission");
    context.plaintext_login = true;
    let mut session = Smtp::start(&context).0;
    codes(&mut session, "EHLO c.test\n");
    session
}

/// base64 of `\0a@here.test\0secret`.
const PLAIN: &str = "AUTH PLAIN AGFAaGVyZS50ZXN0AHNlY3JldA==\n";

fn logged_in() -> Smtp {
    let mut session = session();
    assert_eq!(codes(&mut session, PLAIN), ["235"]);
    session
}

fn submitted(session: &mut Smtp, message: &str) -> String {
    let lines = "MAIL FROM:<a@here.test>\nRCPT TO:<x@elsewhere.test>\nDATA\n";
    assert_eq!(codes(session, lines), ["250", "250", "354"]);
    let reply = text(&session.handle(received(message.as_bytes())));
    assert!(reply.starts_with("250 "), "{reply}");
    String::from_utf8(standin::take_delivered().remove(0).message).unwrap()
}

#[test]
fn nothing_is_taken_without_a_log_in() {
    let mut s = session();
    assert_eq!(
        codes(
            &mut s,
            "MAIL FROM:<a@here.test>\nRCPT TO:<a@here.test>\nDATA\n"
        ),
        ["530", "503", "503"]
    );
}

#[test]
fn a_log_in_is_offered_where_a_password_is_safe_and_opens_the_way_to_anybody() {
    let mut s = session();
    let greeting = text(&s.handle(Event::Input(b"EHLO c.test\r\n".to_vec())));
    for word in [
        "AUTH PLAIN LOGIN",
        "FUTURERELEASE 2592000 2",
        "LIMITS RCPTMAX=1000",
        "DSN",
    ] {
        assert!(greeting.contains(word), "{word}: {greeting}");
    }
    assert_eq!(
        codes(
            &mut s,
            "AUTH PLAIN AGFAaGVyZS50ZXN0AHdyb25n\nAUTH CRAM-MD5\nAUTH PLAIN =\nAUTH PLAIN\n*\n"
        ),
        ["535", "504", "501", "334", "501"]
    );
    assert_eq!(codes(&mut s, PLAIN), ["235"]);
    assert_eq!(codes(&mut s, PLAIN), ["503"]);
    let sent = codes(
        &mut s,
        "MAIL FROM:<a@here.test>\nRCPT TO:<x@elsewhere.test>\nRCPT TO:<nobody@here.test>\n",
    );
    assert_eq!(sent, ["250", "250", "550"]);
}

#[test]
fn a_password_does_not_cross_a_connection_in_the_clear() {
    standin::reset();
    answer_with(Rc::new(Anna));
    let mut s = Smtp::start(&context("submission")).0;
    let greeting = text(&s.handle(Event::Input(b"EHLO c.test\r\n".to_vec())));
    assert!(
        !greeting.contains("AUTH") && greeting.contains("STARTTLS"),
        "{greeting}"
    );
    assert_eq!(codes(&mut s, PLAIN), ["538"]);
}

#[test]
fn requiretls_is_offered_under_tls_and_goes_with_its_transaction() {
    let mut s = logged_in();
    assert_eq!(
        codes(&mut s, "MAIL FROM:<a@here.test> REQUIRETLS\n"),
        ["555"]
    );
    s.state.tls = Some(("TLSv1.3".into(), "x".into()));
    let greeting = text(&s.handle(Event::Input(b"EHLO c.test\r\n".to_vec())));
    assert!(greeting.contains("-REQUIRETLS\r\n"), "{greeting}");
    assert_eq!(
        codes(&mut s, "MAIL FROM:<a@here.test> REQUIRETLS=x\n"),
        ["501"]
    );
    assert_eq!(
        codes(&mut s, "MAIL FROM:<a@here.test> REQUIRETLS\n"),
        ["250"]
    );
    let snapshot = s.freeze().unwrap();
    let (mut s, _) = Smtp::thaw(snapshot, &s.context.clone(), Cause::Upgrade).unwrap();
    codes(&mut s, "RCPT TO:<x@elsewhere.test>\nDATA\n");
    s.handle(received(b"From: a@here.test\r\n\r\n"));
    let parameters = standin::take_delivered().remove(0).parameters;
    assert_eq!(parameters, [("require-tls".to_owned(), String::new())]);
    codes(
        &mut s,
        "MAIL FROM:<a@here.test>\nRCPT TO:<x@elsewhere.test>\nDATA\n",
    );
    s.handle(received(b"From: a@here.test\r\n\r\n"));
    assert!(standin::take_delivered().remove(0).parameters.is_empty());
}

#[test]
fn a_log_in_of_several_lines_goes_on_in_another_version() {
    let mut s = session();
    let asked = text(&s.handle(Event::Input(b"AUTH LOGIN\r\n".to_vec())));
    assert_eq!(asked, "334 VXNlcm5hbWU6\r\n");
    s.handle(Event::Input(b"YUBoZXJlLnRlc3Q=\r\n".to_vec()));
    let snapshot = s.freeze().unwrap();
    let (mut s, _) = Smtp::thaw(snapshot, &s.context.clone(), Cause::Upgrade).unwrap();
    assert_eq!(
        codes(&mut s, "c2VjcmV0\nMAIL FROM:<a@here.test>\n"),
        ["235", "250"]
    );
}

#[test]
fn nobody_writes_under_another_name() {
    let mut s = logged_in();
    standin::set_not_own("b@here.test");
    let sent = codes(&mut s, "MAIL FROM:<b@here.test>\nMAIL FROM:<>\n");
    assert_eq!(sent, ["550", "250"]);
}

#[test]
fn what_is_missing_is_added_and_nothing_else_is_touched() {
    let mut s = logged_in();
    let message = submitted(
        &mut s,
        "From: a@here.test\r\nBcc: b@here.test\r\nSubject: x\r\n\r\nBcc: body\r\n",
    );
    assert!(message.contains("with ESMTPA id s1"), "{message}");
    let (_, given) = message.split_once("+0000\r\nDate: ").unwrap();
    let (date, rest) = given.split_once("\r\nMessage-ID: <").unwrap();
    assert!(date.ends_with("+0000"), "{date}");
    let (id, rest) = rest.split_once(">\r\n").unwrap();
    assert!(id.ends_with(".s1@mx.here.test"), "{id}");
    assert_eq!(rest, "From: a@here.test\r\nSubject: x\r\n\r\nBcc: body\r\n");
    let bare = "From: a@here.test\r\n\r\n";
    let id_of = |message: String| {
        message
            .split_once("Message-ID: ")
            .map(|(_, id)| id.to_owned())
    };
    let ids = [submitted(&mut s, bare), submitted(&mut s, bare)].map(id_of);
    assert_ne!(ids[0], ids[1], "two messages of one second");
    let whole = "Date: today\r\nMessage-ID: <1@x>\r\nFrom: a@here.test\r\n\r\n";
    let message = submitted(&mut s, whole);
    assert!(message.ends_with(&format!("+0000\r\n{whole}")), "{message}");
}

#[test]
fn a_message_may_ask_to_leave_later_and_only_that_one() {
    let mut s = logged_in();
    let lines = "MAIL FROM:<a@here.test> HOLDUNTIL=2020-01-01T00:00:00Z\nRCPT TO:<x@elsewhere.test>\nDATA\n";
    codes(&mut s, lines);
    s.handle(received(b"From: a@here.test\r\n\r\n"));
    let held = standin::take_delivered().remove(0);
    assert_eq!(
        held.parameters,
        [("hold-until".to_owned(), "1577836800".to_owned())]
    );
    assert_eq!(held.envelope.source, "submission");
    codes(
        &mut s,
        "MAIL FROM:<a@here.test>\nRCPT TO:<x@elsewhere.test>\nDATA\n",
    );
    s.handle(received(b"From: a@here.test\r\n\r\n"));
    assert!(standin::take_delivered().remove(0).parameters.is_empty());
    assert_eq!(
        codes(&mut s, "MAIL FROM:<a@here.test> HOLDFOR=9999999\n"),
        ["501"]
    );
}

#[test]
fn only_submission_knows_its_words() {
    standin::reset();
    let mut s = Smtp::start(&context("smtp")).0;
    codes(&mut s, "EHLO c.test\n");
    assert_eq!(codes(&mut s, PLAIN), ["502"]);
    assert_eq!(
        codes(
            &mut s,
            "MAIL FROM:<a@here.test> HOLDFOR=1\nMAIL FROM:<a@here.test> AUTH=<>\n"
        ),
        ["555", "555"]
    );
}
