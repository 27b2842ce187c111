//! What a plugin author imports (skeleton of the shapes plugins build on).
#![allow(missing_docs)]

pub mod bindings {
    #![allow(unsafe_code, clippy::all, missing_docs, unused, unreachable_pub, rust_2018_idioms)]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "waxwing:plugin/stream-plugin",
        pub_export_macro: true,
        default_bindings_module: "waxwing_sdk::bindings",
        generate_all,
    });
}
