//! A script as its author meant it: every command with its arguments, checked.

use regex_lite::Regex;

use crate::Result;
use crate::matching::{Comparator, MatchType};
use crate::text::Text;

/// A script that is right in form, requires what it uses, and can be run.
#[derive(Debug, Clone)]
pub struct Script {
    pub(crate) body: Vec<Statement>,
}

impl Script {
    /// Reads and checks a script.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn parse(script: &str) -> Result<Script> {
        crate::compile::compile(&crate::tree::parse(script)?)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) line: u32,
    pub(crate) kind: StatementKind,
}

#[derive(Debug, Clone)]
pub(crate) enum StatementKind {
    If {
        branches: Vec<(Test, Vec<Statement>)>,
        otherwise: Vec<Statement>,
    },
    Stop,
    Return,
    Discard,
    Keep {
        flags: Option<Vec<Text>>,
    },
    FileInto(FileInto),
    Redirect {
        address: Text,
        copy: bool,
    },
    Reject {
        reason: Text,
    },
    Vacation(Box<Vacation>),
    Set {
        variable: Variable,
        modifiers: Vec<Modifier>,
        value: Text,
    },
    Flags {
        change: FlagChange,
        variable: Option<Variable>,
        flags: Vec<Text>,
    },
    AddHeader {
        name: Text,
        value: Text,
        last: bool,
    },
    DeleteHeader {
        name: Text,
        index: Option<Index>,
        matcher: Option<Matcher>,
    },
    Include {
        name: String,
        global: bool,
        once: bool,
        optional: bool,
    },
    Global(Vec<String>),
}

#[derive(Debug, Clone)]
pub(crate) struct FileInto {
    pub(crate) folder: Text,
    pub(crate) flags: Option<Vec<Text>>,
    pub(crate) special_use: Option<Text>,
    pub(crate) copy: bool,
    pub(crate) create: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Vacation {
    pub(crate) seconds: u64,
    pub(crate) subject: Option<Text>,
    pub(crate) from: Option<Text>,
    pub(crate) addresses: Vec<Text>,
    pub(crate) mime: bool,
    pub(crate) handle: Option<Text>,
    pub(crate) reason: Text,
}

/// In lower case; `global.x` is of that namespace.
pub(crate) type Variable = String;

/// RFC 5229 section 4.1, in the order of their precedence: what comes first is done first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Modifier {
    Lower,
    Upper,
    LowerFirst,
    UpperFirst,
    QuoteWildcard,
    QuoteRegex,
    Length,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlagChange {
    Set,
    Add,
    Remove,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Index {
    /// 1 is the first.
    pub(crate) number: u64,
    pub(crate) from_last: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Matcher {
    pub(crate) comparator: Comparator,
    pub(crate) kind: MatchType,
    pub(crate) keys: Vec<Key>,
}

#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) text: Text,
    /// Of a `:regex` key without variables.
    pub(crate) regex: Option<Regex>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressPart {
    All,
    LocalPart,
    Domain,
    User,
    Detail,
}

#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) line: u32,
    pub(crate) kind: TestKind,
}

#[derive(Debug, Clone)]
pub(crate) enum TestKind {
    True,
    False,
    Not(Box<Test>),
    AllOf(Vec<Test>),
    AnyOf(Vec<Test>),
    Exists(Vec<Text>),
    Size {
        over: bool,
        octets: u64,
    },
    Header {
        names: Vec<Text>,
        index: Option<Index>,
        matcher: Matcher,
    },
    Address {
        names: Vec<Text>,
        index: Option<Index>,
        part: AddressPart,
        matcher: Matcher,
    },
    Envelope {
        fields: Vec<Text>,
        part: AddressPart,
        matcher: Matcher,
    },
    Body {
        transform: BodyTransform,
        matcher: Matcher,
    },
    String {
        sources: Vec<Text>,
        matcher: Matcher,
    },
    HasFlag {
        variables: Vec<Variable>,
        matcher: Matcher,
    },
    Date {
        /// None: the current date.
        header: Option<(Text, Option<Index>)>,
        zone: Zone,
        part: DatePart,
        matcher: Matcher,
    },
    MailboxExists(Vec<Text>),
    SpecialUseExists {
        folder: Option<Text>,
        uses: Vec<Text>,
    },
    Duplicate(Box<Duplicate>),
    Environment {
        item: Text,
        matcher: Matcher,
    },
}

#[derive(Debug, Clone)]
pub(crate) enum BodyTransform {
    Raw,
    Content(Vec<Text>),
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    Original,
    /// The server's, which is UTC.
    Local,
    /// Seconds east of UTC.
    Offset(i32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DatePart {
    Year,
    Month,
    Day,
    Date,
    Julian,
    Hour,
    Minute,
    Second,
    Time,
    Iso8601,
    Std11,
    Zone,
    Weekday,
}

#[derive(Debug, Clone)]
pub(crate) struct Duplicate {
    pub(crate) handle: Option<Text>,
    pub(crate) id: DuplicateId,
    pub(crate) seconds: u64,
    pub(crate) last: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum DuplicateId {
    Header(Text),
    Unique(Text),
}
