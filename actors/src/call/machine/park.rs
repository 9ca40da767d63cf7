//! A party that waits on a slot until somebody dials it. The other one is told the number
//! and goes; whom nobody fetches comes back to who parked them.

use tandem_kernel::Timestamp;

use super::Stage;
use super::bridge::Bridge;
use super::effect::{Effect, HangUp, Sound};
use super::facts::Facts;
use super::picture::Scene;
use super::types::{Input, LegEvent, LegIndex, Party, Player, Refused, TimerId};
use crate::call::event::CallEvent;
use crate::flow::Clip;
use crate::office::Park;
use crate::outbound::Wish;

/// A party on a slot.
#[derive(Debug)]
pub(super) struct Parked {
    leg: LegIndex,
    slot: u16,
    /// Who parked them: they come back there.
    by: Party,
    /// The other party, while they are told the slot.
    told: Option<(LegIndex, Player)>,
    timer: TimerId,
    wish: Park,
}

/// Parks a party of a talk.
///
/// # Errors
/// [`Refused`] when no two talk, or a transfer is under way; nothing has changed then.
pub(super) fn park(
    stage: &mut Stage,
    facts: &mut Facts,
    now: Timestamp,
    wish: Park,
    out: &mut Vec<Effect>,
) -> Result<(), Refused> {
    let (leg, other) = match &*stage {
        Stage::Bridged(bridge) => bridge.to_park(facts, wish.party.as_deref())?,
        Stage::Meeting(_) => return Err(Refused::Meeting),
        _ => return Err(Refused::NotConnected),
    };
    if let Stage::Bridged(bridge) = std::mem::replace(stage, Stage::Over) {
        bridge.left_for_slot(facts, now, out);
    }
    *stage = Stage::Parked(Parked::begin(facts, now, (leg, other), wish, out));
    Ok(())
}

impl Parked {
    fn begin(
        facts: &mut Facts,
        now: Timestamp,
        (leg, other): (LegIndex, LegIndex),
        wish: Park,
        out: &mut Vec<Effect>,
    ) -> Self {
        let (by, slot) = (facts.party(other), wish.slot);
        facts.let_hear(leg, Sound::Music, out);
        let number = vec![Clip::Digits(u32::from(slot))];
        let told = facts.let_hear(other, Sound::Clips(number), out);
        facts.hold_began(now);
        let timer = facts.fresh_timer();
        out.push(Effect::Arm(timer, wish.back_after));
        out.push(Effect::Record(CallEvent::Parked {
            at: now,
            party: facts.party(leg).number().to_owned(),
            by: by.number().to_owned(),
            slot,
        }));
        Self { leg, slot, by, told: Some((other, told)), timer, wish }
    }

    /// Who can be fetched.
    pub(super) fn leg(&self) -> LegIndex {
        self.leg
    }

    pub(super) fn input(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Stage {
        match input {
            Input::Played(player) if self.told.is_some_and(|(_, it)| it == player) => {
                self.dismiss(facts, out);
                Stage::Parked(self)
            }
            Input::Timer(timer) if timer == self.timer => self.back(facts, now, out),
            // Somebody has fetched them: they are in another call now.
            Input::Surrendered { gone, .. } if gone == self.leg => {
                facts.remove(gone, out);
                self.free(now, facts, out);
                facts.outcome_if_none("answered", "fetched from a slot");
                Stage::Over
            }
            _ => Stage::Parked(self),
        }
    }

    pub(super) fn event(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        event: &LegEvent,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let LegEvent::Ended(end) = event else { return Stage::Parked(self) };
        if leg == self.leg {
            self.free(now, facts, out);
            facts.outcome_if_none("answered", &end.why);
            return Stage::Over;
        }
        self.told.take_if(|(told, _)| *told == leg);
        Stage::Parked(self)
    }

    /// Who would wait; none: nobody would take them back.
    pub(super) fn scene(&self) -> Option<Scene> {
        self.by.extension()?;
        Some(Scene::Parked { party: self.leg, slot: self.slot, by: self.by.clone() })
    }

    /// On another node, where the slot means nobody: the party rings where it was parked from.
    pub(super) fn resume(
        facts: &mut Facts,
        now: Timestamp,
        (leg, slot): (LegIndex, u16),
        by: &Party,
        out: &mut Vec<Effect>,
    ) -> Stage {
        facts.let_hear(leg, Sound::Music, out);
        out.push(Effect::Record(CallEvent::Unparked { at: now, slot }));
        facts.ring_back(leg, by.extension().unwrap_or_default().to_owned(), out)
    }

    /// Ended by command.
    pub(super) fn abort(&self, out: &mut Vec<Effect>) {
        out.push(Effect::FreeSlot(self.slot));
    }

    /// Nobody has come: the party rings where it was parked from. One from outside has nowhere to
    /// go back to.
    fn back(mut self, facts: &mut Facts, now: Timestamp, out: &mut Vec<Effect>) -> Stage {
        let Some(extension) = self.by.extension().map(str::to_owned) else {
            self.timer = facts.fresh_timer();
            out.push(Effect::Arm(self.timer, self.wish.back_after));
            return Stage::Parked(self);
        };
        self.dismiss(facts, out);
        self.free(now, facts, out);
        facts.ring_back(self.leg, extension, out)
    }

    fn dismiss(&mut self, facts: &mut Facts, out: &mut Vec<Effect>) {
        if let Some((told, _)) = self.told.take() {
            facts.hang_up(told, HangUp::NORMAL, out);
        }
    }

    fn free(&self, now: Timestamp, facts: &mut Facts, out: &mut Vec<Effect>) {
        facts.hold_ended(now);
        out.push(Effect::FreeSlot(self.slot));
        out.push(Effect::Record(CallEvent::Unparked { at: now, slot: self.slot }));
    }
}

/// Somebody who has dialled a slot waits for the party on it.
#[derive(Debug)]
pub(super) struct Fetching {
    pub(super) leg: LegIndex,
    request: u32,
}

impl Facts {
    fn ring_back(&mut self, leg: LegIndex, dialled: String, out: &mut Vec<Effect>) -> Stage {
        let (request, by) = (self.fresh_request(), self.party(leg));
        out.push(Effect::Route { request, dialled, by, wish: Box::<Wish>::default() });
        Stage::Routing { request, waiting: leg }
    }

    /// Asks for the party on a slot.
    pub(super) fn fetch(&mut self, leg: LegIndex, slot: u16, out: &mut Vec<Effect>) -> Stage {
        let request = self.fresh_request();
        out.push(Effect::Fetch { request, slot });
        Stage::Fetching(Fetching { leg, request })
    }
}

impl Fetching {
    pub(super) fn input(
        self,
        facts: &mut Facts,
        now: Timestamp,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Stage {
        match input {
            Input::Fetched { request, taken: Some((taken, party)) } if request == self.request => {
                facts.put_leg(now, taken, party, true);
                facts.enter(taken, out);
                facts.answer(now, self.leg, out);
                facts.answered(now, taken, out);
                Stage::Bridged(Bridge::join(facts, now, self.leg, taken, out))
            }
            Input::Fetched { request, taken: None } if request == self.request => {
                facts.outcome_if_none("failed", "nobody is on the slot");
                let how = HangUp { status: 404, cause: 1, elsewhere: false };
                facts.hang_up(self.leg, how, out);
                Stage::Over
            }
            _ => Stage::Fetching(self),
        }
    }
}
