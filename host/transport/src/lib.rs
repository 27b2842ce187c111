//! The mail flow: local delivery now, queue and outbound later (skeleton of the shapes others build on).
#![allow(missing_docs, unused_variables, clippy::todo)]
use std::sync::Arc;
use waxwing_directory::Directory;
use waxwing_exmdb::{Body, Store};

#[derive(Debug, Clone, Default)]
pub struct Notify { pub never: bool, pub success: bool, pub failure: bool, pub delay: bool }
#[derive(Debug, Clone)]
pub struct Recipient { pub address: String, pub notify: Notify, pub original: Option<String> }
/// As WIT `transport/delivery.envelope`.
#[derive(Debug, Clone)]
pub struct Envelope { pub sender: String, pub recipients: Vec<Recipient>, pub envelope_id: Option<String>, pub return_headers_only: bool, pub smtp_utf8: bool, pub body_type: String, pub helo: String, pub source: String, /// For log lines.
    pub session: String }
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome { pub code: u16, pub enhanced: String, pub text: String }

#[derive(Clone)]
pub struct Delivery(Arc<()>);
impl Delivery {
    pub fn new(store: Store, directory: Directory, host_name: String) -> Delivery { todo!() }
    /// One outcome per recipient, in their order; 250 means durable.
    pub async fn deliver(&self, envelope: &Envelope, message: &Body) -> Vec<Outcome> { todo!() }
}
