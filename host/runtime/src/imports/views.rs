//! `waxwing:store/views`: a folder as one client sees it. A view belongs to the session, not to the instance: dropping
//! the handle leaves it open for `resume`, `close` and the session's end close it.

use wasmtime::component::Resource;
use waxwing_exmdb::{
    self as exmdb, Body, Columns, FlagMode, FlagUpdate, FolderId, ItemId, Query, ThreadAlgorithm,
    View,
};

use super::{Failure, Result, values};
use crate::{
    bindings::waxwing::store::{
        types::{RestrictionNode, SortKey, Span},
        views as wit,
    },
    host_side::OpenMailbox,
    state::State,
};

/// A handle on a session's view.
#[derive(Clone)]
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct OpenView(View);

/// `open-bodies` opens no more at once.
const BODIES: usize = 256;

fn row(row: exmdb::Row) -> wit::Row {
    wit::Row {
        position: row.position,
        uid: row.uid.0,
        item: row.item.0,
        modseq: row.modseq,
        flags: values::wit_flags(row.flags),
        keywords: row.keywords,
        internal_date: row.internal_date,
        save_date: row.save_date,
        size: row.size,
        structure: row.structure.into(),
        header: row.header.into(),
        properties: values::wit_properties(row.properties),
    }
}

fn table(found: Vec<exmdb::Row>, columns: Columns) -> wit::Table {
    let table = exmdb::Table::of(found, columns);
    wit::Table {
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
        properties: table
            .properties
            .into_iter()
            .map(values::wit_properties)
            .collect(),
    }
}

fn query(query: wit::Query) -> Result<Query> {
    Ok(Query {
        selection: values::selection(query.selection)?,
        columns: Columns(query.columns),
        tags: values::tags(&query.tags),
        changed_since: query.changed_since,
        after: query.after,
        limit: query.limit,
    })
}

fn flag_update(update: wit::FlagUpdate) -> Result<FlagUpdate> {
    Ok(FlagUpdate {
        selection: values::selection(update.selection)?,
        mode: match update.mode {
            wit::FlagMode::Replace => FlagMode::Replace,
            wit::FlagMode::Add => FlagMode::Add,
            wit::FlagMode::Remove => FlagMode::Remove,
        },
        flags: values::flags(update.flags),
        keywords: update.keywords,
        unchanged_since: update.unchanged_since,
    })
}

fn rows(found: Vec<exmdb::Row>) -> Vec<wit::Row> {
    found.into_iter().map(row).collect()
}

fn transfer(transfer: exmdb::Transfer) -> wit::Transfer {
    wit::Transfer {
        uid_validity: transfer.uid_validity.0,
        source: values::wit_spans(transfer.source),
        target: values::wit_spans(transfer.target),
    }
}

impl wit::HostView for State {
    async fn info(&mut self, view: Resource<OpenView>) -> wasmtime::Result<wit::ViewInfo> {
        let info = self.table.get(&view)?.0.info();
        Ok(wit::ViewInfo {
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
        })
    }

    async fn sync(
        &mut self,
        view: Resource<OpenView>,
        allow_expunge: bool,
    ) -> Result<wit::ViewChanges> {
        let changes = self.get(&view)?.0.sync(allow_expunge);
        self.call("view.sync", async move {
            let changes = changes.await?;
            Ok(wit::ViewChanges {
                expunged: changes.expunged,
                expunged_uids: values::wit_spans(changes.expunged_uids),
                exists: changes.exists,
                recent: changes.recent,
                changed: rows(changes.changed),
                highest_modseq: changes.highest_modseq,
            })
        })
        .await
    }

    async fn fetch(&mut self, view: Resource<OpenView>, asked: wit::Query) -> Result<wit::Page> {
        let (view, query) = (self.get(&view)?.0, query(asked)?);
        self.call("view.fetch", async move {
            let page = view.fetch(query).await?;
            Ok(wit::Page {
                rows: rows(page.rows),
                next: page.next,
            })
        })
        .await
    }

    async fn fetch_table(
        &mut self,
        view: Resource<OpenView>,
        asked: wit::Query,
    ) -> Result<wit::TablePage> {
        let (view, query) = (self.get(&view)?.0, query(asked)?);
        self.call("view.fetch-table", async move {
            let columns = query.columns;
            let page = view.fetch(query).await?;
            Ok(wit::TablePage {
                rows: table(page.rows, columns),
                next: page.next,
            })
        })
        .await
    }

    async fn search(
        &mut self,
        view: Resource<OpenView>,
        restriction: Vec<RestrictionNode>,
    ) -> Result<wit::Found> {
        let (view, restriction) = (self.get(&view)?.0, values::restriction(restriction)?);
        self.call("view.search", async move {
            let found = view.search(&restriction).await?;
            Ok(wit::Found {
                positions: values::wit_spans(found.positions),
                uids: values::wit_spans(found.uids),
                count: found.count,
                highest_modseq: found.highest_modseq,
            })
        })
        .await
    }

    async fn sort(
        &mut self,
        view: Resource<OpenView>,
        restriction: Vec<RestrictionNode>,
        keys: Vec<SortKey>,
    ) -> Result<wit::Sorted> {
        let (view, restriction, keys) = (
            self.get(&view)?.0,
            values::restriction(restriction)?,
            values::sort_keys(keys)?,
        );
        self.call("view.sort", async move {
            let sorted = view.sort(&restriction, &keys).await?;
            let (positions, uids) = sorted
                .into_iter()
                .map(|(position, uid)| (position, uid.0))
                .unzip();
            Ok(wit::Sorted { positions, uids })
        })
        .await
    }

    async fn thread(
        &mut self,
        view: Resource<OpenView>,
        restriction: Vec<RestrictionNode>,
        algorithm: wit::ThreadAlgorithm,
    ) -> Result<wit::Threads> {
        let (view, restriction) = (self.get(&view)?.0, values::restriction(restriction)?);
        let algorithm = match algorithm {
            wit::ThreadAlgorithm::OrderedSubject => ThreadAlgorithm::OrderedSubject,
            wit::ThreadAlgorithm::References => ThreadAlgorithm::References,
            wit::ThreadAlgorithm::Refs => ThreadAlgorithm::Refs,
        };
        self.call("view.thread", async move {
            let nodes = view.thread(&restriction, algorithm).await?;
            let message =
                |node: &exmdb::ThreadNode| node.message.map(|(position, uid)| (position, uid.0));
            let (positions, uids) = nodes
                .iter()
                .map(|node| message(node).unwrap_or((0, 0)))
                .unzip();
            Ok(wit::Threads {
                depths: nodes.iter().map(|node| node.depth).collect(),
                positions,
                uids,
            })
        })
        .await
    }

    async fn set_flags(
        &mut self,
        view: Resource<OpenView>,
        update: wit::FlagUpdate,
    ) -> Result<wit::FlagResult> {
        let result = self.get(&view)?.0.set_flags(flag_update(update)?);
        self.call("view.set-flags", async move {
            let result = result.await?;
            Ok(wit::FlagResult {
                rows: rows(result.rows),
                modified: values::wit_spans(result.modified),
                highest_modseq: result.highest_modseq,
            })
        })
        .await
    }

    async fn set_flags_table(
        &mut self,
        view: Resource<OpenView>,
        update: wit::FlagUpdate,
    ) -> Result<wit::TableFlagResult> {
        let result = self.get(&view)?.0.set_flags(flag_update(update)?);
        self.call("view.set-flags-table", async move {
            let result = result.await?;
            Ok(wit::TableFlagResult {
                rows: table(result.rows, Columns(0)),
                modified: values::wit_spans(result.modified),
                highest_modseq: result.highest_modseq,
            })
        })
        .await
    }

    async fn copy(
        &mut self,
        view: Resource<OpenView>,
        selection: wit::Selection,
        target: u64,
    ) -> Result<wit::Transfer> {
        let (view, selection) = (self.get(&view)?.0, values::selection(selection)?);
        self.call("view.copy", async move {
            Ok(transfer(view.copy(selection, FolderId(target)).await?))
        })
        .await
    }

    async fn move_(
        &mut self,
        view: Resource<OpenView>,
        selection: wit::Selection,
        target: u64,
    ) -> Result<wit::Transfer> {
        let (view, selection) = (self.get(&view)?.0, values::selection(selection)?);
        self.call("view.move", async move {
            Ok(transfer(view.move_to(selection, FolderId(target)).await?))
        })
        .await
    }

    async fn expunge(
        &mut self,
        view: Resource<OpenView>,
        selection: Option<wit::Selection>,
    ) -> Result<Vec<Span>> {
        let (view, selection) = (
            self.get(&view)?.0,
            selection.map(values::selection).transpose()?,
        );
        self.call("view.expunge", async move {
            Ok(values::wit_spans(view.expunge(selection).await?))
        })
        .await
    }

    async fn vanished(
        &mut self,
        view: Resource<OpenView>,
        selection: wit::Selection,
        since: u64,
    ) -> Result<Vec<Span>> {
        let (view, selection) = (self.get(&view)?.0, values::selection(selection)?);
        self.call("view.vanished", async move {
            Ok(values::wit_spans(view.vanished(selection, since).await?))
        })
        .await
    }

    async fn open_bodies(
        &mut self,
        view: Resource<OpenView>,
        items: Vec<u64>,
    ) -> wasmtime::Result<
        Vec<std::result::Result<Resource<Body>, crate::bindings::waxwing::types::faults::Fault>>,
    > {
        if items.len() > BODIES {
            return Err(Failure::limit_trap(format!(
                "view.open-bodies opens at most {BODIES} at once"
            ))
            .into_trap());
        }
        let view = self.get(&view).map_err(Failure::into_trap)?.0;
        let items: Vec<ItemId> = items.into_iter().map(ItemId).collect();
        let opened = self
            .call("view.open-bodies", async move {
                Ok(view.open_bodies(&items).await)
            })
            .await
            .map_err(Failure::into_trap)?;
        let mut answers = Vec::with_capacity(opened.len());
        for body in opened {
            answers.push(
                match body.map_err(Failure::from).and_then(|body| self.push(body)) {
                    Ok(handle) => Ok(handle),
                    Err(failure) => Err(failure.into_fault()?),
                },
            );
        }
        Ok(answers)
    }

    async fn close(&mut self, view: Resource<OpenView>) -> wasmtime::Result<()> {
        self.host.close_view(&self.table.get(&view)?.0);
        Ok(())
    }

    async fn drop(&mut self, view: Resource<OpenView>) -> wasmtime::Result<()> {
        self.table.delete(view)?;
        Ok(())
    }
}

impl wit::Host for State {
    async fn open(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        folder: u64,
        read_only: bool,
    ) -> Result<Resource<OpenView>> {
        let mailbox = self.get(&mailbox)?.mailbox;
        let (host, facts, turn) = (self.host.clone(), self.facts.clone(), self.host.turn());
        let view = self
            .call("views.open", async move {
                let view = mailbox.open_view(FolderId(folder), read_only).await?;
                // Here and not behind the call: should the call be given up, nobody is left to close the view.
                host.add_view(&view, turn, &facts.limits)
                    .map_err(Failure::limit)?;
                Ok(view)
            })
            .await?;
        self.push(OpenView(view))
    }

    async fn resume(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        id: u64,
    ) -> Result<Resource<OpenView>> {
        // The handle on the mailbox proves nothing more than the session's own list does.
        let _ = self.get(&mailbox)?;
        self.count_call("views.resume")?;
        let view = self
            .host
            .view(id)
            .ok_or_else(|| Failure::expired(format!("view {id}")))?;
        self.push(OpenView(view))
    }

    #[allow(clippy::too_many_arguments, reason = "the contract's signature")]
    async fn copy_across(
        &mut self,
        view: Resource<OpenView>,
        selection: wit::Selection,
        target: Resource<OpenMailbox>,
        folder: u64,
        remove: bool,
    ) -> Result<wit::Transfer> {
        let (view, selection) = (self.get(&view)?.0, values::selection(selection)?);
        let target = self.get(&target)?.mailbox;
        self.call("views.copy-across", async move {
            let target = (&target, FolderId(folder));
            Ok(transfer(view.copy_across(selection, target, remove).await?))
        })
        .await
    }

    async fn append(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        folder: u64,
        messages: Vec<wit::NewMail>,
    ) -> Result<wit::Appended> {
        let mailbox = self.get(&mailbox)?.mailbox;
        let messages = messages
            .into_iter()
            .map(|mail| {
                Ok(exmdb::NewMail {
                    message: self.get(&mail.message)?,
                    flags: values::flags(mail.flags),
                    keywords: mail.keywords,
                    internal_date: mail.internal_date,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        self.call("views.append", async move {
            let appended = mailbox.append(FolderId(folder), messages).await?;
            Ok(wit::Appended {
                uid_validity: appended.uid_validity.0,
                uids: appended.uids.into_iter().map(|uid| uid.0).collect(),
                items: appended.items.into_iter().map(|item| item.0).collect(),
            })
        })
        .await
    }
}
