//! Into the queue, and out of it.

use sqlx::SqliteConnection;
use waxwing_exmdb::Body;
use waxwing_formats_mime::header as mime;

use super::model::{QueueId, Settled, Settlement, notify_bits, tls_demand_number};
use crate::{Envelope, Result, TlsDemand, header::Header};

/// Octets in one row; what is read and sent at a time.
pub(super) const CHUNK: usize = 256 * 1024;

/// A message with its envelope, for the first attempt at `due`.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    envelope: &Envelope,
    message: &Body,
    (now, due): (i64, i64),
) -> Result<i64> {
    const MESSAGE: &str = "INSERT INTO messages (sender, envelope_id, headers_only, smtp_utf8, eight_bit, utf8_header, source, session, size, \
        arrived, since, tls_demand) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id";
    const RECIPIENT: &str =
        "INSERT INTO recipients (message, address, notify, original, due) VALUES (?, ?, ?, ?, ?)";
    let header = Header::read(message).await?;
    let id: i64 = sqlx::query_scalar(MESSAGE)
        .bind(&envelope.sender)
        .bind(&envelope.envelope_id)
        .bind(envelope.return_headers_only)
        .bind(envelope.smtp_utf8)
        .bind(envelope.body_type.eq_ignore_ascii_case("8BITMIME"))
        .bind(!header.octets().is_ascii())
        .bind(&envelope.source)
        .bind(&envelope.session)
        .bind(i64::try_from(message.size()).unwrap_or(i64::MAX))
        .bind(now)
        .bind(now.max(due))
        .bind(tls_demand_number(tls_demand(envelope, &header)))
        .fetch_one(&mut *connection)
        .await?;
    let eight_bit = add_octets(connection, id, message).await?;
    if eight_bit {
        sqlx::query("UPDATE messages SET eight_bit = 1 WHERE id = ?")
            .bind(id)
            .execute(&mut *connection)
            .await?;
    }
    for recipient in &envelope.recipients {
        sqlx::query(RECIPIENT)
            .bind(id)
            .bind(&recipient.address)
            .bind(notify_bits(recipient.notify))
            .bind(&recipient.original)
            .bind(due)
            .execute(&mut *connection)
            .await?;
    }
    Ok(id)
}

/// What the transaction asks for outdoes what the header does (RFC 8689 section 5).
fn tls_demand(envelope: &Envelope, header: &Header) -> TlsDemand {
    let waived = || {
        let field = mime::find(header.octets(), "TLS-Required")?;
        mime::unfold(field.value)
            .trim_ascii()
            .eq_ignore_ascii_case(b"no")
            .then_some(TlsDemand::Waived)
    };
    match envelope.tls_demand {
        TlsDemand::Usual => waived().unwrap_or_default(),
        asked => asked,
    }
}

/// Whether any octet is above 127.
async fn add_octets(connection: &mut SqliteConnection, id: i64, message: &Body) -> Result<bool> {
    let (mut at, mut number, mut eight_bit) = (0, 0_i64, false);
    while at < message.size() {
        let chunk = message.read(at, CHUNK).await?;
        if chunk.is_empty() {
            let cut = "a body is shorter than its size".to_owned();
            return Err(waxwing_exmdb::Error::Corrupt(cut).into());
        }
        eight_bit |= !chunk.is_ascii();
        at += chunk.len() as u64;
        sqlx::query("INSERT INTO octets (message, number, octets) VALUES (?, ?, ?)")
            .bind(id)
            .bind(number)
            .bind(&chunk[..])
            .execute(&mut *connection)
            .await?;
        number += 1;
    }
    Ok(eight_bit)
}

/// What became of recipients; a message that has none left goes.
pub(super) async fn settle(
    connection: &mut SqliteConnection,
    message: QueueId,
    settlements: &[Settlement],
) -> Result<()> {
    const LATER: &str = "UPDATE recipients SET due = ?, attempts = attempts + 1, delay_told = ?, tried = ?, host = ?, code = ?, \
        enhanced = ?, text = ? WHERE id = ?";
    for settlement in settlements {
        match &settlement.settled {
            Settled::Done => {
                sqlx::query("DELETE FROM recipients WHERE id = ?")
                    .bind(settlement.recipient)
                    .execute(&mut *connection)
                    .await?;
            }
            Settled::Later { due, delay_told } => {
                let last = &settlement.last;
                sqlx::query(LATER)
                    .bind(due)
                    .bind(delay_told)
                    .bind(last.tried)
                    .bind(&last.host)
                    .bind(last.outcome.code)
                    .bind(&last.outcome.enhanced)
                    .bind(&last.outcome.text)
                    .bind(settlement.recipient)
                    .execute(&mut *connection)
                    .await?;
            }
        }
    }
    sqlx::query("DELETE FROM messages WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM recipients WHERE message = ?1)")
        .bind(message.0)
        .execute(&mut *connection)
        .await?;
    Ok(())
}
