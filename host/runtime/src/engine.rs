//! The wasmtime engine: one for the process, with the pooling allocator, classic fibers and a clock.
//!
//! The pool is sized for *live* instances only: idle sessions are frozen, at the latest when somebody waits for a place. A wasip2 component is three core instances
//! and two tables; copy-on-write images cost four memory maps per instance, and Linux gives a process 65,530, so
//! the pool is capped well below the 16,324 instances that would use them up. No memory stays resident in freed
//! slots, and memory protection keys are left out: they buy density that we do not need and cost a feature
//! that not all machines have.
//!
//! Time is an epoch that a thread advances every 10 ms. Fuel would be exact and costs every loop; a store whose
//! epoch has passed yields to tokio, goes on as a long turn (`long_turns`), and is stopped when its turn has used its CPU
//! time (`instance`).

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::{
    Error, Result, Usage,
    long_turns::LongTurns,
    memory::{Process, Total},
};

/// The epoch's length.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// How long a session waits for a free place when all instances are in use.
pub(crate) const PLACE_WAIT: Duration = Duration::from_secs(10);
/// How often it looks whether there is memory again.
const MEMORY_LOOK: Duration = Duration::from_millis(2);

/// Sizes of the engine, fixed while the process runs; `[runtime]` of the configuration.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Live instances at the same time; frozen sessions do not count.
    pub live_instances: u32,
    /// Largest linear memory that any plugin may be given, in octets.
    pub largest_memory: u64,
    /// Linear memory of all instances of all plugins, in octets.
    pub process_memory: u64,
}

impl Default for EngineConfig {
    fn default() -> Self {
        EngineConfig {
            live_instances: 4_096,
            largest_memory: 256 << 20,
            process_memory: 8 << 30,
        }
    }
}

/// What the compiled form of a component depends on; the same in the host and in the compiling child.
pub(crate) fn code_config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true)
        .native_unwind_info(false)
        .memory_init_cow(true)
        .parallel_compilation(true);
    config
}

pub(crate) struct Engine {
    pub(crate) wasm: wasmtime::Engine,
    pub(crate) process: Arc<Process>,
    pub(crate) config: EngineConfig,
    pub(crate) long_turns: LongTurns,
    places: Arc<Semaphore>,
    /// How many wait for a place, and the call to sessions that do nothing to give theirs up.
    waiting: AtomicUsize,
    wanted: Notify,
}

/// The right to one live instance.
pub(crate) type Place = OwnedSemaphorePermit;

impl Engine {
    pub(crate) fn new(config: EngineConfig) -> Result<Engine> {
        let mut code = code_config();
        code.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(&config)));
        let wasm = wasmtime::Engine::new(&code).map_err(|error| {
            Error::Other(format!("the WebAssembly engine does not start: {error:#}"))
        })?;
        keep_time(&wasm)?;
        Ok(Engine {
            wasm,
            process: Arc::new(Process {
                total: Total::default(),
                ceiling: config.process_memory,
            }),
            places: Arc::new(Semaphore::new(config.live_instances as usize)),
            waiting: AtomicUsize::new(0),
            wanted: Notify::new(),
            config,
            long_turns: LongTurns::new(workers()),
        })
    }

    pub(crate) fn usage(&self) -> Usage {
        let limit = u64::from(self.config.live_instances);
        Usage {
            live_instances: limit.saturating_sub(self.places.available_permits() as u64),
            live_instances_limit: limit,
            memory: self.process.total.octets(),
            memory_limit: self.process.ceiling,
        }
    }

    /// Whether an instance would have to wait for a place, or one waits for memory.
    pub(crate) fn is_full(&self) -> bool {
        self.places.available_permits() == 0 || self.is_wanted()
    }

    /// Whether somebody waits for a place or for memory.
    pub(crate) fn is_wanted(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Returns when a place or memory is asked for that is not there; one of those who wait here should give up theirs.
    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// When memory that all share is used up: asks a session that does nothing to give up its instance, and waits a moment for it.
    pub(crate) async fn call_for_memory(&self) {
        let _waiting = Waiting::new(&self.waiting);
        self.wanted.notify_one();
        tokio::time::sleep(MEMORY_LOOK).await;
    }

    /// Waits a while for a free place.
    pub(crate) async fn place(&self) -> Result<Place> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = Waiting::new(&self.waiting);
        self.wanted.notify_one();
        let waiting = self.places.clone().acquire_owned();
        match tokio::time::timeout(PLACE_WAIT, waiting).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Error::Limit(format!(
                "live_instances = {} (an operator raises it under [runtime])",
                self.config.live_instances
            ))),
        }
    }
}

/// Counts somebody who waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn pool(config: &EngineConfig) -> PoolingAllocationConfig {
    let live = config.live_instances;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(live)
        .total_core_instances(live.saturating_mul(4))
        .max_core_instances_per_component(16)
        .total_memories(live)
        .max_memory_size(usize::try_from(config.largest_memory).unwrap_or(usize::MAX))
        .max_memories_per_component(2)
        .total_tables(live.saturating_mul(2))
        .max_tables_per_component(4)
        .total_stacks(live)
        .max_unused_warm_slots(64)
        .linear_memory_keep_resident(0)
        .table_keep_resident(0);
    pool
}

/// Threads that turns run on.
fn workers() -> usize {
    tokio::runtime::Handle::try_current().map_or(1, |handle| handle.metrics().num_workers())
}

/// Advances the epoch until the engine is gone.
fn keep_time(engine: &wasmtime::Engine) -> Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("epoch".into())
        .spawn(move || {
            loop {
                std::thread::sleep(TICK);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        })
        .map(drop)
        .map_err(|error| Error::Other(format!("no thread for the epoch: {error}")))
}
