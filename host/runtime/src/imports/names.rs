//! `waxwing:store/names`: named properties.

use wasmtime::component::Resource;
use waxwing_exmdb::{NamedProperty, PropertyName};

use super::{Failure, Result, values};
use crate::{bindings::waxwing::store::names as wit, host_side::OpenMailbox, state::State};

/// One call names no more; a mailbox has 32,766 ids in all (MS-OXCPRPT 3.1.5.2).
const NAMES: usize = 4_096;

fn named(given: wit::Named) -> Result<NamedProperty> {
    Ok(NamedProperty {
        set: values::guid(given.guid)?,
        name: match given.name {
            wit::PropertyName::Lid(lid) => PropertyName::Lid(lid),
            wit::PropertyName::Text(name) => PropertyName::Text(name),
        },
    })
}

fn wit_named(property: NamedProperty) -> wit::Named {
    wit::Named {
        guid: property.set.to_vec(),
        name: match property.name {
            PropertyName::Lid(lid) => wit::PropertyName::Lid(lid),
            PropertyName::Text(name) => wit::PropertyName::Text(name),
        },
    }
}

fn checked(count: usize) -> Result<()> {
    if count > NAMES {
        return Err(Failure::limit(format!("at most {NAMES} names in one call")));
    }
    Ok(())
}

impl wit::Host for State {
    async fn to_ids(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        names: Vec<wit::Named>,
        create: bool,
    ) -> Result<Vec<u16>> {
        checked(names.len())?;
        let (mailbox, names) = (
            self.get(&mailbox)?.mailbox,
            names.into_iter().map(named).collect::<Result<Vec<_>>>()?,
        );
        self.call("names.to-ids", async move {
            Ok(mailbox.names_to_ids(&names, create).await?)
        })
        .await
    }

    async fn from_ids(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        ids: Vec<u16>,
    ) -> Result<Vec<Option<wit::Named>>> {
        checked(ids.len())?;
        let mailbox = self.get(&mailbox)?.mailbox;
        self.call("names.from-ids", async move {
            Ok(mailbox
                .names_from_ids(&ids)
                .await?
                .into_iter()
                .map(|name| name.map(wit_named))
                .collect())
        })
        .await
    }
}
