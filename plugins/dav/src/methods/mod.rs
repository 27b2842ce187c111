//! One file for each method.

mod acl;
pub(crate) mod collection;
mod delete;
mod get;
mod invite_reply;
mod lock;
mod make;
mod options;
mod post;
pub(crate) mod propfind;
mod proppatch;
pub(crate) mod put;
pub(crate) mod report;
mod share;
mod transfer;
mod unlock;

use waxwing_sdk::frozen::Frozen as _;
use waxwing_sdk::http::{self, Action};

use crate::answer::{Answer, Refusal};
use crate::kept::Kept;
use crate::paging::{Rest, Ticket};
use crate::property::Asked;
use crate::request::Request;
use crate::visit::Visit;
use crate::xml::Element;

/// Answers a request, also one that is refused.
pub(crate) fn answer(request: http::Request) -> Vec<Action> {
    let redirects = request.route.starts_with("/.well-known/");
    let mut request = Request::of(request);
    let answered = if redirects {
        // RFC 6764 section 5.
        Ok(Answer::new(301).header("location", crate::place::ROOT))
    } else {
        dispatch(&mut request)
    };
    let mut answer = answered.unwrap_or_else(|refusal: Refusal| {
        let (method, status, text) = (&request.method, refusal.status, &refusal.text);
        waxwing_sdk::debug!("{method} refused with {status}: {text}");
        refusal.answer()
    });
    match answer.take_rest() {
        None => answer.into_actions(),
        Some(rest) => with_rest(answer.into_first_page(), &request, Some(rest)),
    }
}

/// The next page of an answer. One that cannot be made breaks the answer off: its status is told already.
pub(crate) fn go_on(ticket: &[u8]) -> Vec<Action> {
    let page = Ticket::from_ticket(ticket).and_then(|ticket| {
        let mut request = Request::of_ticket(ticket).map_err(|refusal| refusal.text)?;
        let mut answer = dispatch(&mut request).map_err(|refusal| refusal.text)?;
        let rest = answer.take_rest();
        let page = vec![Action::Send(answer.into_octets())];
        Ok(with_rest(page, &request, rest))
    });
    page.unwrap_or_else(|reason| {
        waxwing_sdk::warning!("an answer is broken off: {reason}");
        vec![Action::Abort]
    })
}

fn with_rest(mut actions: Vec<Action>, request: &Request, rest: Option<Rest>) -> Vec<Action> {
    let ending = match rest.map(|rest| request.ticket(rest).to_ticket()) {
        None => Action::Finish,
        Some(Ok(ticket)) => Action::More(ticket),
        Some(Err(reason)) => {
            waxwing_sdk::error!("an answer is broken off: {reason}");
            Action::Abort
        }
    };
    actions.push(ending);
    actions
}

/// As [`crate::read_any`], of a body that is XML.
pub(crate) fn read_any(body: &Element) {
    let _ = Asked::of_propfind(Some(body));
    let instructions = proppatch::changes(body);
    let planned = proppatch::plan(&instructions, &Kept::default());
    let _ = planned.map(|plan| plan.kept.kinds());
    lock::read_any(body);
    share::read_any(body);
    invite_reply::read_any(body);
    report::read_any(body);
}

fn dispatch(request: &mut Request) -> Result<Answer, Refusal> {
    if request.method == "OPTIONS" {
        return Ok(options::answer());
    }
    let method: fn(&Request, &Visit) -> Result<Answer, Refusal> = match request.method.as_str() {
        "GET" => get::answer,
        "PUT" => put::answer,
        "POST" => post::answer,
        "DELETE" => delete::answer,
        "PROPFIND" => propfind::answer,
        "PROPPATCH" => proppatch::answer,
        "MKCOL" => make::collection,
        "MKCALENDAR" => make::calendar,
        "COPY" => transfer::copy,
        "MOVE" => transfer::move_to,
        "LOCK" => lock::answer,
        "UNLOCK" => unlock::answer,
        "REPORT" => report::answer,
        "ACL" => acl::answer,
        _ => {
            return Err(
                Refusal::new(405, "this method is not served").header("allow", options::ALLOW)
            );
        }
    };
    let visit = Visit::current()?;
    if let Some(lists) = request.lists()? {
        request.seen = crate::lock::evaluate(&lists, &visit, request.place.as_ref())?;
    }
    method(request, &visit)
}
