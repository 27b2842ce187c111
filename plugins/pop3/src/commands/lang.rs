//! LANG (RFC 6856 section 3): the language of what stands behind `+OK` and `-ERR`. There is one.

use waxwing_sdk::stream::Turn;

use crate::reply::{Answer, Refusal, ok};

pub(super) fn run(tag: Option<&str>) -> Answer<Turn> {
    let Some(tag) = tag else {
        return Ok(Turn::new()
            .send(ok("Languages follow"))
            .send("en English\r\n.\r\n"));
    };
    // `*` is the server's choice; `en-GB` asks for a kind of what there is.
    let language = tag.split('-').next().unwrap_or_default();
    match tag == "*" || language.eq_ignore_ascii_case("en") || tag.eq_ignore_ascii_case("i-default")
    {
        true => Ok(Turn::new().send(ok("en Answers are in English"))),
        false => Err(Refusal::client("There is no such language")),
    }
}
