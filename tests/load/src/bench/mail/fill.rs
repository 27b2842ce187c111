//! Fills a folder before it is measured.

use std::collections::VecDeque;

use anyhow::Result;

use crate::{
    client::imap::Imap,
    message::message,
    server::{PASSWORD, Site, address},
};

/// APPENDs that are on their way at once on a connection, and connections.
const WINDOW: usize = 32;
const CONNECTIONS: usize = 8;

/// Appends messages 0 to `count` to a user's INBOX, over several connections; every third is seen.
pub(in crate::bench) async fn inbox(
    site: &Site,
    user: &str,
    count: usize,
    size: usize,
) -> Result<()> {
    let share = count.div_ceil(CONNECTIONS);
    let shares = (0..CONNECTIONS).map(|part| part * share..((part + 1) * share).min(count));
    futures_util::future::try_join_all(shares.map(|numbers| append_all(site, user, numbers, size)))
        .await?;
    Ok(())
}

async fn append_all(
    site: &Site,
    user: &str,
    numbers: std::ops::Range<usize>,
    size: usize,
) -> Result<()> {
    let mut client = Imap::login(site.imap, &address(user), PASSWORD).await?;
    let mut sent: VecDeque<String> = VecDeque::with_capacity(WINDOW);
    for number in numbers {
        if sent.len() == WINDOW
            && let Some(tag) = sent.pop_front()
        {
            client.answer_ok(&tag).await?;
        }
        let flags = if number % 3 == 0 { "\\Seen" } else { "" };
        sent.push_back(
            client
                .send_append("INBOX", flags, &message(number, size))
                .await?,
        );
    }
    for tag in sent {
        client.answer_ok(&tag).await?;
    }
    Ok(())
}
