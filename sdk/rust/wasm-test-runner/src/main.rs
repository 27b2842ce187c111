//! Runs a test binary that was built for wasm32-wasip2: `CARGO_TARGET_WASM32_WASIP2_RUNNER` of `cargo test`.
//!
//! ```text
//! cargo build -p waxwing-wasm-test-runner
//! CARGO_TARGET_WASM32_WASIP2_RUNNER=target/debug/waxwing-wasm-test-runner cargo test -p PLUGIN --target wasm32-wasip2
//! ```
//!
//! A test binary is a `wasi:cli` command that links the SDK's stand-in, so WASI is all it gets: arguments, environment, standard
//! streams, clocks and random numbers; no files and no network. What it still imports of Waxwing (code that a test never
//! reaches) traps when it is called. The engine is the one that
//! runs plugins, so what differs between targets (the width of `usize`, above all) is found here.
//!
//! Tests in wasm share one thread and a panic ends them all; run them natively first, where each fails by itself.

use std::process::ExitCode;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceTable, ResourceType};
use wasmtime::error::Context as _;
use wasmtime::{Config, Engine, Error, Result, Store};
use wasmtime_wasi::p2::bindings::Command;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let file = arguments
        .first()
        .ok_or_else(|| Error::msg("which test binary?"))?;
    let engine = Engine::new(&Config::new())?;
    let component =
        Component::from_file(&engine, file).with_context(|| format!("{file} is no component"))?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    add_traps(&engine, &component, &mut linker)?;
    let wasi = WasiCtx::builder()
        .inherit_stdio()
        .inherit_env()
        .args(&arguments)
        .build();
    let mut store = Store::new(
        &engine,
        State {
            wasi,
            table: ResourceTable::new(),
        },
    );
    let command = Command::instantiate_async(&mut store, &component, &linker).await?;
    let succeeded = match command.wasi_cli_run().call_run(&mut store).await {
        Ok(outcome) => outcome.is_ok(),
        Err(error) => match error.downcast_ref::<wasmtime_wasi::I32Exit>() {
            Some(exit) => exit.0 == 0,
            None => return Err(error).context("the tests trapped"),
        },
    };
    Ok(if succeeded {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Stands for every resource of Waxwing; there never is one.
enum Absent {}

/// Only for imports of Waxwing: `define_unknown_imports_as_traps` would shadow WASI's semver-compatible versions too.
fn add_traps(engine: &Engine, component: &Component, linker: &mut Linker<State>) -> Result<()> {
    for (name, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(interface) = import.ty else {
            continue;
        };
        if !name.starts_with("waxwing:") {
            continue;
        }
        let mut instance = linker.instance(name)?;
        for (export, item) in interface.exports(engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) => {
                    let call = format!("{name} {export} needs a host");
                    instance.func_new(export, move |_, _, _, _| Err(Error::msg(call.clone())))?;
                }
                ComponentItem::Resource(_) => {
                    instance.resource(export, ResourceType::host::<Absent>(), |_, _| Ok(()))?
                }
                _ => {}
            }
        }
    }
    Ok(())
}
