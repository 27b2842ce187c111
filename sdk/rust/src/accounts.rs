//! Log-in. The host checks every credential, counts failures and delays the answer; a plugin cannot guess.
//!
//! A [`Mailbox`] is a capability: it exists only after the host has authenticated its user on this connection.

use crate::fault::Fault;
use crate::store::Mailbox;

pub use crate::bindings::waxwing::directory::accounts::{Credential, Password, Principal, Token};

/// Checks a user and password, and binds the session to the principal. `act_as` is a SASL authzid.
///
/// # Errors
/// `denied`, after a delay that grows; `limit` after too many failures.
pub fn log_in(user: &str, password: &str, act_as: Option<&str>) -> Result<Principal, Fault> {
    authenticate(&Credential::Password(Password {
        user: user.to_owned(),
        password: password.to_owned(),
        act_as: act_as.map(str::to_owned),
    }))
}

/// Checks any credential, and binds the session to the principal.
///
/// # Errors
/// As [`log_in`].
pub fn authenticate(credential: &Credential) -> Result<Principal, Fault> {
    #[cfg(in_host)]
    return crate::bindings::waxwing::directory::accounts::authenticate(credential);
    #[cfg(not(in_host))]
    {
        let _ = credential;
        Err(Fault::unsupported("accounts.authenticate"))
    }
}

/// The principal of this session or request; it survives a hand-over.
#[must_use]
pub fn current() -> Option<Principal> {
    #[cfg(in_host)]
    return crate::bindings::waxwing::directory::accounts::current();
    #[cfg(not(in_host))]
    None
}

/// A mailbox that the session has opened before, by [`Mailbox::number`]; for `thaw`.
///
/// # Errors
/// `not-found` when it has not; `denied` when the right is gone.
pub fn reopen_mailbox(number: u32) -> Result<Mailbox, Fault> {
    #[cfg(in_host)]
    return crate::bindings::waxwing::directory::accounts::reopen_mailbox(number);
    #[cfg(not(in_host))]
    {
        let _ = number;
        Err(Fault::unsupported("accounts.reopen-mailbox"))
    }
}

/// Forgets principal and mailboxes (IMAP UNAUTHENTICATE).
pub fn forget() {
    #[cfg(in_host)]
    crate::bindings::waxwing::directory::accounts::forget();
}
