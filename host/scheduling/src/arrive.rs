//! A mail that carries a message of iTIP (RFC 6047).

use waxwing_directory::{Resolution, User};
use waxwing_formats_ical::Calendar;
use waxwing_formats_mime::{Part, PartKind, Structure, transfer};

use crate::{
    Error, MAX_CALENDAR, Post, Result, Scheduling,
    guard::{self, guarded},
    trust,
};

/// Levels of parts that are looked into.
const MAX_DEPTH: usize = 8;

/// A mail that has been stored.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Whose mailbox it came to.
    pub owner: User,
    /// The address that led here.
    pub recipient: String,
    /// The mailboxes of From.
    pub authors: Vec<String>,
    /// Who has sent it is known: he was logged in, or another server of ours has seen to that.
    pub is_known: bool,
    /// The whole message.
    pub message: Vec<u8>,
}

impl Scheduling {
    /// Applies the first calendar part of a mail with a METHOD to the calendar of its recipient. False: there is none.
    ///
    /// # Errors
    /// When it is not applied, and why.
    pub async fn arrived(&self, post: &dyn Post, mail: Mail) -> Result<bool> {
        let message = mail.message;
        if !names_calendar(&message) {
            return Ok(false);
        }
        let found = guarded(move || Ok(calendar_part(&message))).await?;
        let Some(text) = found else {
            return Ok(false);
        };
        let calendar = guard::calendar(text).await?;
        if calendar.method().is_none() {
            return Ok(false);
        }
        self.check_author(&calendar, &mail.authors, mail.is_known)
            .await?;
        let mut person = self.person(mail.owner).await?;
        person.addresses.push(format!("mailto:{}", mail.recipient));
        self.bring_in(post, &person, &calendar).await?;
        Ok(true)
    }

    /// The mail must be from whom the message speaks for; and a name of this server is believed of who was logged in only.
    async fn check_author(
        &self,
        calendar: &Calendar,
        authors: &[String],
        is_known: bool,
    ) -> Result<()> {
        let [author] = authors else {
            return Err(Error::NotTheirs("the mail has not one author"));
        };
        if !trust::is_from(calendar, &[format!("mailto:{author}")]) {
            return Err(Error::NotTheirs(
                "the mail is not from whom its calendar speaks for",
            ));
        }
        if !is_known && self.directory.resolve(author).await? != Resolution::Foreign {
            return Err(Error::NotTheirs(
                "the mail is from outside under an address of this server",
            ));
        }
        Ok(())
    }
}

/// Whether `text/calendar` may stand in it: most mail is parsed by nobody here.
fn names_calendar(message: &[u8]) -> bool {
    const NAME: &[u8] = b"calendar";
    memchr::memchr_iter(b'/', message).any(|slash| {
        let name = message.get(slash + 1..slash + 1 + NAME.len());
        name.is_some_and(|name| name.eq_ignore_ascii_case(NAME))
    })
}

/// The content of the first `text/calendar` part.
fn calendar_part(message: &[u8]) -> Option<Vec<u8>> {
    let structure = Structure::parse(message);
    let part = find(&structure.root, 0)?;
    let start = usize::try_from(part.body.0).ok()?;
    let length = usize::try_from(part.body.1).ok()?;
    let encoded = message.get(start..start.checked_add(length)?)?;
    // Base64 takes a third more, with its line ends.
    if encoded.len() > MAX_CALENDAR * 3 / 2 {
        return None;
    }
    Some(transfer::decode(&part.encoding, encoded).into_owned())
}

fn find(part: &Part, depth: usize) -> Option<&Part> {
    if depth > MAX_DEPTH {
        return None;
    }
    match &part.kind {
        PartKind::Multipart(parts) => parts.iter().find_map(|part| find(part, depth + 1)),
        PartKind::Leaf if part.media_type == b"TEXT" && part.subtype == b"CALENDAR" => Some(part),
        // What is forwarded is not said to the recipient.
        PartKind::Leaf | PartKind::Message(_) => None,
    }
}
