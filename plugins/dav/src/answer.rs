//! Responses, and what they are made of when something is refused.
//!
//! A refusal names the precondition that failed: the body is a `DAV:error` with exactly one element (RFC 4918 section 16), and a
//! sentence for whoever reads along in a place where clients do not look for conditions.

use waxwing_sdk::bodies::{Body, BodyRange};
use waxwing_sdk::fault::{Fault, FaultClass};
use waxwing_sdk::http::{Action, Head};

use crate::paging::Rest;
use crate::xml::{Name, Writer};

/// [MS-OXCDATA] 2.4 ecNotEnoughDisk: the store's word for a full disk.
const NOT_ENOUGH_DISK: u32 = 0x8004_010D;

/// ecQuotaExceeded: the mailbox is full.
const QUOTA_EXCEEDED: u32 = 0x4D9;

/// What follows a head.
pub(crate) enum Content {
    Nothing,
    Octets(Vec<u8>),
    /// The store's own, which does not pass through here.
    Stored(Body),
}

/// A response.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    content: Content,
    /// There is more, behind this.
    rest: Option<Rest>,
}

impl Answer {
    pub(crate) fn new(status: u16) -> Answer {
        Answer {
            status,
            headers: Vec::new(),
            content: Content::Nothing,
            rest: None,
        }
    }

    /// A document of status 207 or another.
    pub(crate) fn xml(status: u16, document: String) -> Answer {
        Answer::new(status)
            .header("content-type", "application/xml; charset=utf-8")
            .content(Content::Octets(document.into_bytes()))
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn content(mut self, content: Content) -> Answer {
        self.content = content;
        self
    }

    /// What is there is a page.
    pub(crate) fn rest(mut self, rest: Option<Rest>) -> Answer {
        self.rest = rest;
        self
    }

    /// Takes the rest out: what is left is told without it.
    pub(crate) fn take_rest(&mut self) -> Option<Rest> {
        self.rest.take()
    }

    /// The octets alone, for a page that is not the first.
    pub(crate) fn into_octets(self) -> Vec<u8> {
        match self.content {
            Content::Octets(octets) => octets,
            Content::Nothing | Content::Stored(_) => Vec::new(),
        }
    }

    /// The first page of an answer whose length is not known yet, up to what ends the turn.
    pub(crate) fn into_first_page(self) -> Vec<Action> {
        let mut head = Head::new(self.status);
        for (name, value) in &self.headers {
            head = head.header(name, value);
        }
        vec![Action::Head(head), Action::Send(self.into_octets())]
    }

    pub(crate) fn into_actions(self) -> Vec<Action> {
        let mut head = Head::new(self.status);
        for (name, value) in &self.headers {
            head = head.header(name, value);
        }
        let bodiless = matches!(self.status, 204 | 304);
        match self.content {
            Content::Nothing if bodiless => vec![Action::Head(head), Action::Finish],
            Content::Nothing => vec![Action::Head(head.length(0)), Action::Finish],
            Content::Octets(octets) => {
                let head = head.length(octets.len() as u64);
                vec![Action::Head(head), Action::Send(octets), Action::Finish]
            }
            Content::Stored(body) => {
                let length = body.size();
                let range = BodyRange {
                    body,
                    offset: 0,
                    length,
                };
                vec![
                    Action::Head(head.length(length)),
                    Action::SendBody(range),
                    Action::Finish,
                ]
            }
        }
    }
}

/// A request that is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The precondition, and what stands in its element.
    condition: Option<Box<(Name, String)>>,
    /// For people.
    pub(crate) text: String,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, text: impl Into<String>) -> Refusal {
        Refusal {
            status,
            condition: None,
            text: text.into(),
            headers: Vec::new(),
        }
    }

    /// 403 for a precondition.
    pub(crate) fn forbidden(condition: Name, text: impl Into<String>) -> Refusal {
        Refusal::new(403, text).condition(condition)
    }

    /// 409 for a precondition.
    pub(crate) fn conflict(condition: Name, text: impl Into<String>) -> Refusal {
        Refusal::new(409, text).condition(condition)
    }

    pub(crate) fn not_found() -> Refusal {
        Refusal::new(404, "there is nothing here")
    }

    pub(crate) fn condition(mut self, condition: Name) -> Refusal {
        self.condition = Some(Box::new((condition, String::new())));
        self
    }

    /// The condition's element holds the path of what stands in the way.
    pub(crate) fn about(self, path: &str) -> Refusal {
        self.about_all(&[path.to_owned()])
    }

    /// As `about`, of several.
    pub(crate) fn about_all(mut self, paths: &[String]) -> Refusal {
        if let Some((_, inner)) = self.condition.as_deref_mut() {
            let mut writer = Writer::part();
            for path in paths {
                writer.leaf(&Name::dav("href"), path);
            }
            *inner = writer.finish();
        }
        self
    }

    /// The rights that are missing (RFC 3744 section 7.1.1).
    pub(crate) fn needs(path: &str, privilege: &Name, text: impl Into<String>) -> Refusal {
        let mut writer = Writer::part();
        writer.open(&Name::dav("resource"));
        writer.leaf(&Name::dav("href"), path);
        writer.open(&Name::dav("privilege"));
        writer.empty(privilege);
        writer.close(&Name::dav("privilege"));
        writer.close(&Name::dav("resource"));
        let mut refusal = Refusal::new(403, text);
        refusal.condition = Some(Box::new((Name::dav("need-privileges"), writer.finish())));
        refusal
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Refusal {
        self.headers.push((name, value.into()));
        self
    }

    /// The `DAV:error` element, within a document; nothing without a condition.
    pub(crate) fn write_error(&self, out: &mut Writer) {
        if let Some((name, inner)) = self.condition.as_deref() {
            out.open(&Name::dav("error"));
            write_condition(out, name, inner);
            out.close(&Name::dav("error"));
        }
    }

    pub(crate) fn answer(self) -> Answer {
        let answer = match self.condition.as_deref() {
            Some((name, inner)) => {
                let root = Name::dav("error");
                let mut writer = Writer::document(&root);
                write_condition(&mut writer, name, inner);
                writer.close(&root);
                Answer::xml(self.status, writer.finish())
            }
            None if matches!(self.status, 204 | 304) => Answer::new(self.status),
            None => Answer::new(self.status)
                .header("content-type", "text/plain; charset=utf-8")
                .content(Content::Octets(format!("{}\n", self.text).into_bytes())),
        };
        self.headers
            .into_iter()
            .fold(answer, |answer, (name, value)| answer.header(name, value))
    }
}

fn write_condition(out: &mut Writer, name: &Name, inner: &str) {
    if inner.is_empty() {
        out.empty(name);
    } else {
        out.open(name);
        out.raw(inner);
        out.close(name);
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        let text = fault.detail.clone();
        match fault.class {
            FaultClass::NotFound => Refusal::new(404, text),
            FaultClass::Denied => Refusal::new(403, text),
            FaultClass::Invalid | FaultClass::Unsupported => Refusal::new(400, text),
            FaultClass::AlreadyExists => {
                Refusal::conflict(Name::dav("resource-must-be-null"), text)
            }
            FaultClass::Conflict => Refusal::new(409, text),
            // RFC 4331 section 6.
            FaultClass::Limit if fault.code == QUOTA_EXCEEDED => {
                Refusal::new(507, text).condition(Name::dav("quota-not-exceeded"))
            }
            FaultClass::Limit => Refusal::new(507, text),
            FaultClass::Expired => Refusal::forbidden(Name::dav("valid-sync-token"), text),
            FaultClass::Unavailable if fault.code == NOT_ENOUGH_DISK => {
                waxwing_sdk::warning!("{text}");
                Refusal::conflict(Name::dav("sufficient-disk-space"), "the disk is full")
                    .status(507)
            }
            FaultClass::Unavailable => {
                waxwing_sdk::warning!("{text}");
                Refusal::new(503, "the mailbox cannot be reached now").header("retry-after", "30")
            }
            FaultClass::Internal => {
                waxwing_sdk::error!("{text}");
                Refusal::new(500, "the mailbox does not answer as it should")
            }
        }
    }
}

impl Refusal {
    pub(crate) fn status(mut self, status: u16) -> Refusal {
        self.status = status;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_holds_one_condition() {
        let refusal = Refusal::forbidden(Name::caldav("no-uid-conflict"), "x").about("/dav/a&b");
        let actions = refusal.answer().into_actions();
        let Some(Action::Send(octets)) = actions.get(1) else {
            panic!("no body");
        };
        let root = crate::xml::read(octets).unwrap();
        assert!(root.name.is("DAV:", "error"));
        let conditions: Vec<_> = root.children().collect();
        assert_eq!(conditions.len(), 1);
        assert_eq!(
            conditions[0].child("DAV:", "href").unwrap().text(),
            "/dav/a&b"
        );
    }

    #[test]
    fn a_status_without_content_has_no_length() {
        let actions = Answer::new(204).into_actions();
        assert!(
            matches!(&actions[..], [Action::Head(head), Action::Finish] if head.content_length.is_none())
        );
    }
}
