//! Against a host that says what a script has it say.

use std::net::SocketAddr;

use async_trait::async_trait;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    task::JoinHandle,
};

use super::*;
use crate::{Notify, TlsDemand};

/// Plays `S:` lines and expects `C:` lines; answers what it read.
async fn host(script: &'static str) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(socket);
        let mut read = Vec::new();
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            match line.split_at(2) {
                ("S:", said) => {
                    let said = format!("{}\r\n", said.trim());
                    stream.get_mut().write_all(said.as_bytes()).await.unwrap();
                }
                (_, expected) => {
                    let mut line = String::new();
                    stream.read_line(&mut line).await.unwrap();
                    read.push(line.trim_end().to_owned());
                    assert_eq!(line, format!("{}\r\n", expected.trim()));
                }
            }
        }
        read
    });
    (address, task)
}

fn client(mode: OutboundTls) -> Client {
    Client {
        own_name: "mx.example.org".into(),
        tls: TlsClient::new(None).unwrap(),
        mode,
        login: None,
    }
}

fn target(address: SocketAddr) -> Target {
    Target {
        name: "localhost".into(),
        address,
        verified: false,
    }
}

fn errand(recipients: &[&str]) -> Errand {
    let recipient = |address: &&str| ErrandRecipient {
        address: (*address).to_owned(),
        notify: Notify {
            failure: true,
            success: true,
            ..Notify::default()
        },
        original: Some("rfc822;o@example.org".into()),
    };
    Errand {
        sender: "anna@example.org".into(),
        envelope_id: Some("QQ1".into()),
        headers_only: true,
        smtp_utf8: false,
        eight_bit: false,
        utf8_header: false,
        tls_demand: TlsDemand::Usual,
        size: 20,
        recipients: recipients.iter().map(recipient).collect(),
    }
}

struct Text(Option<&'static str>);

#[async_trait]
impl Octets for Text {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        Ok(self.0.take().map(|text| text.as_bytes().to_vec()))
    }
}

async fn deliver(script: &'static str, errand: &Errand) -> Vec<Verdict> {
    let (address, host) = host(script).await;
    let client = client(OutboundTls::Opportunistic);
    let mut connection = client
        .connect(&[target(address)], TlsDemand::Usual)
        .await
        .unwrap();
    let verdicts = connection
        .deliver(errand, &mut Text(Some("Subject: x\r\n\r\n.dot\r\n")))
        .await
        .unwrap();
    drop(connection);
    host.await.unwrap();
    verdicts
}

fn outcomes(verdicts: &[Verdict]) -> Vec<String> {
    verdicts
        .iter()
        .map(|verdict| verdict.outcome.to_string())
        .collect()
}

#[tokio::test]
async fn what_requires_tls_is_not_said_to_a_host_without_it() {
    let required = Errand {
        tls_demand: TlsDemand::Required,
        ..errand(&["a@example.net"])
    };
    let verdicts = deliver(
        "S: 220 mx.example.net ESMTP
         C: EHLO mx.example.org
         S: 250-mx.example.net
         S: 250 REQUIRETLS",
        &required,
    )
    .await;
    assert_eq!(verdicts[0].outcome.enhanced, "5.7.30");
}

#[tokio::test]
async fn each_recipient_gets_its_own_answer() {
    let verdicts = deliver(
        "S: 220 mx.example.net ESMTP
         C: EHLO mx.example.org
         S: 250-mx.example.net
         S: 250-PIPELINING
         S: 250-SIZE 1000
         S: 250 DSN
         C: MAIL FROM:<anna@example.org> SIZE=20 RET=HDRS ENVID=QQ1
         C: RCPT TO:<a@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;o@example.org
         C: RCPT TO:<b@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;o@example.org
         C: RCPT TO:<c@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;o@example.org
         S: 250 2.1.0 ok
         S: 250 2.1.5 ok
         S: 451 4.2.0 later
         S: 550-5.1.1 never
         S: 550 5.1.1 heard of
         C: DATA
         S: 354 go
         C: Subject: x
         C:
         C: ..dot
         C: .
         S: 250 2.0.0 taken as 7",
        &errand(&["a@example.net", "b@example.net", "c@example.net"]),
    )
    .await;
    assert_eq!(
        outcomes(&verdicts),
        [
            "250 2.0.0 taken as 7",
            "451 4.2.0 later",
            "550 5.1.1 never heard of"
        ]
    );
    assert!(verdicts[0].reports);
}

#[tokio::test]
async fn a_host_that_knows_nothing_but_helo_is_enough() {
    let verdicts = deliver(
        "S: 220 old
         C: EHLO mx.example.org
         S: 502 what?
         C: HELO mx.example.org
         S: 250 old
         C: MAIL FROM:<anna@example.org>
         S: 250 ok
         C: RCPT TO:<a@example.net>
         S: 250 ok
         C: DATA
         S: 354 go
         C: Subject: x
         C:
         C: ..dot
         C: .
         S: 554 no",
        &errand(&["a@example.net"]),
    )
    .await;
    assert_eq!(outcomes(&verdicts), ["554 5.0.0 no"]);
    assert!(!verdicts[0].reports);
}

#[tokio::test]
async fn a_refused_sender_refuses_all_and_leaves_the_connection_usable() {
    let verdicts = deliver(
        "S: 220 mx.example.net ESMTP
         C: EHLO mx.example.org
         S: 250 mx.example.net
         C: MAIL FROM:<anna@example.org>
         S: 450 4.7.1 greylisted
         C: RSET
         S: 250 ok",
        &errand(&["a@example.net", "b@example.net"]),
    )
    .await;
    assert_eq!(
        outcomes(&verdicts),
        ["450 4.7.1 greylisted", "450 4.7.1 greylisted"]
    );
}

#[tokio::test]
async fn what_a_host_cannot_take_is_not_sent() {
    const OFFERS: &str = "S: 220 mx.example.net ESMTP
         C: EHLO mx.example.org
         S: 250-mx.example.net
         S: 250 SIZE 10";
    let small = errand(&["a@example.net"]);
    let utf8 = Errand {
        size: 1,
        smtp_utf8: true,
        utf8_header: true,
        ..small.clone()
    };
    let eight_bit = Errand {
        size: 1,
        eight_bit: true,
        ..small.clone()
    };
    for (errand, enhanced) in [(small, "5.3.4"), (utf8, "5.6.7"), (eight_bit, "5.6.3")] {
        assert_eq!(deliver(OFFERS, &errand).await[0].outcome.enhanced, enhanced);
    }
}

async fn refusal(script: &'static str, mode: OutboundTls) -> Outcome {
    let (address, _host) = host(script).await;
    match client(mode)
        .connect(&[target(address)], TlsDemand::Usual)
        .await
    {
        Ok(_) => panic!("connected"),
        Err(outcome) => outcome,
    }
}

#[tokio::test]
async fn a_host_that_turns_us_away_is_asked_again_later() {
    let refused = refusal("S: 554 5.7.1 not you", OutboundTls::None).await;
    assert_eq!((refused.code, refused.enhanced.as_str()), (450, "4.7.1"));
}

#[tokio::test]
async fn a_host_with_our_own_name_is_us() {
    let refused = refusal("S: 220 MX.example.org ESMTP", OutboundTls::None).await;
    assert_eq!(refused.enhanced, "5.4.6");
}

#[tokio::test]
async fn where_tls_is_required_nothing_is_said_without_it() {
    const PLAIN: &str = "S: 220 mx.example.net ESMTP
         C: EHLO mx.example.org
         S: 250 mx.example.net";
    for mode in [OutboundTls::Required, OutboundTls::Verified] {
        assert_eq!(refusal(PLAIN, mode).await.enhanced, "4.7.5");
    }
}

#[tokio::test]
async fn the_next_address_is_tried_when_the_first_is_down() {
    let down = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = down.local_addr().unwrap();
    drop(down);
    let (address, host) = host(
        "S: 220 mx.example.net ESMTP
         C: EHLO mx.example.org
         S: 250 mx.example.net",
    )
    .await;
    let client = client(OutboundTls::Opportunistic);
    let connection = client
        .connect(&[target(nobody), target(address)], TlsDemand::Usual)
        .await
        .unwrap();
    assert!(connection.host.contains(&address.to_string()));
    host.await.unwrap();
    let refused = client
        .connect(&[target(nobody)], TlsDemand::Usual)
        .await
        .err()
        .unwrap();
    assert_eq!((refused.code, refused.enhanced.as_str()), (451, "4.4.1"));
}
