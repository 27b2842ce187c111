//! The suites under `tests/`: clients of others against a real server.
//!
//! Clients come from the registries into a cache outside the clone (`WAXWING_CACHE`, else `~/.cache/waxwing`), once; Debian's
//! are installed when we may, and named when we may not.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    debian,
    metadata::Metadata,
    package,
    run::{run, workspace},
    virtual_environment::{self, is_installed, mark_installed},
};

/// Program or file, and the Debian package that brings it.
const DEBIAN: &[(&str, &str)] = &[
    ("curl", "curl"),
    ("cadaver", "cadaver"),
    ("litmus", "litmus"),
    ("swaks", "swaks"),
    ("mbsync", "isync"),
    ("msmtp", "msmtp"),
    ("mpop", "mpop"),
    ("fetchmail", "fetchmail"),
    ("gsasl", "gsasl"),
    ("rspamd", "rspamd"),
    ("/usr/sbin/smtp-source", "postfix"),
    ("openssl", "openssl"),
    ("npm", "npm"),
    ("node", "nodejs"),
];

/// Interpreter, what it must be able to say, and the Debian package that brings that.
const MODULES: &[(&str, &[&str], &str)] = &[
    // CPython's own mail corpus; Debian ships it apart from the interpreter.
    (
        "python3",
        &["-c", "import test.test_email"],
        "libpython3-testsuite",
    ),
    // swaks speaks TLS with it, and only recommends it.
    ("perl", &["-MNet::SSLeay", "-e1"], "libnet-ssleay-perl"),
];

/// Fails when a client is missing and cannot be installed.
pub(super) fn check() -> Result<()> {
    debian::install(
        &absent(),
        "the end-to-end tests need clients that are not here",
    )?;
    match absent() {
        still if still.is_empty() => Ok(()),
        still => bail!("still missing after the installation: {}", still.join(" ")),
    }
}

fn absent() -> Vec<&'static str> {
    let mut packages = debian::absent(DEBIAN);
    for (interpreter, arguments, package) in MODULES {
        let done = Command::new(interpreter).args(*arguments).output();
        if !done.is_ok_and(|done| done.status.success()) {
            packages.push(package);
        }
    }
    packages
}

/// Builds server and packages, installs the clients, runs pytest.
pub(super) fn run_suites(pytest: &[String]) -> Result<()> {
    let mut suites = python_against_the_server()?;
    suites
        .args([
            "-m",
            "pytest",
            "tests/e2e",
            "-q",
            "-ra",
            "--durations=5",
            "-p",
            "no:cacheprovider",
        ])
        .args(pytest);
    run(&mut suites)
}

/// Python with the clients of the suites, told where the server and the packages are; both are built first.
pub(crate) fn python_against_the_server() -> Result<Command> {
    let metadata = Metadata::read()?;
    super::build_binaries()?;
    super::forgetful_disk("build")?;
    // First, so that what lies in the target folder afterwards is what is shipped.
    package::build_faulty()?;
    package::build_all()?;
    let programs = virtual_environment::programs("python", "tests/requirements.txt")?;
    let mut python = Command::new(programs.join("python"));
    let binary = metadata.target_directory.join(super::BUILT).join("waxwing");
    python
        .current_dir(workspace())
        .env("WAXWING_BIN", binary)
        .env("WAXWING_PACKAGES", package::folder(&metadata))
        .env("WAXWING_FAULTY_PACKAGES", package::faulty_folder(&metadata))
        .env("NODE_PATH", node_modules(&virtual_environment::cache()?)?)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    // They would override the CA that a test names.
    for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"] {
        python.env_remove(name);
    }
    Ok(python)
}

/// The modules of `tests/package.json`; installed anew when that file changes.
fn node_modules(cache: &Path) -> Result<PathBuf> {
    let (folder, wanted) = (cache.join("node"), workspace().join("tests/package.json"));
    let modules = folder.join("node_modules");
    if !is_installed(&folder, &wanted)? {
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        fs::copy(&wanted, folder.join("package.json"))?;
        run(Command::new("npm")
            .args([
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--no-package-lock",
            ])
            .current_dir(&folder))?;
        mark_installed(&folder, &wanted)?;
    }
    Ok(modules)
}
