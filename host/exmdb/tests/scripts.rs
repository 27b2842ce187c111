//! Scripts of a mailbox, and what a filter remembers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "support/fresh.rs"]
mod fresh;

use fresh::{GUID, fresh, open};
use waxwing_exmdb::{Error, Mailbox};

async fn listed(mailbox: &Mailbox) -> Vec<(String, bool)> {
    let scripts = mailbox.scripts().await.unwrap();
    let entry = |entry: waxwing_exmdb::ScriptEntry| (entry.name, entry.active);
    scripts.into_iter().map(entry).collect()
}

#[tokio::test]
async fn one_script_is_active_and_stays_it_under_another_text_and_name() {
    let (_folder, _store, mailbox) = fresh().await;
    assert!(mailbox.active_script().await.unwrap().is_none());
    mailbox.put_script("b", "keep;").await.unwrap();
    mailbox.put_script("ä b/c", "stop;").await.unwrap();
    mailbox.activate_script(Some("b")).await.unwrap();
    mailbox.put_script("b", "discard;").await.unwrap();
    mailbox.rename_script("b", "z").await.unwrap();
    assert_eq!(
        listed(&mailbox).await,
        [("z".to_owned(), true), ("ä b/c".to_owned(), false)]
    );
    assert_eq!(
        mailbox.active_script().await.unwrap(),
        Some(("z".to_owned(), "discard;".to_owned()))
    );
    mailbox.activate_script(None).await.unwrap();
    assert!(mailbox.active_script().await.unwrap().is_none());
}

#[tokio::test]
async fn the_active_script_is_not_deleted_and_no_name_is_taken_twice() {
    let (_folder, _store, mailbox) = fresh().await;
    mailbox.put_script("a", "keep;").await.unwrap();
    mailbox.put_script("b", "keep;").await.unwrap();
    mailbox.activate_script(Some("a")).await.unwrap();
    let conflict = mailbox.delete_script("a").await;
    assert!(matches!(conflict, Err(Error::Conflict(_))), "{conflict:?}");
    let taken = mailbox.rename_script("a", "b").await;
    assert!(matches!(taken, Err(Error::AlreadyExists(_))), "{taken:?}");
    mailbox.delete_script("b").await.unwrap();
    for missing in [
        mailbox.delete_script("b").await,
        mailbox.rename_script("b", "c").await,
        mailbox.activate_script(Some("b")).await,
    ] {
        assert!(matches!(missing, Err(Error::NotFound(_))), "{missing:?}");
    }
    assert_eq!(listed(&mailbox).await, [("a".to_owned(), true)]);
}

#[tokio::test]
async fn scripts_have_limits_that_are_named() {
    let (_folder, _store, mailbox) = fresh().await;
    for number in 0..64 {
        mailbox.put_script(&number.to_string(), "").await.unwrap();
    }
    mailbox.put_script("5", "keep;").await.unwrap();
    let many = mailbox.put_script("one more", "").await.unwrap_err();
    assert_eq!(many.to_string(), "limit reached: scripts of a mailbox = 64");
    let long = mailbox.has_script_space("5", 131_073).await.unwrap_err();
    assert_eq!(
        long.to_string(),
        "limit reached: octets of a script = 131072"
    );
    for name in ["", "a\nb", &"x".repeat(481)] {
        let invalid = mailbox.put_script(name, "").await;
        assert!(matches!(invalid, Err(Error::Invalid(_))), "{name:?}");
    }
}

#[tokio::test]
async fn what_is_remembered_is_forgotten_in_time_and_survives_a_restart() {
    let (folder, store, mailbox) = fresh().await;
    mailbox.put_script("a", "keep;").await.unwrap();
    mailbox.activate_script(Some("a")).await.unwrap();
    mailbox
        .remember(&[
            ("long".into(), 1_000),
            ("over".into(), 0),
            ("for ever".into(), u64::MAX),
        ])
        .await
        .unwrap();
    assert!(mailbox.remembers("long").await.unwrap());
    assert!(mailbox.remembers("for ever").await.unwrap());
    assert!(!mailbox.remembers("over").await.unwrap());
    drop(mailbox);
    store.shutdown().await;
    drop(store);
    let store = open(&folder).await;
    let mailbox = store.mailbox(GUID).await.unwrap();
    assert!(mailbox.remembers("long").await.unwrap());
    assert_eq!(
        mailbox.active_script().await.unwrap(),
        Some(("a".to_owned(), "keep;".to_owned()))
    );
}
