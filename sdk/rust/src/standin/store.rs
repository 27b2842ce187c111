//! The shape of accounts, mailboxes, folders and views without a host: what a test or a measurement has put behind them
//! answers ([`answer_with`]), everything else is `unsupported`.
//!
//! Names and signatures are those that `wit-bindgen` generates, so that plugin code does not see the difference. Who
//! answers implements [`Accounts`], [`HostMailbox`] and [`HostView`]: `waxwing-sdk-harness` does so with a real store, and
//! the same plugin code then runs natively and in the sandbox side by side.

#![allow(
    missing_docs,
    reason = "the functions are those of `wit/deps/store/store.wit` and `directory.wit`, documented there"
)]

use std::cell::RefCell;
use std::rc::Rc;

use self::accounts::Credential;
use self::folders::Folder;
use self::views::{Found, Page, Query, TablePage, ViewChanges, ViewInfo};
use super::bodies::Body;
use crate::bindings::records::waxwing::store::types::RestrictionNode;
use crate::fault::Fault;

type Result<T> = std::result::Result<T, Fault>;

/// Who answers log-ins.
pub trait Accounts {
    /// Checks a credential; what a principal may open is the answer.
    ///
    /// # Errors
    /// As the host's.
    fn authenticate(&self, credential: &Credential) -> Result<Rc<dyn HostMailbox>>;
}

/// Who answers for a mailbox.
pub trait HostMailbox {
    fn guid(&self) -> String;
    fn address(&self) -> String;
    fn keywords(&self) -> Result<Vec<String>>;
    fn folders(&self) -> Result<Vec<Folder>>;
    fn open_view(&self, folder: u64, read_only: bool) -> Result<Rc<dyn HostView>>;
}

/// Who answers for a view.
pub trait HostView {
    fn info(&self) -> ViewInfo;
    fn sync(&self, allow_expunge: bool) -> Result<ViewChanges>;
    fn fetch(&self, query: &Query) -> Result<Page>;
    fn fetch_table(&self, query: &Query) -> Result<TablePage>;
    fn search(&self, restriction: &[RestrictionNode]) -> Result<Found>;
    fn open_bodies(&self, items: &[u64]) -> Vec<Result<Body>>;
    fn close(&self);
}

thread_local! {
    static ACCOUNTS: RefCell<Option<Rc<dyn Accounts>>> = const { RefCell::new(None) };
}

/// From now on these accounts answer on this thread.
pub fn answer_with(accounts: Rc<dyn Accounts>) {
    ACCOUNTS.set(Some(accounts));
}

fn unsupported<T>(call: &str) -> Result<T> {
    Err(Fault::unsupported(call))
}

macro_rules! opaque {
    ($name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(stringify!($name))
            }
        }
    };
}

pub mod accounts {
    use super::{ACCOUNTS, HostMailbox, Rc, Result, mailboxes::Mailbox, unsupported};
    pub use crate::bindings::records::waxwing::directory::accounts::{Credential, Password, Token};

    pub struct Principal(Rc<dyn HostMailbox>);
    opaque!(Principal);

    impl Principal {
        pub fn address(&self) -> String {
            self.0.address()
        }

        pub fn display_name(&self) -> String {
            self.0.address()
        }

        pub fn open_mailbox(&self, address: Option<&str>) -> Result<Mailbox> {
            match address {
                None => Ok(Mailbox(self.0.clone())),
                Some(_) => unsupported("accounts.open-mailbox"),
            }
        }

        pub fn feature(&self, _name: &str) -> bool {
            true
        }
    }

    pub fn authenticate(credential: &Credential) -> Result<Principal> {
        match ACCOUNTS.with_borrow(Clone::clone) {
            Some(accounts) => accounts.authenticate(credential).map(Principal),
            None => unsupported("accounts.authenticate"),
        }
    }

    pub fn current() -> Option<Principal> {
        None
    }

    pub fn reopen_mailbox(_number: u32) -> Result<Mailbox> {
        unsupported("accounts.reopen-mailbox")
    }

    pub fn forget() {}
}

/// There is none: what the directory knows of a password is not here.
pub mod scram {
    use super::{Result, accounts::Principal, unsupported};

    #[derive(Debug)]
    pub struct Proved {
        pub message: String,
        pub principal: Principal,
    }

    pub fn mechanisms() -> Vec<String> {
        Vec::new()
    }

    pub fn begin(_mechanism: &str, _message: &str) -> Result<String> {
        unsupported("scram.begin")
    }

    pub fn finish(_message: &str) -> Result<Proved> {
        unsupported("scram.finish")
    }
}

/// Nobody shares anything.
pub mod sharing {
    use super::{Result, unsupported};
    pub use crate::bindings::records::waxwing::directory::sharing::Account;

    pub fn accounts() -> Result<Vec<Account>> {
        Ok(Vec::new())
    }

    pub fn public_account() -> Result<Option<Account>> {
        Ok(None)
    }

    pub fn member(_name: &str) -> Result<String> {
        unsupported("sharing.member")
    }
}

pub mod mailboxes {
    use super::{HostMailbox, Rc, Result, unsupported};
    pub use crate::bindings::records::waxwing::store::mailboxes::Quota;

    pub fn quota_of(_mailbox: &Mailbox) -> Result<Quota> {
        unsupported("mailboxes.quota-of")
    }

    pub struct Mailbox(pub(super) Rc<dyn HostMailbox>);
    opaque!(Mailbox);

    impl Mailbox {
        // Generated code wants it to cross the component boundary, which there is none of here.
        pub(crate) fn handle(&self) -> u32 {
            0
        }

        pub fn number(&self) -> u32 {
            1
        }

        pub fn guid(&self) -> String {
            self.0.guid()
        }

        pub fn address(&self) -> String {
            self.0.address()
        }

        pub fn keywords(&self) -> Result<Vec<String>> {
            self.0.keywords()
        }

        /// There is one session.
        pub fn lock(&self, _name: &str) -> Result<()> {
            Ok(())
        }

        pub fn unlock(&self, _name: &str) {}
    }
}

pub mod folders {
    use super::{Fault, Result, mailboxes::Mailbox, unsupported};
    pub use crate::bindings::records::waxwing::store::folders::{
        ChangeNumber, Folder, FolderId, Property, PropertyTag,
    };
    use crate::fault::FaultClass;

    pub fn all(mailbox: &Mailbox) -> Result<Vec<Folder>> {
        mailbox.0.folders()
    }

    pub fn get(_mailbox: &Mailbox, _id: FolderId) -> Result<Folder> {
        unsupported("folders.get")
    }

    pub fn by_role(mailbox: &Mailbox, role: u32) -> Result<Folder> {
        let found = all(mailbox)?.into_iter().find(|folder| folder.role == role);
        found.ok_or_else(|| Fault::new(FaultClass::NotFound, "there is no folder of this role"))
    }

    pub fn receive_folder(_mailbox: &Mailbox, _message_class: &str) -> Result<Folder> {
        unsupported("folders.receive-folder")
    }

    pub fn create(
        _mailbox: &Mailbox,
        _parent: Option<FolderId>,
        _name: &str,
        _container_class: &str,
        _role: u32,
    ) -> Result<Folder> {
        unsupported("folders.create")
    }

    pub fn move_(
        _mailbox: &Mailbox,
        _id: FolderId,
        _parent: Option<FolderId>,
        _name: &str,
    ) -> Result<Folder> {
        unsupported("folders.move")
    }

    pub fn delete(_mailbox: &Mailbox, _id: FolderId) -> Result<()> {
        unsupported("folders.delete")
    }

    pub fn subscriptions(_mailbox: &Mailbox) -> Result<Vec<String>> {
        unsupported("folders.subscriptions")
    }

    pub fn subscribe(_mailbox: &Mailbox, _name: &str, _on: bool) -> Result<()> {
        unsupported("folders.subscribe")
    }
}

pub mod views {
    use super::{Body, HostView, Rc, Result, mailboxes::Mailbox, unsupported};
    pub use crate::bindings::records::waxwing::store::views::{
        Appended, Columns, FlagMode, FlagResult, FlagUpdate, FolderId, Found, ItemFlags, ItemId,
        NewMail, Page, Query, RestrictionNode, Row, Selection, SortKey, Sorted, Span, Table,
        TableFlagResult, TablePage, ThreadAlgorithm, Threads, Transfer, ViewChanges, ViewId,
        ViewInfo,
    };

    pub struct View(Rc<dyn HostView>);
    opaque!(View);

    impl View {
        pub fn info(&self) -> ViewInfo {
            self.0.info()
        }

        pub fn sync(&self, allow_expunge: bool) -> Result<ViewChanges> {
            self.0.sync(allow_expunge)
        }

        pub fn fetch(&self, query: &Query) -> Result<Page> {
            self.0.fetch(query)
        }

        pub fn fetch_table(&self, query: &Query) -> Result<TablePage> {
            self.0.fetch_table(query)
        }

        pub fn search(&self, restriction: &[RestrictionNode]) -> Result<Found> {
            self.0.search(restriction)
        }

        pub fn sort(&self, _restriction: &[RestrictionNode], _keys: &[SortKey]) -> Result<Sorted> {
            unsupported("view.sort")
        }

        pub fn thread(
            &self,
            _restriction: &[RestrictionNode],
            _algorithm: ThreadAlgorithm,
        ) -> Result<Threads> {
            unsupported("view.thread")
        }

        pub fn set_flags(&self, _update: &FlagUpdate) -> Result<FlagResult> {
            unsupported("view.set-flags")
        }

        pub fn set_flags_table(&self, _update: &FlagUpdate) -> Result<TableFlagResult> {
            unsupported("view.set-flags-table")
        }

        pub fn copy(&self, _selection: &Selection, _target: FolderId) -> Result<Transfer> {
            unsupported("view.copy")
        }

        pub fn move_(&self, _selection: &Selection, _target: FolderId) -> Result<Transfer> {
            unsupported("view.move")
        }

        pub fn expunge(&self, _selection: Option<&Selection>) -> Result<Vec<Span>> {
            unsupported("view.expunge")
        }

        pub fn vanished(&self, _selection: &Selection, _since: u64) -> Result<Vec<Span>> {
            unsupported("view.vanished")
        }

        pub fn open_bodies(&self, items: &[ItemId]) -> Vec<Result<Body>> {
            self.0.open_bodies(items)
        }

        pub fn close(&self) {
            self.0.close();
        }
    }

    pub fn open(mailbox: &Mailbox, folder: FolderId, read_only: bool) -> Result<View> {
        mailbox.0.open_view(folder, read_only).map(View)
    }

    pub fn resume(_mailbox: &Mailbox, _id: ViewId) -> Result<View> {
        unsupported("views.resume")
    }

    pub fn append(
        _mailbox: &Mailbox,
        _folder: FolderId,
        _messages: &[NewMail<'_>],
    ) -> Result<Appended> {
        unsupported("views.append")
    }

    pub fn copy_across(
        _view: &View,
        _selection: &Selection,
        _target: &Mailbox,
        _folder: FolderId,
        _remove: bool,
    ) -> Result<Transfer> {
        unsupported("views.copy-across")
    }
}
