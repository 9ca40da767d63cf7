//! Callers and the phones of agents, as the call layer would have them.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::Rng;
use tandem_actors::queue::machine::Input;
use tandem_actors::queue::{Exit, OfferEnd, OfferId, Party, QueueNotice};
use tandem_kernel::{CallId, Timestamp};

use crate::world::{Delivery, Fault, Node, Outcome, World};

/// How long a call waits for the word that it is in.
const ASKS: Duration = Duration::from_secs(2);

/// What a phone does that rings.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reaction {
    Answer,
    End(OfferEnd),
}

#[derive(Clone, Debug)]
pub(crate) enum Stage {
    Waiting { joined: bool, rings: BTreeMap<OfferId, (usize, Timestamp)> },
    Talking { agent: usize, offer: OfferId, since: Timestamp },
    Over,
}

#[derive(Clone, Debug)]
pub(crate) struct CallModel {
    pub queue: usize,
    pub stage: Stage,
    /// How the call itself saw its way out of the queue.
    pub exit: Option<Exit>,
}

impl CallModel {
    pub(crate) const fn new(queue: usize) -> Self {
        Self { queue, stage: Stage::Waiting { joined: false, rings: BTreeMap::new() }, exit: None }
    }

    fn leave(&mut self, exit: Exit) {
        self.stage = Stage::Over;
        self.exit = Some(exit);
    }
}

impl World {
    pub(crate) fn notice(&mut self, call: CallId, notice: QueueNotice) {
        let now = self.now;
        let model = self.calls.get_mut(&call).unwrap();
        let Stage::Waiting { joined, rings } = &mut model.stage else {
            return self.strayed(call, &notice);
        };
        *joined = true;
        match notice {
            // The queues here call nobody back.
            QueueNotice::Joined { .. } | QueueNotice::Place { .. } | QueueNotice::Callback(_) => {}
            QueueNotice::Withdraw { offer, .. } => {
                rings.retain(|it, _| offer != OfferId::EVERY && *it != offer);
            }
            QueueNotice::Refused { reason, .. } | QueueNotice::Leave { reason, .. } => {
                model.leave(reason);
                self.tell_queue(call, Input::Gone { call, reason });
            }
            QueueNotice::Offer { offer, agent, ring_for } => {
                let agent = self.agents.iter().position(|it| it.extension == agent).unwrap();
                rings.insert(offer, (agent, now));
                self.ring(call, offer, agent, ring_for);
            }
        }
    }

    /// A queue that confirms or offers who does not wait hears how they left.
    fn strayed(&mut self, call: CallId, notice: &QueueNotice) {
        if !matches!(notice, QueueNotice::Joined { .. } | QueueNotice::Offer { .. }) {
            return;
        }
        let said = match self.calls[&call].stage {
            Stage::Talking { offer, .. } => Input::OfferAnswered { call, offer },
            _ => Input::Gone { call, reason: Exit::CallerHangup },
        };
        self.tell_queue(call, said);
    }

    pub(crate) fn ask(&mut self, call: CallId, asks: u32) -> Outcome<()> {
        if asks > 5 {
            return Err(format!("{call} asked {asks} times and is not taken in"));
        }
        if asks == 1 || self.plan.fault != Fault::AsksOnce {
            let (caller, caller_name) = (format!("09{call}"), String::new());
            self.tell_queue(call, Input::Join { call, stay: 1, caller, caller_name });
        }
        self.later(ASKS, Delivery::Ask(call, asks + 1));
        Ok(())
    }

    pub(crate) fn ask_again(&mut self, call: CallId, asks: u32) -> Outcome<()> {
        match self.calls[&call].stage {
            Stage::Waiting { joined: false, .. } => self.ask(call, asks),
            _ => Ok(()),
        }
    }

    fn ring(&mut self, call: CallId, offer: OfferId, agent: usize, ring_for: Duration) {
        let longest = u64::try_from(ring_for.as_millis()).unwrap();
        let some = self.rng.random_range(0..=longest.min(12_000));
        let roll = self.rng.random_range(0..100);
        let (after, reaction) = match roll {
            _ if !self.agents[agent].registered => (0, Reaction::End(OfferEnd::Unreachable)),
            0..60 => (some, Reaction::Answer),
            60..70 => (some, Reaction::End(OfferEnd::Rejected)),
            70..76 => (0, Reaction::End(OfferEnd::Busy)),
            76..80 => (0, Reaction::End(OfferEnd::Unreachable)),
            _ => (longest, Reaction::End(OfferEnd::TimedOut)),
        };
        self.tell_queue(call, Input::OfferRinging { call, offer });
        self.later(Duration::from_millis(after), Delivery::Phone(call, offer, reaction));
    }

    fn tell_queue(&mut self, call: CallId, input: Input) {
        let queue = self.calls[&call].queue;
        self.send(Node::Call(call), Node::Queue(queue), Delivery::ToQueue(queue, input));
    }

    pub(crate) fn phone(&mut self, call: CallId, offer: OfferId, reaction: Reaction) {
        let now = self.now;
        let model = self.calls.get_mut(&call).unwrap();
        let Stage::Waiting { rings, .. } = &mut model.stage else { return };
        let Some((agent, _)) = rings.remove(&offer) else { return };
        match reaction {
            Reaction::Answer => {
                model.stage = Stage::Talking { agent, offer, since: now };
                model.exit = Some(Exit::Answered);
                self.tell_queue(call, Input::OfferAnswered { call, offer });
                self.in_call(agent, call);
                let talk = self.rng.random_range(100..60_000);
                self.later(Duration::from_millis(talk), Delivery::TalkOver(call));
            }
            Reaction::End(why) => self.tell_queue(call, Input::OfferEnded { call, offer, why }),
        }
    }

    pub(crate) fn talk_over(&mut self, call: CallId) {
        let now = self.now;
        let model = self.calls.get_mut(&call).unwrap();
        let Stage::Talking { agent, since, .. } = model.stage else { return };
        model.stage = Stage::Over;
        let (extension, talk) = (self.agents[agent].extension.clone(), now.since(since));
        let by = if self.chance(500) { Party::Caller } else { Party::Agent };
        self.tell_queue(call, Input::CallEnded { call, agent: extension, by, talk });
        self.out_of_call(agent, call);
    }

    pub(crate) fn impatient(&mut self, call: CallId) {
        let model = self.calls.get_mut(&call).unwrap();
        if matches!(model.stage, Stage::Waiting { .. }) {
            model.leave(Exit::CallerHangup);
            self.tell_queue(call, Input::Gone { call, reason: Exit::CallerHangup });
        }
    }
}
