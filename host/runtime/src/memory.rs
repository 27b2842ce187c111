//! Linear memory, charged before it is given: to the instance, to the plugin over all its instances, and to the
//! process over all plugins; the version's share is kept beside them, without a ceiling of its own. A growth that would pass one of the three is refused to the guest (`memory.grow`
//! answers -1), and the limit's name is kept so that the trap that usually follows can be explained.
//! Dropping the account gives everything back. A new instance that finds what all share used up waits until sessions that do
//! nothing have given theirs up (`Instance::new`); one that grows is refused at once.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::limits::{Limits, reached};

/// A running total with a ceiling.
#[derive(Debug, Default)]
pub(crate) struct Total(AtomicU64);

impl Total {
    pub(crate) fn octets(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Adds, unless the ceiling would be passed.
    fn charge(&self, octets: u64, ceiling: u64) -> bool {
        self.0
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
                now.checked_add(octets).filter(|sum| *sum <= ceiling)
            })
            .is_ok()
    }

    fn add(&self, octets: u64) {
        self.0.fetch_add(octets, Ordering::Relaxed);
    }

    fn release(&self, octets: u64) {
        self.0.fetch_sub(octets, Ordering::Relaxed);
    }
}

/// The process's account, shared by all plugins.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) total: Total,
    pub(crate) ceiling: u64,
}

/// One instance's account.
pub(crate) struct MemoryAccount {
    plugin: Arc<Total>,
    version: Arc<Total>,
    process: Arc<Process>,
    memory: u64,
    plugin_memory: u64,
    table_elements: u64,
    charged: u64,
    /// The limit that refused the last growth.
    refusal: Option<String>,
    /// Whether that was one that instances share.
    shared: bool,
}

impl MemoryAccount {
    pub(crate) fn new(
        (plugin, version): (Arc<Total>, Arc<Total>),
        process: Arc<Process>,
        limits: &Limits,
    ) -> Self {
        MemoryAccount {
            plugin,
            version,
            process,
            memory: limits.memory,
            plugin_memory: limits.plugin_memory,
            table_elements: limits.table_elements,
            charged: 0,
            refusal: None,
            shared: false,
        }
    }

    /// What the instance holds.
    pub(crate) fn octets(&self) -> u64 {
        self.charged
    }

    /// Why memory was refused, if it was.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// Whether the last growth was refused because other instances hold what there is.
    pub(crate) fn waits_for_others(&self) -> bool {
        let held = |total: &Total| total.octets() > self.charged;
        self.shared && (held(&self.plugin) || held(&self.process.total))
    }

    fn charge(&mut self, octets: u64) -> Result<(), String> {
        self.shared = false;
        if self.charged.saturating_add(octets) > self.memory {
            return Err(reached("memory", self.memory));
        }
        self.shared = true;
        if !self.plugin.charge(octets, self.plugin_memory) {
            return Err(reached("plugin_memory", self.plugin_memory));
        }
        if !self.process.total.charge(octets, self.process.ceiling) {
            self.plugin.release(octets);
            return Err(format!(
                "limit process_memory = {} reached (an operator raises it under [runtime])",
                self.process.ceiling
            ));
        }
        self.version.add(octets);
        self.charged += octets;
        Ok(())
    }
}

impl wasmtime::ResourceLimiter for MemoryAccount {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        match self.charge(desired.saturating_sub(current) as u64) {
            Ok(()) => Ok(true),
            Err(refusal) => {
                self.refusal = Some(refusal);
                Ok(false)
            }
        }
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = desired as u64 <= self.table_elements;
        if !allowed {
            self.refusal = Some(reached("table_elements", self.table_elements));
        }
        Ok(allowed)
    }
}

impl Drop for MemoryAccount {
    fn drop(&mut self) {
        self.plugin.release(self.charged);
        self.version.release(self.charged);
        self.process.total.release(self.charged);
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::ResourceLimiter as _;

    use super::*;
    use crate::limits::LimitsRequest;

    fn account(
        plugin: &Arc<Total>,
        process: &Arc<Process>,
        memory: u64,
        plugin_memory: u64,
    ) -> MemoryAccount {
        let changes = LimitsRequest {
            memory: Some(memory),
            plugin_memory: Some(plugin_memory),
            ..LimitsRequest::default()
        };
        MemoryAccount::new(
            (plugin.clone(), Arc::default()),
            process.clone(),
            &Limits::default().with(&changes),
        )
    }

    fn totals(ceiling: u64) -> (Arc<Total>, Arc<Process>) {
        (
            Arc::default(),
            Arc::new(Process {
                total: Total::default(),
                ceiling,
            }),
        )
    }

    #[test]
    fn each_of_the_three_ceilings_refuses_and_is_named() {
        let (plugin, process) = totals(250);
        let mut first = account(&plugin, &process, 100, 150);
        assert!(first.memory_growing(0, 100, None).unwrap());
        assert!(!first.memory_growing(100, 101, None).unwrap());
        assert!(first.refusal().unwrap().contains("memory = 100"));

        let mut second = account(&plugin, &process, 100, 150);
        assert!(!second.memory_growing(0, 60, None).unwrap());
        assert!(second.refusal().unwrap().contains("plugin_memory = 150"));

        let other = Arc::new(Total::default());
        let mut third = account(&other, &process, 1000, 1000);
        assert!(!third.memory_growing(0, 151, None).unwrap());
        assert!(third.refusal().unwrap().contains("process_memory = 250"));
        assert_eq!(other.octets(), 0);
    }

    #[test]
    fn a_dropped_instance_gives_its_memory_back() {
        let (plugin, process) = totals(1000);
        let mut one = account(&plugin, &process, 100, 100);
        assert!(one.memory_growing(0, 100, None).unwrap());
        drop(one);
        assert_eq!((plugin.octets(), process.total.octets()), (0, 0));
    }
}
