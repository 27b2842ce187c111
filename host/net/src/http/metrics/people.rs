//! Who came in, and who did not.

use waxwing_directory::Logins;

use super::families::{self, Page};

pub(super) fn write(page: &mut Page, logins: Logins) {
    let results = [
        ("ok", logins.succeeded),
        ("denied", logins.denied),
        ("stopped", logins.stopped),
        ("refused", logins.refused),
        ("error", logins.failed),
    ];
    for (result, count) in results {
        page.count(&families::LOGINS, &[("result", result)], count);
    }
}
