//! Lines of JSON, and the raw octets that follow some of them. Bound: [`MAX_LINE`].

use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::{Error, Result};

/// Octets of a line. The longest are lists: a hundred thousand users fit.
const MAX_LINE: u64 = 64 * 1024 * 1024;

/// The next frame; none when the other side has finished.
pub(crate) async fn read<T: DeserializeOwned>(
    from: &mut (impl AsyncBufRead + Unpin),
) -> Result<Option<T>> {
    let mut line = Vec::new();
    let read = from.take(MAX_LINE).read_until(b'\n', &mut line).await?;
    if read == 0 {
        return Ok(None);
    }
    if !line.ends_with(b"\n") {
        return Err(Error::Channel("a line was cut off or is too long".into()));
    }
    serde_json::from_slice(&line)
        .map(Some)
        .map_err(|error| Error::Channel(format!("cannot read {error}")))
}

pub(crate) async fn write(
    to: &mut (impl AsyncWrite + Unpin),
    frame: &impl Serialize,
) -> Result<()> {
    let mut line = serde_json::to_vec(frame).map_err(|error| Error::Channel(error.to_string()))?;
    line.push(b'\n');
    to.write_all(&line).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{DomainCommand, Request};

    #[tokio::test]
    async fn what_is_no_request_is_named() {
        let error = |line: &'static [u8]| async move {
            read::<Request>(&mut &*line).await.unwrap_err().to_string()
        };
        assert!(error(b"{\"domain\":\"frob\"}\n").await.contains("frob"));
        assert!(error(b"{\"domain\":\"list\"}").await.contains("cut off"));
        let request = read::<Request>(&mut &b"{\"domain\":\"list\"}\n"[..])
            .await
            .unwrap();
        assert!(matches!(
            request,
            Some(Request::Domain(DomainCommand::List))
        ));
    }
}
