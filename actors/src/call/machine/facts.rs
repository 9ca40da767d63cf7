//! What a call knows whatever its stage: its legs, sounds, times and outcome.

mod shown;

use std::collections::BTreeMap;

use tandem_config::resource::Destination;
use tandem_kernel::{CallId, Timestamp};

use super::effect::{Effect, HangUp, Heard, Sound};
use super::picture::{Picture, Present, Scene};
use super::types::{Leg, LegEnd, LegEvent, LegIndex, Party, Player, TimerId};
use crate::call::event::CallEvent;
use crate::flow::Survey;
use crate::office::{Direction, QueuePassage, Supervision};
use crate::outbound::{Barred, Outgoing};
use crate::queue::Exit;
use crate::queue::request::{ReturnCall, Word};

/// How often a call is handed on by itself before it must be a circle.
const MAX_HOPS: u8 = 10;

#[derive(Debug)]
pub(super) struct Facts {
    id: CallId,
    direction: Direction,
    from: String,
    to: String,
    pub(super) started: Timestamp,
    pub(super) legs: BTreeMap<LegIndex, Leg>,
    answered_at: Option<Timestamp>,
    /// The outbound code of the call, for a transfer of it (O-050).
    pub(super) code: Option<String>,
    /// What the call was made for by a queue, and what became of it.
    pub(super) return_call: Option<ReturnCall>,
    pub(super) return_result: Option<Word>,
    /// The queue that the call left last, answered or not.
    pub(super) passage: Option<QueuePassage>,
    /// Whom to ask about the talk when the other side has hung up.
    pub(super) survey: Option<(LegIndex, Survey)>,
    /// When the talk was over that the caller is asked about.
    talked_until: Option<Timestamp>,
    outcome: Option<(&'static str, String)>,
    hold_since: Option<Timestamp>,
    hold_us: u64,
    next_leg: LegIndex,
    next_timer: u64,
    next_player: u32,
    next_request: u32,
    next_stay: u32,
    /// Where a caller who waits was sent last.
    pub(super) sent_to: Option<Destination>,
    /// By whose phone the call was forwarded to where it goes.
    pub(super) forwarded_by: Option<Party>,
    /// How often the call was handed on since somebody pressed a key.
    hops: u8,
    sounds: BTreeMap<LegIndex, Player>,
    closed: bool,
    begun: bool,
}

impl Facts {
    pub(super) fn new(id: CallId, now: Timestamp) -> Self {
        Self {
            id,
            direction: Direction::Internal,
            from: String::new(),
            to: String::new(),
            started: now,
            legs: BTreeMap::new(),
            answered_at: None,
            code: None,
            return_call: None,
            return_result: None,
            passage: None,
            survey: None,
            talked_until: None,
            outcome: None,
            hold_since: None,
            hold_us: 0,
            next_leg: 0,
            next_timer: 0,
            next_player: 0,
            next_request: 0,
            next_stay: 0,
            sent_to: None,
            forwarded_by: None,
            hops: 0,
            sounds: BTreeMap::new(),
            closed: false,
            begun: false,
        }
    }

    /// What is known of the legs that are wanted, and of the call.
    pub(super) fn picture(&self, wanted: &[LegIndex], scene: Scene) -> Picture {
        let present = |index: &LegIndex| {
            let leg = self.legs.get(index)?;
            let (party, holds, since) = (leg.party.clone(), leg.holds, leg.since);
            Some((*index, Present { party, holds, since }))
        };
        Picture {
            direction: self.direction,
            from: self.from.clone(),
            to: self.to.clone(),
            started: self.started,
            answered_at: self.answered_at,
            code: self.code.clone(),
            passage: self.passage.clone(),
            hold_us: self.hold_us,
            next_leg: self.next_leg,
            next_stay: self.next_stay,
            legs: wanted.iter().filter_map(present).collect(),
            scene,
        }
    }

    /// The name of who calls, while they are in the call; may be empty.
    pub(super) fn caller_name(&self) -> String {
        let caller = self.legs.values().find(|leg| leg.party.number() == self.from);
        caller.map(|leg| leg.party.name().to_owned()).unwrap_or_default()
    }

    /// A call that goes on from a picture.
    pub(super) fn of_picture(id: CallId, picture: Picture) -> Self {
        let mut facts = Self::new(id, picture.started);
        facts.direction = picture.direction;
        facts.from = picture.from;
        facts.to = picture.to;
        facts.answered_at = picture.answered_at;
        facts.code = picture.code;
        facts.passage = picture.passage;
        facts.hold_us = picture.hold_us;
        facts.next_leg = picture.next_leg;
        facts.next_stay = picture.next_stay;
        facts.begun = true;
        if picture.answered_at.is_some() {
            facts.outcome = Some(("answered", "normal call clearing".to_owned()));
        }
        for (index, present) in picture.legs {
            facts.put_leg(present.since, index, present.party, true);
            if let Some(leg) = facts.legs.get_mut(&index) {
                leg.holds = present.holds;
            }
        }
        facts
    }

    pub(super) const fn id(&self) -> CallId {
        self.id
    }

    pub(super) fn start(
        &mut self,
        now: Timestamp,
        direction: Direction,
        caller: &Party,
        dialled: String,
        out: &mut Vec<Effect>,
    ) {
        self.begun = true;
        self.direction = direction;
        caller.number().clone_into(&mut self.from);
        self.to.clone_from(&dialled);
        out.push(Effect::Record(CallEvent::Started {
            at: now,
            direction,
            from: caller.number().to_owned(),
            from_name: caller.name().to_owned(),
            to: dialled,
            trunk: caller.trunk().map(str::to_owned),
        }));
    }

    /// The call goes to the outside on behalf of a party.
    pub(super) fn going_out(
        &mut self,
        now: Timestamp,
        by: &Party,
        outgoing: Outgoing,
        out: &mut Vec<Effect>,
    ) {
        self.code = outgoing.code.as_ref().map(|code| code.id.clone());
        let by = by.extension().unwrap_or_default().to_owned();
        out.push(Effect::Record(CallEvent::Outgoing { at: now, by, outgoing }));
    }

    /// The call is not let out.
    pub(super) fn barred(
        &self,
        now: Timestamp,
        by: &Party,
        dialled: String,
        barred: &Barred,
        out: &mut Vec<Effect>,
    ) {
        out.push(Effect::Decide("barred", format!("{}: {}", barred.rule.as_str(), barred.why)));
        out.push(Effect::Record(CallEvent::Barred {
            at: now,
            by: by.extension().unwrap_or_default().to_owned(),
            dialled,
            rule: barred.rule,
            why: barred.why.clone(),
        }));
    }

    pub(super) fn fresh_leg(&mut self) -> LegIndex {
        let leg = self.next_leg;
        self.next_leg += 1;
        leg
    }

    pub(super) fn add_leg(&mut self, now: Timestamp, party: Party) -> LegIndex {
        let index = self.fresh_leg();
        self.put_leg(now, index, party, false);
        index
    }

    pub(super) fn put_leg(&mut self, now: Timestamp, index: LegIndex, party: Party, up: bool) {
        let leg = Leg {
            party,
            up,
            heard: up,
            ringing: false,
            holds: false,
            since: now,
            supervises: None,
        };
        self.legs.insert(index, leg);
    }

    pub(super) fn fresh_timer(&mut self) -> TimerId {
        self.next_timer += 1;
        TimerId(self.next_timer)
    }

    pub(super) fn fresh_player(&mut self) -> Player {
        self.next_player += 1;
        Player(self.next_player)
    }

    pub(super) fn fresh_request(&mut self) -> u32 {
        self.next_request += 1;
        self.next_request
    }

    pub(super) fn fresh_stay(&mut self) -> u32 {
        self.next_stay += 1;
        self.next_stay
    }

    /// The party on a leg; an unnamed one when the leg is gone.
    pub(super) fn party(&self, leg: LegIndex) -> Party {
        self.legs.get(&leg).map_or_else(
            || Party::Extension { number: self.from.clone(), name: String::new() },
            |leg| leg.party.clone(),
        )
    }

    pub(super) fn is_up(&self, leg: LegIndex) -> bool {
        self.legs.get(&leg).is_some_and(|leg| leg.up)
    }

    pub(super) fn leg_of(&self, extension: &str) -> Option<LegIndex> {
        self.legs
            .iter()
            .find(|(_, leg)| leg.up && leg.party.extension() == Some(extension))
            .map(|(index, _)| *index)
    }

    /// A leg is a manager's who attends the talk.
    pub(super) fn supervises(&mut self, leg: LegIndex, mode: Supervision) {
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.supervises = Some(mode);
        }
    }

    /// Keeps a leg's own state.
    pub(super) fn note(&mut self, now: Timestamp, leg: LegIndex, event: &LegEvent) {
        let Some(leg) = self.legs.get_mut(&leg) else { return };
        match event {
            LegEvent::Trying => leg.heard = true,
            LegEvent::Ringing | LegEvent::EarlyMedia => {
                leg.heard = true;
                leg.ringing = true;
            }
            LegEvent::Answered => {
                leg.heard = true;
                leg.up = true;
                leg.ringing = false;
            }
            LegEvent::Held => leg.holds = true,
            LegEvent::Resumed => leg.holds = false,
            LegEvent::Dtmf(_)
            | LegEvent::Referred { .. }
            | LegEvent::Joined { .. }
            | LegEvent::Redirected(_)
            | LegEvent::Ended(_) => return,
        }
        leg.since = now;
    }

    /// Tells the agent behind a leg that it is in a call.
    pub(super) fn enter(&self, leg: LegIndex, out: &mut Vec<Effect>) {
        if let Some(extension) = self.legs.get(&leg).and_then(|leg| leg.party.extension()) {
            out.push(Effect::InCall(extension.to_owned()));
        }
    }

    /// Tells the agent that the call is over for it.
    pub(super) fn leave(&self, party: &Party, out: &mut Vec<Effect>) {
        let Some(extension) = party.extension() else { return };
        let still =
            self.legs.values().any(|leg| leg.up && leg.party.extension() == Some(extension));
        if !still {
            out.push(Effect::OutOfCall(extension.to_owned()));
        }
    }

    /// Takes a leg out of the call; nothing is sent to it.
    pub(super) fn remove(&mut self, leg: LegIndex, out: &mut Vec<Effect>) -> Option<Leg> {
        if let Some(player) = self.sounds.remove(&leg) {
            out.push(Effect::StopPlaying(player));
        }
        let gone = self.legs.remove(&leg)?;
        self.leave(&gone.party, out);
        Some(gone)
    }

    pub(super) fn hang_up(&mut self, leg: LegIndex, how: HangUp, out: &mut Vec<Effect>) {
        if self.legs.contains_key(&leg) {
            out.push(Effect::HangUp(leg, how));
            self.remove(leg, out);
        }
    }

    pub(super) fn end_all(&mut self, how: HangUp, out: &mut Vec<Effect>) {
        let legs: Vec<LegIndex> = self.legs.keys().copied().collect();
        for leg in legs {
            self.hang_up(leg, how.clone(), out);
        }
    }

    /// Answers a leg that waits, once.
    pub(super) fn answer(&mut self, now: Timestamp, leg: LegIndex, out: &mut Vec<Effect>) {
        if let Some(waiting) = self.legs.get_mut(&leg)
            && !waiting.up
        {
            waiting.up = true;
            waiting.since = now;
            out.push(Effect::Answer(leg));
        }
    }

    /// Plays a sound to a leg in place of what it hears.
    pub(super) fn let_hear(
        &mut self,
        leg: LegIndex,
        sound: Sound,
        out: &mut Vec<Effect>,
    ) -> Player {
        let player = self.fresh_player();
        out.push(Effect::Play(player, sound));
        out.push(Effect::Hear(leg, vec![Heard::Player(player)]));
        if let Some(before) = self.sounds.insert(leg, player) {
            out.push(Effect::StopPlaying(before));
        }
        player
    }

    pub(super) fn hear(&mut self, leg: LegIndex, heard: Vec<Heard>, out: &mut Vec<Effect>) {
        out.push(Effect::Hear(leg, heard));
        if let Some(before) = self.sounds.remove(&leg) {
            out.push(Effect::StopPlaying(before));
        }
    }

    /// A person answered.
    pub(super) fn answered(&mut self, now: Timestamp, leg: LegIndex, out: &mut Vec<Effect>) {
        self.answered_at.get_or_insert(now);
        self.outcome = Some(("answered", "normal call clearing".to_owned()));
        let party = self.party(leg);
        out.push(Effect::Record(CallEvent::Answered {
            at: now,
            by: party.number().to_owned(),
            trunk: party.trunk().map(str::to_owned),
        }));
    }

    pub(super) fn left_queue(
        &mut self,
        now: Timestamp,
        passage: QueuePassage,
        out: &mut Vec<Effect>,
    ) {
        out.push(Effect::Record(CallEvent::QueueLeft {
            at: now,
            queue: passage.queue.clone(),
            exit: passage.exit.clone(),
            wait_us: u64::try_from(passage.wait.as_micros()).unwrap_or(u64::MAX),
            agent: passage.agent.clone(),
        }));
        self.passage = Some(passage);
    }

    /// Whether the queue that the caller left last let them talk with an agent.
    pub(super) fn was_served_in(&self, queue: &str) -> bool {
        let last = self.passage.as_ref().filter(|passage| passage.queue == queue);
        last.is_some_and(|passage| passage.exit == Exit::Answered.as_str())
    }

    /// Notes a step of a script, a group or a prompt for the record.
    pub(super) fn note_step(
        &self,
        now: Timestamp,
        kind: &'static str,
        key: &str,
        detail: String,
        out: &mut Vec<Effect>,
    ) {
        let (kind, key) = (kind.to_owned(), key.to_owned());
        out.push(Effect::Record(CallEvent::Stepped { at: now, kind, key, detail }));
    }

    /// Counts a hand-on; false when there were too many.
    pub(super) fn may_hop(&mut self) -> bool {
        self.hops += 1;
        self.hops <= MAX_HOPS
    }

    pub(super) fn forget_hops(&mut self) {
        self.hops = 0;
    }

    pub(super) fn outcome_if_none(&mut self, outcome: &'static str, cause: &str) {
        self.outcome.get_or_insert_with(|| (outcome, cause.to_owned()));
    }

    /// The talk is over and the caller, who is still there, may be asked about it: what follows
    /// is no talk.
    pub(super) fn take_survey(&mut self, now: Timestamp, left: LegIndex) -> Option<Survey> {
        let (_, survey) = self.survey.take_if(|(caller, _)| *caller == left)?;
        self.hold_ended(now);
        self.talked_until = Some(now);
        Some(survey)
    }

    /// The caller ended the call before anybody answered.
    pub(super) fn caller_gone(&mut self, event: &LegEvent) {
        let why = match event {
            LegEvent::Ended(LegEnd { why, .. }) => why.as_str(),
            _ => "",
        };
        self.outcome_if_none("cancelled", why);
    }

    pub(super) fn hold_began(&mut self, now: Timestamp) {
        self.hold_since.get_or_insert(now);
    }

    pub(super) fn hold_ended(&mut self, now: Timestamp) {
        if let Some(since) = self.hold_since.take() {
            self.hold_us += u64::try_from(now.since(since).as_micros()).unwrap_or(0);
        }
    }

    /// Ends what is left and writes the last fact, once.
    pub(super) fn close(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        if self.closed {
            return;
        }
        self.closed = true;
        self.hold_ended(now);
        self.end_all(HangUp::NORMAL, out);
        if self.begun {
            let (outcome, cause) =
                self.outcome.take().unwrap_or(("failed", "ended without an outcome".to_owned()));
            let until = self.talked_until.unwrap_or(now);
            let talk = self.answered_at.map_or(0, |at| until.since(at).as_micros());
            out.push(Effect::Record(CallEvent::Ended {
                at: now,
                outcome: outcome.to_owned(),
                cause,
                talk_us: u64::try_from(talk).unwrap_or(u64::MAX),
                hold_us: self.hold_us,
            }));
        }
        out.push(Effect::Over);
    }
}
