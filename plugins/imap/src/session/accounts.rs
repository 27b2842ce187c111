//! The accounts of a session: the user's own, and those of others of which some folder can be seen. What is opened for a command is
//! found again by its number in the next; who may do what there is the store's to say.

use std::rc::Rc;

use waxwing_sdk::accounts::{self, Principal, sharing};
use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::store::{Mailbox, folders};

use super::{Imap, Refusal};
use crate::names::{INBOX_ROLE, MailboxName, OTHER_USERS, PUBLIC, Place, Realm, SEPARATOR, Tree};

/// An account with its folders by name.
pub(crate) struct Account {
    pub(crate) mailbox: Rc<Mailbox>,
    pub(crate) tree: Tree,
    /// Whether it is the user's own.
    pub(crate) own: bool,
    /// By which the session has opened it.
    pub(crate) number: u32,
    /// The name above all its folders, of another's.
    pub(crate) above: Option<String>,
}

fn nonexistent() -> Refusal {
    Refusal::no("[NONEXISTENT] There is no such mailbox")
}

fn principal() -> Result<Principal, Refusal> {
    accounts::current().ok_or_else(|| Refusal::no("[SERVERBUG] Nobody is logged in"))
}

/// The mailbox of somebody else, if anything of it can be seen.
fn open(address: &str) -> Result<Rc<Mailbox>, Refusal> {
    let opened = principal()?.open_mailbox(Some(address));
    opened.map(Rc::new).map_err(|fault| match fault.class {
        FaultClass::NotFound | FaultClass::Invalid => nonexistent(),
        _ => Refusal::from(fault),
    })
}

impl Imap {
    /// The account that a name is of.
    pub(crate) fn account_of(&mut self, name: &MailboxName) -> Result<Account, Refusal> {
        let (mailbox, above) = self.store_of(name)?;
        let (number, own) = (mailbox.number(), above.is_none());
        let place = Place {
            account: number,
            above: above.as_deref(),
        };
        let tree = Tree::new(place, folders::all(&mailbox)?);
        Ok(Account {
            mailbox,
            tree,
            own,
            number,
            above,
        })
    }

    /// The own account with INBOX alone, which its role tells: most of what is selected, and no other folder is asked for. That
    /// folder is the inbox for as long as there is the mailbox, so the session asks once; the counts in it are of that time.
    pub(crate) fn own_inbox(&mut self) -> Result<Rc<Account>, Refusal> {
        if let Some(known) = &self.live.inbox {
            return Ok(known.clone());
        }
        let mailbox = self.own_mailbox()?;
        let inbox = folders::by_role(&mailbox, INBOX_ROLE)?;
        let number = mailbox.number();
        let place = Place {
            account: number,
            above: None,
        };
        let account = Rc::new(Account {
            tree: Tree::new(place, vec![inbox]),
            mailbox,
            own: true,
            number,
            above: None,
        });
        self.live.inbox = Some(account.clone());
        Ok(account)
    }

    /// The store that a name is in, and the name above its folders where it is another's.
    pub(crate) fn store_of(
        &mut self,
        name: &MailboxName,
    ) -> Result<(Rc<Mailbox>, Option<String>), Refusal> {
        match name.realm() {
            Realm::Personal => Ok((self.own_mailbox()?, None)),
            Realm::OtherUsers(None) => Err(nonexistent()),
            Realm::OtherUsers(Some(address)) => Ok((
                open(address)?,
                Some(format!("{OTHER_USERS}{SEPARATOR}{address}")),
            )),
            Realm::Public => {
                let public = sharing::public_account()?.ok_or_else(nonexistent)?;
                Ok((open(&public.address)?, Some(PUBLIC.to_owned())))
            }
        }
    }

    /// Folders of the own account, and of others where a pattern can match them.
    pub(crate) fn tree_for(&mut self, reaches: impl Fn(&str) -> bool) -> Result<Tree, Refusal> {
        let own = self.tree()?;
        if !reaches(OTHER_USERS) && !reaches(PUBLIC) {
            return Ok(own);
        }
        let mut others = Vec::new();
        let mut accounts = sharing::accounts()?;
        // A session has numbers for so many accounts and no more.
        accounts.sort_by_key(|account| !account.public);
        for account in accounts {
            let above = match account.public {
                true => PUBLIC.to_owned(),
                false => format!("{OTHER_USERS}{SEPARATOR}{}", account.address),
            };
            if !reaches(&above) {
                continue;
            }
            match folders_below(&account.address, &above) {
                Ok(tree) => others.push(tree),
                Err(Refusal::No(reason) | Refusal::Bad(reason)) => {
                    waxwing_sdk::warning!(
                        "the folders of an account are left out",
                        account = account.address,
                        reason = reason
                    );
                }
            }
        }
        Ok(own.with(others))
    }

    /// An account by the number of a node.
    pub(crate) fn mailbox_numbered(&mut self, number: u32) -> Result<Rc<Mailbox>, Refusal> {
        if self.state.mailbox == Some(number) {
            return self.own_mailbox();
        }
        Ok(Rc::new(accounts::reopen_mailbox(number)?))
    }

    /// The folder that is selected, if it is of the own account: numbers of folders say nothing without their account.
    pub(crate) fn selected_own_folder(&self) -> Option<u64> {
        let selected = self.state.selected.as_ref();
        selected
            .filter(|_| self.state.attention.account.is_none())
            .map(|selected| selected.folder)
    }

    /// The number of the account that the selected folder is of.
    pub(crate) fn selected_account(&self) -> Option<u32> {
        self.state.attention.account.or(self.state.mailbox)
    }
}

fn folders_below(address: &str, above: &str) -> Result<Tree, Refusal> {
    let mailbox = open(address)?;
    let place = Place {
        account: mailbox.number(),
        above: Some(above),
    };
    Ok(Tree::new(place, folders::all(&mailbox)?))
}
