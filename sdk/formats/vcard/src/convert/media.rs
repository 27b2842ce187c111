//! PHOTO, LOGO, SOUND and KEY: base64 with ENCODING and TYPE in 3.0, a `data:` URL in 4.0.

use crate::contentline::Line;

const PROPERTIES: [(&str, &str); 4] = [
    ("PHOTO", "image"),
    ("LOGO", "image"),
    ("SOUND", "audio"),
    ("KEY", "application"),
];

/// Media types that are not the family and the word in small letters: the family, what 3.0 says, what 4.0 says.
const WORDS: [(&str, &str, &str); 4] = [
    ("image", "JPG", "image/jpeg"),
    ("application", "PGP", "application/pgp-keys"),
    ("application", "X509", "application/pkix-cert"),
    ("audio", "WAVE", "audio/wav"),
];

pub(super) fn family(line: &Line) -> Option<&'static str> {
    PROPERTIES
        .iter()
        .find(|(name, _)| line.is(name))
        .map(|(_, family)| *family)
}

fn media_type(family: &str, word: &str) -> String {
    if word.contains('/') {
        return word.to_ascii_lowercase();
    }
    let known = WORDS
        .iter()
        .find(|(of, name, _)| *of == family && word.eq_ignore_ascii_case(name));
    known.map_or_else(
        || format!("{family}/{}", word.to_ascii_lowercase()),
        |(_, _, media)| (*media).to_owned(),
    )
}

fn word(family: &str, media_type: &str) -> String {
    let known = WORDS
        .iter()
        .skip(1)
        .find(|(of, _, media)| *of == family && media_type.eq_ignore_ascii_case(media));
    let plain = || {
        media_type
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase()
    };
    known.map_or_else(plain, |(_, word, _)| (*word).to_owned())
}

pub(crate) fn up(line: &mut Line, family: &str) {
    let is_base64 = line.has_parameter("ENCODING", "b") || line.has_parameter("ENCODING", "BASE64");
    let media = line
        .parameter_values("TYPE")
        .find(|word| !word.eq_ignore_ascii_case("PREF"))
        .map(|word| media_type(family, word));
    line.remove_parameter("ENCODING");
    line.remove_parameter("TYPE");
    line.remove_parameter("VALUE");
    if is_base64 {
        let data: String = line.value.split_whitespace().collect();
        let media = media.unwrap_or_else(|| sniffed(&data).to_owned());
        line.value = format!("data:{media};base64,{data}");
    } else if let Some(media) = media {
        line.set_parameter("MEDIATYPE", media);
    }
}

/// A type for data that came without one: most photos do.
fn sniffed(base64: &str) -> &'static str {
    match base64.get(..4) {
        Some("/9j/") => "image/jpeg",
        Some("iVBO") => "image/png",
        Some("R0lG") => "image/gif",
        _ => "application/octet-stream",
    }
}

pub(crate) fn down(line: &mut Line, family: &str) {
    let media = line.parameter("MEDIATYPE").map(str::to_owned);
    line.remove_parameter("MEDIATYPE");
    line.remove_parameter("VALUE");
    let data = line
        .value
        .get(..5)
        .filter(|scheme| scheme.eq_ignore_ascii_case("data:"))
        .and_then(|_| line.value.get(5..));
    match data.and_then(|rest| rest.split_once(";base64,")) {
        Some((media, data)) => {
            let kind = word(family, media.split(';').next().unwrap_or_default());
            line.value = data.to_owned();
            line.set_parameter("ENCODING", "b");
            line.set_parameter("TYPE", kind);
        }
        None => {
            line.set_parameter("VALUE", "uri");
            if let Some(media) = media {
                line.set_parameter("TYPE", word(family, &media));
            }
        }
    }
}
