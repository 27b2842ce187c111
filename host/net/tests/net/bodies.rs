//! Input that becomes a body.

use waxwing_net::{Attention, TlsMode};

use crate::running::{Client, Running, toy};

async fn greeted() -> (Running, Client<tokio::net::TcpStream>) {
    let running = Running::new(toy(TlsMode::None)).await;
    let client = running.greeted().await;
    (running, client)
}

#[tokio::test]
async fn an_exact_body_begins_with_what_was_buffered_and_ends_before_the_next_command() {
    let (_running, mut client) = greeted().await;
    client.send("exact 10\r\n0123").await;
    client.send("456789echo next\r\n").await;
    assert_eq!(client.line().await, "Complete 10 0123456789");
    assert_eq!(client.line().await, "next");
}

#[tokio::test]
async fn an_empty_body_is_complete_at_once() {
    let (_running, mut client) = greeted().await;
    assert_eq!(client.ask("exact 0").await, "Complete 0");
}

#[tokio::test]
async fn a_dot_stuffed_body_is_unstuffed_and_the_pipelined_command_after_it_is_answered() {
    let (_running, mut client) = greeted().await;
    client
        .send("data 100\r\none\r\n..two\r\n.\r\necho next\r\n")
        .await;
    assert_eq!(client.line().await, "Complete 11 one");
    assert_eq!(client.line().await, ".two");
    assert_eq!(client.line().await, "");
    assert_eq!(client.line().await, "next");
}

#[tokio::test]
async fn smuggled_ends_do_not_end_a_message() {
    let (running, mut client) = greeted().await;
    client
        .send("data 100\r\na\n.\necho x\r\nb\n.\r\necho y\r\nc\r\n.\necho z\r\n.\r\necho end\r\n")
        .await;
    let first = client.line().await;
    assert!(first.starts_with("Complete "), "{first}");
    while client.line().await != "end" {}
    let log = running.script.log();
    let commands: Vec<&String> = log
        .iter()
        .filter(|line| line.starts_with("line "))
        .collect();
    assert_eq!(commands, ["line data 100", "line echo end"]);
}

#[tokio::test]
async fn a_body_over_its_limit_is_dropped_to_its_end_and_the_conversation_stays_in_step() {
    let (_running, mut client) = greeted().await;
    let long = "line\r\n".repeat(10_000);
    client
        .send(format!("data 100\r\n{long}.\r\necho next\r\n"))
        .await;
    assert_eq!(client.line().await, "OverLimit 60000");
    assert_eq!(client.line().await, "next");
    client
        .send(format!("exact 5000\r\n{}echo next\r\n", "x".repeat(5_000)))
        .await;
    assert_eq!(client.line().await, "OverLimit 5000");
    assert_eq!(client.line().await, "next");
}

#[tokio::test]
async fn a_body_of_many_megabytes_arrives_whole() {
    let (_running, mut client) = greeted().await;
    let size = 20_000_000;
    let message = "0123456789abcdefghij\r\n.dot\r\n".repeat(size / 28);
    let stuffed = message.replace("\r\n.", "\r\n..");
    client.send(format!("data {size}\r\n{stuffed}.\r\n")).await;
    let first = client.line().await;
    assert_eq!(
        first,
        format!("Complete {} 0123456789abcdefghij", message.len())
    );
}

#[tokio::test]
async fn a_session_is_handed_over_in_the_middle_of_a_body() {
    let (running, mut client) = greeted().await;
    client.send("exact 10\r\n01234").await;
    running.script.noted("line exact 10").await;
    running.script.wake(|| Attention::Upgrade);
    running.script.noted("upgraded").await;
    running.script.wake(|| Attention::Turn("held back"));
    client.send("56789version\r\n").await;
    assert_eq!(client.line().await, "Complete 10 0123456789");
    let mut rest = [client.line().await, client.line().await];
    rest.sort();
    assert_eq!(rest, ["* held back", "version 2"]);
}
