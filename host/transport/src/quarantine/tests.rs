use tempfile::TempDir;

use super::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

struct Fixture {
    folder: TempDir,
    limits: QuarantineLimits,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture {
            folder: tempfile::tempdir().unwrap(),
            limits: QuarantineLimits::default(),
        }
    }

    async fn open(&self) -> Quarantine {
        Quarantine::open(self.folder.path(), self.limits)
            .await
            .unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.unwrap().file_name().into_string().unwrap()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }
}

fn held(reason: &str) -> Held {
    Held {
        reason: reason.to_owned(),
        envelope: crate::testing::envelope("a@b.c", &["d@e.f"]),
        ..Held::default()
    }
}

fn message(text: &'static str) -> Body {
    Body::from_bytes(text.into())
}

#[tokio::test]
async fn what_was_taken_is_there_after_a_restart_and_what_was_not_is_gone() {
    let fixture = Fixture::new();
    let quarantine = fixture.open().await;
    let id = quarantine
        .add(held("one"), &message("octets"))
        .await
        .unwrap();
    let known = quarantine.get(id).unwrap();
    for name in ["7.eml", "8.new"] {
        std::fs::write(fixture.folder.path().join(name), "half").unwrap();
    }
    let again = fixture.open().await;
    assert_eq!(again.get(id).unwrap(), known);
    assert_eq!(again.read(id, 3).await.unwrap(), b"oct");
    assert_eq!(fixture.names(), ["1.eml", "1.json"]);
    let next = again.add(held("two"), &message("x")).await.unwrap();
    assert_eq!(next, QuarantineId(2));
}

#[tokio::test]
async fn what_an_older_or_newer_server_has_written_is_read() {
    let fixture = Fixture::new();
    let text = r#"{"id":3,"arrived":99999999999,"size":1,"held":{"reason":"odd","tomorrow":true,"envelope":{"sender":"a@b.c"}}}"#;
    std::fs::write(fixture.folder.path().join("3.json"), text).unwrap();
    std::fs::write(fixture.folder.path().join("3.eml"), "x").unwrap();
    let known = fixture.open().await.get(QuarantineId(3)).unwrap();
    assert_eq!(known.held.envelope.sender, "a@b.c");
}

#[tokio::test]
async fn a_message_is_let_go_by_one_at_a_time() {
    let fixture = Fixture::new();
    let quarantine = fixture.open().await;
    let id = quarantine.add(held("x"), &message("x")).await.unwrap();
    let claim = quarantine.claim(id).unwrap();
    assert!(quarantine.delete(id).await.is_err());
    drop(claim);
    quarantine.delete(id).await.unwrap();
}

#[tokio::test]
async fn nothing_is_written_over_what_cannot_be_read() {
    let fixture = Fixture::new();
    for (name, text) in [("3.json", "{"), ("3.eml", "x")] {
        std::fs::write(fixture.folder.path().join(name), text).unwrap();
    }
    let quarantine = fixture.open().await;
    let id = quarantine.add(held("x"), &message("y")).await.unwrap();
    assert_eq!(id, QuarantineId(4));
    let there = std::fs::read_to_string(fixture.folder.path().join("3.eml"));
    assert_eq!(there.unwrap(), "x");
}

#[tokio::test]
async fn what_is_too_old_goes_and_zero_keeps_for_ever() {
    let mut fixture = Fixture::new();
    let quarantine = fixture.open().await;
    let id = quarantine.add(held("old"), &message("x")).await.unwrap();
    let mut known = quarantine.get(id).unwrap();
    known.arrived -= 2 * 24 * 3600;
    quarantine.keep_for(known).await.unwrap();
    for (keep, left) in [(Duration::ZERO, 1), (3 * DAY, 1), (DAY, 0)] {
        fixture.limits.keep = keep;
        let quarantine = fixture.open().await;
        assert_eq!(quarantine.list(QuarantineId(0), 9).len(), left, "{keep:?}");
    }
    assert!(fixture.names().is_empty());
}

#[tokio::test]
async fn octets_are_counted_and_given_back() {
    let mut fixture = Fixture::new();
    fixture.limits.octets = 10;
    let quarantine = fixture.open().await;
    let id = quarantine
        .add(held("one"), &message("12345678"))
        .await
        .unwrap();
    let refused = quarantine.add(held("two"), &message("123")).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("quarantine_octets = 10")
    );
    quarantine.delete(id).await.unwrap();
    quarantine.add(held("two"), &message("123")).await.unwrap();
}

#[tokio::test]
async fn a_page_begins_behind_a_number() {
    let fixture = Fixture::new();
    let quarantine = fixture.open().await;
    for _ in 0..3 {
        quarantine.add(held("x"), &message("x")).await.unwrap();
    }
    let page = quarantine.list(QuarantineId(1), 1);
    assert_eq!(page[0].id, QuarantineId(2));
}
