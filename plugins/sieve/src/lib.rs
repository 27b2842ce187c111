//! Sieve (RFC 5228): runs its owner's script over each message that arrives.
//!
//! The language is [`waxwing_formats_sieve`]; here is what connects it with the host: the header is read, of the body only what a
//! `body` test asks for, and a message whose header a script has changed is put together from the new header and the old body,
//! which never comes in here. A script that cannot be read or fails while it runs is an error to the host, which keeps the
//! message.

mod message;

use std::time::{SystemTime, UNIX_EPOCH};

use waxwing_formats_sieve::{Action, Reply, Script, Store, Surroundings};
use waxwing_sdk::bodies::{self, Body};
use waxwing_sdk::filter::{
    Arrival, DeliveryFilter, Deposit, Memory, Post, Refusal, Step, surroundings,
};
use waxwing_sdk::{Fault, config, warning};

use message::Message;

/// The filter.
#[derive(Debug)]
pub struct Sieve;

waxwing_sdk::delivery_filter!(Sieve);

impl DeliveryFilter for Sieve {
    fn filter(arrival: Arrival) -> Result<Vec<Step>, String> {
        let script = Script::parse(&arrival.script).map_err(|error| error.to_string())?;
        let message = Message::read(&arrival.message).map_err(|fault| fault.to_string())?;
        let delimiter = config::get_or("recipient_delimiter", "+".to_owned());
        let addresses = [arrival.owner.clone()];
        let told = waxwing_formats_sieve::Arrival {
            header: &message.header,
            size: message.size,
            sender: &arrival.sender,
            recipient: &arrival.recipient,
            addresses: &addresses,
            delimiter: delimiter.chars().next(),
            now: now(),
            environment: &arrival.environment,
        };
        let mut host = Host {
            message: &arrival.message,
        };
        let actions = script
            .run(&told, &mut host)
            .map_err(|error| error.to_string())?;
        let steps = actions
            .into_iter()
            .map(|action| step(action, &arrival, &message));
        steps
            .collect::<Result<_, Fault>>()
            .map_err(|fault| fault.to_string())
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// What a script asks, asked of the host.
struct Host<'a> {
    message: &'a Body,
}

impl Surroundings for Host<'_> {
    fn has_folder(&mut self, name: &str) -> bool {
        surroundings::has_folder(name)
    }

    fn has_special_use(&mut self, special_use: &str, folder: Option<&str>) -> bool {
        surroundings::has_special_use(special_use, folder)
    }

    fn script(&mut self, name: &str, global: bool) -> Option<String> {
        // There are no scripts of everybody's.
        if global {
            None
        } else {
            surroundings::script(name)
        }
    }

    fn seen(&mut self, key: &str) -> bool {
        surroundings::remembers(key)
    }

    fn message(&mut self) -> Vec<u8> {
        message::beginning(self.message, waxwing_formats_sieve::limits::MAX_MESSAGE).unwrap_or_else(
            |fault| {
                warning!("the body cannot be read, it is taken for empty: {fault}");
                Vec::new()
            },
        )
    }
}

fn step(action: Action, arrival: &Arrival, message: &Message) -> Result<Step, Fault> {
    Ok(match action {
        Action::Store(Store {
            folder,
            special_use,
            create,
            flags,
            header,
        }) => Step::Store(Deposit {
            folder,
            special_use,
            create,
            flags,
            message: message.with_header(&arrival.message, header.as_deref())?,
        }),
        Action::Redirect { address, header } => Step::Redirect(Post {
            sender: arrival.sender.clone(),
            recipient: address,
            message: message.with_header(&arrival.message, header.as_deref())?,
        }),
        Action::Reject { reason, notice } => Step::Refuse(Refusal {
            text: reason,
            notice: Some(reply(notice)?),
        }),
        Action::Reply(answer) => Step::Reply(reply(answer)?),
        Action::Remember { key, seconds } => Step::Remember(Memory { key, seconds }),
    })
}

fn reply(reply: Reply) -> Result<Post, Fault> {
    Ok(Post {
        sender: String::new(),
        recipient: reply.to,
        message: Some(bodies::compose(&[bodies::Piece::Bytes(reply.message)])?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str =
        "Subject: one\r\nTo: anna@example.org\r\nMessage-ID: <1@b>\r\n\r\nbody\r\n";

    fn filter(script: &str) -> Result<Vec<Step>, String> {
        Sieve::filter(Arrival {
            message: Body::of(MESSAGE.as_bytes()),
            sender: "bob@example.net".into(),
            recipient: "anna@example.org".into(),
            owner: "anna@example.org".into(),
            script_name: "main".into(),
            script: script.into(),
            environment: Vec::new(),
        })
    }

    fn bytes(body: &Body) -> String {
        String::from_utf8(bodies::read_all(body, 1 << 20).unwrap()).unwrap()
    }

    #[test]
    fn a_message_is_filed_as_it_came() {
        let steps =
            filter("require [\"fileinto\", \"imap4flags\"]; fileinto :flags \"$x\" \"A/B\";")
                .unwrap();
        let [Step::Store(deposit)] = steps.as_slice() else {
            panic!("{steps:?}")
        };
        assert_eq!(deposit.folder.as_deref(), Some("A/B"));
        assert_eq!(deposit.flags, ["$x"]);
        assert!(deposit.message.is_none());
    }

    #[test]
    fn a_changed_header_stands_before_the_body_as_it_came() {
        let steps =
            filter("require \"editheader\"; deleteheader \"subject\"; addheader \"X-A\" \"b\";")
                .unwrap();
        let [Step::Store(deposit)] = steps.as_slice() else {
            panic!("{steps:?}")
        };
        assert_eq!(
            bytes(deposit.message.as_ref().unwrap()),
            "X-A: b\r\nTo: anna@example.org\r\nMessage-ID: <1@b>\r\n\r\nbody\r\n"
        );
    }

    #[test]
    fn an_answer_has_the_null_sender_and_is_remembered() {
        let steps = filter("require \"vacation\"; vacation \"Away\";").unwrap();
        let [Step::Reply(post), Step::Store(_), Step::Remember(_)] = steps.as_slice() else {
            panic!("{steps:?}")
        };
        assert_eq!(
            (post.sender.as_str(), post.recipient.as_str()),
            ("", "bob@example.net")
        );
        assert!(bytes(post.message.as_ref().unwrap()).contains("Auto-Submitted: auto-replied\r\n"));
    }

    #[test]
    fn a_script_that_is_wrong_is_an_error_with_its_line() {
        assert_eq!(
            filter("keep;\nkep;").unwrap_err(),
            "line 2: there is no command `kep`; did you mean `keep`?"
        );
    }
}
