//! From component to machine code. Cranelift is not a boundary against hostile input: a component can be built that
//! takes hours and all memory to compile, and that is not counted a defect of wasmtime. So compiling happens in a child
//! process with limits on address space, CPU time and output, which has no environment and touches two files.
//!
//! The result is cached under the digest of the component and of everything the code depends on in this engine, and
//! carries a keyed hash (BLAKE3) under a key that only this host's cache directory holds: machine code is run with
//! the host's rights, so only what this host compiled itself is ever loaded, and what is checked is the very
//! bytes that are then used, not a file that may change meanwhile.

use std::{
    hash::{Hash as _, Hasher},
    io::Write as _,
    os::unix::{fs::OpenOptionsExt as _, fs::PermissionsExt as _, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Duration,
};

use rustix::process::{Resource, Rlimit, setrlimit};
use wasmtime::component::Component;

use crate::{Error, Result, engine};

/// Who compiles.
#[derive(Debug, Clone)]
pub enum Compiler {
    /// This process; for tests and tools, which trust what they compile.
    InProcess,
    /// A child, whose `main` calls `compile_child_main` when it is started with these arguments.
    Child {
        /// The executable.
        program: PathBuf,
        /// What tells it to compile; input, output and limits follow.
        arguments: Vec<String>,
    },
}

/// Bounds of one compilation; `[runtime.compile]` of the configuration.
#[derive(Debug, Clone)]
pub struct CompileLimits {
    /// Address space of the child, in octets.
    pub memory: u64,
    /// CPU time of the child, in seconds.
    pub cpu_seconds: u64,
    /// Size of the machine code, in octets.
    pub output: u64,
    /// Time by the clock.
    pub wait: Duration,
}

impl Default for CompileLimits {
    fn default() -> Self {
        CompileLimits {
            memory: 4 << 30,
            cpu_seconds: 300,
            output: 512 << 20,
            wait: Duration::from_secs(600),
        }
    }
}

/// What the child does: compiles one file to another within the limits that its last five arguments name.
#[must_use]
pub fn compile_child_main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let result = match arguments.as_slice() {
        [.., input, output, memory, cpu, size] => {
            child(Path::new(input), Path::new(output), [memory, cpu, size])
        }
        _ => {
            Err("five arguments are wanted: input, output, memory, CPU seconds, output size".into())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

fn child(input: &Path, output: &Path, limits: [&String; 3]) -> std::result::Result<(), String> {
    let resources = [Resource::As, Resource::Cpu, Resource::Fsize];
    for (resource, value) in resources.into_iter().zip(limits) {
        let value = value.parse().map_err(|_| format!("not a limit: {value}"))?;
        limit(resource, value)?;
    }
    limit(Resource::Core, 0)?;
    let component =
        std::fs::read(input).map_err(|error| format!("{}: {error}", input.display()))?;
    let engine =
        wasmtime::Engine::new(&engine::code_config()).map_err(|error| format!("{error:#}"))?;
    let code = engine
        .precompile_component(&component)
        .map_err(|error| format!("{error:#}"))?;
    std::fs::write(output, code).map_err(|error| format!("{}: {error}", output.display()))
}

fn limit(resource: Resource, value: u64) -> std::result::Result<(), String> {
    setrlimit(
        resource,
        Rlimit {
            current: Some(value),
            maximum: Some(value),
        },
    )
    .map_err(|error| format!("limit {resource:?}: {error}"))
}

/// The cache, and the way to fill it.
pub(crate) struct Compilation {
    directory: PathBuf,
    key: [u8; 32],
    compiler: Compiler,
    limits: CompileLimits,
}

impl Compilation {
    pub(crate) fn new(
        directory: PathBuf,
        compiler: Compiler,
        limits: CompileLimits,
    ) -> Result<Compilation> {
        let failed =
            |error: std::io::Error| Error::Other(format!("cache {}: {error}", directory.display()));
        std::fs::create_dir_all(&directory).map_err(failed)?;
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o700))
            .map_err(failed)?;
        let key = key(&directory).map_err(failed)?;
        Ok(Compilation {
            directory,
            key,
            compiler,
            limits,
        })
    }

    /// The component, compiled now or before.
    ///
    /// # Errors
    /// When it is not a component, or compiling it passes a limit, which the message names.
    pub(crate) async fn component(
        &self,
        engine: &wasmtime::Engine,
        wasm: &[u8],
        digest: &str,
    ) -> Result<Component> {
        let path = self.directory.join(format!(
            "{}-{}.code",
            digest.get(..32).unwrap_or(digest),
            engine_digest(engine)
        ));
        if let Some(component) = self.cached(engine, &path) {
            return Ok(component);
        }
        let code = match &self.compiler {
            Compiler::InProcess => {
                let (engine, wasm) = (engine.clone(), wasm.to_vec());
                tokio::task::spawn_blocking(move || engine.precompile_component(&wasm))
                    .await
                    .map_err(|error| Error::Other(error.to_string()))?
                    .map_err(|error| Error::Package(format!("does not compile: {error:#}")))?
            }
            Compiler::Child { program, arguments } => {
                self.in_child(program, arguments, wasm).await?
            }
        };
        self.store(&path, &code)
            .map_err(|error| Error::Other(format!("{}: {error}", path.display())))?;
        self.cached(engine, &path).ok_or_else(|| {
            Error::Other("machine code that was just compiled cannot be loaded".into())
        })
    }

    async fn in_child(&self, program: &Path, arguments: &[String], wasm: &[u8]) -> Result<Vec<u8>> {
        let failed = |error: std::io::Error| Error::Other(format!("compiling: {error}"));
        let place = tempfile::Builder::new()
            .prefix("compile-")
            .tempdir_in(&self.directory)
            .map_err(failed)?;
        let (input, output) = (
            place.path().join("component.wasm"),
            place.path().join("code"),
        );
        tokio::fs::write(&input, wasm).await.map_err(failed)?;
        let limits = &self.limits;
        let child = tokio::process::Command::new(program)
            .args(arguments)
            .arg(&input)
            .arg(&output)
            .args([limits.memory, limits.cpu_seconds, limits.output].map(|limit| limit.to_string()))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let ended = tokio::time::timeout(limits.wait, child.wait_with_output())
            .await
            .map_err(|_| {
                Error::Limit(format!(
                    "compile.wait = {:?}: the component takes too long to compile",
                    limits.wait
                ))
            })?
            .map_err(failed)?;
        if !ended.status.success() {
            return Err(self.why(&ended));
        }
        tokio::fs::read(&output).await.map_err(failed)
    }

    /// What an end other than success means. Running out of memory has many faces: an abort, a signal, a thread that
    /// cannot start; what the child itself found wrong it says with exit code 1.
    fn why(&self, ended: &std::process::Output) -> Error {
        let said = String::from_utf8_lossy(&ended.stderr);
        let said: String = said.trim().chars().take(2_000).collect();
        let limits = &self.limits;
        let limit = match (ended.status.code(), ended.status.signal()) {
            (Some(1), _) => return Error::Package(format!("does not compile: {said}")),
            (_, Some(libc::SIGXCPU | libc::SIGKILL)) => {
                format!(
                    "compile.cpu_seconds = {}: the component takes too long to compile",
                    limits.cpu_seconds
                )
            }
            (_, Some(libc::SIGXFSZ)) => {
                format!(
                    "compile.output = {}: the component's machine code is too large",
                    limits.output
                )
            }
            _ => format!(
                "compile.memory = {}: compiling the component broke off: {said}",
                limits.memory
            ),
        };
        Error::Limit(limit)
    }

    /// Machine code of this host for this engine, or nothing.
    fn cached(&self, engine: &wasmtime::Engine, path: &Path) -> Option<Component> {
        let sealed = std::fs::read(path).ok()?;
        let (seal, code) = sealed.split_first_chunk::<32>()?;
        if blake3::keyed_hash(&self.key, code) != blake3::Hash::from_bytes(*seal) {
            tracing::warn!(path = %path.display(), "cached machine code is not this host's; it is compiled again");
            return None;
        }
        deserialize(engine, code)
    }

    fn store(&self, path: &Path, code: &[u8]) -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        file.write_all(blake3::keyed_hash(&self.key, code).as_bytes())?;
        file.write_all(code)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[allow(
    unsafe_code,
    reason = "`deserialize` needs bytes that `precompile_component` of a compatible engine made: the caller has just checked their keyed \
              hash, whose key is readable to this host's user alone and which only `store` computes, on output of \
              `precompile_component`; wasmtime itself checks version and settings"
)]
fn deserialize(engine: &wasmtime::Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: see the reason above.
    match unsafe { Component::deserialize(engine, code) } {
        Ok(component) => Some(component),
        Err(error) => {
            tracing::info!(error = %error, "cached machine code does not fit this engine; it is compiled again");
            None
        }
    }
}

/// The key of a cache directory, made at its first use.
fn key(directory: &Path) -> std::io::Result<[u8; 32]> {
    let path = directory.join("key");
    if let Ok(octets) = std::fs::read(&path)
        && let Ok(key) = <[u8; 32]>::try_from(octets)
    {
        return Ok(key);
    }
    let key: [u8; 32] = rand::random();
    let _ = std::fs::remove_file(&path);
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?
        .write_all(&key)?;
    Ok(key)
}

/// A digest of all that the code depends on in the engine.
fn engine_digest(engine: &wasmtime::Engine) -> String {
    struct Into(blake3::Hasher);
    impl Hasher for Into {
        fn write(&mut self, octets: &[u8]) {
            self.0.update(octets);
        }

        fn finish(&self) -> u64 {
            0
        }
    }
    let mut into = Into(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut into);
    into.0.finalize().to_hex().chars().take(32).collect()
}
