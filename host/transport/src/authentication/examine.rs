//! All checks of one message, at the same time where they do not need each other, and their results as a field.

use std::{net::IpAddr, sync::Arc};

use hickory_resolver::TokioResolver;
use mail_auth::{
    ArcOutput, AuthenticatedMessage, AuthenticationResults, DkimOutput, DkimResult, DmarcOutput,
    DmarcResult, DnsError, Error, IprevOutput, IprevResult, MessageAuthenticator, SpfOutput,
    SpfResult,
    common::{headers::HeaderWriter as _, verify::VerifySignature as _},
    dmarc,
    dmarc::verify::DmarcParameters,
    spf::verify::SpfParameters,
};
use tokio::time::{Instant, timeout_at};

use super::AuthenticationConfig;

/// One message's check; owns all that it needs.
pub(super) struct Examination {
    pub(super) resolver: TokioResolver,
    pub(super) config: Arc<AuthenticationConfig>,
    pub(super) peer: IpAddr,
    pub(super) helo: String,
    pub(super) sender: String,
}

/// What was found.
pub(super) struct Examined {
    /// Authentication-Results, with its line end.
    pub(super) field: String,
    pub(super) policy: Policy,
}

impl Examined {
    /// When nothing could be found out.
    pub(super) fn nothing(name: &str) -> Examined {
        Examined {
            field: AuthenticationResults::new(name).to_header(),
            policy: Policy::Nothing,
        }
    }
}

/// What the domain of the author asks for (RFC 9989 section 5.5).
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Policy {
    Nothing,
    Quarantine(String),
    Reject(String),
}

/// All results, which borrow the message.
pub(super) struct Findings<'m> {
    iprev: IprevOutput,
    helo: Option<SpfOutput>,
    spf: SpfOutput,
    dkim: Vec<DkimOutput<'m>>,
    pub(super) arc: ArcOutput<'m>,
    dmarc: DmarcOutput,
}

impl Examination {
    pub(super) async fn examine(&self, octets: &[u8]) -> Examined {
        let Some(message) = self.read(octets) else {
            return Examined::nothing(&self.config.name);
        };
        let findings = self.findings(&message).await;
        Examined {
            field: self.results(&message, &findings).to_header(),
            policy: self.policy(&findings),
        }
    }

    /// None for what has no header.
    pub(super) fn read<'m>(&self, octets: &'m [u8]) -> Option<AuthenticatedMessage<'m>> {
        let mut message = AuthenticatedMessage::parse(octets)?;
        message.dkim_headers.truncate(self.config.max_signatures);
        Some(message)
    }

    pub(super) async fn findings<'m>(&self, message: &'m AuthenticatedMessage<'m>) -> Findings<'m> {
        let checks = MessageAuthenticator(self.resolver.clone());
        let (peer, name) = (self.peer, self.config.name.as_str());
        let end = Instant::now() + self.config.timeout;
        let late = || Error::Dns(DnsError::Resolver("no answer in time".into()));
        let late_spf =
            |domain: &str| SpfOutput::new(domain.to_owned()).with_result(SpfResult::TempError);
        let (helo, domain) = (self.helo(), self.domain());
        let helo_check = async {
            let helo = helo?;
            let parameters = SpfParameters::verify_ehlo(peer, helo, name);
            let check = timeout_at(end, checks.verify_spf(parameters)).await;
            Some(check.unwrap_or_else(|_| late_spf(helo)))
        };
        let spf_check = async {
            let sender = self.sender.as_str();
            let parameters =
                SpfParameters::verify_mail_from(peer, helo.unwrap_or_default(), name, sender);
            let check = timeout_at(end, checks.verify_spf(parameters)).await;
            check.unwrap_or_else(|_| late_spf(domain))
        };
        let dkim_check = async {
            let check = timeout_at(end, checks.verify_dkim(message)).await;
            check.unwrap_or_else(|_| vec![DkimOutput::temp_err(late())])
        };
        let arc_check = async {
            let check = timeout_at(end, checks.verify_arc(message)).await;
            let temporary = || ArcOutput::default().with_result(DkimResult::TempError(late()));
            check.unwrap_or_else(|_| temporary())
        };
        let iprev_check = async {
            let check = timeout_at(end, checks.verify_iprev(peer)).await;
            check.unwrap_or_else(|_| IprevOutput {
                result: IprevResult::TempError(late()),
                ptr: None,
            })
        };
        let (helo, spf, dkim, arc, iprev) =
            tokio::join!(helo_check, spf_check, dkim_check, arc_check, iprev_check);
        let dmarc = {
            let parameters = DmarcParameters::new(message, &dkim, domain, &spf);
            let check = timeout_at(end, checks.verify_dmarc(parameters)).await;
            check.unwrap_or_else(|_| {
                let output =
                    DmarcOutput::default().with_dkim_result(DmarcResult::TempError(late()));
                let domain = message.from().rsplit_once('@');
                output.with_domain(domain.map_or("", |(_, domain)| domain))
            })
        };
        Findings {
            iprev,
            helo,
            spf,
            dkim,
            arc,
            dmarc,
        }
    }

    pub(super) fn results<'a>(
        &'a self,
        message: &AuthenticatedMessage<'_>,
        findings: &Findings<'_>,
    ) -> AuthenticationResults<'a> {
        let helo = self.helo().unwrap_or_default();
        let mut results = AuthenticationResults::new(&self.config.name)
            .with_iprev_result(&findings.iprev, self.peer);
        if let Some(spf) = &findings.helo {
            results = results.with_spf_ehlo_result(spf, self.peer, helo);
        }
        // Of the null sender HELO has said all there is; `smtp.mailfrom=<>` would be no word of RFC 8601.
        if !self.sender.is_empty() {
            let sender = self.sender.as_str();
            results = results.with_spf_mailfrom_result(&findings.spf, self.peer, sender, helo);
        }
        results = results.with_dkim_results(&findings.dkim, message.from());
        if *findings.arc.result() != DkimResult::None {
            results = results.with_arc_result(&findings.arc, self.peer);
        }
        results.with_dmarc_result(&findings.dmarc)
    }

    /// Only what has failed for good: DNS that does not answer is no reason to refuse, nor is one that a trusted sealer has vouched for.
    fn policy(&self, findings: &Findings<'_>) -> Policy {
        let dmarc = &findings.dmarc;
        let results = [dmarc.spf_result(), dmarc.dkim_result()];
        let is_let =
            |result: &&DmarcResult| matches!(result, DmarcResult::Pass | DmarcResult::TempError(_));
        if results.iter().any(is_let) || self.is_vouched_for(&findings.arc) {
            return Policy::Nothing;
        }
        match dmarc.policy() {
            dmarc::Policy::Reject => Policy::Reject(dmarc.domain().to_owned()),
            dmarc::Policy::Quarantine => Policy::Quarantine(dmarc.domain().to_owned()),
            dmarc::Policy::None | dmarc::Policy::Unspecified => Policy::Nothing,
        }
    }

    /// RFC 8617 section 7.2.1: the chain holds, and whoever sealed last is known to look well.
    fn is_vouched_for(&self, arc: &ArcOutput<'_>) -> bool {
        let sealer = arc.sets().last().map(|set| set.seal.header.domain());
        let is_trusted = |sealer: &str| {
            let trusted = &self.config.trusted_sealers;
            trusted
                .iter()
                .any(|domain| domain.eq_ignore_ascii_case(sealer))
        };
        *arc.result() == DkimResult::Pass && sealer.is_some_and(is_trusted)
    }

    /// None for an address literal, or what is no name at all.
    fn helo(&self) -> Option<&str> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        let helo = self.helo.as_str();
        (helo.contains('.') && helo.chars().all(is_name)).then_some(helo)
    }

    /// Whose SPF counts (RFC 7208 section 2.4).
    fn domain(&self) -> &str {
        let sender = self.sender.rsplit_once('@');
        sender.map_or_else(|| self.helo().unwrap_or_default(), |(_, domain)| domain)
    }
}
