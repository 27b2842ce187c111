//! Deleting an object. It stays recoverable, as what any other protocol deletes.

use futures_util::FutureExt;

use super::{Object, ObjectCondition, ObjectOutcome, ObjectPlace, row::named};
use crate::{
    Error, Mailbox, Result, Rights, TombstoneKind,
    item::lifecycle::DELETE,
    mailbox::{Actor, commit::Work, now},
};

impl Mailbox {
    /// Deletes an object softly. The answer is never `Created`; `Replaced` tells what is gone.
    ///
    /// # Errors
    /// `NotFound` when there is none of the name, `Denied` without the right to delete it.
    pub async fn delete_object(
        &self,
        place: ObjectPlace,
        condition: ObjectCondition,
    ) -> Result<ObjectOutcome> {
        let actor = self.actor.clone();
        let write = self.core.write_unfolded(move |work| {
            async move {
                work.state.demand(
                    &actor,
                    place.folder,
                    Rights::READ_ANY | Rights::DELETE_ANY | Rights::DELETE_OWNED,
                )?;
                let there = named(work.conn()?, place.folder, &place.name).await?;
                if !condition.holds(there.as_ref()) {
                    return Ok(ObjectOutcome::Refused(there));
                }
                let there =
                    there.ok_or_else(|| Error::NotFound(format!("the object {:?}", place.name)))?;
                bury(work, &actor, &place, &there).await?;
                Ok(ObjectOutcome::Replaced(there))
            }
            .boxed()
        });
        write.await
    }
}

/// Deletes an object that is there; its name and UID are free then.
pub(super) async fn bury(
    work: &mut Work,
    actor: &Actor,
    place: &ObjectPlace,
    there: &Object,
) -> Result<()> {
    let stored = work.items_to_change(actor, DELETE, &[there.item]).await?;
    let number = work.next_number()?;
    work.bury(place.folder, &[(there.item, number)], TombstoneKind::Soft)
        .await?;
    let before = stored.first().map(|stored| &stored.columns.index);
    work.account((place.folder, false), before, None, number)?;
    let mark = sqlx::query("UPDATE items SET deleted_at = ?1, cn = ?2, modseq = ?2 WHERE id = ?3")
        .bind(now())
        .bind(number.cast_signed())
        .bind(there.item.0.cast_signed());
    mark.execute(work.conn()?).await?;
    Ok(())
}
