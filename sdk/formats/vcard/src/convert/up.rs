use super::{SAME, media};
use crate::contentline::{Component, Line, Parameter};

pub(super) fn to_4(card: &Component) -> Component {
    let mut out = Component::new(card.name.clone());
    for line in &card.lines {
        out.lines.extend(converted(line.clone()));
    }
    sort_string(card, &mut out);
    out
}

fn converted(mut line: Line) -> Option<Line> {
    if let Some((_, name)) = SAME.iter().find(|(old, _)| line.is(old)) {
        line.name = (*name).to_owned();
    }
    line.remove_parameter("CHARSET");
    types(&mut line);
    let upper = line.name.to_ascii_uppercase();
    match upper.as_str() {
        "VERSION" => "4.0".clone_into(&mut line.value),
        // 4.0 has neither, and they say nothing about the person.
        "PROFILE" | "NAME" | "SORT-STRING" | "MAILER" => return None,
        "GEO" => {
            if let Some((latitude, longitude)) = line.value.split_once(';') {
                line.value = format!("geo:{},{}", latitude.trim(), longitude.trim());
            }
        }
        "REV" => line.value = basic(&line.value),
        "BDAY" | "ANNIVERSARY" => date(&mut line),
        "TZ" if line.value.starts_with(['+', '-']) => {
            line.value = line.value.replace(':', "");
            line.set_parameter("VALUE", "utc-offset");
        }
        "AGENT" if line.has_parameter("VALUE", "uri") => {
            "RELATED".clone_into(&mut line.name);
            line.set_parameter("TYPE", "agent");
        }
        _ => {
            if let Some(family) = media::family(&line) {
                media::up(&mut line, family);
            }
        }
    }
    Some(line)
}

/// Bare types get their name, PREF becomes a parameter of its own, and INTERNET goes: it says nothing.
fn types(line: &mut Line) {
    let bare = line
        .parameters
        .iter()
        .filter(|one| one.values.is_empty())
        .map(|one| one.name.clone());
    let mut words: Vec<String> = line
        .parameter_values("TYPE")
        .flat_map(|value| value.split(','))
        .map(str::to_owned)
        .chain(bare)
        .collect();
    if words.is_empty() {
        return;
    }
    line.parameters.retain(|one| !one.values.is_empty());
    line.remove_parameter("TYPE");
    let preferred = words.iter().any(|word| word.eq_ignore_ascii_case("PREF"));
    words.retain(|word| {
        !(word.eq_ignore_ascii_case("PREF") || word.eq_ignore_ascii_case("INTERNET"))
    });
    if !words.is_empty() {
        let values = if media::family(line).is_some() {
            words
        } else {
            words.iter().map(|word| word.to_ascii_lowercase()).collect()
        };
        line.parameters.push(Parameter {
            name: "TYPE".to_owned(),
            values,
        });
    }
    if preferred && line.parameter("PREF").is_none() {
        line.parameters.push(Parameter::new("PREF", "1"));
    }
}

/// `1996-04-15` and `2008-04-24T19:52:43Z` without their marks, as 4.0 writes them.
fn basic(value: &str) -> String {
    let value = value.trim();
    let extended = value.len() >= 10
        && value.as_bytes().get(4) == Some(&b'-')
        && value.as_bytes().get(7) == Some(&b'-');
    if !extended {
        return value.to_owned();
    }
    let (date, time) = value.split_at_checked(10).unwrap_or((value, ""));
    // A dash in the time is the sign of its offset.
    format!("{}{}", date.replace('-', ""), time.replace(':', ""))
}

/// Apple writes a year of its own for a birthday without one.
fn date(line: &mut Line) {
    let omitted = line.parameter("X-APPLE-OMIT-YEAR").map(str::to_owned);
    let value = basic(&line.value);
    line.value = match omitted.as_deref().and_then(|year| value.strip_prefix(year)) {
        Some(rest) if rest.len() == 4 => format!("--{rest}"),
        _ => value,
    };
    line.remove_parameter("X-APPLE-OMIT-YEAR");
    if line.has_parameter("VALUE", "date") {
        line.remove_parameter("VALUE");
    }
}

fn sort_string(card: &Component, out: &mut Component) {
    let sort = card.line("SORT-STRING").map(Line::as_text);
    let name = if out.line("N").is_some() { "N" } else { "FN" };
    if let (Some(sort), Some(line)) = (sort, out.line_mut(name)) {
        line.set_parameter("SORT-AS", sort);
    }
}
