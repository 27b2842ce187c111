//! Opening the messages of a view.

use super::View;
use crate::{Body, Error, ItemId, Result, Rights, item::load};

impl View {
    /// The RFC 5322 form of each item, byte for byte. A body stays readable after its item is expunged.
    pub async fn open_bodies(&self, items: &[ItemId]) -> Vec<Result<Body>> {
        let opened = async {
            // Blobs alone are read.
            let mut reader = self.core.read_unfolded().await?;
            let state = reader.state()?;
            state.demand(&self.record.actor, self.record.folder, Rights::READ_ANY)?;
            self.record.demand_current(&state)?;
            load::bodies(&mut reader, items).await
        };
        match opened.await {
            Ok(mut bodies) => {
                let missing =
                    |item: &ItemId| Err(Error::NotFound(format!("the message of item {item}")));
                items
                    .iter()
                    .map(|item| bodies.remove(item).unwrap_or_else(|| missing(item)))
                    .collect()
            }
            Err(error) => items.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}
