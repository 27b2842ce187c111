use super::{SAME, media};
use crate::card::preference;
use crate::contentline::{Component, Line, Parameter, text};

/// The year that Apple writes for a birthday without one.
const NO_YEAR: &str = "1604";

pub(super) fn to_3(card: &Component, formatted_name: &str) -> Component {
    let mut out = Component::new(card.name.clone());
    for line in &card.lines {
        let sort = line.parameter("SORT-AS").map(str::to_owned);
        let label = line.parameter("LABEL").map(str::to_owned);
        let converted = converted(line.clone());
        if let Some(label) = label.filter(|_| line.is("ADR")) {
            let types = converted
                .parameters
                .iter()
                .filter(|one| one.name.eq_ignore_ascii_case("TYPE"))
                .cloned();
            let mut own = Line::text("LABEL", &label);
            own.parameters.extend(types);
            own.group.clone_from(&line.group);
            out.lines.push(own);
        }
        out.lines.push(converted);
        if let Some(sort) = sort.filter(|_| out.line("SORT-STRING").is_none()) {
            out.lines.push(Line::text("SORT-STRING", &sort));
        }
    }
    // RFC 2426 wants both; 4.0 needs no N.
    if out.line("FN").is_none() {
        out.lines.push(Line::text("FN", formatted_name));
    }
    if out.line("N").is_none() {
        out.lines.push(Line::new(
            "N",
            format!("{};;;;", text::escape(formatted_name)),
        ));
    }
    out
}

fn converted(mut line: Line) -> Line {
    if let Some((name, _)) = SAME.iter().find(|(_, new)| line.is(new)) {
        line.name = (*name).to_owned();
    }
    for name in ["SORT-AS", "ALTID", "PID"] {
        line.remove_parameter(name);
    }
    types(&mut line);
    let upper = line.name.to_ascii_uppercase();
    match upper.as_str() {
        "VERSION" => "3.0".clone_into(&mut line.value),
        "ADR" => line.remove_parameter("LABEL"),
        "GEO" => {
            if let Some((latitude, longitude)) = line
                .value
                .strip_prefix("geo:")
                .and_then(|rest| rest.split_once(','))
            {
                let longitude = longitude.split([';', ',']).next().unwrap_or_default();
                line.value = format!("{latitude};{longitude}");
            }
        }
        "BDAY" | "X-ANNIVERSARY" => date(&mut line),
        "TZ" => line.remove_parameter("VALUE"),
        "TEL" if line.has_parameter("VALUE", "uri") => {
            line.remove_parameter("VALUE");
            if let Some(number) = line.value.strip_prefix("tel:") {
                line.value = number.replace(";ext=", " x");
            }
        }
        _ => {
            if let Some(family) = media::family(&line) {
                media::down(&mut line, family);
            }
        }
    }
    line
}

/// PREF becomes a type: 3.0 knows no more than the one that is preferred.
fn types(line: &mut Line) {
    let mut values: Vec<String> = line
        .parameter_values("TYPE")
        .flat_map(|value| value.split(','))
        .map(str::to_owned)
        .collect();
    if preference(line) == 1 && !values.iter().any(|word| word.eq_ignore_ascii_case("PREF")) {
        values.push("pref".to_owned());
    }
    line.remove_parameter("PREF");
    line.remove_parameter("TYPE");
    if !values.is_empty() {
        line.parameters.push(Parameter {
            name: "TYPE".to_owned(),
            values,
        });
    }
}

/// `19960415` as 3.0 readers expect it, `--0415` as Apple writes it there.
fn date(line: &mut Line) {
    let value = line.value.trim().to_owned();
    let digits = |text: &str| text.len() == 8 && text.bytes().all(|octet| octet.is_ascii_digit());
    let full = match value.strip_prefix("--") {
        Some(rest) => format!("{NO_YEAR}{}", rest.replace('-', "")),
        None => value.clone(),
    };
    let (date, rest) = full.split_at_checked(8).unwrap_or((full.as_str(), ""));
    if !digits(date) || !(rest.is_empty() || rest.starts_with('T')) {
        return;
    }
    let part = |from: usize, to: usize| date.get(from..to).unwrap_or_default();
    line.value = format!("{}-{}-{}{rest}", part(0, 4), part(4, 6), part(6, 8));
    if value.starts_with("--") {
        line.set_parameter("X-APPLE-OMIT-YEAR", NO_YEAR);
    }
}
