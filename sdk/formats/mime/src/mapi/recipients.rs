//! Recipient rows (MS-OXCMAIL 2.1.3.2.5).

use super::message::{Properties, search_key};
use crate::structure::Structure;
use crate::summary;
use waxwing_formats_mapi::{Property, Value, tags};

/// PidTagRecipientType: To, Cc and Bcc.
const PRIMARY: i32 = 1;
const COPY: i32 = 2;
const BLIND_COPY: i32 = 3;
/// PidTagObjectType of a person.
const MAIL_USER: i32 = 6;

/// A row for each address of To, Cc and Bcc, groups resolved to their members.
pub fn recipients(structure: &Structure) -> Vec<Vec<Property>> {
    let envelope = &structure.envelope;
    let lists = [
        (PRIMARY, &envelope.to),
        (COPY, &envelope.cc),
        (BLIND_COPY, &envelope.bcc),
    ];
    let addresses = lists
        .into_iter()
        .flat_map(|(kind, list)| list.iter().map(move |address| (kind, address)))
        .filter(|(_, address)| address.is_mailbox());
    let row = |(row, (kind, address))| {
        let (name, smtp) = (
            summary::display_name(address),
            summary::smtp_address(address),
        );
        let mut out = Properties::default();
        out.push(tags::ROWID, Value::Int32(row));
        out.push(tags::RECIPIENT_TYPE, Value::Int32(kind));
        out.push(tags::OBJECT_TYPE, Value::Int32(MAIL_USER));
        out.push(tags::DISPLAY_TYPE, Value::Int32(0));
        out.push(tags::SEARCH_KEY, search_key(&smtp));
        out.text(tags::ADDRESS_TYPE, "SMTP");
        out.text(tags::EMAIL_ADDRESS, smtp.clone());
        out.text(tags::SMTP_ADDRESS, smtp);
        out.text(tags::RECIPIENT_DISPLAY_NAME, name.clone());
        out.text(tags::DISPLAY_NAME, name);
        out.into_list()
    };
    (0i32..).zip(addresses).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipient_is_a_row_with_its_kind() {
        let message = b"To: A <a@b>, g: c@d;\nCc: e@f\n\n";
        let rows = recipients(&Structure::parse(message));
        let told: Vec<_> = rows
            .iter()
            .map(|row| {
                let get = |tag| row.iter().find(|p| p.tag == tag).map(|p| p.value.clone());
                (
                    get(tags::RECIPIENT_TYPE),
                    get(tags::DISPLAY_NAME),
                    get(tags::SMTP_ADDRESS),
                )
            })
            .collect();
        let row = |kind, name: &str, address: &str| {
            let text = |text: &str| Some(Value::Text(text.to_owned()));
            (Some(Value::Int32(kind)), text(name), text(address))
        };
        let expected = [
            row(1, "A", "a@b"),
            row(1, "c@d", "c@d"),
            row(2, "e@f", "e@f"),
        ];
        assert_eq!(told, expected);
    }
}
