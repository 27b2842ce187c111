//! What would happen to a message: the walk of [`crate::Delivery::deliver`] and [`crate::Delivery::submit`] through the same pieces in the same
//! order, told step by step, and nothing is stored, queued, sent or kept apart.
//!
//! Whoever looks at messages is asked as for a real one: hooks, milters and scripts answer, DNS is asked for SPF, DKIM and DMARC. With
//! [`Explain::offline`] nobody outside this process is: no DNS, no milter. A walk of its own and not a mode of the real one, so that no
//! flag can turn a delivery into a rehearsal; that both ask in one order is tested (`tests`).

mod mailbox;
mod walk;

use waxwing_directory::User;
use waxwing_exmdb::Body;

use self::walk::Walk;
use crate::{Delivery, Envelope};

/// A message that somebody asks about.
#[derive(Debug, Clone)]
pub struct Explain {
    /// As SMTP would give it.
    pub envelope: Envelope,
    /// The message.
    pub message: Body,
    /// Who would be logged in; none: it comes from outside.
    pub principal: Option<User>,
    /// Ask neither DNS nor milters.
    pub offline: bool,
}

/// One step on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Which: `on-connect`, `authentication`, `milter`, `recipient`, `script`, `folder`, …
    pub step: String,
    /// Who is asked, or about whom.
    pub who: String,
    /// What comes of it.
    pub answer: String,
    /// Whether it decides what becomes of the message, or of this recipient.
    pub decides: bool,
}

impl Delivery {
    /// What would happen to a message, step by step.
    pub async fn explain(&self, asked: &Explain) -> Vec<Explained> {
        let mut walk = Walk::new(self, asked);
        walk.whole().await;
        walk.steps
    }
}

#[cfg(test)]
mod tests;
