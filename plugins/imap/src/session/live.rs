//! Handles on host objects, found again from the state when they are missing.

use std::rc::Rc;

use waxwing_sdk::accounts;
use waxwing_sdk::bodies::{self, Body};
use waxwing_sdk::store::{Mailbox, Selection, Span, TableRow, View, folders, views};

use super::accounts::Account;
use super::{Imap, Pending, Refusal};
use crate::names::{Place, Tree};
use crate::parse::{FlagBits, SequenceSet};
use crate::render::{decimal, flags};
use crate::rights::Permanent;

/// None of this is frozen.
#[derive(Default)]
pub(super) struct Live {
    /// Of the account.
    pub(super) mailbox: Option<Rc<Mailbox>>,
    /// Of the account: itself with its INBOX, and its identifier.
    pub(super) inbox: Option<Rc<Account>>,
    guid: Option<Rc<str>>,
    /// Of the selected folder, where it is another's.
    pub(super) away: Option<Rc<Mailbox>>,
    pub(super) view: Option<View>,
    /// Keywords of the mailbox by index; may end early.
    pub(super) keywords: Vec<String>,
    /// What has arrived of an APPEND: one for each token of `Putting.messages`.
    pub(super) bodies: Vec<Body>,
}

/// Messages that a command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Targets {
    pub(crate) spans: Vec<(u32, u32)>,
    pub(crate) by_uid: bool,
}

impl Targets {
    /// As UIDs; of a selection by UID.
    pub(crate) fn uid_spans(&self) -> Vec<Span> {
        let span = |&(first, last): &(u32, u32)| Span { first, last };
        self.spans.iter().map(span).collect()
    }

    pub(crate) fn selection(&self) -> Selection {
        let spans = self
            .spans
            .iter()
            .map(|&(first, last)| Span { first, last })
            .collect();
        if self.by_uid {
            Selection::Uids(spans)
        } else {
            Selection::Positions(spans)
        }
    }
}

impl Imap {
    /// The mailbox of the account.
    pub(crate) fn mailbox(&mut self) -> Result<&Mailbox, Refusal> {
        if self.live.mailbox.is_none() {
            let number = self
                .state
                .mailbox
                .ok_or_else(|| Refusal::no("[SERVERBUG] No mailbox is open"))?;
            self.live.mailbox = Some(Rc::new(accounts::reopen_mailbox(number)?));
        }
        self.live
            .mailbox
            .as_deref()
            .ok_or_else(|| Refusal::no("[SERVERBUG] No mailbox is open"))
    }

    /// The same, to keep.
    pub(crate) fn own_mailbox(&mut self) -> Result<Rc<Mailbox>, Refusal> {
        self.mailbox()?;
        self.live
            .mailbox
            .clone()
            .ok_or_else(|| Refusal::no("[SERVERBUG] No mailbox is open"))
    }

    /// The mailbox that the selected folder is in: the account's, or another's.
    pub(crate) fn selected_mailbox(&mut self) -> Result<Rc<Mailbox>, Refusal> {
        let Some(number) = self.state.attention.account else {
            return self.own_mailbox();
        };
        if let Some(away) = &self.live.away {
            return Ok(away.clone());
        }
        let away = Rc::new(accounts::reopen_mailbox(number)?);
        self.live.away = Some(away.clone());
        Ok(away)
    }

    pub(crate) fn set_mailbox(&mut self, mailbox: Mailbox) {
        self.state.mailbox = Some(mailbox.number());
        self.live.mailbox = Some(Rc::new(mailbox));
        self.live.inbox = None;
        self.live.guid = None;
    }

    /// The identifier of the mailbox that the selected folder is in.
    pub(crate) fn selected_guid(&mut self) -> Result<Rc<str>, Refusal> {
        if self.state.attention.account.is_some() {
            return Ok(self.selected_mailbox()?.guid().into());
        }
        let own = self.own_mailbox()?;
        let known = self.live.guid.get_or_insert_with(|| own.guid().into());
        Ok(known.clone())
    }

    /// Switches CONDSTORE on; the first time, a client with a selected mailbox is told where its modseqs stand (RFC 7162 section
    /// 3.1.2).
    pub(crate) fn enable_condstore(&mut self, out: &mut super::Output) -> Result<(), Refusal> {
        if std::mem::replace(&mut self.state.enabled.condstore, true)
            || self.state.selected.is_none()
        {
            return Ok(());
        }
        let modseq = self.view()?.info().highest_modseq.max(1);
        out.line(&format!(
            "* OK [HIGHESTMODSEQ {modseq}] Highest mod-sequence"
        ));
        Ok(())
    }

    /// The view of the selected mailbox.
    pub(crate) fn view(&mut self) -> Result<&View, Refusal> {
        if self.live.view.is_none() {
            let none = || Refusal::Bad("No mailbox is selected".to_owned());
            let id = self.state.selected.as_ref().ok_or_else(none)?.view;
            let mailbox = self.selected_mailbox()?;
            self.live.view = Some(views::resume(&mailbox, id)?);
        }
        self.live
            .view
            .as_ref()
            .ok_or_else(|| Refusal::no("[SERVERBUG] No view is open"))
    }

    pub(crate) fn set_view(&mut self, view: View) {
        self.live.view = Some(view);
    }

    /// All folders for mail of the own account, by name.
    pub(crate) fn tree(&mut self) -> Result<Tree, Refusal> {
        let own = Place::own(self.state.mailbox.unwrap_or_default());
        Ok(Tree::new(own, folders::all(self.mailbox()?)?))
    }

    /// What a sequence set names in the selected mailbox.
    pub(crate) fn targets(&self, set: &SequenceSet, uid: bool) -> Result<Targets, Refusal> {
        let none = || Refusal::Bad("No mailbox is selected".to_owned());
        let selected = self.state.selected.as_ref().ok_or_else(none)?;
        match set {
            SequenceSet::Saved => Ok(Targets {
                spans: selected.saved.clone(),
                by_uid: true,
            }),
            SequenceSet::Ranges(ranges) if uid => {
                let ordered = |&(one, other): &(u32, u32)| (one.min(other), one.max(other));
                Ok(Targets {
                    spans: ranges.iter().map(ordered).collect(),
                    by_uid: true,
                })
            }
            SequenceSet::Ranges(ranges) => SequenceSet::positions(ranges, selected.exists)
                .map(|spans| Targets {
                    spans,
                    by_uid: false,
                })
                .ok_or_else(|| {
                    Refusal::Bad(format!("There are only {} messages", selected.exists))
                }),
        }
    }

    /// Keywords again from the store.
    pub(crate) fn load_keywords(&mut self) -> Result<usize, Refusal> {
        let keywords = self.selected_mailbox()?.keywords()?;
        self.live.keywords = keywords;
        Ok(self.live.keywords.len())
    }

    pub(crate) fn keywords(&self) -> &[String] {
        &self.live.keywords
    }

    /// Makes sure that the keywords of these numbers have names, and that the client has seen them in FLAGS.
    pub(crate) fn announce_keywords(
        &mut self,
        numbers: impl IntoIterator<Item = u16>,
        out: &mut super::Output,
    ) -> Result<(), Refusal> {
        let Some(largest) = numbers.into_iter().max() else {
            return Ok(());
        };
        if self.live.keywords.len() <= usize::from(largest) {
            self.load_keywords()?;
        }
        let shown = self
            .state
            .selected
            .as_ref()
            .map_or(u32::MAX, |selected| selected.keywords);
        if shown <= u32::from(largest) {
            let rights = self.view().map(|view| view.info().rights);
            self.show_flags(rights.unwrap_or_default(), out);
        }
        Ok(())
    }

    /// `FLAGS` and `PERMANENTFLAGS` of the selected mailbox; of these, what there is a right for (RFC 4314 section 4).
    pub(crate) fn show_flags(&mut self, rights: u32, out: &mut super::Output) {
        let permanent = Permanent::of(rights);
        let Some(selected) = self.state.selected.as_mut() else {
            return;
        };
        selected.keywords = u32::try_from(self.live.keywords.len()).unwrap_or(u32::MAX);
        let read_only = selected.read_only;
        let text = out.text();
        text.extend_from_slice(b"* FLAGS ");
        flags::of_mailbox(text, &self.live.keywords);
        text.extend_from_slice(b"\r\n* OK [PERMANENTFLAGS ");
        match read_only {
            true => text.extend_from_slice(b"()] No flag can be changed\r\n"),
            false => {
                flags::permanent(text, &self.live.keywords, permanent);
                text.extend_from_slice(b"] Flags that can be set\r\n");
            }
        }
    }

    /// Bodies of an APPEND, by their tokens.
    pub(super) fn resume_bodies(&mut self) -> Result<(), String> {
        if let Pending::Put(putting) = &self.state.pending {
            let tokens = putting.messages.iter().flat_map(|put| &put.tokens);
            let resumed = tokens.map(|&token| bodies::resume(token));
            self.live.bodies = resumed
                .collect::<Result<_, _>>()
                .map_err(|fault| fault.detail)?;
        }
        Ok(())
    }

    pub(crate) fn keep_body(&mut self, body: Body) {
        self.live.bodies.push(body);
    }

    pub(crate) fn take_bodies(&mut self) -> Vec<Body> {
        std::mem::take(&mut self.live.bodies)
    }

    /// The last so many of them.
    pub(crate) fn take_last_bodies(&mut self, count: usize) -> Vec<Body> {
        let first = self.live.bodies.len().saturating_sub(count);
        self.live.bodies.split_off(first)
    }

    pub(crate) fn kept_bodies(&self) -> usize {
        self.live.bodies.len()
    }

    pub(super) fn check_handles(&mut self) -> Result<(), String> {
        let reason = |refusal: Refusal| match refusal {
            Refusal::No(text) | Refusal::Bad(text) => text,
        };
        if self.state.mailbox.is_some() {
            self.mailbox().map_err(reason)?;
        }
        if self.state.selected.is_some() {
            self.view().map_err(reason)?;
        }
        Ok(())
    }
}

/// What is to stand in an untagged FETCH beside or instead of the flags.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowStyle {
    /// By its UID instead of its number (RFC 9586).
    pub(crate) uid_only: bool,
    pub(crate) uid: bool,
    pub(crate) flags: bool,
    pub(crate) modseq: bool,
}

fn flag_bits(row: TableRow<'_>) -> FlagBits {
    FlagBits(u32::from(row.flags.bits()))
}

/// `* 5 FETCH (UID 7 FLAGS (…) MODSEQ (9))`
pub(crate) fn fetch_row(
    out: &mut Vec<u8>,
    row: TableRow<'_>,
    keywords: &[String],
    style: RowStyle,
) {
    row_start(out, row, style.uid_only);
    let start = out.len();
    if style.uid && !style.uid_only {
        out.extend_from_slice(b"UID ");
        decimal(out, u64::from(row.uid));
    }
    if style.flags {
        separate(out, start);
        out.extend_from_slice(b"FLAGS ");
        row_flags(out, row, keywords);
    }
    if style.modseq {
        separate(out, start);
        out.extend_from_slice(b"MODSEQ (");
        decimal(out, row.modseq);
        out.push(b')');
    }
    out.extend_from_slice(b")\r\n");
}

/// `* 5 FETCH (`, or `* 7 UIDFETCH (` of RFC 9586 section 3.3
pub(crate) fn row_start(out: &mut Vec<u8>, row: TableRow<'_>, uid_only: bool) {
    let (number, word) = match uid_only {
        true => (row.uid, &b" UIDFETCH ("[..]),
        false => (row.position, &b" FETCH ("[..]),
    };
    out.extend_from_slice(b"* ");
    decimal(out, u64::from(number));
    out.extend_from_slice(word);
}

fn separate(out: &mut Vec<u8>, start: usize) {
    if out.len() > start {
        out.push(b' ');
    }
}

pub(crate) fn row_flags(out: &mut Vec<u8>, row: TableRow<'_>, keywords: &[String]) {
    let names = row
        .keywords
        .iter()
        .filter_map(|&index| keywords.get(usize::from(index)));
    flags::of_message(out, flag_bits(row), names.map(String::as_str));
}
