//! `waxwing:store/items`: items as property bags.

use wasmtime::component::Resource;
use waxwing_exmdb::{self as exmdb, Body, ChangeNumber, FolderId, ItemId, ItemUpdate};

use super::{Result, values};
use crate::{
    bindings::waxwing::store::{items as wit, types::Property},
    host_side::OpenMailbox,
    state::State,
};

/// `query` answers no more rows than this.
const ROWS: u32 = 10_000;

fn ids(items: Vec<u64>) -> Vec<ItemId> {
    items.into_iter().map(ItemId).collect()
}

fn saved(saved: exmdb::Saved) -> wit::Saved {
    wit::Saved {
        item: saved.item.0,
        change_number: saved.change_number.0,
        change_key: saved.change_key,
        predecessor_list: saved.predecessor_list,
        uid: saved.uid.0,
    }
}

fn bag(bag: exmdb::ItemProperties) -> wit::ItemProperties {
    wit::ItemProperties {
        item: bag.item.0,
        properties: values::wit_properties(bag.properties),
    }
}

impl wit::Host for State {
    async fn get(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        items: Vec<u64>,
        tags: Vec<u32>,
    ) -> Result<Vec<wit::ItemProperties>> {
        let (mailbox, items, tags) = (
            State::get(self, &mailbox)?.mailbox,
            ids(items),
            values::tags(&tags),
        );
        self.call("items.get", async move {
            Ok(mailbox
                .item_properties(&items, &tags)
                .await?
                .into_iter()
                .map(bag)
                .collect())
        })
        .await
    }

    async fn create(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        item: wit::NewItem,
    ) -> Result<wit::Saved> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        let item = exmdb::NewItem {
            folder: FolderId(item.folder),
            associated: item.associated,
            properties: values::properties(item.properties)?,
            recipients: values::property_lists(item.recipients)?,
        };
        self.call("items.create", async move {
            Ok(saved(mailbox.create_item(item).await?))
        })
        .await
    }

    #[allow(clippy::too_many_arguments, reason = "the contract's signature")]
    async fn update(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        item: u64,
        set: Vec<Property>,
        remove: Vec<u32>,
        expected: Option<u64>,
    ) -> Result<wit::Saved> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        let update = ItemUpdate {
            set: values::properties(set)?,
            remove: values::tags(&remove),
            expected: expected.map(ChangeNumber),
        };
        self.call("items.update", async move {
            Ok(saved(mailbox.update_item(ItemId(item), update).await?))
        })
        .await
    }

    async fn recipients(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        item: u64,
    ) -> Result<Vec<Vec<Property>>> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("items.recipients", async move {
            Ok(mailbox
                .recipients(ItemId(item))
                .await?
                .into_iter()
                .map(values::wit_properties)
                .collect())
        })
        .await
    }

    async fn set_recipients(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        item: u64,
        recipients: Vec<Vec<Property>>,
    ) -> Result<wit::Saved> {
        let (mailbox, recipients) = (
            State::get(self, &mailbox)?.mailbox,
            values::property_lists(recipients)?,
        );
        self.call("items.set-recipients", async move {
            Ok(saved(
                mailbox.set_recipients(ItemId(item), recipients).await?,
            ))
        })
        .await
    }

    async fn attachments(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        item: u64,
    ) -> Result<Vec<wit::Attachment>> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("items.attachments", async move {
            let attachments = mailbox.attachments(ItemId(item)).await?;
            Ok(attachments
                .into_iter()
                .map(|attachment| wit::Attachment {
                    number: attachment.number,
                    properties: values::wit_properties(attachment.properties),
                    is_message: attachment.is_message,
                })
                .collect())
        })
        .await
    }

    async fn attachment_body(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        item: u64,
        number: u32,
    ) -> Result<Resource<Body>> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        let body = self
            .call("items.attachment-body", async move {
                Ok(mailbox.attachment_body(ItemId(item), number).await?)
            })
            .await?;
        self.push(body)
    }

    async fn add_attachment(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        item: u64,
        properties: Vec<Property>,
        content: Resource<Body>,
    ) -> Result<u32> {
        let (mailbox, properties, content) = (
            State::get(self, &mailbox)?.mailbox,
            values::properties(properties)?,
            State::get(self, &content)?,
        );
        self.call("items.add-attachment", async move {
            Ok(mailbox
                .add_attachment(ItemId(item), properties, content)
                .await?)
        })
        .await
    }

    async fn delete_attachment(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        item: u64,
        number: u32,
    ) -> Result<wit::Saved> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("items.delete-attachment", async move {
            Ok(saved(
                mailbox.delete_attachment(ItemId(item), number).await?,
            ))
        })
        .await
    }

    async fn embedded(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        item: u64,
        number: u32,
    ) -> Result<Vec<Property>> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("items.embedded", async move {
            Ok(values::wit_properties(
                mailbox.embedded(ItemId(item), number).await?,
            ))
        })
        .await
    }

    async fn set_read(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        items: Vec<u64>,
        read: bool,
    ) -> Result<u64> {
        let (mailbox, items) = (State::get(self, &mailbox)?.mailbox, ids(items));
        self.call("items.set-read", async move {
            Ok(mailbox.set_read(&items, read).await?.0)
        })
        .await
    }

    async fn delete(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        items: Vec<u64>,
        soft: bool,
    ) -> Result<u64> {
        let (mailbox, items) = (State::get(self, &mailbox)?.mailbox, ids(items));
        self.call("items.delete", async move {
            Ok(mailbox.delete_items(&items, soft).await?.0)
        })
        .await
    }

    async fn restore(&mut self, mailbox: Resource<OpenMailbox>, items: Vec<u64>) -> Result<u64> {
        let (mailbox, items) = (State::get(self, &mailbox)?.mailbox, ids(items));
        self.call("items.restore", async move {
            Ok(mailbox.restore_items(&items).await?.0)
        })
        .await
    }

    async fn query(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        query: wit::TableQuery,
    ) -> Result<wit::TablePage> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        let query = exmdb::TableQuery {
            folder: FolderId(query.folder),
            associated: query.associated,
            soft_deleted: query.soft_deleted,
            restriction: values::restriction(query.restriction)?,
            sort: values::sort_keys(query.sort)?,
            tags: values::tags(&query.tags),
            offset: query.offset,
            limit: query.limit.min(ROWS),
        };
        self.call("items.query", async move {
            let page = mailbox.query_items(&query).await?;
            Ok(wit::TablePage {
                rows: page.rows.into_iter().map(bag).collect(),
                total: page.total,
            })
        })
        .await
    }
}
