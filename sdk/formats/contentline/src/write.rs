use crate::{Component, Line};

/// RFC 5545 section 3.1: octets of a line without its end.
const FOLD: usize = 75;

/// Depth is bounded by the parse, or by the program that built the tree.
pub(crate) fn component(component: &Component, out: &mut String) {
    out.push_str("BEGIN:");
    out.push_str(&component.name);
    out.push_str("\r\n");
    let mut unfolded = String::new();
    for one in &component.lines {
        unfolded.clear();
        line(one, &mut unfolded);
        fold(&unfolded, out);
    }
    for inner in &component.components {
        self::component(inner, out);
    }
    out.push_str("END:");
    out.push_str(&component.name);
    out.push_str("\r\n");
}

fn line(line: &Line, out: &mut String) {
    if let Some(group) = &line.group {
        out.push_str(group);
        out.push('.');
    }
    out.push_str(&line.name);
    for parameter in &line.parameters {
        out.push(';');
        out.push_str(&parameter.name);
        for (position, value) in parameter.values.iter().enumerate() {
            out.push(if position == 0 { '=' } else { ',' });
            parameter_value(value, out);
        }
    }
    out.push(':');
    // A line end in a value would make a new line of its rest.
    out.extend(line.value.chars().filter(|&one| one != '\n' && one != '\r'));
}

fn parameter_value(value: &str, out: &mut String) {
    let quoted = value.contains([':', ';', ',', '\\']);
    if quoted {
        out.push('"');
    }
    for character in value.chars() {
        match character {
            '^' => out.push_str("^^"),
            '"' => out.push_str("^'"),
            '\n' => out.push_str("^n"),
            '\r' => {}
            other => out.push(other),
        }
    }
    if quoted {
        out.push('"');
    }
}

/// Folds between characters, never within one. The leading space of a continuation counts.
fn fold(line: &str, out: &mut String) {
    let mut rest = line;
    let mut room = FOLD;
    while rest.len() > room {
        let mut cut = room;
        while !rest.is_char_boundary(cut) {
            cut -= 1;
        }
        let (head, tail) = rest.split_at(cut);
        out.push_str(head);
        out.push_str("\r\n ");
        rest = tail;
        room = FOLD - 1;
    }
    out.push_str(rest);
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_longer_than_75_octets_and_no_character_is_torn() {
        let mut one = Component::new("VEVENT");
        one.lines.push(Line::text("SUMMARY", &"ä€𝄞".repeat(60)));
        let text = one.to_text();
        assert!(text.split("\r\n").all(|line| line.len() <= 75));
        assert_eq!(
            text.replace("\r\n ", ""),
            format!(
                "BEGIN:VEVENT\r\nSUMMARY:{}\r\nEND:VEVENT\r\n",
                "ä€𝄞".repeat(60)
            )
        );
    }

    #[test]
    fn parameter_values_are_quoted_and_encoded_as_rfc_6868_says() {
        let mut one = Component::new("V");
        one.lines
            .push(Line::new("ATTENDEE", "mailto:a@b").with("CN", "George \"Babe\" Ruth; ^n\nx"));
        assert!(
            one.to_text()
                .contains("ATTENDEE;CN=\"George ^'Babe^' Ruth; ^^n^nx\":mailto:a@b")
        );
    }

    #[test]
    fn a_value_cannot_smuggle_in_a_line() {
        let mut one = Component::new("V");
        one.lines.push(Line::new("X", "a\r\nATTACH:evil"));
        assert_eq!(one.to_text(), "BEGIN:V\r\nX:aATTACH:evil\r\nEND:V\r\n");
    }
}
