//! What a domain publishes in DNS so that its mail finds this server, is believed by others, and its users' programs set themselves up;
//! and what is published already.
//!
//! A record that others may have written differently for good reasons (a second MX, a stricter DMARC policy) is `other` and no fault when
//! another of its kind is there; a DKIM record must be exactly that of the key. The policy of MTA-STS is served by
//! the plugin `autoconfig` under a name of its own, which not everybody has, so its record is shown but not missed.

use futures_util::{StreamExt as _, stream};
use waxwing_directory::DkimKey;
use waxwing_runtime::Site;
use waxwing_transport::{Answer, RecordKind, Resolver};

use crate::protocol::{DnsRecordRow, DnsState};

/// Questions at the same time.
const AT_ONCE: usize = 8;

/// A record with what it takes to judge what is published.
pub(crate) struct Wanted {
    pub(crate) row: DnsRecordRow,
    kind: RecordKind,
    /// Another one that begins so is as good; none: only this one is.
    family: Option<&'static str>,
    /// Nothing is wrong without it.
    optional: bool,
}

impl Wanted {
    fn new(kind: RecordKind, name: String, value: String, purpose: &str) -> Wanted {
        Wanted {
            row: DnsRecordRow {
                name,
                kind: kind_name(kind).to_owned(),
                value,
                purpose: purpose.to_owned(),
                state: None,
                found: Vec::new(),
            },
            kind,
            family: Some(""),
            optional: false,
        }
    }

    fn like(self, family: &'static str) -> Wanted {
        Wanted {
            family: Some(family),
            ..self
        }
    }

    fn optional(self) -> Wanted {
        Wanted {
            optional: true,
            ..self
        }
    }
}

fn kind_name(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Mx => "MX",
        RecordKind::Txt => "TXT",
        RecordKind::Srv => "SRV",
        RecordKind::Cname => "CNAME",
    }
}

/// The record of a key.
pub(crate) fn of_key(key: &DkimKey) -> Wanted {
    let purpose = format!("DKIM key, {}", key.state.name());
    let wanted = Wanted::new(RecordKind::Txt, key.record_name(), key.record(), &purpose);
    Wanted {
        family: None,
        ..wanted
    }
}

/// All records of a domain.
pub(crate) fn of_domain(domain: &str, keys: &[DkimKey], site: &Site) -> Vec<Wanted> {
    let host = &site.host_name;
    let txt =
        |name: String, value: String, purpose| Wanted::new(RecordKind::Txt, name, value, purpose);
    let mut records = vec![
        Wanted::new(
            RecordKind::Mx,
            domain.to_owned(),
            format!("10 {host}"),
            "where mail for the domain goes",
        ),
        txt(
            domain.to_owned(),
            "v=spf1 mx -all".into(),
            "SPF: who may send mail of the domain",
        )
        .like("v=spf1"),
    ];
    records.extend(keys.iter().map(of_key));
    records.extend([
        txt(
            format!("_dmarc.{domain}"),
            format!("v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}"),
            "DMARC: what becomes of mail that only claims to be of the domain",
        )
        .like("v=DMARC1"),
        txt(
            format!("_smtp._tls.{domain}"),
            format!("v=TLSRPTv1; rua=mailto:postmaster@{domain}"),
            "TLSRPT: where others tell of failed TLS",
        )
        .like("v=TLSRPTv1"),
        txt(
            format!("_mta-sts.{domain}"),
            "v=STSv1; id=1".into(),
            "MTA-STS: only when https://mta-sts.DOMAIN/.well-known/mta-sts.txt answers, as the plugin autoconfig does; a new id for each change of the policy",
        )
        .like("v=STSv1")
        .optional(),
    ]);
    records.extend(site.services.iter().map(|(service, port)| {
        let name = format!("_{service}._tcp.{domain}");
        let value = format!("0 1 {port} {host}");
        Wanted::new(
            RecordKind::Srv,
            name,
            value,
            "how programs find their server",
        )
        .optional()
    }));
    records.extend(names_of_this_host(domain, host));
    records
}

/// Names under which others look for something of the domain here.
fn names_of_this_host(domain: &str, host: &str) -> impl Iterator<Item = Wanted> {
    let names = [
        ("autoconfig", "Thunderbird asks there for its settings"),
        (
            "mta-sts",
            "others ask there for the policy that MTA-STS announces",
        ),
    ];
    names.into_iter().map(move |(name, purpose)| {
        let name = format!("{name}.{domain}");
        Wanted::new(RecordKind::Cname, name, host.to_owned(), purpose).optional()
    })
}

/// The same with what DNS says of each.
pub(crate) async fn check(resolver: &Resolver, wanted: Vec<Wanted>) -> Vec<DnsRecordRow> {
    stream::iter(wanted)
        .map(|wanted| async move {
            let answer = resolver.records(&wanted.row.name, wanted.kind).await;
            judge(wanted, answer)
        })
        .buffered(AT_ONCE)
        .collect()
        .await
}

fn judge(wanted: Wanted, answer: Answer<String>) -> DnsRecordRow {
    let Wanted {
        mut row,
        family,
        optional,
        ..
    } = wanted;
    let missing = match optional {
        true => DnsState::Other,
        false => DnsState::Missing,
    };
    let state = match answer {
        Answer::Found(found) if found.iter().any(|found| same(found, &row.value)) => DnsState::Ok,
        Answer::Found(found) => {
            let family_of = family.unwrap_or_default();
            let relatives = found
                .into_iter()
                .filter(|found| starts_with(found, family_of))
                .collect::<Vec<_>>();
            let state = match (relatives.is_empty(), family) {
                (true, _) => missing,
                (false, Some(_)) => DnsState::Other,
                (false, None) => DnsState::Wrong,
            };
            row.found = relatives;
            state
        }
        Answer::NoRecords | Answer::NoDomain => missing,
        Answer::Failed(why) => {
            row.found = vec![why];
            DnsState::Unknown
        }
    };
    row.state = Some(state);
    row
}

/// Blanks mean nothing in a record of tags, nor does the case of a name.
fn same(found: &str, wanted: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    found == wanted
        || plain(found).trim_end_matches(';') == plain(wanted)
        || (!wanted.contains('=') && found.eq_ignore_ascii_case(wanted))
}

fn starts_with(found: &str, family: &str) -> bool {
    found
        .get(..family.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(family))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(index: usize, answer: Answer<String>) -> DnsState {
        let site = Site {
            host_name: "mx.example.org".into(),
            services: vec![("imaps", 993)],
        };
        let wanted = of_domain("example.org", &[], &site);
        judge(wanted.into_iter().nth(index).unwrap(), answer)
            .state
            .unwrap()
    }

    #[test]
    fn what_is_published_is_told_from_what_is_missing() {
        let found = |text: &str| Answer::Found(vec!["v=other".to_owned(), text.to_owned()]);
        let (mx, spf, sts) = (0, 1, 4);
        assert_eq!(judged(mx, found("10 MX.example.org")), DnsState::Ok);
        assert_eq!(judged(mx, found("20 mx.example.net")), DnsState::Other);
        assert_eq!(judged(spf, found("v=spf1  mx -all")), DnsState::Ok);
        assert_eq!(judged(spf, found("v=spf1 a ~all")), DnsState::Other);
        assert_eq!(judged(spf, found("google")), DnsState::Missing);
        assert_eq!(judged(spf, Answer::NoDomain), DnsState::Missing);
        assert_eq!(judged(sts, Answer::NoDomain), DnsState::Other);
        assert_eq!(
            judged(spf, Answer::Failed("late".into())),
            DnsState::Unknown
        );
    }

    #[test]
    fn a_service_has_its_port_and_its_host() {
        let site = Site {
            host_name: "mx.example.org".into(),
            services: vec![("imaps", 993)],
        };
        let wanted = of_domain("example.org", &[], &site);
        let found = wanted
            .iter()
            .find(|wanted| wanted.row.name == "_imaps._tcp.example.org");
        assert_eq!(found.unwrap().row.value, "0 1 993 mx.example.org");
    }
}
