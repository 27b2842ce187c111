//! Meetings of people of one server, with mail that is only counted.

use std::sync::Mutex;

use async_trait::async_trait;
use tempfile::TempDir;
use waxwing_directory::{Directory, DirectoryConfig, HashCost, User};
use waxwing_exmdb::{Mailbox, MailboxGuid, Role, Store, StoreConfig};
use waxwing_formats_ical::Object;
use waxwing_formats_ical::schedule::{Context, Participation, answer, organizer_changed};

use crate::{
    Letter, Mail, Outgoing, Post, Resource, ResourceKind, ResourcePolicy, Scheduling, Status,
};

#[derive(Default)]
struct Letters(Mutex<Vec<Letter>>);

#[async_trait]
impl Post for Letters {
    async fn post(&self, letter: Letter) -> bool {
        self.0.lock().unwrap().push(letter);
        true
    }
}

impl Letters {
    fn recipients(&self) -> Vec<String> {
        let letters = std::mem::take(&mut *self.0.lock().unwrap());
        letters.into_iter().map(|letter| letter.to).collect()
    }
}

struct House {
    scheduling: Scheduling,
    directory: Directory,
    store: Store,
    post: Letters,
    _folder: TempDir,
}

const PEOPLE: [&str; 3] = ["anna", "bob", "cleo"];

fn room(policy: ResourcePolicy) -> Resource {
    Resource {
        kind: ResourceKind::Room,
        policy,
    }
}

impl House {
    async fn new() -> House {
        let folder = tempfile::tempdir().unwrap();
        let mut config = DirectoryConfig::new(folder.path().join("directory.sqlite"));
        config.hash_cost = HashCost {
            memory: 8,
            passes: 1,
            lanes: 1,
        };
        let directory = Directory::open(config).await.unwrap();
        directory.add_domain("example.org").await.unwrap();
        let store = Store::open(StoreConfig {
            root: folder.path().join("mailboxes"),
            max_open: 8,
            index_cache: 1 << 20,
        })
        .await
        .unwrap();
        for name in PEOPLE {
            let guid = MailboxGuid::random();
            let address = format!("{name}@example.org");
            store.create(guid, &address).await.unwrap();
            let guid = guid.to_string();
            directory
                .add_user(&address, "", "secret".into(), &guid)
                .await
                .unwrap();
        }
        House {
            scheduling: Scheduling::new(store.clone(), directory.clone()),
            directory,
            store,
            post: Letters::default(),
            _folder: folder,
        }
    }

    async fn user(&self, name: &str) -> User {
        let address = format!("{name}@example.org");
        self.directory.user(&address).await.unwrap()
    }

    async fn mailbox(&self, name: &str) -> Mailbox {
        let guid: MailboxGuid = self.user(name).await.mailbox.parse().unwrap();
        self.store.mailbox(guid).await.unwrap()
    }

    /// The copy of a meeting in somebody's calendar.
    async fn copy(&self, name: &str) -> Option<Object> {
        let mailbox = self.mailbox(name).await;
        let (folder, object) = mailbox.objects_of_uid("m1").await.unwrap().pop()?;
        let read = mailbox.read_objects_named(folder, &[object.name]).await;
        let (_, source) = read.unwrap().pop().flatten()?;
        Some(Object::parse(&source).unwrap())
    }

    /// The organiser puts a meeting, as a protocol does.
    async fn organize(&self, old: Option<&Object>, new: Option<&Object>) -> Vec<Status> {
        let mine = ["mailto:anna@example.org".to_owned()];
        let context = Context {
            mine: &mine,
            now: 0,
        };
        let organized = organizer_changed(old, new, &context).unwrap();
        if let (Some(object), None) = (&organized.object, old) {
            let mailbox = self.mailbox("anna").await;
            let calendar = mailbox.folder_by_role(Role::Calendar).await.unwrap().id;
            let facts = crate::facts::of_copy(object, 0, waxwing_exmdb::SchedulingState::Changed);
            let place = waxwing_exmdb::ObjectPlace {
                folder: calendar,
                name: "m1.ics".into(),
            };
            let source = waxwing_exmdb::Body::from_bytes(object.to_text().into());
            let any = waxwing_exmdb::ObjectCondition::Any;
            mailbox
                .put_object(place, any, (source, facts))
                .await
                .unwrap();
        }
        let messages = organized.messages.into_iter().map(outgoing).collect();
        let anna = self.user("anna").await;
        let sent = self.scheduling.send(&self.post, &anna, messages).await;
        sent.unwrap()
    }

    async fn inbox(&self, name: &str) -> u32 {
        let mailbox = self.mailbox(name).await;
        let collections = self.scheduling.collections(&mailbox).await.unwrap();
        mailbox.folder(collections.inbox).await.unwrap().items
    }
}

fn outgoing(message: waxwing_formats_ical::schedule::Message) -> Outgoing {
    Outgoing {
        recipient: message.recipient,
        calendar: message.calendar.to_text(),
        minor: message.minor,
    }
}

fn meeting(attendees: &[&str]) -> Object {
    let attendees: String = attendees
        .iter()
        .map(|one| format!("ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{one}\n"))
        .collect();
    let text = format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:m1\nDTSTAMP:20300101T000000Z\nDTSTART:20300102T100000Z\n\
         DTEND:20300102T110000Z\nSUMMARY:Plans\nORGANIZER:mailto:anna@example.org\nATTENDEE;PARTSTAT=ACCEPTED:mailto:anna@example.org\n\
         {attendees}END:VEVENT\nEND:VCALENDAR\n"
    );
    Object::parse(text.as_bytes()).unwrap()
}

fn answers(object: &Object, address: &str) -> Option<String> {
    let attendees = object.attendees();
    let line = attendees.iter().find(|line| line.value.ends_with(address));
    line?.parameter("PARTSTAT").map(str::to_owned)
}

#[tokio::test]
async fn everybody_is_invited_and_the_organizer_and_the_others_hear_who_comes() {
    let house = House::new().await;
    let invited = meeting(&[
        "bob@example.org",
        "cleo@example.org",
        "dan@sink.test",
        "zoe@example.org",
    ]);
    let statuses = house.organize(None, Some(&invited)).await;
    let codes: Vec<_> = statuses.into_iter().map(Status::code).collect();
    assert_eq!(codes, ["1.2", "1.2", "1.1", "3.7"]);
    assert_eq!(
        house.post.recipients(),
        ["bob@example.org", "cleo@example.org", "dan@sink.test"]
    );
    assert_eq!(house.inbox("bob").await, 1);

    let mine = ["mailto:bob@example.org".to_owned()];
    let context = Context {
        mine: &mine,
        now: 0,
    };
    let copy = house.copy("bob").await.unwrap();
    let (_, reply) = answer(&copy, Participation::Accepted, &context).unwrap();
    let reply = outgoing(reply.unwrap());
    let bob = house.user("bob").await;
    let sent = house.scheduling.send(&house.post, &bob, vec![reply]).await;
    assert_eq!(sent.unwrap(), [Status::Delivered]);
    for name in ["anna", "cleo"] {
        let copy = house.copy(name).await.unwrap();
        assert_eq!(
            answers(&copy, "bob@example.org").as_deref(),
            Some("ACCEPTED"),
            "{name}"
        );
    }
    // Who comes is no reason for a mail to the others.
    assert_eq!(house.post.recipients(), ["anna@example.org"]);
    assert_eq!(
        (house.inbox("anna").await, house.inbox("cleo").await),
        (1, 1)
    );

    house.organize(Some(&invited), None).await;
    let copy = house.copy("cleo").await.unwrap();
    assert!(copy.to_text().contains("STATUS:CANCELLED"));
}

#[tokio::test]
async fn nobody_speaks_for_somebody_else() {
    let house = House::new().await;
    house
        .organize(None, Some(&meeting(&["bob@example.org"])))
        .await;
    let cleo = house.user("cleo").await;
    let cancel = |organizer: &str| Outgoing {
        recipient: "mailto:bob@example.org".into(),
        calendar: format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:CANCEL\nBEGIN:VEVENT\nUID:m1\nSEQUENCE:5\nDTSTAMP:20300101T000000Z\n\
             DTSTART:20300102T100000Z\nORGANIZER:mailto:{organizer}\nATTENDEE:mailto:bob@example.org\nEND:VEVENT\nEND:VCALENDAR\n"
        ),
        minor: false,
    };
    let messages = vec![cancel("anna@example.org"), cancel("cleo@example.org")];
    let sent = house.scheduling.send(&house.post, &cleo, messages).await;
    assert_eq!(sent.unwrap(), [Status::Refused, Status::Refused]);
    let copy = house.copy("bob").await.unwrap();
    assert!(!copy.to_text().contains("CANCELLED"));
}

fn mail(author: &str, calendar: &str, owner: User) -> Mail {
    Mail {
        recipient: owner.address.clone(),
        owner,
        authors: vec![author.to_owned()],
        is_known: false,
        message: format!(
            "From: {author}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\n\
             Content-Type: text/calendar; method=REPLY\r\n\r\n{calendar}\r\n--b--\r\n"
        )
        .into_bytes(),
    }
}

#[tokio::test]
async fn an_answer_that_comes_as_mail_counts_when_it_is_from_the_attendee() {
    let house = House::new().await;
    house
        .organize(None, Some(&meeting(&["dan@sink.test"])))
        .await;
    let mine = ["mailto:dan@sink.test".to_owned()];
    let context = Context {
        mine: &mine,
        now: 0,
    };
    let (_, reply) = answer(
        &meeting(&["dan@sink.test"]),
        Participation::Declined,
        &context,
    )
    .unwrap();
    let text = reply.unwrap().calendar.to_text();
    let anna = house.user("anna").await;
    let forged = mail("eve@sink.test", &text, anna.clone());
    assert!(house.scheduling.arrived(&house.post, forged).await.is_err());
    let copy = house.copy("anna").await.unwrap();
    assert_eq!(
        answers(&copy, "dan@sink.test").as_deref(),
        Some("NEEDS-ACTION")
    );
    let honest = mail("dan@sink.test", &text, anna.clone());
    assert!(house.scheduling.arrived(&house.post, honest).await.unwrap());
    let copy = house.copy("anna").await.unwrap();
    assert_eq!(answers(&copy, "dan@sink.test").as_deref(), Some("DECLINED"));
    let broken = mail("dan@sink.test", "BEGIN:VCALENDAR\r\nEND:", anna);
    assert!(house.scheduling.arrived(&house.post, broken).await.is_err());
}

#[tokio::test]
async fn a_name_of_ours_from_outside_is_not_believed() {
    let house = House::new().await;
    let invited = meeting(&["bob@example.org"]).to_text();
    let request = invited.replacen("PRODID", "METHOD:REQUEST\r\nPRODID", 1);
    let bob = house.user("bob").await;
    let forged = mail("anna@example.org", &request, bob.clone());
    assert!(house.scheduling.arrived(&house.post, forged).await.is_err());
    assert!(house.copy("bob").await.is_none());
    let known = Mail {
        is_known: true,
        ..mail("anna@example.org", &request, bob)
    };
    assert!(house.scheduling.arrived(&house.post, known).await.unwrap());
    assert!(house.copy("bob").await.is_some());
}

#[tokio::test]
async fn whoever_says_that_he_writes_for_the_organizer_is_not_believed() {
    let house = House::new().await;
    house
        .organize(None, Some(&meeting(&["bob@example.org"])))
        .await;
    let bob = house.user("bob").await;
    for organizer in ["anna@example.org", "bob@example.org", "boss@sink.test"] {
        let cancel = format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:CANCEL\nBEGIN:VEVENT\nUID:m1\nSEQUENCE:5\nDTSTAMP:20300101T000000Z\n\
             DTSTART:20300102T100000Z\nORGANIZER;SENT-BY=\"mailto:eve@sink.test\":mailto:{organizer}\n\
             ATTENDEE:mailto:bob@example.org\nEND:VEVENT\nEND:VCALENDAR\n"
        );
        let forged = mail("eve@sink.test", &cancel, bob.clone());
        assert!(house.scheduling.arrived(&house.post, forged).await.is_err());
    }
    let copy = house.copy("bob").await.unwrap();
    assert!(!copy.to_text().contains("CANCELLED"));
}

#[tokio::test]
async fn a_room_that_is_not_asked_to_come_stays_free() {
    let house = House::new().await;
    let cleo = house.mailbox("cleo").await;
    let resource = Some(room(ResourcePolicy::IfFree));
    house
        .scheduling
        .set_resource(&cleo, resource)
        .await
        .unwrap();
    let request = meeting(&["bob@example.org"]).to_text();
    let request = request
        .replacen("PRODID", "METHOD:REQUEST\r\nPRODID", 1)
        .replace("anna@example.org", "dan@sink.test");
    let unasked = mail("dan@sink.test", &request, house.user("cleo").await);
    assert!(
        house
            .scheduling
            .arrived(&house.post, unasked)
            .await
            .is_err()
    );
    assert!(house.copy("cleo").await.is_none());
}

#[tokio::test]
async fn time_is_told_of_people_here_and_not_with_what_it_is_taken() {
    let house = House::new().await;
    house
        .organize(None, Some(&meeting(&["bob@example.org"])))
        .await;
    let request = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:REQUEST\nBEGIN:VFREEBUSY\nUID:f\nDTSTAMP:20300101T000000Z\n\
        DTSTART:20300102T000000Z\nDTEND:20300103T000000Z\nORGANIZER:mailto:cleo@example.org\nATTENDEE:mailto:bob@example.org\n\
        ATTENDEE:mailto:cleo@example.org\nATTENDEE:mailto:dan@sink.test\nEND:VFREEBUSY\nEND:VCALENDAR\n";
    let cleo = house.user("cleo").await;
    let answers = house
        .scheduling
        .free_busy(&cleo, request.into())
        .await
        .unwrap();
    let busy = answers[0].calendar.as_deref().unwrap();
    assert!(
        busy.contains("FREEBUSY;FBTYPE=BUSY:20300102T100000Z/20300102T110000Z"),
        "{busy}"
    );
    assert!(!busy.contains("Plans"));
    assert!(!answers[1].calendar.as_deref().unwrap().contains("FBTYPE"));
    assert_eq!(answers[2].request_status.split(';').next(), Some("5.3"));
    let bob = house.user("bob").await;
    assert!(
        house
            .scheduling
            .free_busy(&bob, request.into())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_room_accepts_when_it_is_free_and_declines_when_it_is_not() {
    let house = House::new().await;
    let mailbox = house.mailbox("cleo").await;
    let scheduling = &house.scheduling;
    let free = Some(room(ResourcePolicy::IfFree));
    scheduling.set_resource(&mailbox, free).await.unwrap();
    assert_eq!(scheduling.resource(&mailbox).await.unwrap(), free);
    assert_eq!(
        scheduling.kind("mailto:cleo@example.org").await.unwrap(),
        "ROOM"
    );
    // Within the time that is looked at, whenever this runs.
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 30);
    let day = soon.strftime("%Y%m%d").to_string();
    let at = |uid: &str| {
        let text = meeting(&["cleo@example.org"]).to_text();
        let text = text
            .replace("20300102T", &format!("{day}T"))
            .replace("UID:m1", &format!("UID:{uid}"));
        Object::parse(text.as_bytes()).unwrap()
    };
    house.organize(None, Some(&at("m1"))).await;
    let copy = house.copy("anna").await.unwrap();
    assert_eq!(
        answers(&copy, "cleo@example.org").as_deref(),
        Some("ACCEPTED")
    );
    assert_eq!(
        house.post.recipients(),
        ["cleo@example.org", "anna@example.org"]
    );
    house.organize(None, Some(&at("m2"))).await;
    let letters = std::mem::take(&mut *house.post.0.lock().unwrap());
    let subjects: Vec<bool> = letters
        .iter()
        .map(|letter| String::from_utf8_lossy(&letter.message).contains("method=REPLY"))
        .collect();
    assert_eq!(subjects, [false, true]);
    let second = mailbox.objects_of_uid("m2").await.unwrap();
    let (folder, object) = second.into_iter().next().unwrap();
    let read = mailbox.read_objects_named(folder, &[object.name]).await;
    let (_, source) = read.unwrap().pop().flatten().unwrap();
    let copy = Object::parse(&source).unwrap();
    assert_eq!(
        answers(&copy, "cleo@example.org").as_deref(),
        Some("DECLINED")
    );
    scheduling.set_resource(&mailbox, None).await.unwrap();
    assert_eq!(scheduling.resource(&mailbox).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_added_is_answered_by_asking_for_the_whole() {
    let house = House::new().await;
    let text = meeting(&["bob@example.org"]).to_text();
    let text = text.replace("anna@example.org", "dan@sink.test");
    let added = text.replacen("PRODID", "METHOD:ADD\r\nPRODID", 1);
    let bob = house.user("bob").await;
    let arrived = mail("dan@sink.test", &added, bob);
    assert!(
        house
            .scheduling
            .arrived(&house.post, arrived)
            .await
            .unwrap()
    );
    let letters = std::mem::take(&mut *house.post.0.lock().unwrap());
    let [letter] = letters.as_slice() else {
        panic!("{letters:?}")
    };
    assert_eq!(letter.to, "dan@sink.test");
    assert!(String::from_utf8_lossy(&letter.message).contains("method=REFRESH"));
}
