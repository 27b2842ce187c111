//! `waxwing:directory/accounts`: the only way to a principal, and from there to a mailbox. The directory checks, counts
//! and delays; what is decided here is that a password is not taken from an unencrypted stream unless the
//! operator allows it, and whom a mailbox is opened for.

use std::sync::Arc;

use secrecy::SecretString;
use wasmtime::component::Resource;
use waxwing_directory::{Resolution, User};
use waxwing_exmdb::{Actor, Identity, Mailbox, MailboxGuid};

use super::{Failure, Result};
use crate::{
    Services,
    bindings::waxwing::directory::accounts::{Credential, Host, HostPrincipal},
    host_side::OpenMailbox,
    state::State,
};

/// Somebody whom the host has authenticated.
#[derive(Debug, Clone)]
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Principal(pub(crate) Arc<User>);

impl HostPrincipal for State {
    async fn address(&mut self, principal: Resource<Principal>) -> wasmtime::Result<String> {
        Ok(self.table.get(&principal)?.0.address.clone())
    }

    async fn display_name(&mut self, principal: Resource<Principal>) -> wasmtime::Result<String> {
        Ok(self.table.get(&principal)?.0.display_name.clone())
    }

    async fn open_mailbox(
        &mut self,
        principal: Resource<Principal>,
        address: Option<String>,
    ) -> Result<Resource<OpenMailbox>> {
        let user = self.get(&principal)?.0;
        let services = self.services.clone();
        let (address, actor, mailbox) = self
            .call("accounts.open-mailbox", open(services, user, address))
            .await?;
        let open = self
            .host
            .number_mailbox(address, actor, mailbox, &self.facts.limits)
            .map_err(Failure::limit)?;
        self.push(open)
    }

    async fn feature(
        &mut self,
        principal: Resource<Principal>,
        name: String,
    ) -> wasmtime::Result<bool> {
        Ok(!self.table.get(&principal)?.0.features_off.contains(&name))
    }

    async fn drop(&mut self, principal: Resource<Principal>) -> wasmtime::Result<()> {
        self.table.delete(principal)?;
        Ok(())
    }
}

/// The mailbox of `address`, acting for `user`: as its owner, or with what rights its folders give.
async fn open(
    services: Services,
    user: Arc<User>,
    address: Option<String>,
) -> Result<(Arc<str>, Actor, Mailbox)> {
    let target = match address {
        None => user.clone(),
        Some(address) => match services.directory.resolve(&address).await? {
            Resolution::Local { users, .. } => match <[User; 1]>::try_from(users) {
                Ok([owner]) => Arc::new(owner),
                Err(_) => return Err(Failure::not_found(format!("{address} is not one mailbox"))),
            },
            Resolution::Malformed(why) => return Err(Failure::invalid(why)),
            Resolution::Unknown | Resolution::Foreign => {
                return Err(Failure::not_found(format!("mailbox of {address}")));
            }
        },
    };
    let guid: MailboxGuid = target
        .mailbox
        .parse()
        .map_err(|_| Failure::internal("the directory's mailbox id is not one"))?;
    let mailbox = services.store.mailbox(guid).await?;
    if target.address == user.address {
        return Ok((
            target.address.as_str().into(),
            Actor::Owner,
            mailbox.acting(Actor::Owner),
        ));
    }
    let actor = actor(&services, &user).await?;
    let mailbox = mailbox.acting(actor.clone());
    // One answer for "no such mailbox" and "nothing of it is yours to see": addresses are not to be probed here.
    if mailbox.folders().await?.is_empty() {
        return Err(Failure::not_found(format!("mailbox of {}", target.address)));
    }
    Ok((target.address.as_str().into(), actor, mailbox))
}

/// A user in the mailboxes of others: with the groups and aliases of this moment.
pub(super) async fn actor(services: &Services, user: &User) -> Result<Actor> {
    Ok(Actor::User(Identity {
        address: user.address.clone(),
        groups: services.directory.names_of(user).await?.as_slice().into(),
    }))
}

/// Whether somebody may see any folder of an owner. A mailbox that cannot be read shows nothing, and hides no other.
pub(super) async fn shows_something(services: &Services, owner: &User, actor: &Actor) -> bool {
    let folders = async {
        let guid: MailboxGuid = owner.mailbox.parse()?;
        let mailbox = services.store.mailbox(guid).await?;
        mailbox.acting(actor.clone()).folders().await
    };
    folders
        .await
        .inspect_err(|error| {
            tracing::warn!(owner = %owner.address, %error, "what is shared cannot be told");
        })
        .is_ok_and(|folders| !folders.is_empty())
}

impl Host for State {
    async fn authenticate(&mut self, credential: Credential) -> Result<Resource<Principal>> {
        let credential = self.credential(credential)?;
        let (directory, peer) = (
            self.services.directory.clone(),
            self.host.identity.peer.ip(),
        );
        let user = self
            .call("accounts.authenticate", async move {
                Ok(directory.authenticate(peer, credential).await?)
            })
            .await?;
        let user = Arc::new(user);
        self.host.bind(user.clone());
        self.push(Principal(user))
    }

    async fn current(&mut self) -> wasmtime::Result<Option<Resource<Principal>>> {
        self.host
            .principal()
            .map(|user| self.push(Principal(user)))
            .transpose()
            .map_err(Failure::into_trap)
    }

    async fn reopen_mailbox(&mut self, number: u32) -> Result<Resource<OpenMailbox>> {
        let open = self
            .host
            .mailbox(number)
            .ok_or_else(|| Failure::not_found(format!("mailbox number {number}")))?;
        self.push(open)
    }

    async fn forget(&mut self) -> wasmtime::Result<()> {
        self.host.forget();
        Ok(())
    }
}

impl State {
    fn credential(&self, credential: Credential) -> Result<waxwing_directory::Credential> {
        use waxwing_directory::Credential as Checked;
        let tls = self.host.tls();
        if tls.is_none()
            && !self.host.identity.plaintext_login
            && matches!(credential, Credential::Password(_) | Credential::Bearer(_))
        {
            return Err(Failure::denied("passwords are not taken without TLS here"));
        }
        Ok(match credential {
            Credential::Password(given) => Checked::Password {
                user: given.user,
                password: SecretString::from(given.password),
                act_as: given.act_as,
            },
            Credential::Bearer(given) => Checked::Bearer {
                user: given.user,
                token: SecretString::from(given.token),
            },
            Credential::External(act_as) => Checked::External {
                certificate_identity: tls.and_then(|tls| tls.client_identity.clone()),
                act_as,
            },
            Credential::Extension(extension) => {
                return Err(Failure::unsupported(format!(
                    "credential code {} is not known to this host",
                    extension.code
                )));
            }
        })
    }
}
