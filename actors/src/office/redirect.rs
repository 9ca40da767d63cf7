//! Where a manager may send a caller who waits in a queue: a number of the house,
//! or a mailbox.

use tandem_config::resource::Destination;
use tandem_kernel::CallId;

use super::{CallCommand, Office, Principal, Refusal};
use crate::provisioning::Directory;

/// What a manager names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An extension, a ring group, a queue, a menu, a call flow or a group's mailbox.
    Number(String),
    /// The mailbox of an extension.
    Mailbox(String),
}

impl Office {
    /// Sends a caller who waits in a queue elsewhere. It is looked up before the caller leaves:
    /// a number that was mistyped costs nobody their place.
    ///
    /// # Errors
    /// `Invalid` for a number that leads nowhere, `NotFound` when there is no such live call,
    /// `Conflict` when it does not wait (any more, Q-506).
    pub async fn redirect(
        &self,
        by: &Principal,
        call: CallId,
        place: Place,
    ) -> Result<(), Refusal> {
        let to = destination(&self.parts.provisioning.directory(), place)?;
        let command = CallCommand::Redirect { to, by: by.name.clone() };
        self.command(by, call, command).await
    }
}

fn destination(directory: &Directory, place: Place) -> Result<Destination, Refusal> {
    let number = match place {
        Place::Mailbox(number) => {
            let extension = directory.extension(&number).filter(|it| it.voicemail.enabled);
            let wrong = || Refusal::field("/to", "no-mailbox", "the extension has no mailbox");
            return extension
                .map(|_| Destination::ExtVm { number: number.clone() })
                .ok_or_else(wrong);
        }
        Place::Number(number) => number,
    };
    if directory.extension(&number).is_some_and(|it| it.enabled) {
        return Ok(Destination::Extension { number });
    }
    if directory.queue(&number).is_some() {
        return Ok(Destination::Queue { number });
    }
    if directory.ring_group(&number).is_some() {
        return Ok(Destination::RingGroup { number });
    }
    if directory.ivr(&number).is_some() {
        return Ok(Destination::Ivr { number });
    }
    if directory.call_flow(&number).is_some() {
        return Ok(Destination::CallFlow { number });
    }
    if directory.group_voicemail(&number).is_some() {
        return Ok(Destination::GroupVm { number });
    }
    Err(Refusal::field("/to", "unknown-number", "no such number of the house"))
}
