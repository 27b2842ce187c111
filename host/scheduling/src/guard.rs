//! Reading what others wrote, apart from the task that asks: it may take its time, and a panic in there is an error here.

use waxwing_formats_ical::Calendar;

use crate::{Error, MAX_CALENDAR, Result};

/// Runs something that reads a message.
pub(crate) async fn guarded<T: Send + 'static>(
    work: impl FnOnce() -> waxwing_formats_ical::Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => Ok(answer?),
        Err(error) => {
            tracing::error!(%error, "what reads calendars broke");
            Err(Error::Broken(error.to_string()))
        }
    }
}

/// Reads a VCALENDAR.
pub(crate) async fn calendar(text: Vec<u8>) -> Result<Calendar> {
    if text.len() > MAX_CALENDAR {
        return Err(Error::Limit(format!(
            "octets of a calendar = {MAX_CALENDAR}"
        )));
    }
    guarded(move || {
        let limits = waxwing_formats_ical::Limits::default().text;
        Calendar::parse(&text, &limits)
    })
    .await
}
