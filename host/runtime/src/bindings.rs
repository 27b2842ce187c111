//! The contracts of `wit/` as Rust types and traits, generated: one world that imports all that any plugin may
//! import, and names all that one may export. A component need not export all of it: exports are looked up
//! one interface at a time (`instance`), which is what makes `handoff` optional.

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package waxwing:host@1.0.0;
        world host {
            include waxwing:plugin/imports@1.0.0;
            export waxwing:session/%stream@1.0.0;
            export waxwing:session/handoff@1.0.0;
            export waxwing:http/handler@1.0.0;
            export waxwing:hook/mail-flow@1.0.0;
            export waxwing:hook/store-events@1.0.0;
            export waxwing:hook/delivery-filter@1.0.0;
        }
    ",
    world: "waxwing:host/host",
    imports: { default: async | trappable },
    exports: { default: async },
    with: {
        "waxwing:types/bodies.body": waxwing_exmdb::Body,
        "waxwing:store/mailboxes.mailbox": crate::host_side::OpenMailbox,
        "waxwing:store/views.view": crate::imports::views::OpenView,
        "waxwing:directory/accounts.principal": crate::imports::accounts::Principal,
    },
    trappable_error_type: { "waxwing:types/faults.fault" => crate::imports::Failure },
    require_store_data_send: true,
    include_component_type: true,
});
