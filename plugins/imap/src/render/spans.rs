//! Sequence sets as answers (`1:3,5`).

/// `1:3,5`
pub fn set(out: &mut Vec<u8>, spans: impl IntoIterator<Item = (u32, u32)>) {
    for (at, (first, last)) in spans.into_iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let text = if first == last {
            format!("{comma}{first}")
        } else {
            format!("{comma}{first}:{last}")
        };
        out.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn ranges_of_one_are_single_numbers() {
        let mut out = Vec::new();
        super::set(&mut out, [(1, 3), (5, 5)]);
        assert_eq!(out, b"1:3,5");
    }
}
