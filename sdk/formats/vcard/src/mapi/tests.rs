use super::*;
use crate::Version;
use proptest::prelude::*;

const RICH: &str = "BEGIN:VCARD\nVERSION:3.0\nUID:1\nFN:Dr. Jane Q. Doe\nN:Doe;Jane;Q.;Dr.;\nNICKNAME:Jay\nORG:Acme\\, Inc.;Research\nTITLE:Head\nX-OWN:1\n\
    item1.EMAIL;TYPE=INTERNET,pref:jane@example.org\nitem1.X-ABLabel:_$!<Main>!$_\nEMAIL:j@example.net\nTEL;TYPE=CELL,VOICE:1\nTEL;TYPE=HOME:2\nTEL;TYPE=WORK,FAX:3\nTEL;TYPE=WORK:4\n\
    ADR;TYPE=HOME;X-P=1:;;Main St 1;Town;ST;123;Land\nADR;TYPE=WORK:Box;;Work St\\; 2;City;;;\nBDAY:1980-02-29\nURL;TYPE=WORK:http://w/\nNOTE:a\\nb\nCATEGORIES:x,y\nPHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo=\nEND:VCARD\n";

fn card(text: &str) -> Card {
    Card::parse(text.as_bytes()).unwrap()
}

#[test]
fn a_contact_says_what_its_card_says() {
    let contact = Contact::of(&card(RICH));
    let text = |tag| contact.properties.text(tag).unwrap_or_default().to_owned();
    let told = [
        tags::SURNAME,
        tags::GIVEN_NAME,
        tags::COMPANY_NAME,
        tags::DEPARTMENT_NAME,
        tags::MOBILE_TELEPHONE_NUMBER,
        tags::HOME_TELEPHONE_NUMBER,
        tags::BUSINESS_FAX_NUMBER,
        tags::BUSINESS_TELEPHONE_NUMBER,
        tags::HOME_ADDRESS_STREET,
        tags::BODY,
        tags::BUSINESS_HOME_PAGE,
    ];
    assert_eq!(
        told.map(text),
        [
            "Doe",
            "Jane",
            "Acme, Inc.",
            "Research",
            "1",
            "2",
            "3",
            "4",
            "Main St 1",
            "a\nb",
            "http://w/"
        ]
    );
}

#[test]
fn addresses_days_and_the_photograph_have_properties_of_their_own() {
    let contact = Contact::of(&card(RICH));
    let lid = |lid| {
        contact
            .properties
            .lid_text(lid)
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(
        [
            lids::FILE_UNDER,
            lids::EMAIL_1_EMAIL_ADDRESS,
            lids::EMAIL_1_DISPLAY_NAME,
            lids::WORK_ADDRESS_STREET
        ]
        .map(lid),
        [
            "Doe, Jane",
            "jane@example.org",
            "Dr. Jane Q. Doe (jane@example.org)",
            "Work St; 2"
        ]
    );
    assert_eq!(
        contact
            .properties
            .get(tags::BIRTHDAY)
            .and_then(Value::unix_seconds),
        Some(320_630_400)
    );
    assert_eq!(
        contact.photo,
        Some(Photo {
            media_type: "image/png".into(),
            base64: "iVBORw0KGgo=".into()
        })
    );
}

#[test]
fn a_contact_that_was_not_changed_leaves_the_card_as_it_was() {
    let card = card(RICH);
    assert_eq!(patched(&card, &Contact::of(&card)).unwrap(), card);
}

#[test]
fn an_edit_changes_its_fields_and_keeps_everything_else() {
    let card = card(RICH);
    let mut contact = Contact::of(&card);
    contact
        .properties
        .set_text(tags::HOME_ADDRESS_CITY, "Other; town");
    contact
        .properties
        .set_text(tags::HOME_2_TELEPHONE_NUMBER, "22");
    contact
        .properties
        .set(tags::BUSINESS_FAX_NUMBER, Value::Text(String::new()));
    contact
        .properties
        .set_lid_text(lids::EMAIL_1_EMAIL_ADDRESS, "new@example.org");
    contact
        .properties
        .set(tags::BIRTHDAY, Value::time(320_544_000));
    contact.properties.set_name(
        sets::PUBLIC_STRINGS,
        "Keywords",
        Value::MultiText(vec!["z".into()]),
    );
    contact.properties.set_text(tags::DISPLAY_NAME, "Jane");
    contact.photo = None;
    let text = patched(&card, &contact).unwrap().to_text();
    for line in [
        "ADR;TYPE=HOME;X-P=1:;;Main St 1;Other\\; town;ST;123;Land",
        "TEL;TYPE=HOME,VOICE:22",
        "item1.EMAIL;TYPE=INTERNET,pref:new@example.org",
        "BDAY:1980-02-28",
        "CATEGORIES:z",
        "FN:Jane",
        "X-OWN:1",
        "item1.X-ABLabel",
    ] {
        assert!(text.contains(line), "{line} {text}");
    }
    assert!(!text.contains("PHOTO") && !text.contains("FAX"));
}

#[test]
fn a_new_contact_becomes_a_card_of_either_version() {
    let contact = Contact::of(&card(RICH));
    for version in [Version::V3, Version::V4] {
        let new = to_card(&contact, version, "2").unwrap();
        assert_eq!(
            (new.uid(), new.version(), new.formatted_name().as_str()),
            ("2", version, "Dr. Jane Q. Doe")
        );
        let again = Contact::of(&new);
        assert_eq!(again.photo, contact.photo);
        for one in &contact.properties.tagged {
            assert_eq!(
                again.properties.get(one.tag),
                Some(&one.value),
                "{:?}",
                one.tag
            );
        }
    }
    let mut nameless = Contact::default();
    nameless
        .properties
        .set_lid_text(lids::EMAIL_1_EMAIL_ADDRESS, "a@b");
    assert!(
        to_card(&nameless, Version::V3, "3")
            .unwrap()
            .to_text()
            .contains("FN:a@b\r\n")
    );
}

proptest! {
    #[test]
    fn any_card_is_a_contact_that_leaves_it_as_it_was(lines in prop::collection::vec("(item1\\.)?(N|FN|EMAIL|TEL|ADR|ORG|BDAY|URL|NOTE|PHOTO|CATEGORIES|CLASS|X-A)(;(TYPE|VALUE|ENCODING)=[a-zA-Z,]{1,6})?:[\\PC]{0,20}", 0..9), version in prop::sample::select(vec!["3.0", "4.0"])) {
        let card = card(&format!("BEGIN:VCARD\nVERSION:{version}\nUID:1\n{}\nEND:VCARD\n", lines.join("\n")));
        let contact = Contact::of(&card);
        prop_assert_eq!(patched(&card, &contact).unwrap(), card.clone());
        let _ = to_card(&contact, card.version(), "2").unwrap();
    }

    #[test]
    fn every_field_that_is_edited_is_read_back(at in any::<prop::sample::Index>(), value in "[a-z;,\\\\ä]{1,12}") {
        let card = card(RICH);
        let mut contact = Contact::of(&card);
        let entry = &ENTRIES[at.index(ENTRIES.len())];
        match entry.target {
            Target::Tag(tag) => contact.properties.set_text(tag, value.clone()),
            Target::Lid(lid) => contact.properties.set_lid_text(lid, value.clone()),
        }
        let edited = patched(&card, &contact).unwrap();
        // The second of a kind that has no first becomes the first.
        let read = if entry.nth == 0 { entry.read(edited.component()) } else { Some(value.clone()) };
        prop_assert_eq!(read, Some(value));
    }
}
