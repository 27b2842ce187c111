//! A status page for people and monitors, and an event stream that tells of new mail.
//!
//! | path | who | what |
//! |---|---|---|
//! | `/status` | everybody | [`page`]: HTML |
//! | `/status.json` | everybody | [`page`]: the same as JSON |
//! | `/events` | a user (Basic) | [`events`]: `text/event-stream` of the own inbox |
//!
//! It is also the smallest plugin that parks: an open event stream holds no instance, and goes on when the plugin is
//! replaced, because all it needs stands in its ticket. Nothing here tells anybody about users or load: the page is public.

mod events;
mod page;

use waxwing_sdk::http::{Action, Head, HttpPlugin, Request, Wake, respond};

/// The plugin: it has no state but tickets.
pub struct Status;

impl HttpPlugin for Status {
    fn handle(request: Request) -> Vec<Action> {
        let path = request.path.to_ascii_lowercase();
        let path = if path.len() > 1 {
            path.trim_end_matches('/')
        } else {
            &path
        };
        let answer: fn(&Request) -> Vec<Action> = match path {
            "/status" => page::html,
            "/status.json" => page::json,
            "/events" => events::open,
            _ => return respond(404, "text/plain; charset=utf-8", "There is nothing here.\n"),
        };
        match request.method.as_str() {
            "GET" => answer(&request),
            "HEAD" if path == "/events" => vec![Action::Head(events::head()), Action::Finish],
            "HEAD" => answer(&request)
                .into_iter()
                .filter(|action| !matches!(action, Action::Send(_)))
                .collect(),
            "OPTIONS" => methods(204),
            _ => methods(405),
        }
    }

    fn resume(ticket: Vec<u8>, wake: Wake) -> Vec<Action> {
        events::resume(&ticket, &wake)
    }
}

fn methods(status: u16) -> Vec<Action> {
    let head = Head::new(status).header("allow", "GET, HEAD, OPTIONS");
    let head = if status == 204 { head } else { head.length(0) };
    vec![Action::Head(head), Action::Finish]
}

waxwing_sdk::http_plugin!(Status);

#[cfg(test)]
mod tests {
    use super::*;

    /// A request as the host hands it over.
    fn request(method: &str, path: &str) -> Request {
        Request {
            id: "r1".into(),
            method: method.into(),
            scheme: "https".into(),
            authority: "mail.test<script>".into(),
            path: path.into(),
            query: None,
            route: "/status".into(),
            headers: Vec::new(),
            peer_address: "127.0.0.1".into(),
            tls: None,
            body: None,
            version: "status 0.1.0".into(),
        }
    }

    fn answer(method: &str, path: &str) -> (u16, String) {
        let (mut status, mut content) = (0, Vec::new());
        for action in Status::handle(request(method, path)) {
            match action {
                Action::Head(head) => status = head.status,
                Action::Send(octets) => content.extend(octets),
                _ => {}
            }
        }
        (status, String::from_utf8(content).unwrap())
    }

    #[test]
    fn the_page_names_the_version_and_escapes_what_the_client_said() {
        let (status, page) = answer("GET", "/Status/");
        assert_eq!(status, 200);
        assert!(
            page.contains("status 0.1.0")
                && page.contains("mail.test&lt;script&gt;")
                && !page.contains("<script>"),
            "{page}"
        );
    }

    #[test]
    fn the_json_form_is_json() {
        let (_, json) = answer("GET", "/status.json");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["plugin"], "status 0.1.0");
        assert_eq!(json["status"], "ok");
        assert!(json["tls"].is_null());
    }

    #[test]
    fn head_answers_as_get_without_content() {
        assert_eq!(answer("HEAD", "/status.json"), (200, String::new()));
        assert_eq!(answer("HEAD", "/events"), (200, String::new()));
    }

    #[test]
    fn other_methods_and_paths_are_refused() {
        assert_eq!(answer("POST", "/status").0, 405);
        assert_eq!(answer("OPTIONS", "/status").0, 204);
        assert_eq!(answer("GET", "/statusx").0, 404);
        assert_eq!(answer("GET", "/").0, 404);
    }

    #[test]
    fn an_event_stream_needs_somebody() {
        assert_eq!(answer("GET", "/events").0, 401);
    }
}
