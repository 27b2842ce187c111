//! Compiling in a child process. This binary is the host and the child: a child is this program with an argument that
//! says so, as it is with the server's binary; that is why it has a `main` of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::{fmt::Write as _, process::ExitCode};

use support::{Host, probe, stream_manifest};
use waxwing_runtime::{CompileLimits, Compiler, compile_child_main};

const CHILD: &str = "--compile-child";

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == CHILD) {
        return compile_child_main();
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        a_child_compiles_what_the_host_then_runs().await;
        a_compile_bomb_is_bounded_and_its_limit_named().await;
        what_does_not_compile_says_why().await;
    });
    ExitCode::SUCCESS
}

/// A host with an empty cache that compiles in a child.
async fn host(limits: CompileLimits) -> (Host, tempfile::TempDir) {
    let cache = tempfile::tempdir().unwrap();
    let host = Host::with(|config| {
        config.cache = cache.path().join("code");
        config.compiler = Compiler::Child {
            program: std::env::current_exe().unwrap(),
            arguments: vec![CHILD.into()],
        };
        config.compile_limits = limits;
    })
    .await;
    (host, cache)
}

async fn a_child_compiles_what_the_host_then_runs() {
    let (host, _cache) = host(CompileLimits::default()).await;
    host.run("0.1.0").await;
    assert_eq!(host.open().await.say("who").await, "probe 0.1.0");
}

/// Quick to load, slow to compile: functions with a great many live values.
fn bomb() -> Vec<u8> {
    let mut body = String::new();
    for index in 0..40_000 {
        let (to, one, other) = (index % 900, (index * 7) % 900, (index * 13) % 900);
        let _ = write!(
            body,
            "(local.set {to} (i64.mul (i64.add (local.get {one}) (i64.const {index})) (local.get {other})))"
        );
    }
    let function = format!("(func {} {body})", "(local i64)".repeat(900));
    wat::parse_str(format!("(component (core module {}))", function.repeat(12))).unwrap()
}

async fn a_compile_bomb_is_bounded_and_its_limit_named() {
    let limits = CompileLimits {
        cpu_seconds: 1,
        ..CompileLimits::default()
    };
    let (host, _cache) = host(limits).await;
    let package = host.pack_component(&stream_manifest("0.1.0"), &bomb());
    let said = host.runtime.load(&package).await.unwrap_err().to_string();
    assert!(said.contains("compile.cpu_seconds = 1"), "{said}");

    let limits = CompileLimits {
        memory: 48 << 20,
        ..CompileLimits::default()
    };
    let (host, _cache) = self::host(limits).await;
    let package = host.pack_component(&stream_manifest("0.1.0"), &std::fs::read(probe()).unwrap());
    let said = host.runtime.load(&package).await.unwrap_err().to_string();
    assert!(said.contains("compile.memory = 50331648"), "{said}");
}

async fn what_does_not_compile_says_why() {
    let (host, _cache) = host(CompileLimits::default()).await;
    let said = host
        .runtime
        .load(&host.pack_component(&stream_manifest("0.1.0"), b"\0asm"))
        .await
        .unwrap_err()
        .to_string();
    assert!(said.contains("does not compile"), "{said}");
}
