//! Where mail for others ends in a benchmark: an SMTP server that counts messages and keeps none. The same for both sides, and in this
//! process, so that it is known at which moment the last one has come; Debian's `smtp-sink` does not tell.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A sink that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    arrived: watch::Receiver<u64>,
    task: tokio::task::JoinHandle<()>,
}

impl Sink {
    pub(crate) async fn start() -> Result<Sink> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (count, arrived) = watch::channel(0);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let count = count.clone();
                // A client that goes away in the middle has not delivered: it is not counted, and that is all.
                tokio::spawn(async move { drop(swallow(stream, &count).await) });
            }
        });
        Ok(Sink {
            address,
            arrived,
            task,
        })
    }

    /// How many have come.
    pub(crate) fn arrived(&self) -> u64 {
        *self.arrived.borrow()
    }

    /// Waits until so many have come.
    pub(crate) async fn wait_for(&self, count: u64) -> Result<()> {
        self.arrived
            .clone()
            .wait_for(|arrived| *arrived >= count)
            .await?;
        Ok(())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn swallow(stream: TcpStream, count: &watch::Sender<u64>) -> Result<()> {
    stream.set_nodelay(true)?;
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::with_capacity(64 * 1024, reading);
    writing.write_all(b"220 sink.test ESMTP\r\n").await?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if reading.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let word = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match word.as_slice() {
            b"EHLO" => b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n",
            b"DATA" => {
                writing.write_all(b"354 go on\r\n").await?;
                message(&mut reading).await?;
                count.send_modify(|count| *count += 1);
                b"250 2.0.0 swallowed\r\n"
            }
            b"QUIT" => {
                writing.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => b"250 ok\r\n",
        };
        writing.write_all(answer).await?;
    }
}

/// Reads up to the dot.
async fn message(reading: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let ended = reading.read_until(b'\n', &mut line).await? == 0;
        if line == b".\r\n" {
            return Ok(());
        }
        anyhow::ensure!(!ended, "the message has no end");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::lmtp::{Lmtp, stuffed};

    #[tokio::test]
    async fn each_message_is_counted_once() {
        let sink = Sink::start().await.unwrap();
        let mut client = Lmtp::connect_smtp(sink.address).await.unwrap();
        for _ in 0..3 {
            let message = stuffed(b"a\r\n.b\r\n");
            client.deliver("b@elsewhere.test", &message).await.unwrap();
        }
        sink.wait_for(3).await.unwrap();
        assert_eq!(sink.arrived(), 3);
    }
}
