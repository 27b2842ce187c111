//! Messages on their way, and what became of them.

use waxwing_formats_ical::schedule::{self, set_schedule_status};
use waxwing_formats_ical::{Limits, Object};
use waxwing_sdk::scheduling;
use waxwing_sdk::store::objects::{self, Condition, Outcome, Scheduling};

use super::{ATTEMPTS, before, written};
use crate::content::calendar;
use crate::methods::put::now;
use crate::visit::Opened;

/// Messages of one call: each is a commit or two, and a call has its time.
const PAGE: usize = 50;

/// Sends messages. The addresses of those that somebody hears of, with SCHEDULE-STATUS. One that is not sent is no reason to undo the change.
pub(super) fn deliver(opened: &Opened, messages: Vec<schedule::Message>) -> Vec<(String, String)> {
    let outgoing = |message: &schedule::Message| scheduling::Message {
        recipient: message.recipient.clone(),
        calendar: message.calendar.to_text(),
        minor: message.minor,
    };
    let mut statuses = Vec::with_capacity(messages.len());
    for page in messages.chunks(PAGE) {
        let given: Vec<_> = page.iter().map(outgoing).collect();
        let sent = scheduling::send(&opened.mailbox, opened.collection.folder.id, &given);
        let codes = sent.unwrap_or_else(|fault| {
            let text = &fault.detail;
            waxwing_sdk::warning!("scheduling messages are not sent: {text}");
            vec!["5.1".to_owned(); page.len()]
        });
        let told = page.iter().zip(codes).filter(|(message, _)| !message.minor);
        statuses.extend(told.map(|(message, code)| (message.recipient.clone(), code)));
    }
    statuses
}

/// Notes statuses in the object of a name, as it is by then. None: there is nothing to be noted, or it cannot be.
pub(super) fn note(
    opened: &Opened,
    name: &str,
    statuses: &[(String, String)],
) -> Option<objects::Object> {
    if statuses.is_empty() {
        return None;
    }
    for _ in 0..ATTEMPTS {
        let there = before(opened, name).ok()??;
        let mut object = there.object?;
        for (address, code) in statuses {
            let noted = set_schedule_status(&object, address, code);
            object = Object::of_calendar(noted, &Limits::default()).ok()?;
        }
        let facts = calendar::facts_of(&object, now(), Scheduling::Answers);
        let body = written(&object).ok()?;
        let place = objects::Place {
            folder: opened.collection.folder.id,
            name: name.to_owned(),
        };
        let unchanged = Condition::OneOf(vec![there.row.etag]);
        match objects::put(&opened.mailbox, &place, &unchanged, &body, &facts) {
            Ok(Outcome::Created(object) | Outcome::Replaced(object)) => return Some(object),
            // An answer came in between.
            Ok(_) => {}
            Err(fault) => {
                let text = &fault.detail;
                waxwing_sdk::warning!("SCHEDULE-STATUS is not noted: {text}");
                return None;
            }
        }
    }
    None
}
