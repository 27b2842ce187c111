//! What happened in the selected mailbox since the client was told (RFC 9051 section 7.4, RFC 7162).

use waxwing_sdk::store::{
    ViewChanges,
    folders::{self, Folder},
};

use super::{Imap, Output, Refusal, RowStyle, fetch_row};
use crate::commands::context;
use crate::render::spans;
use crate::rights;

/// Whether a command may be followed by updates, and by which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Updates {
    None,
    /// Not EXPUNGE: message numbers must hold (RFC 9051 section 7.5.1).
    WithoutExpunge,
    All,
}

impl Imap {
    /// Tells what is new. The modseq is that of the mailbox now.
    pub(crate) fn tell_updates(
        &mut self,
        updates: Updates,
        out: &mut Output,
    ) -> Result<Option<u64>, Refusal> {
        if updates == Updates::None || self.state.selected.is_none() {
            return Ok(None);
        }
        let changes = self.view()?.sync(updates == Updates::All)?;
        context::tell_expunged(self, &changes, out);
        self.tell_numbers(&changes, out);
        if !changes.changed.is_empty() {
            let numbers = changes.changed.iter().flat_map(|row| &row.keywords);
            self.announce_keywords(numbers.copied(), out)?;
            let enabled = self.state.enabled;
            let style = RowStyle {
                uid_only: enabled.uid_only,
                uid: enabled.quick_resync,
                flags: true,
                modseq: enabled.condstore,
            };
            for row in &changes.changed {
                fetch_row(out.text(), row.into(), self.keywords(), style);
            }
        }
        context::tell_changed(self, changes.highest_modseq, out)?;
        Ok(Some(changes.highest_modseq))
    }

    /// The selected mailbox cannot be read any more. When another session has deleted it, that is the end of this one, as RFC
    /// 2180 section 3.3 has it: no response tells a client that its selection is gone, and every client knows how to connect
    /// again. `tag` is of the command that found out.
    pub(crate) fn lose_selection(
        &mut self,
        tag: Option<&str>,
        refusal: &Refusal,
        out: &mut Output,
    ) {
        let folder = self
            .state
            .selected
            .as_ref()
            .map_or(0, |selected| selected.folder);
        let folders = self
            .selected_mailbox()
            .and_then(|mailbox| Ok(folders::all(&mailbox)?));
        let is_it = |other: &Folder| other.id == folder && rights::is_readable(other.rights);
        let deleted = folders.is_ok_and(|folders| !folders.iter().any(is_it));
        let (Refusal::No(reason) | Refusal::Bad(reason)) = refusal;
        let (answer, farewell) = if deleted {
            waxwing_sdk::info!("the selected mailbox was deleted, or may not be seen any more");
            (
                "[NONEXISTENT] The selected mailbox was deleted, or is not shared any more",
                "The selected mailbox was deleted by another session, or is not shared any more",
            )
        } else {
            waxwing_sdk::error!("the selected mailbox cannot be read", reason = reason);
            (
                reason.as_str(),
                "[UNAVAILABLE] The selected mailbox cannot be read",
            )
        };
        if let Some(tag) = tag {
            out.line(&format!("{tag} NO {answer}"));
        }
        self.say_bye(farewell, out);
    }

    fn tell_numbers(&mut self, changes: &ViewChanges, out: &mut Output) {
        let enabled = self.state.enabled;
        if (enabled.quick_resync || enabled.uid_only) && !changes.expunged_uids.is_empty() {
            out.text().extend_from_slice(b"* VANISHED ");
            spans::set(
                out.text(),
                changes
                    .expunged_uids
                    .iter()
                    .map(|span| (span.first, span.last)),
            );
            out.line("");
        } else {
            for position in &changes.expunged {
                out.line(&format!("* {position} EXPUNGE"));
            }
        }
        let Some(selected) = self.state.selected.as_mut() else {
            return;
        };
        let gone = u32::try_from(changes.expunged.len()).unwrap_or(u32::MAX);
        let known = selected.exists.saturating_sub(gone);
        selected.exists = changes.exists;
        if changes.exists != known {
            out.line(&format!("* {} EXISTS", changes.exists));
            if !enabled.rev2 {
                // RFC 3501 section 7.3.1: when new messages arrive, both are told.
                out.line(&format!("* {} RECENT", changes.recent));
            }
        }
    }
}
