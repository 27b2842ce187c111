//! `waxwing:scheduling/itip`: meetings, for the owner of a mailbox in whose calendar the principal may write.

use wasmtime::component::Resource;
use waxwing_exmdb::{FolderId, Rights};
use waxwing_scheduling as scheduling;

use super::{Failure, Result};
use crate::{
    bindings::waxwing::scheduling::itip::{BusyTime, CollectionIds, Host, Message},
    host_side::OpenMailbox,
    state::State,
};

/// Of one call.
const ADDRESSES: usize = 1_000;

impl From<scheduling::Error> for Failure {
    fn from(error: scheduling::Error) -> Self {
        use scheduling::Error as E;
        match error {
            E::Store(error) => error.into(),
            E::Directory(error) => error.into(),
            E::NotTheirs(why) => Failure::denied(why),
            E::Limit(_) => Failure::limit(error.to_string()),
            E::Calendar(_) | E::Broken(_) => Failure::invalid(error.to_string()),
        }
    }
}

impl Host for State {
    async fn addresses(&mut self, mailbox: Resource<OpenMailbox>) -> Result<Vec<String>> {
        let (open, services) = (self.get(&mailbox)?, self.services.clone());
        self.call("itip.addresses", async move {
            let owner = services.directory.user(&open.address).await?;
            Ok(services.delivery.scheduling().addresses(&owner).await?)
        })
        .await
    }

    async fn kinds(&mut self, addresses: Vec<String>) -> Result<Vec<String>> {
        if addresses.len() > ADDRESSES {
            return Err(Failure::limit(format!(
                "addresses in one call = {ADDRESSES}"
            )));
        }
        let services = self.services.clone();
        self.call("itip.kinds", async move {
            let rooms = services.delivery.scheduling();
            let mut kinds = Vec::with_capacity(addresses.len());
            for address in addresses {
                kinds.push(rooms.kind(&address).await?.to_owned());
            }
            Ok(kinds)
        })
        .await
    }

    async fn collections(&mut self, mailbox: Resource<OpenMailbox>) -> Result<CollectionIds> {
        let (open, services) = (self.get(&mailbox)?, self.services.clone());
        self.call("itip.collections", async move {
            let rooms = services.delivery.scheduling();
            let found = rooms.collections(&open.mailbox).await?;
            Ok(CollectionIds {
                inbox: found.inbox.0,
                outbox: found.outbox.0,
            })
        })
        .await
    }

    async fn send(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        folder: u64,
        messages: Vec<Message>,
    ) -> Result<Vec<String>> {
        if messages.len() > scheduling::MAX_MESSAGES {
            return Err(Failure::limit(format!(
                "messages in one call = {}",
                scheduling::MAX_MESSAGES
            )));
        }
        let (open, services) = (self.get(&mailbox)?, self.services.clone());
        let outgoing = |message: Message| scheduling::Outgoing {
            recipient: message.recipient,
            calendar: message.calendar,
            minor: message.minor,
        };
        let messages = messages.into_iter().map(outgoing).collect();
        self.call("itip.send", async move {
            let folder = open.mailbox.folder(FolderId(folder)).await?;
            let rights = Rights::from_bits_truncate(folder.rights);
            if !rights.intersects(Rights::EDIT_ANY | Rights::FOLDER_OWNER) {
                return Err(Failure::denied(
                    "whoever may not edit a calendar invites nobody for its owner",
                ));
            }
            let owner = services.directory.user(&open.address).await?;
            let statuses = services.delivery.schedule(&owner, messages).await?;
            let codes = statuses.into_iter().map(|status| status.code().to_owned());
            Ok(codes.collect())
        })
        .await
    }

    async fn free_busy(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        request: String,
    ) -> Result<Vec<BusyTime>> {
        let (open, services) = (self.get(&mailbox)?, self.services.clone());
        self.call("itip.free-busy", async move {
            let asking = services.directory.user(&open.address).await?;
            let rooms = services.delivery.scheduling();
            let times = rooms.free_busy(&asking, request).await?.into_iter();
            let time = |time: scheduling::BusyTime| BusyTime {
                recipient: time.recipient,
                request_status: time.request_status.to_owned(),
                calendar: time.calendar,
            };
            Ok(times.map(time).collect())
        })
        .await
    }
}
