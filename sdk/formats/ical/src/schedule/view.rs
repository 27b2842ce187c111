//! A meeting as one attendee knows it: the components he is in, and exceptions where he is left out of an instance.

use super::address::attendee;
use crate::contentline::Component;
use crate::series::Series;
use crate::{Moment, Object, Result, Zone};
use std::collections::BTreeMap;

pub(super) struct View {
    pub(super) master: Option<Component>,
    /// By the identity of the instance.
    pub(super) overrides: BTreeMap<String, Component>,
}

impl View {
    /// `None` when the attendee is in no component.
    pub(super) fn of(object: &Object, address: &str) -> Result<Option<View>> {
        let series = Series::of(object, &Zone::UTC)?;
        let mut view = View {
            master: None,
            overrides: BTreeMap::new(),
        };
        let mut left_out = Vec::new();
        for component in object.components() {
            let invited = attendee(component, address).is_some();
            match component
                .line("RECURRENCE-ID")
                .map(Moment::of_line)
                .transpose()?
            {
                None if invited => view.master = Some(component.clone()),
                None => {}
                Some(id) if invited => {
                    view.overrides
                        .insert(series.identity(&id), component.clone());
                }
                Some(id) => left_out.push(series.id_as_master(&id).to_line("EXDATE")),
            }
        }
        if let Some(master) = &mut view.master {
            master.lines.extend(left_out);
        }
        Ok((view.master.is_some() || !view.overrides.is_empty()).then_some(view))
    }

    pub(super) fn into_components(self) -> Vec<Component> {
        self.master
            .into_iter()
            .chain(self.overrides.into_values())
            .collect()
    }
}
