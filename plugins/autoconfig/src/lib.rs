//! Programs set themselves up: a person types an address and a password and is done.
//!
//! | path | for whom | what |
//! |---|---|---|
//! | `/mail/config-v1.1.xml`, `/.well-known/autoconfig/mail/config-v1.1.xml` | Thunderbird, K-9, Evolution, KMail | [`thunderbird`] |
//! | `/setup/profile.mobileconfig?address=` | iOS, macOS | [`profile`] |
//! | `/setup` | people, and programs that want to be set up by hand | [`page`] |
//! | `/.well-known/mta-sts.txt` | servers that have mail for our domains | [`mta_sts`] |
//!
//! All of it is made of three things: what the listeners are ([`waxwing_sdk::site`]), which domains are ours, and the address that
//! was typed. Nobody needs to log in, so nothing here may depend on whether the address is somebody's: the answer is the same for
//! every address of a domain. Passwords never come here; programs ask for them themselves.

mod address;
mod mta_sts;
mod page;
mod profile;
mod services;
mod thunderbird;

use waxwing_sdk::http::{Action, Head, HttpPlugin, Request, Wake, respond};

use crate::{
    address::{Address, Asked},
    services::Services,
};

/// The plugin: it has no state.
pub struct Autoconfig;

impl HttpPlugin for Autoconfig {
    fn handle(request: Request) -> Vec<Action> {
        let answer: fn(&Request) -> Vec<Action> = match request.path.trim_end_matches('/') {
            "/mail/config-v1.1.xml" | "/.well-known/autoconfig/mail/config-v1.1.xml" => settings,
            "/.well-known/mta-sts.txt" => policy,
            "/setup" => set_up,
            "/setup/profile.mobileconfig" => apple_profile,
            _ => return plain(404, "There is nothing here; /setup is a page for people.\n"),
        };
        match request.method.as_str() {
            "GET" => answer(&request),
            "HEAD" => answer(&request)
                .into_iter()
                .filter(|action| !matches!(action, Action::Send(_)))
                .collect(),
            _ => {
                let head = Head::new(405).header("allow", "GET, HEAD").length(0);
                vec![Action::Head(head), Action::Finish]
            }
        }
    }

    /// Nothing parks.
    fn resume(_ticket: Vec<u8>, _wake: Wake) -> Vec<Action> {
        vec![Action::Abort]
    }
}

waxwing_sdk::http_plugin!(Autoconfig);

fn settings(request: &Request) -> Vec<Action> {
    let domain =
        match address::parameter(request, "emailaddress").map(|typed| Address::parse(&typed)) {
            Some(Ok(address)) => address.domain().to_owned(),
            Some(Err(why)) => return plain(400, why),
            None => match address::domain_of_host("autoconfig.", &request.authority) {
                Some(domain) => domain,
                None => return plain(400, "Say ?emailaddress=NAME@DOMAIN.\n"),
            },
        };
    match address::ask(&domain) {
        Asked::Ours => made(
            "text/xml; charset=utf-8",
            thunderbird::config(&domain, &Services::current()),
        ),
        refused => refuse(refused),
    }
}

fn apple_profile(request: &Request) -> Vec<Action> {
    let address = match address::parameter(request, "address").map(|typed| Address::parse(&typed)) {
        Some(Ok(address)) => address,
        Some(Err(why)) => return plain(400, why),
        None => return plain(400, "Say ?address=NAME@DOMAIN.\n"),
    };
    match address::ask(address.domain()) {
        Asked::Ours => {
            let profile = match profile::profile(&address, &Services::current()) {
                Ok(profile) => profile,
                Err(error) => return broken(&error),
            };
            let head = Head::new(200)
                .header("content-type", "application/x-apple-aspen-config")
                .header(
                    "content-disposition",
                    "attachment; filename=\"mail.mobileconfig\"",
                )
                .length(profile.len() as u64);
            vec![Action::Head(head), Action::Send(profile), Action::Finish]
        }
        refused => refuse(refused),
    }
}

fn policy(request: &Request) -> Vec<Action> {
    let Some(domain) = address::domain_of_host("mta-sts.", &request.authority) else {
        return plain(404, "A policy is asked for at https://mta-sts.DOMAIN.\n");
    };
    match (address::ask(&domain), mta_sts::policy()) {
        (Asked::Ours, Some(policy)) => plain(200, &policy),
        (Asked::Ours, None) => plain(404, "There is no policy.\n"),
        (refused, _) => refuse(refused),
    }
}

fn set_up(request: &Request) -> Vec<Action> {
    let typed = address::parameter(request, "address").filter(|typed| !typed.trim().is_empty());
    let (status, page) = match typed.map(|typed| Address::parse(&typed)) {
        None => (200, page::form(None)),
        Some(Err(why)) => (400, page::form(Some(why))),
        Some(Ok(address)) => match address::ask(address.domain()) {
            Asked::Ours => (200, page::settings(&address, &Services::current())),
            refused => (refused.status(), page::form(Some(refused.why()))),
        },
    };
    let head = Head::new(status)
        .header("content-type", "text/html; charset=utf-8")
        .header(
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        )
        .length(page.len() as u64);
    vec![
        Action::Head(head),
        Action::Send(page.into_bytes()),
        Action::Finish,
    ]
}

fn made<E: std::fmt::Display>(content_type: &str, content: Result<Vec<u8>, E>) -> Vec<Action> {
    match content {
        Ok(content) => respond(200, content_type, content),
        Err(error) => broken(&error),
    }
}

fn broken(error: &impl std::fmt::Display) -> Vec<Action> {
    waxwing_sdk::error!("the settings cannot be written: {error}");
    plain(500, "The settings cannot be written.\n")
}

fn refuse(refused: Asked) -> Vec<Action> {
    plain(refused.status(), refused.why())
}

fn plain(status: u16, text: &str) -> Vec<Action> {
    respond(status, "text/plain; charset=utf-8", text)
}

#[cfg(test)]
mod tests;
