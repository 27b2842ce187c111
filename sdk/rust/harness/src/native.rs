//! The house's own store and directory behind the stand-in: the same plugin code, compiled for this machine and called
//! directly, on the same mailboxes as the component. What the sandbox costs is the difference.
//!
//! It answers what a client needs to log in, select, fetch and search; for the rest the stand-in says `unsupported`.

use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use secrecy::SecretString;
use tokio::runtime::Handle;
use waxwing_exmdb::{self as exmdb, Mailbox, MailboxGuid, View};
use waxwing_formats_mapi::{PropertyTag, Relation, Restriction, TextScope, Value};
use waxwing_runtime::Services;
use waxwing_sdk::bodies::Body;
use waxwing_sdk::fault::{Fault, FaultClass};
use waxwing_sdk::standin::store::{
    Accounts, HostMailbox, HostView, accounts::Credential, answer_with, folders::Folder,
    views::Found,
};
use waxwing_sdk::store::{
    ItemFlags, Page, Query, RestrictionNode, Row, Selection, Span, Table, TablePage,
    Value as WitValue, ViewChanges, ViewInfo, types,
};

use crate::{House, translate};

type Answer<T> = std::result::Result<T, Fault>;

impl House {
    /// From now on the stand-in's log-ins on this thread are answered from this house.
    pub fn answer_natively(&self) {
        answer_with(Rc::new(Native {
            services: self.services().clone(),
            tokio: self.tokio.handle().clone(),
        }));
    }
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault::new(FaultClass::Internal, error.to_string())
}

struct Native {
    services: Services,
    tokio: Handle,
}

impl Accounts for Native {
    fn authenticate(&self, credential: &Credential) -> Answer<Rc<dyn HostMailbox>> {
        let Credential::Password(given) = credential else {
            return Err(fault("only passwords are taken here"));
        };
        let credential = waxwing_directory::Credential::Password {
            user: given.user.clone(),
            password: SecretString::from(given.password.clone()),
            act_as: given.act_as.clone(),
        };
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.tokio.block_on(async {
            let user = self
                .services
                .directory
                .authenticate(peer, credential)
                .await
                .map_err(fault)?;
            let guid: MailboxGuid = user.mailbox.parse().map_err(|_| fault("no mailbox id"))?;
            let mailbox = self.services.store.mailbox(guid).await.map_err(fault)?;
            let answers: Rc<dyn HostMailbox> = Rc::new(Opened {
                address: user.address,
                mailbox: mailbox.acting(exmdb::Actor::Owner),
                tokio: self.tokio.clone(),
            });
            Ok(answers)
        })
    }
}

struct Opened {
    address: String,
    mailbox: Mailbox,
    tokio: Handle,
}

impl HostMailbox for Opened {
    fn guid(&self) -> String {
        self.mailbox.guid().to_string()
    }

    fn address(&self) -> String {
        self.address.clone()
    }

    fn keywords(&self) -> Answer<Vec<String>> {
        self.tokio.block_on(self.mailbox.keywords()).map_err(fault)
    }

    fn folders(&self) -> Answer<Vec<Folder>> {
        let folders = self.tokio.block_on(self.mailbox.folders()).map_err(fault)?;
        Ok(folders.into_iter().map(folder).collect())
    }

    fn open_view(&self, folder: u64, read_only: bool) -> Answer<Rc<dyn HostView>> {
        let opening = self.mailbox.open_view(exmdb::FolderId(folder), read_only);
        let view = self.tokio.block_on(opening).map_err(fault)?;
        Ok(Rc::new(Viewed {
            view,
            tokio: self.tokio.clone(),
        }))
    }
}

struct Viewed {
    view: View,
    tokio: Handle,
}

impl HostView for Viewed {
    fn info(&self) -> ViewInfo {
        let info = self.view.info();
        ViewInfo {
            id: info.id.0,
            folder: info.folder.0,
            exists: info.exists,
            recent: info.recent,
            first_unseen: info.first_unseen,
            uid_validity: info.uid_validity.0,
            uid_next: info.uid_next.0,
            highest_modseq: info.highest_modseq,
            read_only: info.read_only,
            rights: info.rights,
        }
    }

    fn sync(&self, allow_expunge: bool) -> Answer<ViewChanges> {
        let syncing = self.view.sync(allow_expunge);
        let changes = self.tokio.block_on(syncing).map_err(fault)?;
        Ok(ViewChanges {
            expunged: changes.expunged,
            expunged_uids: spans(changes.expunged_uids),
            exists: changes.exists,
            recent: changes.recent,
            changed: changes.changed.into_iter().map(row).collect(),
            highest_modseq: changes.highest_modseq,
        })
    }

    fn fetch(&self, asked: &Query) -> Answer<Page> {
        let fetching = self.view.fetch(query(asked));
        let page = self.tokio.block_on(fetching).map_err(fault)?;
        Ok(Page {
            rows: page.rows.into_iter().map(row).collect(),
            next: page.next,
        })
    }

    fn fetch_table(&self, asked: &Query) -> Answer<TablePage> {
        let columns = exmdb::Columns(asked.columns);
        let fetching = self.view.fetch(query(asked));
        let page = self.tokio.block_on(fetching).map_err(fault)?;
        Ok(TablePage {
            rows: table(exmdb::Table::of(page.rows, columns)),
            next: page.next,
        })
    }

    fn search(&self, nodes: &[RestrictionNode]) -> Answer<Found> {
        let restriction = restriction(nodes)?;
        let searching = self.view.search(&restriction);
        let found = self.tokio.block_on(searching).map_err(fault)?;
        Ok(Found {
            positions: spans(found.positions),
            uids: spans(found.uids),
            count: found.count,
            highest_modseq: found.highest_modseq,
        })
    }

    fn open_bodies(&self, items: &[u64]) -> Vec<Answer<Body>> {
        let items: Vec<_> = items.iter().copied().map(exmdb::ItemId).collect();
        self.tokio.block_on(async {
            let mut bodies = Vec::with_capacity(items.len());
            for opened in self.view.open_bodies(&items).await {
                bodies.push(match opened {
                    Ok(body) => translate::octets(&body)
                        .await
                        .map(|octets| Body::of(&octets))
                        .map_err(fault),
                    Err(error) => Err(fault(error)),
                });
            }
            bodies
        })
    }

    fn close(&self) {
        self.view.close();
    }
}

fn folder(folder: exmdb::Folder) -> Folder {
    Folder {
        id: folder.id.0,
        parent: folder.parent.map(|id| id.0),
        name: folder.name,
        container_class: folder.container_class,
        role: folder.role as u32,
        uid_validity: folder.uid_validity.0,
        uid_next: folder.uid_next.0,
        items: folder.items,
        unread: folder.unread,
        deleted: folder.deleted,
        recent: folder.recent,
        size: folder.size,
        highest_modseq: folder.highest_modseq,
        change_number: folder.change_number.0,
        rights: folder.rights,
    }
}

fn query(query: &Query) -> exmdb::Query {
    exmdb::Query {
        selection: match &query.selection {
            Selection::Positions(given) => exmdb::Selection::Positions(ranges(given)),
            Selection::Uids(given) => exmdb::Selection::Uids(ranges(given)),
        },
        columns: exmdb::Columns(query.columns),
        tags: query.tags.iter().copied().map(PropertyTag).collect(),
        changed_since: query.changed_since,
        after: query.after,
        limit: query.limit,
    }
}

/// Rows with properties are asked for by no command of these.
fn table(table: exmdb::Table) -> Table {
    Table {
        positions: table.positions,
        uids: table.uids,
        items: table.items,
        modseqs: table.modseqs,
        flags: table.flags,
        keyword_ends: table.keyword_ends,
        keywords: table.keywords,
        internal_dates: table.internal_dates,
        save_dates: table.save_dates,
        sizes: table.sizes,
        structure_ends: table.structure_ends,
        structures: table.structures,
        header_ends: table.header_ends,
        headers: table.headers,
        properties: Vec::new(),
    }
}

/// As `table`.
fn row(row: exmdb::Row) -> Row {
    Row {
        position: row.position,
        uid: row.uid.0,
        item: row.item.0,
        modseq: row.modseq,
        flags: flags(row.flags),
        keywords: row.keywords,
        internal_date: row.internal_date,
        save_date: row.save_date,
        size: row.size,
        structure: row.structure.into(),
        header: row.header.into(),
        properties: Vec::new(),
    }
}

/// The bits of the contract are those of the store, in the same order.
fn flags(flags: exmdb::ItemFlags) -> ItemFlags {
    const FLAGS: [ItemFlags; 10] = [
        ItemFlags::SEEN,
        ItemFlags::ANSWERED,
        ItemFlags::FLAGGED,
        ItemFlags::DELETED,
        ItemFlags::DRAFT,
        ItemFlags::RECENT,
        ItemFlags::FORWARDED,
        ItemFlags::MDN_SENT,
        ItemFlags::HAS_ATTACHMENT,
        ItemFlags::ASSOCIATED,
    ];
    FLAGS
        .iter()
        .enumerate()
        .filter(|(bit, _)| flags.0 & (1 << bit) != 0)
        .fold(ItemFlags::empty(), |all, (_, flag)| all | *flag)
}

fn spans(spans: Vec<exmdb::Span>) -> Vec<Span> {
    let span = |span: exmdb::Span| Span {
        first: *span.start(),
        last: *span.end(),
    };
    spans.into_iter().map(span).collect()
}

fn ranges(spans: &[Span]) -> Vec<exmdb::Span> {
    spans.iter().map(|span| span.first..=span.last).collect()
}

/// The tree of a list whose nodes name children that stand before them.
fn restriction(nodes: &[RestrictionNode]) -> Answer<Restriction> {
    match nodes.len().checked_sub(1) {
        Some(root) => node(nodes, root),
        None => Ok(Restriction::Always(true)),
    }
}

fn node(nodes: &[RestrictionNode], at: usize) -> Answer<Restriction> {
    use RestrictionNode as W;
    let children = |indexes: &[u32]| -> Answer<Vec<Restriction>> {
        let child = |index: &u32| child(nodes, *index, at);
        indexes.iter().map(child).collect()
    };
    Ok(match nodes.get(at).ok_or_else(|| fault("no such node"))? {
        W::Always(always) => Restriction::Always(*always),
        W::AllOf(indexes) => Restriction::All(children(indexes)?),
        W::AnyOf(indexes) => Restriction::Any(children(indexes)?),
        W::Negate(index) => Restriction::Not(Box::new(child(nodes, *index, at)?)),
        W::FlagBits(test) => Restriction::Flags {
            mask: test.mask,
            all_set: test.all_set,
        },
        W::Keyword(name) => Restriction::Keyword(name.clone()),
        W::Header(test) => Restriction::Header {
            name: test.name.clone(),
            contains: test.contains.clone(),
        },
        W::Text(test) => Restriction::Text {
            scope: match test.scope {
                types::TextScope::Body => TextScope::Body,
                types::TextScope::Whole => TextScope::Whole,
            },
            contains: test.contains.clone(),
        },
        W::Property(test) => Restriction::Property {
            tag: PropertyTag(test.tag),
            relation: relation(test.relation),
            value: number(&test.value)?,
        },
        _ => return Err(fault("this search is not answered natively")),
    })
}

fn child(nodes: &[RestrictionNode], index: u32, parent: usize) -> Answer<Restriction> {
    let index = usize::try_from(index).map_err(fault)?;
    if index >= parent {
        return Err(fault("a node names one behind it"));
    }
    node(nodes, index)
}

fn relation(given: types::Relation) -> Relation {
    match given {
        types::Relation::Less => Relation::Less,
        types::Relation::LessOrEqual => Relation::LessOrEqual,
        types::Relation::Greater => Relation::Greater,
        types::Relation::GreaterOrEqual => Relation::GreaterOrEqual,
        types::Relation::Equal => Relation::Equal,
        types::Relation::NotEqual => Relation::NotEqual,
    }
}

fn number(value: &WitValue) -> Answer<Value> {
    match value {
        WitValue::Int32(number) => Ok(Value::Int32(*number)),
        WitValue::Int64(number) => Ok(Value::Int64(*number)),
        _ => Err(fault("this value is not answered natively")),
    }
}
