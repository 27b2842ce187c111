//! What `wit-bindgen` makes of `wit/`, once, and shared by every world a plugin can be.
//!
//! The root of this module is the world `stream-plugin` with all imports; `http` holds only what the world
//! `http-plugin` exports besides, and names the same Rust types. The world `plain-stream-plugin` has no module: a plugin
//! without hand-over exports `handoff` too and refuses (see `plain_stream_plugin!`). Plugin code rarely comes here: the other modules of this
//! crate re-export what a plugin needs and put a typed face on the rest.
//!
//! Outside a host there is nobody to own a body or a mailbox, so `waxwing:types/bodies` and the interfaces of accounts,
//! mailboxes, folders and views are replaced there (`standin::bodies`, `standin::store`); the records among their types
//! are generated once more for that (`records`). All other types are the same on every target.
#![allow(
    unsafe_code,
    reason = "the canonical ABI: generated code that lowers and lifts values across the component boundary"
)]
#![allow(
    clippy::all,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    missing_docs,
    unused,
    unreachable_pub,
    rust_2018_idioms,
    reason = "generated code"
)]

#[cfg(in_host)]
wit_bindgen::generate!({
    path: "../../wit",
    world: "waxwing:plugin/stream-plugin",
    pub_export_macro: true,
    default_bindings_module: "waxwing_sdk::bindings",
    generate_all,
});

#[cfg(not(in_host))]
wit_bindgen::generate!({
    path: "../../wit",
    world: "waxwing:plugin/stream-plugin",
    pub_export_macro: true,
    default_bindings_module: "waxwing_sdk::bindings",
    with: {
        "waxwing:types/bodies@1.0.0": crate::standin::bodies,
        "waxwing:types/faults@1.0.0": crate::bindings::records::waxwing::types::faults,
        "waxwing:types/extensions@1.0.0": crate::bindings::records::waxwing::types::extensions,
        "waxwing:store/types@1.0.0": crate::bindings::records::waxwing::store::types,
        "waxwing:store/mailboxes@1.0.0": crate::standin::store::mailboxes,
        "waxwing:store/folders@1.0.0": crate::standin::store::folders,
        "waxwing:store/views@1.0.0": crate::standin::store::views,
        "waxwing:directory/accounts@1.0.0": crate::standin::store::accounts,
        "waxwing:directory/scram@1.0.0": crate::standin::store::scram,
        "waxwing:directory/sharing@1.0.0": crate::standin::store::sharing,
    },
    generate_all,
});

/// What the stand-in's own interfaces are about: only the records of this are used.
#[cfg(not(in_host))]
pub(crate) mod records {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package waxwing:records;
            world records {
                import waxwing:directory/accounts@1.0.0;
                import waxwing:directory/sharing@1.0.0;
                import waxwing:store/folders@1.0.0;
                import waxwing:store/views@1.0.0;
            }",
        world: "waxwing:records/records",
        with: { "waxwing:types/bodies@1.0.0": crate::standin::bodies },
        generate_all,
    });
}

/// Interfaces that are the host's, or the stand-in's.
pub(crate) mod answered {
    #[cfg(not(in_host))]
    pub use super::records::waxwing::{
        store::types,
        types::{extensions, faults},
    };
    #[cfg(in_host)]
    pub use super::waxwing::{
        directory::{accounts, scram, sharing},
        store::{folders, mailboxes, types, views},
        types::{extensions, faults},
    };
    #[cfg(not(in_host))]
    pub use crate::standin::store::{accounts, folders, mailboxes, scram, sharing, views};
}

/// `waxwing:types/bodies`, of the host or of the stand-in.
pub mod bodies {
    #[cfg(in_host)]
    pub use super::waxwing::types::bodies::*;
    #[cfg(not(in_host))]
    pub use crate::standin::bodies::*;
}

/// The exports of `http-plugin`, and the types of `waxwing:http`.
pub mod http {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "waxwing:plugin/http-plugin",
        pub_export_macro: true,
        default_bindings_module: "waxwing_sdk::bindings::http",
        with: {
            "waxwing:types/faults@1.0.0": crate::bindings::answered::faults,
            "waxwing:types/extensions@1.0.0": crate::bindings::answered::extensions,
            "waxwing:types/bodies@1.0.0": crate::bindings::bodies,
            "waxwing:log/logger@1.0.0": crate::bindings::waxwing::log::logger,
            "waxwing:config/settings@1.0.0": crate::bindings::waxwing::config::settings,
            "waxwing:config/site@1.0.0": crate::bindings::waxwing::config::site,
            "waxwing:kv/buckets@1.0.0": crate::bindings::waxwing::kv::buckets,
            "waxwing:directory/accounts@1.0.0": crate::bindings::answered::accounts,
            "waxwing:directory/addresses@1.0.0": crate::bindings::waxwing::directory::addresses,
            "waxwing:directory/scram@1.0.0": crate::bindings::answered::scram,
            "waxwing:directory/sharing@1.0.0": crate::bindings::answered::sharing,
            "waxwing:store/types@1.0.0": crate::bindings::answered::types,
            "waxwing:store/mailboxes@1.0.0": crate::bindings::answered::mailboxes,
            "waxwing:store/folders@1.0.0": crate::bindings::answered::folders,
            "waxwing:store/views@1.0.0": crate::bindings::answered::views,
            "waxwing:store/items@1.0.0": crate::bindings::waxwing::store::items,
            "waxwing:store/changes@1.0.0": crate::bindings::waxwing::store::changes,
            "waxwing:store/names@1.0.0": crate::bindings::waxwing::store::names,
            "waxwing:store/permissions@1.0.0": crate::bindings::waxwing::store::permissions,
            "waxwing:store/scripts@1.0.0": crate::bindings::waxwing::store::scripts,
            "waxwing:store/objects@1.0.0": crate::bindings::waxwing::store::objects,
            "waxwing:transport/delivery@1.0.0": crate::bindings::waxwing::transport::delivery,
            "waxwing:transport/submission@1.0.0": crate::bindings::waxwing::transport::submission,
            "waxwing:scheduling/itip@1.0.0": crate::bindings::waxwing::scheduling::itip,
            "waxwing:hook/filter-surroundings@1.0.0": crate::bindings::waxwing::hook::filter_surroundings,
            "waxwing:session/types@1.0.0": crate::bindings::waxwing::session::types,
            "waxwing:http/types@1.0.0": generate,
        },
    });
}

/// The export of `delivery-filter-hook`.
pub mod filter {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "waxwing:plugin/delivery-filter-hook",
        pub_export_macro: true,
        default_bindings_module: "waxwing_sdk::bindings::filter",
        with: {
            "waxwing:types/faults@1.0.0": crate::bindings::answered::faults,
            "waxwing:types/extensions@1.0.0": crate::bindings::answered::extensions,
            "waxwing:types/bodies@1.0.0": crate::bindings::bodies,
            "waxwing:log/logger@1.0.0": crate::bindings::waxwing::log::logger,
            "waxwing:config/settings@1.0.0": crate::bindings::waxwing::config::settings,
            "waxwing:config/site@1.0.0": crate::bindings::waxwing::config::site,
            "waxwing:kv/buckets@1.0.0": crate::bindings::waxwing::kv::buckets,
            "waxwing:directory/accounts@1.0.0": crate::bindings::answered::accounts,
            "waxwing:directory/scram@1.0.0": crate::bindings::answered::scram,
            "waxwing:directory/sharing@1.0.0": crate::bindings::answered::sharing,
            "waxwing:directory/addresses@1.0.0": crate::bindings::waxwing::directory::addresses,
            "waxwing:store/types@1.0.0": crate::bindings::answered::types,
            "waxwing:store/mailboxes@1.0.0": crate::bindings::answered::mailboxes,
            "waxwing:store/folders@1.0.0": crate::bindings::answered::folders,
            "waxwing:store/views@1.0.0": crate::bindings::answered::views,
            "waxwing:store/items@1.0.0": crate::bindings::waxwing::store::items,
            "waxwing:store/changes@1.0.0": crate::bindings::waxwing::store::changes,
            "waxwing:store/names@1.0.0": crate::bindings::waxwing::store::names,
            "waxwing:store/permissions@1.0.0": crate::bindings::waxwing::store::permissions,
            "waxwing:store/scripts@1.0.0": crate::bindings::waxwing::store::scripts,
            "waxwing:store/objects@1.0.0": crate::bindings::waxwing::store::objects,
            "waxwing:transport/delivery@1.0.0": crate::bindings::waxwing::transport::delivery,
            "waxwing:transport/submission@1.0.0": crate::bindings::waxwing::transport::submission,
            "waxwing:scheduling/itip@1.0.0": crate::bindings::waxwing::scheduling::itip,
            "waxwing:hook/filter-surroundings@1.0.0": crate::bindings::waxwing::hook::filter_surroundings,
        },
    });
}

/// The export of `mail-flow-hook`, and the types of `waxwing:hook`.
pub mod mail_flow {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "waxwing:plugin/mail-flow-hook",
        pub_export_macro: true,
        default_bindings_module: "waxwing_sdk::bindings::mail_flow",
        with: {
            "waxwing:types/faults@1.0.0": crate::bindings::answered::faults,
            "waxwing:types/extensions@1.0.0": crate::bindings::answered::extensions,
            "waxwing:types/bodies@1.0.0": crate::bindings::bodies,
            "waxwing:log/logger@1.0.0": crate::bindings::waxwing::log::logger,
            "waxwing:config/settings@1.0.0": crate::bindings::waxwing::config::settings,
            "waxwing:config/site@1.0.0": crate::bindings::waxwing::config::site,
            "waxwing:kv/buckets@1.0.0": crate::bindings::waxwing::kv::buckets,
            "waxwing:directory/accounts@1.0.0": crate::bindings::answered::accounts,
            "waxwing:directory/scram@1.0.0": crate::bindings::answered::scram,
            "waxwing:directory/sharing@1.0.0": crate::bindings::answered::sharing,
            "waxwing:directory/addresses@1.0.0": crate::bindings::waxwing::directory::addresses,
            "waxwing:store/types@1.0.0": crate::bindings::answered::types,
            "waxwing:store/mailboxes@1.0.0": crate::bindings::answered::mailboxes,
            "waxwing:store/folders@1.0.0": crate::bindings::answered::folders,
            "waxwing:store/views@1.0.0": crate::bindings::answered::views,
            "waxwing:store/items@1.0.0": crate::bindings::waxwing::store::items,
            "waxwing:store/changes@1.0.0": crate::bindings::waxwing::store::changes,
            "waxwing:store/names@1.0.0": crate::bindings::waxwing::store::names,
            "waxwing:store/permissions@1.0.0": crate::bindings::waxwing::store::permissions,
            "waxwing:store/scripts@1.0.0": crate::bindings::waxwing::store::scripts,
            "waxwing:store/objects@1.0.0": crate::bindings::waxwing::store::objects,
            "waxwing:transport/delivery@1.0.0": crate::bindings::waxwing::transport::delivery,
            "waxwing:transport/submission@1.0.0": crate::bindings::waxwing::transport::submission,
            "waxwing:scheduling/itip@1.0.0": crate::bindings::waxwing::scheduling::itip,
            "waxwing:hook/types@1.0.0": generate,
            "waxwing:hook/filter-surroundings@1.0.0": crate::bindings::waxwing::hook::filter_surroundings,
        },
    });
}
