//! Log-in. The host checks every credential, counts failures and delays the answer; a plugin cannot guess.
//!
//! A [`Mailbox`](crate::store::Mailbox) is a capability: it exists only after the host has authenticated its user on this connection.

use crate::fault::Fault;

pub use crate::bindings::answered::accounts::{
    Credential, Password, Principal, Token, authenticate, current, forget, reopen_mailbox,
};
pub use crate::bindings::answered::{scram, sharing};

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
