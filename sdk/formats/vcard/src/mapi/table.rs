//! Which property is which field of which line (MS-OXVCARD 2.1.3).

use crate::contentline::{Component, Line, text};
use jiff::civil::Date;
use waxwing_formats_mapi::item::Lid;
use waxwing_formats_mapi::{PropertyTag, lids, tags};

/// A property of MAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Tag(PropertyTag),
    Lid(Lid),
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) target: Target,
    pub(super) property: &'static str,
    /// Which of the lines of the property: what [`family`] says of them, and the how manieth of those.
    pub(super) family: &'static str,
    pub(super) nth: usize,
    /// Of a structure.
    pub(super) field: Option<usize>,
}

const fn tag(
    target: PropertyTag,
    property: &'static str,
    family: &'static str,
    nth: usize,
) -> Entry {
    Entry {
        target: Target::Tag(target),
        property,
        family,
        nth,
        field: None,
    }
}

const fn lid(target: Lid, property: &'static str, family: &'static str, nth: usize) -> Entry {
    Entry {
        target: Target::Lid(target),
        property,
        family,
        nth,
        field: None,
    }
}

const fn part(
    target: PropertyTag,
    property: &'static str,
    family: &'static str,
    field: usize,
) -> Entry {
    Entry {
        target: Target::Tag(target),
        property,
        family,
        nth: 0,
        field: Some(field),
    }
}

const fn work(target: Lid, field: usize) -> Entry {
    Entry {
        target: Target::Lid(target),
        property: "ADR",
        family: "work",
        nth: 0,
        field: Some(field),
    }
}

const fn email(step: u32, nth: usize) -> Entry {
    let (set, number) = lids::EMAIL_1_EMAIL_ADDRESS;
    lid((set, number + step), "EMAIL", "", nth)
}

/// The table. FN is not in it: a card must have one, so it is dealt with by itself.
pub(super) const ENTRIES: &[Entry] = &[
    part(tags::SURNAME, "N", "", 0),
    part(tags::GIVEN_NAME, "N", "", 1),
    part(tags::MIDDLE_NAME, "N", "", 2),
    part(tags::DISPLAY_NAME_PREFIX, "N", "", 3),
    part(tags::GENERATION, "N", "", 4),
    tag(tags::NICKNAME, "NICKNAME", "", 0),
    part(tags::COMPANY_NAME, "ORG", "", 0),
    part(tags::DEPARTMENT_NAME, "ORG", "", 1),
    tag(tags::TITLE, "TITLE", "", 0),
    tag(tags::PROFESSION, "ROLE", "", 0),
    tag(tags::BODY, "NOTE", "", 0),
    tag(tags::SPOUSE_NAME, "X-SPOUSE", "", 0),
    tag(tags::MANAGER_NAME, "X-MANAGER", "", 0),
    tag(tags::ASSISTANT, "X-ASSISTANT", "", 0),
    tag(tags::PERSONAL_HOME_PAGE, "URL", "home", 0),
    tag(tags::BUSINESS_HOME_PAGE, "URL", "work", 0),
    lid(lids::FREE_BUSY_LOCATION, "FBURL", "", 0),
    lid(lids::INSTANT_MESSAGING_ADDRESS, "IMPP", "", 0),
    email(0, 0),
    email(0x10, 1),
    email(0x20, 2),
    tag(tags::HOME_TELEPHONE_NUMBER, "TEL", "home", 0),
    tag(tags::HOME_2_TELEPHONE_NUMBER, "TEL", "home", 1),
    tag(tags::BUSINESS_TELEPHONE_NUMBER, "TEL", "work", 0),
    tag(tags::BUSINESS_2_TELEPHONE_NUMBER, "TEL", "work", 1),
    tag(tags::MOBILE_TELEPHONE_NUMBER, "TEL", "cell", 0),
    tag(tags::PAGER_TELEPHONE_NUMBER, "TEL", "pager", 0),
    tag(tags::CAR_TELEPHONE_NUMBER, "TEL", "car", 0),
    tag(tags::ISDN_NUMBER, "TEL", "isdn", 0),
    tag(tags::BUSINESS_FAX_NUMBER, "TEL", "work-fax", 0),
    tag(tags::HOME_FAX_NUMBER, "TEL", "home-fax", 0),
    tag(tags::OTHER_TELEPHONE_NUMBER, "TEL", "other", 0),
    tag(tags::PRIMARY_TELEPHONE_NUMBER, "TEL", "other", 1),
    part(tags::HOME_ADDRESS_POST_OFFICE_BOX, "ADR", "home", 0),
    part(tags::HOME_ADDRESS_STREET, "ADR", "home", 2),
    part(tags::HOME_ADDRESS_CITY, "ADR", "home", 3),
    part(tags::HOME_ADDRESS_STATE, "ADR", "home", 4),
    part(tags::HOME_ADDRESS_POSTAL_CODE, "ADR", "home", 5),
    part(tags::HOME_ADDRESS_COUNTRY, "ADR", "home", 6),
    work(lids::WORK_ADDRESS_POST_OFFICE_BOX, 0),
    work(lids::WORK_ADDRESS_STREET, 2),
    work(lids::WORK_ADDRESS_CITY, 3),
    work(lids::WORK_ADDRESS_STATE, 4),
    work(lids::WORK_ADDRESS_POSTAL_CODE, 5),
    work(lids::WORK_ADDRESS_COUNTRY, 6),
    part(tags::OTHER_ADDRESS_POST_OFFICE_BOX, "ADR", "other", 0),
    part(tags::OTHER_ADDRESS_STREET, "ADR", "other", 2),
    part(tags::OTHER_ADDRESS_CITY, "ADR", "other", 3),
    part(tags::OTHER_ADDRESS_STATE, "ADR", "other", 4),
    part(tags::OTHER_ADDRESS_POSTAL_CODE, "ADR", "other", 5),
    part(tags::OTHER_ADDRESS_COUNTRY, "ADR", "other", 6),
];

/// Properties that are a day.
pub(super) const DAYS: [(&str, PropertyTag); 3] = [
    ("BDAY", tags::BIRTHDAY),
    ("X-ANNIVERSARY", tags::WEDDING_ANNIVERSARY),
    ("ANNIVERSARY", tags::WEDDING_ANNIVERSARY),
];

impl Entry {
    /// Where in a card its line stands.
    pub(super) fn place(&self, card: &Component) -> Option<usize> {
        let is_it = |line: &Line| line.is(self.property) && family(line) == self.family;
        card.lines
            .iter()
            .enumerate()
            .filter(|(_, line)| is_it(line))
            .nth(self.nth)
            .map(|(at, _)| at)
    }

    pub(super) fn read(&self, card: &Component) -> Option<String> {
        let line = card.lines.get(self.place(card)?)?;
        let value = match self.field {
            Some(field) => text::split(&line.value, ';')
                .nth(field)
                .map(text::unescape)?,
            None => line.as_text(),
        };
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A line of its own, still empty.
    pub(super) fn line(&self) -> Line {
        let line = Line::new(self.property, "");
        let types: &[&str] = match (self.property, self.family) {
            ("EMAIL", _) => &["INTERNET"],
            ("TEL", "home") => &["HOME", "VOICE"],
            ("TEL", "work") => &["WORK", "VOICE"],
            ("TEL", "work-fax") => &["WORK", "FAX"],
            ("TEL", "home-fax") => &["HOME", "FAX"],
            ("TEL", "cell") => &["CELL"],
            ("TEL", "pager") => &["PAGER"],
            ("TEL", "car") => &["CAR"],
            ("TEL", "isdn") => &["ISDN"],
            ("TEL", _) => &["VOICE"],
            (_, "home") => &["HOME"],
            (_, "work") => &["WORK"],
            _ => &[],
        };
        types.iter().fold(line, |mut line, word| {
            match line.parameters.first_mut() {
                Some(parameter) => parameter.values.push((*word).to_owned()),
                None => line = line.with("TYPE", *word),
            }
            line
        })
    }
}

/// What kind of line of its property it is. Apple's and Google's labels are not looked at: they are the person's own words.
fn family(line: &Line) -> &'static str {
    let bare = line
        .parameters
        .iter()
        .filter(|one| one.values.is_empty())
        .map(|one| one.name.as_str());
    let words: Vec<String> = line
        .parameter_values("TYPE")
        .flat_map(|value| value.split(','))
        .chain(bare)
        .map(str::to_ascii_uppercase)
        .collect();
    let is = |word: &str| words.iter().any(|own| own == word);
    match line.name.to_ascii_uppercase().as_str() {
        "TEL" if is("FAX") => {
            if is("HOME") {
                "home-fax"
            } else {
                "work-fax"
            }
        }
        "TEL" if is("PAGER") => "pager",
        "TEL" if is("CAR") => "car",
        "TEL" if is("ISDN") => "isdn",
        "TEL" if is("CELL") || is("IPHONE") => "cell",
        "TEL" | "ADR" if is("HOME") => "home",
        "TEL" | "ADR" if is("WORK") => "work",
        "TEL" | "ADR" => "other",
        "URL" => {
            if is("HOME") {
                "home"
            } else {
                "work"
            }
        }
        _ => "",
    }
}

/// A whole day, in seconds since 1970: `1996-04-15`, `19960415`, and both with a time.
pub(super) fn day(value: &str) -> Option<i64> {
    let digits: String = value
        .trim()
        .chars()
        .take(10)
        .filter(char::is_ascii_digit)
        .collect();
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i16>().ok();
    if digits.len() < 8 || value.starts_with('-') {
        return None;
    }
    let date = Date::new(
        number(0, 4)?,
        i8::try_from(number(4, 6)?).ok()?,
        i8::try_from(number(6, 8)?).ok()?,
    )
    .ok()?;
    Some(date.duration_since(EPOCH).as_secs())
}

/// The other way; `None` for what is no day of the calendar.
pub(super) fn date(seconds: i64) -> Option<Date> {
    let days = jiff::SignedDuration::from_secs(seconds.div_euclid(86_400).checked_mul(86_400)?);
    EPOCH.checked_add(days).ok()
}

const EPOCH: Date = Date::constant(1970, 1, 1);
