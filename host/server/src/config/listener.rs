//! The keys of `[[listener]]` and `[[tls.certificates]]` for the documentation and for "did you mean". The network room
//! defines and reads them; a test holds these tables against its types.

use waxwing_net::{CertificateFiles, ListenerConfig};

use super::{reader::Reader, section::Key};

/// Name, default in TOML (empty: none), example, meaning.
type Row = (&'static str, &'static str, &'static str, &'static str);

const LISTENER: &[Row] = &[
    (
        "name",
        "",
        "\"imap\"",
        "Unique; stands in every log line and error of this listener. Required.",
    ),
    (
        "protocol",
        "",
        "\"imap\"",
        "`http`, or the protocol of a loaded plugin: `imap`, `pop3`, `smtp`, `submission`, `lmtp`. Required.",
    ),
    (
        "address",
        "",
        "\"127.0.0.1:1143\"",
        "Address and port, such as `0.0.0.0:143` or `[::]:143`. Required.",
    ),
    (
        "tls",
        "\"none\"",
        "\"starttls\"",
        "`none`, `starttls` (plaintext until the client asks) or `implicit` (from the first byte).",
    ),
    (
        "proxy_protocol_from",
        "[]",
        "[\"10.0.0.0/8\"]",
        "Load balancers that prepend a PROXY protocol header, version 1 or 2. When given, all others are refused.",
    ),
    (
        "login_timeout",
        "",
        "180",
        "Seconds until a log-in; 0 for no limit. Default: 180 for protocols that begin with a log-in, else none.",
    ),
    (
        "idle_timeout",
        "",
        "1860",
        "Seconds of silence; 0 for no limit. Default: 300 for smtp, submission and lmtp, 120 for http, 1860 for the others.",
    ),
    (
        "write_timeout",
        "120",
        "120",
        "Seconds after which a peer that takes nothing of what is sent to it is cut off.",
    ),
    (
        "max_connections",
        "18000",
        "18000",
        "Connections at the same time on this listener.",
    ),
    (
        "max_connections_per_address",
        "",
        "256",
        "Connections at the same time from one IPv4 address or IPv6 /64. Default: 256; loopback: no limit.",
    ),
    (
        "max_connections_per_user",
        "",
        "256",
        "Sessions (for http: requests) of one user at the same time. Default: 256; from loopback: no limit.",
    ),
    (
        "plaintext_login",
        "\"loopback\"",
        "\"never\"",
        "Whether a password may cross an unencrypted connection: `never`, `loopback` or `always`.",
    ),
];

const CERTIFICATE: &[Row] = &[
    (
        "certificate",
        "",
        "\"/etc/waxwing/cert.pem\"",
        "PEM: the leaf first, then its intermediates.",
    ),
    (
        "key",
        "",
        "\"/etc/waxwing/key.pem\"",
        "PEM: PKCS #8, SEC 1 or PKCS #1.",
    ),
];

pub(crate) fn listener_keys() -> Vec<Key> {
    LISTENER.iter().map(key).collect()
}

pub(crate) fn certificate_keys() -> Vec<Key> {
    CERTIFICATE.iter().map(key).collect()
}

fn key(row: &Row) -> Key {
    let (name, default, example, about) = *row;
    Key {
        name,
        about: about.to_owned(),
        default: (!default.is_empty()).then(|| default.to_owned()),
        example: example.to_owned(),
    }
}

/// Reads every `[[listener]]`.
pub(crate) fn read_listeners(
    root: &toml::de::DeTable<'_>,
    reader: &mut Reader<'_>,
) -> Vec<ListenerConfig> {
    reader.records(
        root,
        "listener",
        " in [[listener]]",
        LISTENER.iter().map(|row| row.0).collect(),
    )
}

/// Reads every `[[tls.certificates]]`.
pub(crate) fn read_certificates(
    tls: &toml::de::DeTable<'_>,
    reader: &mut Reader<'_>,
) -> Vec<CertificateFiles> {
    reader.records(
        tls,
        "certificates",
        " in [[tls.certificates]]",
        CERTIFICATE.iter().map(|row| row.0).collect(),
    )
}

#[cfg(test)]
mod tests {
    use serde::{
        Deserialize, Deserializer,
        de::{Error as _, Visitor, value::Error},
        forward_to_deserialize_any,
    };

    use super::*;

    /// Asks a type for the names of its fields, which derived code tells its deserializer.
    struct Fields<'a>(&'a mut Vec<&'static str>);

    impl<'de> Deserializer<'de> for Fields<'_> {
        type Error = Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            Err(Error::custom("only structs are asked"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Error> {
            self.0.extend(fields);
            Err(Error::custom("the names are all that is wanted"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    fn fields_of<T: for<'de> Deserialize<'de>>() -> Vec<&'static str> {
        let mut names = Vec::new();
        let _ = T::deserialize(Fields(&mut names));
        names
    }

    #[test]
    fn every_key_of_a_listener_is_documented_and_no_other() {
        assert_eq!(
            fields_of::<ListenerConfig>(),
            LISTENER.iter().map(|row| row.0).collect::<Vec<_>>()
        );
    }

    #[test]
    fn every_key_of_a_certificate_is_documented_and_no_other() {
        assert_eq!(
            fields_of::<CertificateFiles>(),
            CERTIFICATE.iter().map(|row| row.0).collect::<Vec<_>>()
        );
    }
}
