//! A request body on its way into the store's spool: counted, its content-encoding undone.
//!
//! Both the octets on the wire and those that come out of decompression are held to the route's limit. Input is
//! inflated in slices so small that even the best-packed one cannot surprise the memory.

use std::io::Write;

use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;
use waxwing_exmdb::{Body, BodyWriter, Store};

use super::{limits, refusal::Refusal};

/// DEFLATE packs at most 1032 octets into one: at most half a megabyte comes out at a time.
const SLICE: usize = 512;

/// How a body is encoded (RFC 9110 section 8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Deflate,
}

impl Encoding {
    pub(super) fn of(headers: &HeaderMap) -> Result<Encoding, Refusal> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let Some(value) = values.next() else {
            return Ok(Encoding::Identity);
        };
        let value = value
            .to_str()
            .map_err(|_| Refusal::Encoding)?
            .trim()
            .to_ascii_lowercase();
        match (value.as_str(), values.next()) {
            ("" | "identity", None) => Ok(Encoding::Identity),
            ("gzip" | "x-gzip", None) => Ok(Encoding::Gzip),
            ("deflate", None) => Ok(Encoding::Deflate),
            _ => Err(Refusal::Encoding),
        }
    }
}

enum Decoder {
    Identity,
    Gzip(MultiGzDecoder<Vec<u8>>),
    /// Nothing has come yet that would tell zlib from the raw form.
    Deflate,
    Zlib(ZlibDecoder<Vec<u8>>),
    Raw(DeflateDecoder<Vec<u8>>),
}

impl Decoder {
    fn new(encoding: Encoding) -> Decoder {
        match encoding {
            Encoding::Identity => Decoder::Identity,
            Encoding::Gzip => Decoder::Gzip(MultiGzDecoder::new(Vec::new())),
            Encoding::Deflate => Decoder::Deflate,
        }
    }

    fn decode(&mut self, slice: &[u8]) -> std::io::Result<Vec<u8>> {
        if let (Decoder::Deflate, Some(first)) = (&self, slice.first()) {
            // RFC 1950: the method is 8. Some clients send the raw form, which hardly ever begins so.
            *self = if first & 0x0f == 8 {
                Decoder::Zlib(ZlibDecoder::new(Vec::new()))
            } else {
                Decoder::Raw(DeflateDecoder::new(Vec::new()))
            };
        }
        Ok(match self {
            Decoder::Identity | Decoder::Deflate => slice.to_vec(),
            Decoder::Gzip(decoder) => {
                decoder.write_all(slice)?;
                std::mem::take(decoder.get_mut())
            }
            Decoder::Zlib(decoder) => {
                decoder.write_all(slice)?;
                std::mem::take(decoder.get_mut())
            }
            Decoder::Raw(decoder) => {
                decoder.write_all(slice)?;
                std::mem::take(decoder.get_mut())
            }
        })
    }

    /// What was still inside; an error when the stream was cut short.
    fn finish(self) -> std::io::Result<Vec<u8>> {
        match self {
            Decoder::Identity | Decoder::Deflate => Ok(Vec::new()),
            Decoder::Gzip(decoder) => decoder.finish(),
            Decoder::Zlib(decoder) => decoder.finish(),
            Decoder::Raw(decoder) => decoder.finish(),
        }
    }
}

struct Sink {
    writer: BodyWriter,
    size: u64,
    limit: u64,
}

impl Sink {
    async fn write(&mut self, octets: &[u8]) -> Result<(), Refusal> {
        self.size += octets.len() as u64;
        if self.size > self.limit {
            return Err(Refusal::BodyTooLarge(self.limit));
        }
        self.writer
            .write(octets)
            .await
            .map_err(|error| storage(&error))
    }
}

fn storage(error: &waxwing_exmdb::Error) -> Refusal {
    tracing::error!(%error, "a request body cannot be stored");
    Refusal::Storage
}

/// The whole body, decoded; none when the request has none.
pub(super) async fn receive(
    incoming: &mut Incoming,
    encoding: Encoding,
    limit: u64,
    store: &Store,
) -> Result<Option<Body>, Refusal> {
    if incoming.is_end_stream() {
        return Ok(None);
    }
    if incoming.size_hint().lower() > limit {
        return Err(Refusal::BodyTooLarge(limit));
    }
    let mut decoder = Decoder::new(encoding);
    let mut sink = Sink {
        writer: store.spool(),
        size: 0,
        limit,
    };
    let mut received = 0_u64;
    while let Some(data) = next_piece(incoming).await? {
        received += data.len() as u64;
        if received > limit {
            return Err(Refusal::BodyTooLarge(limit));
        }
        if encoding == Encoding::Identity {
            sink.write(&data).await?;
            continue;
        }
        for slice in data.chunks(SLICE) {
            let decoded = decoder
                .decode(slice)
                .map_err(|_| Refusal::BadRequest("the body cannot be decompressed"))?;
            sink.write(&decoded).await?;
        }
    }
    let rest = decoder
        .finish()
        .map_err(|_| Refusal::BadRequest("the compressed body is cut short"))?;
    sink.write(&rest).await?;
    sink.writer
        .finish()
        .await
        .map(Some)
        .map_err(|error| storage(&error))
}

async fn next_piece(incoming: &mut Incoming) -> Result<Option<Bytes>, Refusal> {
    loop {
        let frame = timeout(limits::BODY_PIECE, incoming.frame())
            .await
            .map_err(|_| Refusal::BodyTimeout)?;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(Refusal::BadRequest("the body broke off")),
            Some(Ok(frame)) => {
                // Trailers mean nothing to any of our protocols.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// Reads away some of a body that was refused. Else a client that sends first and reads then would see a reset in
/// place of the answer.
pub(super) async fn discard(incoming: &mut Incoming) {
    let work = async {
        let mut seen = 0;
        while let Ok(Some(data)) = next_piece(incoming).await {
            seen += data.len() as u64;
            if seen > limits::UNWANTED_BODY {
                return;
            }
        }
    };
    let _ = timeout(limits::UNWANTED_TIME, work).await;
}

#[cfg(test)]
mod tests {
    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };
    use proptest::prelude::*;

    use super::*;

    fn decoded(encoding: Encoding, octets: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut decoder = Decoder::new(encoding);
        let mut out = Vec::new();
        for slice in octets.chunks(3) {
            out.extend(decoder.decode(slice)?);
        }
        out.extend(decoder.finish()?);
        Ok(out)
    }

    proptest! {
        #[test]
        fn gzip_and_both_forms_of_deflate_are_undone(plain in prop::collection::vec(any::<u8>(), 1..500)) {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(&plain).unwrap();
            prop_assert_eq!(decoded(Encoding::Gzip, &gzip.finish().unwrap()).unwrap(), plain.clone());
            let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
            zlib.write_all(&plain).unwrap();
            prop_assert_eq!(decoded(Encoding::Deflate, &zlib.finish().unwrap()).unwrap(), plain.clone());
            let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
            raw.write_all(&plain).unwrap();
            prop_assert_eq!(decoded(Encoding::Deflate, &raw.finish().unwrap()).unwrap(), plain);
        }
    }

    #[test]
    fn a_compressed_body_cut_short_is_an_error() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&[7; 5000]).unwrap();
        let octets = gzip.finish().unwrap();
        assert!(decoded(Encoding::Gzip, &octets[..octets.len() - 9]).is_err());
    }

    #[test]
    fn an_encoding_we_cannot_undo_is_refused() {
        for (value, expected) in [
            ("GZip", Ok(Encoding::Gzip)),
            ("identity", Ok(Encoding::Identity)),
            ("br", Err(Refusal::Encoding)),
            ("gzip, gzip", Err(Refusal::Encoding)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_ENCODING, value.parse().unwrap());
            assert_eq!(Encoding::of(&headers), expected);
        }
    }
}
