//! A request to an HTTP plugin, and its response as it comes.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use waxwing_runtime::{Exchange, HttpAction, HttpRequest};

use crate::{Error, House, Result, translate};

/// A response that is being received.
pub struct Response<'h> {
    house: &'h House,
    exchange: Exchange,
    /// Once the head has come.
    pub status: Option<u16>,
    /// With it.
    pub headers: Vec<(String, String)>,
    /// Octets so far, as text.
    pub text: String,
    /// Whether all of it is there.
    pub finished: bool,
}

impl House {
    /// Asks a plugin by GET, as a user or as nobody.
    ///
    /// # Errors
    /// When the plugin is not there, or the user.
    pub fn get(&self, plugin: &str, path: &str, user: Option<&str>) -> Result<Response<'_>> {
        let principal = user
            .map(|user| self.wait_for(self.services().directory.user(user)))
            .transpose()?;
        let request = HttpRequest {
            id: "request-1".into(),
            method: "GET".into(),
            scheme: "https".into(),
            authority: "mx.test".into(),
            path: path.to_owned(),
            query: None,
            route: path.to_owned(),
            headers: Vec::new(),
            peer: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 40_000),
            tls: None,
            body: None,
            principal,
        };
        let exchange = self.runtime()?.exchange(plugin, request)?;
        Ok(Response {
            house: self,
            exchange,
            status: None,
            headers: Vec::new(),
            text: String::new(),
            finished: false,
        })
    }
}

impl Response<'_> {
    /// Waits for the next stretch of the response and answers what it brought.
    ///
    /// # Errors
    /// [`Error::Late`], or what the runtime says.
    pub fn next(&mut self, patience: Duration) -> Result<String> {
        let before = self.text.len();
        let actions = self
            .house
            .tokio
            .block_on(async { tokio::time::timeout(patience, self.exchange.next()).await })
            .map_err(|_| Error::Late(patience))??;
        match actions {
            None => self.finished = true,
            Some(actions) => actions
                .into_iter()
                .try_for_each(|action| self.take(action))?,
        }
        Ok(self.text.get(before..).unwrap_or_default().to_owned())
    }

    /// Waits for all of it.
    ///
    /// # Errors
    /// As [`Response::next`].
    pub fn whole(mut self, patience: Duration) -> Result<Self> {
        while !self.finished {
            self.next(patience)?;
        }
        Ok(self)
    }

    fn take(&mut self, action: HttpAction) -> Result<()> {
        match action {
            HttpAction::Head {
                status, headers, ..
            } => {
                self.status = Some(status);
                let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
                self.headers = headers
                    .into_iter()
                    .map(|(name, value)| (name, text(&value)))
                    .collect();
            }
            HttpAction::Send(octets) => self.text.push_str(&String::from_utf8_lossy(&octets)),
            HttpAction::SendBody {
                body,
                offset,
                length,
            } => {
                let octets = self
                    .house
                    .tokio
                    .block_on(translate::octets(&body.slice(offset, length)))?;
                self.text.push_str(&String::from_utf8_lossy(&octets));
            }
            HttpAction::Finish | HttpAction::Abort => self.finished = true,
        }
        Ok(())
    }
}
