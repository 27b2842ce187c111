//! Transcripts of the parser, and what must hold for any input.

use proptest::prelude::*;

use super::*;

fn command(text: &str) -> Command {
    match parse_command(text.as_bytes()) {
        Parsed::Command {
            consumed, request, ..
        } => {
            assert_eq!(consumed, text.len());
            request.command
        }
        other => panic!("{text:?}: {other:?}"),
    }
}

fn refusal(text: &str) -> String {
    match parse_command(text.as_bytes()) {
        Parsed::Bad { text, .. } => text,
        other => panic!("{text:?}: {other:?}"),
    }
}

/// One of everything, with literals of both kinds.
const COMMANDS: &[&str] = &[
    "a1 CAPABILITY\r\n",
    "a LOGIN {5}\r\nalice {3+}\r\na\"b\r\n",
    "a login \"a\\\"b\" {0}\r\n\r\n",
    "a AUTHENTICATE PLAIN AGEAYg==\r\n",
    "a ID (\"name\" \"x\" \"version\" NIL)\r\n",
    "a SELECT INBOX (CONDSTORE QRESYNC (67890007 20050715194045000 41,43:211,214:541 (1,2 3,4)))\r\n",
    "a CREATE {4+}\r\nSent (USE (\\Sent))\r\n",
    "a RENAME \"x y\" z\r\n",
    "a LIST (SPECIAL-USE) \"\" (\"*\" {1}\r\n%) RETURN (STATUS (UNSEEN))\r\n",
    "a STATUS INBOX (MESSAGES)\r\n",
    "a UID SEARCH RETURN (MIN COUNT) CHARSET UTF-8 OR SUBJECT {2}\r\n\u{fc} 1:*\r\n",
    "a FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS ({4}\r\nFrom To)]) (CHANGEDSINCE 3)\r\n",
    "a UID STORE 1 (UNCHANGEDSINCE 5) -FLAGS.SILENT (\\Seen x)\r\n",
    "a UID EXPUNGE 1:5\r\n",
    "a MOVE $ {5}\r\nTrash\r\n",
    "a APPEND {5}\r\nDraft (\\Draft) \" 1-Jan-2024 00:00:00 +0000\" {20+}\r\n",
    "a IDLE\n",
    "a APPEND {5}\r\nDraft (\\Draft) CATENATE (URL \"/INBOX/;UID=1\" TEXT {3}\r\n",
    "a APPEND Draft CATENATE (URL /INBOX/;UID=1/;SECTION=1)\r\n",
    "a UID REPLACE 5 {5+}\r\nDraft (\\Draft) ~{20}\r\n",
    "a REPLACE * Draft CATENATE (URL {9}\r\n",
];

#[test]
fn every_command_is_read() {
    for text in COMMANDS {
        command(text);
    }
    assert_eq!(command("a NOOP\r\n"), Command::Noop);
    assert_eq!(
        command(COMMANDS[1]),
        Command::Login {
            user: "alice".into(),
            password: "a\"b".into()
        }
    );
    assert_eq!(
        command(COMMANDS[2]),
        Command::Login {
            user: "a\"b".into(),
            password: String::new()
        }
    );
    let Command::Append {
        mailbox,
        stretch,
        replaces: None,
    } = command(COMMANDS[15])
    else {
        panic!()
    };
    let literal = stretch.literal.unwrap();
    assert_eq!(
        (mailbox.as_str(), literal.size, literal.synchronising),
        ("Draft", 20, false)
    );
    let Command::Append {
        mailbox,
        stretch,
        replaces: Some(Replaced {
            uid: true,
            number: 5,
        }),
    } = command(COMMANDS[19])
    else {
        panic!()
    };
    assert_eq!(mailbox.as_str(), "Draft");
    assert!(stretch.literal.unwrap().binary);
}

#[test]
fn input_torn_anywhere_gives_the_same_command() {
    for text in COMMANDS {
        let whole = parse_command(text.as_bytes());
        for length in 0..text.len() {
            let torn = parse_command(&text.as_bytes()[..length]);
            assert!(
                matches!(torn, Parsed::Incomplete { .. }),
                "{text:?} at {length}: {torn:?}"
            );
        }
        let followed = [text.as_bytes(), b"b NOOP\r\n"].concat();
        assert_eq!(parse_command(&followed), whole, "{text:?}");
    }
}

#[test]
fn continuations_grow_with_each_synchronising_literal() {
    let announced = |text: &str| match parse_command(text.as_bytes()) {
        Parsed::Incomplete { continuations } => continuations,
        other => panic!("{other:?}"),
    };
    assert_eq!(announced("a LOGIN {5}\r"), 0);
    assert_eq!(announced("a LOGIN {5}\r\n"), 1);
    assert_eq!(announced("a LOGIN {5}\r\nalice"), 1);
    assert_eq!(announced("a LOGIN {5}\r\nalice {1}\r\n"), 2);
}

#[test]
fn a_refusal_says_what_is_wrong_and_keeps_the_tag() {
    assert_eq!(refusal("a FOO\r\n"), "unknown command FOO");
    assert_eq!(refusal("a LOGIN x\r\n"), "expected a space");
    assert_eq!(
        refusal("a SELECT &Jjo\r\n"),
        "the mailbox name is not modified UTF-7"
    );
    assert_eq!(refusal("a APPEND INBOX\r\n"), "APPEND needs a literal");
    assert_eq!(refusal("a NOOP x\r\n"), "unexpected text after the command");
    assert_eq!(refusal("+ NOOP\r\n"), "expected a tag");
    let Parsed::Bad { tag, rest, .. } = parse_command(b"b APPEND INBOX (\\Foo) {9+}\r\n") else {
        panic!()
    };
    assert_eq!((tag.as_deref(), rest), (Some("b"), Rest::Literal(9)));
}

proptest! {
    #[test]
    fn no_input_is_too_strange(input in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Parsed::Command { consumed, .. } | Parsed::Bad { consumed, .. } = parse_command(&input) {
            prop_assert!(consumed > 0 && consumed <= input.len());
        }
    }

    #[test]
    fn no_variation_of_a_command_is_too_strange(
        which in 0..COMMANDS.len(), at in any::<prop::sample::Index>(), byte in any::<u8>()
    ) {
        let mut input = COMMANDS[which].as_bytes().to_vec();
        let at = at.index(input.len());
        input[at] = byte;
        parse_command(&input);
    }
}
