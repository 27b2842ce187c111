//! Another object comes in the place of a meeting, by COPY or MOVE: whoever takes part in it hears that it is off.

use waxwing_formats_ical::schedule::{Context, Message};

use super::{addresses, before, deliver, plan};
use crate::answer::Refusal;
use crate::methods::put::now;
use crate::visit::Opened;

/// What is to be told when the other object is there.
pub(crate) struct Replaced(Vec<Message>);

impl Replaced {
    /// What is in the place now. Of the same meeting there is nothing to be told.
    pub(crate) fn of(opened: &Opened, (name, uid): (&str, &str)) -> Result<Replaced, Refusal> {
        let there = before(opened, name)?;
        let meeting =
            there.filter(|there| there.row.schedule_tag.is_some() && there.row.uid != uid);
        let Some(object) = meeting.and_then(|there| there.object) else {
            return Ok(Replaced(Vec::new()));
        };
        let mine = addresses(opened)?;
        let context = Context {
            mine: &mine,
            now: now(),
        };
        plan::removal(&object, &context, false).map(Replaced)
    }

    pub(crate) fn tell(self, opened: &Opened) {
        deliver::deliver(opened, self.0);
    }
}
