//! Exchanges against a directory of one user.

use super::*;
use crate::Frozen;
use crate::frozen::Frozen as _;

/// Knows `ada` with the password `secret`, the token `good`, and a proof that is no proof.
#[derive(Default)]
struct OneUser {
    bound: Option<String>,
}

impl Directory for OneUser {
    type Principal = String;

    fn check(&mut self, credential: &Credential) -> Result<String, Fault> {
        match credential {
            Credential::Password(given)
                if (given.user.as_str(), given.password.as_str()) == ("ada", "secret") =>
            {
                Ok(given.act_as.clone().unwrap_or_else(|| given.user.clone()))
            }
            Credential::Bearer(token) if token.token == "good" => {
                Ok(token.user.clone().unwrap_or_default())
            }
            Credential::Bearer(token) if token.token == "later" => {
                Err(Fault::new(FaultClass::Unavailable, "busy"))
            }
            Credential::External(name) => Ok(name.clone().unwrap_or_else(|| "certificate".into())),
            _ => Err(Fault::new(FaultClass::Denied, "no")),
        }
    }

    fn begin_scram(&mut self, mechanism: &str, message: &str) -> Result<String, Fault> {
        Ok(format!("{mechanism} {message}"))
    }

    fn finish_scram(&mut self, message: &str) -> Result<String, Fault> {
        if message != "proof" {
            return Err(Fault::new(FaultClass::Denied, "no"));
        }
        self.bound = Some("ada".into());
        Ok("v=signature".into())
    }

    fn proved(&mut self) -> Option<String> {
        self.bound.clone()
    }

    fn forget(&mut self) {
        self.bound = None;
    }
}

/// A whole exchange: the challenges as text, and how it ends. Every exchange in between is frozen and thawed.
fn exchange(mechanism: Mechanism, initial: Option<&str>, lines: &[&str]) -> (Vec<String>, String) {
    let encode = |text: &&str| match *text {
        raw @ ("*" | "!") => raw.to_owned(),
        text => STANDARD.encode(text),
    };
    let initial = initial.map(|text| {
        if text.is_empty() {
            "=".to_owned()
        } else {
            STANDARD.encode(text)
        }
    });
    let mut directory = OneUser::default();
    let initial = initial.as_deref().map(str::as_bytes);
    let mut outcome = Exchange::start(mechanism, initial, &mut directory);
    let mut lines = lines.iter().map(encode);
    let mut challenges = Vec::new();
    loop {
        let (waiting, challenge) = match outcome {
            Outcome::Ask {
                exchange,
                challenge,
            } => (exchange, challenge),
            Outcome::Proved(user) => return (challenges, format!("proved {user}")),
            Outcome::Refused(fault) => return (challenges, format!("refused {:?}", fault.class)),
            Outcome::Broken(broken) => return (challenges, broken.to_string()),
        };
        challenges.push(String::from_utf8(STANDARD.decode(challenge).unwrap()).unwrap());
        let Some(line) = lines.next() else {
            return (challenges, "asked".into());
        };
        outcome = thawed(&waiting).answer(line.as_bytes(), &mut directory);
    }
}

#[derive(Serialize, Deserialize, Frozen)]
#[frozen(format = 1)]
struct State(Exchange);

fn thawed(exchange: &Exchange) -> Exchange {
    let snapshot = State(exchange.clone()).to_snapshot().unwrap();
    let State(thawed) = State::from_snapshot(&snapshot).unwrap();
    assert_eq!(thawed, *exchange);
    thawed
}

fn ends(mechanism: Mechanism, initial: Option<&str>, lines: &[&str]) -> String {
    exchange(mechanism, initial, lines).1
}

#[test]
fn plain_proves_with_and_without_an_initial_response() {
    assert_eq!(
        ends(Mechanism::Plain, Some("\0ada\0secret"), &[]),
        "proved ada"
    );
    assert_eq!(
        exchange(Mechanism::Plain, None, &["bob\0ada\0secret"]),
        (vec![String::new()], "proved bob".into())
    );
    assert_eq!(
        ends(Mechanism::Plain, None, &["\0ada\0wrong"]),
        "refused FaultClass::Denied"
    );
}

#[test]
fn login_asks_twice() {
    assert_eq!(
        exchange(Mechanism::Login, None, &["ada", "secret"]),
        (
            vec!["Username:".into(), "Password:".into()],
            "proved ada".into()
        )
    );
    assert_eq!(
        exchange(Mechanism::Login, Some("ada"), &["secret"]),
        (vec!["Password:".into()], "proved ada".into())
    );
}

#[test]
fn a_refused_token_is_explained_before_the_exchange_fails() {
    let bad = "n,a=ada,\x01auth=Bearer bad\x01\x01";
    assert_eq!(
        exchange(Mechanism::OAuthBearer, Some(bad), &["\x01"]),
        (
            vec![TOKEN_ERROR.into()],
            "refused FaultClass::Denied".into()
        )
    );
    assert_eq!(
        ends(
            Mechanism::XOAuth2,
            Some("user=ada\x01auth=Bearer good\x01\x01"),
            &[]
        ),
        "proved ada"
    );
}

#[test]
fn a_directory_that_cannot_judge_ends_the_exchange_at_once() {
    let token = "user=ada\x01auth=Bearer later\x01\x01";
    assert_eq!(
        ends(Mechanism::XOAuth2, Some(token), &[]),
        "refused FaultClass::Unavailable"
    );
}

#[test]
fn an_empty_initial_response_is_an_answer() {
    assert_eq!(
        ends(Mechanism::External, Some(""), &[]),
        "proved certificate"
    );
    assert_eq!(ends(Mechanism::External, None, &["ada"]), "proved ada");
    assert_eq!(
        ends(Mechanism::Plain, Some(""), &[]),
        "The response is malformed"
    );
}

#[test]
fn lines_that_are_no_answer_break_the_exchange() {
    assert_eq!(
        ends(Mechanism::Login, None, &["ada", "*"]),
        "Authentication cancelled"
    );
    assert_eq!(
        ends(Mechanism::Login, None, &["!"]),
        "The response is not base64"
    );
    let Outcome::Broken(broken) =
        Exchange::start(Mechanism::Plain, Some(b"//8="), &mut OneUser::default())
    else {
        panic!()
    };
    assert_eq!(broken, Broken::NotUtf8);
}

#[test]
fn mechanisms_are_named_in_any_case() {
    assert_eq!(Mechanism::named("xOauth2"), Some(Mechanism::XOAuth2));
    assert_eq!(Mechanism::named("CRAM-MD5"), None);
}

#[test]
fn scram_is_relayed_and_ends_with_an_empty_line() {
    assert_eq!(
        exchange(Mechanism::ScramSha256, Some("first"), &["proof", ""]),
        (
            vec!["SCRAM-SHA-256 first".into(), "v=signature".into()],
            "proved ada".into()
        )
    );
    assert_eq!(
        exchange(Mechanism::ScramSha256Plus, None, &["first", "wrong"]),
        (
            vec![String::new(), "SCRAM-SHA-256-PLUS first".into()],
            "refused FaultClass::Denied".into()
        )
    );
}

#[test]
fn who_gives_up_after_the_proof_is_not_logged_in() {
    for last in ["*".to_owned(), "!".to_owned(), STANDARD.encode("more")] {
        let mut directory = OneUser::default();
        let mut outcome =
            Exchange::start(Mechanism::ScramSha256, Some(b"Zmlyc3Q="), &mut directory);
        for line in [STANDARD.encode("proof"), last] {
            let Outcome::Ask { exchange, .. } = outcome else {
                panic!()
            };
            outcome = exchange.answer(line.as_bytes(), &mut directory);
        }
        assert!(matches!(outcome, Outcome::Broken(_)));
        assert_eq!(directory.bound, None);
    }
}
