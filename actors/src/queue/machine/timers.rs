//! Timers, and the leases that they keep: each state that passes by itself has a timer that ends
//! it.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_kernel::{CallId, Timestamp};

use super::{Effect, OfferStage, Queue, Stage, TimerId};
use crate::leases::{Lease, Owner, State, Until};
use crate::queue::OfferId;

/// How long a customer may be dialled; the call ends it much earlier.
const DIALLED_WITHIN: Duration = Duration::from_secs(300);

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    MaxWait(CallId),
    Retry(CallId),
    Ask(OfferId),
    Ring(OfferId),
    Announce(OfferId),
    Leave(CallId),
    Talk(CallId),
    Greeting(CallId),
    OfferCallback(CallId),
    Register(CallId),
}

impl Queue {
    pub(super) fn arm(&mut self, due: Due, after: Duration, out: &mut Vec<Effect>) -> TimerId {
        self.next_timer += 1;
        let timer = TimerId(self.next_timer);
        self.timers.insert(timer, (due, self.now + after));
        out.push(Effect::Arm { timer, after });
        timer
    }

    pub(super) fn timer(&mut self, now: Timestamp, timer: TimerId, out: &mut Vec<Effect>) {
        match self.timers.remove(&timer).map(|(due, _)| due) {
            Some(Due::MaxWait(call)) => self.waited_long_enough(now, call, timer, out),
            Some(Due::Retry(call)) => {
                if let Some(caller) = self.callers.get(&call)
                    && matches!(caller.stage, Stage::Resting { timer: own } if own == timer)
                {
                    self.want(call);
                    self.unexplained.insert(call);
                }
            }
            Some(Due::Ask(offer)) => self.ask_overdue(now, offer, out),
            Some(Due::Ring(offer)) => self.ring_overdue(now, offer, out),
            Some(Due::Announce(offer)) => self.announcing_overdue(now, offer, out),
            Some(Due::Leave(call)) => self.leave_completed(now, call, out),
            Some(Due::Greeting(call)) => {
                // One who does not wait any more, or was greeted.
                let _as_well = self.greeted(call);
            }
            Some(Due::OfferCallback(call)) => self.offer_callback(call, timer, out),
            Some(Due::Register(call)) => self.registering_overdue(now, call, timer, out),
            Some(Due::Talk(call)) => self.check_talk(now, call, out),
            // A timer of before the actor's last start.
            None => {}
        }
    }

    /// The states that must pass by themselves, each with the moment at which its timer goes off.
    #[must_use]
    pub fn leases(&self) -> Vec<Lease> {
        let mut dues: BTreeMap<Due, Timestamp> = BTreeMap::new();
        for (due, at) in self.timers.values() {
            let latest = dues.entry(*due).or_default();
            *latest = (*latest).max(*at);
        }
        let owner = Owner::Queue(self.config.number.clone());
        let lease =
            |state, subject: String, until| Lease { owner: owner.clone(), state, subject, until };
        let by = |due: Due| Until::by(dues.get(&due).copied());
        let callers = self.callers.iter().filter_map(|(call, caller)| {
            let (state, until) = match caller.stage {
                Stage::Waiting | Stage::Attempt(_) => return None,
                Stage::Greeting => (State::Greeting, by(Due::Greeting(*call))),
                Stage::Resting { timer } => (State::Resting, self.ends(timer)),
                Stage::Registering { lease } => (State::Registering, self.ends(lease)),
                Stage::Dialling => (State::Dialling, Until::Within(DIALLED_WITHIN)),
                Stage::Leaving { .. } => (State::Leaving, by(Due::Leave(*call))),
            };
            Some(lease(state, call.to_string(), until))
        });
        let offers = self.offers.iter().map(|(id, offer)| {
            let subject = format!("{} by {}", offer.call, offer.agent);
            match offer.stage {
                OfferStage::Asked => lease(State::Asked, subject, by(Due::Ask(*id))),
                OfferStage::Ringing { .. } => lease(State::Ringing, subject, by(Due::Ring(*id))),
                OfferStage::Announcing => lease(State::Announcing, subject, by(Due::Announce(*id))),
            }
        });
        let suspects = self.suspects.iter();
        let suspects =
            suspects.map(|call| lease(State::Unconfirmed, call.to_string(), by(Due::Talk(*call))));
        callers.chain(offers).chain(suspects).collect()
    }

    fn ends(&self, timer: TimerId) -> Until {
        Until::by(self.timers.get(&timer).map(|(_, at)| *at))
    }
}
