//! LANGUAGE (RFC 5255 section 3): in which language texts for people are. There is one, English.

use crate::session::{Answer, Completion, Output, Refusal};

const LANGUAGE: &str = "EN";

/// Language ranges as the client prefers them; none: which languages there are.
pub(super) fn run(ranges: &[String], out: &mut Output) -> Answer {
    if ranges.is_empty() {
        out.line(&format!("* LANGUAGE ({LANGUAGE} I-DEFAULT)"));
        return Ok(Completion::text("LANGUAGE completed"));
    }
    let known = ranges.iter().find_map(|range| {
        let range = range.to_ascii_uppercase();
        match range.as_str() {
            "I-DEFAULT" | "DEFAULT" => Some("I-DEFAULT"),
            "*" | LANGUAGE => Some(LANGUAGE),
            _ => range.starts_with("EN-").then_some(LANGUAGE),
        }
    });
    match known {
        Some(language) => {
            out.line(&format!("* LANGUAGE ({language})"));
            Ok(Completion::text("Texts are in English"))
        }
        None => Err(Refusal::no("[CANNOT] There is only English")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_is_there_is_taken() {
        let chosen = |ranges: &[&str]| {
            let ranges: Vec<String> = ranges.iter().map(|range| (*range).to_owned()).collect();
            let mut out = Output::default();
            run(&ranges, &mut out).map(|_| String::from_utf8(out.text().clone()).unwrap())
        };
        assert_eq!(chosen(&[]).unwrap(), "* LANGUAGE (EN I-DEFAULT)\r\n");
        assert_eq!(chosen(&["de", "en-gb"]).unwrap(), "* LANGUAGE (EN)\r\n");
        assert_eq!(
            chosen(&["i-default"]).unwrap(),
            "* LANGUAGE (I-DEFAULT)\r\n"
        );
        assert!(chosen(&["de", "eng"]).is_err());
    }
}
