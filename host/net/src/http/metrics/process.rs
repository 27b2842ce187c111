//! What the system knows of the process, under the names that every Prometheus library uses.

use std::{
    fs,
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::{
    process::{Resource, getrlimit},
    time::{ClockId, clock_gettime},
};

use super::families::{self, Page};

/// The moment the network room was opened, which is the end of the start.
static STARTED: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);

/// Remembers the moment.
pub(crate) fn started() {
    LazyLock::force(&STARTED);
}

/// # Errors
/// When `/proc` is not there.
pub(super) fn write(page: &mut Page) -> Result<(), String> {
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.add(&families::BUILD, &version, 1.0);
    let started = STARTED.duration_since(UNIX_EPOCH).unwrap_or_default();
    page.add(&families::PROCESS_START, &[], started.as_secs_f64());
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let cpu = cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9;
    page.add(&families::PROCESS_CPU, &[], cpu);

    let status = fs::read_to_string("/proc/self/status")
        .map_err(|error| format!("/proc/self/status: {error}"))?;
    let (resident, address_space) = (number(&status, "VmRSS"), number(&status, "VmSize"));
    page.count(&families::PROCESS_RESIDENT, &[], resident * 1024);
    page.count(&families::PROCESS_VIRTUAL, &[], address_space * 1024);
    page.count(&families::PROCESS_THREADS, &[], number(&status, "Threads"));

    // Reading the directory takes a descriptor, which stands there too.
    let open = fs::read_dir("/proc/self/fd").map_err(|error| format!("/proc/self/fd: {error}"))?;
    let open = open.count().saturating_sub(1);
    page.count(&families::PROCESS_FDS, &[], open as u64);
    let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    page.count(&families::PROCESS_MAX_FDS, &[], most);
    Ok(())
}

/// The number of a line of `/proc/self/status`; sizes there are KiB (proc_pid_status(5)).
fn number(status: &str, key: &str) -> u64 {
    let value = status.lines().find_map(|line| {
        line.strip_prefix(key)
            .and_then(|rest| rest.strip_prefix(':'))
    });
    value
        .and_then(|value| value.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_whatever_stands_behind_them() {
        let status = "Name:\twaxwing\nVmRSS:\t    1234 kB\nThreads:\t7\n";
        assert_eq!(
            (number(status, "VmRSS"), number(status, "Threads")),
            (1234, 7)
        );
        assert_eq!(number(status, "VmSwap"), 0);
    }
}
