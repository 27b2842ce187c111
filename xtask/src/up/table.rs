//! What `up` shows when the server is ready: where to connect, as whom, and a line to try each protocol.

use std::path::Path;

use super::{
    data::{DOMAIN, User},
    listeners::Listener,
};

/// The announcement; the server prints it when it is ready.
pub(super) fn render(listeners: &[Listener], users: &[User], data: &Path) -> String {
    let ca = data.join("tls/ca.pem");
    let ca = ca.display().to_string();
    let mut text = String::from("\nWaxwing is ready.\n\n");
    text.push_str(&format!("  {:<13}{:<18}{}\n", "PROTOCOL", "ADDRESS", "TLS"));
    for listener in listeners {
        let tls = match listener.tls.as_str() {
            "implicit" => "from the first byte",
            "starttls" => "STARTTLS",
            _ => "none",
        };
        text.push_str(&format!(
            "  {:<13}{:<18}{tls}\n",
            listener.name, listener.address
        ));
    }
    text.push_str(&format!("\n  {:<22}PASSWORD\n", "USER"));
    for user in users {
        text.push_str(&format!("  {:<22}{}\n", user.address, user.password));
    }
    text.push_str(&format!(
        "\n  CA file   {ca}\n  Data      {}\n\nTry it:\n",
        data.display()
    ));
    for listener in listeners {
        if let (Some(line), true) = (try_line(listener, users, &ca), users.len() > 1) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text.push_str(
        "\nCtrl-C stops the server; the next `cargo xtask up` goes on with the same data.\n\n",
    );
    text
}

fn try_line(listener: &Listener, users: &[User], ca: &str) -> Option<String> {
    let (host, port) = listener.address.rsplit_once(':')?;
    let alice = users.first()?;
    let user = format!("'{}:{}'", alice.address, alice.password);
    Some(match (listener.protocol.as_str(), listener.tls.as_str()) {
        ("imap", "implicit") => {
            format!("curl --cacert {ca} -u {user} 'imaps://localhost:{port}/INBOX?ALL'")
        }
        ("imap", "starttls") => format!(
            "curl --ssl-reqd --cacert {ca} -u {user} 'imap://localhost:{port}/INBOX;MAILINDEX=1'"
        ),
        ("pop3", "implicit") => {
            format!("curl --cacert {ca} -u {user} 'pop3s://localhost:{port}/'")
        }
        ("pop3", "starttls") => {
            format!("curl --ssl-reqd --cacert {ca} -u {user} 'pop3://localhost:{port}/1'")
        }
        ("smtp", "starttls") => {
            format!(
                "swaks --server {host} --port {port} --tls --from bob@{DOMAIN} --to {} --header 'Subject: hello'",
                alice.address
            )
        }
        ("submission", tls) => {
            let tls = match tls {
                "implicit" => "--tls-on-connect",
                _ => "--tls",
            };
            format!(
                "swaks --server {host} --port {port} {tls} --auth-user {address} --auth-password {password} --from {address} --to bob@{DOMAIN}",
                address = alice.address,
                password = alice.password
            )
        }
        ("lmtp", _) => {
            format!(
                "swaks --protocol LMTP --server {host} --port {port} --from bob@{DOMAIN} --to {}",
                alice.address
            )
        }
        ("managesieve", _) => {
            format!("openssl s_client -quiet -starttls sieve -CAfile {ca} -connect {host}:{port}")
        }
        ("http", "implicit") => format!("curl --cacert {ca} https://localhost:{port}/status"),
        ("http", "none") => format!("curl -N -u {user} http://localhost:{port}/events"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listener_of_up_has_a_line_to_try_it() {
        for (name, protocol, tls, port) in super::super::listeners::LISTENERS {
            let listener = Listener {
                name: (*name).into(),
                protocol: (*protocol).into(),
                tls: (*tls).into(),
                address: format!("127.0.0.1:{port}"),
            };
            let users = [User {
                address: "alice@example.test".into(),
                password: "x".into(),
            }];
            let line = try_line(&listener, &users, "ca.pem").unwrap();
            assert!(line.contains(&port.to_string()), "{line}");
        }
    }
}
