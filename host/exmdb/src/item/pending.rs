#![allow(missing_docs, unused_variables, clippy::todo)]
use crate::*;
use waxwing_formats_mapi::{NamedProperty, Property, PropertyTag};
impl Mailbox {
    pub async fn item_properties(
        &self,
        items: &[ItemId],
        tags: &[PropertyTag],
    ) -> Result<Vec<ItemProperties>> {
        todo!()
    }
    pub async fn create_item(&self, item: NewItem) -> Result<Saved> {
        todo!()
    }
    pub async fn update_item(&self, item: ItemId, update: ItemUpdate) -> Result<Saved> {
        todo!()
    }
    pub async fn recipients(&self, item: ItemId) -> Result<Vec<Vec<Property>>> {
        todo!()
    }
    pub async fn set_recipients(
        &self,
        item: ItemId,
        recipients: Vec<Vec<Property>>,
    ) -> Result<Saved> {
        todo!()
    }
    pub async fn attachments(&self, item: ItemId) -> Result<Vec<Attachment>> {
        todo!()
    }
    pub async fn attachment_body(&self, item: ItemId, number: u32) -> Result<Body> {
        todo!()
    }
    pub async fn add_attachment(
        &self,
        item: ItemId,
        properties: Vec<Property>,
        content: Body,
    ) -> Result<u32> {
        todo!()
    }
    pub async fn delete_attachment(&self, item: ItemId, number: u32) -> Result<Saved> {
        todo!()
    }
    pub async fn embedded(&self, item: ItemId, number: u32) -> Result<Vec<Property>> {
        todo!()
    }
    pub async fn set_read(&self, items: &[ItemId], read: bool) -> Result<ChangeNumber> {
        todo!()
    }
    pub async fn delete_items(&self, items: &[ItemId], soft: bool) -> Result<ChangeNumber> {
        todo!()
    }
    pub async fn restore_items(&self, items: &[ItemId]) -> Result<ChangeNumber> {
        todo!()
    }
    pub async fn query_items(&self, query: &TableQuery) -> Result<TablePage> {
        todo!()
    }
    pub async fn changes_of_folder(
        &self,
        folder: FolderId,
        since: ChangeNumber,
        limit: u32,
    ) -> Result<Delta> {
        todo!()
    }
    pub async fn changes_of_hierarchy(&self, since: ChangeNumber) -> Result<HierarchyDelta> {
        todo!()
    }
    pub async fn latest(&self) -> Result<ChangeNumber> {
        todo!()
    }
    pub async fn reserve_ids(&self, count: u32) -> Result<u64> {
        todo!()
    }
    pub async fn names_to_ids(&self, names: &[NamedProperty], create: bool) -> Result<Vec<u16>> {
        todo!()
    }
    pub async fn names_from_ids(&self, ids: &[u16]) -> Result<Vec<Option<NamedProperty>>> {
        todo!()
    }
    pub async fn permissions(&self, folder: FolderId) -> Result<Vec<Permission>> {
        todo!()
    }
    pub async fn set_permissions(
        &self,
        folder: FolderId,
        entries: Vec<Permission>,
    ) -> Result<ChangeNumber> {
        todo!()
    }
    pub async fn size(&self) -> Result<MailboxSize> {
        todo!()
    }
    pub async fn check(&self, repair: bool) -> Result<CheckReport> {
        todo!()
    }
}
