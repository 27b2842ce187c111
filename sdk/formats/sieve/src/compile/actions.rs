//! What each command takes.

use super::{Arguments, Compiler};
use crate::capability::Capability as C;
use crate::lexer::shown;
use crate::matching::MatchType;
use crate::script::{FileInto, FlagChange, Modifier, StatementKind, Vacation};
use crate::text::{Text, is_identifier};
use crate::tree::Node;
use crate::{Error, Result};

/// RFC 5230 section 4.1: a week when nothing is said, a month at the most.
const DAY: u64 = 86_400;
const DEFAULT_SECONDS: u64 = 7 * DAY;
const MAX_SECONDS: u64 = 90 * DAY;

const COMMANDS: [&str; 18] = [
    "keep",
    "stop",
    "discard",
    "redirect",
    "fileinto",
    "if",
    "elsif",
    "else",
    "require",
    "reject",
    "ereject",
    "vacation",
    "setflag",
    "addflag",
    "removeflag",
    "addheader",
    "deleteheader",
    "include",
];

impl Compiler {
    pub(super) fn action(&self, node: &Node) -> Result<StatementKind> {
        let name = node.name.as_str();
        let capability = match name {
            "fileinto" => Some(C::FileInto),
            "reject" => Some(C::Reject),
            "ereject" => Some(C::EReject),
            "vacation" => Some(C::Vacation),
            "set" => Some(C::Variables),
            "setflag" | "addflag" | "removeflag" => Some(C::Imap4Flags),
            "addheader" | "deleteheader" => Some(C::EditHeader),
            "include" | "return" | "global" => Some(C::Include),
            "keep" | "stop" | "discard" | "redirect" => None,
            _ => {
                let nearest = super::test::proposal(name, &COMMANDS);
                let what = format!("there is no command `{}`{nearest}", shown(name));
                return Err(Error::at(node.line, what));
            }
        };
        if let Some(capability) = capability {
            self.needs(node.line, name, capability)?;
        }
        let mut arguments = self.plain(node)?;
        let kind = match name {
            "stop" => StatementKind::Stop,
            "return" => StatementKind::Return,
            "discard" => StatementKind::Discard,
            "keep" => StatementKind::Keep {
                flags: arguments.tagged_texts("flags", Some(C::Imap4Flags))?,
            },
            "fileinto" => file_into(&mut arguments)?,
            "redirect" => redirect(&mut arguments)?,
            "reject" | "ereject" => StatementKind::Reject {
                reason: arguments.string("the reason")?,
            },
            "vacation" => vacation(&mut arguments)?,
            "set" => set(&mut arguments)?,
            "addheader" => add_header(&mut arguments)?,
            "deleteheader" => delete_header(&mut arguments)?,
            "include" => include(&mut arguments)?,
            "global" => self.global(&mut arguments)?,
            _ => self.flags(name, &mut arguments)?,
        };
        arguments.finish()?;
        Ok(kind)
    }

    fn global(&self, arguments: &mut Arguments<'_>) -> Result<StatementKind> {
        self.needs(arguments.line, "global", C::Variables)?;
        let mut names = Vec::new();
        for name in arguments.constants("the names of variables")? {
            if !is_identifier(&name) {
                let what = format!("\"{}\" is not the name of a variable", shown(&name));
                return Err(Error::at(arguments.line, what));
            }
            names.push(name.to_ascii_lowercase());
        }
        Ok(StatementKind::Global(names))
    }

    fn flags(&self, name: &str, arguments: &mut Arguments<'_>) -> Result<StatementKind> {
        let variable = match arguments.count() {
            2 => {
                self.needs(arguments.line, "a variable of flags", C::Variables)?;
                Some(arguments.variable()?)
            }
            _ => None,
        };
        Ok(StatementKind::Flags {
            change: match name {
                "setflag" => FlagChange::Set,
                "addflag" => FlagChange::Add,
                _ => FlagChange::Remove,
            },
            variable,
            flags: arguments.strings("flags")?,
        })
    }
}

fn file_into(arguments: &mut Arguments<'_>) -> Result<StatementKind> {
    Ok(StatementKind::FileInto(FileInto {
        flags: arguments.tagged_texts("flags", Some(C::Imap4Flags))?,
        special_use: arguments.tagged_text("specialuse", Some(C::SpecialUse))?,
        copy: arguments.tag("copy", Some(C::Copy))?,
        create: arguments.tag("create", Some(C::Mailbox))?,
        folder: arguments.string("the name of a folder")?,
    }))
}

fn redirect(arguments: &mut Arguments<'_>) -> Result<StatementKind> {
    let copy = arguments.tag("copy", Some(C::Copy))?;
    let address = arguments.string("an address")?;
    constant_address(arguments.line, &address)?;
    Ok(StatementKind::Redirect { address, copy })
}

/// An error when it is certain that this is no address.
fn constant_address(line: u32, address: &Text) -> Result<()> {
    match address.constant() {
        Some(text) if !crate::evaluate::is_address(text) => Err(Error::at(
            line,
            format!("\"{}\" is no address", shown(text)),
        )),
        _ => Ok(()),
    }
}

fn vacation(arguments: &mut Arguments<'_>) -> Result<StatementKind> {
    let days = arguments.tagged_number("days", None)?;
    let seconds = arguments.tagged_number("seconds", Some(C::VacationSeconds))?;
    let seconds = match (days, seconds) {
        (Some(_), Some(_)) => {
            return Err(Error::at(
                arguments.line,
                "vacation takes only one of :days and :seconds",
            ));
        }
        (Some(days), None) => days.max(1).saturating_mul(DAY),
        (None, Some(seconds)) => seconds,
        (None, None) => DEFAULT_SECONDS,
    };
    Ok(StatementKind::Vacation(Box::new(Vacation {
        seconds: seconds.min(MAX_SECONDS),
        subject: arguments.tagged_text("subject", None)?,
        from: arguments.tagged_text("from", None)?,
        addresses: arguments
            .tagged_texts("addresses", None)?
            .unwrap_or_default(),
        mime: arguments.tag("mime", None)?,
        handle: arguments.tagged_text("handle", None)?,
        reason: arguments.string("the text")?,
    })))
}

fn set(arguments: &mut Arguments<'_>) -> Result<StatementKind> {
    let mut modifiers = Vec::new();
    for (tag, modifier, capability) in [
        ("lower", Modifier::Lower, None),
        ("upper", Modifier::Upper, None),
        ("lowerfirst", Modifier::LowerFirst, None),
        ("upperfirst", Modifier::UpperFirst, None),
        ("quotewildcard", Modifier::QuoteWildcard, None),
        ("quoteregex", Modifier::QuoteRegex, Some(C::Regex)),
        ("length", Modifier::Length, None),
    ] {
        if arguments.tag(tag, capability)? {
            modifiers.push(modifier);
        }
    }
    for pair in [
        [Modifier::Lower, Modifier::Upper],
        [Modifier::LowerFirst, Modifier::UpperFirst],
        [Modifier::QuoteWildcard, Modifier::QuoteRegex],
    ] {
        if pair.iter().all(|modifier| modifiers.contains(modifier)) {
            return Err(Error::at(
                arguments.line,
                "two modifiers of set exclude one another",
            ));
        }
    }
    Ok(StatementKind::Set {
        variable: arguments.variable()?,
        modifiers,
        value: arguments.string("a value")?,
    })
}

fn add_header(arguments: &mut Arguments<'_>) -> Result<StatementKind> {
    let last = arguments.tag("last", None)?;
    Ok(StatementKind::AddHeader {
        name: arguments.string("the name of a field")?,
        value: arguments.string("a value")?,
        last,
    })
}

fn delete_header(arguments: &mut Arguments<'_>) -> Result<StatementKind> {
    let index = arguments.index(None)?;
    let how = arguments.match_type()?;
    if matches!(how, Some((_, MatchType::Count(_)))) {
        return Err(Error::at(
            arguments.line,
            "deleteheader does not know :count",
        ));
    }
    let name = arguments.string("the name of a field")?;
    let matcher = match arguments.count() {
        0 => None,
        _ => Some(arguments.keys(how)?),
    };
    Ok(StatementKind::DeleteHeader {
        name,
        index,
        matcher,
    })
}

fn include(arguments: &mut Arguments<'_>) -> Result<StatementKind> {
    let global = arguments.tag("global", None)?;
    let personal = arguments.tag("personal", None)?;
    if global && personal {
        return Err(Error::at(
            arguments.line,
            "include takes only one of :personal and :global",
        ));
    }
    let (once, optional) = (
        arguments.tag("once", None)?,
        arguments.tag("optional", None)?,
    );
    let name = arguments.string("the name of a script")?;
    let Some(name) = name.constant() else {
        return Err(Error::at(
            arguments.line,
            "the name of an included script has no variables",
        ));
    };
    Ok(StatementKind::Include {
        name: name.to_owned(),
        global,
        once,
        optional,
    })
}
