//! The extensions that a script may `require`.

/// An extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the extension of that name")]
#[repr(u32)]
pub enum Capability {
    FileInto,
    Envelope,
    EncodedCharacter,
    Body,
    Variables,
    Vacation,
    VacationSeconds,
    Imap4Flags,
    Relational,
    Regex,
    Subaddress,
    Copy,
    Date,
    Index,
    Mailbox,
    SpecialUse,
    EditHeader,
    Duplicate,
    Reject,
    EReject,
    Include,
    Environment,
    Octet,
    Casemap,
    Numeric,
}

use Capability as C;

const NAMES: [(&str, Capability); 25] = [
    ("fileinto", C::FileInto),
    ("reject", C::Reject),
    ("ereject", C::EReject),
    ("envelope", C::Envelope),
    ("encoded-character", C::EncodedCharacter),
    ("body", C::Body),
    ("variables", C::Variables),
    ("vacation", C::Vacation),
    ("vacation-seconds", C::VacationSeconds),
    ("imap4flags", C::Imap4Flags),
    ("relational", C::Relational),
    ("regex", C::Regex),
    ("subaddress", C::Subaddress),
    ("copy", C::Copy),
    ("date", C::Date),
    ("index", C::Index),
    ("mailbox", C::Mailbox),
    ("special-use", C::SpecialUse),
    ("editheader", C::EditHeader),
    ("duplicate", C::Duplicate),
    ("include", C::Include),
    ("environment", C::Environment),
    ("comparator-i;octet", C::Octet),
    ("comparator-i;ascii-casemap", C::Casemap),
    ("comparator-i;ascii-numeric", C::Numeric),
];

/// The names of all extensions, as ManageSieve lists them: without the comparators that need no `require`.
pub fn capabilities() -> impl Iterator<Item = &'static str> {
    let always = |capability: Capability| matches!(capability, C::Octet | C::Casemap);
    NAMES
        .into_iter()
        .filter(move |(_, capability)| !always(*capability))
        .map(|(name, _)| name)
}

impl Capability {
    pub(crate) fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(_, capability)| *capability == self);
        found.map_or("", |(name, _)| name)
    }
}

/// What a script has required.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Required(u32);

impl Required {
    /// False: there is no such extension.
    pub(crate) fn add(&mut self, name: &str) -> bool {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        if let Some((_, capability)) = found {
            self.0 |= 1 << (*capability as u32);
            if *capability == C::VacationSeconds {
                self.0 |= 1 << (C::Vacation as u32);
            }
        }
        found.is_some()
    }

    pub(crate) fn has(self, capability: Capability) -> bool {
        self.0 & (1 << (capability as u32)) != 0
    }
}
