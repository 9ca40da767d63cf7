//! What of a call outlives its node: who is on it and what they do, once they are answered. A
//! caller who talks with the house begins anew where they were sent last. What is only on its way
//! (a ring of who was not answered yet, a transfer) does not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_config::resource::Destination;
use tandem_kernel::{CallId, Timestamp};

use super::bridge::{Bridge, QueueTalk};
use super::effect::Effect;
use super::facts::Facts;
use super::meeting::Meeting;
use super::park::Parked;
use super::queued::Passage;
use super::returning::STAY;
use super::types::{LegIndex, Party};
use super::{Call, Stage};
use crate::office::{Direction, QueuePassage};
use crate::queue::{AgentTalk, OfferId};

/// A party of the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// Who.
    pub party: Party,
    /// Put the other one on hold.
    pub holds: bool,
    /// In this state since.
    pub since: Timestamp,
}

/// The talk of a queue call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    queue: String,
    stay: u32,
    offer: OfferId,
    agent: String,
    caller: LegIndex,
    since: Timestamp,
}

/// What the parties do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scene {
    /// One waits in a queue.
    Queued {
        /// The queue.
        queue: String,
        /// The number of the stay.
        stay: u32,
        /// The caller.
        caller: LegIndex,
        /// Since when.
        since: Timestamp,
    },
    /// Two talk.
    Bridged {
        /// One of them.
        a: LegIndex,
        /// The other.
        b: LegIndex,
        /// Who holds.
        holders: BTreeSet<LegIndex>,
        /// With an agent of a queue.
        served: Option<Served>,
    },
    /// More than two talk.
    Meeting {
        /// In the order in which they came.
        parties: Vec<LegIndex>,
        /// Who brought them together.
        host: LegIndex,
        /// With an agent of a queue, who is on this leg.
        served: Option<(Served, LegIndex)>,
    },
    /// One talks with a menu, a call flow or a mailbox, or waits for who is rung there. Since
    /// level 2 of the members' language, as is what follows.
    Sent {
        /// The caller.
        caller: LegIndex,
        /// Where they are.
        #[serde(with = "crate::entity::as_json")]
        to: Destination,
    },
    /// One is parked.
    Parked {
        /// Who.
        party: LegIndex,
        /// The slot at the member of the call.
        slot: u16,
        /// They come back there.
        by: Party,
    },
}

impl Scene {
    /// The first level of the members' language that has it.
    const fn since(&self) -> u16 {
        match self {
            Self::Queued { .. } | Self::Bridged { .. } | Self::Meeting { .. } => 1,
            Self::Sent { .. } | Self::Parked { .. } => 2,
        }
    }
}

/// A call at rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    pub(super) direction: Direction,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) started: Timestamp,
    pub(super) answered_at: Option<Timestamp>,
    pub(super) code: Option<String>,
    pub(super) passage: Option<QueuePassage>,
    pub(super) hold_us: u64,
    pub(super) next_leg: LegIndex,
    pub(super) next_stay: u32,
    /// The answered legs.
    pub legs: BTreeMap<LegIndex, Present>,
    pub(super) scene: Scene,
}

impl Picture {
    /// The talk with an agent by which a queue call was answered, which queue that is, and since
    /// when they talk. Who was called back is the queue's own affair.
    pub(in crate::call) fn agent_talk(
        &self,
        call: CallId,
    ) -> Option<(Timestamp, String, AgentTalk)> {
        let (Scene::Bridged { served: Some(served), .. }
        | Scene::Meeting { served: Some((served, _)), .. }) = &self.scene
        else {
            return None;
        };
        let passage = self.passage.as_ref().filter(|it| it.queue == served.queue);
        let caller = self.legs.get(&served.caller);
        let caller_name = caller.map(|leg| leg.party.name().to_owned()).unwrap_or_default();
        let talk = AgentTalk {
            call,
            stay: served.stay,
            caller: self.from.clone(),
            caller_name,
            agent: served.agent.clone(),
            wait: passage.map_or(Duration::ZERO, |it| it.wait),
            is_counted: false,
            over: None,
        };
        (served.stay != STAY).then(|| (served.since, served.queue.clone(), talk))
    }

    /// The first level of the members' language that has all of it.
    #[must_use]
    pub const fn since(&self) -> u16 {
        self.scene.since()
    }
}

impl From<&QueueTalk> for Served {
    fn from(talk: &QueueTalk) -> Self {
        let QueueTalk { queue, stay, offer, agent, caller, since } = talk.clone();
        Self { queue, stay, offer, agent, caller, since }
    }
}

impl From<Served> for QueueTalk {
    fn from(served: Served) -> Self {
        let Served { queue, stay, offer, agent, caller, since } = served;
        Self { queue, stay, offer, agent, caller, since }
    }
}

impl Call {
    /// The call at rest; none while it is in no state that another node could go on with.
    #[must_use]
    pub fn picture(&self) -> Option<Picture> {
        let scene = match &self.stage {
            Stage::Queued(passage) => passage.scene(),
            Stage::Bridged(bridge) => bridge.scene()?,
            Stage::Meeting(meeting) => meeting.scene(),
            Stage::Scripted(running) => running.scene(&self.facts)?,
            Stage::Hunting(hunt) => hunt.scene(&self.facts)?,
            Stage::Parked(parked) => parked.scene()?,
            _ => return None,
        };
        let wanted = match &scene {
            Scene::Queued { caller, .. } | Scene::Sent { caller, .. } => vec![*caller],
            Scene::Parked { party, .. } => vec![*party],
            Scene::Bridged { a, b, .. } => vec![*a, *b],
            Scene::Meeting { parties, .. } => parties.clone(),
        };
        if self.facts.return_call.is_some() || !wanted.iter().all(|leg| self.facts.is_up(*leg)) {
            return None;
        }
        Some(self.facts.picture(&wanted, scene))
    }

    /// Goes on with a call of another node; each of its legs is there.
    #[must_use]
    pub fn restore(id: CallId, now: Timestamp, picture: Picture) -> (Self, Vec<Effect>) {
        let mut out = Vec::new();
        let scene = picture.scene.clone();
        let mut facts = Facts::of_picture(id, picture);
        for leg in facts.legs.keys().copied().collect::<Vec<_>>() {
            facts.enter(leg, &mut out);
        }
        let stage = match scene {
            Scene::Queued { queue, stay, caller, since } => {
                Passage::resume(&mut facts, (queue, stay), caller, since, &mut out)
            }
            Scene::Bridged { a, b, holders, served } => {
                let served = served.map(QueueTalk::from);
                Stage::Bridged(Bridge::resume(&mut facts, now, (a, b), holders, served, &mut out))
            }
            Scene::Meeting { parties, host, served } => {
                let served = served.map(|(served, agent)| (served.into(), agent));
                Stage::Meeting(Meeting::resume(&mut facts, &parties, host, served, &mut out))
            }
            Scene::Sent { caller, to } => facts.send_on(caller, to, &mut out),
            Scene::Parked { party, slot, by } => {
                Parked::resume(&mut facts, now, (party, slot), &by, &mut out)
            }
        };
        (Self { facts, stage }, out)
    }
}
