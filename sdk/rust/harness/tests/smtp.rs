//! Mail through the smtp component into a mailbox.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where its own set-up fails"
)]

use waxwing_sdk_harness::{Component, House, USERS};

fn house() -> House {
    let house = House::new().unwrap();
    house
        .load(&Component::build("waxwing-plugin-smtp", "plugins/smtp/plugin.toml").unwrap())
        .unwrap();
    house
}

/// Messages in a user's inbox.
fn delivered(house: &House, user: &str) -> u32 {
    house.wait_for(async {
        let services = house.services();
        let guid = services
            .directory
            .user(user)
            .await
            .unwrap()
            .mailbox
            .parse()
            .unwrap();
        let mailbox = services.store.mailbox(guid).await.unwrap();
        mailbox
            .folder_by_role(waxwing_exmdb::Role::Inbox)
            .await
            .unwrap()
            .items
    })
}

#[test]
fn a_message_arrives_however_it_is_cut_and_handed_over() {
    let house = house();
    house.check("smtp", include_str!("message.txt"));
    // Once for each manner.
    assert_eq!(delivered(&house, USERS[0]), 4);
}

#[test]
fn lmtp_answers_for_each_recipient() {
    let house = house();
    house.check("lmtp", include_str!("lmtp.txt"));
    assert_eq!(delivered(&house, USERS[0]), 4);
    assert_eq!(delivered(&house, USERS[1]), 4);
}
