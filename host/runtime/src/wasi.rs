//! WASI 0.2, as much of it as a plugin has: io, clocks, random, and a command line without arguments or environment.
//! Standard input is empty; lines on standard output and error go to the log. Filesystem and sockets are denials
//! (`linker`).

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use wasmtime::component::Linker;
use wasmtime_wasi::{
    WasiCtx, WasiView as _,
    cli::{IsTerminal, StdoutStream, WasiCli, WasiCliView as _},
    p2::{
        OutputStream, Pollable, StreamResult,
        bindings::{cli, random},
    },
    random::WasiRandom,
};

use crate::{
    bindings::waxwing::log::logger::Level, host_side::HostSide, imports, plugins::Facts,
    state::State,
};

/// Links what is implemented.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(linker)?;
    random::insecure::add_to_linker::<State, WasiRandom>(linker, |state| state.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<State, WasiRandom>(linker, |state| {
        state.ctx().ctx.random()
    })?;
    cli::exit::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::environment::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    Ok(())
}

/// The context of one instance.
pub(crate) fn context(host: &Arc<HostSide>, facts: &Arc<Facts>) -> WasiCtx {
    let stream = |level| LogStream {
        host: host.clone(),
        facts: facts.clone(),
        level,
        line: Arc::default(),
    };
    WasiCtx::builder()
        .stdout(stream(Level::Info))
        .stderr(stream(Level::Warn))
        .build()
}

/// A line longer than this is logged in pieces, in octets.
const LINE: usize = 4 << 10;

#[derive(Clone)]
struct LogStream {
    host: Arc<HostSide>,
    facts: Arc<Facts>,
    level: Level,
    line: Arc<Mutex<Vec<u8>>>,
}

impl LogStream {
    fn take(&self, octets: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for octet in octets {
            if *octet != b'\n' {
                line.push(*octet);
            }
            if *octet == b'\n' || line.len() >= LINE {
                let text = String::from_utf8_lossy(&line).into_owned();
                line.clear();
                if !text.trim().is_empty() {
                    imports::write_log(&self.host, &self.facts, self.level, &text);
                }
            }
        }
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl tokio::io::AsyncWrite for LogStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.take(octets);
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[async_trait::async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl OutputStream for LogStream {
    fn write(&mut self, octets: Bytes) -> StreamResult<()> {
        self.take(&octets);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LINE)
    }
}
