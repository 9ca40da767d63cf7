//! Calls that become one, and managers who attend the talk of others.

use std::time::Duration;

use tandem_kernel::{AskError, CallId, ask};

use super::{
    CallCommand, CallView, LegState, Monitor, Office, Park, Principal, Refusal, Supervision,
};
use crate::audit;
use crate::call::machine::{LegIndex, Party};
use crate::call::{CallMsg, devices};

/// How long a merge may take: one call asks another.
const WITHIN: Duration = Duration::from_secs(4);

/// What a manager wants of a talk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendance {
    /// The manager's extension, whose phones ring.
    pub extension: String,
    /// Whose talk it is; none: the agent's of the queue, else the house's.
    pub agent: Option<String>,
    /// How.
    pub mode: Supervision,
}

impl Office {
    /// Makes one call of two that an extension talks in: all parties hear each other. The call
    /// that a queue gave goes on, else the first one.
    ///
    /// # Errors
    /// `NotFound` when one of them is over, `Conflict` when the extension is not talking in both
    /// or their states do not allow it.
    pub async fn merge(
        &self,
        by: &Principal,
        calls: (CallId, CallId),
        extension: Option<&str>,
    ) -> Result<(), Refusal> {
        let (first, second) = (self.talk(calls.0).await?, self.talk(calls.1).await?);
        let is_served = |view: &CallView| view.queue.is_some();
        let swaps = is_served(&second) && !is_served(&first);
        let (base, other) = if swaps { (second, first) } else { (first, second) };
        let Some((leg, far)) = shared(&base, &other, extension) else {
            let detail = "no extension talks in both calls".into();
            return Err(Refusal::Conflict { code: "call-not-connected", detail });
        };
        let gone = || Refusal::NotFound { kind: "call", key: base.id.to_string() };
        self.all_here(&[base.id, other.id])?;
        let actor = self.parts.exchange.as_ref().and_then(|it| it.calls.find(base.id));
        let actor = actor.ok_or_else(gone)?;
        let with = (other.id, far);
        let question = |reply| CallMsg::Merge { by: leg, with, reply: Some(reply) };
        match ask(&actor, WITHIN, question).await {
            Ok(outcome) => outcome?,
            Err(AskError::Timeout) => {
                let detail = "the calls did not answer in time".into();
                return Err(Refusal::Unavailable { detail });
            }
            Err(AskError::Dropped | AskError::Gone) => return Err(gone()),
        }
        tracing::info!(call = %base.id, with = %other.id, by = %by.name, "calls merged");
        drop(audit::note(&self.parts.journal, by, "merge", "call", &base.id.to_string()));
        Ok(())
    }

    /// Calls of different members do not become one, and slots are a member's own.
    fn all_here(&self, calls: &[CallId]) -> Result<(), Refusal> {
        let own = self.parts.journal.node();
        match calls.iter().map(|call| self.member_of(*call)).find(|member| *member != own) {
            None => Ok(()),
            Some(member) => {
                let detail = format!("the call is at member {member}: ask there");
                Err(Refusal::Conflict { code: "call-elsewhere", detail })
            }
        }
    }

    async fn talk(&self, id: CallId) -> Result<CallView, Refusal> {
        let gone = || Refusal::NotFound { kind: "call", key: id.to_string() };
        self.call(id).await.ok_or_else(gone)
    }

    /// Rings a manager's phones to attend a talk, or changes how they attend it.
    ///
    /// # Errors
    /// `NotFound` for an unknown extension or call, `Conflict` when none of its phones is
    /// registered, it is a party of the call, or nobody talks there.
    pub async fn monitor(
        &self,
        by: &Principal,
        call: CallId,
        wish: Attendance,
    ) -> Result<(), Refusal> {
        let exchange = self.exchange()?;
        let directory = self.parts.provisioning.directory();
        let Some(found) = directory.extension(&wish.extension) else {
            return Err(Refusal::NotFound { kind: "extension", key: wish.extension });
        };
        let devices = devices(exchange, &found.number);
        if devices.is_empty() {
            let detail = format!("no phone of extension {} is registered", found.number);
            return Err(Refusal::Conflict { code: "extension-not-registered", detail });
        }
        let party = Party::Extension { number: found.number.clone(), name: found.name.clone() };
        let (agent, mode) = (wish.agent, wish.mode);
        let monitor = Monitor { by: party, devices, agent, mode };
        self.command(by, call, CallCommand::Monitor(Box::new(monitor))).await
    }
}

impl Office {
    /// Parks a party of a talk on a free slot and gives its number.
    ///
    /// # Errors
    /// `Conflict` when all slots are taken or no two talk.
    pub async fn park(
        &self,
        by: &Principal,
        call: CallId,
        party: Option<String>,
    ) -> Result<u16, Refusal> {
        self.all_here(&[call])?;
        let exchange = self.exchange()?;
        let settings = self.parts.provisioning.directory().settings().parking.clone();
        let slot = exchange.parking.take(settings.first..=settings.last, call);
        let slot = slot.ok_or_else(|| Refusal::Conflict {
            code: "no-free-slot",
            detail: format!("all slots from {} to {} are taken", settings.first, settings.last),
        })?;
        let back_after = Duration::from_secs(u64::from(settings.timeout_secs));
        let park = CallCommand::Park(Park { slot, party, back_after });
        let parked = self.command(by, call, park).await;
        if parked.is_err() {
            exchange.parking.free(slot, call);
        }
        parked.map(|()| slot)
    }
}

/// The legs of one extension that talks in both calls.
fn shared(
    base: &CallView,
    other: &CallView,
    extension: Option<&str>,
) -> Option<(LegIndex, LegIndex)> {
    let talks = |view: &CallView| {
        let legs = view.legs.iter().filter(|leg| {
            matches!(leg.state, LegState::Up | LegState::Held) && leg.supervises.is_none()
        });
        let inside = legs.filter_map(|leg| {
            let number = leg.party.strip_prefix("extension:")?;
            Some((number.to_owned(), leg.index))
        });
        inside.collect::<Vec<_>>()
    };
    let (here, there) = (talks(base), talks(other));
    let wanted = here.iter().filter(|(number, _)| extension.is_none_or(|it| it == number));
    wanted.clone().find_map(|(number, leg)| {
        let (_, far) = there.iter().find(|(it, _)| it == number)?;
        Some((*leg, *far))
    })
}
