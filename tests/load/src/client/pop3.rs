//! A POP3 client for load: one command after another, as clients that empty a maildrop do.

use std::net::SocketAddr;

use anyhow::{Result, ensure};

use super::Wire;

/// One connection, logged in.
pub(crate) struct Pop3(Wire);

impl Pop3 {
    /// Connects and logs in.
    pub(crate) async fn login(to: SocketAddr, user: &str, password: &str) -> Result<Pop3> {
        let mut client = Pop3(Wire::connect(to).await?);
        client.ok().await?;
        client.command(&format!("USER {user}")).await?;
        client.command(&format!("PASS {password}")).await?;
        Ok(client)
    }

    /// A command whose answer is one line.
    pub(crate) async fn command(&mut self, command: &str) -> Result<()> {
        self.0.send(format!("{command}\r\n").as_bytes()).await?;
        self.ok().await
    }

    /// A command whose answer ends with a dot; how many lines and octets stand before it.
    pub(crate) async fn lines(&mut self, command: &str) -> Result<(usize, usize)> {
        self.command(command).await?;
        let (mut lines, mut octets) = (0, 0);
        loop {
            let line = self.0.line().await?;
            if line == "." {
                return Ok((lines, octets));
            }
            lines += 1;
            octets += line.len() + 2 - usize::from(line.starts_with(b"."));
        }
    }

    async fn ok(&mut self) -> Result<()> {
        let line = self.0.line().await?;
        let told = String::from_utf8_lossy(&line);
        ensure!(line.starts_with(b"+OK"), "expected +OK, got {told}");
        Ok(())
    }
}
