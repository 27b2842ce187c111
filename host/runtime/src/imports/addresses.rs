//! `waxwing:directory/addresses`: which addresses exist here.

use waxwing_directory::{Directory, Error, Resolution as Resolved};

use super::Failure;
use crate::{
    bindings::waxwing::directory::addresses::{AddressClass, Host, Resolution},
    state::State,
};

/// One call asks for no more.
const MOST: usize = 1_000;

impl Host for State {
    async fn resolve(&mut self, addresses: Vec<String>) -> wasmtime::Result<Vec<Resolution>> {
        if addresses.len() > MOST {
            return Err(Failure::limit_trap(format!(
                "addresses.resolve takes at most {MOST} addresses"
            ))
            .into_trap());
        }
        let directory = self.services.directory.clone();
        self.call("addresses.resolve", async move {
            let mut answers = Vec::with_capacity(addresses.len());
            for address in &addresses {
                answers.push(resolve(&directory, address).await);
            }
            Ok(answers)
        })
        .await
        .map_err(Failure::into_trap)
    }
}

async fn resolve(directory: &Directory, address: &str) -> Resolution {
    let (class, canonical, detail) = match directory.resolve(address).await {
        Ok(Resolved::Local { canonical, .. }) => (AddressClass::Local, canonical, String::new()),
        Ok(Resolved::Unknown) => (AddressClass::Unknown, String::new(), String::new()),
        Ok(Resolved::Foreign) => (AddressClass::Foreign, String::new(), String::new()),
        Ok(Resolved::Malformed(why)) | Err(Error::Invalid(why)) => {
            (AddressClass::Malformed, String::new(), why)
        }
        Err(error) => {
            tracing::warn!(%error, "an address could not be looked up");
            (AddressClass::Unavailable, String::new(), error.to_string())
        }
    };
    Resolution {
        class,
        canonical,
        detail,
    }
}
