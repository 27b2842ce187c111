//! Looking into the queue. Readers never wait for the writer.

use sqlx::{QueryBuilder, Row, SqlitePool, sqlite::SqliteRow};

use super::model::{
    LastAttempt, QueueFilter, QueueId, QueuedMessage, QueuedRecipient, notify_of, tls_demand_of,
};
use crate::{Outcome, Result};

/// A recipient that is due, and what it takes to sort it.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    pub(crate) message: QueueId,
    pub(crate) recipient: i64,
    pub(crate) address: String,
    pub(crate) due: i64,
}

/// Recipients that are due, after a place in their order.
pub(super) async fn due(
    pool: &SqlitePool,
    now: i64,
    after: (i64, i64),
    limit: u32,
) -> Result<Vec<Due>> {
    const SQL: &str = "SELECT r.message, r.id, r.address, r.due FROM recipients r JOIN messages m ON m.id = r.message \
        WHERE r.due <= ? AND (r.due, r.id) > (?, ?) AND m.held = 0 ORDER BY r.due, r.id LIMIT ?";
    let rows = sqlx::query(SQL)
        .bind(now)
        .bind(after.0)
        .bind(after.1)
        .bind(limit)
        .fetch_all(pool)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Due {
                message: QueueId(row.try_get(0)?),
                recipient: row.try_get(1)?,
                address: row.try_get(2)?,
                due: row.try_get(3)?,
            })
        })
        .collect()
}

/// When the next recipient is due that is not due now.
pub(super) async fn next_due(pool: &SqlitePool, now: i64) -> Result<Option<i64>> {
    const SQL: &str = "SELECT r.due FROM recipients r JOIN messages m ON m.id = r.message WHERE r.due > ? AND m.held = 0 \
        ORDER BY r.due LIMIT 1";
    Ok(sqlx::query_scalar(SQL)
        .bind(now)
        .fetch_optional(pool)
        .await?)
}

/// Messages and recipients.
pub(super) async fn length(pool: &SqlitePool) -> Result<(u64, u64)> {
    let count: (i64, i64) =
        sqlx::query_as("SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM recipients)")
            .fetch_one(pool)
            .await?;
    Ok((
        u64::try_from(count.0).unwrap_or_default(),
        u64::try_from(count.1).unwrap_or_default(),
    ))
}

/// Messages in the order of their numbers.
pub(super) async fn messages(
    pool: &SqlitePool,
    filter: &QueueFilter,
    after: QueueId,
    limit: u32,
) -> Result<Vec<QueuedMessage>> {
    let mut query = QueryBuilder::new("SELECT * FROM messages m WHERE id > ");
    query.push_bind(after.0);
    if !filter.ids.is_empty() {
        query.push(" AND id IN (");
        let mut list = query.separated(", ");
        for id in &filter.ids {
            list.push_bind(id.0);
        }
        query.push(")");
    }
    match filter.sender.as_deref() {
        Some("<>") => drop(query.push(" AND sender = ''")),
        Some(part) => {
            query.push(" AND instr(lower(sender), ");
            query.push_bind(part.to_lowercase()).push(") > 0");
        }
        None => {}
    }
    if let Some(part) = &filter.recipient {
        query.push(
            " AND EXISTS (SELECT 1 FROM recipients WHERE message = m.id AND instr(lower(address), ",
        );
        query.push_bind(part.to_lowercase()).push(") > 0)");
    }
    if let Some(held) = filter.held {
        query.push(" AND held = ").push_bind(held);
    }
    query.push(" ORDER BY id LIMIT ").push_bind(limit);
    let mut found = Vec::new();
    for row in query.build().fetch_all(pool).await? {
        let mut message = message(&row)?;
        message.recipients = recipients(pool, message.id).await?;
        found.push(message);
    }
    Ok(found)
}

async fn recipients(pool: &SqlitePool, message: QueueId) -> Result<Vec<QueuedRecipient>> {
    let rows = sqlx::query("SELECT * FROM recipients WHERE message = ? ORDER BY id")
        .bind(message.0)
        .fetch_all(pool)
        .await?;
    rows.iter().map(recipient).collect()
}

fn message(row: &SqliteRow) -> Result<QueuedMessage> {
    Ok(QueuedMessage {
        id: QueueId(row.try_get("id")?),
        sender: row.try_get("sender")?,
        envelope_id: row.try_get("envelope_id")?,
        headers_only: row.try_get("headers_only")?,
        smtp_utf8: row.try_get("smtp_utf8")?,
        eight_bit: row.try_get("eight_bit")?,
        utf8_header: row.try_get("utf8_header")?,
        tls_demand: tls_demand_of(row.try_get("tls_demand")?),
        source: row.try_get("source")?,
        session: row.try_get("session")?,
        size: u64::try_from(row.try_get::<i64, _>("size")?).unwrap_or_default(),
        arrived: row.try_get("arrived")?,
        since: row.try_get("since")?,
        held: row.try_get("held")?,
        recipients: Vec::new(),
    })
}

fn recipient(row: &SqliteRow) -> Result<QueuedRecipient> {
    let last = match row.try_get::<Option<i64>, _>("tried")? {
        Some(tried) => Some(LastAttempt {
            tried,
            host: row.try_get("host")?,
            outcome: Outcome {
                code: row.try_get("code")?,
                enhanced: row.try_get("enhanced")?,
                text: row.try_get("text")?,
            },
        }),
        None => None,
    };
    Ok(QueuedRecipient {
        id: row.try_get("id")?,
        address: row.try_get("address")?,
        notify: notify_of(row.try_get("notify")?),
        original: row.try_get("original")?,
        due: row.try_get("due")?,
        attempts: row.try_get("attempts")?,
        delay_told: row.try_get("delay_told")?,
        last,
    })
}

/// One row of a message's octets; none behind its end.
pub(super) async fn chunk(
    pool: &SqlitePool,
    message: QueueId,
    number: i64,
) -> Result<Option<Vec<u8>>> {
    let octets = sqlx::query_scalar("SELECT octets FROM octets WHERE message = ? AND number = ?")
        .bind(message.0)
        .bind(number)
        .fetch_optional(pool)
        .await?;
    Ok(octets)
}
