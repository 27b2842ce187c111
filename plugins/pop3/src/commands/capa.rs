//! CAPA (RFC 2449 section 5).
//!
//! LOGIN-DELAY is not among them: a client may come back as soon as it likes. EXPIRE NEVER says that nothing is deleted here
//! unless DELE and QUIT do it.

use waxwing_sdk::sasl;
use waxwing_sdk::stream::Turn;

use crate::reply::ok;
use crate::session::Pop3;
use crate::state::Stage;

/// In every state, on every connection.
const ALWAYS: [&str; 9] = [
    "TOP",
    "UIDL",
    "RESP-CODES",
    "AUTH-RESP-CODE",
    "PIPELINING",
    "EXPIRE NEVER",
    "UTF8 USER",
    "LANG",
    "IMPLEMENTATION Waxwing",
];

pub(super) fn run(session: &Pop3) -> Turn {
    let mut list = String::new();
    let mut name = |capability: &str| {
        list.push_str(capability);
        list.push_str("\r\n");
    };
    ALWAYS.into_iter().for_each(&mut name);
    if matches!(session.state.stage, Stage::Authorization { .. }) {
        let context = &session.context;
        if context.tls.is_none() && context.tls_available {
            name("STLS");
        }
        if sasl::passwords_are_safe(context) {
            name("USER");
        }
        let mechanisms: Vec<_> = sasl::offered(context).map(sasl::Mechanism::name).collect();
        if !mechanisms.is_empty() {
            name(&format!("SASL {}", mechanisms.join(" ")));
        }
    }
    Turn::new()
        .send(ok("Capabilities follow"))
        .send(list)
        .send(".\r\n")
}
