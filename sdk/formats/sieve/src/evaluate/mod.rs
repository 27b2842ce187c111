//! Runs a script over a message.
//!
//! One machine holds all that a run changes: the header, the flags, the variables of each script that is being run, and the
//! actions so far. It counts what it does; past a limit the run ends in an error, and its actions are thrown away.

mod act;
mod address;
mod moment;
mod respond;
mod test;
mod variables;

use waxwing_formats_mime::Structure;

pub(crate) use address::is_address;
pub(crate) use moment::Moment;

use crate::action::{Action, Store};
use crate::header::Header;
use crate::limits::{MAX_ACTIONS, MAX_INCLUDE_DEPTH, MAX_INCLUDES, MAX_INSTRUCTIONS, MAX_WORK};
use crate::script::{Script, Statement, StatementKind};
use crate::{Error, Result};
use variables::Variables;

/// A message that has arrived for somebody.
#[derive(Debug, Clone, Default)]
pub struct Arrival<'a> {
    /// Its header block; what is behind the empty line is not looked at.
    pub header: &'a [u8],
    /// Octets of the whole message.
    pub size: u64,
    /// The envelope's sender; empty for the null sender.
    pub sender: &'a str,
    /// The envelope's recipient.
    pub recipient: &'a str,
    /// The addresses of the script's owner, the primary one first.
    pub addresses: &'a [String],
    /// What parts user and detail of an address.
    pub delimiter: Option<char>,
    /// Seconds since 1970.
    pub now: i64,
    /// RFC 5183: names in lower case, and values.
    pub environment: &'a [(String, String)],
}

/// What a script may ask while it runs.
pub trait Surroundings {
    /// Whether mail can be filed into a folder of that name.
    fn has_folder(&mut self, name: &str) -> bool;
    /// Whether a folder has a special use (`\Junk`): the folder of that name, or any.
    fn has_special_use(&mut self, special_use: &str, folder: Option<&str>) -> bool;
    /// Another script: the owner's, or one that is everybody's.
    fn script(&mut self, name: &str, global: bool) -> Option<String>;
    /// Whether a key was remembered and its time is not over; see [`Action::Remember`].
    fn seen(&mut self, key: &str) -> bool;
    /// The whole message, or its first [`crate::limits::MAX_MESSAGE`] octets. Asked for once, and only by a `body` test.
    fn message(&mut self) -> Vec<u8>;
}

impl Script {
    /// Runs the script. The answer is all that is to be done; nothing in it means that the message is thrown away.
    ///
    /// # Errors
    /// What went wrong, with its line: the message is to be kept.
    pub fn run(
        &self,
        arrival: &Arrival<'_>,
        surroundings: &mut dyn Surroundings,
    ) -> Result<Vec<Action>> {
        let mut machine = Machine {
            arrival,
            surroundings,
            header: Header::new(arrival.header),
            body: None,
            flags: Vec::new(),
            variables: Variables::default(),
            actions: Vec::new(),
            remember: Vec::new(),
            implicit_keep: true,
            including: Vec::new(),
            included: Vec::new(),
            instructions: 0,
            work: 0,
            fields_added: 0,
        };
        machine.block(&self.body)?;
        Ok(machine.end())
    }
}

/// What follows a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    /// Out of this script.
    Return,
    /// Out of all.
    Stop,
}

/// The message, once a test has asked for its body.
struct Loaded {
    octets: Vec<u8>,
    structure: Structure,
}

struct Machine<'a> {
    arrival: &'a Arrival<'a>,
    surroundings: &'a mut dyn Surroundings,
    header: Header,
    body: Option<Loaded>,
    /// RFC 5232: the internal variable.
    flags: Vec<String>,
    variables: Variables,
    actions: Vec<Action>,
    remember: Vec<Action>,
    implicit_keep: bool,
    /// The scripts that are being run.
    including: Vec<(String, bool)>,
    included: Vec<(String, bool)>,
    instructions: u32,
    work: u64,
    fields_added: usize,
}

impl Machine<'_> {
    fn end(mut self) -> Vec<Action> {
        if self.implicit_keep {
            let keep = Store {
                flags: self.flags.clone(),
                header: self.header.edited(),
                ..Store::default()
            };
            self.store(keep);
        }
        self.actions.append(&mut self.remember);
        self.actions
    }

    fn count_instruction(&mut self, line: u32) -> Result<()> {
        self.instructions += 1;
        if self.instructions > MAX_INSTRUCTIONS {
            return Err(Error::limit(
                line,
                "commands and tests of a run",
                MAX_INSTRUCTIONS,
            ));
        }
        Ok(())
    }

    fn count_work(&mut self, line: u32, octets: u64) -> Result<()> {
        self.work = self.work.saturating_add(octets);
        if self.work > MAX_WORK {
            return Err(Error::limit(line, "octets compared in a run", MAX_WORK));
        }
        Ok(())
    }

    fn block(&mut self, statements: &[Statement]) -> Result<Flow> {
        for statement in statements {
            self.count_instruction(statement.line)?;
            let flow = self.statement(statement)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &Statement) -> Result<Flow> {
        let line = statement.line;
        match &statement.kind {
            StatementKind::If {
                branches,
                otherwise,
            } => {
                for (test, block) in branches {
                    if self.test(test)? {
                        return self.block(block);
                    }
                }
                return self.block(otherwise);
            }
            StatementKind::Stop => return Ok(Flow::Stop),
            StatementKind::Return => return Ok(Flow::Return),
            StatementKind::Include {
                name,
                global,
                once,
                optional,
            } => return self.include(line, (name, *global), *once, *optional),
            StatementKind::Global(names) => {
                for name in names {
                    self.variables.make_global(name);
                }
            }
            StatementKind::Discard => self.implicit_keep = false,
            other => self.act(line, other)?,
        }
        Ok(Flow::Next)
    }

    fn include(
        &mut self,
        line: u32,
        (name, global): (&str, bool),
        once: bool,
        optional: bool,
    ) -> Result<Flow> {
        let named = (name.to_owned(), global);
        if once && self.included.contains(&named) {
            return Ok(Flow::Next);
        }
        if self.including.contains(&named) {
            let what = format!("the script \"{name}\" includes itself");
            return Err(Error::at(line, what));
        }
        if self.including.len() >= MAX_INCLUDE_DEPTH {
            return Err(Error::limit(
                line,
                "scripts included in one another",
                MAX_INCLUDE_DEPTH,
            ));
        }
        if self.included.len() >= MAX_INCLUDES {
            return Err(Error::limit(
                line,
                "scripts included in a run",
                MAX_INCLUDES,
            ));
        }
        let Some(text) = self.surroundings.script(name, global) else {
            if optional {
                return Ok(Flow::Next);
            }
            return Err(Error::at(
                line,
                format!("there is no script \"{name}\" to include"),
            ));
        };
        let within = |error: Error| Error::at(line, format!("in \"{name}\", {error}"));
        let script = Script::parse(&text).map_err(within)?;
        self.included.push(named.clone());
        self.including.push(named);
        self.variables.enter();
        let flow = self.block(&script.body).map_err(within)?;
        self.variables.leave();
        self.including.pop();
        Ok(match flow {
            Flow::Stop => Flow::Stop,
            Flow::Next | Flow::Return => Flow::Next,
        })
    }

    fn take_action(&mut self, line: u32, action: Action) -> Result<()> {
        if self.actions.len() >= MAX_ACTIONS {
            return Err(Error::limit(line, "actions of a run", MAX_ACTIONS));
        }
        let rejects = |action: &Action| matches!(action, Action::Reject { .. });
        // RFC 5429 section 2.3: what was refused has not been delivered.
        if !self.actions.is_empty() && (rejects(&action) || self.actions.iter().any(rejects)) {
            let what = "reject excludes every other action but discard";
            return Err(Error::at(line, what));
        }
        self.actions.push(action);
        Ok(())
    }

    /// RFC 5228 section 2.10.3: a message is stored once in a folder, whatever the script says; the flags are those of all.
    fn store(&mut self, store: Store) {
        let inbox = |folder: &Option<String>| {
            folder
                .as_deref()
                .is_none_or(|name| name.eq_ignore_ascii_case("inbox"))
        };
        for action in &mut self.actions {
            let Action::Store(known) = action else {
                continue;
            };
            let same =
                known.folder == store.folder || (inbox(&known.folder) && inbox(&store.folder));
            if same && known.special_use == store.special_use {
                known.create |= store.create;
                for flag in store.flags {
                    act::add_flag(&mut known.flags, &flag);
                }
                return;
            }
        }
        self.actions.push(Action::Store(store));
    }
}
