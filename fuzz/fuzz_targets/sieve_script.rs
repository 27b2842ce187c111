//! A script and a message: any script is right or wrong with a line, and one that runs ends in actions or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waxwing_formats_sieve::{Arrival, Script, Surroundings};

struct Nothing<'a>(&'a [u8]);

impl Surroundings for Nothing<'_> {
    fn has_folder(&mut self, name: &str) -> bool {
        name.len() % 2 == 0
    }
    fn has_special_use(&mut self, _: &str, _: Option<&str>) -> bool {
        false
    }
    fn script(&mut self, _: &str, _: bool) -> Option<String> {
        None
    }
    fn seen(&mut self, _: &str) -> bool {
        false
    }
    fn message(&mut self) -> Vec<u8> {
        self.0.to_vec()
    }
}

fuzz_target!(|input: (&str, &[u8])| {
    let (text, message) = input;
    let Ok(script) = Script::parse(text) else {
        return;
    };
    let arrival = Arrival {
        header: message,
        size: message.len() as u64,
        sender: "a@example.org",
        recipient: "b+c@example.org",
        delimiter: Some('+'),
        ..Arrival::default()
    };
    let _ = script.run(&arrival, &mut Nothing(message));
});
