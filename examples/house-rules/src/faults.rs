//! Failing when a message says so: `X-Fault: trap`, `loop` or `memory`.

use waxwing_sdk::mail_flow::{Message, Whole};

#[allow(
    clippy::panic,
    clippy::infinite_loop,
    reason = "that is what it is for"
)]
pub(crate) fn on_demand(message: &Message) {
    let whole = Whole::read(&message.body, crate::LIMIT).ok();
    let fault = whole.and_then(|whole| whole.field("X-Fault"));
    match fault.as_deref() {
        Some("trap") => panic!("as the message says"),
        Some("loop") => loop {
            std::hint::spin_loop();
        },
        Some("memory") => {
            let mut all = Vec::new();
            while all.len() < 1 << 20 {
                all.push(vec![1_u8; 1 << 20]);
            }
            std::hint::black_box(&all);
        }
        _ => {}
    }
}
