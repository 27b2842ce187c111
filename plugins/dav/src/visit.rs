//! Who asks, and the mailboxes that they may open.

use std::cell::OnceCell;

use waxwing_formats_mapi::Rights;
use waxwing_sdk::accounts::{self, Principal, sharing};
use waxwing_sdk::scheduling;
use waxwing_sdk::store::Mailbox;

use crate::answer::Refusal;
use crate::catalog::{self, Collection, Purpose};
use crate::lock::Locks;
use crate::place::{CollectionPlace, Place, Shelf};
use crate::sharing::invites::{self, Status};

/// One request of somebody.
pub(crate) struct Visit {
    principal: Principal,
    /// The primary address, in small letters as in paths.
    pub(crate) address: String,
}

/// A collection and the mailbox that it is in.
pub(crate) struct Opened {
    pub(crate) mailbox: Mailbox,
    pub(crate) collection: Collection,
    locks: OnceCell<Locks>,
}

impl Opened {
    /// Who has locked what in it, as it was when somebody asked first.
    pub(crate) fn locks(&self) -> &Locks {
        self.locks.get_or_init(|| {
            let locks = Locks::all(&self.mailbox, self.collection.folder.id);
            locks.unwrap_or_else(|fault| {
                waxwing_sdk::warning!("locks cannot be read", detail = fault.detail);
                Locks::default()
            })
        })
    }
}

/// Calendars or address books of somebody else that who asks sees.
pub(crate) struct Shared {
    /// In small letters as in paths.
    pub(crate) owner: String,
    pub(crate) mailbox: Mailbox,
    /// One at the least.
    pub(crate) collections: Vec<Collection>,
}

impl Shared {
    /// Whether something in one of them may be changed.
    pub(crate) fn is_writable(&self) -> bool {
        let changes = Rights::CREATE | Rights::EDIT_ANY | Rights::DELETE_ANY;
        let mut rights = self.collections.iter().map(Collection::rights);
        rights.any(|rights| rights.intersects(changes))
    }
}

impl Visit {
    /// Whoever the host has authenticated.
    pub(crate) fn current() -> Result<Visit, Refusal> {
        let principal = accounts::current().ok_or_else(|| {
            Refusal::new(401, "log in with a user name and a password").header(
                "www-authenticate",
                "Basic realm=\"waxwing\", charset=\"UTF-8\"",
            )
        })?;
        Ok(Visit {
            address: principal.address().to_lowercase(),
            principal,
        })
    }

    pub(crate) fn display_name(&self) -> String {
        let name = self.principal.display_name();
        if name.is_empty() {
            self.address.clone()
        } else {
            name
        }
    }

    pub(crate) fn place(&self) -> Place {
        Place::Principal(self.address.clone())
    }

    /// The mailbox of an address, if there is something in it for who asks.
    pub(crate) fn mailbox(&self, owner: &str) -> Result<Mailbox, Refusal> {
        let whose = (owner != self.address).then_some(owner);
        Ok(self.principal.open_mailbox(whose)?)
    }

    /// What others share of a kind, by owner; the public folders too.
    pub(crate) fn shared(&self, shelf: Shelf) -> Vec<Shared> {
        let accounts = sharing::accounts().unwrap_or_else(|fault| {
            waxwing_sdk::warning!("what others share cannot be told", detail = fault.detail);
            Vec::new()
        });
        let owners = accounts
            .into_iter()
            .map(|account| account.address.to_lowercase());
        let of_owner = |owner: String| {
            let (mailbox, mut collections) = self.home(shelf, &owner).ok()?;
            let unwanted = self.unwanted(&mailbox);
            collections.retain(|collection| {
                collection.purpose() == Purpose::Objects
                    && !unwanted.contains(&collection.folder.id)
            });
            (!collections.is_empty()).then_some(Shared {
                owner,
                mailbox,
                collections,
            })
        };
        owners.filter_map(of_owner).collect()
    }

    /// Folders of somebody else to which who asks is invited and has not said yes.
    fn unwanted(&self, mailbox: &Mailbox) -> Vec<u64> {
        let invites = invites::of(mailbox, &self.address).unwrap_or_else(|fault| {
            waxwing_sdk::warning!("invitations cannot be read", detail = fault.detail);
            Vec::new()
        });
        let open = invites
            .into_iter()
            .filter(|invite| invite.status != Status::Accepted);
        open.map(|invite| invite.folder).collect()
    }

    /// What stands in a home.
    pub(crate) fn home(
        &self,
        shelf: Shelf,
        owner: &str,
    ) -> Result<(Mailbox, Vec<Collection>), Refusal> {
        let mailbox = self.mailbox(owner)?;
        let collections = catalog::of_home(&mailbox, shelf, owner)?;
        Ok((mailbox, collections))
    }

    /// A collection that is there.
    pub(crate) fn open(&self, place: &CollectionPlace) -> Result<Opened, Refusal> {
        let (mailbox, collections) = self.home(place.shelf, &place.owner)?;
        let named = |collections: Vec<Collection>| {
            let mut collections = collections.into_iter();
            collections.find(|collection| collection.place == *place)
        };
        let is_made = place.shelf == Shelf::Calendars
            && place.owner == self.address
            && matches!(place.name.as_str(), "inbox" | "outbox");
        let collection = match named(collections) {
            None if is_made => {
                scheduling::collections(&mailbox)?;
                named(catalog::of_home(&mailbox, place.shelf, &place.owner)?)
            }
            found => found,
        };
        let collection = collection.ok_or_else(Refusal::not_found)?;
        Ok(Opened {
            mailbox,
            collection,
            locks: OnceCell::new(),
        })
    }
}
