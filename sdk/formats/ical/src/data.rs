//! What a query wants of an object: the `calendar-data` element (RFC 4791 section 9.6).

mod expand;

use crate::contentline::{Component, Line};
use crate::series::Series;
use crate::{Object, Range, Result, Zone};

/// A `calendar-data` element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CalendarData {
    /// `comp`, the outermost of VCALENDAR; `None` for everything.
    pub components: Option<Comp>,
    /// `expand` or `limit-recurrence-set`.
    pub recurrence: Option<Recurrence>,
    /// `limit-freebusy-set`.
    pub free_busy: Option<Range>,
}

/// What is to become of a recurring object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recurrence {
    /// `expand`: its instances in the range, in UTC, without rules.
    Expand(Range),
    /// `limit-recurrence-set`: the master, and the overrides that matter in the range.
    Limit(Range),
}

/// A `comp` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comp {
    /// The component.
    pub name: String,
    /// `prop` elements; `None` for `allprop`.
    pub properties: Option<Vec<Prop>>,
    /// `comp` elements; `None` for `allcomp`.
    pub components: Option<Vec<Comp>>,
}

/// A `prop` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prop {
    /// The property.
    pub name: String,
    /// `novalue="yes"`: its name and nothing else.
    pub no_value: bool,
}

impl CalendarData {
    /// Whether the object is wanted as it is stored.
    pub fn is_whole(&self) -> bool {
        self.components.is_none() && self.recurrence.is_none() && self.free_busy.is_none()
    }

    /// What of an object is wanted. Dates and floating times are of the default zone; at most `limit` instances are expanded.
    ///
    /// # Errors
    /// [`crate::Error::Limit`].
    pub fn apply(&self, object: &Object, default: &Zone, limit: usize) -> Result<Component> {
        let mut tree = match self.recurrence {
            Some(Recurrence::Expand(range)) => expand::expand(object, default, range, limit)?,
            Some(Recurrence::Limit(range)) => limited(object, default, range)?,
            None => object.component().clone(),
        };
        if let Some(range) = self.free_busy {
            for component in tree
                .components
                .iter_mut()
                .filter(|component| component.is("VFREEBUSY"))
            {
                limit_free_busy(component, range)?;
            }
        }
        Ok(match &self.components {
            Some(comp) => part(&tree, comp),
            None => tree,
        })
    }
}

/// Depth is that of the object.
fn part(component: &Component, comp: &Comp) -> Component {
    let lines = match &comp.properties {
        None => component.lines.clone(),
        Some(wanted) => component
            .lines
            .iter()
            .filter_map(|line| wanted_line(line, wanted))
            .collect(),
    };
    let components = match &comp.components {
        None => component.components.clone(),
        Some(wanted) => component
            .components
            .iter()
            .filter_map(|inner| {
                let comp = wanted.iter().find(|comp| inner.is(&comp.name))?;
                Some(part(inner, comp))
            })
            .collect(),
    };
    Component {
        name: component.name.clone(),
        lines,
        components,
    }
}

fn wanted_line(line: &Line, wanted: &[Prop]) -> Option<Line> {
    let prop = wanted.iter().find(|prop| line.is(&prop.name))?;
    Some(if prop.no_value {
        Line::new(line.name.clone(), "")
    } else {
        line.clone()
    })
}

/// RFC 4791 section 9.6.6: an override stays when it is in the range, was to be before it was moved, or changes later instances.
fn limited(object: &Object, default: &Zone, range: Range) -> Result<Component> {
    let mut tree = object.component().clone();
    if object.master().is_none() {
        return Ok(tree);
    }
    let series = Series::of(object, default)?;
    let mut stays = Vec::new();
    for component in &object.component().components {
        stays.push(component.line("RECURRENCE-ID").is_none() || series.matters(component, range)?);
    }
    let mut stays = stays.into_iter();
    tree.components.retain(|_| stays.next().unwrap_or(true));
    Ok(tree)
}

fn limit_free_busy(component: &mut Component, range: Range) -> Result<()> {
    let mut kept = Vec::new();
    for mut line in std::mem::take(&mut component.lines) {
        if line.is("FREEBUSY") {
            let values = crate::free_busy::periods(&line)?;
            let inside: Vec<&str> = line
                .value
                .split(',')
                .filter(|value| !value.trim().is_empty())
                .zip(values)
                .filter(|(_, period)| range.overlaps(period.start, period.end))
                .map(|(value, _)| value)
                .collect();
            if inside.is_empty() {
                continue;
            }
            line.value = inside.join(",");
        }
        kept.push(line);
    }
    component.lines = kept;
    Ok(())
}

#[cfg(test)]
mod tests;
