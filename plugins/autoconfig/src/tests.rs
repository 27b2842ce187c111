use waxwing_sdk::{delivery::AddressClass, standin};

use super::*;

const SERVICES: [(&str, u16); 8] = [
    ("caldavs", 443),
    ("carddavs", 8443),
    ("imap", 143),
    ("imaps", 993),
    ("pop3s", 995),
    ("sieve", 4190),
    ("submission", 587),
    ("submissions", 465),
];

fn site() {
    standin::reset();
    standin::set_site("mail.example.org", &SERVICES);
    standin::add_address("anna@example.org", AddressClass::Local);
}

fn get(target: &str) -> (u16, String) {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let mut answer = (0, String::new());
    for action in Autoconfig::handle(request("GET", path, query)) {
        match action {
            Action::Head(head) => answer.0 = head.status,
            Action::Send(octets) => answer.1.push_str(&String::from_utf8(octets).unwrap()),
            _ => {}
        }
    }
    answer
}

fn request(method: &str, path: &str, query: Option<&str>) -> Request {
    Request {
        id: "r1".into(),
        method: method.into(),
        scheme: "https".into(),
        authority: "autoconfig.example.org:8443".into(),
        path: path.into(),
        query: query.map(str::to_owned),
        route: path.into(),
        headers: Vec::new(),
        peer_address: "127.0.0.1".into(),
        tls: None,
        body: None,
        version: "autoconfig 0.1.0".into(),
    }
}

#[test]
fn thunderbird_gets_implicit_tls_before_starttls_and_the_web_services() {
    site();
    let (status, xml) = get("/mail/config-v1.1.xml?emailaddress=anna%40example.org");
    assert_eq!(status, 200);
    let order = [
        "<port>993",
        "<port>143",
        "<port>995",
        "<port>465",
        "<port>587",
        "https://mail.example.org:8443/dav/",
        "https://mail.example.org/dav/",
    ];
    let places: Vec<usize> = order.iter().map(|text| xml.find(text).unwrap()).collect();
    assert!(places.is_sorted(), "{xml}");
}

#[test]
fn without_an_address_the_name_of_the_host_tells_the_domain() {
    site();
    let (status, xml) = get("/.well-known/autoconfig/mail/config-v1.1.xml");
    assert!(
        status == 200 && xml.contains("<emailProvider id=\"example.org\">"),
        "{xml}"
    );
}

#[test]
fn everybody_in_a_domain_gets_the_same_and_nobody_elsewhere_gets_anything() {
    site();
    let settings = |who: &str| get(&format!("/mail/config-v1.1.xml?emailaddress={who}"));
    assert_eq!(settings("anna@example.org"), settings("nobody@example.org"));
    assert_eq!(settings("anna@elsewhere.test").0, 404);
    for path in ["/setup", "/setup/profile.mobileconfig"] {
        assert_eq!(get(&format!("{path}?address=anna@elsewhere.test")).0, 404);
        assert_eq!(get(&format!("{path}?address=anna")).0, 400);
    }
}

#[test]
fn a_profile_fetched_again_replaces_the_first() {
    site();
    let profile = || get("/setup/profile.mobileconfig?address=anna@example.org");
    let (status, first) = profile();
    assert_eq!((status, &first), (200, &profile().1));
    let parsed = plist::Value::from_reader_xml(first.as_bytes()).unwrap();
    let parts = parsed.as_dictionary().unwrap()["PayloadContent"]
        .as_array()
        .unwrap();
    let kinds: Vec<&str> = parts
        .iter()
        .map(|part| {
            part.as_dictionary().unwrap()["PayloadType"]
                .as_string()
                .unwrap()
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "com.apple.mail.managed",
            "com.apple.caldav.account",
            "com.apple.carddav.account"
        ]
    );
}

#[test]
fn what_a_person_typed_is_text_in_the_page() {
    site();
    let (_, page) = get("/setup?address=%3Cscript%3E%26@example.org");
    assert!(
        page.contains("&lt;script&gt;&amp;@example.org") && !page.contains("<script>"),
        "{page}"
    );
    assert!(
        page.contains("profile.mobileconfig?address=%3Cscript%3E%26%40example.org"),
        "{page}"
    );
}

#[test]
fn a_policy_for_senders_stands_under_the_name_that_they_ask() {
    site();
    let ask = |host: &str| {
        let asked = Request {
            authority: host.into(),
            ..request("GET", "/.well-known/mta-sts.txt", None)
        };
        match &Autoconfig::handle(asked)[..] {
            [Action::Head(head), Action::Send(text), Action::Finish] => {
                (head.status, String::from_utf8_lossy(text).into_owned())
            }
            other => panic!("{other:?}"),
        }
    };
    let (status, policy) = ask("mta-sts.example.org");
    assert!(
        status == 200 && policy.contains("mode: testing\r\nmx: mail.example.org\r\n"),
        "{policy}"
    );
    assert_eq!(ask("mail.example.org").0, 404);
    assert_eq!(ask("mta-sts.elsewhere.test").0, 404);
    standin::set("mta_sts", "\"enforce\"");
    assert!(ask("mta-sts.example.org").1.contains("mode: enforce"));
    standin::set("mta_sts", "\"off\"");
    assert_eq!(ask("mta-sts.example.org").0, 404);
}

#[test]
fn other_methods_and_paths_are_refused() {
    site();
    let status = |method: &str, path: &str| match Autoconfig::handle(request(method, path, None))
        .into_iter()
        .next()
    {
        Some(Action::Head(head)) => head.status,
        other => panic!("{other:?}"),
    };
    assert_eq!(status("POST", "/setup"), 405);
    assert_eq!(status("GET", "/setup/else"), 404);
    assert_eq!(status("HEAD", "/setup"), 200);
}
