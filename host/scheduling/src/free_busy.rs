//! When people have time: the one engine, for every protocol.
//!
//! Everybody here may ask for everybody's time, as in every office; nobody hears with what it is taken. What counts are the events of all
//! calendars that are not marked transparent, but those that the person has declined, and the hours that somebody has set (VAVAILABILITY,
//! RFC 7953): for the inbox, and as objects in these calendars. Times without a zone are in that of their calendar, as its column
//! says it: what a calendar was given before there was the column is in there after its next PROPPATCH. **Bounds**: [`MAX_ATTENDEES`] of one request,
//! [`MAX_RANGE`] of time, [`MAX_OBJECTS`] that may occur in it, [`MAX_HOURS`] and [`MAX_INSTANCES`]; what passes one is an answer that says so.

use bytes::Bytes;
use waxwing_directory::User;
use waxwing_exmdb::{Folder, Mailbox};
use waxwing_formats_ical::contentline::Line;
use waxwing_formats_ical::free_busy::FreeBusy;
use waxwing_formats_ical::schedule::{FreeBusyRequest, same_address};
use waxwing_formats_ical::{Calendar, Kind, Limits, Object, Range, Zone};
use waxwing_formats_mapi::{Property, Value, columns};

use crate::{
    Error, Result, Scheduling,
    guard::{self, guarded},
    inbox::INBOX_CLASS,
    now,
    people::{Person, Whose},
};

/// Attendees of one request.
const MAX_ATTENDEES: usize = 200;
/// Seconds of the range of a request.
const MAX_RANGE: i64 = 2 * 366 * 86_400;
/// Objects of one person that may occur in a range.
const MAX_OBJECTS: usize = 10_000;
/// Instances of one person's objects.
const MAX_INSTANCES: usize = 20_000;
/// VAVAILABILITY components of one person.
const MAX_HOURS: usize = 100;
/// Octets of their sources.
const MAX_OCTETS: usize = 64 * 1024 * 1024;
/// Objects of one read.
const PAGE: usize = 256;

/// The answer of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusyTime {
    /// His address, as the request has it.
    pub recipient: String,
    /// REQUEST-STATUS.
    pub request_status: &'static str,
    /// A VCALENDAR with METHOD:REPLY.
    pub calendar: Option<String>,
}

impl Scheduling {
    /// Answers a VFREEBUSY request of somebody here.
    ///
    /// # Errors
    /// `NotTheirs` when it is somebody else's, `Calendar` when it is none, `Limit`.
    pub async fn free_busy(&self, asking: &User, request: String) -> Result<Vec<BusyTime>> {
        let calendar = guard::calendar(request.into_bytes()).await?;
        let request = guarded(move || FreeBusyRequest::of(&calendar, &Limits::default())).await?;
        let mine = self.addresses(asking).await?;
        if !mine.iter().any(|one| same_address(one, &request.organizer)) {
            return Err(Error::NotTheirs("the organizer is not who asks"));
        }
        if request.attendees.len() > MAX_ATTENDEES {
            return Err(Error::Limit(format!(
                "attendees of a free-busy request = {MAX_ATTENDEES}"
            )));
        }
        if request.range.end.saturating_sub(request.range.start) > MAX_RANGE {
            return Err(Error::Limit(format!(
                "seconds of a free-busy request = {MAX_RANGE}"
            )));
        }
        let mut answers = Vec::with_capacity(request.attendees.len());
        for attendee in &request.attendees {
            answers.push(self.time_of(&request, attendee).await);
        }
        Ok(answers)
    }

    async fn time_of(&self, request: &FreeBusyRequest, attendee: &str) -> BusyTime {
        let answer = |request_status, calendar| BusyTime {
            recipient: attendee.to_owned(),
            request_status,
            calendar,
        };
        let person = match self.whose(attendee).await {
            Ok(Whose::Person(person)) => person,
            Ok(Whose::Mail(_)) => {
                return answer("5.3;Scheduling is not supported for the user", None);
            }
            Ok(Whose::Nobody) => return answer("3.7;Invalid calendar user", None),
            Err(error) => {
                tracing::warn!(attendee, %error, "a free-busy time cannot be told");
                return answer("5.1;Service unavailable", None);
            }
        };
        match self
            .busy(&person, request.range, request.mask_uid.as_deref())
            .await
        {
            Ok(busy) => {
                let reply = request.reply(attendee, &busy, now());
                answer("2.0;Success", Some(reply.calendar.to_text()))
            }
            Err(error) => {
                tracing::warn!(attendee, %error, "a free-busy time cannot be told");
                answer("5.1;Service unavailable", None)
            }
        }
    }

    /// What of a range is taken of somebody's time. The meeting of a UID is left out.
    pub(crate) async fn busy(
        &self,
        person: &Person,
        range: Range,
        mask: Option<&str>,
    ) -> Result<FreeBusy> {
        let sources = sources(&person.mailbox, range, mask).await?;
        let availability = availability(&person.mailbox).await?;
        let (mine, whose) = (person.addresses.clone(), person.user.address.clone());
        guarded(move || {
            let mut busy = FreeBusy::new(range, MAX_INSTANCES);
            let mut hours = Hours::default();
            if let Some(text) = availability {
                counted(&whose, hours.add(text.trim().as_bytes(), Zone::UTC))?;
            }
            for (source, zone) in sources {
                let Ok(object) = Object::parse(&source) else {
                    continue;
                };
                let added = match object.kind() {
                    Kind::Availability => hours.add(&source, zone),
                    _ => {
                        without_declined(object, &mine).and_then(|object| busy.add(&object, &zone))
                    }
                };
                counted(&whose, added)?;
            }
            for error in busy.add_readable_availability(&hours.calendars)? {
                counted(&whose, Err(error))?;
            }
            Ok(busy)
        })
        .await
    }
}

/// What cannot be read takes no time that anybody could tell; what passes a bound makes no answer.
fn counted(
    whose: &str,
    added: waxwing_formats_ical::Result<()>,
) -> waxwing_formats_ical::Result<()> {
    match added {
        Err(error) if !matches!(error, waxwing_formats_ical::Error::Limit { .. }) => {
            tracing::warn!(whose, %error, "something in a calendar cannot be counted and takes no time");
            Ok(())
        }
        added => added,
    }
}

/// The hours that somebody has set, each with the zone of what has none in them.
#[derive(Default)]
struct Hours {
    calendars: Vec<(Calendar, Zone)>,
    components: usize,
}

impl Hours {
    fn add(&mut self, source: &[u8], zone: Zone) -> waxwing_formats_ical::Result<()> {
        let calendar = Calendar::parse(source, &Limits::default().text)?;
        let components = calendar.component().components_of("VAVAILABILITY");
        self.components = self.components.saturating_add(components.count());
        if self.components > MAX_HOURS {
            return Err(waxwing_formats_ical::Error::Limit {
                name: "VAVAILABILITY components of a free-busy time",
                most: MAX_HOURS,
            });
        }
        self.calendars.push((calendar, zone));
        Ok(())
    }
}

/// What may occur in a range in all calendars that count, each with the zone of its calendar.
async fn sources(
    mailbox: &Mailbox,
    range: Range,
    mask: Option<&str>,
) -> Result<Vec<(Bytes, Zone)>> {
    let mut sources = Vec::new();
    let mut octets = 0_usize;
    for (folder, zone) in calendars(mailbox).await? {
        let found = mailbox
            .objects_occurring(folder.id, range.start, range.end)
            .await?;
        let names: Vec<String> = found
            .into_iter()
            .filter(|one| mask.is_none_or(|mask| one.object.uid != mask))
            .map(|one| one.object.name)
            .collect();
        if names.len() + sources.len() > MAX_OBJECTS {
            return Err(Error::Limit(format!(
                "objects of a free-busy time = {MAX_OBJECTS}"
            )));
        }
        let mut rest = names.as_slice();
        while !rest.is_empty() {
            let asked = rest.get(..rest.len().min(PAGE)).unwrap_or(rest);
            let read = mailbox.read_objects_named(folder.id, asked).await?;
            rest = rest.get(read.len().max(1)..).unwrap_or_default();
            for (_, source) in read.into_iter().flatten() {
                octets = octets.saturating_add(source.len());
                sources.push((source, zone.clone()));
            }
            if octets > MAX_OCTETS {
                return Err(Error::Limit(format!(
                    "octets of a free-busy time = {MAX_OCTETS}"
                )));
            }
        }
    }
    Ok(sources)
}

/// What somebody has set for his inbox.
async fn availability(mailbox: &Mailbox) -> Result<Option<String>> {
    let folders = mailbox.folders().await?;
    let inbox = folders
        .iter()
        .find(|folder| folder.container_class == INBOX_CLASS);
    let Some(inbox) = inbox else {
        return Ok(None);
    };
    let properties = mailbox.folder_properties(inbox.id, &[columns::AVAILABILITY]);
    let mut properties = properties.await?.into_iter();
    Ok(properties.find_map(|property| match property.value {
        Value::Text(text) if !text.is_empty() => Some(text),
        _ => None,
    }))
}

/// The calendars that count, and the zones of what has none in them.
async fn calendars(mailbox: &Mailbox) -> Result<Vec<(Folder, Zone)>> {
    let mut folders = mailbox.folders().await?;
    folders.retain(|folder| {
        let class = &folder.container_class;
        class.eq_ignore_ascii_case("IPF.Appointment")
            || class.to_ascii_lowercase().starts_with("ipf.appointment.")
    });
    let ids: Vec<_> = folders.iter().map(|folder| folder.id).collect();
    let properties = mailbox
        .properties_of_folders(&ids, &[columns::TRANSPARENT, columns::ZONE])
        .await?;
    let counts = |properties: &[Property]| {
        !properties
            .iter()
            .any(|property| property.value == Value::Boolean(true))
    };
    let kept = folders.into_iter().zip(properties);
    Ok(kept
        .filter(|(_, properties)| counts(properties))
        .map(|(folder, properties)| (folder, zone(&properties)))
        .collect())
}

fn zone(properties: &[Property]) -> Zone {
    let mut texts = properties
        .iter()
        .filter_map(|property| property.value.as_text());
    texts.find_map(Zone::of_text).unwrap_or(Zone::UTC)
}

/// Whoever has declined has the time.
fn without_declined(object: Object, mine: &[String]) -> waxwing_formats_ical::Result<Object> {
    let declined = |line: &Line| {
        line.is("ATTENDEE")
            && line.has_parameter("PARTSTAT", "DECLINED")
            && mine.iter().any(|one| same_address(one, &line.value))
    };
    let is_declined = |object: &Object| {
        object
            .components()
            .any(|component| component.lines.iter().any(declined))
    };
    if !is_declined(&object) {
        return Ok(object);
    }
    let mut text = Calendar::new();
    text.add(&object);
    let mut tree = text.component().clone();
    for component in &mut tree.components {
        if component.lines.iter().any(declined) {
            component.set(Line::new("TRANSP", "TRANSPARENT"));
        }
    }
    Object::parse(tree.to_text().as_bytes())
}
