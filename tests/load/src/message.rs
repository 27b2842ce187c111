//! The messages that both servers are given: the same for the same number, and neither all alike nor noise, so that
//! what compresses or indexes them has the work that mail gives.

use std::fmt::Write;

const WORDS: &[&str] = &[
    "about",
    "account",
    "after",
    "agenda",
    "always",
    "answer",
    "april",
    "attached",
    "because",
    "before",
    "between",
    "budget",
    "calendar",
    "change",
    "client",
    "contract",
    "customer",
    "date",
    "delivery",
    "department",
    "design",
    "discuss",
    "document",
    "draft",
    "during",
    "early",
    "email",
    "estimate",
    "evening",
    "every",
    "figures",
    "file",
    "first",
    "forward",
    "friday",
    "further",
    "general",
    "great",
    "group",
    "hello",
    "however",
    "important",
    "include",
    "invoice",
    "issue",
    "january",
    "kind",
    "large",
    "later",
    "letter",
    "little",
    "machine",
    "march",
    "meeting",
    "message",
    "minutes",
    "monday",
    "morning",
    "number",
    "office",
    "online",
    "order",
    "paper",
    "payment",
    "people",
    "phone",
    "please",
    "point",
    "price",
    "problem",
    "project",
    "proposal",
    "question",
    "quickly",
    "reason",
    "regards",
    "release",
    "report",
    "request",
    "review",
    "schedule",
    "second",
    "service",
    "several",
    "should",
    "small",
    "something",
    "status",
    "system",
    "table",
    "thank",
    "there",
    "thursday",
    "today",
    "together",
    "tomorrow",
    "travel",
    "tuesday",
    "update",
    "version",
    "waiting",
    "website",
    "week",
    "welcome",
    "without",
    "work",
    "would",
    "yesterday",
];

/// A sequence of numbers that looks random and is the same every time (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    fn word(&mut self) -> &'static str {
        let count = WORDS.len();
        let chosen = usize::try_from(self.below(count as u64)).unwrap_or_default();
        WORDS.get(chosen).copied().unwrap_or("word")
    }
}

/// Conversations of four: each message answers the one before and names the first too.
fn references(number: usize) -> String {
    match number % 4 {
        0 => String::new(),
        1 => format!("References: <{}.bench@elsewhere.test>\r\n", number - 1),
        place => format!(
            "References: <{}.bench@elsewhere.test>\r\n <{}.bench@elsewhere.test>\r\n",
            number - place,
            number - 1
        ),
    }
}

/// The same, as its author submits it.
pub(crate) fn message_from(author: &str, number: usize, size: usize) -> Vec<u8> {
    let message = message(number, size);
    // What servers on its way have added stands before.
    let to = memchr::memmem::find(&message, b"\nTo: ").map_or(0, |at| at + 1);
    let rest = message.get(to..).unwrap_or_default();
    [format!("From: <{author}>\r\n").as_bytes(), rest].concat()
}

/// Message `number`, of about `size` octets, with CRLF line ends.
pub(crate) fn message(number: usize, size: usize) -> Vec<u8> {
    let mut dice = Dice::new(number as u64);
    let (day, hour, minute) = (1 + dice.below(28), dice.below(24), dice.below(60));
    let (sender, word) = (dice.word(), dice.word());
    let mut text = String::with_capacity(size + 128);
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "Return-Path: <{sender}@elsewhere.test>\r\n\
         Received: from mail.elsewhere.test (mail.elsewhere.test [192.0.2.7])\r\n\tby mx.example.test with ESMTPS id {number:08x};\r\n\t{day:02} Jan 2025 {hour:02}:{minute:02}:00 +0000\r\n\
         From: {sender} {word} <{sender}@elsewhere.test>\r\n\
         To: Alice Adams <alice@example.test>, {word}@example.test\r\n\
         Subject: {} {} {} {number}\r\n\
         Date: {day:02} Jan 2025 {hour:02}:{minute:02}:00 +0000\r\n\
         Message-ID: <{number}.bench@elsewhere.test>\r\n{}\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
        dice.word(),
        dice.word(),
        dice.word(),
        references(number),
    );
    let mut line = 0;
    while text.len() + 2 < size {
        let word = dice.word();
        if line + word.len() > 72 {
            text.push_str("\r\n");
            line = 0;
        }
        text.push_str(word);
        text.push(' ');
        line += word.len() + 1;
    }
    text.push_str("\r\n");
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_the_same_every_time_and_of_the_size_asked_for() {
        let made = message(7, 8_000);
        assert_eq!(made, message(7, 8_000));
        assert_ne!(made, message(8, 8_000));
        assert!((7_990..8_020).contains(&made.len()), "{}", made.len());
    }

    #[test]
    fn a_submitted_message_has_its_author_and_no_trace() {
        let made = String::from_utf8(message_from("a@example.test", 7, 8_000)).unwrap();
        assert!(made.starts_with("From: <a@example.test>\r\nTo: "), "{made}");
        assert!(made.contains("\r\nMessage-ID: <7.bench@") && !made.contains("Received:"));
    }
}
