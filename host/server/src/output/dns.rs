//! Records of DNS as lines of a zone, and the keys that some of them are for.

use waxwing_admin::protocol::{DkimKeyRow, DkimKeys, DnsRecordRow, DnsState};

use super::{table, time};

/// RFC 1035 section 3.3: octets of one character-string.
const STRING: usize = 255;

/// Lines that can be put into a zone as they are; what is said about them are comments.
pub(super) fn records(rows: &[DnsRecordRow]) -> String {
    rows.iter().map(record).collect()
}

fn record(row: &DnsRecordRow) -> String {
    let state = row.state.map_or("", |state| match state {
        DnsState::Ok => ": published",
        DnsState::Other => ": another is published, or none is needed",
        DnsState::Wrong => ": WRONG, another is published",
        DnsState::Missing => ": NOT PUBLISHED",
        DnsState::Unknown => ": DNS did not answer",
    });
    let mut text = format!("; {}{state}\n", row.purpose);
    for found in &row.found {
        text.push_str(&format!(";   found: {found}\n"));
    }
    let value = match row.kind.as_str() {
        "TXT" => strings(&row.value),
        // What they end with is a name.
        _ => format!("{}.", row.value),
    };
    text.push_str(&format!("{}. IN {} {value}\n", row.name, row.kind));
    text
}

fn strings(value: &str) -> String {
    let mut strings = Vec::new();
    let mut rest = value;
    while !rest.is_empty() {
        let (string, behind) = rest.split_at_checked(STRING).unwrap_or((rest, ""));
        strings.push(format!("\"{string}\""));
        rest = behind;
    }
    match strings.len() {
        1 => strings.concat(),
        _ => format!("( {} )", strings.join(" ")),
    }
}

pub(super) fn keys(keys: &DkimKeys) -> String {
    let mut text = String::new();
    if !keys.done.is_empty() {
        text.push_str(&format!("{}\n", keys.done));
    }
    match keys.records {
        true => text.extend(keys.keys.iter().map(|key| record(&key.record))),
        false => text.push_str(&list(&keys.keys)),
    }
    text
}

fn list(keys: &[DkimKeyRow]) -> String {
    let cells = keys.iter().map(|key| {
        vec![
            key.selector.clone(),
            key.algorithm.to_string(),
            key.state.name().to_owned(),
            time(key.created),
        ]
    });
    table(
        &["SELECTOR", "ALGORITHM", "STATE", "CREATED"],
        cells.collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_several_strings_and_a_name_ends_with_a_dot() {
        let row = |kind: &str, value: String| DnsRecordRow {
            name: "example.org".into(),
            kind: kind.into(),
            value,
            purpose: "why".into(),
            state: Some(DnsState::Missing),
            found: Vec::new(),
        };
        let shown = records(&[
            row("MX", "10 mx.example.org".into()),
            row("TXT", "x".repeat(300)),
        ]);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "; why: NOT PUBLISHED");
        assert_eq!(lines[1], "example.org. IN MX 10 mx.example.org.");
        let two = format!("( \"{}\" \"{}\" )", "x".repeat(255), "x".repeat(45));
        assert_eq!(lines[3], format!("example.org. IN TXT {two}"));
    }
}
