//! From the octets of a response to a credential.

use crate::accounts::{Credential, Password, Token};

/// `[authzid] NUL authcid NUL passwd`
pub(super) fn plain(response: &str) -> Option<Credential> {
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
pub(super) fn xoauth2(response: &str) -> Option<Credential> {
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
pub(super) fn oauthbearer(response: &str) -> Option<Credential> {
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
