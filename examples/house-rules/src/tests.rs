use waxwing_sdk::standin;
use waxwing_sdk::testing::mail_flow::{connection, envelope, message};

use super::*;

fn with(settings: &[(&str, &str)]) {
    standin::reset();
    for (key, json) in settings {
        standin::set(key, json);
    }
}

/// What the edits would do, a line each.
fn shown(verdict: Verdict) -> Vec<String> {
    let edits = match verdict {
        Verdict::Modify(edits) => edits,
        Verdict::Accept => return vec!["passes".to_owned()],
        other => return vec![format!("{other:?}")],
    };
    let line = |edit| match edit {
        Edit::AddHeader(field) => format!("+{}: {}", field.name, field.value),
        Edit::RemoveHeader(place) => format!("-{} {}", place.name, place.occurrence),
        Edit::ReplaceBody(body) => String::from_utf8_lossy(body.bytes()).into_owned(),
        Edit::FileInto(folder) => format!("into {folder}"),
        Edit::AddFlag(flag) => format!("flag {flag}"),
        other => format!("{other:?}"),
    };
    edits.into_iter().map(line).collect()
}

#[test]
fn addresses_and_domains_are_refused_in_any_case() {
    with(&[("reject_senders", r#"["mallory@example.net", "@spam.test"]"#)]);
    for (sender, refused) in [
        ("Mallory@example.net", true),
        ("x@SPAM.test", true),
        ("x@notspam.test", false),
        ("", false),
    ] {
        let verdict = HouseRules::on_envelope(connection(), envelope(sender, &["a@b.c"]));
        let is_refused = matches!(verdict, Verdict::Reject(ref said) if said.code == 550);
        assert_eq!(is_refused, refused, "{sender}");
    }
}

#[test]
fn a_subject_with_the_word_is_tagged_once() {
    with(&[("tag_word", r#""invoice""#), ("tag", r#""[billing]""#)]);
    let tagged = HouseRules::on_message_in(message("Subject: your invoice\r\n\r\nx\r\n"));
    assert_eq!(
        shown(tagged),
        ["-Subject 1", "+Subject: [billing] your invoice"]
    );
    for other in [
        "Subject: [billing] invoice\r\n\r\n",
        "Subject: x\r\n\r\ninvoice",
        "",
    ] {
        assert!(matches!(
            HouseRules::on_message_in(message(other)),
            Verdict::Accept
        ));
    }
}

#[test]
fn a_forbidden_attachment_is_found_at_any_depth() {
    with(&[("quarantine_names", r#"[".exe"]"#)]);
    let part = "Content-Type: application/x; name=\"A.EXE\"\r\n\r\nMZ\r\n";
    let multipart = |inner: &str| {
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{inner}\r\n--b--\r\n")
    };
    let embedded = format!("Content-Type: message/rfc822\r\n\r\n{}", multipart(part));
    for text in [part.to_owned(), multipart(part), multipart(&embedded)] {
        let verdict = HouseRules::on_message_in(message(&text));
        assert!(
            matches!(verdict, Verdict::Quarantine(ref why) if why.contains("A.EXE")),
            "{text}"
        );
    }
    let harmless = message(&multipart(
        "Content-Type: text/plain; name=exe\r\n\r\n.exe\r\n",
    ));
    assert!(matches!(
        HouseRules::on_message_in(harmless),
        Verdict::Accept
    ));
}

#[test]
fn the_body_of_plain_text_is_rewritten_and_an_encoded_one_is_left() {
    with(&[
        ("replace", r#""secret""#),
        ("with", r#""******""#),
        ("stamp", r#""yes""#),
    ]);
    let plain = HouseRules::on_message_out(message("A: secret\r\n\r\na secret\r\n"));
    assert_eq!(shown(plain), ["+X-House-Rules: yes", "a ******\r\n"]);
    let encoded = message("Content-Transfer-Encoding: base64\r\n\r\nsecret\r\n");
    assert_eq!(
        shown(HouseRules::on_message_out(encoded)),
        ["+X-House-Rules: yes"]
    );
}

#[test]
fn mail_is_filed_and_flagged_at_delivery() {
    with(&[("file_word", r#""news""#), ("file_flag", r#""$News""#)]);
    let told = |text: &str| shown(HouseRules::on_deliver(message(text), "a@b.c".into()));
    assert_eq!(
        told("Subject: news of today\r\n\r\n"),
        ["into Filed", "flag $News"]
    );
    assert_eq!(told("Subject: x\r\n\r\nnews"), ["passes"]);
}
