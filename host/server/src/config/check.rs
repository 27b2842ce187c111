//! What `waxwing config check` finds beyond what reading the file finds: what does not hold between two keys, and files that
//! a key names. A server that starts with such a file stops at the first of these; here all are told.

use std::collections::HashMap;

use waxwing_directory::DomainName;

use super::Config;

impl Config {
    /// One line for each thing that is wrong.
    pub(crate) fn check(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Some(domain) = &self.default_domain
            && let Err(error) = DomainName::parse(domain)
        {
            wrong.push(format!("`default_domain`: {error}"));
        }
        self.check_listeners(&mut wrong);
        for files in &self.certificates {
            if let Err(error) = files.check() {
                wrong.push(format!("[[tls.certificates]]: {error}"));
            }
        }
        wrong
    }

    fn check_listeners(&self, wrong: &mut Vec<String>) {
        let mut names = HashMap::new();
        let mut addresses = HashMap::new();
        for listener in &self.listeners {
            if names.insert(&listener.name, ()).is_some() {
                wrong.push(format!("two listeners have the name `{}`", listener.name));
            }
            let other = addresses.insert(listener.address, &listener.name);
            if let Some(other) = other.filter(|_| listener.address.port() != 0) {
                wrong.push(format!(
                    "listeners `{other}` and `{}` have the same address {}",
                    listener.name, listener.address
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn what_cannot_hold_together_is_told_all_at_once() {
        let listener = |name: &str, port: u16| {
            format!(
                "[[listener]]\nname = \"{name}\"\nprotocol = \"imap\"\naddress = \"127.0.0.1:{port}\"\n"
            )
        };
        let text = format!(
            "default_domain = \"not one\"\n{}{}{}[[tls.certificates]]\ncertificate = \"no.pem\"\nkey = \"no.pem\"\n",
            listener("a", 143),
            listener("b", 143),
            listener("a", 0),
        );
        let wrong = Config::parse(&text, Path::new("/nowhere")).unwrap().check();
        assert_eq!(wrong.len(), 4, "{wrong:?}");
        for (told, part) in wrong.iter().zip([
            "`default_domain`",
            "`a` and `b` have the same address 127.0.0.1:143",
            "the name `a`",
            "/nowhere/no.pem",
        ]) {
            assert!(told.contains(part), "{told}");
        }
        assert!(
            Config::parse(&listener("a", 0), Path::new(""))
                .unwrap()
                .check()
                .is_empty()
        );
    }
}
