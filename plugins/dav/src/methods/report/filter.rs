//! `filter` elements as the format crates have them. What we do not know is never taken for "matches all": it is refused by its
//! precondition.

use waxwing_formats_ical::Range;
use waxwing_formats_ical::contentline::filter::{
    Collation, MatchType, ParamFilter, ParamTest, TextMatch,
};
use waxwing_formats_ical::filter::{CompFilter, CompTest, PropFilter, PropTest};
use waxwing_formats_vcard::filter as card;

use super::data;
use crate::answer::Refusal;
use crate::xml::{Element, Name};

/// Filters in filters.
const MAX_NESTING: usize = 8;
/// Filters of one query.
const MAX_FILTERS: usize = 256;

/// The namespaces in which the same words stand.
#[derive(Debug, Clone, Copy)]
enum Words {
    Calendar,
    Cards,
}

impl Words {
    fn ns(self) -> &'static str {
        match self {
            Words::Calendar => crate::xml::ns::CALDAV,
            Words::Cards => crate::xml::ns::CARDDAV,
        }
    }

    fn name(self, local: &'static str) -> Name {
        Name::new(self.ns(), local)
    }

    fn invalid(self, why: impl Into<String>) -> Refusal {
        Refusal::forbidden(self.name("valid-filter"), why)
    }
}

/// A parse that counts.
struct Reading {
    words: Words,
    left: usize,
}

impl Reading {
    fn count(&mut self) -> Result<(), Refusal> {
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            self.words
                .invalid(format!("limit filters = {MAX_FILTERS} reached"))
        })?;
        Ok(())
    }

    fn name(&self, element: &Element) -> Result<String, Refusal> {
        let name = element.attribute("name").filter(|name| !name.is_empty());
        let missing = || {
            self.words
                .invalid(format!("{} has no name", element.name.local))
        };
        name.map(str::to_owned).ok_or_else(missing)
    }

    fn is_not_defined(&self, element: &Element) -> bool {
        element.child(self.words.ns(), "is-not-defined").is_some()
    }

    fn range(&self, element: &Element) -> Result<Option<Range>, Refusal> {
        let range = element.child(self.words.ns(), "time-range");
        range.map(data::range).transpose()
    }

    fn text(&self, element: &Element) -> Result<TextMatch, Refusal> {
        let usual = match self.words {
            Words::Calendar => Collation::AsciiCasemap,
            Words::Cards => Collation::UnicodeCasemap,
        };
        let collation = match element.attribute("collation") {
            None => usual,
            Some(name) => name.parse().map_err(|error| {
                Refusal::forbidden(self.words.name("supported-collation"), format!("{error}"))
            })?,
        };
        let kind = match element.attribute("match-type") {
            None => MatchType::Contains,
            Some(name) => name.parse().map_err(|()| {
                self.words
                    .invalid(format!("match-type {name:?} is not known"))
            })?,
        };
        let negate = element.attribute("negate-condition") == Some("yes");
        Ok(TextMatch::new(&element.text(), collation, kind).negated(negate))
    }

    fn parameters(&mut self, element: &Element) -> Result<Vec<ParamFilter>, Refusal> {
        let ns = self.words.ns();
        let mut parameters = Vec::new();
        for filter in element.all(ns, "param-filter") {
            self.count()?;
            let test = match filter.child(ns, "text-match") {
                _ if self.is_not_defined(filter) => ParamTest::NotDefined,
                Some(text) => ParamTest::Text(self.text(text)?),
                None => ParamTest::Defined,
            };
            parameters.push(ParamFilter {
                name: self.name(filter)?,
                test,
            });
        }
        Ok(parameters)
    }

    fn component(&mut self, element: &Element, depth: usize) -> Result<CompFilter, Refusal> {
        self.count()?;
        if depth >= MAX_NESTING {
            return Err(self
                .words
                .invalid(format!("comp-filter nests deeper than {MAX_NESTING}")));
        }
        let name = self.name(element)?;
        if self.is_not_defined(element) {
            return Ok(CompFilter {
                name,
                test: CompTest::NotDefined,
            });
        }
        let ns = self.words.ns();
        let mut properties = Vec::new();
        for filter in element.all(ns, "prop-filter") {
            properties.push(self.property(filter)?);
        }
        let mut components = Vec::new();
        for filter in element.all(ns, "comp-filter") {
            components.push(self.component(filter, depth + 1)?);
        }
        Ok(CompFilter {
            name,
            test: CompTest::Defined {
                time_range: self.range(element)?,
                properties,
                components,
            },
        })
    }

    fn property(&mut self, element: &Element) -> Result<PropFilter, Refusal> {
        self.count()?;
        let test = if self.is_not_defined(element) {
            PropTest::NotDefined
        } else {
            let text = element.child(self.words.ns(), "text-match");
            PropTest::Defined {
                time_range: self.range(element)?,
                text: text.map(|text| self.text(text)).transpose()?,
                parameters: self.parameters(element)?,
            }
        };
        Ok(PropFilter {
            name: self.name(element)?,
            test,
        })
    }

    fn test(&self, element: &Element) -> Result<card::Test, Refusal> {
        match element.attribute("test") {
            None | Some("anyof") => Ok(card::Test::AnyOf),
            Some("allof") => Ok(card::Test::AllOf),
            Some(other) => Err(self.words.invalid(format!("test {other:?} is not known"))),
        }
    }

    fn card_property(&mut self, element: &Element) -> Result<card::PropFilter, Refusal> {
        self.count()?;
        let test = if self.is_not_defined(element) {
            card::PropTest::NotDefined
        } else {
            let mut texts = Vec::new();
            for text in element.all(self.words.ns(), "text-match") {
                self.count()?;
                texts.push(self.text(text)?);
            }
            card::PropTest::Defined {
                test: self.test(element)?,
                texts,
                parameters: self.parameters(element)?,
            }
        };
        Ok(card::PropFilter {
            name: self.name(element)?,
            test,
        })
    }
}

/// The filter of a `calendar-query`.
pub(super) fn of_calendar(body: &Element) -> Result<CompFilter, Refusal> {
    let mut reading = Reading {
        words: Words::Calendar,
        left: MAX_FILTERS,
    };
    let filter = body.child(reading.words.ns(), "filter");
    let outermost = filter.and_then(|filter| filter.child(reading.words.ns(), "comp-filter"));
    let outermost =
        outermost.ok_or_else(|| reading.words.invalid("a query has a filter of VCALENDAR"))?;
    let read = reading.component(outermost, 0)?;
    if !read.name.eq_ignore_ascii_case("VCALENDAR") {
        return Err(reading
            .words
            .invalid("the outermost filter is of VCALENDAR"));
    }
    Ok(read)
}

/// The filter of an `addressbook-query`.
pub(super) fn of_cards(body: &Element) -> Result<card::Filter, Refusal> {
    let mut reading = Reading {
        words: Words::Cards,
        left: MAX_FILTERS,
    };
    let ns = reading.words.ns();
    let filter = body.child(ns, "filter");
    let filter = filter.ok_or_else(|| reading.words.invalid("a query has a filter"))?;
    let mut properties = Vec::new();
    for property in filter.all(ns, "prop-filter") {
        properties.push(reading.card_property(property)?);
    }
    Ok(card::Filter {
        test: reading.test(filter)?,
        properties,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::read;

    fn query(inner: &str) -> Result<CompFilter, Refusal> {
        let body = format!("<q xmlns='urn:ietf:params:xml:ns:caldav'><filter>{inner}</filter></q>");
        of_calendar(&read(body.as_bytes()).unwrap())
    }

    fn condition(refusal: Refusal) -> String {
        let mut out = crate::xml::Writer::part();
        refusal.write_error(&mut out);
        out.finish()
    }

    #[test]
    fn a_filter_is_read_as_it_is_nested() {
        let filter = query(
            "<comp-filter name='VCALENDAR'><comp-filter name='VEVENT'><time-range start='20260101T000000Z'/>\
             <prop-filter name='UID'><text-match collation='i;octet'>x</text-match></prop-filter></comp-filter></comp-filter>",
        )
        .unwrap();
        let (kind, range) = filter.time_range().unwrap();
        assert_eq!((kind, range.end), ("VEVENT", i64::MAX));
    }

    #[test]
    fn what_is_not_known_is_refused_by_its_precondition() {
        for (inner, expected) in [
            ("", "valid-filter"),
            ("<comp-filter name='VEVENT'/>", "valid-filter"),
            ("<comp-filter/>", "valid-filter"),
            (
                "<comp-filter name='VCALENDAR'><prop-filter name='X'><text-match collation='i;x'>a</text-match></prop-filter></comp-filter>",
                "supported-collation",
            ),
            (
                "<comp-filter name='VCALENDAR'><comp-filter name='VEVENT'><time-range start='2026'/></comp-filter></comp-filter>",
                "valid-filter",
            ),
        ] {
            let said = condition(query(inner).unwrap_err());
            assert!(said.contains(expected), "{inner}: {said}");
        }
        let deep = "<comp-filter name='VCALENDAR'>".repeat(9) + &"</comp-filter>".repeat(9);
        assert!(condition(query(&deep).unwrap_err()).contains("valid-filter"));
    }

    #[test]
    fn a_filter_of_cards_has_tests() {
        let body = "<q xmlns='urn:ietf:params:xml:ns:carddav'><filter test='allof'><prop-filter name='FN' test='allof'>\
            <text-match match-type='starts-with'>A</text-match><text-match>b</text-match></prop-filter></filter></q>";
        let filter = of_cards(&read(body.as_bytes()).unwrap()).unwrap();
        assert_eq!(
            (filter.test, filter.properties.len()),
            (card::Test::AllOf, 1)
        );
    }
}
