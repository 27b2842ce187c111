//! POST to the outbox: who has time (RFC 6638 section 5).

use waxwing_sdk::bodies;
use waxwing_sdk::fault::{Fault, FaultClass};
use waxwing_sdk::scheduling;

use crate::answer::{Answer, Refusal};
use crate::content;
use crate::place::Shelf;
use crate::request::Request;
use crate::visit::Opened;
use crate::xml::{Name, Writer};

/// Octets of a request.
const MAX_REQUEST: u64 = 256 * 1024;

pub(crate) fn answer(request: &Request, opened: &Opened) -> Result<Answer, Refusal> {
    content::check_media_type(Shelf::Calendars, request.media_type().as_deref())?;
    let invalid =
        |text: &str| Refusal::new(400, text).condition(Name::caldav("valid-calendar-data"));
    let body = request.body().ok_or_else(|| invalid("the body is empty"))?;
    if body.size() > MAX_REQUEST {
        return Err(content::too_large(Shelf::Calendars));
    }
    let octets = bodies::read_all(body, MAX_REQUEST)?;
    let text = String::from_utf8(octets).map_err(|_| invalid("the body is not UTF-8"))?;
    let times = scheduling::free_busy(&opened.mailbox, &text).map_err(refusal)?;
    let root = Name::caldav("schedule-response");
    let mut out = Writer::document(&root);
    for time in times {
        out.open(&Name::caldav("response"));
        out.open(&Name::caldav("recipient"));
        out.leaf(&Name::dav("href"), &time.recipient);
        out.close(&Name::caldav("recipient"));
        out.leaf(&Name::caldav("request-status"), &time.request_status);
        if let Some(calendar) = &time.calendar {
            out.leaf(&Name::caldav("calendar-data"), calendar);
        }
        out.close(&Name::caldav("response"));
    }
    out.close(&root);
    Ok(Answer::xml(200, out.finish()))
}

fn refusal(fault: Fault) -> Refusal {
    let condition = match fault.class {
        FaultClass::Denied => "organizer-allowed",
        FaultClass::Invalid => "valid-scheduling-message",
        FaultClass::Limit => "max-attendees-per-instance",
        _ => return fault.into(),
    };
    Refusal::forbidden(Name::caldav(condition), fault.detail)
}
