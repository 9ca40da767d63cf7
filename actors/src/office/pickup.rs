//! A call that rings for a queue is picked up: it rings at an operator's phones.

use tandem_kernel::CallId;

use super::{Office, Principal, Refusal};
use crate::audit;
use crate::call::devices;
use crate::queue::machine::Refused;
use crate::softphone;

impl Office {
    /// Lets a call that rings for a queue ring at an extension instead. Nobody answers there: the
    /// call is back at its place in the line.
    ///
    /// # Errors
    /// `NotFound` for an unknown extension or call, `Conflict` when the call does not ring (any
    /// more, Q-506), rings there already, or none of the extension's phones can be reached.
    pub async fn pick_up(
        &self,
        by: &Principal,
        call: CallId,
        extension: &str,
    ) -> Result<(), Refusal> {
        let gone = || Refusal::NotFound { kind: "call", key: call.to_string() };
        let queue = self.call(call).await.ok_or_else(gone)?.queue.ok_or_else(not_ringing)?;
        self.can_ring(call, extension)?;
        match self.exchange()?.placed.pick_up(&queue, call, extension).await {
            Some(Ok(())) => {}
            Some(Err(Refused::RingsThere)) => {
                let detail = format!("the call rings at {extension} already");
                return Err(Refusal::Conflict { code: "call-rings-there", detail });
            }
            Some(Err(_)) => return Err(not_ringing()),
            None => {
                let detail = format!("queue {queue} does not answer");
                return Err(Refusal::Unavailable { detail });
            }
        }
        tracing::info!(%call, by = %by.name, "call picked up");
        drop(audit::note(&self.parts.journal, by, "pickup", "call", &call.to_string()));
        Ok(())
    }

    /// Whether the member that has the call reaches a phone of the extension.
    fn can_ring(&self, call: CallId, extension: &str) -> Result<(), Refusal> {
        let directory = self.parts.provisioning.directory();
        if !directory.extension(extension).is_some_and(|it| it.enabled) {
            return Err(Refusal::NotFound { kind: "extension", key: extension.to_owned() });
        }
        let phones = devices(self.exchange()?, extension);
        if phones.is_empty() {
            let detail = format!("no phone of extension {extension} is registered");
            return Err(Refusal::Conflict { code: "extension-not-registered", detail });
        }
        let is_browser = phones.iter().all(|phone| phone.binding == softphone::BINDING);
        let member = self.member_of(call);
        if is_browser && member != self.parts.journal.node() {
            let detail = format!("the call is at member {member}: ask there");
            return Err(Refusal::Conflict { code: "call-elsewhere", detail });
        }
        Ok(())
    }
}

fn not_ringing() -> Refusal {
    let detail = "no agent rings for the call".to_owned();
    Refusal::Conflict { code: "call-not-ringing", detail }
}
