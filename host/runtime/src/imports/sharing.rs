//! `waxwing:directory/sharing`: whose mailboxes somebody can see something of. The directory names who may share; each mailbox is asked
//! before its account is told of.

use std::sync::Arc;

use waxwing_directory::{Sharer, User};

use super::{Failure, Result, accounts};
use crate::{
    Services,
    bindings::waxwing::directory::sharing::{Account, Host},
    state::State,
};

impl State {
    fn logged_in(&self) -> Result<Arc<User>> {
        let user = self.host.principal();
        user.ok_or_else(|| Failure::denied("nobody has logged in on this session"))
    }
}

/// Those of the sharers of whom the user sees something.
async fn visible(
    services: &Services,
    user: &User,
    sharers: impl Iterator<Item = &Sharer>,
) -> Result<Vec<Account>> {
    let actor = accounts::actor(services, user).await?;
    let mut visible = Vec::new();
    for sharer in sharers {
        if accounts::shows_something(services, &sharer.user, &actor).await {
            visible.push(Account {
                address: sharer.user.address.clone(),
                display_name: sharer.user.display_name.clone(),
                public: sharer.public,
            });
        }
    }
    Ok(visible)
}

impl Host for State {
    async fn accounts(&mut self) -> Result<Vec<Account>> {
        let (user, services) = (self.logged_in()?, self.services.clone());
        self.call("sharing.accounts", async move {
            let sharers = services.directory.sharers(&user).await?;
            visible(&services, &user, sharers.iter()).await
        })
        .await
    }

    async fn public_account(&mut self) -> Result<Option<Account>> {
        let (user, services) = (self.logged_in()?, self.services.clone());
        self.call("sharing.public-account", async move {
            let sharers = services.directory.sharers(&user).await?;
            let public = sharers.iter().filter(|sharer| sharer.public);
            Ok(visible(&services, &user, public).await?.pop())
        })
        .await
    }

    async fn member(&mut self, name: String) -> Result<String> {
        let directory = self.services.directory.clone();
        self.call("sharing.member", async move {
            Ok(directory.member(&name).await?)
        })
        .await
    }
}
