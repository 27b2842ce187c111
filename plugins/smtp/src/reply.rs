//! Replies: RFC 5321 4.2 with RFC 3463 codes, one place for the words that more than one command says.

use crate::parse::Error;

/// One line of answer with its CRLF.
pub(crate) fn line(code: u16, enhanced: &str, text: &str) -> String {
    format!("{code} {enhanced} {text}\r\n")
}

/// The reply that RFC 5321 4.2 names for an error of syntax.
pub(crate) fn syntax(error: &Error) -> String {
    match error {
        Error::Unknown => line(500, "5.5.2", "Command not recognized"),
        Error::Arguments(expected) => line(501, "5.5.4", &format!("Expected {expected}")),
        Error::Parameter(key) => line(555, "5.5.4", &format!("Parameter {key} is not supported")),
        Error::Address {
            sender: true,
            reason,
        } => line(501, "5.1.7", &format!("Bad sender address: {reason}")),
        Error::Address {
            sender: false,
            reason,
        } => line(501, "5.1.3", &format!("Bad recipient address: {reason}")),
        Error::NeedsUtf8 => line(553, "5.6.7", "The address needs SMTPUTF8"),
    }
}

/// RFC 5321 4.1.4.
pub(crate) fn out_of_order(expected: &str) -> String {
    line(
        503,
        "5.5.1",
        &format!("Bad sequence of commands: {expected} first"),
    )
}
