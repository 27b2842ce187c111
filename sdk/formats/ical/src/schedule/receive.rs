use super::address::{attendee, me, me_mut, participation};
use super::compare::{content, timing};
use super::message::ANSWERED;
use super::{Context, Method, same_address};
use crate::contentline::{Component, Line};
use crate::object::sequence;
use crate::series::Series;
use crate::{Calendar, Error, Limits, Moment, Object, Precondition, Result, Zone, Zones};
use std::collections::HashMap;

/// What a message does to somebody's copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What is to be stored; `None` when nothing is.
    pub object: Option<Object>,
    /// What happened.
    pub change: Change,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An invitation.
    Invited,
    /// A known meeting changed; `true` when its time did.
    Updated(bool),
    /// Only answers of others changed.
    Answers,
    /// The meeting or an instance is off.
    Cancelled,
    /// An attendee answered: his address and his PARTSTAT.
    Replied(String, String),
    /// An attendee proposes another time; see [`accept_counter`].
    Countered(String),
    /// A proposal was turned down.
    CounterDeclined,
    /// An attendee asks for the meeting; see [`super::refreshed`].
    RefreshWanted(String),
    /// Nothing.
    Nothing(Stale),
}

/// Why a message changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// A later one was here before.
    Older,
    /// It is about a meeting or an instance that is not there.
    Unknown,
    /// It is from somebody who is not invited.
    NotInvited,
    /// An ADD: the organiser is to be asked for the whole with REFRESH (RFC 5546 section 3.2.4).
    NeedsRefresh,
    /// PUBLISH: whoever wants it takes it by hand.
    NotForMe,
}

impl Received {
    fn nothing(why: Stale) -> Received {
        Received {
            object: None,
            change: Change::Nothing(why),
        }
    }

    /// Whether the Schedule-Tag stays (RFC 6638 section 3.2.10): only answers changed.
    pub fn keeps_schedule_tag(&self) -> bool {
        matches!(self.change, Change::Answers | Change::Replied(..))
    }
}

/// A message arrived for the owner of a calendar, who may have a copy of its meeting. The caller has made sure of its sender.
///
/// # Errors
/// What is wrong with the message: no METHOD, more than one UID, values that cannot be read.
pub fn receive(
    message: &Calendar,
    stored: Option<&Object>,
    context: &Context<'_>,
) -> Result<Received> {
    let method = message.method().and_then(|name| Method::of_name(&name));
    let method = method.ok_or_else(|| {
        Error::object(
            Precondition::ValidCalendarData,
            "METHOD is missing or unknown",
        )
    })?;
    let given = Object::of_message(message.clone(), &Limits::default())?;
    if stored.is_some_and(|stored| stored.uid() != given.uid() || stored.kind() != given.kind()) {
        return Ok(Received::nothing(Stale::Unknown));
    }
    if method == Method::Request
        && given
            .components()
            .any(|one| one.is("VEVENT") && one.line("DTSTART").is_none())
    {
        return Err(Error::object(
            Precondition::ValidCalendarData,
            "DTSTART is missing",
        ));
    }
    let sender = || {
        given
            .attendees()
            .first()
            .map(|line| line.value.trim().to_owned())
            .unwrap_or_default()
    };
    match (method, stored) {
        (Method::Request, None) => Ok(Received {
            object: Some(given),
            change: Change::Invited,
        }),
        (Method::Request, Some(stored)) => requested(&given, stored, context),
        (Method::Cancel, Some(stored)) => cancelled(&given, stored),
        (Method::Reply, Some(stored)) => replied(&given, stored, context),
        (Method::Counter, Some(_)) => Ok(Received {
            object: None,
            change: Change::Countered(sender()),
        }),
        (Method::Refresh, Some(_)) => Ok(Received {
            object: None,
            change: Change::RefreshWanted(sender()),
        }),
        (Method::DeclineCounter, _) => Ok(Received {
            object: None,
            change: Change::CounterDeclined,
        }),
        (Method::Add, _) => Ok(Received::nothing(Stale::NeedsRefresh)),
        (Method::Publish, _) => Ok(Received::nothing(Stale::NotForMe)),
        (_, None) => Ok(Received::nothing(Stale::Unknown)),
    }
}

/// Whether a component came before the one that is stored (RFC 5546 section 2.1.5).
fn is_older(given: &Component, stored: &Component) -> bool {
    match sequence(given).cmp(&sequence(stored)) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Greater => false,
        std::cmp::Ordering::Equal => stamp(given)
            .zip(stamp(stored))
            .is_some_and(|(given, stored)| given < stored),
    }
}

fn requested(given: &Object, stored: &Object, context: &Context<'_>) -> Result<Received> {
    let mut copy = Copy::of(stored)?;
    let zones = Zones::of(given.component(), &Zone::UTC);
    let (mut any, mut moved, mut changed) = (false, false, false);
    let whole = given.master().is_some();
    let mut fresh = Vec::new();
    for component in given.components() {
        let before = copy.counterpart(component)?;
        let Some(before) = before else {
            (any, moved, changed) = (true, true, true);
            fresh.push(component.clone());
            continue;
        };
        if is_older(component, &before) {
            continue;
        }
        any = true;
        let is_moved = timing(component, given.kind(), &zones)?
            != timing(&before, given.kind(), copy.series.zones())?;
        moved |= is_moved;
        changed |= content(component, given.kind(), &zones, false)?
            != content(&before, given.kind(), copy.series.zones(), false)?;
        fresh.push(with_own(component, &before, is_moved, context));
    }
    if !any {
        return Ok(Received::nothing(Stale::Older));
    }
    if whole {
        let kept = if moved {
            Vec::new()
        } else {
            copy.personal(given, context)?
        };
        changed |= copy.overrides() > fresh.len() + kept.len() - 1;
        fresh.extend(kept);
        copy.replace_all(given, fresh);
    } else {
        for component in fresh {
            copy.put(component)?;
        }
        copy.add_zones(given);
    }
    let change = if changed {
        Change::Updated(moved)
    } else {
        Change::Answers
    };
    Ok(Received {
        object: Some(copy.into_object()?),
        change,
    })
}

/// What is the attendee's own stays: alarms, transparency, private properties, and his answer unless the time changed.
fn with_own(
    given: &Component,
    before: &Component,
    moved: bool,
    context: &Context<'_>,
) -> Component {
    let mut component = given.clone();
    component.components.retain(|inner| !inner.is("VALARM"));
    component
        .components
        .extend(before.components_of("VALARM").cloned());
    let private = |line: &Line| {
        line.is("TRANSP")
            || line
                .name
                .get(..2)
                .is_some_and(|start| start.eq_ignore_ascii_case("X-"))
    };
    for line in before.lines.iter().filter(|line| private(line)) {
        if component.line(&line.name).is_none() {
            component.lines.push(line.clone());
        }
    }
    let answer = me(before, context).map(participation);
    if let (false, Some(answer), Some(line)) = (moved, answer, me_mut(&mut component, context)) {
        line.set_parameter("PARTSTAT", answer);
    }
    component
}

/// RFC 5546 section 3.2.5. What is off stays to be seen, marked so; whoever does not want to see it deletes it.
fn cancelled(given: &Object, stored: &Object) -> Result<Received> {
    let mut copy = Copy::of(stored)?;
    let mut any = false;
    if let Some(master) = given.master() {
        if is_older(master, stored.main()) && sequence(master) < stored.sequence() {
            return Ok(Received::nothing(Stale::Older));
        }
        let number = sequence(master).max(stored.sequence());
        copy.each(|component| mark_cancelled(component, number));
        any = true;
    } else {
        for component in given.components() {
            let Some(mut before) = copy.counterpart(component)? else {
                continue;
            };
            if sequence(component) < sequence(&before) {
                continue;
            }
            mark_cancelled(&mut before, sequence(component));
            copy.put(before)?;
            any = true;
        }
    }
    if !any {
        return Ok(Received::nothing(Stale::Unknown));
    }
    Ok(Received {
        object: Some(copy.into_object()?),
        change: Change::Cancelled,
    })
}

fn mark_cancelled(component: &mut Component, number: i64) {
    component.set(Line::new("STATUS", "CANCELLED"));
    component.set(Line::new("SEQUENCE", number.to_string()));
}

/// RFC 5546 section 3.2.3.
fn replied(given: &Object, stored: &Object, context: &Context<'_>) -> Result<Received> {
    let mut copy = Copy::of(stored)?;
    let mut answered = None;
    let mut why = Stale::NotInvited;
    for component in given.components() {
        let Some(line) = component.line("ATTENDEE") else {
            continue;
        };
        let Some(mut before) = copy.counterpart(component)? else {
            why = Stale::Unknown;
            continue;
        };
        if sequence(component) < sequence(&before) {
            why = Stale::Older;
            continue;
        }
        if has_answered_since(&before, (line, component), context.now) {
            why = Stale::Older;
            continue;
        }
        if !note(&mut before, line, component) {
            continue;
        }
        if component.line("RECURRENCE-ID").is_none() {
            copy.each(|other| {
                let open = attendee(other, &line.value)
                    .is_some_and(|own| participation(own) == "NEEDS-ACTION");
                if open && other.line("RECURRENCE-ID").is_some() {
                    note(other, line, component);
                }
            });
        }
        copy.put(before)?;
        answered = Some((line.value.trim().to_owned(), participation(line)));
    }
    match answered {
        Some((address, answer)) => Ok(Received {
            object: Some(copy.into_object()?),
            change: Change::Replied(address, answer),
        }),
        None => Ok(Received::nothing(why)),
    }
}

fn stamp(component: &Component) -> Option<i64> {
    let line = component.line("DTSTAMP")?;
    Moment::of_line(line).ok()?.as_utc()
}

/// Whether a later answer of the same attendee is noted already (RFC 5546 section 2.1.5): mail does not keep its order. One from
/// the future, by a clock that was wrong, would silence him until then, and counts as none.
fn has_answered_since(
    component: &Component,
    (answer, reply): (&Line, &Component),
    now: i64,
) -> bool {
    let noted = attendee(component, &answer.value)
        .and_then(|line| line.parameter(ANSWERED))
        .and_then(|value| Moment::of_line(&Line::new("DTSTAMP", value)).ok()?.as_utc());
    noted
        .filter(|noted| *noted <= now)
        .zip(stamp(reply))
        .is_some_and(|(noted, given)| given < noted)
}

/// Notes an answer on the line of its attendee; one to whom an attendee has delegated, by that one's own word, gets a line.
fn note(component: &mut Component, answer: &Line, reply: &Component) -> bool {
    let status = reply
        .value("REQUEST-STATUS")
        .and_then(|value| value.split(';').next())
        .unwrap_or("2.0")
        .to_owned();
    let known = component
        .lines
        .iter()
        .position(|line| line.is("ATTENDEE") && same_address(&line.value, &answer.value));
    let delegator = answer
        .parameter("DELEGATED-FROM")
        .and_then(|from| attendee(component, from))
        .and_then(|line| line.parameter("DELEGATED-TO"))
        .is_some_and(|to| same_address(to, &answer.value));
    if known.is_none() && delegator {
        let mut line = answer.clone();
        line.set_parameter("SCHEDULE-STATUS", status.clone());
        component.lines.push(line);
        return true;
    }
    let Some(line) = known.and_then(|at| component.lines.get_mut(at)) else {
        return false;
    };
    line.set_parameter("PARTSTAT", participation(answer));
    line.set_parameter("SCHEDULE-STATUS", status);
    if let Some(answered) = stamp(reply) {
        line.set_parameter(ANSWERED, Moment::utc(answered).to_value());
    }
    line.remove_parameter("RSVP");
    for name in ["DELEGATED-TO", "DELEGATED-FROM"] {
        if let Some(value) = answer.parameter(name) {
            line.set_parameter(name, value);
        }
    }
    let to = answer.parameter("DELEGATED-TO").map(str::to_owned);
    if let Some(to) = to.filter(|to| attendee(component, to).is_none()) {
        let delegate = Line::new("ATTENDEE", to)
            .with("PARTSTAT", "NEEDS-ACTION")
            .with("RSVP", "TRUE");
        component
            .lines
            .push(delegate.with("DELEGATED-FROM", answer.value.trim()));
    }
    true
}

/// The organiser takes a proposal: the meeting with its time and place, to be given to [`super::organizer_changed`].
///
/// # Errors
/// [`Error::Object`] when the proposal is about nothing that is there.
pub fn accept_counter(message: &Calendar, stored: &Object) -> Result<Object> {
    let given = Object::of_message(message.clone(), &Limits::default())?;
    let mut copy = Copy::of(stored)?;
    for component in given.components() {
        let unknown = || {
            Error::object(
                Precondition::ValidCalendarObjectResource,
                "the proposal is about an instance that is not there",
            )
        };
        let mut before = copy.counterpart(component)?.ok_or_else(unknown)?;
        let proposed = |name: &str| component.line(name).cloned();
        if component.line("DTEND").is_some() || component.line("DURATION").is_some() {
            before.remove("DTEND");
            before.remove("DURATION");
        }
        for line in ["DTSTART", "DTEND", "DUE", "DURATION", "LOCATION"]
            .into_iter()
            .filter_map(proposed)
        {
            before.set(line);
        }
        copy.put(before)?;
    }
    copy.add_zones(&given);
    copy.into_object()
}

/// Somebody's copy while it is changed.
struct Copy<'a> {
    stored: &'a Object,
    series: Series<'a>,
    tree: Component,
    /// Where in the tree a component stands, by its identity.
    places: HashMap<Option<String>, usize>,
}

impl<'a> Copy<'a> {
    fn of(stored: &'a Object) -> Result<Copy<'a>> {
        let mut copy = Copy {
            stored,
            series: Series::of(stored, &Zone::UTC)?,
            tree: stored.component().clone(),
            places: HashMap::new(),
        };
        for (place, component) in stored.component().components.iter().enumerate() {
            if component.is(stored.kind().name()) {
                copy.places.insert(copy.identity(component)?, place);
            }
        }
        Ok(copy)
    }

    fn identity(&self, component: &Component) -> Result<Option<String>> {
        let id = component
            .line("RECURRENCE-ID")
            .map(Moment::of_line)
            .transpose()?;
        Ok(id.map(|id| self.series.identity(&id)))
    }

    /// What a component is about, as it was stored; an instance that was not written out is made.
    fn counterpart(&self, component: &Component) -> Result<Option<Component>> {
        match component.line("RECURRENCE-ID") {
            Some(line) => self.series.instance(&Moment::of_line(line)?),
            None => Ok(self.stored.master().cloned()),
        }
    }

    fn overrides(&self) -> usize {
        self.stored
            .components()
            .filter(|one| one.line("RECURRENCE-ID").is_some())
            .count()
    }

    fn each(&mut self, mut change: impl FnMut(&mut Component)) {
        let name = self.stored.kind().name();
        self.tree
            .components
            .iter_mut()
            .filter(|one| one.is(name))
            .for_each(&mut change);
    }

    /// Puts a component in the place of the one of its identity.
    fn put(&mut self, component: Component) -> Result<()> {
        let identity = self.identity(&component)?;
        let place = self
            .places
            .get(&identity)
            .and_then(|place| self.tree.components.get_mut(*place));
        match place {
            Some(old) => *old = component,
            None => {
                self.places.insert(identity, self.tree.components.len());
                self.tree.components.push(component);
            }
        }
        Ok(())
    }

    /// Overrides that say of their instance what the organiser says, and hold the attendee's own: they stay when he sends the whole.
    fn personal(&self, given: &Object, context: &Context<'_>) -> Result<Vec<Component>> {
        let series = Series::of(given, &Zone::UTC)?;
        let mut kept = Vec::new();
        for component in self.stored.components() {
            let Some(line) = component.line("RECURRENCE-ID") else {
                continue;
            };
            // `None` also when the organiser sent this override.
            let Some(plain) = series.plain(&Moment::of_line(line)?)? else {
                continue;
            };
            let kind = given.kind();
            let same = content(&plain, kind, series.zones(), false)?
                == content(component, kind, self.series.zones(), false)?;
            if same && me(component, context).is_some() {
                kept.push(component.clone());
            }
        }
        Ok(kept)
    }

    fn replace_all(&mut self, given: &Object, components: Vec<Component>) {
        let mut tree = given.component().clone();
        tree.components.retain(|one| one.is("VTIMEZONE"));
        tree.components.extend(components);
        self.tree = tree;
    }

    fn add_zones(&mut self, given: &Object) {
        let known: Vec<String> = self
            .tree
            .components_of("VTIMEZONE")
            .filter_map(|one| one.value("TZID").map(str::to_owned))
            .collect();
        let new = given
            .component()
            .components_of("VTIMEZONE")
            .filter(|one| !known.iter().any(|known| one.value("TZID") == Some(known)));
        // At the end, where they move no other; RFC 5545 asks for no order.
        let new: Vec<Component> = new.cloned().collect();
        self.tree.components.extend(new);
    }

    fn into_object(self) -> Result<Object> {
        Object::of_calendar(Calendar { tree: self.tree }, &Limits::default())
    }
}
