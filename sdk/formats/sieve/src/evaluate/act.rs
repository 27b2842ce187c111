//! What each command does.

use super::variables::modified;
use super::{Machine, address};
use crate::action::{Action, Store};
use crate::limits::{MAX_ADDED_FIELDS, MAX_FLAGS, MAX_REDIRECTS, MAX_VARIABLES};
use crate::script::{FileInto, FlagChange, Index, Matcher, StatementKind};
use crate::text::Text;
use crate::{Error, Result};

/// RFC 5293 section 6: what shows loops stays.
const PROTECTED: [&str; 2] = ["Received", "Auto-Submitted"];

impl Machine<'_> {
    pub(super) fn act(&mut self, line: u32, statement: &StatementKind) -> Result<()> {
        match statement {
            StatementKind::Keep { flags } => {
                self.implicit_keep = false;
                let store = Store {
                    flags: self.flags_of(flags.as_deref()),
                    header: self.header.edited(),
                    ..Store::default()
                };
                self.file(line, store)
            }
            StatementKind::FileInto(command) => self.file_into(line, command),
            StatementKind::Redirect { address, copy } => self.redirect(line, address, *copy),
            StatementKind::Reject { reason } => {
                self.implicit_keep = false;
                let reason = self.text(reason);
                let notice = self.rejection(&reason);
                self.take_action(line, Action::Reject { reason, notice })
            }
            StatementKind::Vacation(vacation) => self.vacation(line, vacation),
            StatementKind::Set {
                variable,
                modifiers,
                value,
            } => {
                let value = modified(self.text(value), modifiers);
                self.set(line, variable, value)
            }
            StatementKind::Flags {
                change,
                variable,
                flags,
            } => self.change_flags(line, *change, variable.as_deref(), flags),
            StatementKind::AddHeader { name, value, last } => {
                self.add_header(line, (name, value), *last)
            }
            StatementKind::DeleteHeader {
                name,
                index,
                matcher,
            } => self.delete_header(line, name, *index, matcher.as_ref()),
            _ => Ok(()),
        }
    }

    fn file(&mut self, line: u32, store: Store) -> Result<()> {
        // Counted and checked as any action; a second one into the same folder is none.
        self.take_action(line, Action::Store(store))?;
        if let Some(Action::Store(store)) = self.actions.pop() {
            self.store(store);
        }
        Ok(())
    }

    fn file_into(&mut self, line: u32, command: &FileInto) -> Result<()> {
        let folder = self.text(&command.folder);
        if folder.is_empty() || folder.contains(char::is_control) {
            return Err(Error::at(
                line,
                "the name of a folder is empty or has control characters",
            ));
        }
        self.implicit_keep &= command.copy;
        let store = Store {
            folder: Some(folder),
            special_use: command
                .special_use
                .as_ref()
                .map(|special| self.text(special)),
            create: command.create,
            flags: self.flags_of(command.flags.as_deref()),
            header: self.header.edited(),
        };
        self.file(line, store)
    }

    fn redirect(&mut self, line: u32, address: &Text, copy: bool) -> Result<()> {
        let address = self.text(address).trim().to_owned();
        if !address::is_address(&address) {
            let what = format!("\"{}\" is no address", crate::lexer::shown(&address));
            return Err(Error::at(line, what));
        }
        self.implicit_keep &= copy;
        let is_redirect = |action: &&Action| matches!(action, Action::Redirect { .. });
        let again = |action: &Action| matches!(action, Action::Redirect { address: known, .. } if known.eq_ignore_ascii_case(&address));
        if self.actions.iter().any(again) {
            return Ok(());
        }
        if self.actions.iter().filter(is_redirect).count() >= MAX_REDIRECTS {
            return Err(Error::limit(line, "redirects of a run", MAX_REDIRECTS));
        }
        let header = self.header.edited();
        self.take_action(line, Action::Redirect { address, header })
    }

    fn set(&mut self, line: u32, variable: &str, value: String) -> Result<()> {
        if self.variables.set(variable, value) {
            return Ok(());
        }
        Err(Error::limit(line, "variables", MAX_VARIABLES))
    }

    /// The flags of an action: its own, or those of the internal variable.
    fn flags_of(&self, own: Option<&[Text]>) -> Vec<String> {
        let Some(own) = own else {
            return self.flags.clone();
        };
        let mut flags = Vec::new();
        for text in self.texts(own) {
            add_flags(&mut flags, &text);
        }
        flags
    }

    fn change_flags(
        &mut self,
        line: u32,
        change: FlagChange,
        variable: Option<&str>,
        texts: &[Text],
    ) -> Result<()> {
        let given = self.flags_of(Some(texts));
        let mut flags = Vec::new();
        match (change, variable) {
            (FlagChange::Set, _) => {}
            (_, Some(name)) => add_flags(&mut flags, self.variables.get(name)),
            (_, None) => flags = self.flags.clone(),
        }
        if change == FlagChange::Remove {
            flags.retain(|flag| !given.iter().any(|gone| gone.eq_ignore_ascii_case(flag)));
        } else {
            for flag in given {
                add_flag(&mut flags, &flag);
            }
        }
        match variable {
            Some(name) => self.set(line, name, flags.join(" ")),
            None => {
                self.flags = flags;
                Ok(())
            }
        }
    }

    fn add_header(&mut self, line: u32, (name, value): (&Text, &Text), last: bool) -> Result<()> {
        let name = self.field_name(line, name)?;
        self.fields_added += 1;
        if self.fields_added > MAX_ADDED_FIELDS {
            return Err(Error::limit(
                line,
                "header fields added in a run",
                MAX_ADDED_FIELDS,
            ));
        }
        let value = self.text(value);
        self.header.add(&name, &value, last);
        Ok(())
    }

    fn field_name(&self, line: u32, name: &Text) -> Result<String> {
        let name = self.text(name);
        let legal = |octet: u8| octet.is_ascii_graphic() && octet != b':';
        if name.is_empty() || name.len() > 200 || !name.bytes().all(legal) {
            let what = format!(
                "\"{}\" is not the name of a header field",
                crate::lexer::shown(&name)
            );
            return Err(Error::at(line, what));
        }
        Ok(name)
    }

    fn delete_header(
        &mut self,
        line: u32,
        name: &Text,
        index: Option<Index>,
        matcher: Option<&Matcher>,
    ) -> Result<()> {
        let name = self.field_name(line, name)?;
        if PROTECTED
            .iter()
            .any(|kept| kept.eq_ignore_ascii_case(&name))
        {
            return Ok(());
        }
        let values: Vec<String> = self.header.values(&name).collect();
        let mut gone = vec![false; values.len()];
        for (place, value) in values.iter().enumerate() {
            let chosen = index.is_none_or(|index| {
                let number = if index.from_last {
                    values.len() - place
                } else {
                    place + 1
                };
                u64::try_from(number).is_ok_and(|number| number == index.number)
            });
            let matches = match matcher.filter(|_| chosen) {
                None => chosen,
                Some(matcher) => self.any_quietly(line, matcher, value)?,
            };
            if let Some(slot) = gone.get_mut(place) {
                *slot = matches;
            }
        }
        self.header
            .remove(&name, |place| gone.get(place) == Some(&true));
        Ok(())
    }
}

/// Adds what is not there yet; flags ignore case.
pub(super) fn add_flag(flags: &mut Vec<String>, flag: &str) {
    let legal = |octet: u8| octet.is_ascii_graphic() && !b"(){%*\"\\]".contains(&octet);
    let name = flag.strip_prefix('\\').unwrap_or(flag);
    let known = flags.iter().any(|known| known.eq_ignore_ascii_case(flag));
    if !known && flags.len() < MAX_FLAGS && !name.is_empty() && name.bytes().all(legal) {
        flags.push(flag.to_owned());
    }
}

/// Adds the flags of a list with spaces between them.
pub(super) fn add_flags(flags: &mut Vec<String>, list: &str) {
    for flag in list.split_whitespace() {
        add_flag(flags, flag);
    }
}
