//! `waxwing config show`: the configuration as a file again.
//!
//! Two forms: [`annotated`] is every key with its meaning and default, commented out, and is itself a valid file;
//! [`effective`] is what holds now, file and defaults together. Both are printed from the same tables that the reader uses.

use std::fmt::Write as _;

use toml::de::DeTable;

use super::{
    listener, plugin,
    reader::lookup,
    section::{Key, Section, lines},
    sections,
};

struct Table {
    /// `[log]`; empty for the top of the file.
    header: &'static str,
    about: String,
    keys: Vec<Key>,
}

fn tables() -> Vec<Table> {
    vec![
        of::<sections::Top>(""),
        of::<sections::Log>("[log]"),
        of::<sections::DirectoryKeys>("[directory]"),
        of::<sections::StoreKeys>("[store]"),
        of::<sections::NetworkKeys>("[network]"),
        of::<sections::MetricsKeys>("[metrics]"),
        of::<sections::DnsKeys>("[dns]"),
        of::<sections::TransportKeys>("[transport]"),
        of::<sections::AuthenticationKeys>("[authentication]"),
        of::<sections::RuntimeKeys>("[runtime]"),
        Table {
            header: "[limits]",
            about: "What one plugin may use; sizes are octets. [plugin.NAME.limits] has the same keys for one plugin.".into(),
            keys: plugin::limit_keys(),
        },
        Table {
            header: "[[tls.certificates]]",
            about: "A certificate and its key; several are chosen from by the name a client asks for, the first is for those \
                    that name none. Changed files are picked up within seconds. Without any, a local authority and a \
                    certificate are made in DATA/tls at first start."
                .into(),
            keys: listener::certificate_keys(),
        },
        Table {
            header: "[[listener]]",
            about: "One for each address to listen on.".into(),
            keys: listener::listener_keys(),
        },
        Table {
            header: "[plugin.NAME]",
            about: "What is said to one plugin. Its own settings stand under [plugin.NAME.config], its limits under \
                    [plugin.NAME.limits]."
                .into(),
            keys: plugin::plugin_keys(),
        },
        Table {
            header: "[plugin.NAME.slo]",
            about: "How much a version may fail before it is taken back by itself, in place of what its plugin.toml says under \
                    [slo]. It is when both numbers are passed."
                .into(),
            keys: plugin::slo_keys(),
        },
    ]
}

fn of<S: Section>(header: &'static str) -> Table {
    Table {
        header,
        about: lines(S::ABOUT),
        keys: S::keys(),
    }
}

/// Every key with its meaning and its default, commented out.
pub(crate) fn annotated() -> String {
    let mut out =
        String::from("# Every key of the configuration, with its default or an example.\n");
    for table in tables() {
        out.push('\n');
        comment(&mut out, &table.about);
        if !table.header.is_empty() {
            let _ = writeln!(out, "#{}", table.header);
        }
        for key in &table.keys {
            out.push('\n');
            comment(&mut out, &key.about);
            match &key.default {
                Some(default) => {
                    let _ = writeln!(out, "#{} = {default}", key.name);
                }
                None => {
                    let _ = writeln!(
                        out,
                        "#{} = {}    # not set by default",
                        key.name, key.example
                    );
                }
            }
        }
    }
    out
}

/// Comment lines of at most a hundred columns.
fn comment(out: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.len() + word.len() > 98 {
            out.push_str(&line);
            out.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
}

/// What holds: the values of the file as it writes them, and the defaults of the sections.
pub(crate) fn effective(text: &str) -> String {
    let (root, _) = DeTable::parse_recoverable(text);
    let root = root.get_ref();
    let mut out = String::new();
    for table in tables() {
        let name = table.header.trim_matches(['[', ']']);
        if name.is_empty() {
            keys(&mut out, text, Some(root), &table.keys);
        } else if !table.header.starts_with("[[") && !name.starts_with("plugin.NAME") {
            let _ = writeln!(out, "\n{}", table.header);
            keys(
                &mut out,
                text,
                lookup(root, name).and_then(|value| value.get_ref().as_table()),
                &table.keys,
            );
        }
    }
    for (name, whole) in root
        .iter()
        .filter(|(name, _)| ["listener", "tls", "plugin"].contains(&name.get_ref().as_ref()))
    {
        let Ok(value) = <toml::Value as serde::Deserialize>::deserialize(
            toml::de::ValueDeserializer::from(whole.clone()),
        ) else {
            continue;
        };
        let wrapped = toml::Table::from_iter([(name.get_ref().to_string(), value)]);
        let _ = write!(out, "\n{wrapped}");
    }
    out
}

fn keys(out: &mut String, text: &str, table: Option<&DeTable<'_>>, keys: &[Key]) {
    for key in keys {
        let value = table.and_then(|table| lookup(table, key.name));
        let said = value.and_then(|value| match value.get_ref().as_array() {
            // It may be written as several tables, which do not stand in one place.
            Some(_) => <toml::Value as serde::Deserialize>::deserialize(
                toml::de::ValueDeserializer::from(value.clone()),
            )
            .ok()
            .map(|value| value.to_string()),
            None => text.get(value.span()).map(str::to_owned),
        });
        match said.as_deref().or(key.default.as_deref()) {
            Some(value) => {
                let _ = writeln!(out, "{} = {value}", key.name);
            }
            None => {
                let _ = writeln!(out, "# {} is not set", key.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn the_annotated_file_is_a_valid_configuration_when_every_key_is_uncommented() {
        let text = annotated();
        let uncommented: Vec<&str> = text
            .lines()
            .filter_map(|line| {
                line.strip_prefix('#')
                    .filter(|rest| !rest.starts_with(' ') && !rest.is_empty())
            })
            .collect();
        Config::parse(&uncommented.join("\n"), Path::new("")).unwrap();
        assert!(uncommented.len() > 40, "{uncommented:?}");
    }

    #[test]
    fn the_operators_guide_holds_every_key() {
        let guide = include_str!("../../../../docs/waxwing.toml");
        assert!(
            guide == annotated(),
            "write it anew: waxwing config show --defaults > docs/waxwing.toml"
        );
    }

    #[test]
    fn every_key_says_what_it_means() {
        for table in tables() {
            for key in table.keys {
                assert!(key.about.len() > 15, "{} {}", table.header, key.name);
            }
        }
    }

    #[test]
    fn what_is_shown_as_effective_reads_back_the_same() {
        let said = "host_name = \"mx.example.test\"\n[store]\nmax_open = 7\n[[listener]]\nname = \"a\"\nprotocol = \"imap\"\n\
                    address = \"127.0.0.1:0\"\n[[transport.route]]\ndomain = \"example.net\"\nnext_hop = \"mx.example:26\"\n[plugin.smtp.config]\nsize = 5\n";
        let shown = effective(said);
        let config = Config::parse(&shown, Path::new("")).unwrap();
        assert_eq!(
            (config.host_name.as_str(), config.store.max_open),
            ("mx.example.test", 7)
        );
        assert_eq!(config.listeners.len(), 1);
        assert_eq!(config.transport.route[0].next_hop.port, 26);
        assert_eq!(config.plugins["smtp"].config["size"], "5");
        assert_eq!(effective(&shown), shown);
    }
}
