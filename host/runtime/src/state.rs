//! The data of one wasmtime store: handles of the instance, its accounts, and the way to the services. It holds
//! nothing that a session would miss when the instance is gone; that is `HostSide`.

use std::{
    future::Future,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tracing::Instrument as _;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::{
    Services,
    aside::Begun,
    host_side::HostSide,
    imports::{Failure, Result},
    limits::reached,
    memory::MemoryAccount,
    meter::TurnClock,
    plugins::Facts,
};

pub(crate) struct State {
    pub(crate) table: ResourceTable,
    pub(crate) wasi: WasiCtx,
    pub(crate) memory: MemoryAccount,
    pub(crate) host: Arc<HostSide>,
    pub(crate) facts: Arc<Facts>,
    pub(crate) services: Services,
    pub(crate) clock: Arc<TurnClock>,
}

impl State {
    /// Runs the work of a host call [aside](crate::aside): counted and bounded in time. A panic over there is a fault to the guest.
    /// A call that is given up is not torn: what it had begun to write is finished.
    ///
    /// # Errors
    /// The fault of the work; a trap when a limit is reached.
    pub(crate) async fn call<T: Send + 'static>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.count_call(name)?;
        let bound = self.facts.limits.host_call_ms;
        let task = match self
            .clock
            .aside
            .leave(work.instrument(self.host.span()))
            .await
        {
            Begun::Done(answer) => return answer,
            Begun::Panicked => return Err(broken(name, &"it panicked")),
            Begun::Waits(task) => task,
        };
        match tokio::time::timeout(Duration::from_millis(bound), task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Err(broken(name, &error)),
            Err(_) => Err(Failure::limit_trap(format!(
                "host call {name}: {}",
                reached("host_call_ms", bound)
            ))),
        }
    }

    /// Counts a host call that needs no task.
    pub(crate) fn count_call(&self, name: &'static str) -> Result<()> {
        self.facts
            .counters
            .host_calls
            .fetch_add(1, Ordering::Relaxed);
        if self.host.identity.take_call() {
            return Ok(());
        }
        let message = reached(
            "host_calls_per_second",
            self.facts.limits.host_calls_per_second,
        );
        Err(Failure::limit_trap(format!("host call {name}: {message}")))
    }

    /// A handle on a resource of the host.
    pub(crate) fn push<T: Send + 'static>(&mut self, entry: T) -> Result<Resource<T>> {
        self.table
            .push(entry)
            .map_err(|_| Failure::limit(reached("handles", self.facts.limits.handles)))
    }

    /// What a handle stands for.
    pub(crate) fn get<T: Clone + 'static>(&self, handle: &Resource<T>) -> Result<T> {
        Ok(self
            .table
            .get(handle)
            .map_err(wasmtime::Error::from)?
            .clone())
    }
}

fn broken(call: &'static str, error: &dyn std::fmt::Display) -> Failure {
    tracing::error!(call, %error, "a host call broke");
    Failure::internal("the host call broke")
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}
