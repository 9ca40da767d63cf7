//! Keeps of a call what another member needs to go on with it, and goes on with another's.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ractor::ActorRef;
use tandem_journal::AppendError;
use tandem_kernel::LegId;
use tandem_sdp::Capabilities;
use tandem_sip::digest::Credentials;

use super::{Begun, CallState};
use crate::call::kept::{KeptCall, KeptEvent, append};
use crate::call::leg::{SipLeg, capabilities};
use crate::call::machine::{Call, Input, LegEnd, LegEvent, LegIndex, Party, QueueAct};
use crate::call::message::CallMsg;

/// How long the far ends of a call that was taken over may take for a first answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(8);

/// The same where each of them has to come back first: a browser's page, and a phone that only the
/// member that died had a path to.
const BACK_WITHIN: Duration = Duration::from_secs(28);

/// A phone that hung up while nobody heard it says so again for 32 s (RFC 3261 timer F). After
/// that it has no call any more, and says that when it is asked.
const ASKED_AGAIN: Duration = Duration::from_secs(35);

/// How far the keeping has come.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// The version of the last fact.
    version: u64,
    /// What it was.
    last: Option<Box<KeptCall>>,
}

impl Keeping {
    /// Behind another's facts.
    pub(super) fn from(version: u64) -> Self {
        Self { version, last: None }
    }
}

impl CallState {
    /// Keeps the call as it is now, if it is at rest and another member could go on with it.
    pub(super) fn keep(&mut self, myself: &ActorRef<CallMsg>) {
        if !self.exchange.journal.is_shared() || self.over {
            return;
        }
        let Some(picture) = self.picture() else { return };
        if self.keeping.last.as_deref() == Some(&picture) {
            return;
        }
        self.keeping.last = Some(Box::new(picture.clone()));
        let event = KeptEvent::picture(picture);
        let kept = append(&self.exchange.journal, self.id, self.keeping.version, &event);
        self.keeping.version += 1;
        let myself = myself.clone();
        tokio::spawn(async move {
            if let Err(AppendError::VersionConflict { .. }) = kept.await {
                let _gone = myself.cast(CallMsg::TakenOver);
            }
        });
    }

    fn picture(&self) -> Option<KeptCall> {
        let call = self.call.picture()?;
        if call.since() > self.exchange.placed.settled_level() {
            return None;
        }
        let (mut legs, mut browsers) = (BTreeMap::new(), BTreeMap::new());
        for index in call.legs.keys() {
            let leg = self.legs.get(index)?;
            match leg.kept_browser() {
                Some(kept) => drop(browsers.insert(*index, kept)),
                None => drop(legs.insert(*index, leg.kept()?)),
            }
        }
        Some(KeptCall { call, legs, browsers })
    }

    /// Somebody has said that the call is theirs. It may have been given back.
    pub(super) fn taken_over(&mut self, myself: &ActorRef<CallMsg>) {
        if self.exchange.kept.home(self.id) != self.exchange.journal.node() {
            tracing::warn!(call = %self.id, "another member goes on with this call");
            return self.lose(myself);
        }
        self.keeping = Keeping::from(self.exchange.kept.of(self.id).version);
        self.keep(myself);
        let waits = self.call.waits_in().map(|(queue, stay)| (queue.to_owned(), stay));
        if let Some((queue, stay)) = waits {
            let mut waiting = VecDeque::new();
            for act in [QueueAct::Moved, QueueAct::Join { stay }] {
                self.tell_queue(myself, &queue, act, &mut waiting);
            }
            // What the machine refuses of it is not for anybody else.
            let _refused = self.run(myself, waiting);
        }
    }

    /// Nobody has answered here: the far ends may be where the call's own member is, if that has
    /// not died but is cut off. It goes on with the call when it is heard of again.
    pub(super) fn give_back(&mut self, myself: &ActorRef<CallMsg>, to: u64) {
        if self.legs.is_empty() || self.legs.values().any(SipLeg::is_heard) {
            return;
        }
        tracing::warn!(call = %self.id, to, "nobody answers: the call is given back");
        let event = KeptEvent::TakenOver { by: to };
        // Kept, in order, behind what was said of the call here.
        drop(append(&self.exchange.journal, self.id, self.keeping.version, &event));
        self.lose(myself);
    }

    /// Nothing more is said or recorded of the call here.
    fn lose(&mut self, myself: &ActorRef<CallMsg>) {
        self.ended_facts = true;
        self.over = true;
        self.is_lost = true;
        for leg in self.legs.values_mut() {
            leg.fall_silent();
        }
        for extension in self.call.extensions() {
            self.exchange.placed.out_of_call(&extension, self.id);
        }
        myself.stop(None);
    }

    /// Goes on with a call of a member that died: each leg is told where its audio is now.
    pub(super) fn adopt(&mut self, myself: &ActorRef<CallMsg>, kept: KeptCall, from: u64) {
        self.begun = Begun::Yes;
        let KeptCall { call, mut legs, mut browsers } = kept;
        let parties: Vec<_> =
            call.legs.iter().map(|(index, present)| (*index, present.party.clone())).collect();
        let (machine, effects) = Call::restore(self.id, self.exchange.clock.now(), call);
        self.call = machine;
        let mut waiting = VecDeque::new();
        for (index, party) in parties {
            let id = LegId { call: self.id, index };
            let revived = match browsers.remove(&index) {
                Some(kept) => SipLeg::revive_browser(&self.exchange, id, kept, party, myself),
                None => legs.remove(&index).ok_or(503).and_then(|kept| {
                    let (caps, credentials) = self.means_of(&party);
                    let who = (party, caps, credentials);
                    SipLeg::revive(&self.exchange, id, kept, who, myself)
                }),
            };
            match revived {
                Ok(leg) => self.add_leg(index, leg),
                Err(status) => {
                    let end = LegEnd::status(status, "the call could not be taken over");
                    waiting.push_back(Input::Leg(index, LegEvent::Ended(end)));
                }
            }
        }
        for effect in effects {
            self.carry_out(myself, effect, &mut waiting);
        }
        // To come back takes longer than to answer.
        let are_awaited = self.legs.values_mut().all(|leg| leg.is_awaited(&self.exchange));
        let within = if are_awaited { BACK_WITHIN } else { ANSWERED_WITHIN };
        self.alarms.set(myself, within, move || CallMsg::GiveBack { to: from });
        self.offer_again(myself);
        self.alarms.set(myself, ASKED_AGAIN, || CallMsg::OfferAgain);
        // What the machine refuses of it is not for anybody else.
        let _refused = self.run(myself, waiting);
    }

    /// Tells the far end of each leg where its audio is.
    pub(super) fn offer_again(&mut self, myself: &ActorRef<CallMsg>) {
        let all: Vec<_> = self.legs.keys().copied().collect();
        for index in all {
            let Some(leg) = self.legs.get_mut(&index) else { continue };
            if leg.browser_of().is_some() {
                self.look_for_phone(myself, index);
                continue;
            }
            let happenings = leg.offer_again(&self.exchange, myself);
            self.all_happened(myself, index, happenings);
        }
    }

    /// A phone comes back by another path.
    pub(super) fn phone_moved(&mut self, myself: &ActorRef<CallMsg>, index: LegIndex) {
        let Some(leg) = self.legs.get_mut(&index) else { return };
        let happenings = leg.phone_moved(&self.exchange, myself);
        self.all_happened(myself, index, happenings);
    }

    /// What a party's phone can do.
    pub(super) fn caps_of(&self, party: &Party) -> Capabilities {
        let directory = self.exchange.provisioning.directory();
        let found = match party {
            Party::Extension { number, .. } => directory
                .extension(number)
                .map(|it| capabilities(&it.codecs, it.dtmf, it.encryption)),
            Party::Outside { trunk, .. } => {
                directory.trunk(trunk).map(|it| capabilities(&it.codecs, it.dtmf, it.encryption))
            }
        };
        found.unwrap_or_default()
    }

    /// What a party's phone can do, and what proves us to a trunk.
    fn means_of(&self, party: &Party) -> (Capabilities, Option<Credentials>) {
        let caps = self.caps_of(party);
        let way = party.trunk().and_then(|trunk| self.exchange.trunks.way(trunk, true).ok());
        (caps, way.and_then(|way| way.credentials))
    }
}
