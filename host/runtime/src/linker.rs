//! Which imports of a component are real and which are denials. Manifest and operator decide per interface
//! (`package::grants`); a denied one is still linked, so that the component starts and the denial is met where it is
//! used: a function that can fail answers `denied` with a detail that names the missing grant, one that cannot
//! fail ends its turn with that message. `define_unknown_imports_as_traps` would do neither.

use wasmtime::component::{
    Component, HasSelf, InstancePre, Linker, LinkerInstance, Resource, ResourceType, Type, Val,
    types::ComponentItem,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, IoError};

use crate::{
    Error, Result,
    bindings::waxwing as wit,
    contract::{self, InterfaceName},
    host_side::OpenMailbox,
    imports::{accounts::Principal, views::OpenView},
    package::grants::Grants,
    state::State,
    wasi,
};

type Link = fn(&mut Linker<State>) -> wasmtime::Result<()>;

macro_rules! link {
    ($($path:ident)::+) => {
        |linker| wit::$($path)::+::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
    };
}

/// Every interface with functions.
const INTERFACES: &[(&str, Link)] = &[
    ("waxwing:types/bodies", link!(types::bodies)),
    ("waxwing:log/logger", link!(log::logger)),
    ("waxwing:config/settings", link!(config::settings)),
    ("waxwing:config/site", link!(config::site)),
    ("waxwing:kv/buckets", link!(kv::buckets)),
    ("waxwing:directory/accounts", link!(directory::accounts)),
    ("waxwing:directory/addresses", link!(directory::addresses)),
    ("waxwing:directory/scram", link!(directory::scram)),
    ("waxwing:directory/sharing", link!(directory::sharing)),
    ("waxwing:store/mailboxes", link!(store::mailboxes)),
    ("waxwing:store/folders", link!(store::folders)),
    ("waxwing:store/views", link!(store::views)),
    ("waxwing:store/items", link!(store::items)),
    ("waxwing:store/changes", link!(store::changes)),
    ("waxwing:store/names", link!(store::names)),
    ("waxwing:store/permissions", link!(store::permissions)),
    ("waxwing:store/scripts", link!(store::scripts)),
    ("waxwing:store/objects", link!(store::objects)),
    ("waxwing:transport/delivery", link!(transport::delivery)),
    ("waxwing:transport/submission", link!(transport::submission)),
    ("waxwing:scheduling/itip", link!(scheduling::itip)),
    (
        "waxwing:hook/filter-surroundings",
        link!(hook::filter_surroundings),
    ),
];

/// Interfaces of types only: nothing to grant.
const TYPES: &[Link] = &[
    link!(types::faults),
    link!(types::extensions),
    link!(store::types),
    link!(session::types),
    link!(http::types),
    link!(hook::types),
];

/// Links a component, or says why it does not fit this host.
pub(crate) fn link(
    engine: &wasmtime::Engine,
    component: &Component,
    grants: &Grants,
) -> Result<InstancePre<State>> {
    let missing = contract::missing(engine, component);
    if !missing.is_empty() {
        return Err(Error::Package(missing.join("; ")));
    }
    // Types are checked against all that there is: a denial has any type.
    prepared(engine, component, None)
        .and_then(|_| prepared(engine, component, Some(grants)))
        .map_err(|error| Error::Package(format!("does not fit this host: {error:#}")))
}

/// Links with what is granted, or as if everything were.
fn prepared(
    engine: &wasmtime::Engine,
    component: &Component,
    grants: Option<&Grants>,
) -> wasmtime::Result<InstancePre<State>> {
    let mut linker = Linker::<State>::new(engine);
    wasi::link(&mut linker)?;
    for add in TYPES {
        add(&mut linker)?;
    }
    for (name, add) in INTERFACES {
        if grants.is_none_or(|grants| grants.allow(name)) {
            add(&mut linker)?;
        }
    }
    for (full, import) in component.component_type().imports(engine) {
        if let Some(denial) = denial(full, grants) {
            deny(engine, &mut linker, full, &import.ty, &denial)?;
        }
    }
    linker.instantiate_pre(component)
}

/// Why an import is denied, if it is.
fn denial(full: &str, grants: Option<&Grants>) -> Option<String> {
    let name = InterfaceName::parse(full).name;
    if name.starts_with("wasi:filesystem/") {
        return Some("waxwing plugins have no filesystem".into());
    }
    if name.starts_with("wasi:sockets/") {
        return Some("waxwing plugins have no sockets".into());
    }
    let ours = INTERFACES.iter().any(|(known, _)| *known == name);
    grants
        .filter(|_| ours)
        .and_then(|grants| grants.denial(&name))
}

fn deny(
    engine: &wasmtime::Engine,
    linker: &mut Linker<State>,
    full: &str,
    item: &ComponentItem,
    denial: &str,
) -> wasmtime::Result<()> {
    let ComponentItem::ComponentInstance(instance) = item else {
        return Ok(());
    };
    let mut denied = linker.instance(full)?;
    for (name, export) in instance.exports(engine) {
        match export.ty {
            ComponentItem::ComponentFunc(_) => deny_function(&mut denied, full, name, denial)?,
            ComponentItem::Resource(_) => deny_resource(&mut denied, name)?,
            _ => {}
        }
    }
    Ok(())
}

/// Marks resources that no instance can ever hold.
struct Unobtainable;

/// The host's resources and those of `wasi:io` keep their type, because granted interfaces speak of them too.
fn deny_resource(denied: &mut LinkerInstance<'_, State>, name: &str) -> wasmtime::Result<()> {
    match name {
        "body" => resource::<waxwing_exmdb::Body>(denied, name),
        "mailbox" => resource::<OpenMailbox>(denied, name),
        "view" => resource::<OpenView>(denied, name),
        "principal" => resource::<Principal>(denied, name),
        "input-stream" => resource::<DynInputStream>(denied, name),
        "output-stream" => resource::<DynOutputStream>(denied, name),
        "pollable" => resource::<DynPollable>(denied, name),
        "error" => resource::<IoError>(denied, name),
        _ => resource::<Unobtainable>(denied, name),
    }
}

fn resource<T: Send + 'static>(
    denied: &mut LinkerInstance<'_, State>,
    name: &str,
) -> wasmtime::Result<()> {
    denied.resource(name, ResourceType::host::<T>(), |mut store, handle| {
        store
            .data_mut()
            .table
            .delete(Resource::<T>::new_own(handle))?;
        Ok(())
    })
}

fn deny_function(
    denied: &mut LinkerInstance<'_, State>,
    interface: &str,
    name: &str,
    denial: &str,
) -> wasmtime::Result<()> {
    let message = format!("{interface} `{name}`: {denial}");
    let interface = interface.to_owned();
    denied.func_new(name, move |store, function, _, results| {
        tracing::warn!(plugin = %store.data().facts.plugin, "denied: {message}");
        let answer = function
            .results()
            .next()
            .and_then(|result| refusal(&interface, &result, &message));
        match (answer, results.first_mut()) {
            (Some(answer), Some(slot)) => {
                *slot = answer;
                Ok(())
            }
            _ => Err(wasmtime::Error::msg(message.clone())),
        }
    })
}

/// How a function of this result type says no, if it can.
fn refusal(interface: &str, result: &Type, message: &str) -> Option<Val> {
    match result {
        Type::Result(result) => {
            let error = match result.err()? {
                // `waxwing:types/faults.fault`.
                Type::Record(record) if record.fields().any(|field| field.name == "detail") => {
                    Val::Record(vec![
                        ("code".into(), Val::U32(0)),
                        ("class".into(), Val::Enum("denied".into())),
                        ("detail".into(), Val::String(message.to_owned())),
                    ])
                }
                // The error codes of WASI's filesystem and sockets.
                Type::Enum(codes) => {
                    let code = codes
                        .names()
                        .find(|code| matches!(*code, "access" | "access-denied"))?;
                    Val::Enum(code.to_owned())
                }
                _ => return None,
            };
            Some(Val::Result(Err(Some(Box::new(error)))))
        }
        // `wasi:filesystem/preopens.get-directories`: there are none.
        Type::List(_) if interface.starts_with("wasi:") => Some(Val::List(Vec::new())),
        _ => None,
    }
}
