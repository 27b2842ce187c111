//! Names the one switch of this crate: `in_host` is set when the code runs inside Waxwing, as a component whose
//! imports are answered by the host. Everywhere else (native tests, unit tests on the wasm target) the imports are
//! answered by `standin`.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(in_host)");
    let wasm = std::env::var("CARGO_CFG_TARGET_FAMILY")
        .is_ok_and(|family| family.split(',').any(|one| one == "wasm"));
    let testing = std::env::var_os("CARGO_FEATURE_TESTING").is_some();
    if wasm && !testing {
        println!("cargo::rustc-cfg=in_host");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
