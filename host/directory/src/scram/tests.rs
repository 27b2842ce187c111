//! Exchanges with a client of RFC 5802, written once more from its side.

use ring::{digest, hmac, pbkdf2};

use super::*;
use crate::testing::{Fixture, PEER, TRUSTED};

const EXPORTED: &[u8] = b"what TLS exports: thirty-two octets";

/// How a client begins, and what it is bound to.
struct Client {
    header: String,
    binding: Vec<u8>,
    user: String,
    password: String,
}

impl Client {
    fn new(user: &str, password: &str) -> Client {
        Client {
            header: "n,,".into(),
            binding: Vec::new(),
            user: user.into(),
            password: password.into(),
        }
    }

    fn bound(user: &str, password: &str) -> Client {
        Client {
            header: "p=tls-exporter,,".into(),
            binding: EXPORTED.to_vec(),
            ..Client::new(user, password)
        }
    }

    fn bare(&self) -> String {
        format!("n={},r=fyko+d2lbbFgONRv9qkxdawL", self.user)
    }

    fn first(&self) -> String {
        format!("{}{}", self.header, self.bare())
    }

    /// The final message, and what the server must answer.
    fn last(&self, server_first: &str) -> (String, String) {
        let field = |name: &str| {
            let field = server_first
                .split(',')
                .find_map(|field| field.strip_prefix(name));
            field.unwrap().to_owned()
        };
        let iterations: NonZeroU32 = field("i=").parse().unwrap();
        let salt = STANDARD.decode(field("s=")).unwrap();
        let mut salted = [0; 32];
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(
            algorithm,
            iterations,
            &salt,
            self.password.as_bytes(),
            &mut salted,
        );
        let mac = |key: &[u8], text: &str| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
        };
        let client = mac(&salted, "Client Key");
        let stored = digest::digest(&digest::SHA256, client.as_ref());
        let bound = STANDARD.encode([self.header.as_bytes(), &self.binding].concat());
        let without_proof = format!("c={bound},r={}", field("r="));
        let whole = format!("{},{server_first},{without_proof}", self.bare());
        let signature = mac(stored.as_ref(), &whole);
        let proof: Vec<u8> = client
            .as_ref()
            .iter()
            .zip(signature.as_ref())
            .map(|(a, b)| a ^ b)
            .collect();
        let server = mac(mac(&salted, "Server Key").as_ref(), &whole);
        (
            format!("{without_proof},p={}", STANDARD.encode(proof)),
            format!("v={}", STANDARD.encode(server.as_ref())),
        )
    }
}

fn channel(plus: bool) -> Channel {
    Channel {
        exporter: EXPORTED.to_vec(),
        plus,
    }
}

/// Who is logged in; the server has proved itself too.
async fn log_in(fixture: &Fixture, client: &Client, channel: &Channel) -> Result<String> {
    log_in_from(fixture, TRUSTED, client, channel).await
}

async fn log_in_from(
    fixture: &Fixture,
    peer: &str,
    client: &Client,
    channel: &Channel,
) -> Result<String> {
    let directory = &fixture.directory;
    let (exchange, answer) = directory.scram_first(&client.first(), channel).await?;
    let (last, expected) = client.last(&answer);
    let (user, answer) = directory
        .scram_final(peer.parse().unwrap(), &exchange, &last)
        .await?;
    assert_eq!(answer, expected);
    Ok(user.address)
}

fn is_denied(outcome: Result<String>) -> bool {
    matches!(outcome, Err(Error::Denied))
}

#[test]
fn the_verifier_is_that_of_rfc_7677() {
    let terms = Terms {
        salt: STANDARD
            .decode("W22ZaJ0SNY7soEsUEjb6gQ==")
            .unwrap()
            .try_into()
            .unwrap(),
        iterations: NonZeroU32::new(4096).unwrap(),
    };
    let verifier = Verifier::of("pencil", &terms);
    let auth_message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
                        c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    let proof: [u8; 32] = STANDARD
        .decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
        .unwrap()
        .try_into()
        .unwrap();
    let signature = verifier.accept(&proof, auth_message.as_bytes()).unwrap();
    assert_eq!(
        STANDARD.encode(signature),
        "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    );
    let read = Verifier::from_octets(&verifier.to_octets()).unwrap();
    assert!(read.accept(&proof, auth_message.as_bytes()).is_some());
    assert!(read.accept(&proof, b"another exchange").is_none());
}

#[tokio::test]
async fn only_the_right_password_of_an_enabled_user_proves_anything() {
    let fixture = Fixture::with_users(&["anna"]).await;
    for name in ["anna", "Anna@example.org", "EXAMPLE\\anna"] {
        let proved = log_in(&fixture, &Client::new(name, "secret"), &Channel::default()).await;
        assert_eq!(proved.unwrap(), "anna@example.org");
    }
    let plain = Channel::default();
    assert!(is_denied(
        log_in(&fixture, &Client::new("anna", "Secret"), &plain).await
    ));
    assert!(is_denied(
        log_in(&fixture, &Client::new("nobody", "secret"), &plain).await
    ));
    fixture.directory.set_enabled("anna", false).await.unwrap();
    assert!(is_denied(
        log_in(&fixture, &Client::new("anna", "secret"), &plain).await
    ));
}

#[tokio::test]
async fn a_new_password_counts_at_once_and_the_old_one_no_more() {
    let fixture = Fixture::with_users(&["anna"]).await;
    fixture
        .directory
        .set_password("anna", "better".into())
        .await
        .unwrap();
    let plain = Channel::default();
    assert!(is_denied(
        log_in(&fixture, &Client::new("anna", "secret"), &plain).await
    ));
    log_in(&fixture, &Client::new("anna", "better"), &plain)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_app_password_proves_as_well_as_the_password() {
    let fixture = Fixture::with_users(&["anna"]).await;
    let made = fixture
        .directory
        .add_app_password("anna", "phone")
        .await
        .unwrap();
    let shown = made.password.expose_secret();
    let plain = Channel::default();
    for typed in [shown.to_owned(), shown.replace('-', "")] {
        log_in(&fixture, &Client::new("anna", &typed), &plain)
            .await
            .unwrap();
    }
    log_in(&fixture, &Client::new("anna", "secret"), &plain)
        .await
        .unwrap();
    fixture
        .directory
        .remove_app_password("anna", "phone")
        .await
        .unwrap();
    assert!(is_denied(
        log_in(&fixture, &Client::new("anna", shown), &plain).await
    ));
}

#[tokio::test]
async fn a_password_of_elsewhere_proves_once_it_was_verified() {
    let fixture = Fixture::with_users(&["anna"]).await;
    sqlx::raw_sql("UPDATE users SET scram_terms = NULL, scram_verifier = NULL")
        .execute(&fixture.directory.0.pool)
        .await
        .unwrap();
    let fixture = fixture.reopened().await;
    let (anna, plain) = (Client::new("anna", "secret"), Channel::default());
    assert!(is_denied(log_in(&fixture, &anna, &plain).await));
    fixture.log_in(TRUSTED, "anna", "secret").await.unwrap();
    log_in(&fixture, &anna, &plain).await.unwrap();
}

#[tokio::test]
async fn other_iterations_take_the_place_of_the_old_at_the_next_log_in() {
    let fixture = Fixture::with_users(&["anna"]).await;
    let fixture = fixture
        .reopened_with(|config| config.scram_iterations = 5_000)
        .await;
    fixture.log_in(TRUSTED, "anna", "secret").await.unwrap();
    let first = Client::new("anna", "secret").first();
    let (_, answer) = fixture
        .directory
        .scram_first(&first, &Channel::default())
        .await
        .unwrap();
    assert!(answer.ends_with(",i=5000"), "{answer}");
    log_in(
        &fixture,
        &Client::new("anna", "secret"),
        &Channel::default(),
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn one_core_is_enough_to_log_in_and_to_learn_other_iterations() {
    let fixture = Fixture::with_users(&["anna"]).await;
    let fixture = fixture
        .reopened_with(|config| config.scram_iterations = 5_000)
        .await;
    let cores = std::thread::available_parallelism().unwrap().get();
    let mut busy = Vec::new();
    for _ in 1..cores {
        busy.push(fixture.directory.0.hasher.turn().await.unwrap());
    }
    let logged_in = fixture.log_in(TRUSTED, "anna", "secret");
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, logged_in)
        .await
        .expect("the log-in waits for itself")
        .unwrap();
}

#[tokio::test]
async fn nobody_is_answered_like_somebody() {
    let fixture = Fixture::with_users(&["anna"]).await;
    let ask = async |fixture: &Fixture, name: &str| {
        let first = Client::new(name, "").first();
        let (_, answer) = fixture
            .directory
            .scram_first(&first, &Channel::default())
            .await
            .unwrap();
        let (_, terms) = answer.split_once(",s=").unwrap();
        terms.to_owned()
    };
    let (anna, bob) = (ask(&fixture, "anna").await, ask(&fixture, "bob").await);
    assert_eq!(anna.len(), bob.len());
    assert_ne!(anna, bob);
    assert_ne!(bob, ask(&fixture, "carl").await);
    for spelled in ["BOB", "bob@example.org", "EXAMPLE\\bob"] {
        assert_eq!(ask(&fixture, spelled).await, bob, "{spelled}");
    }
    let fixture = fixture.reopened().await;
    assert_eq!(
        (ask(&fixture, "anna").await, ask(&fixture, "bob").await),
        (anna, bob)
    );
}

#[tokio::test]
async fn a_channel_is_bound_as_the_mechanism_says() {
    let fixture = Fixture::with_users(&["anna"]).await;
    log_in(&fixture, &Client::bound("anna", "secret"), &channel(true))
        .await
        .unwrap();
    // Somebody between them: another channel on either side.
    let elsewhere = Client {
        binding: b"another channel".to_vec(),
        ..Client::bound("anna", "secret")
    };
    assert!(is_denied(
        log_in(&fixture, &elsewhere, &channel(true)).await
    ));
    let with = |header: &str| Client {
        header: header.into(),
        ..Client::new("anna", "secret")
    };
    log_in(&fixture, &with("n,,"), &channel(false))
        .await
        .unwrap();
    log_in(&fixture, &with("y,,"), &Channel::default())
        .await
        .unwrap();
    for (header, channel) in [
        ("y,,", channel(false)),
        ("n,,", channel(true)),
        ("p=tls-unique,,", channel(true)),
        ("p=tls-exporter,,", channel(false)),
        (
            "p=tls-exporter,,",
            Channel {
                plus: true,
                ..Channel::default()
            },
        ),
    ] {
        let refused = log_in(&fixture, &with(header), &channel).await;
        assert!(
            matches!(refused, Err(Error::Refused(_))),
            "{header} {channel:?}"
        );
    }
}

#[tokio::test]
async fn guesses_are_counted_as_everywhere() {
    let fixture = Fixture::with_users(&["anna"]).await;
    let plain = Channel::default();
    for _ in 0..10 {
        assert!(is_denied(
            log_in_from(&fixture, PEER, &Client::new("anna", "wrong"), &plain).await
        ));
    }
    let stopped = log_in_from(&fixture, PEER, &Client::new("anna", "secret"), &plain).await;
    assert!(matches!(stopped, Err(Error::Limit(_))));
    assert!(matches!(
        fixture.log_in(PEER, "anna", "secret").await,
        Err(Error::Limit(_))
    ));
}

#[tokio::test]
async fn one_acts_as_oneself_only() {
    let fixture = Fixture::with_users(&["anna", "bob"]).await;
    let acting = |whom: &str| Client {
        header: format!("n,a={whom},"),
        ..Client::new("anna", "secret")
    };
    log_in(&fixture, &acting("anna"), &Channel::default())
        .await
        .unwrap();
    let refused = log_in(&fixture, &acting("bob"), &Channel::default()).await;
    assert!(matches!(refused, Err(Error::Refused(_))));
}

#[tokio::test]
async fn without_iterations_there_is_no_scram_and_no_verifier() {
    let fixture = Fixture::with_users(&["anna"]).await;
    let fixture = fixture
        .reopened_with(|config| config.scram_iterations = 0)
        .await;
    assert!(!fixture.directory.has_scram());
    let refused = log_in(
        &fixture,
        &Client::new("anna", "secret"),
        &Channel::default(),
    )
    .await;
    assert!(matches!(refused, Err(Error::Refused(_))));
    fixture
        .directory
        .set_password("anna", "better".into())
        .await
        .unwrap();
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM users WHERE scram_verifier IS NOT NULL")
            .fetch_one(&fixture.directory.0.pool)
            .await
            .unwrap();
    assert_eq!(kept, 0);
    assert!(iterations(4_095).is_err());
}
