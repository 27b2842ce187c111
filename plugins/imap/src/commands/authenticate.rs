//! AUTHENTICATE (RFC 9051 section 6.2.2, RFC 4959) with PLAIN (RFC 4616), LOGIN, XOAUTH2, OAUTHBEARER (RFC 7628) and EXTERNAL
//! (RFC 4422 appendix A). Responses are bytes to a credential; the directory judges it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use waxwing_sdk::accounts::{Credential, Password, Token};

use super::{capability, login};
use crate::parse::Mechanism;
use crate::session::{Answer, Completion, Imap, Output, Pending, Refusal};

/// RFC 7628 section 3.2.3; XOAUTH2 has the same shape.
const TOKEN_ERROR: &str = r#"{"status":"invalid_token"}"#;

pub(super) fn run(
    session: &mut Imap,
    tag: &str,
    mechanism: Option<Mechanism>,
    initial: Option<&[u8]>,
    out: &mut Output,
) -> Answer {
    login::require_privacy(session)?;
    let offered = mechanism
        .filter(|wanted| capability::mechanisms(session).any(|(offered, _)| offered == *wanted));
    let Some(mechanism) = offered else {
        return Err(Refusal::no("[CANNOT] This mechanism is not supported"));
    };
    let exchange = Exchange {
        tag: tag.to_owned(),
        mechanism,
        user: None,
        failed: false,
    };
    match initial {
        // RFC 4959: a single = is an empty response.
        Some(b"=") => exchange.answer(session, b"", out),
        Some(encoded) => exchange.answer(session, &decode(encoded)?, out),
        None => {
            let prompt = if mechanism == Mechanism::Login {
                "Username:"
            } else {
                ""
            };
            Ok(exchange.ask(session, prompt, out))
        }
    }
}

/// A line from the client.
pub(crate) fn on_input(session: &mut Imap, input: &[u8], out: &mut Output) -> usize {
    let Some(end) = input.iter().position(|&byte| byte == b'\n') else {
        if input.len() > crate::parse::limits::LINE {
            session.say_bye("[LIMIT] The response is longer than 64000 octets", out);
            return input.len();
        }
        return 0;
    };
    let line = input.get(..end).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let Pending::Authenticate {
        tag,
        mechanism,
        user,
        failed,
    } = std::mem::replace(&mut session.state.pending, Pending::Nothing)
    else {
        return 0;
    };
    let exchange = Exchange {
        tag: tag.clone(),
        mechanism,
        user,
        failed,
    };
    let answer = match line {
        b"*" => Err(Refusal::Bad("Authentication cancelled".to_owned())),
        encoded => decode(encoded).and_then(|response| exchange.answer(session, &response, out)),
    };
    session.conclude(&tag, answer, out);
    end + 1
}

fn decode(encoded: &[u8]) -> Result<Vec<u8>, Refusal> {
    STANDARD
        .decode(encoded)
        .map_err(|_| Refusal::Bad("The response is not base64".to_owned()))
}

/// A mechanism at work.
struct Exchange {
    tag: String,
    mechanism: Mechanism,
    user: Option<String>,
    failed: bool,
}

impl Exchange {
    fn ask(self, session: &mut Imap, prompt: &str, out: &mut Output) -> Completion {
        out.line(&format!("+ {}", STANDARD.encode(prompt)));
        let Exchange {
            tag,
            mechanism,
            user,
            failed,
        } = self;
        session.state.pending = Pending::Authenticate {
            tag,
            mechanism,
            user,
            failed,
        };
        Completion::Later
    }

    fn answer(mut self, session: &mut Imap, response: &[u8], out: &mut Output) -> Answer {
        let denied = || Refusal::no("[AUTHENTICATIONFAILED] Authentication failed");
        if self.failed {
            return Err(denied());
        }
        let text = std::str::from_utf8(response)
            .map_err(|_| Refusal::Bad("The response is not UTF-8".to_owned()))?;
        let malformed = || Refusal::Bad("The response is malformed".to_owned());
        let credential = match (self.mechanism, self.user.take()) {
            (Mechanism::Login, None) => {
                self.user = Some(text.to_owned());
                return Ok(self.ask(session, "Password:", out));
            }
            (Mechanism::Login, Some(user)) => Credential::Password(Password {
                user,
                password: text.to_owned(),
                act_as: None,
            }),
            (Mechanism::Plain, _) => plain(text).ok_or_else(malformed)?,
            (Mechanism::XOAuth2, _) => xoauth2(text).ok_or_else(malformed)?,
            (Mechanism::OAuthBearer, _) => oauthbearer(text).ok_or_else(malformed)?,
            (Mechanism::External, _) => {
                Credential::External((!text.is_empty()).then(|| text.to_owned()))
            }
        };
        let answer = login::log_in(session, &credential);
        match answer {
            Err(_) if matches!(self.mechanism, Mechanism::XOAuth2 | Mechanism::OAuthBearer) => {
                self.failed = true;
                Ok(self.ask(session, TOKEN_ERROR, out))
            }
            answer => answer,
        }
    }
}

/// `[authzid] NUL authcid NUL passwd`
fn plain(response: &str) -> Option<Credential> {
    let mut fields = response.split('\0');
    let (act_as, user, password) = (fields.next()?, fields.next()?, fields.next()?);
    if fields.next().is_some() || user.is_empty() {
        return None;
    }
    let act_as = (!act_as.is_empty() && act_as != user).then(|| act_as.to_owned());
    Some(Credential::Password(Password {
        user: user.to_owned(),
        password: password.to_owned(),
        act_as,
    }))
}

/// `user=…^Aauth=Bearer …^A^A`
fn xoauth2(response: &str) -> Option<Credential> {
    let field = |name: &str| {
        response
            .split('\x01')
            .find_map(|pair| pair.strip_prefix(name))
    };
    let token = bearer(field("auth=")?)?;
    Some(Credential::Bearer(Token {
        user: Some(field("user=")?.to_owned()),
        token,
    }))
}

/// `n,a=user,^A…auth=Bearer …^A^A`
fn oauthbearer(response: &str) -> Option<Credential> {
    let (header, pairs) = response.split_once('\x01')?;
    let mut parts = header.split(',');
    if !matches!(parts.next()?, "n" | "y") {
        return None;
    }
    let user = parts
        .next()?
        .strip_prefix("a=")
        .map(|name| name.replace("=2C", ",").replace("=3D", "="));
    let token = bearer(
        pairs
            .split('\x01')
            .find_map(|pair| pair.strip_prefix("auth="))?,
    )?;
    Some(Credential::Bearer(Token { user, token }))
}

fn bearer(value: &str) -> Option<String> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("Bearer")
        .then(|| token.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_has_three_fields() {
        let Some(Credential::Password(password)) = plain("\0alice\0secret") else {
            panic!()
        };
        assert_eq!(
            (
                password.user.as_str(),
                password.password.as_str(),
                password.act_as
            ),
            ("alice", "secret", None)
        );
        let Some(Credential::Password(password)) = plain("bob\0alice\0secret") else {
            panic!()
        };
        assert_eq!(password.act_as.as_deref(), Some("bob"));
        assert!(plain("alice\0secret").is_none());
        assert!(plain("\0\0secret").is_none());
        assert!(plain("\0a\0b\0c").is_none());
    }

    #[test]
    fn bearer_tokens_come_in_two_wrappings() {
        let Some(Credential::Bearer(token)) = xoauth2("user=a@b\x01auth=Bearer xyz\x01\x01") else {
            panic!()
        };
        assert_eq!(
            (token.user.as_deref(), token.token.as_str()),
            (Some("a@b"), "xyz")
        );
        let Some(Credential::Bearer(token)) =
            oauthbearer("n,a=a=2Cb,\x01host=h\x01auth=bearer xyz\x01\x01")
        else {
            panic!()
        };
        assert_eq!(
            (token.user.as_deref(), token.token.as_str()),
            (Some("a,b"), "xyz")
        );
        assert!(oauthbearer("p=x,,\x01auth=Bearer x\x01\x01").is_none());
    }
}
