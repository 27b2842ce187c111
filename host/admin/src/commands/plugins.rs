//! `waxwing plugin …`

use waxwing_runtime::{PluginStatus, Runtime};

use crate::{
    Admin, Error, Result,
    protocol::{PluginCommand, PluginLoaded, PluginRow, PluginSwap, Response},
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
        PluginCommand::Load { package } => {
            let loaded = runtime.load(&package).await?;
            let rows = runtime.status();
            let this = rows.iter().rfind(|row| {
                row.plugin == loaded.plugin
                    && row.version == loaded.version
                    && row.digest == loaded.digest
            });
            Ok(Response::PluginLoaded(PluginLoaded {
                state: this.map_or_else(|| "staged".into(), |row| row.state.clone()),
                plugin: loaded.plugin,
                version: loaded.version,
                digest: loaded.digest,
                ungranted: loaded.ungranted,
            }))
        }
        PluginCommand::Activate { plugin, version } => Ok(swapped(
            runtime.activate(&plugin, version.as_deref()).await?,
        )),
        PluginCommand::Rollback { plugin } => Ok(swapped(runtime.rollback(&plugin).await?)),
    }
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
    })
}

fn row(status: PluginStatus) -> PluginRow {
    PluginRow {
        plugin: status.plugin,
        version: status.version,
        state: status.state,
        digest: status.digest,
        sessions: status.sessions,
        frozen: status.frozen,
        turns: status.turns,
        traps: status.traps,
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
