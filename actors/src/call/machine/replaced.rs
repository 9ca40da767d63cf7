//! Somebody else on a leg: a party's place in a call goes to another one, wherever the call stands
//! (RFC 3891, RFC 5589). The leg keeps its number, so that no stage has to know of it.

use tandem_kernel::Timestamp;

use super::effect::{Effect, Sound};
use super::types::{LegEvent, LegIndex, Party, Refused};
use super::{Call, Stage};
use crate::call::event::CallEvent;

/// How a party stands in a call, for who would move it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// With one other: whose leg that is, and who they are.
    Talks(LegIndex, Party),
    /// With several others.
    Meets,
    /// With nobody: it waits, rings, or talks with a script.
    Alone,
}

impl Call {
    /// Who is on a leg.
    #[must_use]
    pub fn party_of(&self, leg: LegIndex) -> Option<&Party> {
        self.facts.legs.get(&leg).map(|leg| &leg.party)
    }

    /// How the party on a leg stands.
    ///
    /// # Errors
    /// [`Refused`] when there is none, or a transfer is under way.
    pub fn standing(&self, leg: LegIndex) -> Result<Standing, Refused> {
        if self.is_over() {
            return Err(Refused::Over);
        }
        self.party_of(leg).ok_or(Refused::NoLeg(leg))?;
        match &self.stage {
            Stage::Bridged(bridge) => {
                bridge.may_merge(leg)?;
                let other = bridge.other(leg).ok_or(Refused::NoLeg(leg))?;
                Ok(Standing::Talks(other, self.facts.party(other)))
            }
            Stage::Meeting(meeting) if meeting.has(leg) => Ok(Standing::Meets),
            Stage::Meeting(_) => Err(Refused::NoLeg(leg)),
            _ => Ok(Standing::Alone),
        }
    }

    /// Whether somebody may take the place of the party on a leg. Nobody else attends a talk in a
    /// manager's place.
    ///
    /// # Errors
    /// [`Refused`] when there is no such place.
    pub fn may_replace(&self, leg: LegIndex, party: &Party) -> Result<(), Refused> {
        if self.is_over() {
            return Err(Refused::Over);
        }
        let old = self.facts.legs.get(&leg).ok_or(Refused::NoLeg(leg))?;
        if old.supervises.is_some() && !old.party.is_same(party) {
            return Err(Refused::NotConnected);
        }
        Ok(())
    }

    /// Somebody has taken the place of the party on a leg, and is there.
    pub(super) fn replaced(
        &mut self,
        now: Timestamp,
        leg: LegIndex,
        party: Party,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        self.may_replace(leg, &party)?;
        let old = self.facts.legs.get(&leg).cloned().ok_or(Refused::NoLeg(leg))?;
        let is_other = !old.party.is_same(&party);
        self.facts.put_leg(now, leg, party, true);
        if let Some(new) = self.facts.legs.get_mut(&leg) {
            new.supervises = old.supervises;
        }
        if is_other {
            self.handed_on(now, leg, &old.party, out);
        }
        // Whoever had the others on hold, this one has not.
        self.leg(now, leg, LegEvent::Resumed, out)?;
        if let (false, Stage::Hunting(hunt)) = (old.up, &self.stage)
            && hunt.waiting == Some(leg)
            && hunt.early.is_none()
        {
            // The old one's phone made its own ring-back tone.
            self.facts.let_hear(leg, Sound::RingBack, out);
        }
        Ok(())
    }

    fn handed_on(&mut self, now: Timestamp, leg: LegIndex, old: &Party, out: &mut Vec<Effect>) {
        let is_caller = self.view().from == old.number();
        let facts = &mut self.facts;
        facts.enter(leg, out);
        facts.leave(old, out);
        out.push(Effect::Record(CallEvent::Transferred {
            at: now,
            by: old.number().to_owned(),
            to: facts.party(leg).number().to_owned(),
        }));
        match &mut self.stage {
            Stage::Bridged(bridge) => bridge.handed_on(facts, now, leg, out),
            Stage::Meeting(meeting) => meeting.handed_on(facts, now, leg, out),
            _ => return,
        }
        if !is_caller {
            facts.answered(now, leg, out);
        }
    }
}
