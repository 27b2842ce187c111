//! Values that are a word in iCalendar and a number in MAPI (MS-OXCICAL 2.1.3.1.1.20).

/// CLASS and PidTagSensitivity.
pub(super) const CLASS: [(&str, i64); 4] = [
    ("PUBLIC", 0),
    ("X-PERSONAL", 1),
    ("PRIVATE", 2),
    ("CONFIDENTIAL", 3),
];
/// X-MICROSOFT-CDO-BUSYSTATUS and PidLidBusyStatus.
pub(super) const BUSY: [(&str, i64); 5] = [
    ("FREE", 0),
    ("TENTATIVE", 1),
    ("BUSY", 2),
    ("OOF", 3),
    ("WORKINGELSEWHERE", 4),
];
/// PARTSTAT and PidTagRecipientTrackStatus, PidLidResponseStatus.
pub(super) const PARTICIPATION: [(&str, i64); 4] = [
    ("TENTATIVE", 2),
    ("ACCEPTED", 3),
    ("DECLINED", 4),
    ("NEEDS-ACTION", 5),
];
/// STATUS of a task and PidLidTaskStatus. CANCELLED is deferred: nobody is to work on it.
pub(super) const TASK: [(&str, i64); 4] = [
    ("NEEDS-ACTION", 0),
    ("IN-PROCESS", 1),
    ("COMPLETED", 2),
    ("CANCELLED", 4),
];

pub(super) fn number(words: &[(&str, i64)], word: &str) -> Option<i64> {
    words
        .iter()
        .find(|(known, _)| word.trim().eq_ignore_ascii_case(known))
        .map(|(_, number)| *number)
}

pub(super) fn word<'a>(words: &[(&'a str, i64)], number: i64) -> Option<&'a str> {
    words
        .iter()
        .find(|(_, known)| *known == number)
        .map(|(word, _)| *word)
}
