//! `waxwing:transport/submission`: mail to anybody, for whoever the host itself has authenticated on this session.

use std::sync::Arc;

use jiff::Timestamp;
use wasmtime::component::Resource;
use waxwing_directory::User;
use waxwing_exmdb::Body;
use waxwing_transport::{Submission, TlsDemand};

use super::{Failure, Result, delivery};
use crate::{
    bindings::waxwing::transport::{
        delivery::{Envelope, Outcome},
        submission::Host,
    },
    state::State,
};

impl Host for State {
    async fn may_send_as(&mut self, address: String) -> Result<Option<Outcome>> {
        let (principal, service) = (self.submitter()?, self.services.delivery.clone());
        self.call("submission.may-send-as", async move {
            let answer = service.may_send_as(&principal, &address).await;
            Ok(answer.err().map(delivery::outcome))
        })
        .await
    }

    async fn submit(
        &mut self,
        envelope: Envelope,
        parameters: Vec<(String, String)>,
        message: Resource<Body>,
    ) -> Result<Vec<Outcome>> {
        let principal = self.submitter()?;
        let (service, message) = (self.services.delivery.clone(), self.get(&message)?);
        let mut submission = Submission {
            envelope: self.envelope(envelope)?,
            principal: User::clone(&principal),
            hold_until: None,
        };
        for (key, value) in parameters {
            set(&mut submission, &key, &value)?;
        }
        self.call("submission.submit", async move {
            let outcomes = service.submit(&submission, &message).await;
            Ok(outcomes.into_iter().map(delivery::outcome).collect())
        })
        .await
    }
}

impl State {
    fn submitter(&self) -> Result<Arc<User>> {
        self.host
            .principal()
            .ok_or_else(|| Failure::denied("nobody is logged in on this session"))
    }
}

fn set(submission: &mut Submission, key: &str, value: &str) -> Result<()> {
    match key {
        "hold-until" => {
            let seconds = value.parse().ok();
            let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
            let time = time.ok_or_else(|| Failure::invalid(format!("{key} is no time")))?;
            submission.hold_until = Some(time);
        }
        "require-tls" => submission.envelope.tls_demand = TlsDemand::Required,
        _ => {
            return Err(Failure::unsupported(format!(
                "parameter {key} is not known to this host"
            )));
        }
    }
    Ok(())
}
