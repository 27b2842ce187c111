//! `waxwing plugin …`

use std::path::Path;

use waxwing_runtime::{Audience, CanaryStart, PluginStatus, Runtime};

use crate::{
    Admin, Error, Result,
    protocol::{
        CanaryAudience, PluginCanary, PluginCommand, PluginLoaded, PluginRow, PluginSwap, Response,
    },
};

pub(crate) async fn execute(admin: &Admin, command: PluginCommand) -> Result<Response> {
    let runtime = runtime(admin)?;
    match command {
        PluginCommand::List => Ok(Response::Plugins(
            runtime.status().into_iter().map(row).collect(),
        )),
        PluginCommand::Status { plugin } => {
            let rows: Vec<_> = runtime.status().into_iter().map(row).collect();
            match plugin {
                Some(plugin) if rows.iter().all(|row| row.plugin != plugin) => {
                    Err(waxwing_runtime::Error::NoPlugin(plugin).into())
                }
                Some(plugin) => Ok(Response::Plugins(
                    rows.into_iter()
                        .filter(|row| row.plugin == plugin)
                        .collect(),
                )),
                None => Ok(Response::Plugins(rows)),
            }
        }
        PluginCommand::Load { package } => load(runtime, &package).await,
        PluginCommand::Activate {
            plugin,
            version,
            force,
        } => {
            if let Some(version) = version.as_deref().filter(|_| force) {
                runtime.forgive(&plugin, version).await?;
            }
            Ok(swapped(
                runtime.activate(&plugin, version.as_deref()).await?,
            ))
        }
        PluginCommand::Canary {
            plugin,
            version,
            users,
            percent,
        } => {
            let users = canonical(admin, users).await?;
            let audience = Audience { users, percent };
            let started = runtime.start_canary(&plugin, version.as_deref(), audience);
            Ok(canary(started.await?))
        }
        PluginCommand::StopCanary { plugin } => Ok(swapped(runtime.stop_canary(&plugin).await?)),
        PluginCommand::Rollback { plugin } => Ok(swapped(runtime.rollback(&plugin).await?)),
    }
}

async fn load(runtime: &Runtime, package: &Path) -> Result<Response> {
    let loaded = runtime.load(package).await?;
    let rows = runtime.status();
    let this = rows
        .iter()
        .find(|row| row.plugin == loaded.plugin && row.key == loaded.key);
    Ok(Response::PluginLoaded(PluginLoaded {
        state: this.map_or_else(|| "staged".into(), |row| row.state.clone()),
        plugin: loaded.plugin,
        version: loaded.version,
        key: loaded.key,
        digest: loaded.digest,
        ungranted: loaded.ungranted,
    }))
}

fn canary(start: CanaryStart) -> Response {
    Response::PluginCanary(PluginCanary {
        plugin: start.plugin,
        version: start.version,
        key: start.key,
        active: start.active,
        canary: served(start.audience),
        no_way_back: start.no_way_back,
    })
}

fn runtime(admin: &Admin) -> Result<&Runtime> {
    admin.runtime.as_ref().ok_or_else(|| {
        Error::Failed("plugins live in a running server, and none answers in this data directory; start it with `waxwing serve`".into())
    })
}

fn swapped(swap: waxwing_runtime::Swap) -> Response {
    Response::PluginSwapped(PluginSwap {
        plugin: swap.plugin,
        from: swap.from,
        to: swap.to,
        from_key: swap.from_key,
        to_key: swap.to_key,
    })
}

/// The users' addresses as the directory has them; one that does not exist is an error and not a canary for nobody.
async fn canonical(admin: &Admin, users: Vec<String>) -> Result<Vec<String>> {
    let mut addresses = Vec::with_capacity(users.len());
    for user in users {
        addresses.push(admin.directory.user(&user).await?.address);
    }
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

fn served(audience: Audience) -> CanaryAudience {
    CanaryAudience {
        users: audience.users,
        percent: audience.percent,
    }
}

fn row(status: PluginStatus) -> PluginRow {
    PluginRow {
        plugin: status.plugin,
        version: status.version,
        key: status.key,
        state: status.state,
        canary: status.audience.map(served),
        reason: status.reason,
        digest: status.digest,
        sessions: status.sessions,
        frozen: status.frozen,
        lingering: status.lingering,
        last_refusal: status.last_refusal,
        turns: status.turns,
        traps: status.traps,
        timeouts: status.timeouts,
        limits: status.limits,
        recoveries: status.recoveries,
        lost: status.lost,
        handovers: status.handovers,
        refusals: status.refusals,
    }
}

#[cfg(test)]
mod tests {
    use crate::{protocol::*, testing::Fixture};

    #[tokio::test]
    async fn without_a_server_plugins_say_how_to_start_one() {
        let fixture = Fixture::with_users(&[]).await;
        let refusal = fixture.refused(Request::Plugin(PluginCommand::List)).await;
        assert!(refusal.contains("waxwing serve"), "{refusal}");
    }
}
