//! Takes back, by itself, a version that fails more than its `[slo]` allows. One task for all plugins: versions raise the
//! alarm from the middle of a turn, and a change of versions writes files and waits for its turn among the operator's.

use std::{sync::Weak, time::Duration};

use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, MissedTickBehavior, interval},
};

use super::Plugins;

/// Between two looks at how many turns there were.
const LOOK: Duration = Duration::from_secs(1);

/// A version fails too much.
#[derive(Debug)]
pub(crate) struct Breach {
    pub(crate) plugin: String,
    /// `Package::key`.
    pub(crate) version: String,
    pub(crate) why: String,
}

/// Runs as long as the plugins are there.
pub(crate) async fn guard(plugins: Weak<Plugins>, mut alarm: UnboundedReceiver<Breach>) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let breach = tokio::select! {
            breach = alarm.recv() => breach,
            _ = looks.tick() => None,
        };
        let Some(plugins) = plugins.upgrade() else {
            return;
        };
        let Some(breach) = breach else {
            plugins.sample(Instant::now().into_std());
            continue;
        };
        let _one_at_a_time = plugins.changing.lock().await;
        if let Err(error) = plugins.take_back(&breach) {
            tracing::error!(plugin = %breach.plugin, %error, "a version that fails too much is not taken back");
        }
    }
}
