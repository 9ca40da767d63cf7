//! Live calls, wherever in the cluster they are: seeing, steering and tracing them.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use tandem_kernel::CallId;

use super::{CallCommand, CallView, Office, Principal, Refusal, TraceItem};
use crate::audit;
use crate::gateway::Gateway;
use crate::gateway::words::{Answer, Question};
use crate::live::Live;

/// How long another member may take to show its calls: one that has just died delays nobody.
const SHOWN_WITHIN: Duration = Duration::from_millis(1_000);

/// How long it may take to steer one.
const STEERED_WITHIN: Duration = Duration::from_secs(3);

impl Office {
    fn live(&self) -> Option<Live> {
        let exchange = self.parts.exchange.as_ref()?;
        Some(Live::new(exchange.calls.clone(), exchange.traces.clone()))
    }

    fn gateway(&self) -> Option<&Gateway> {
        self.parts.exchange.as_ref()?.placed.gateway()
    }

    /// The member that has a call, and the way to it; none: this one.
    fn elsewhere(&self, call: CallId) -> Option<(&Gateway, u64)> {
        let exchange = self.parts.exchange.as_ref()?;
        let home = exchange.placed.home(call);
        let is_elsewhere = home != exchange.journal.node();
        exchange.placed.gateway().filter(|_| is_elsewhere).map(|gateway| (gateway, home))
    }

    /// The number of the member that has a call.
    #[must_use]
    pub fn member_of(&self, call: CallId) -> u64 {
        self.elsewhere(call).map_or_else(|| self.parts.journal.node(), |(_, member)| member)
    }

    /// The live calls that answered within the deadline, in the order in which they began.
    pub async fn calls(&self) -> Vec<CallView> {
        let Some(live) = self.live() else { return Vec::new() };
        let Some(gateway) = self.gateway() else { return live.views().await };
        let members = gateway.members();
        let asked = members.iter().map(|it| gateway.ask(*it, Question::Calls, SHOWN_WITHIN));
        let (own, theirs) = tokio::join!(live.views(), join_all(asked));
        let mut all = BTreeMap::new();
        for answer in theirs.into_iter().flatten() {
            if let Answer::Calls(views) = answer {
                all.extend(views.into_iter().map(|view| (view.id, view)));
            }
        }
        // Of a call that has just been taken over the own view is the one to trust.
        all.extend(own.into_iter().map(|view| (view.id, view)));
        all.into_values().collect()
    }

    /// One live call.
    pub async fn call(&self, id: CallId) -> Option<CallView> {
        let Some((gateway, member)) = self.elsewhere(id) else {
            return self.live()?.view(id).await;
        };
        match gateway.ask(member, Question::Call(id), SHOWN_WITHIN).await? {
            Answer::Calls(views) => views.into_iter().next(),
            _ => None,
        }
    }

    /// Does something to a live call.
    ///
    /// # Errors
    /// `NotFound` when there is no such live call, `Conflict` when its state does not allow it.
    pub async fn command(
        &self,
        by: &Principal,
        call: CallId,
        command: CallCommand,
    ) -> Result<(), Refusal> {
        tracing::info!(%call, by = %by.name, ?command, "call command");
        let action = command.name();
        let outcome = self.steer(call, command).await;
        if outcome.is_ok() {
            drop(audit::note(&self.parts.journal, by, action, "call", &call.to_string()));
        }
        outcome
    }

    async fn steer(&self, call: CallId, command: CallCommand) -> Result<(), Refusal> {
        let gone = || Refusal::NotFound { kind: "call", key: call.to_string() };
        let Some((gateway, member)) = self.elsewhere(call) else {
            return self.live().ok_or_else(gone)?.command(call, command).await;
        };
        let silent = || {
            let detail = format!("member {member}, which has the call, does not answer");
            Refusal::Unavailable { detail }
        };
        let command = serde_json::to_string(&command)
            .map_err(|error| Refusal::Unavailable { detail: error.to_string() })?;
        let question = Question::Steer { call, command };
        match gateway.ask(member, question, STEERED_WITHIN).await {
            Some(Answer::Steered(outcome)) => outcome.map_err(|denied| denied.refusal(call)),
            _ => Err(silent()),
        }
    }

    /// The trace of a live call or of one that ended not long ago.
    pub async fn trace(&self, id: CallId) -> Option<Vec<TraceItem>> {
        let own = self.live()?.trace(id).await;
        let Some((gateway, member)) = self.elsewhere(id) else { return own };
        match gateway.ask(member, Question::Trace(id), STEERED_WITHIN).await {
            Some(Answer::Trace(items)) => Some(items),
            // What this node had part in is better than nothing.
            _ => own,
        }
    }
}
