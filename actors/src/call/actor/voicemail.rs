//! Messages of callers: recorded, kept, changed beside the actor, which hears of the outcome.

use std::sync::Arc;

use ractor::ActorRef;

use super::CallState;
use crate::call::machine::LegIndex;
use crate::call::message::CallMsg;
use crate::flow::{Cue, MessageChange};

impl CallState {
    /// What was said is kept even when the call, or its actor, ends first: the recording ends
    /// with the leg, and the task waits for that.
    pub(super) fn record_message(&self, myself: &ActorRef<CallMsg>, leg: LegIndex, mailbox: &str) {
        let voicemail = self.exchange.voicemail.clone();
        let (draft, path) = voicemail.begin(mailbox, self.id, &self.call.view().from);
        let recorded = self.exchange.engine.record(self.leg_id(leg), path);
        let myself = myself.clone();
        tandem_kernel::spawn("message", async move {
            let saved = voicemail.keep(&draft, recorded).await;
            // The caller may have hung up.
            let _gone = myself.cast(CallMsg::Cue(Cue::Saved(saved)));
        });
    }

    pub(super) fn change_message(
        &self,
        myself: &ActorRef<CallMsg>,
        (mailbox, id): (String, String),
        change: MessageChange,
    ) {
        let exchange = Arc::clone(&self.exchange);
        let myself = myself.clone();
        let by = format!("call:{}", self.id);
        tandem_kernel::spawn("message change", async move {
            let changed = exchange.voicemail.change(&mailbox, &id, change, &by).await;
            if change == MessageChange::Deleted {
                let _gone = myself.cast(CallMsg::Cue(Cue::Changed(changed.is_ok())));
            }
        });
    }
}
