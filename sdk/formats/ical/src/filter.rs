//! Does an object match a query (RFC 4791 section 9.7)?
//!
//! A component filter matches when one component of its name passes everything in it. A time range asks for an instance that this very
//! component describes: the master for the instances that nobody overrode, an override for its own. The nesting of a filter is followed
//! no deeper than that of the object, which its parse bounds.

mod alarm;

use crate::contentline::filter::{ParamFilter, TextMatch};
use crate::contentline::{Component, Line};
use crate::overlap::spans;
use crate::series::Series;
use crate::{Form, Moment, Object, Range, Result, Zone};
use std::ops::ControlFlow;

/// A `comp-filter` element. The outermost is of VCALENDAR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompFilter {
    /// The component.
    pub name: String,
    /// What is asked of it.
    pub test: CompTest,
}

/// What a [`CompFilter`] asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompTest {
    /// `is-not-defined`.
    NotDefined,
    /// That there is one which passes all of these; an empty list asks for no more than that it is there.
    Defined {
        /// `time-range`.
        time_range: Option<Range>,
        /// `prop-filter`.
        properties: Vec<PropFilter>,
        /// `comp-filter`.
        components: Vec<CompFilter>,
    },
}

/// A `prop-filter` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropFilter {
    /// The property.
    pub name: String,
    /// What is asked of it.
    pub test: PropTest,
}

/// What a [`PropFilter`] asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PropTest {
    /// `is-not-defined`.
    NotDefined,
    /// That there is one which passes all of these.
    Defined {
        /// `time-range`.
        time_range: Option<Range>,
        /// `text-match`.
        text: Option<TextMatch>,
        /// `param-filter`.
        parameters: Vec<ParamFilter>,
    },
}

impl CompFilter {
    /// A component that is there, whatever is in it.
    pub fn defined(name: impl Into<String>) -> Self {
        let test = CompTest::Defined {
            time_range: None,
            properties: Vec::new(),
            components: Vec::new(),
        };
        CompFilter {
            name: name.into(),
            test,
        }
    }

    /// Whether an object matches. Dates and floating times are of the default zone: the one of the request, else of the calendar.
    ///
    /// # Errors
    /// [`crate::Error::Limit`] when a rule takes too much work.
    pub fn matches(&self, object: &Object, default: &Zone) -> Result<bool> {
        let search = Search {
            object,
            default,
            series: std::cell::OnceCell::new(),
        };
        search.among(self, std::slice::from_ref(object.component()), None)
    }

    /// The time range that every object has to overlap which matches, if the filter is of that form: the store's index is asked with it.
    pub fn time_range(&self) -> Option<(&str, Range)> {
        let CompTest::Defined { components, .. } = &self.test else {
            return None;
        };
        components.iter().find_map(|inner| match &inner.test {
            CompTest::Defined {
                time_range: Some(range),
                ..
            } => Some((inner.name.as_str(), *range)),
            _ => None,
        })
    }
}

struct Search<'a> {
    object: &'a Object,
    default: &'a Zone,
    series: std::cell::OnceCell<Series<'a>>,
}

impl<'a> Search<'a> {
    fn series(&self) -> Result<&Series<'a>> {
        if let Some(series) = self.series.get() {
            return Ok(series);
        }
        let series = Series::of(self.object, self.default)?;
        Ok(self.series.get_or_init(|| series))
    }

    fn among(
        &self,
        filter: &CompFilter,
        components: &'a [Component],
        parent: Option<&'a Component>,
    ) -> Result<bool> {
        let mut named = components
            .iter()
            .filter(|component| component.is(&filter.name));
        let CompTest::Defined {
            time_range,
            properties,
            components,
        } = &filter.test
        else {
            return Ok(named.next().is_none());
        };
        for component in named {
            if let Some(range) = time_range
                && !self.in_range(component, parent, *range)?
            {
                continue;
            }
            if self.all_properties(properties, component)?
                && self.all_components(components, component)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn all_components(&self, filters: &[CompFilter], parent: &'a Component) -> Result<bool> {
        for filter in filters {
            if !self.among(filter, &parent.components, Some(parent))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn in_range(
        &self,
        component: &'a Component,
        parent: Option<&'a Component>,
        range: Range,
    ) -> Result<bool> {
        if component.is("VALARM") {
            return match parent {
                Some(parent) => alarm::in_range(self.series()?, parent, component, range),
                None => Ok(false),
            };
        }
        let flow = self.series()?.visit(range, &mut |occurrence| {
            if std::ptr::eq(occurrence.component, component) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(flow.is_break())
    }

    fn all_properties(&self, filters: &[PropFilter], component: &Component) -> Result<bool> {
        for filter in filters {
            if !self.property(filter, component)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn property(&self, filter: &PropFilter, component: &Component) -> Result<bool> {
        let mut named = component.lines_of(&filter.name);
        let PropTest::Defined {
            time_range,
            text,
            parameters,
        } = &filter.test
        else {
            return Ok(named.next().is_none());
        };
        for line in named {
            let passes = text.as_ref().is_none_or(|text| text.matches_value(line))
                && parameters.iter().all(|parameter| parameter.matches(line));
            if passes
                && time_range.is_none_or(|range| self.value_in_range(line, range).unwrap_or(false))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A DATE is its whole day, a DATE-TIME its instant, a period its span (RFC 4791 section 9.9).
    fn value_in_range(&self, line: &Line, range: Range) -> Result<bool> {
        if line.is("FREEBUSY") {
            let periods = crate::free_busy::periods(line)?;
            return Ok(periods
                .iter()
                .any(|period| range.overlaps(period.start, period.end)));
        }
        let zones = self.series()?.zones();
        let overlaps = |moment: &Moment| {
            let start = zones.to_utc(moment);
            match moment.form {
                Form::Date => spans(range, start, start.saturating_add(86_400)),
                _ => range.contains(start),
            }
        };
        Ok(Moment::list_of_line(line)?.iter().any(overlaps))
    }
}

#[cfg(test)]
mod tests;
