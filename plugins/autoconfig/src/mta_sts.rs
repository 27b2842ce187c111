//! The policy of our domains (RFC 8461 section 3.2): mail for them comes to this host alone, which proves its name.
//!
//! The setting `mta_sts` is `testing` where nothing is said: others then report what would fail and deliver all the same. Nobody looks
//! for the policy before `_mta-sts.DOMAIN` announces it, which is the operator's to do; its id must change with the policy.

use waxwing_sdk::{config, site};

/// A week: long enough to be worth something, short enough to get rid of.
const MAX_AGE: u64 = 604_800;

/// None: the operator has none.
pub(crate) fn policy() -> Option<String> {
    let mode: String = config::get_or("mta_sts", "testing".to_owned());
    match mode.as_str() {
        "enforce" | "testing" => Some(format!(
            "version: STSv1\r\nmode: {mode}\r\nmx: {}\r\nmax_age: {MAX_AGE}\r\n",
            site::host_name()
        )),
        "none" => Some("version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n".to_owned()),
        "off" => None,
        other => {
            waxwing_sdk::error!(
                "setting `mta_sts`: {other:?} is none of enforce, testing, none (taken back) and off"
            );
            None
        }
    }
}
