//! A connection that is turned away before a plugin sees it is told so in its protocol's words.

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// `max_connections` of the listener.
    Listener,
    /// `max_connections_per_address`.
    Address,
    /// The system's limit on open files.
    Descriptors,
    /// No plugin serves the protocol at this moment.
    Unavailable,
}

impl Refusal {
    /// For the log: the key of the limit, where there is one.
    pub(crate) fn limit(self) -> &'static str {
        match self {
            Refusal::Listener => "max_connections",
            Refusal::Address => "max_connections_per_address",
            Refusal::Descriptors => "open files (RLIMIT_NOFILE; `LimitNOFILE=` of a systemd unit)",
            Refusal::Unavailable => "no plugin",
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Refusal::Listener | Refusal::Descriptors => "too many connections",
            Refusal::Address => "too many connections from your address",
            Refusal::Unavailable => "service not available",
        }
    }

    /// What to send; empty for a protocol whose words are not known.
    pub(crate) fn words(self, protocol: &str, host_name: &str) -> String {
        let reason = self.reason();
        match protocol {
            // RFC 9051 section 7.1.5, RFC 5530 section 3.
            "imap" => format!("* BYE [UNAVAILABLE] {reason}\r\n"),
            // RFC 5321 section 3.8, RFC 3463: 4.7.0 for a policy, 4.3.2 for a system that takes no messages.
            "smtp" | "lmtp" | "submission" => {
                let code = if self == Refusal::Unavailable {
                    "4.3.2"
                } else {
                    "4.7.0"
                };
                format!("421 {code} {host_name} {reason}, try again later\r\n")
            }
            // RFC 3206.
            "pop3" => format!("-ERR [SYS/TEMP] {reason}\r\n"),
            // RFC 5804 section 1.3.
            "managesieve" => format!("BYE (TRYLATER) \"{reason}\"\r\n"),
            "http" => format!(
                "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\n\
                 Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{reason}\n",
                reason.len() + 1
            ),
            _ => String::new(),
        }
    }
}
