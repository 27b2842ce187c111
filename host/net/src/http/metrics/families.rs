//! Every metric there is: name, type and meaning. Nothing can be written that is not in this table, and the operator's
//! guide is held against it.

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

/// A metric with all its series.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    is_counter: bool,
}

impl Family {
    /// As the format spells it.
    #[cfg(test)]
    pub(super) fn kind(&self) -> &'static str {
        if self.is_counter { "counter" } else { "gauge" }
    }
}

macro_rules! families {
    ($( $key:ident = $kind:ident $name:literal $help:literal; )*) => {
        $( pub(super) const $key: Family = Family { name: $name, help: $help, is_counter: families!(@ $kind) }; )*
        /// In the order in which they are written.
        pub(super) const ALL: &[Family] = &[ $( $key, )* ];
    };
    (@ counter) => { true };
    (@ gauge) => { false };
}

families! {
    BUILD = gauge "waxwing_build_info" "Always 1; the version is a label.";
    PROCESS_START = gauge "process_start_time_seconds" "When the server began to listen, in seconds since 1970.";
    PROCESS_CPU = counter "process_cpu_seconds_total" "CPU time of the process, in user and system mode.";
    PROCESS_RESIDENT = gauge "process_resident_memory_bytes" "Resident memory.";
    PROCESS_VIRTUAL = gauge "process_virtual_memory_bytes" "Address space, most of which is reserved for plugins and holds nothing.";
    PROCESS_THREADS = gauge "process_threads" "Threads.";
    PROCESS_FDS = gauge "process_open_fds" "Open file descriptors.";
    PROCESS_MAX_FDS = gauge "process_max_fds" "How many file descriptors the system allows.";

    OPEN = gauge "waxwing_listener_open_connections" "Connections now.";
    ACCEPTED = counter "waxwing_listener_connections_total" "Connections accepted, those that were then refused included.";
    REFUSED = counter "waxwing_listener_refused_connections_total" "Connections turned away by a limit, for the want of a PROXY header, or because no plugin could serve them.";
    RECEIVED = counter "waxwing_listener_received_bytes_total" "Bytes received, inside TLS and compression.";
    SENT = counter "waxwing_listener_sent_bytes_total" "Bytes sent, inside TLS and compression.";
    HANDSHAKES = counter "waxwing_listener_tls_handshakes_total" "TLS handshakes, by result.";
    REQUESTS = counter "waxwing_listener_http_requests_total" "HTTP requests, whatever the answer.";

    PLUGIN = gauge "waxwing_plugin_info" "Always 1; what became of a version is a label.";
    SESSIONS = gauge "waxwing_plugin_sessions" "Sessions and requests now: live ones have an instance, frozen ones wait without.";
    TURNS = counter "waxwing_plugin_turns_total" "Turns completed.";
    CPU = counter "waxwing_plugin_cpu_seconds_total" "CPU time inside the sandbox, freezing and thawing included.";
    HOST_CALLS = counter "waxwing_plugin_host_calls_total" "Calls on store, directory, log and the other services of the host.";
    MEMORY = gauge "waxwing_plugin_memory_bytes" "Linear memory of the live instances.";
    TRAPS = counter "waxwing_plugin_traps_total" "Turns that trapped or answered nonsense.";
    TIMEOUTS = counter "waxwing_plugin_timeouts_total" "Turns that used up their time.";
    LIMITS = counter "waxwing_plugin_limit_hits_total" "Turns that passed another limit.";
    RECOVERIES = counter "waxwing_plugin_recoveries_total" "Sessions that went on after a failed turn.";
    LOST = counter "waxwing_plugin_lost_sessions_total" "Sessions that ended with a failed turn.";
    HANDOVERS = counter "waxwing_plugin_handovers_total" "Sessions that came from another version.";
    REFUSALS = counter "waxwing_plugin_refusals_total" "Sessions that a version could not freeze or would not take.";
    INSTANCES = gauge "waxwing_runtime_live_instances" "Instances alive, of all plugins.";
    MAX_INSTANCES = gauge "waxwing_runtime_live_instances_limit" "How many may be: [runtime] live_instances.";
    ALL_MEMORY = gauge "waxwing_runtime_memory_bytes" "Linear memory of all instances of all plugins.";
    MAX_ALL_MEMORY = gauge "waxwing_runtime_memory_limit_bytes" "How much it may be: [runtime] process_memory.";

    DATABASES = gauge "waxwing_store_open_databases" "Mailbox files open now.";
    MAX_DATABASES = gauge "waxwing_store_open_databases_limit" "How many may be: [store] max_open.";
    INDEX_CACHE = gauge "waxwing_store_index_cache_bytes" "Memory of the indexes of open folders.";
    MAX_INDEX_CACHE = gauge "waxwing_store_index_cache_limit_bytes" "How much it may be: [store] index_cache.";
    COMMITS = counter "waxwing_store_commits_total" "Transactions written to disk.";
    COMMIT_TIME = counter "waxwing_store_commit_seconds_total" "Time spent in writing them, the sync included.";
    SLOW_COMMITS = counter "waxwing_store_slow_commits_total" "Transactions that took more than a second to write; each is logged.";
    GROUPS = counter "waxwing_store_commit_groups_total" "Commits that carried new messages.";
    APPENDS = counter "waxwing_store_appends_total" "Deliveries and APPENDs in these groups: divided by the groups, how many shared one sync.";

    QUEUED = gauge "waxwing_queue_messages" "Messages that wait to be delivered to other servers.";
    QUEUED_RECIPIENTS = gauge "waxwing_queue_recipients" "Recipients that they have not reached yet.";
    QUEUE_ACTIVE = gauge "waxwing_queue_active_recipients" "Recipients that are being tried, or stand in the line of their next hop.";
    QUEUE_DELIVERED = counter "waxwing_queue_delivered_total" "Recipients that the next hop has taken.";
    QUEUE_DEFERRED = counter "waxwing_queue_deferred_total" "Attempts for a recipient that ended with: later.";
    QUEUE_FAILED = counter "waxwing_queue_failed_total" "Recipients given up.";
    QUEUE_REPORTS = counter "waxwing_queue_reports_total" "Reports made by the queue: of failures, of delays, of messages handed over.";
    QUEUE_CONNECTIONS = counter "waxwing_queue_connections_total" "Connections begun to other servers.";

    LOGINS = counter "waxwing_logins_total" "Log-ins by result: ok, denied (wrong name or password), stopped (too many failures before), refused (a kind that is not accepted), error.";
}

/// What has been written so far.
#[derive(Default)]
pub(super) struct Page(Vec<MetricFamily>);

impl Page {
    /// Adds one series.
    pub(super) fn add(&mut self, family: &Family, labels: &[(&str, &str)], value: f64) {
        let mut metric = Metric::from_label(labels.iter().map(|label| pair(*label)).collect());
        if family.is_counter {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        match self.0.iter_mut().find(|known| known.name() == family.name) {
            Some(known) => known.mut_metric().push(metric),
            None => self.0.push(begin(family, metric)),
        }
    }

    /// Counts fit: beyond 2^53 the last digits are lost, as in every system that reads them.
    pub(super) fn count(&mut self, family: &Family, labels: &[(&str, &str)], value: u64) {
        self.add(family, labels, value as f64);
    }

    /// In the order of the table.
    pub(super) fn into_families(mut self) -> Vec<MetricFamily> {
        self.0
            .sort_by_key(|written| ALL.iter().position(|family| family.name == written.name()));
        self.0
    }
}

fn begin(family: &Family, first: Metric) -> MetricFamily {
    let mut begun = MetricFamily::default();
    begun.set_name(family.name.to_owned());
    begun.set_help(family.help.to_owned());
    begun.set_field_type(if family.is_counter {
        MetricType::COUNTER
    } else {
        MetricType::GAUGE
    });
    begun.set_metric(vec![first]);
    begun
}

fn pair((name, value): (&str, &str)) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}
