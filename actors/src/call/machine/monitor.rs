//! A manager who attends the talk of others: listens, speaks to the agent alone, or to all
//! . Their phone is rung and is a leg of the call, but no party of it: it is in no
//! count, and the call ends without asking for it.

use std::time::Duration;

use tandem_kernel::Timestamp;

use super::effect::{Dialled, Effect, HangUp, Heard};
use super::facts::Facts;
use super::types::{LegEvent, LegIndex, Party, Refused};
use crate::call::event::CallEvent;
use crate::office::{Monitor, Supervision};

/// How long a manager's phones ring.
const RINGS_FOR: Duration = Duration::from_secs(30);

/// How many may attend one talk.
const MOST: usize = 4;

/// One manager.
#[derive(Debug)]
struct Watch {
    by: Party,
    mode: Supervision,
    /// Whom they attend.
    agent: LegIndex,
    seat: Seat,
}

#[derive(Debug)]
enum Seat {
    /// Their phones ring.
    Ringing(Vec<LegIndex>),
    /// They attend by this leg.
    Taken(LegIndex),
}

impl Watch {
    fn leg(&self) -> Option<LegIndex> {
        match self.seat {
            Seat::Taken(leg) => Some(leg),
            Seat::Ringing(_) => None,
        }
    }

    fn has(&self, leg: LegIndex) -> bool {
        match &self.seat {
            Seat::Taken(taken) => *taken == leg,
            Seat::Ringing(legs) => legs.contains(&leg),
        }
    }

    fn legs(&self) -> Vec<LegIndex> {
        match &self.seat {
            Seat::Taken(leg) => vec![*leg],
            Seat::Ringing(legs) => legs.clone(),
        }
    }

    fn began(&self, facts: &Facts, now: Timestamp) -> Effect {
        Effect::Record(CallEvent::Monitored {
            at: now,
            by: self.by.number().to_owned(),
            agent: facts.party(self.agent).number().to_owned(),
            mode: self.mode.as_str().to_owned(),
        })
    }

    fn ended(&self, now: Timestamp, out: &mut Vec<Effect>) {
        if self.leg().is_some() {
            let by = self.by.number().to_owned();
            out.push(Effect::Record(CallEvent::MonitorEnded { at: now, by }));
        }
    }
}

/// Those who attend a talk.
#[derive(Debug, Default)]
pub(super) struct Watches(Vec<Watch>);

impl Watches {
    /// Rings a manager, or changes the mode of one who is there or rung already.
    ///
    /// # Errors
    /// [`Refused::Party`] for a party of the talk, [`Refused::Full`] when enough attend.
    pub(super) fn attend(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        agent: LegIndex,
        wish: Monitor,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let number = wish.by.number().to_owned();
        if let Some(watch) = self.0.iter_mut().find(|watch| watch.by.number() == number) {
            watch.agent = agent;
            watch.mode = wish.mode;
            for leg in watch.legs() {
                facts.supervises(leg, wish.mode);
            }
            if watch.leg().is_some() {
                out.push(watch.began(facts, now));
            }
            return Ok(());
        }
        if facts.leg_of(&number).is_some() {
            return Err(Refused::Party);
        }
        if self.0.len() >= MOST {
            return Err(Refused::Full);
        }
        let mut rung = Vec::new();
        for device in wish.devices {
            let leg = facts.add_leg(now, device.party());
            facts.supervises(leg, wish.mode);
            rung.push(leg);
            out.push(Effect::Dial {
                leg,
                to: Dialled::Device(device),
                for_leg: None,
                caller: facts.party(agent),
                give_up: RINGS_FOR,
            });
        }
        let seat = Seat::Ringing(rung);
        self.0.push(Watch { by: wish.by, mode: wish.mode, agent, seat });
        Ok(())
    }

    /// Whether a leg is a manager's.
    pub(super) fn has(&self, leg: LegIndex) -> bool {
        self.0.iter().any(|watch| watch.has(leg))
    }

    /// Takes an event of a manager's leg in; true when somebody hears something else now.
    pub(super) fn leg(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        event: &LegEvent,
        out: &mut Vec<Effect>,
    ) -> bool {
        let Some(place) = self.0.iter().position(|watch| watch.has(leg)) else { return false };
        let watch = &mut self.0[place];
        match (&mut watch.seat, event) {
            (Seat::Ringing(legs), LegEvent::Answered) => {
                let others: Vec<_> = legs.iter().copied().filter(|other| *other != leg).collect();
                watch.seat = Seat::Taken(leg);
                facts.enter(leg, out);
                out.push(watch.began(facts, now));
                for other in others {
                    facts.hang_up(other, HangUp::ELSEWHERE, out);
                }
                true
            }
            (Seat::Ringing(legs), LegEvent::Ended(_)) => {
                legs.retain(|other| *other != leg);
                if legs.is_empty() {
                    self.0.remove(place);
                }
                false
            }
            (Seat::Taken(_), LegEvent::Ended(_)) => {
                self.0.remove(place).ended(now, out);
                true
            }
            _ => false,
        }
    }

    /// The managers whom a party hears.
    pub(super) fn heard_by(&self, leg: LegIndex) -> impl Iterator<Item = Heard> {
        let speaks = move |watch: &&Watch| match watch.mode {
            Supervision::Listen => false,
            Supervision::Whisper => watch.agent == leg,
            Supervision::Barge => true,
        };
        self.0.iter().filter(speaks).filter_map(|watch| watch.leg().map(Heard::Leg))
    }

    /// Lets each manager hear the agent and what the agent hears: nothing that is said to
    /// somebody on hold, and the music of who holds the agent.
    pub(super) fn listen(
        &self,
        facts: &mut Facts,
        rows: &[(LegIndex, Vec<Heard>)],
        out: &mut Vec<Effect>,
    ) {
        for watch in &self.0 {
            let Some(own) = watch.leg() else { continue };
            let row = rows.iter().find(|(leg, _)| *leg == watch.agent);
            let mut heard = row.map_or_else(Vec::new, |(_, heard)| heard.clone());
            heard.retain(|it| *it != Heard::Leg(own));
            heard.push(Heard::Leg(watch.agent));
            facts.hear(own, heard, out);
        }
    }

    /// Whether nobody attends.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The talk is over, or goes on with others: nobody attends what they did not ask for.
    pub(super) fn dismiss(&mut self, facts: &mut Facts, now: Timestamp, out: &mut Vec<Effect>) {
        for watch in self.0.drain(..) {
            watch.ended(now, out);
            for leg in watch.legs() {
                facts.hang_up(leg, HangUp::NORMAL, out);
            }
        }
    }

    /// Those who attend somebody who has left are dismissed.
    pub(super) fn agent_gone(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        agent: LegIndex,
        out: &mut Vec<Effect>,
    ) {
        let (gone, stay) =
            std::mem::take(&mut self.0).into_iter().partition(|it| it.agent == agent);
        self.0 = stay;
        Self(gone).dismiss(facts, now, out);
    }
}
