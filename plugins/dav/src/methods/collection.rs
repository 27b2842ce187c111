//! What several methods do with collections: going through the objects page by page, and writing all of them as one file.

use waxwing_formats_ical::{
    Calendar, Object as CalendarObject,
    contentline::{Component, Line},
};
use waxwing_sdk::store::objects::{self, Object};

use crate::answer::{Answer, Content, Refusal};
use crate::catalog::Collection;
use crate::paging::{Cursor, PAGE_OBJECTS, PAGE_OCTETS, Rest};
use crate::place::Shelf;
use crate::request::Request;
use crate::visit::Opened;

/// How a calendar ends.
const END: &str = "END:VCALENDAR\r\n";

/// Objects that an answer goes through, and the cursor of the page that is behind them.
pub(in crate::methods) struct Page {
    objects: Vec<Object>,
    at: Cursor,
    next: Option<Cursor>,
}

impl Page {
    /// The page of a collection's list that a cursor stands at.
    pub(in crate::methods) fn of_list(opened: &Opened, at: Cursor) -> Result<Page, Refusal> {
        let folder = opened.collection.folder.id;
        let page = objects::list_objects(&opened.mailbox, folder, at.after, PAGE_OBJECTS)?;
        let behind = |after| Cursor { after, item: 0 };
        Ok(Page::of(page.objects, at, page.next.map(behind)))
    }

    /// Objects that were found otherwise: all there are.
    pub(in crate::methods) fn of_found(found: Vec<Object>, at: Cursor) -> Page {
        Page::of(found, at, None)
    }

    /// What was told already is left out. When the last that was told is gone, the page is told again: clients bear that.
    fn of(mut objects: Vec<Object>, at: Cursor, next: Option<Cursor>) -> Page {
        if let Some(last) = objects.iter().position(|object| object.item == at.item) {
            objects.drain(..=last);
        }
        Page { objects, at, next }
    }

    fn behind(&self, item: u64) -> Cursor {
        Cursor {
            after: self.at.after,
            item,
        }
    }

    pub(in crate::methods) fn retain(&mut self, keep: impl FnMut(&Object) -> bool) {
        self.objects.retain(keep);
    }

    /// Gives the objects until somebody has enough (true after the last that they took). Answers where to go on.
    pub(in crate::methods) fn rows(
        self,
        mut take: impl FnMut(&Object) -> Result<bool, Refusal>,
    ) -> Result<Option<Cursor>, Refusal> {
        for object in &self.objects {
            if take(object)? {
                return Ok(Some(self.behind(object.item)));
            }
        }
        Ok(self.next)
    }

    /// As `rows`, with sources, and at most [`PAGE_OBJECTS`] of them. One that went meanwhile, or whose source is lost, is left out.
    pub(in crate::methods) fn sources(
        self,
        opened: &Opened,
        mut take: impl FnMut(&Object, &[u8]) -> Result<bool, Refusal>,
    ) -> Result<Option<Cursor>, Refusal> {
        let most = PAGE_OBJECTS as usize;
        let now = self.objects.get(..most).unwrap_or(&self.objects);
        let names: Vec<String> = now.iter().map(|object| object.name.clone()).collect();
        let mut enough = None;
        sources(opened, &names, |_, sourced| {
            if let Some((object, source)) = sourced
                && take(&object, &source)?
            {
                enough = Some(object.item);
            }
            Ok(enough.is_none())
        })?;
        let last = now.last().filter(|_| now.len() < self.objects.len());
        Ok(match enough.or(last.map(|object| object.item)) {
            Some(item) => Some(self.behind(item)),
            None => self.next,
        })
    }
}

/// Gives the sources of names, as many in one call as fit. One that is gone, or whose source is lost, is none.
pub(in crate::methods) fn sources(
    opened: &Opened,
    names: &[String],
    mut take: impl FnMut(&str, Option<(Object, Vec<u8>)>) -> Result<bool, Refusal>,
) -> Result<(), Refusal> {
    let mut rest = names;
    while !rest.is_empty() {
        // A page of sources is a megabyte at most; no use in naming ten thousand each time.
        let asked = rest.get(..rest.len().min(1000)).unwrap_or(rest);
        let read = objects::read(&opened.mailbox, opened.collection.folder.id, asked)?;
        if read.is_empty() {
            return Err(Refusal::new(500, "the store answers nothing"));
        }
        let count = read.len();
        for (name, sourced) in rest.iter().zip(read) {
            let sourced = sourced.map(|sourced| (sourced.object, sourced.source));
            if !take(name, sourced)? {
                return Ok(());
            }
        }
        rest = rest.get(count..).unwrap_or_default();
    }
    Ok(())
}

/// A page of a collection as one file.
pub(in crate::methods) struct Export {
    text: Vec<u8>,
    /// The time zones that were written, also on earlier pages.
    zones: Vec<String>,
}

/// Octets of the names of the zones, which go into a ticket.
const MAX_ZONES: usize = 32 * 1024;

impl Export {
    /// The page that a request is at.
    pub(in crate::methods) fn begin(request: &Request, collection: &Collection) -> Export {
        let mut text = String::new();
        if request.cursor.is_start() && collection.place.shelf == Shelf::Calendars {
            let mut tree = Calendar::new().component().clone();
            tree.set(Line::text("X-WR-CALNAME", &collection.folder.name));
            text = tree.to_text();
            text.truncate(text.len() - END.len());
        }
        Export {
            text: text.into_bytes(),
            zones: request.zones.clone(),
        }
    }

    pub(in crate::methods) fn is_full(&self) -> bool {
        self.text.len() >= PAGE_OCTETS
    }

    pub(in crate::methods) fn add(&mut self, shelf: Shelf, (name, source): (&str, &[u8])) {
        match shelf {
            Shelf::AddressBooks => {
                self.text.extend_from_slice(source);
                if !source.ends_with(b"\n") {
                    self.text.extend_from_slice(b"\r\n");
                }
            }
            Shelf::Calendars => match CalendarObject::parse(source) {
                Ok(object) => self.add_components(object.component()),
                Err(error) => waxwing_sdk::warning!("{name:?} is left out: {error}"),
            },
        }
    }

    fn add_components(&mut self, calendar: &Component) {
        let mut text = String::new();
        for component in &calendar.components {
            if component.is("VTIMEZONE") {
                let name = component.value("TZID").unwrap_or_default();
                let octets: usize = self.zones.iter().map(String::len).sum();
                if self.zones.iter().any(|known| known == name) {
                    continue;
                }
                // With more zones than that one may stand twice.
                if octets + name.len() <= MAX_ZONES {
                    self.zones.push(name.to_owned());
                }
            }
            component.write(&mut text);
        }
        self.text.extend_from_slice(text.as_bytes());
    }

    pub(in crate::methods) fn answer(
        mut self,
        collection: &Collection,
        rest: Option<Cursor>,
    ) -> Answer {
        let (media, ending) = match collection.place.shelf {
            Shelf::Calendars => ("text/calendar; charset=utf-8", "ics"),
            Shelf::AddressBooks => ("text/vcard; charset=utf-8", "vcf"),
        };
        if rest.is_none() && collection.place.shelf == Shelf::Calendars {
            self.text.extend_from_slice(END.as_bytes());
        }
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let name: String = collection.folder.name.chars().map(plain).collect();
        let zones = self.zones;
        Answer::new(200)
            .header("content-type", media)
            .header(
                "content-disposition",
                format!("attachment; filename=\"{name}.{ending}\""),
            )
            .content(Content::Octets(self.text))
            .rest(rest.map(|cursor| Rest { cursor, zones }))
    }
}
