//! The PROXY protocol of HAProxy, versions 1 and 2: a load balancer's word on who the client is.
//!
//! The header is read to its last octet and not one further, so that what follows (a ClientHello, perhaps) stays
//! in the socket. Parsing is free of I/O. Its peer is trusted by configuration, yet every length is checked.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::timeout,
};

/// A balancer sends its header at once.
const PATIENCE: Duration = Duration::from_secs(5);
const V2_SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Version 1: the longest line, CRLF included.
const V1_LONGEST: usize = 107;
/// Version 2: addresses and TLVs; balancers send some hundred octets.
const V2_LONGEST: usize = 4_096;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proxied {
    /// The balancer itself speaks (a health check), or does not know: the socket's addresses hold.
    Local,
    Client {
        peer: SocketAddr,
        local: SocketAddr,
    },
}

/// Why there is no header.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Malformed {
    #[error("no PROXY protocol header")]
    Missing,
    #[error("malformed PROXY protocol header: {0}")]
    Bad(&'static str),
}

/// Reads one header.
///
/// # Errors
/// When the stream ends, is slow, or begins with something else.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Proxied> {
    timeout(PATIENCE, read_header(stream)).await?
}

async fn read_header(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Proxied> {
    let mut start = [0; V2_SIGNATURE.len()];
    stream.read_exact(&mut start).await?;
    let parsed = if start == V2_SIGNATURE {
        let mut fixed = [0; 4];
        stream.read_exact(&mut fixed).await?;
        let [command, family, high, low] = fixed;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > V2_LONGEST {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                Malformed::Bad("too long"),
            ));
        }
        let mut rest = vec![0; length];
        stream.read_exact(&mut rest).await?;
        parse_v2(command, family, &rest)
    } else if start.starts_with(b"PROXY ") {
        let mut line = start.to_vec();
        while !line.ends_with(b"\r\n") && line.len() < V1_LONGEST {
            line.push(stream.read_u8().await?);
        }
        parse_v1(&line)
    } else {
        Err(Malformed::Missing)
    };
    parsed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// One line, CRLF included.
fn parse_v1(line: &[u8]) -> Result<Proxied, Malformed> {
    let line = line
        .strip_suffix(b"\r\n")
        .ok_or(Malformed::Bad("no line end"))?;
    let line = std::str::from_utf8(line).map_err(|_| Malformed::Bad("not ASCII"))?;
    let mut fields = line.split(' ');
    let mut field = || fields.next().unwrap_or_default();
    if field() != "PROXY" {
        return Err(Malformed::Missing);
    }
    let family = field();
    if family == "UNKNOWN" {
        return Ok(Proxied::Local);
    }
    let (peer, local, peer_port, local_port) = (field(), field(), field(), field());
    if fields.next().is_some() {
        return Err(Malformed::Bad("too many fields"));
    }
    let address = |text: &str| match family {
        "TCP4" => text
            .parse()
            .map(IpAddr::V4)
            .map_err(|_| Malformed::Bad("address")),
        "TCP6" => text
            .parse()
            .map(IpAddr::V6)
            .map_err(|_| Malformed::Bad("address")),
        _ => Err(Malformed::Bad("family")),
    };
    Ok(Proxied::Client {
        peer: SocketAddr::new(address(peer)?, port(peer_port)?),
        local: SocketAddr::new(address(local)?, port(local_port)?),
    })
}

fn port(text: &str) -> Result<u16, Malformed> {
    let plain = text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| plain)
        .ok_or(Malformed::Bad("port"))
}

/// What follows the signature and the length.
fn parse_v2(command: u8, family: u8, rest: &[u8]) -> Result<Proxied, Malformed> {
    match command {
        0x20 => return Ok(Proxied::Local),
        0x21 => {}
        _ => return Err(Malformed::Bad("version or command")),
    }
    let addresses = match family {
        0x11 => addresses::<4, 12>(rest, |octets| Ipv4Addr::from(octets).into()),
        0x21 => addresses::<16, 36>(rest, |octets| Ipv6Addr::from(octets).into()),
        _ => return Ok(Proxied::Local),
    };
    addresses.ok_or(Malformed::Bad("addresses"))
}

fn addresses<const N: usize, const ALL: usize>(
    rest: &[u8],
    ip: impl Fn([u8; N]) -> IpAddr,
) -> Option<Proxied> {
    let block: &[u8; ALL] = rest.first_chunk()?;
    let (peer, block) = block.split_first_chunk::<N>()?;
    let (local, block) = block.split_first_chunk::<N>()?;
    let (peer_port, block) = block.split_first_chunk::<2>()?;
    let local_port = block.first_chunk::<2>()?;
    Some(Proxied::Client {
        peer: SocketAddr::new(ip(*peer), u16::from_be_bytes(*peer_port)),
        local: SocketAddr::new(ip(*local), u16::from_be_bytes(*local_port)),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_all(bytes: &[u8]) -> (io::Result<Proxied>, Vec<u8>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let mut rest = bytes;
        let outcome = runtime.block_on(read(&mut rest));
        (outcome, rest.to_vec())
    }

    fn v2(peer: SocketAddr, local: SocketAddr, tlvs: &[u8]) -> Vec<u8> {
        let (family, mut block) = match (peer.ip(), local.ip()) {
            (IpAddr::V4(peer), IpAddr::V4(local)) => {
                (0x11, [peer.octets(), local.octets()].concat())
            }
            (IpAddr::V6(peer), IpAddr::V6(local)) => {
                (0x21, [peer.octets(), local.octets()].concat())
            }
            _ => unreachable!(),
        };
        block.extend_from_slice(&peer.port().to_be_bytes());
        block.extend_from_slice(&local.port().to_be_bytes());
        block.extend_from_slice(tlvs);
        let length = u16::try_from(block.len()).unwrap().to_be_bytes();
        [V2_SIGNATURE.as_slice(), &[0x21, family], &length, &block].concat()
    }

    fn v1(peer: SocketAddr, local: SocketAddr) -> Vec<u8> {
        let family = if peer.is_ipv4() { "TCP4" } else { "TCP6" };
        let (from, to) = (peer.ip(), local.ip());
        format!(
            "PROXY {family} {from} {to} {} {}\r\n",
            peer.port(),
            local.port()
        )
        .into_bytes()
    }

    fn pair() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
        let four = (any::<[u8; 4]>(), any::<u16>())
            .prop_map(|(ip, port)| SocketAddr::new(ip.into(), port));
        let six = (any::<[u8; 16]>(), any::<u16>())
            .prop_map(|(ip, port)| SocketAddr::new(ip.into(), port));
        prop_oneof![(four.clone(), four), (six.clone(), six)]
    }

    proptest! {
        #[test]
        fn both_versions_name_the_client_and_leave_what_follows(
            (peer, local) in pair(),
            tlvs in prop::collection::vec(any::<u8>(), 0..40),
            after in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            for header in [v1(peer, local), v2(peer, local, &tlvs)] {
                let (outcome, rest) = read_all(&[header, after.clone()].concat());
                prop_assert_eq!(outcome.unwrap(), Proxied::Client { peer, local });
                prop_assert_eq!(&rest, &after);
            }
        }

        #[test]
        fn a_header_cut_short_or_garbled_is_an_error_and_never_a_panic(
            (peer, local) in pair(),
            keep in 0usize..107,
            noise in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            for header in [v1(peer, local), v2(peer, local, &[])] {
                let cut = keep.min(header.len() - 1);
                prop_assert!(read_all(&header[..cut]).0.is_err());
                let _ = read_all(&[&header[..cut], &noise].concat());
            }
            let _ = parse_v1(&noise);
            let _ = parse_v2(0x21, 0x11, &noise);
        }
    }

    #[test]
    fn a_health_check_keeps_the_addresses_of_the_socket() {
        assert_eq!(read_all(b"PROXY UNKNOWN\r\n").0.unwrap(), Proxied::Local);
        let local = [V2_SIGNATURE.as_slice(), &[0x20, 0, 0, 0]].concat();
        assert_eq!(read_all(&local).0.unwrap(), Proxied::Local);
    }

    #[test]
    fn a_client_that_simply_begins_is_told_apart() {
        let error = read_all(b"EHLO client.example\r\n").0.unwrap_err();
        assert_eq!(error.to_string(), Malformed::Missing.to_string());
        assert!(parse_v1(b"PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n").is_err());
        assert!(parse_v1(b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n").is_err());
        assert!(parse_v1(b"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n").is_err());
    }
}
