//! Scripts and what becomes of a message: RFC 5228 and the extensions, most of it after the examples of the RFCs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    missing_docs,
    reason = "tests"
)]

mod support;

use proptest::prelude::*;
use support::{Fixture, MESSAGE, flags, folders, header, holds};
use waxwing_formats_sieve::{Action, Script, limits};

#[test]
fn without_a_word_the_message_is_kept() {
    for script in [
        "",
        "# nothing\n",
        "/* */ if false { discard; }",
        "keep;",
        "keep; keep;",
        "stop; discard;",
    ] {
        assert_eq!(
            folders(&Fixture::new().run(script).unwrap()),
            ["INBOX"],
            "{script}"
        );
    }
    assert!(Fixture::new().run("discard;").unwrap().is_empty());
    assert_eq!(
        folders(&Fixture::new().run("discard; keep;").unwrap()),
        ["INBOX"]
    );
}

#[test]
fn a_message_is_filed_once_into_each_folder_with_the_flags_of_all() {
    let script = r#"require ["fileinto", "imap4flags", "copy"];
        fileinto "Lists"; fileinto :flags "\\Seen" "Lists"; fileinto :copy "INBOX"; keep :flags "$Todo";"#;
    let actions = Fixture::new().run(script).unwrap();
    assert_eq!(folders(&actions), ["Lists", "INBOX"]);
    assert_eq!(flags(&actions), ["\\Seen"]);
}

#[test]
fn copy_leaves_the_implicit_keep() {
    let run = |script: &str| Fixture::new().run(script).unwrap();
    assert_eq!(
        folders(&run(
            "require [\"fileinto\", \"copy\"]; fileinto :copy \"x\";"
        )),
        ["x", "INBOX"]
    );
    assert_eq!(
        folders(&run("require \"copy\"; redirect :copy \"a@b.example\";")),
        ["INBOX"]
    );
    assert_eq!(
        folders(&run("redirect \"a@b.example\";")),
        Vec::<&str>::new()
    );
}

#[test]
fn branches_are_taken_in_order_and_only_one() {
    let script = |first: &str, second: &str| {
        format!(
            "require \"fileinto\"; if {first} {{ fileinto \"1\"; }} elsif {second} {{ fileinto \"2\"; }} else {{ fileinto \"3\"; }}"
        )
    };
    for (first, second, expected) in [
        ("true", "true", "1"),
        ("false", "not false", "2"),
        ("false", "false", "3"),
    ] {
        assert_eq!(
            folders(&Fixture::new().run(&script(first, second)).unwrap()),
            [expected]
        );
    }
    assert!(holds("", "allof (true, anyof (false, true))"));
    assert!(!holds("", "anyof (false, allof (true, false))"));
}

#[test]
fn headers_are_unfolded_decoded_and_compared_without_case() {
    assert!(holds(
        "",
        "header :is \"subject\" \"GRüße from the desert\""
    ));
    assert!(holds(
        "",
        "header :contains [\"x\", \"Subject\"] [\"nothing\", \"DESERT\"]"
    ));
    assert!(!holds(
        "",
        "header :comparator \"i;octet\" :contains \"subject\" \"DESERT\""
    ));
    assert!(holds("", "header :matches \"subject\" \"Gr??e*d?sert\""));
    assert!(
        holds("", "exists [\"From\", \"Date\"]") && !holds("", "exists [\"From\", \"X-None\"]")
    );
    assert!(
        holds("", "header :contains \"From\" \"\"")
            && !holds("", "header :contains \"X-None\" \"\"")
    );
    assert!(
        holds("", "size :over 100") && holds("", "size :under 1M") && !holds("", "size :over 1M")
    );
}

#[test]
fn addresses_have_parts() {
    assert!(holds(
        "",
        "address :all :is \"from\" \"coyote+urgent@desert.example.org\""
    ));
    assert!(holds(
        "",
        "address :domain [\"to\", \"from\"] \"ACME.example.com\""
    ));
    assert!(
        holds("", "address :localpart \"to\" \"roadrunner\"")
            && !holds("", "address :is \"from\" \"Coyote\"")
    );
    assert!(holds(
        "\"subaddress\", ",
        "address :user \"from\" \"coyote\""
    ));
    assert!(holds(
        "\"subaddress\", ",
        "address :detail \"from\" \"urgent\""
    ));
    assert!(!holds(
        "\"subaddress\", ",
        "address :detail :is \"to\" \"roadrunner\""
    ));
    assert!(holds(
        "\"envelope\", \"subaddress\", ",
        "envelope :detail \"to\" \"lists\""
    ));
    assert!(holds(
        "\"envelope\", ",
        "envelope :domain \"from\" \"desert.example.org\""
    ));
}

#[test]
fn the_null_sender_is_empty_and_has_no_parts() {
    let mut fixture = Fixture {
        sender: "",
        ..Fixture::new()
    };
    let script = "require [\"envelope\", \"fileinto\"];
        if envelope :all :is \"from\" \"\" { fileinto \"null\"; }
        if envelope :domain :contains \"from\" \"\" { fileinto \"never\"; }";
    assert_eq!(folders(&fixture.run(script).unwrap()), ["null"]);
}

#[test]
fn relations_compare_values_and_counts() {
    let r = "\"relational\", \"comparator-i;ascii-numeric\", ";
    assert!(holds(
        r,
        "header :value \"ge\" :comparator \"i;ascii-numeric\" \"x-spam-score\" \"9\""
    ));
    assert!(
        !holds(r, "header :value \"ge\" \"x-spam-score\" \"9\""),
        "as text 12 is less"
    );
    assert!(holds(
        r,
        "header :count \"eq\" :comparator \"i;ascii-numeric\" \"received\" \"2\""
    ));
    assert!(holds(
        r,
        "address :count \"gt\" :comparator \"i;ascii-numeric\" [\"to\", \"cc\"] \"1\""
    ));
    assert!(holds(
        r,
        "header :count \"lt\" :comparator \"i;ascii-numeric\" \"cc\" \"1\""
    ));
}

#[test]
fn an_index_means_one_field_of_a_name() {
    let r = "\"index\", \"date\", ";
    assert!(holds(
        r,
        "header :index 1 :contains \"received\" \"from a\""
    ));
    assert!(!holds(
        r,
        "header :index 1 :contains \"received\" \"from c\""
    ));
    assert!(holds(
        r,
        "header :index 1 :last :contains \"received\" \"from c\""
    ));
    assert!(!holds(r, "header :index 3 :contains \"received\" \"\""));
    assert!(holds(r, "date :index 2 \"received\" \"day\" \"26\""));
}

#[test]
fn dates_are_seen_in_the_zone_that_was_asked_for() {
    let r = "\"date\", \"relational\", ";
    assert!(holds(r, "date \"date\" \"date\" \"2026-11-28\""));
    assert!(holds(
        r,
        "date :originalzone \"date\" \"date\" \"2026-11-27\""
    ));
    assert!(holds(r, "date :zone \"+0500\" \"date\" \"hour\" \"12\""));
    assert!(holds(
        r,
        "allof (currentdate :value \"ge\" \"date\" \"2026-11-01\", currentdate :value \"lt\" \"year\" \"2027\")"
    ));
    assert!(!holds(r, "date :contains \"x-none\" \"year\" \"\""));
}

#[test]
fn bodies_are_decoded_and_read_only_when_they_are_asked_for() {
    assert!(holds("\"body\", ", "body :contains \"CAFé noir\""));
    assert!(holds(
        "\"body\", ",
        "body :content \"text\" :contains \"café <b>\""
    ));
    assert!(holds(
        "\"body\", ",
        "body :content \"application/octet-stream\" :is \"secret\""
    ));
    assert!(
        holds("\"body\", ", "body :raw :contains \"c2VjcmV0\"")
            && holds("\"body\", ", "body :raw :contains \"preamble\"")
    );
    assert!(
        !holds("\"body\", ", "body :contains \"c2VjcmV0\"")
            && !holds("\"body\", ", "body :raw :contains \"Coyote\"")
    );
    let mut fixture = Fixture::new();
    fixture.run("require \"body\"; if not header :contains \"subject\" \"x\" { keep; } elsif body :raw :contains \"a\" { keep; }").unwrap();
    assert_eq!(fixture.reads, 0);
    fixture.run("require \"body\"; if anyof (body :contains \"1\", body :raw :contains \"2\") { keep; }").unwrap();
    assert_eq!(fixture.reads, 1);
}

#[test]
fn variables_hold_what_was_matched() {
    let script = r#"require ["fileinto", "variables"];
        if header :matches "from" "*<*+*@*>" { set :lower :upperfirst "who" "${3}"; }
        set "dir" "Lists/${who}/${9}${undefined}";
        if string :is "${dir}" "lists/Urgent/" { fileinto "${dir}x"; }"#;
    assert_eq!(
        folders(&Fixture::new().run(script).unwrap()),
        ["Lists/Urgent/x"]
    );
    let script = r#"require ["fileinto", "variables", "regex"];
        if header :regex "received" "from ([a-z]) by ([a-z])" { fileinto "${2}-${1}"; }"#;
    assert_eq!(folders(&Fixture::new().run(script).unwrap()), ["b-a"]);
}

#[test]
fn flags_are_kept_in_variables_and_go_with_every_later_action() {
    let run = |script: &str| {
        Fixture::new().run(&format!("require [\"imap4flags\", \"variables\", \"fileinto\", \"relational\", \"comparator-i;ascii-numeric\"]; {script}")).unwrap()
    };
    assert_eq!(
        flags(&run(
            r#"addflag "\\Deleted"; addflag ["\\Seen \\deleted", "$x"];"#
        )),
        ["\\Deleted", "\\Seen", "$x"]
    );
    assert_eq!(
        flags(&run(r#"setflag "a b"; removeflag "A"; keep;"#)),
        ["b"]
    );
    assert_eq!(flags(&run(r#"setflag "a"; keep :flags "z";"#)), ["z"]);
    assert_eq!(
        flags(&run(
            r#"setflag "mine" "a b"; addflag "mine" "c"; if hasflag "mine" "x c" { keep :flags "${mine}"; }"#
        )),
        ["a", "b", "c"]
    );
    assert_eq!(
        flags(&run(
            r#"addflag "a b"; if hasflag :count "ge" :comparator "i;ascii-numeric" "2" { setflag "two"; }"#
        )),
        ["two"]
    );
    assert!(
        flags(&run(r#"setflag ["\\", "a(b", "\\*"];"#)).is_empty(),
        "what is no flag is left out"
    );
}

#[test]
fn folders_are_asked_for_and_made() {
    assert!(
        holds("\"mailbox\", ", "mailboxexists [\"Lists\", \"INBOX\"]")
            && !holds("\"mailbox\", ", "mailboxexists \"x\"")
    );
    assert!(
        holds("\"special-use\", ", "specialuse_exists \"\\\\Junk\"")
            && !holds(
                "\"special-use\", ",
                "specialuse_exists \"Lists\" \"\\\\Junk\""
            )
    );
    let script = "require [\"fileinto\", \"mailbox\", \"special-use\"]; fileinto :specialuse \"\\\\Junk\" :create \"Spam\";";
    let Action::Store(store) = Fixture::new().run(script).unwrap().remove(0) else {
        panic!("it is filed")
    };
    assert_eq!(
        (store.special_use.as_deref(), store.create),
        (Some("\\Junk"), true)
    );
}

#[test]
fn a_changed_header_is_seen_by_later_tests_and_goes_with_later_actions() {
    let script = r#"require ["editheader", "fileinto", "copy", "variables"];
        fileinto :copy "before";
        addheader "X-Seen" "grüße
 all"; addheader :last "X-Last" "1";
        deleteheader "subject"; deleteheader :index 1 :last "received"; deleteheader :contains "date" "xyz";
        if allof (header :contains "x-seen" "all", not exists "subject") { keep; }"#;
    let actions = Fixture::new().run(script).unwrap();
    assert_eq!(folders(&actions), ["before", "INBOX"]);
    let Action::Store(before) = &actions[0] else {
        panic!("it is filed")
    };
    assert!(before.header.is_none());
    let header = header(&actions).unwrap();
    assert!(
        header.starts_with("X-Seen: =?utf-8?B?") && header.ends_with("X-Last: 1\r\n"),
        "{header}"
    );
    assert!(!header.contains("Subject") && header.contains("Date: Fri"));
    assert_eq!(
        header.matches("Received:").count(),
        2,
        "what shows loops stays"
    );
}

#[test]
fn a_duplicate_is_known_again_by_what_the_script_names() {
    let mut fixture = Fixture::new();
    let script = "require [\"duplicate\", \"fileinto\"]; if duplicate { fileinto \"again\"; }";
    assert_eq!(folders(&fixture.run(script).unwrap()), ["INBOX"]);
    assert_eq!(folders(&fixture.run(script).unwrap()), ["again"]);
    let other = "require [\"duplicate\", \"fileinto\"]; if duplicate :handle \"h\" :seconds 60 { fileinto \"again\"; }";
    let actions = fixture.run(other).unwrap();
    assert_eq!(folders(&actions), ["INBOX"]);
    assert!(matches!(
        actions.last(),
        Some(Action::Remember { seconds: 60, .. })
    ));
    let mut fixture = Fixture::with_message("Subject: no id\r\n\r\n");
    assert_eq!(
        fixture.run(script).unwrap().len(),
        1,
        "nothing to remember it by"
    );
}

#[test]
fn reject_excludes_other_actions() {
    let actions = Fixture::new()
        .run("require \"reject\"; reject \"no\r\nthanks\";")
        .unwrap();
    let [Action::Reject { reason, notice }] = actions.as_slice() else {
        panic!("{actions:?}")
    };
    assert_eq!(
        (reason.as_str(), notice.to.as_str()),
        ("no\r\nthanks", "coyote@desert.example.org")
    );
    let notice = String::from_utf8(notice.message.clone()).unwrap();
    assert!(
        notice.contains("no\r\nthanks")
            && notice.contains("Original-Message-ID: <1@desert.example.org>"),
        "{notice}"
    );
    for script in [
        "keep; reject \"x\";",
        "reject \"x\"; keep;",
        "reject \"x\"; reject \"y\";",
    ] {
        let error = Fixture::new()
            .run(&format!("require \"reject\"; {script}"))
            .unwrap_err();
        assert_eq!(
            error,
            "line 1: reject excludes every other action but discard"
        );
    }
}

#[test]
fn scripts_include_others_with_variables_of_their_own() {
    let mut fixture = Fixture::new();
    fixture.scripts.insert("spam", "require [\"include\", \"variables\"]; global [\"where\"]; set \"where\" \"Spam\"; set \"own\" \"x\"; return; discard;".into());
    fixture
        .scripts
        .insert("loop", "require \"include\"; include \"loop\";".into());
    fixture.scripts.insert("broken", "keep;\nkep;".into());
    fixture.scripts.insert(
        "ends",
        "require \"fileinto\"; fileinto \"end\"; stop;".into(),
    );
    let head = "require [\"include\", \"variables\", \"fileinto\"];";
    let main = format!(
        "{head} include :once \"spam\"; include :optional \"none\"; fileinto \"${{global.where}}-${{own}}\";"
    );
    assert_eq!(folders(&fixture.run(&main).unwrap()), ["Spam-"]);
    assert_eq!(
        folders(
            &fixture
                .run(&format!("{head} include \"ends\"; fileinto \"never\";"))
                .unwrap()
        ),
        ["end"]
    );
    for (include, expected) in [
        (
            "\"loop\"",
            "line 1: in \"loop\", line 1: the script \"loop\" includes itself",
        ),
        (
            "\"broken\"",
            "line 1: in \"broken\", line 2: there is no command `kep`; did you mean `keep`?",
        ),
        ("\"none\"", "line 1: there is no script \"none\" to include"),
        (
            ":global \"spam\"",
            "line 1: there is no script \"spam\" to include",
        ),
    ] {
        assert_eq!(
            fixture
                .run(&format!("{head} include {include};"))
                .unwrap_err(),
            expected
        );
    }
}

#[test]
fn the_environment_is_what_the_server_says() {
    assert!(holds(
        "\"environment\", ",
        "environment :contains \"Name\" \"waxwing\""
    ));
    assert!(!holds(
        "\"environment\", ",
        "environment :contains \"vnd.none\" \"\""
    ));
}

fn vacation(fixture: &mut Fixture, arguments: &str) -> Option<(String, String)> {
    let actions = fixture
        .run(&format!("require \"vacation\"; vacation {arguments};"))
        .unwrap();
    assert_eq!(folders(&actions), ["INBOX"], "vacation keeps");
    actions.iter().find_map(|action| match action {
        Action::Reply(reply) => Some((
            reply.to.clone(),
            String::from_utf8(reply.message.clone()).unwrap(),
        )),
        _ => None,
    })
}

#[test]
fn vacation_answers_a_sender_once() {
    let mut fixture = Fixture::new();
    let (to, message) = vacation(&mut fixture, "\"Away\n\u{e9}t\u{e9}\"").unwrap();
    assert_eq!(to, "coyote@desert.example.org");
    for line in [
        "From: <anna@example.org>\r\n",
        "Subject: =?utf-8?B?",
        "Auto-Submitted: auto-replied\r\n",
        "In-Reply-To: <1@desert.example.org>\r\n",
        "Content-Transfer-Encoding: 8bit\r\n\r\nAway\r\n\u{e9}t\u{e9}\r\n",
    ] {
        assert!(message.contains(line), "{line} in {message}");
    }
    assert!(
        vacation(&mut fixture, "\"Away\n\u{e9}t\u{e9}\"").is_none(),
        "once"
    );
    assert!(
        vacation(&mut fixture, "\"Another\"").is_some(),
        "another answer"
    );
    assert!(vacation(&mut fixture, ":handle \"h\" \"1\"").is_some());
    assert!(vacation(&mut fixture, ":handle \"h\" \"2\"").is_none());
    fixture.sender = "road@desert.example.org";
    assert!(
        vacation(&mut fixture, ":handle \"h\" \"2\"").is_some(),
        "another sender"
    );
}

#[test]
fn vacation_answers_no_machine_no_list_and_nobody_who_did_not_write_to_me() {
    let asks = |head: &str, sender: &'static str| {
        let mut fixture = Fixture {
            sender,
            ..Fixture::with_message(&format!("{head}\r\nbody\r\n"))
        };
        vacation(&mut fixture, "\"Away\"").is_some()
    };
    assert!(asks("To: anna@example.org\r\n", "a@b.example"));
    assert!(asks(
        "Cc: x@y.example, ANNA+lists@example.org\r\nAuto-Submitted: no\r\n",
        "a@b.example"
    ));
    for head in [
        "To: others@example.org\r\n",
        "",
        "To: anna@example.org\r\nList-Id: <x>\r\n",
        "To: anna@example.org\r\nAuto-Submitted: auto-generated\r\n",
        "To: anna@example.org\r\nPrecedence: bulk\r\n",
        "To: anna@example.org\r\nX-Auto-Response-Suppress: OOF, DR\r\n",
    ] {
        assert!(!asks(head, "a@b.example"), "{head}");
    }
    for sender in [
        "",
        "MAILER-DAEMON@b.example",
        "owner-list@b.example",
        "list-request@b.example",
        "anna@example.org",
    ] {
        assert!(!asks("To: anna@example.org\r\n", sender), "{sender}");
    }
}

#[test]
fn vacation_says_what_its_arguments_want() {
    let arguments = ":subject \"Away\" :from \"Änne <anna@example.org>\" :mime \"Content-Type: text/html\n\n<p>Away\"";
    let (_, message) = vacation(&mut Fixture::new(), arguments).unwrap();
    assert!(
        message.contains("Subject: Away\r\n") && message.contains("?= <anna@example.org>\r\n"),
        "{message}"
    );
    assert!(
        message.ends_with("Content-Type: text/html\r\n\r\n<p>Away\r\n"),
        "{message}"
    );
    let mut fixture = Fixture::with_message("To: me@other.example\r\n\r\n");
    assert!(vacation(&mut fixture, ":addresses [\"me@other.example\"] \"Away\"").is_some());
}

#[test]
fn limits_are_named() {
    let error = |script: &str| Fixture::new().run(script).unwrap_err();
    let many = |count: usize, line: &str| {
        (0..count)
            .map(|number| line.replace("{}", &number.to_string()))
            .collect::<String>()
    };
    assert_eq!(
        error(&many(5, "redirect \"a{}@b.example\";")),
        "line 1: limit reached: redirects of a run = 4"
    );
    assert!(
        error(&format!(
            "require \"fileinto\"; {}",
            many(40, "fileinto \"{}\";")
        ))
        .ends_with("actions of a run = 32")
    );
    assert!(
        error(&format!(
            "require \"variables\"; {}",
            many(200, "set \"v{}\" \"\";")
        ))
        .ends_with("variables = 128")
    );
    assert!(
        error(&format!(
            "require \"editheader\"; {}",
            many(70, "addheader \"x\" \"\";")
        ))
        .ends_with("fields added in a run = 64")
    );
    let mut fixture = Fixture::new();
    for number in 0..12 {
        let name: &'static str = Box::leak(format!("s{number}").into_boxed_str());
        fixture.scripts.insert(
            name,
            format!("require \"include\"; include \"s{}\";", number + 1),
        );
    }
    assert!(
        fixture
            .run("require \"include\"; include \"s0\";")
            .unwrap_err()
            .ends_with("scripts included in one another = 10")
    );
    fixture
        .scripts
        .insert("busy", "if true { }\n".repeat(5_000));
    let busy = format!("require \"include\"; {}", many(3, "include \"busy\";"));
    assert!(
        fixture
            .run(&busy)
            .unwrap_err()
            .ends_with("commands and tests of a run = 20000")
    );
}

#[test]
fn a_costly_match_is_broken_off() {
    let body = "a".repeat(1_000_000);
    let mut fixture = Fixture::with_message(&format!("Subject: x\r\n\r\n{body}"));
    let script = format!(
        "require \"body\"; if body :raw :matches \"*{}b*\" {{ discard; }}",
        "a".repeat(10_000)
    );
    assert!(
        fixture
            .run(&script)
            .unwrap_err()
            .ends_with("octets compared in a run = 33554432")
    );
}

#[test]
fn variables_do_not_grow_without_end() {
    let double = "set \"a\" \"${a}${a}\";".repeat(60);
    let script = format!(
        "require [\"variables\", \"fileinto\"]; set \"a\" \"ü\"; {double} set :length \"n\" \"${{a}}\"; fileinto \"${{n}}\";"
    );
    assert_eq!(
        folders(&Fixture::new().run(&script).unwrap()),
        [(limits::MAX_VALUE / 2).to_string()]
    );
}

const REQUIRE: &str = "require [\"fileinto\", \"variables\", \"imap4flags\", \"editheader\", \"regex\", \"relational\", \"body\", \"date\", \"vacation\", \"duplicate\", \"copy\"];";

fn statement() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        Just("a*b"),
        Just("${1}"),
        Just("subject"),
        Just("\\\\Seen"),
        Just("ü?"),
        Just("")
    ];
    let test = prop_oneof![
        (text.clone(), text.clone()).prop_map(|(a, b)| format!("header :matches \"{a}\" \"{b}\"")),
        (text.clone(), text.clone()).prop_map(|(a, b)| format!("string :regex \"{a}\" \"{b}\"")),
        text.clone()
            .prop_map(|a| format!("not body :contains \"{a}\"")),
        text.clone().prop_map(|a| format!("hasflag \"{a}\"")),
        Just("duplicate".to_owned()),
    ];
    let leaf = prop_oneof![
        text.clone()
            .prop_map(|a| format!("fileinto :copy \"{a}\";")),
        text.clone().prop_map(|a| format!("set \"x\" \"{a}\";")),
        text.clone().prop_map(|a| format!("addflag \"{a}\";")),
        text.clone()
            .prop_map(|a| format!("addheader \"X\" \"{a}\";")),
        text.clone().prop_map(|a| format!("deleteheader \"{a}\";")),
        text.prop_map(|a| format!("vacation \"{a}\";")),
        Just("keep;".to_owned()),
        Just("discard;".to_owned()),
    ];
    leaf.prop_recursive(3, 20, 3, move |inner| {
        (test.clone(), proptest::collection::vec(inner, 0..3))
            .prop_map(|(test, block)| format!("if {test} {{ {} }}", block.concat()))
    })
}

proptest! {
    #[test]
    fn any_text_is_a_script_or_an_error_with_a_line_within_it(text in "[a-z\"\\[\\]{}();:#*/. \n\\\\$0-9]{0,120}") {
        if let Err(error) = Script::parse(&text) {
            prop_assert!(error.line >= 1 && error.line as usize <= text.matches('\n').count() + 1, "{error}");
        }
    }

    #[test]
    fn any_script_over_any_message_ends_in_actions_or_an_error(
        statements in proptest::collection::vec(statement(), 0..8),
        cut in 0..MESSAGE.len(),
    ) {
        let mut fixture = Fixture::with_message(&MESSAGE[..cut]);
        let script = format!("{REQUIRE}{}", statements.concat());
        if let Ok(actions) = fixture.run(&script) {
            prop_assert!(actions.len() <= 2 * limits::MAX_ACTIONS + 1);
            prop_assert!(statements.iter().any(|line| line.contains("discard")) || !folders(&actions).is_empty(), "a message is lost: {}", script);
        }
    }
}
