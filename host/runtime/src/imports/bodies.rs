//! `waxwing:types/bodies`: runs of bytes that the host keeps.

use bytes::Bytes;
use wasmtime::component::Resource;
use waxwing_exmdb::Body;

use super::{Failure, Result};
use crate::{
    bindings::waxwing::types::bodies::{Host, HostBody, Piece},
    state::State,
};

/// A read gives no more than this, in octets.
const READ: u32 = 256 << 10;

impl HostBody for State {
    async fn size(&mut self, body: Resource<Body>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&body)?.size())
    }

    async fn read(&mut self, body: Resource<Body>, offset: u64, length: u32) -> Result<Vec<u8>> {
        let body = self.get(&body)?;
        let read = self
            .call("bodies.read", async move {
                Ok(body.read(offset, length.min(READ) as usize).await?)
            })
            .await?;
        Ok(read.into())
    }

    async fn dup(&mut self, body: Resource<Body>) -> wasmtime::Result<Resource<Body>> {
        self.get(&body)
            .and_then(|body| self.push(body))
            .map_err(Failure::into_trap)
    }

    async fn keep(&mut self, body: Resource<Body>) -> wasmtime::Result<u64> {
        let body = self.get(&body).map_err(Failure::into_trap)?;
        self.host
            .keep(body, &self.facts.limits)
            .map_err(|message| Failure::limit_trap(message).into_trap())
    }

    async fn drop(&mut self, body: Resource<Body>) -> wasmtime::Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

impl Host for State {
    async fn compose(&mut self, pieces: Vec<Piece>) -> Result<Resource<Body>> {
        let bodies = pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Bytes(bytes) => Ok(Body::from_bytes(Bytes::from(bytes))),
                Piece::Range(range) => within(&self.get(&range.body)?, range.offset, range.length),
            })
            .collect::<Result<Vec<_>>>()?;
        let store = self.services.store.clone();
        let whole = self
            .call(
                "bodies.compose",
                async move { Ok(store.compose(bodies).await?) },
            )
            .await?;
        self.push(whole)
    }

    async fn resume(&mut self, token: u64) -> Result<Resource<Body>> {
        let body = self
            .host
            .resume(token)
            .ok_or_else(|| Failure::expired(format!("no body is kept under token {token}")))?;
        self.push(body)
    }
}

/// The part of a body that a guest names, if it is part of it.
fn within(body: &Body, offset: u64, length: u64) -> Result<Body> {
    match offset.checked_add(length) {
        Some(end) if end <= body.size() => Ok(body.slice(offset, length)),
        _ => Err(Failure::invalid(format!(
            "octets {offset}+{length} of a body of {}",
            body.size()
        ))),
    }
}
