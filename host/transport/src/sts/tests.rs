use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;

use super::*;

/// Announces a policy, or has gone silent; nobody answers HTTPS.
#[derive(Default)]
struct Zone {
    silent: AtomicBool,
}

#[async_trait]
impl Dns for Zone {
    async fn mail_hosts(&self, _: &str) -> Answer<(u16, String)> {
        Answer::NoDomain
    }

    async fn addresses(&self, _: &str) -> Answer<IpAddr> {
        Answer::NoDomain
    }

    async fn texts(&self, _: &str) -> Answer<String> {
        match self.silent.load(Ordering::Relaxed) {
            true => Answer::Failed("time-out".into()),
            false => Answer::Found(vec!["v=STSv1; id=1".into()]),
        }
    }
}

fn targets() -> Vec<Target> {
    let target = |name: &str| Target {
        name: name.to_owned(),
        address: ([192, 0, 2, 1], 25).into(),
        verified: false,
    };
    vec![target("a.example.net"), target("evil.test")]
}

fn known(mode: &str, hosts: &str) -> Sts {
    let sts = Sts::new(TlsClient::new(None).unwrap());
    let policy = format!("version: STSv1\nmode: {mode}\nmx: {hosts}\nmax_age: 1000");
    let now = Instant::now();
    let known = Known {
        policy: Some(Policy::parse(&policy).unwrap()),
        id: "1".into(),
        until: now + Duration::from_secs(1000),
        not_before: now,
    };
    sts.keep("example.net", known);
    sts
}

async fn left(sts: &Sts, zone: &Zone) -> Result<Vec<(String, bool)>, String> {
    let left = sts.apply(zone, "example.net", targets()).await;
    left.map(|left| {
        left.into_iter()
            .map(|target| (target.name, target.verified))
            .collect()
    })
    .map_err(|outcome| outcome.enhanced)
}

#[tokio::test]
async fn hosts_that_the_policy_does_not_name_get_nothing() {
    let zone = Zone::default();
    let sts = known("enforce", "*.example.net");
    assert_eq!(
        left(&sts, &zone).await.unwrap(),
        [("a.example.net".into(), true)]
    );
    let sts = known("enforce", "b.example.net");
    assert_eq!(left(&sts, &zone).await.unwrap_err(), "4.7.5");
}

#[tokio::test]
async fn a_policy_that_is_tested_or_taken_back_changes_nothing() {
    for mode in ["testing", "none"] {
        let sts = known(mode, "*.example.net");
        let left = left(&sts, &Zone::default()).await.unwrap();
        assert!(
            left.len() == 2 && left.iter().all(|(_, verified)| !verified),
            "{left:?}"
        );
    }
}

#[tokio::test]
async fn who_makes_dns_silent_does_not_take_a_known_policy_away() {
    let zone = Zone::default();
    zone.silent.store(true, Ordering::Relaxed);
    assert_eq!(
        left(&known("enforce", "*.example.net"), &zone)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_policy_that_was_never_had_holds_nobody_up_and_is_not_asked_for_at_each_delivery() {
    let zone = Zone::default();
    let sts = Sts::new(TlsClient::new(None).unwrap());
    assert_eq!(left(&sts, &zone).await.unwrap().len(), 2);
    let waits = |sts: &Sts| sts.known()["example.net"].not_before;
    let first = waits(&sts);
    assert!(first > Instant::now());
    assert_eq!(left(&sts, &zone).await.unwrap().len(), 2);
    assert_eq!(waits(&sts), first);
}

#[test]
fn the_memory_of_policies_has_an_end() {
    let sts = known("enforce", "a.test");
    for number in 0..MOST + 5 {
        let until = Instant::now() + Duration::from_secs(2000);
        let fresh = Known {
            policy: None,
            id: "1".into(),
            until,
            not_before: until,
        };
        sts.keep(&format!("{number}.test"), fresh);
    }
    assert_eq!(sts.known().len(), MOST);
    assert!(
        !sts.known().contains_key("example.net"),
        "the one that ends first goes first"
    );
}
