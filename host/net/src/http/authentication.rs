//! HTTP Basic (RFC 7617). The password goes to the directory and nowhere else: plugins see a principal.

use std::net::IpAddr;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};
use secrecy::SecretString;
use waxwing_directory::{Credential, Directory, Error, User};

use super::refusal::Refusal;

/// The user that the request's credentials prove.
pub(super) async fn authenticate(
    directory: &Directory,
    peer: IpAddr,
    headers: &HeaderMap,
) -> Result<User, Refusal> {
    let credential = basic(headers).ok_or(Refusal::Unauthorized)?;
    directory
        .authenticate(peer, credential)
        .await
        .map_err(|error| match error {
            Error::Limit(_) => Refusal::TooManyFailures,
            Error::Database(_) | Error::Unavailable(_) => {
                tracing::error!(%error, "log-in not possible");
                Refusal::DirectoryUnavailable
            }
            _ => Refusal::Unauthorized,
        })
}

fn basic(headers: &HeaderMap) -> Option<Credential> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let decoded = match String::from_utf8(decoded) {
        Ok(text) => text,
        // Clients that ignore the charset parameter send Latin-1.
        Err(other) => other.into_bytes().into_iter().map(char::from).collect(),
    };
    let (user, password) = decoded.split_once(':')?;
    Some(Credential::Password {
        user: user.to_owned(),
        password: SecretString::from(password.to_owned()),
        act_as: None,
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn parsed(value: &str) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        match basic(&headers)? {
            Credential::Password { user, password, .. } => {
                Some((user, password.expose_secret().to_owned()))
            }
            _ => None,
        }
    }

    #[test]
    fn a_password_may_hold_colons_and_umlauts_in_either_charset() {
        let expected = Some(("ann@a.example".to_owned(), "pä:ss".to_owned()));
        assert_eq!(
            parsed(&format!(
                "basic {}",
                BASE64_STANDARD.encode("ann@a.example:pä:ss")
            )),
            expected
        );
        assert_eq!(
            parsed(&format!(
                "Basic {}",
                BASE64_STANDARD.encode(b"ann@a.example:p\xe4:ss")
            )),
            expected
        );
    }

    #[test]
    fn what_is_not_basic_is_no_credential() {
        for value in ["Bearer abc", "Basic", "Basic !!!", "Basic YWJj"] {
            assert_eq!(parsed(value), None, "{value}");
        }
    }
}
