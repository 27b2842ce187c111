//! A message for one person, and what her script makes of it.

use std::collections::{BTreeMap, BTreeSet};

use waxwing_formats_sieve::{Action, Arrival, Script, Store, Surroundings};

/// The message of the examples.
pub const MESSAGE: &str = "Received: from a by b; Fri, 27 Nov 2026 10:00:01 +0000\r\n\
    From: \"Coyote\" <coyote+urgent@desert.example.org>\r\n\
    To: roadrunner@acme.example.com, Anna <anna+lists@example.org>\r\n\
    Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= from the\r\n desert\r\n\
    Message-ID: <1@desert.example.org>\r\n\
    Date: Fri, 27 Nov 2026 23:30:00 -0800\r\n\
    X-Spam-Score: 12\r\n\
    Received: from c by d; Thu, 26 Nov 2026 10:00:01 +0000\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n\
    preamble\r\n--b\r\nContent-Type: text/html; charset=iso-8859-1\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>caf=E9 <b>noir</b></p>\r\n\
    --b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nc2VjcmV0\r\n--b--\r\n";

/// What a run has around it.
#[derive(Default)]
pub struct Fixture {
    pub folders: BTreeSet<&'static str>,
    pub scripts: BTreeMap<&'static str, String>,
    pub seen: BTreeSet<String>,
    pub message: String,
    pub sender: &'static str,
    pub reads: usize,
}

impl Surroundings for Fixture {
    fn has_folder(&mut self, name: &str) -> bool {
        self.folders.contains(name)
    }
    fn has_special_use(&mut self, special_use: &str, folder: Option<&str>) -> bool {
        special_use == "\\Junk" && folder.is_none_or(|folder| folder == "Spam")
    }
    fn script(&mut self, name: &str, global: bool) -> Option<String> {
        self.scripts.get(name).filter(|_| !global).cloned()
    }
    fn seen(&mut self, key: &str) -> bool {
        self.seen.contains(key)
    }
    fn message(&mut self) -> Vec<u8> {
        self.reads += 1;
        self.message.clone().into_bytes()
    }
}

impl Fixture {
    pub fn new() -> Fixture {
        Fixture {
            folders: BTreeSet::from(["INBOX", "Lists", "Spam"]),
            message: MESSAGE.to_owned(),
            sender: "coyote@desert.example.org",
            ..Fixture::default()
        }
    }

    pub fn with_message(message: &str) -> Fixture {
        Fixture {
            message: message.to_owned(),
            ..Fixture::new()
        }
    }

    pub fn run(&mut self, script: &str) -> Result<Vec<Action>, String> {
        let script = Script::parse(script).map_err(|error| error.to_string())?;
        let message = self.message.clone();
        let (addresses, environment) = (
            ["anna@example.org".to_owned()],
            [("name".to_owned(), "Waxwing".to_owned())],
        );
        let arrival = Arrival {
            header: message.as_bytes(),
            size: message.len() as u64,
            sender: self.sender,
            recipient: "anna+lists@example.org",
            addresses: &addresses,
            delimiter: Some('+'),
            now: 1_795_780_800,
            environment: &environment,
        };
        let actions = script
            .run(&arrival, self)
            .map_err(|error| error.to_string())?;
        for action in &actions {
            if let Action::Remember { key, .. } = action {
                self.seen.insert(key.clone());
            }
        }
        Ok(actions)
    }
}

/// Whether a test is true of the message of the examples.
pub fn holds(require: &str, test: &str) -> bool {
    let script = format!("require [{require}\"fileinto\"]; if {test} {{ fileinto \"yes\"; }}");
    let actions = Fixture::new()
        .run(&script)
        .unwrap_or_else(|error| panic!("{test}: {error}"));
    folders(&actions) == ["yes"]
}

/// The folders that a run files into; `INBOX` for a keep.
pub fn folders(actions: &[Action]) -> Vec<&str> {
    let folder = |action| match action {
        &Action::Store(Store { ref folder, .. }) => Some(folder.as_deref().unwrap_or("INBOX")),
        _ => None,
    };
    actions.iter().filter_map(folder).collect()
}

/// The flags of the first folder a run files into.
pub fn flags(actions: &[Action]) -> Vec<&str> {
    let flags = |action| match action {
        &Action::Store(Store { ref flags, .. }) => Some(flags.iter().map(String::as_str).collect()),
        _ => None,
    };
    actions.iter().find_map(flags).unwrap_or_default()
}

/// The header of the first folder a run files into, if a script changed it.
pub fn header(actions: &[Action]) -> Option<String> {
    let header = |action| match action {
        &Action::Store(Store { ref header, .. }) => header.clone(),
        _ => None,
    };
    let header = actions.iter().find_map(header)?;
    Some(String::from_utf8(header.to_vec()).unwrap())
}
