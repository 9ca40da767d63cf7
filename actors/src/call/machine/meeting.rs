//! More than two who talk: each hears all others.
//!
//! When one leaves, the others go on talking, also when it is the one who brought them together:
//! that is an attended transfer then (RFC 5589). Two that are left are an ordinary talk again,
//! relayed where their codecs allow.

use std::collections::BTreeSet;

use tandem_kernel::{CallId, Timestamp};

use super::bridge::{Bridge, QueueTalk};
use super::effect::{Effect, HangUp, Heard, Sound};
use super::facts::Facts;
use super::hearing;
use super::monitor::Watches;
use super::picture::Scene;
use super::types::{LegEvent, LegIndex, Party, Refused};
use super::{Call, Stage};
use crate::call::event::CallEvent;
use crate::office::CallCommand;
use crate::queue;

/// How many can talk: each is encoded for by itself.
const MOST: usize = 8;

/// A party of a meeting. Its name is kept: when it has left, its leg is not known any more.
#[derive(Clone, Debug)]
struct Member {
    leg: LegIndex,
    party: Party,
}

/// More than two legs that hear each other.
#[derive(Debug)]
pub(super) struct Meeting {
    /// In the order in which they came.
    members: Vec<Member>,
    /// Who brought the others together; commands from the API act for this leg.
    host: LegIndex,
    holders: BTreeSet<LegIndex>,
    /// The queue's talk that goes on in it, and the agent's leg.
    talk: Option<(QueueTalk, LegIndex)>,
    watches: Watches,
}

/// What two who talk bring along.
pub(super) struct Pair {
    pub(super) legs: [LegIndex; 2],
    pub(super) talk: Option<QueueTalk>,
    pub(super) watches: Watches,
}

/// Who comes, and from where.
pub(super) struct Newcomer {
    pub(super) by: LegIndex,
    pub(super) leg: LegIndex,
    pub(super) from: CallId,
}

impl Call {
    /// Whether a party may bring the far end of another call of theirs to this one.
    ///
    /// # Errors
    /// [`Refused`] when nobody talks here, or too many do.
    pub fn may_merge(&self, by: LegIndex) -> Result<(), Refused> {
        match &self.stage {
            Stage::Over => Err(Refused::Over),
            Stage::Bridged(bridge) => bridge.may_merge(by),
            Stage::Meeting(meeting) => meeting.may_merge(by),
            _ => Err(Refused::NotConnected),
        }
    }

    /// Whether the far end of a party's talk may be handed to another call: not while the talk
    /// belongs to a queue, whose call it would leave without a customer.
    ///
    /// # Errors
    /// [`Refused`] when it may not.
    pub fn may_lend(&self, by: LegIndex) -> Result<(), Refused> {
        match &self.stage {
            Stage::Bridged(bridge) if bridge.talk.is_some() => Err(Refused::Serving),
            Stage::Bridged(bridge) => bridge.may_merge(by),
            Stage::Meeting(_) => Err(Refused::Meeting),
            Stage::Over => Err(Refused::Over),
            _ => Err(Refused::NotConnected),
        }
    }

    /// A party has brought the far end of another call.
    pub(super) fn merged(
        &mut self,
        now: Timestamp,
        new: &Newcomer,
        party: Party,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let facts = &mut self.facts;
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Over => return Err(Refused::Over),
            Stage::Bridged(bridge) => {
                facts.put_leg(now, new.leg, party, true);
                self.stage = bridge.merged(facts, now, new, out);
            }
            Stage::Meeting(mut meeting) if meeting.may_merge(new.by).is_ok() => {
                facts.put_leg(now, new.leg, party, true);
                meeting.take(facts, now, new, out);
                self.stage = Stage::Meeting(meeting);
            }
            stage => {
                // What it was brought to is over.
                self.stage = stage;
                return Err(Refused::NotConnected);
            }
        }
        Ok(())
    }
}

impl Meeting {
    /// Two who talk and a third, brought by one of them.
    pub(super) fn of(
        facts: &mut Facts,
        now: Timestamp,
        pair: Pair,
        new: &Newcomer,
        out: &mut Vec<Effect>,
    ) -> Self {
        let agent_of = |talk: &QueueTalk| pair.legs.into_iter().find(|leg| *leg != talk.caller);
        let talk = pair.talk.and_then(|talk| agent_of(&talk).map(|agent| (talk, agent)));
        let mut meeting = Self {
            members: Vec::new(),
            host: new.by,
            holders: BTreeSet::new(),
            talk,
            watches: pair.watches,
        };
        for leg in pair.legs {
            meeting.add(facts, leg);
        }
        meeting.take(facts, now, new, out);
        meeting
    }

    /// A meeting of another node's call.
    pub(super) fn resume(
        facts: &mut Facts,
        legs: &[LegIndex],
        host: LegIndex,
        talk: Option<(QueueTalk, LegIndex)>,
        out: &mut Vec<Effect>,
    ) -> Self {
        let (members, holders) = (Vec::new(), BTreeSet::new());
        let mut meeting = Self { members, host, holders, talk, watches: Watches::default() };
        for leg in legs {
            meeting.add(facts, *leg);
        }
        meeting.arrange(facts, out);
        meeting
    }

    /// Who takes part, for another node.
    pub(super) fn scene(&self) -> Scene {
        Scene::Meeting {
            parties: self.members.iter().map(|it| it.leg).collect(),
            host: self.host,
            served: self.talk.as_ref().map(|(talk, agent)| (talk.into(), *agent)),
        }
    }

    /// The queue's talk that goes on in it.
    pub(super) fn talk(&self) -> Option<&QueueTalk> {
        self.talk.as_ref().map(|(talk, _)| talk)
    }

    /// Whether a party may bring one more.
    pub(super) fn may_merge(&self, by: LegIndex) -> Result<(), Refused> {
        if !self.has(by) {
            return Err(Refused::NoLeg(by));
        }
        if self.members.len() >= MOST { Err(Refused::Full) } else { Ok(()) }
    }

    /// One more comes.
    pub(super) fn take(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        new: &Newcomer,
        out: &mut Vec<Effect>,
    ) {
        self.host = new.by;
        // Who brings somebody is there; a phone that holds by itself must resume by itself.
        if !facts.legs.get(&new.by).is_some_and(|leg| leg.holds) {
            self.holders.remove(&new.by);
        }
        self.add(facts, new.leg);
        facts.enter(new.leg, out);
        facts.hold_ended(now);
        out.push(Effect::Record(CallEvent::Merged {
            at: now,
            by: facts.party(new.by).number().to_owned(),
            party: facts.party(new.leg).number().to_owned(),
            from: new.from,
        }));
        self.arrange(facts, out);
    }

    fn add(&mut self, facts: &Facts, leg: LegIndex) {
        if facts.legs.get(&leg).is_some_and(|leg| leg.holds) {
            self.holders.insert(leg);
        }
        self.members.push(Member { leg, party: facts.party(leg) });
    }

    pub(super) fn has(&self, leg: LegIndex) -> bool {
        self.members.iter().any(|member| member.leg == leg)
    }

    /// Sets the hearing matrix. Who is left alone by those who hold hears music.
    fn arrange(&self, facts: &mut Facts, out: &mut Vec<Effect>) {
        let legs: Vec<_> = self.members.iter().map(|it| it.leg).collect();
        let queue = self.talk.as_ref().map(|(talk, _)| talk.queue.clone());
        let mut rows = Vec::new();
        for (leg, others) in hearing::among(&legs, &self.holders) {
            let mut heard: Vec<_> = others.into_iter().map(Heard::Leg).collect();
            if heard.is_empty() && !self.holders.contains(&leg) {
                let sound = Sound::Hold { queue: queue.clone() };
                heard = vec![Heard::Player(facts.let_hear(leg, sound, out))];
            } else if !self.holders.contains(&leg) {
                heard.extend(self.watches.heard_by(leg));
                facts.hear(leg, heard.clone(), out);
            } else {
                facts.hear(leg, Vec::new(), out);
            }
            rows.push((leg, heard));
        }
        self.watches.listen(facts, &rows, out);
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
                self.arrange(facts, out);
            }
            return Stage::Meeting(self);
        }
        if !self.has(leg) {
            return Stage::Meeting(self);
        }
        match event {
            LegEvent::Held => self.set_holder(facts, leg, true, out),
            LegEvent::Resumed => self.set_holder(facts, leg, false, out),
            LegEvent::Dtmf(digit) => {
                let others = self.members.iter().filter(|it| it.leg != leg);
                out.extend(others.map(|it| Effect::SendDtmf(it.leg, digit)));
            }
            LegEvent::Referred { refer, .. } => {
                // Who would be moved is not one party.
                out.push(Effect::TransferProgress { leg, refer, status: 491, last: true });
            }
            LegEvent::Joined { refer, taken, party } => {
                out.push(Effect::TransferProgress { leg, refer, status: 200, last: true });
                facts.put_leg(now, taken, party, true);
                self.take_place(facts, now, leg, taken, out);
            }
            LegEvent::Ended(end) => return self.left(facts, now, leg, &end.why, out),
            LegEvent::Trying
            | LegEvent::Ringing
            | LegEvent::EarlyMedia
            | LegEvent::Answered
            | LegEvent::Redirected(_) => {}
        }
        Stage::Meeting(self)
    }

    /// A party's place is somebody else's now.
    pub(super) fn handed_on(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        out: &mut Vec<Effect>,
    ) {
        for member in self.members.iter_mut().filter(|it| it.leg == leg) {
            member.party = facts.party(leg);
        }
        if let Some((talk, _)) = self.talk.take_if(|(_, agent)| *agent == leg) {
            talk.over(now, queue::Party::Agent, out);
        }
        self.watches.agent_gone(facts, now, leg, out);
        self.arrange(facts, out);
    }

    pub(super) fn command(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        command: CallCommand,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        match command {
            CallCommand::Hold => self.set_holder(facts, self.host, true, out),
            CallCommand::Resume => self.set_holder(facts, self.host, false, out),
            CallCommand::Transfer { .. } => return Err(Refused::Meeting),
            CallCommand::Monitor(wish) => {
                let served = self.talk.as_ref().map(|(_, agent)| *agent);
                let agent = match &wish.agent {
                    Some(number) => facts.leg_of(number).filter(|leg| self.has(*leg)),
                    None => served.or(Some(self.host)),
                };
                let agent = agent.ok_or(Refused::NotConnected)?;
                self.watches.attend(facts, now, agent, *wish, out)?;
                self.arrange(facts, out);
            }
            CallCommand::HangUp | CallCommand::Redirect { .. } | CallCommand::Park(_) => {}
        }
        Ok(())
    }

    /// Ended by command.
    pub(super) fn abort(&self, now: Timestamp, out: &mut Vec<Effect>) {
        if let Some((talk, _)) = &self.talk {
            talk.over(now, queue::Party::System, out);
        }
    }

    fn set_holder(&mut self, facts: &mut Facts, leg: LegIndex, holds: bool, out: &mut Vec<Effect>) {
        let changed = if holds { self.holders.insert(leg) } else { self.holders.remove(&leg) };
        if changed {
            self.arrange(facts, out);
        }
    }

    /// A party hands its place to somebody else.
    fn take_place(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        old: LegIndex,
        new: LegIndex,
        out: &mut Vec<Effect>,
    ) {
        let (by, party) = (facts.party(old), facts.party(new));
        facts.enter(new, out);
        facts.hang_up(old, HangUp::NORMAL, out);
        self.talk_left(now, old, out);
        self.watches.agent_gone(facts, now, old, out);
        self.holders.remove(&old);
        for member in self.members.iter_mut().filter(|it| it.leg == old) {
            *member = Member { leg: new, party: party.clone() };
        }
        if self.host == old {
            self.host = new;
        }
        out.push(Effect::Record(CallEvent::Transferred {
            at: now,
            by: by.number().to_owned(),
            to: party.number().to_owned(),
        }));
        facts.answered(now, new, out);
        self.arrange(facts, out);
    }

    /// The queue's talk ends with the customer or the agent who leaves.
    fn talk_left(&mut self, now: Timestamp, leg: LegIndex, out: &mut Vec<Effect>) {
        let Some((talk, agent)) = &self.talk else { return };
        let by = match leg {
            _ if leg == talk.caller => queue::Party::Caller,
            _ if leg == *agent => queue::Party::Agent,
            _ => return,
        };
        talk.over(now, by, out);
        self.talk = None;
    }

    fn left(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        why: &str,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let gone = self.members.iter().find(|it| it.leg == leg).map(|it| it.party.clone());
        self.members.retain(|it| it.leg != leg);
        self.holders.remove(&leg);
        self.talk_left(now, leg, out);
        self.watches.agent_gone(facts, now, leg, out);
        let number = gone.map_or_else(String::new, |party| party.number().to_owned());
        out.push(Effect::Record(CallEvent::PartyLeft { at: now, party: number.clone() }));
        if self.host == leg
            && let Some(last) = self.members.last().cloned()
        {
            self.host = last.leg;
            if self.members.len() > 2 {
                self.arrange(facts, out);
                return Stage::Meeting(self);
            }
            out.push(Effect::Record(CallEvent::Transferred {
                at: now,
                by: number,
                to: last.party.number().to_owned(),
            }));
            facts.answered(now, last.leg, out);
        }
        match self.members[..] {
            [ref a, ref b] => {
                let legs = (a.leg, b.leg);
                let talk = self.talk.map(|(talk, _)| talk);
                let mut bridge = Bridge::resume(facts, now, legs, self.holders, talk, out);
                bridge.attended(self.watches, facts, now, out);
                Stage::Bridged(bridge)
            }
            [] | [_] => {
                facts.outcome_if_none("answered", why);
                self.watches.dismiss(facts, now, out);
                Stage::Over
            }
            _ => {
                self.arrange(facts, out);
                Stage::Meeting(self)
            }
        }
    }
}
