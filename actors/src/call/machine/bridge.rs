//! Two legs that talk: hold, digits, transfer, the end.

use std::collections::BTreeSet;

use tandem_kernel::Timestamp;

use super::Stage;
use super::effect::{Effect, HangUp, Heard, QueueAct, Sound};
use super::facts::Facts;
use super::meeting::{Meeting, Newcomer, Pair};
use super::monitor::Watches;
use super::picture::Scene;
use super::script::Running;
use super::transfer::Transfer;
use super::types::{Input, LegEvent, LegIndex, Party, Player, Refused};
use crate::call::event::CallEvent;
use crate::flow::{Clip, Script};
use crate::office::CallCommand;
use crate::outbound::Wish;
use crate::queue::OfferId;

/// The talk with an agent by which a queue call was answered.
#[derive(Clone, Debug)]
pub(super) struct QueueTalk {
    pub(super) queue: String,
    pub(super) stay: u32,
    pub(super) offer: OfferId,
    pub(super) agent: String,
    pub(super) caller: LegIndex,
    pub(super) since: Timestamp,
}

impl QueueTalk {
    /// Tells the queue that the talk with its agent is over, so that wrap-up begins.
    pub(super) fn over(&self, now: Timestamp, by: crate::queue::Party, out: &mut Vec<Effect>) {
        let (agent, talk) = (self.agent.clone(), now.since(self.since));
        out.push(Effect::Queue(self.queue.clone(), QueueAct::CallEnded { agent, by, talk }));
    }
}

/// Two legs that hear each other unless one holds.
#[derive(Debug)]
pub(super) struct Bridge {
    a: LegIndex,
    b: LegIndex,
    /// Legs whose party put the other one on hold, by phone or by command.
    holders: BTreeSet<LegIndex>,
    pub(super) talk: Option<QueueTalk>,
    /// A transfer that waits for its route.
    pending: Option<(u32, Box<Transfer>)>,
    /// What both hear beside each other.
    introduction: Option<Player>,
    /// Who attends the talk.
    watches: Watches,
}

impl Bridge {
    fn new(a: LegIndex, b: LegIndex, holders: BTreeSet<LegIndex>, talk: Option<QueueTalk>) -> Self {
        let watches = Watches::default();
        Self { a, b, holders, talk, pending: None, introduction: None, watches }
    }

    /// Lets two legs hear each other.
    pub(super) fn join(
        facts: &mut Facts,
        now: Timestamp,
        a: LegIndex,
        b: LegIndex,
        out: &mut Vec<Effect>,
    ) -> Self {
        let mut bridge = Self::new(a, b, BTreeSet::new(), None);
        for leg in [a, b] {
            if facts.legs.get(&leg).is_some_and(|leg| leg.holds) {
                bridge.holders.insert(leg);
            }
        }
        bridge.reunite(facts, now, out);
        bridge
    }

    /// What the two do, while no transfer is under way.
    pub(super) fn scene(&self) -> Option<Scene> {
        let (a, b, holders) = (self.a, self.b, self.holders.clone());
        let served = self.talk.as_ref().map(Into::into);
        self.pending.is_none().then_some(Scene::Bridged { a, b, holders, served })
    }

    /// Two legs of another node's call hear each other again.
    pub(super) fn resume(
        facts: &mut Facts,
        now: Timestamp,
        (a, b): (LegIndex, LegIndex),
        holders: BTreeSet<LegIndex>,
        talk: Option<QueueTalk>,
        out: &mut Vec<Effect>,
    ) -> Self {
        let mut bridge = Self::new(a, b, holders, talk);
        bridge.reunite(facts, now, out);
        bridge
    }

    /// A bridge whose transfer waits for [`Input::Routed`].
    pub(super) fn transferring(transfer: Transfer, request: u32) -> Self {
        let mut bridge = Self::new(transfer.moved, transfer.by, BTreeSet::new(), None);
        bridge.pending = Some((request, Box::new(transfer)));
        bridge
    }

    pub(super) fn other(&self, leg: LegIndex) -> Option<LegIndex> {
        match leg {
            _ if leg == self.a => Some(self.b),
            _ if leg == self.b => Some(self.a),
            _ => None,
        }
    }

    /// Sets the hearing matrix from who holds.
    pub(super) fn reunite(&mut self, facts: &mut Facts, now: Timestamp, out: &mut Vec<Effect>) {
        if let Some(player) = self.introduction.take() {
            out.push(Effect::StopPlaying(player));
        }
        let queue = self.talk.as_ref().map(|talk| talk.queue.clone());
        let mut rows = Vec::new();
        for (leg, other) in [(self.a, self.b), (self.b, self.a)] {
            let mut heard = Vec::new();
            if self.holders.contains(&other) {
                let sound = Sound::Hold { queue: queue.clone() };
                heard.push(Heard::Player(facts.let_hear(leg, sound, out)));
            } else {
                if !self.holders.contains(&leg) {
                    heard.push(Heard::Leg(other));
                    heard.extend(self.watches.heard_by(leg));
                }
                facts.hear(leg, heard.clone(), out);
            }
            rows.push((leg, heard));
        }
        self.watches.listen(facts, &rows, out);
        if self.holders.is_empty() {
            facts.hold_ended(now);
        } else {
            facts.hold_began(now);
        }
    }

    /// Those who attended a meeting attend the talk that is left of it.
    pub(super) fn attended(
        &mut self,
        watches: Watches,
        facts: &mut Facts,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.watches = watches;
        if !self.watches.is_empty() {
            self.reunite(facts, now, out);
        }
    }

    /// Who is parked, and who is told the slot: the party of a number, else who commands from the
    /// API act upon.
    pub(super) fn to_park(
        &self,
        facts: &Facts,
        number: Option<&str>,
    ) -> Result<(LegIndex, LegIndex), Refused> {
        if self.pending.is_some() {
            return Err(Refused::Transferring);
        }
        let has = |leg: &LegIndex, number: &str| facts.party(*leg).number() == number;
        let leg = match number {
            Some(number) => [self.a, self.b].into_iter().find(|leg| has(leg, number)),
            None => self.other(self.inside_leg(facts)),
        };
        let found = leg.and_then(|leg| Some((leg, self.other(leg)?)));
        found.ok_or(Refused::NotConnected)
    }

    /// The talk is over, since one of the two is parked (Q-490 for a queue's).
    pub(super) fn left_for_slot(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.queue_talk_over(facts, now, crate::queue::Party::Agent, out);
        self.watches.dismiss(facts, now, out);
        if let Some(player) = self.introduction.take() {
            out.push(Effect::StopPlaying(player));
        }
    }

    /// Whether a party may bring another one.
    pub(super) fn may_merge(&self, by: LegIndex) -> Result<(), Refused> {
        if self.pending.is_some() {
            return Err(Refused::Transferring);
        }
        self.other(by).map(|_| ()).ok_or(Refused::NoLeg(by))
    }

    /// A third party comes.
    pub(super) fn merged(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        new: &Newcomer,
        out: &mut Vec<Effect>,
    ) -> Stage {
        if self.may_merge(new.by).is_err() {
            facts.hang_up(new.leg, HangUp::NORMAL, out);
            return Stage::Bridged(self);
        }
        if let Some(player) = self.introduction.take() {
            out.push(Effect::StopPlaying(player));
        }
        let pair = Pair { legs: [self.a, self.b], talk: self.talk, watches: self.watches };
        Stage::Meeting(Meeting::of(facts, now, pair, new, out))
    }

    /// Both hear this over their talk, once; putting the other one on hold ends it.
    pub(super) fn introduce(&mut self, facts: &mut Facts, clips: Vec<Clip>, out: &mut Vec<Effect>) {
        if !self.holders.is_empty() {
            return;
        }
        let player = facts.fresh_player();
        self.introduction = Some(player);
        out.push(Effect::Play(player, Sound::Clips(clips)));
        for (leg, other) in [(self.a, self.b), (self.b, self.a)] {
            facts.hear(leg, vec![Heard::Leg(other), Heard::Player(player)], out);
        }
    }

    fn set_holder(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        holds: bool,
        out: &mut Vec<Effect>,
    ) {
        let changed = if holds { self.holders.insert(leg) } else { self.holders.remove(&leg) };
        if changed && self.pending.is_none() {
            self.reunite(facts, now, out);
        }
    }

    pub(super) fn leg(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        event: LegEvent,
        out: &mut Vec<Effect>,
    ) -> Stage {
        if self.watches.has(leg) {
            if self.watches.leg(facts, now, leg, &event, out) {
                self.reunite(facts, now, out);
            }
            return Stage::Bridged(self);
        }
        let Some(other) = self.other(leg) else { return Stage::Bridged(self) };
        match event {
            LegEvent::Held => self.set_holder(facts, now, leg, true, out),
            LegEvent::Resumed => self.set_holder(facts, now, leg, false, out),
            LegEvent::Dtmf(digit) => out.push(Effect::SendDtmf(other, digit)),
            LegEvent::Referred { refer, to } => {
                self.begin_transfer(facts, now, leg, (Some(refer), to), out);
            }
            LegEvent::Joined { refer, taken, party } => {
                return self.take_over(facts, now, leg, refer, taken, party, out);
            }
            LegEvent::Ended(end) => return self.ended(facts, now, leg, &end.why, out),
            LegEvent::Trying
            | LegEvent::Ringing
            | LegEvent::EarlyMedia
            | LegEvent::Answered
            | LegEvent::Redirected(_) => {}
        }
        Stage::Bridged(self)
    }

    pub(super) fn input(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Stage {
        match input {
            Input::Routed { request, route } => match self.pending.take() {
                Some((asked, transfer)) if asked == request => {
                    transfer.routed(facts, now, route, out)
                }
                pending => {
                    self.pending = pending;
                    Stage::Bridged(self)
                }
            },
            // The talk goes on without it, by relay where the codecs allow.
            Input::Played(player) if self.introduction == Some(player) => {
                self.introduction = None;
                if self.pending.is_none() {
                    self.reunite(facts, now, out);
                }
                Stage::Bridged(self)
            }
            Input::Surrendered { gone, to } => {
                let by = self.other(gone);
                if let (Some(by), Some(to)) = (by, to) {
                    let by = facts.party(by).number().to_owned();
                    out.push(Effect::Record(CallEvent::Transferred { at: now, by, to }));
                }
                facts.remove(gone, out);
                self.queue_talk_over(facts, now, crate::queue::Party::Agent, out);
                if let Some(by) = by {
                    facts.hang_up(by, HangUp::NORMAL, out);
                }
                Stage::Over
            }
            _ => Stage::Bridged(self),
        }
    }

    /// A party's place is somebody else's now: a queue's talk goes on with another customer, not
    /// with another agent.
    pub(super) fn handed_on(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        out: &mut Vec<Effect>,
    ) {
        if self.talk.as_ref().is_some_and(|talk| talk.caller != leg) {
            self.queue_talk_over(facts, now, crate::queue::Party::Agent, out);
            self.talk = None;
        }
        self.watches.agent_gone(facts, now, leg, out);
        if self.pending.is_none() {
            self.reunite(facts, now, out);
        }
    }

    pub(super) fn command(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        command: CallCommand,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        if self.pending.is_some() {
            return Err(Refused::Transferring);
        }
        let own = self.inside_leg(facts);
        match command {
            CallCommand::Hold => self.set_holder(facts, now, own, true, out),
            CallCommand::Resume => self.set_holder(facts, now, own, false, out),
            CallCommand::Transfer { to } => self.begin_transfer(facts, now, own, (None, to), out),
            CallCommand::Monitor(wish) => {
                let agent = match &wish.agent {
                    Some(number) => facts.leg_of(number).filter(|leg| self.other(*leg).is_some()),
                    None => Some(own),
                };
                let agent = agent.ok_or(Refused::NotConnected)?;
                self.watches.attend(facts, now, agent, *wish, out)?;
                self.reunite(facts, now, out);
            }
            CallCommand::HangUp | CallCommand::Redirect { .. } | CallCommand::Park(_) => {}
        }
        Ok(())
    }

    /// The leg that commands from the API act for: the agent's, else the extension's.
    fn inside_leg(&self, facts: &Facts) -> LegIndex {
        if let Some(talk) = &self.talk {
            return self.other(talk.caller).unwrap_or(self.b);
        }
        let is_inside = |leg: &LegIndex| facts.party(*leg).extension().is_some();
        [self.b, self.a].into_iter().find(is_inside).unwrap_or(self.b)
    }

    fn begin_transfer(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        by: LegIndex,
        (refer, to): (Option<u64>, String),
        out: &mut Vec<Effect>,
    ) {
        let (Some(moved), None) = (self.other(by), &self.pending) else {
            if let Some(refer) = refer {
                out.push(Effect::TransferProgress { leg: by, refer, status: 491, last: true });
            }
            return;
        };
        self.watches.dismiss(facts, now, out);
        let by_party = facts.party(by);
        let request = facts.fresh_request();
        // The transferor's rights decide, not the transferred party's (reliability S19).
        let inherited = facts.code.clone();
        let wish = Box::new(Wish { inherited, ..Wish::default() });
        out.push(Effect::Route { request, dialled: to.clone(), by: by_party.clone(), wish });
        let bridge = Self::new(self.a, self.b, self.holders.clone(), self.talk.clone());
        let transfer =
            Transfer { bridge, by, by_party, moved, to, refer, by_is_there: true, recall: false };
        self.pending = Some((request, Box::new(transfer)));
    }

    /// Attended transfer: the far end of the transferor's other call takes their place.
    #[allow(clippy::too_many_arguments)]
    fn take_over(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        by: LegIndex,
        refer: u64,
        taken: LegIndex,
        party: Party,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let Some(moved) = self.other(by) else { return Stage::Bridged(self) };
        let by_number = facts.party(by).number().to_owned();
        self.watches.dismiss(facts, now, out);
        out.push(Effect::TransferProgress { leg: by, refer, status: 200, last: true });
        facts.put_leg(now, taken, party.clone(), true);
        facts.enter(taken, out);
        facts.hang_up(by, HangUp::NORMAL, out);
        self.queue_talk_over(facts, now, crate::queue::Party::Agent, out);
        out.push(Effect::Record(CallEvent::Transferred {
            at: now,
            by: by_number,
            to: party.number().to_owned(),
        }));
        facts.hold_ended(now);
        facts.answered(now, taken, out);
        Stage::Bridged(Self::join(facts, now, moved, taken, out))
    }

    fn ended(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        why: &str,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let other = self.other(leg);
        if let Some((request, mut transfer)) = self.pending.take()
            && transfer.by == leg
        {
            transfer.transferor_gone(leg);
            self.pending = Some((request, transfer));
            return Stage::Bridged(self);
        }
        let by = match &self.talk {
            Some(talk) if talk.caller == leg => crate::queue::Party::Caller,
            _ => crate::queue::Party::Agent,
        };
        self.queue_talk_over(facts, now, by, out);
        self.watches.dismiss(facts, now, out);
        facts.outcome_if_none("answered", why);
        if let Some((caller, survey)) = other.and_then(|it| Some((it, facts.take_survey(now, it)?)))
        {
            return Running::begin(facts, now, caller, Script::Survey(Box::new(survey)), out);
        }
        if let Some(other) = other {
            facts.hang_up(other, HangUp::NORMAL, out);
        }
        Stage::Over
    }

    /// Ended by command.
    pub(super) fn abort(&self, facts: &mut Facts, now: Timestamp, out: &mut Vec<Effect>) {
        self.queue_talk_over(facts, now, crate::queue::Party::System, out);
    }

    /// Tells the queue that the talk with its agent is over, so that wrap-up begins.
    pub(super) fn queue_talk_over(
        &self,
        _facts: &mut Facts,
        now: Timestamp,
        by: crate::queue::Party,
        out: &mut Vec<Effect>,
    ) {
        if let Some(talk) = &self.talk {
            talk.over(now, by, out);
        }
    }
}
