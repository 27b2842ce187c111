//! The arguments of SELECT and EXAMINE (RFC 9051 section 6.3.2, RFC 7162 section 3.2.5).

use super::{Bad, Command, SequenceSet, cursor::Cursor};

/// The parameters of SELECT (QRESYNC …), RFC 7162 section 3.2.5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuickResync {
    /// UIDVALIDITY as the client knows it.
    pub uid_validity: u32,
    /// Modseq as the client knows it.
    pub modseq: u64,
    /// UIDs that the client knows.
    pub known_uids: Option<SequenceSet>,
}

pub(super) fn select(cursor: &mut Cursor<'_>, read_only: bool) -> Result<Command, Bad> {
    let mailbox = cursor.mailbox()?;
    let mut condstore = false;
    let mut resync = None;
    if cursor.eat(b' ') {
        cursor.list("parameters", |cursor| {
            match cursor.atom("a parameter")?.to_ascii_uppercase().as_str() {
                "CONDSTORE" => condstore = true,
                "QRESYNC" => {
                    cursor.space()?;
                    resync = Some(quick_resync(cursor)?);
                }
                name => return Err(Bad::new(format!("unknown parameter {name}"))),
            }
            Ok(())
        })?;
    }
    Ok(Command::Select {
        mailbox,
        read_only,
        condstore,
        resync,
    })
}

fn quick_resync(cursor: &mut Cursor<'_>) -> Result<QuickResync, Bad> {
    cursor.expect(b'(', "QRESYNC parameters")?;
    let uid_validity = cursor.nz_number("a UIDVALIDITY")?;
    cursor.space()?;
    let modseq = cursor.number64("a modseq")?;
    let mut known_uids = None;
    if cursor.eat(b' ') {
        if cursor.peek() != Some(b'(') {
            known_uids = Some(SequenceSet::parse(cursor)?);
            cursor.eat(b' ');
        }
        if cursor.eat(b'(') {
            // Message numbers with their UIDs: a hint for servers whose log of expunges is short; ours needs none.
            SequenceSet::parse(cursor)?;
            cursor.space()?;
            SequenceSet::parse(cursor)?;
            cursor.expect(b')', "a closing parenthesis")?;
        }
    }
    cursor.expect(b')', "a closing parenthesis")?;
    Ok(QuickResync {
        uid_validity,
        modseq,
        known_uids,
    })
}
