//! Real sockets against a scripted plugin side: what a peer sees of the contracts of `waxwing:session` and
//! `waxwing:http`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod bodies;
mod encryption;
mod http;
mod limits;
mod running;
mod scripted;
mod stream;
