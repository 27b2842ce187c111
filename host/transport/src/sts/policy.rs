//! The text of a policy (RFC 8461 section 3.2) and of the record that announces one (section 3.1).

use std::time::Duration;

/// RFC 8461 section 3.2: no policy is kept for longer than about a year.
const LONGEST: Duration = Duration::from_secs(31_557_600);
/// RFC 8461 section 3.1: `1*32(ALPHA / DIGIT)`.
const LONGEST_ID: usize = 32;

/// What a sender is to do with a host that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Not to send there.
    Enforce,
    /// To send all the same.
    Testing,
    /// There is no policy any more.
    None,
}

/// A policy that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) mode: Mode,
    pub(crate) max_age: Duration,
    /// Names in small letters; `*.` stands for one label.
    hosts: Vec<String>,
}

impl Policy {
    /// Unknown keys mean nothing; of a key that may stand once the first counts.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn parse(text: &str) -> Result<Policy, String> {
        let (mut version, mut mode, mut max_age, mut hosts) = (None, None, None, Vec::new());
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (key, value) = line
                .split_once(':')
                .ok_or_else(|| format!("the line {line:?} has no colon"))?;
            let value = value.trim();
            match key.trim() {
                "version" => version = version.or(Some(value)),
                "mode" => mode = mode.or(Some(value)),
                "max_age" => max_age = max_age.or(Some(value)),
                "mx" => hosts.push(value.trim_end_matches('.').to_ascii_lowercase()),
                _ => {}
            }
        }
        if version != Some("STSv1") {
            return Err("it is not of the version STSv1".into());
        }
        let mode = match mode {
            Some("enforce") => Mode::Enforce,
            Some("testing") => Mode::Testing,
            Some("none") => Mode::None,
            other => return Err(format!("its mode is {other:?}")),
        };
        let seconds: u64 = max_age
            .and_then(|age| age.parse().ok())
            .ok_or("it has no max_age")?;
        if hosts.is_empty() && mode != Mode::None {
            return Err("it names no mail host".into());
        }
        Ok(Policy {
            mode,
            max_age: Duration::from_secs(seconds).min(LONGEST),
            hosts,
        })
    }

    /// Whether a mail host is one of the policy's (RFC 8461 section 4.1).
    pub(crate) fn names(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let above = host.split_once('.').map(|(_, above)| above);
        self.hosts
            .iter()
            .any(|pattern| match pattern.strip_prefix("*.") {
                Some(domain) => above == Some(domain),
                None => *pattern == host,
            })
    }
}

/// The id that the records under `_mta-sts` announce. None: there is no policy, or more than one, which is none.
pub(crate) fn announced(records: &[String]) -> Option<String> {
    let mut ours = records
        .iter()
        .filter(|record| record.split(';').next().map(str::trim) == Some("v=STSv1"));
    let record = ours.next().filter(|_| ours.next().is_none())?;
    let id = record
        .split(';')
        .filter_map(|field| field.trim().split_once('='))
        .find(|(key, _)| key.trim() == "id")?
        .1
        .trim();
    let is_id = (1..=LONGEST_ID).contains(&id.len())
        && id.bytes().all(|octet| octet.is_ascii_alphanumeric());
    is_id.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net.\r\nmax_age: 604800\r\n";

    #[test]
    fn a_star_stands_for_one_label() {
        let policy = Policy::parse(TEXT).unwrap();
        assert_eq!(
            (policy.mode, policy.max_age.as_secs()),
            (Mode::Enforce, 604_800)
        );
        for (host, fits) in [
            ("MAIL.example.com.", true),
            ("a.example.net", true),
            ("example.net", false),
            ("a.b.example.net", false),
            ("evilexample.net", false),
            ("example.com", false),
        ] {
            assert_eq!(policy.names(host), fits, "{host}");
        }
    }

    #[test]
    fn what_is_not_whole_is_no_policy() {
        for (part, instead) in [
            ("STSv1", "STSv2"),
            ("enforce", "perhaps"),
            ("max_age", "maxage"),
            ("604800", "long"),
            ("mx:", "my:"),
            ("mode:", "mode"),
        ] {
            assert!(
                Policy::parse(&TEXT.replace(part, instead)).is_err(),
                "{part}"
            );
        }
        assert!(Policy::parse("version: STSv1\nmode: none\nmax_age: 1").is_ok());
    }

    #[test]
    fn one_record_with_an_id_announces_a_policy() {
        let announced = |records: &[&str]| {
            let records: Vec<String> = records.iter().map(|&record| record.to_owned()).collect();
            announced(&records)
        };
        assert_eq!(
            announced(&["v=STSv1; id=20260101Z;"]),
            Some("20260101Z".into())
        );
        assert_eq!(announced(&["google", "v=STSv1;id=1"]), Some("1".into()));
        for none in [
            &["v=STSv1; id=a_b"][..],
            &["v=STSv1"],
            &["v=STSv1; id=1", "v=STSv1; id=2"],
            &["v=STSv10; id=1"],
            &[],
        ] {
            assert_eq!(announced(none), None, "{none:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_a_server_sends_is_too_much(text in "\\PC{0,200}", line in "(version|mode|mx|max_age): ?[a-zA-Z0-9*.]{0,20}\n") {
            let _ = Policy::parse(&text);
            let _ = Policy::parse(&line.repeat(3)).map(|policy| policy.names(&text));
            let _ = announced(&[text]);
        }
    }
}
