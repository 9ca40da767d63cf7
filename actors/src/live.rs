//! The live calls of one member, as people see and steer them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use ractor::ActorRef;
use tandem_kernel::{AskError, CallId, ask};

use crate::call::{CallMsg, Calls};
use crate::office::{CallCommand, CallView, Refusal, TraceItem};
use crate::trace::Traces;

/// How long a call may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// The live calls and what is remembered of those that ended.
#[derive(Clone)]
pub struct Live {
    calls: Arc<Calls>,
    traces: Arc<Traces>,
}

impl Live {
    /// The calls of this member.
    #[must_use]
    pub const fn new(calls: Arc<Calls>, traces: Arc<Traces>) -> Self {
        Self { calls, traces }
    }

    /// The call actors.
    pub(crate) fn actors(&self) -> &Calls {
        &self.calls
    }

    /// Those that answered in time, in the order in which they began.
    pub(crate) async fn views(&self) -> Vec<CallView> {
        let asked = self.calls.all().into_iter().map(|(_, call)| view(call));
        join_all(asked).await.into_iter().flatten().collect()
    }

    pub(crate) async fn view(&self, id: CallId) -> Option<CallView> {
        view(self.calls.find(id)?).await
    }

    /// Does something to a call.
    pub(crate) async fn command(&self, id: CallId, command: CallCommand) -> Result<(), Refusal> {
        let gone = || Refusal::NotFound { kind: "call", key: id.to_string() };
        let actor = self.calls.find(id).ok_or_else(gone)?;
        match ask(&actor, ANSWERS_WITHIN, |reply| CallMsg::Command { command, reply }).await {
            Ok(outcome) => outcome,
            Err(AskError::Timeout) => {
                Err(Refusal::Unavailable { detail: "the call did not answer in time".into() })
            }
            Err(AskError::Dropped | AskError::Gone) => Err(gone()),
        }
    }

    /// The trace of a call, with the newest figures of its audio while it lives.
    pub(crate) async fn trace(&self, id: CallId) -> Option<Vec<TraceItem>> {
        let mut items = self.traces.of(id)?;
        if let Some(actor) = self.calls.find(id)
            && let Ok(figures) = ask(&actor, ANSWERS_WITHIN, CallMsg::MediaFigures).await
        {
            items.extend(figures);
        }
        Some(items)
    }
}

async fn view(call: ActorRef<CallMsg>) -> Option<CallView> {
    ask(&call, ANSWERS_WITHIN, CallMsg::View).await.ok()
}
