//! Packages end to end: what is loaded, what is refused and in which words, what survives a restart.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod support;

use support::{Host, probe, stream_manifest};

/// A component that imports one function of an interface.
fn importing(interface: &str, function: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(component (import "{interface}" (instance (export "{function}" (func (param "query" string) (result u32))))))"#
    ))
    .unwrap()
}

async fn complaint(host: &Host, manifest: &str, component: &[u8]) -> String {
    host.runtime
        .load(&host.pack_component(manifest, component))
        .await
        .unwrap_err()
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_host_lacks_is_named_with_both_versions() {
    let host = Host::new().await;
    let said = complaint(
        &host,
        &stream_manifest("0.1.0"),
        &importing("waxwing:store/search@1.4.0", "rank"),
    )
    .await;
    assert_eq!(
        said,
        "probe 0.1.0: imports waxwing:store/search@1.4.0, this host has waxwing:store 1.0.0 without it"
    );
    let said = complaint(
        &host,
        &stream_manifest("0.1.0"),
        &importing("waxwing:store/views@1.3.0", "rank"),
    )
    .await;
    assert_eq!(
        said,
        "probe 0.1.0: imports waxwing:store/views@1.3.0 `rank`, this host has 1.0.0"
    );
    let said = complaint(
        &host,
        &stream_manifest("0.1.0"),
        &importing("waxwing:kv/buckets@1.0.0", "get"),
    )
    .await;
    assert!(
        said.contains("waxwing:kv/buckets") && said.contains("get"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_is_not_what_its_manifest_says_is_refused() {
    let host = Host::new().await;
    let said = complaint(
        &host,
        &stream_manifest("0.1.0"),
        &wat::parse_str("(component)").unwrap(),
    )
    .await;
    assert!(
        said.contains("`waxwing:session/stream`, which the component does not export"),
        "{said}"
    );
    let said = complaint(&host, &stream_manifest("0.1.0"), b"not a component").await;
    assert!(said.contains("does not compile"), "{said}");
    let said = complaint(&host, "name = 'probe'\nversoin = '1.0.0'", b"").await;
    assert!(said.contains("did you mean `version`?"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_not_granted_is_denied_by_name() {
    let host = Host::with(|config| config.plugins.clear()).await;
    // Nothing is granted, so nothing may be needed either; the component imports it all the same.
    host.run_as(&stream_manifest("0.1.0").replace("'directory/accounts', 'store'", ""))
        .await;
    let mut client = host.open().await;
    let denied = client.say("log-in anna").await;
    assert!(denied.contains("FaultClass::Denied"), "{denied}");
    assert!(
        denied.contains("`directory/accounts` is not among the `needs` of probe's plugin.toml"),
        "{denied}"
    );
    let trapped = client.say("resolve anna@example.org").await;
    assert!(
        trapped.starts_with("server error: ") && trapped.contains("`directory/addresses`"),
        "{trapped}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_needs_more_waits_until_it_is_granted() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let more =
        stream_manifest("0.2.0").replace("['directory/accounts', 'store']", "['directory', 'kv']");
    let loaded = host.runtime.load(&host.pack_as(&more)).await.unwrap();
    assert_eq!(loaded.ungranted, ["directory", "kv"]);
    let said = host
        .runtime
        .activate("probe", None)
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        said,
        "probe 0.2.0 needs `directory`, `kv`, which is not granted: add it to `grants` under [plugin.probe]"
    );
    assert_eq!(host.open().await.say("who").await, "probe 0.1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_has_neither_files_nor_sockets_nor_environment() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    assert!(client.say("file").await.starts_with("Err("));
    assert!(
        client.say("connect").await.starts_with("Err(")
            || client.say("who").await.starts_with("probe")
    );
    assert_eq!(client.say("environment").await, "0 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_not_taken_from_an_unencrypted_stream() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut context = support::context();
    context.plaintext_login = false;
    let (mut session, _) = host.runtime.open(context).await.unwrap();
    let turn = session
        .handle(waxwing_runtime::Event::Input("log-in anna\n".into()))
        .await
        .unwrap();
    assert!(support::sent(&turn).contains("not taken without TLS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_the_active_version_and_the_way_back() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    host.run("0.2.0").await;
    host.runtime.load(&host.pack("0.3.0")).await.unwrap();
    let host = host.restart().await;
    let states: Vec<_> = host
        .runtime
        .status()
        .into_iter()
        .map(|status| (status.version, status.state))
        .collect();
    let expected = [
        ("0.1.0", "retired"),
        ("0.2.0", "active"),
        ("0.3.0", "staged"),
    ];
    assert_eq!(
        states,
        expected.map(|(version, state)| (version.to_owned(), state.to_owned()))
    );
    assert_eq!(host.open().await.say("who").await, "probe 0.2.0");
    let swap = host.runtime.rollback("probe").await.unwrap();
    assert_eq!(
        (swap.from.as_deref(), swap.to.as_str()),
        (Some("0.2.0"), "0.1.0")
    );
    let host = host.restart().await;
    assert_eq!(host.open().await.say("who").await, "probe 0.1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn loading_the_same_package_again_is_nothing_new() {
    let host = Host::new().await;
    let package = host.pack("0.1.0");
    host.runtime.load(&package).await.unwrap();
    host.runtime.load(&package).await.unwrap();
    assert_eq!(host.runtime.status().len(), 1);
    assert!(host.runtime.rollback("probe").await.is_err());
    assert!(host.runtime.activate("probe", Some("9.9.9")).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_package_is_refused_where_signatures_are_required() {
    let host = Host::with(|config| config.require_signature = true).await;
    let said = complaint(
        &host,
        &stream_manifest("0.1.0"),
        &std::fs::read(probe()).unwrap(),
    )
    .await;
    assert_eq!(said, "probe 0.1.0 is not signed by a trusted key");
}

#[tokio::test(flavor = "multi_thread")]
async fn machine_code_that_somebody_changed_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let host = Host::with(|config| config.cache.clone_from(&cache)).await;
    host.run("0.1.0").await;
    let code = std::fs::read_dir(&cache)
        .unwrap()
        .flatten()
        .find(|entry| entry.path().extension().is_some())
        .unwrap()
        .path();
    let mut octets = std::fs::read(&code).unwrap();
    let last = octets.len() - 1;
    octets[last] ^= 1;
    std::fs::write(&code, &octets).unwrap();
    let host = host.restart().await;
    assert_eq!(host.open().await.say("who").await, "probe 0.1.0");
    assert_ne!(std::fs::read(&code).unwrap(), octets);
}
