use super::*;
use proptest::prelude::*;

fn converted(version: Version, lines: &str) -> Vec<String> {
    let from = if version == Version::V3 { "4.0" } else { "3.0" };
    let card = Card::parse(
        format!("BEGIN:VCARD\nVERSION:{from}\nUID:1\nFN:A\nN:A;;;;\n{lines}\nEND:VCARD\n")
            .as_bytes(),
    )
    .unwrap();
    let text = to(&card, version).to_text().replace("\r\n ", "");
    text.lines()
        .skip(5)
        .take_while(|line| *line != "END:VCARD")
        .map(str::to_owned)
        .collect()
}

/// A line of 3.0 and what it is in 4.0; both ways.
const BOTH: &[(&str, &str)] = &[
    (
        "PHOTO;ENCODING=b;TYPE=JPEG:/9j/AAAA",
        "PHOTO:data:image/jpeg;base64,/9j/AAAA",
    ),
    (
        "PHOTO;VALUE=uri:http://example.org/a.jpg",
        "PHOTO:http://example.org/a.jpg",
    ),
    (
        "KEY;ENCODING=b;TYPE=PGP:AAAA",
        "KEY:data:application/pgp-keys;base64,AAAA",
    ),
    ("EMAIL;TYPE=home,pref:a@b", "EMAIL;TYPE=home;PREF=1:a@b"),
    ("GEO:37.386013;-122.082932", "GEO:geo:37.386013,-122.082932"),
    ("BDAY:1996-04-15", "BDAY:19960415"),
    ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-15", "BDAY:--0415"),
    ("X-ADDRESSBOOKSERVER-KIND:group", "KIND:group"),
    ("X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:2", "MEMBER:urn:uuid:2"),
    ("X-ANNIVERSARY:2009-08-08", "ANNIVERSARY:20090808"),
    (
        "item1.X-ABLABEL:_$!<Other>!$_",
        "item1.X-ABLABEL:_$!<Other>!$_",
    ),
];

#[test]
fn lines_of_either_version_become_those_of_the_other() {
    for (old, new) in BOTH {
        assert_eq!(converted(Version::V4, old), [*new]);
        assert_eq!(converted(Version::V3, new), [*old]);
    }
}

#[test]
fn what_has_only_one_way_goes_that_way() {
    assert_eq!(
        converted(Version::V4, "TEL;HOME;VOICE;PREF:1"),
        ["TEL;TYPE=home,voice;PREF=1:1"]
    );
    assert_eq!(
        converted(Version::V4, "EMAIL;TYPE=INTERNET:a@b"),
        ["EMAIL:a@b"]
    );
    assert_eq!(
        converted(Version::V4, "REV:2008-04-24T19:52:43Z"),
        ["REV:20080424T195243Z"]
    );
    assert_eq!(
        converted(Version::V4, "TZ:-05:00"),
        ["TZ;VALUE=utc-offset:-0500"]
    );
    assert_eq!(
        converted(Version::V4, "AGENT;VALUE=uri:http://x/"),
        ["RELATED;VALUE=uri;TYPE=agent:http://x/"]
    );
    assert_eq!(
        converted(Version::V4, "PHOTO;ENCODING=b:iVBORw"),
        ["PHOTO:data:image/png;base64,iVBORw"]
    );
    assert_eq!(
        converted(
            Version::V3,
            "TEL;VALUE=uri;TYPE=\"voice,home\":tel:+1-555;ext=5"
        ),
        ["TEL;TYPE=voice,home:+1-555 x5"]
    );
    assert_eq!(
        converted(Version::V3, "ADR;LABEL=\"A, B\";TYPE=home:;;x;;;;"),
        ["LABEL;TYPE=home:A\\, B", "ADR;TYPE=home:;;x;;;;"]
    );
}

#[test]
fn a_card_of_4_without_a_name_gets_one_in_3() {
    let card = Card::parse(b"BEGIN:VCARD\nVERSION:4.0\nUID:1\nEMAIL:a;b@example.org\nEND:VCARD\n")
        .unwrap();
    let text = to(&card, Version::V3).to_text();
    assert!(
        text.contains("FN:a\\;b@example.org\r\nN:a\\;b@example.org;;;;\r\n"),
        "{text}"
    );
}

proptest! {
    #[test]
    fn any_card_can_be_converted_there_and_back(lines in prop::collection::vec("(PHOTO|KEY|EMAIL|TEL|ADR|BDAY|GEO|TZ|REV|N|KIND|SORT-STRING)(;(TYPE|PREF|ENCODING|VALUE|SORT-AS|LABEL)=[a-zB,1]{1,5}){0,2}:[\\PC]{0,20}", 0..6), up in any::<bool>()) {
        let (from, version) = if up { ("3.0", Version::V4) } else { ("4.0", Version::V3) };
        let text = format!("BEGIN:VCARD\nVERSION:{from}\nUID:1\n{}\nEND:VCARD\n", lines.join("\n"));
        let there = to(&Card::parse(text.as_bytes()).unwrap(), version);
        let there = Card::parse(there.to_text().as_bytes()).unwrap();
        prop_assert_eq!(there.version(), version);
        let _ = to(&there, if up { Version::V3 } else { Version::V4 });
    }
}
