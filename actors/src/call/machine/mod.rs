//! A call as a value: who is on it, who hears whom, what happens next.
//!
//! ```text
//!   Begin ──► Routing ──► Hunting ──answer──► Bridged ──hang-up──► Over
//!     │          │           │  ▲                │ ▲
//!     │          │           │  └─next line      │ ├─transfer done, failed, recalled
//!     │          │           │                   │ └─Meeting: a third came, left
//!     │          ├──► Queued ┼──answer───────────┘
//!     │          │      └──left unanswered──► Routing
//!     │          ├──► Scripted (menu, flow, voicemail) ──► Routing, Over
//!     │          └──► Playing (prompt, test, feature code) ──► Over
//!     ├──► Returning (a queue's callback) ──agent there──► Hunting
//!     └──► Over (refused)
//! ```
//!
//! No I/O, no clock, no chance: effects are carried out by the shell in the given order.

mod agent_words;
mod announce;
mod bridge;
mod callback;
mod divert;
mod effect;
mod facts;
mod follow;
mod hearing;
mod hunt;
mod meeting;
mod monitor;
mod offers;
mod originate;
mod park;
mod party;
mod picture;
mod purpose;
mod queued;
mod register;
mod replaced;
mod returning;
mod script;
mod transfer;
mod types;
mod verdict;
mod voice;

pub use effect::*;
pub use picture::{Picture, Present, Scene};
pub use replaced::Standing;
pub(in crate::call) use returning::STAY;
pub use types::*;
pub use verdict::q850;
pub use voice::{Announcements, PlaceWords};

use tandem_config::resource::Destination;
use tandem_kernel::{CallId, Timestamp};

use self::announce::Parting;
use self::bridge::{Bridge, QueueTalk};
use self::facts::Facts;
use self::hunt::Hunt;
use self::meeting::{Meeting, Newcomer};
use self::park::{Fetching, Parked};
use self::queued::Passage;
use self::returning::Returning;
use self::script::Running;

use crate::office::{CallCommand, CallView};
use crate::queue::Exit;

use crate::presence::Talk;

/// Where the call stands.
#[derive(Debug)]
enum Stage {
    /// Nothing has happened yet.
    Fresh,
    /// Waits for [`Input::Routed`].
    Routing { request: u32, waiting: LegIndex },
    /// Rings one or several legs for the waiting one.
    Hunting(Hunt),
    /// Waits in a queue.
    Queued(Passage),
    /// Rings agents for a customer who asked to be called back.
    Returning(Returning),
    /// Talks with a script.
    Scripted(Running),
    /// Plays something to the only leg; over when it ends.
    Playing { leg: LegIndex, player: Option<Player> },
    /// Tells the only leg why the call goes nowhere, and hangs up then.
    Parting(Parting),
    /// Says why a queue is closed, before the call goes on.
    Diverting { leg: LegIndex, player: Player, destination: Destination },
    /// Says what must be said before an agent rings for a customer who calls back.
    Announcing { leg: LegIndex, player: Player, callback: Box<Callback> },
    /// Waits for [`Input::Claimed`].
    Claiming { request: u32, waiting: LegIndex, callback: Box<Callback> },
    /// Two legs talk.
    Bridged(Bridge),
    /// More than two legs talk.
    Meeting(Meeting),
    /// One waits on a slot.
    Parked(Parked),
    /// One wants who waits on a slot.
    Fetching(Fetching),
    /// The end.
    Over,
}

impl Stage {
    /// Parties talk with each other.
    const fn has_talk(&self) -> bool {
        matches!(self, Self::Bridged(_) | Self::Meeting(_) | Self::Over)
    }

    /// The talk by which a queue call was answered.
    fn talk(&self) -> Option<&QueueTalk> {
        match self {
            Self::Bridged(bridge) => bridge.talk.as_ref(),
            Self::Meeting(meeting) => meeting.talk(),
            _ => None,
        }
    }
}

/// One call.
#[derive(Debug)]
pub struct Call {
    facts: Facts,
    stage: Stage,
}

impl Call {
    /// A call that has not begun.
    #[must_use]
    pub fn new(id: CallId, now: Timestamp) -> Self {
        Self { facts: Facts::new(id, now), stage: Stage::Fresh }
    }

    /// Takes one input and says what must be done about it.
    ///
    /// # Errors
    /// [`Refused`] when the input can not be had now; nothing has changed then.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Result<Vec<Effect>, Refused> {
        let mut out = Vec::new();
        match input {
            Input::Command(command) => self.command(now, command, &mut out)?,
            Input::Leg(leg, event) => self.leg(now, leg, event, &mut out)?,
            Input::Strayed { queue, stay } => self.strayed(queue, stay, &mut out),
            Input::Merged { by, taken, party, from } => {
                self.merged(now, &Newcomer { by, leg: taken, from }, party, &mut out)?;
            }
            Input::Replaced { leg, party } => self.replaced(now, leg, party, &mut out)?,
            other => self.advance(now, other, &mut out)?,
        }
        if matches!(self.stage, Stage::Over) {
            self.facts.close(now, &mut out);
        }
        Ok(out)
    }

    /// True when nothing more will happen.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// The picture for people.
    #[must_use]
    pub fn view(&self) -> CallView {
        let queue = match &self.stage {
            Stage::Queued(passage) => Some(passage.queue.clone()),
            Stage::Returning(_) => {
                self.facts.return_call.as_ref().map(|wanted| wanted.queue.clone())
            }
            _ => self.facts.passage.as_ref().map(|left| left.queue.clone()),
        };
        self.facts.view(queue)
    }

    /// When the call began.
    #[must_use]
    pub const fn started_at(&self) -> Timestamp {
        self.facts.started
    }

    /// How each leg of an extension shows on the lamps of others, by leg.
    pub fn talks(&self) -> impl Iterator<Item = (LegIndex, &str, Talk)> {
        self.facts.talks()
    }

    /// The queue in which the caller waits, and the number of the stay.
    #[must_use]
    pub fn waits_in(&self) -> Option<(&str, u32)> {
        match &self.stage {
            Stage::Queued(passage) => Some((&passage.queue, passage.stay)),
            Stage::Returning(_) => {
                self.facts.return_call.as_ref().map(|wanted| (wanted.queue.as_str(), STAY))
            }
            _ => None,
        }
    }

    /// Whether it waits in a queue whose words it does not know yet.
    #[must_use]
    pub fn lacks_words(&self) -> bool {
        matches!(&self.stage, Stage::Queued(passage) if passage.lacks_words())
    }

    /// The queue and the place in its line for which this call was made, while it is not known
    /// what became of it.
    #[must_use]
    pub fn stands_for(&self) -> Option<(&str, CallId)> {
        let wanted =
            self.facts.return_call.as_ref().filter(|_| self.facts.return_result.is_none())?;
        Some((&wanted.queue, wanted.place))
    }

    /// By which call its queue knows this one: that whose place it stands for, until it is known
    /// what became of it.
    #[must_use]
    pub fn known_as(&self) -> CallId {
        self.stands_for().map_or(self.facts.id(), |(_, place)| place)
    }

    /// By which call the queue that had this one made knows it.
    #[must_use]
    pub fn place(&self) -> CallId {
        self.facts.return_call.as_ref().map_or(self.facts.id(), |wanted| wanted.place)
    }

    /// The name of who calls, while they are in the call; may be empty.
    #[must_use]
    pub fn caller_name(&self) -> String {
        self.facts.caller_name()
    }

    /// The extensions that are in the call.
    #[must_use]
    pub fn extensions(&self) -> Vec<String> {
        let parties = self.facts.legs.values().filter_map(|leg| leg.party.extension());
        parties.map(str::to_owned).collect()
    }

    /// Says how the stay ended, in place of the word that was lost.
    fn strayed(&self, queue: String, stay: Option<u32>, out: &mut Vec<Effect>) {
        let is_it = |own: u32| stay.is_none_or(|stay| stay == own);
        if stay == Some(STAY) || (stay.is_none() && self.facts.return_call.is_some()) {
            if let Some(word) = self.facts.return_result.clone() {
                out.push(Effect::Queue(queue, QueueAct::Callback(word)));
            }
            return;
        }
        let act = match &self.stage {
            Stage::Queued(passage) if is_it(passage.stay) && passage.queue == queue => return,
            stage => match stage.talk().filter(|it| is_it(it.stay) && it.queue == queue) {
                Some(talk) => QueueAct::OfferAnswered(talk.offer),
                // What became of it the journal says, and the queue reads it there.
                None if self.facts.was_served_in(&queue) => QueueAct::CallerLeft(Exit::System),
                None => QueueAct::CallerGone,
            },
        };
        out.push(Effect::Queue(queue, act));
    }

    /// Whether a leg's party has put the others on hold.
    #[must_use]
    pub fn holds(&self, leg: LegIndex) -> bool {
        self.facts.legs.get(&leg).is_some_and(|leg| leg.holds)
    }

    /// Who waits on a slot.
    #[must_use]
    pub fn parked(&self) -> Option<(LegIndex, Party)> {
        let Stage::Parked(parked) = &self.stage else { return None };
        let leg = parked.leg();
        Some((leg, self.facts.legs.get(&leg)?.party.clone()))
    }

    /// The leg of an extension that is answered, for commands from the API.
    #[must_use]
    pub fn leg_of(&self, extension: &str) -> Option<LegIndex> {
        self.facts.leg_of(extension)
    }

    /// Gives a number to a leg that comes from another call or replaces one.
    pub fn reserve_leg(&mut self) -> LegIndex {
        self.facts.fresh_leg()
    }

    fn advance(
        &mut self,
        now: Timestamp,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let facts = &mut self.facts;
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        self.stage = match (stage, input) {
            (Stage::Over, _) => return Err(Refused::Over),
            (Stage::Fresh, Input::Begin { caller, dialled, route }) => {
                let leg = facts.begin(now, caller, dialled, &route, out);
                facts.follow(now, leg, route, out)
            }
            (Stage::Fresh, Input::Originate { caller, devices, dialled, ring_for, errand }) => {
                facts.originate(now, caller, devices, dialled, ring_for, *errand, out)
            }
            (Stage::Fresh, Input::Return { wanted, dialled }) => {
                facts.begin_return(now, wanted, dialled, out)
            }
            (Stage::Returning(returning), input) => returning.input(facts, now, input, out),
            (Stage::Routing { request, waiting }, Input::Routed { request: answered, route })
                if request == answered =>
            {
                facts.follow(now, waiting, route, out)
            }
            (Stage::Hunting(hunt), Input::Timer(timer)) => hunt.timer(facts, now, timer, out),
            (Stage::Queued(passage), input) => passage.input(facts, now, input, out),
            (Stage::Scripted(running), input) => running.input(facts, now, input, out),
            (Stage::Playing { leg, player }, Input::Played(done)) if player == Some(done) => {
                facts.outcome_if_none("completed", "the announcement ended");
                facts.hang_up(leg, HangUp::NORMAL, out);
                Stage::Over
            }
            (Stage::Playing { leg, .. }, Input::CodeDone { prompt }) => {
                facts.announce(leg, prompt, 1, out)
            }
            (Stage::Diverting { leg, player, destination }, Input::Played(done))
                if player == done =>
            {
                facts.send_on(leg, destination, out)
            }
            (Stage::Announcing { leg, player, callback }, Input::Played(done))
                if player == done =>
            {
                facts.claim(leg, callback, out)
            }
            (
                Stage::Claiming { request, waiting, callback },
                Input::Claimed { request: answered, devices },
            ) if request == answered => facts.claimed(now, waiting, callback, devices, out),
            (Stage::Parting(parting), input) => parting.input(facts, &input, out),
            (Stage::Bridged(bridge), input) => bridge.input(facts, now, input, out),
            (Stage::Parked(parked), input) => parked.input(facts, now, input, out),
            (Stage::Fetching(fetching), input) => fetching.input(facts, now, input, out),
            (stage, Input::Fetched { taken: Some((leg, _)), .. }) => {
                out.push(Effect::HangUp(leg, HangUp::NORMAL));
                stage
            }
            // A timer, a sound or an answer that belongs to a state that is over.
            (stage, _) => stage,
        };
        Ok(())
    }

    fn leg(
        &mut self,
        now: Timestamp,
        leg: LegIndex,
        event: LegEvent,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let facts = &mut self.facts;
        if !facts.legs.contains_key(&leg) && !matches!(event, LegEvent::Joined { .. }) {
            return Err(Refused::NoLeg(leg));
        }
        if let (LegEvent::Referred { refer, .. }, false) = (&event, self.stage.has_talk()) {
            // There is nobody yet who could be moved.
            out.push(Effect::TransferProgress { leg, refer: *refer, status: 491, last: true });
            return Ok(());
        }
        facts.note(now, leg, &event);
        // What the end of a talk means for its queue goes before 'the agent is free'.
        let mut left = Vec::new();
        if is_end(&event) {
            facts.remove(leg, &mut left);
        }
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        self.stage = match stage {
            Stage::Over => return Err(Refused::Over),
            Stage::Hunting(hunt) => hunt.leg(facts, now, leg, event, out),
            Stage::Queued(passage) => passage.leg(facts, now, leg, event, out),
            Stage::Returning(returning) => returning.leg(facts, now, leg, &event, out),
            Stage::Scripted(running) => running.leg(facts, now, leg, &event, out),
            Stage::Bridged(bridge) => bridge.leg(facts, now, leg, event, out),
            Stage::Meeting(meeting) => meeting.leg(facts, now, leg, event, out),
            Stage::Parked(parked) => parked.event(facts, now, leg, &event, out),
            Stage::Fetching(fetching) if fetching.leg == leg && is_end(&event) => {
                facts.caller_gone(&event);
                Stage::Over
            }
            Stage::Routing { waiting, .. } if waiting == leg && is_end(&event) => {
                facts.caller_gone(&event);
                Stage::Over
            }
            Stage::Announcing { leg: only, callback, .. }
            | Stage::Claiming { waiting: only, callback, .. }
                if only == leg && is_end(&event) =>
            {
                let abandoned = crate::callback::Outcome::Abandoned;
                facts.note_callback(now, &callback, abandoned, false, out);
                facts.outcome_if_none("abandoned", "hung up before the agent answered");
                Stage::Over
            }
            Stage::Parting(parting) if parting.leg == leg && is_end(&event) => Stage::Over,
            Stage::Playing { leg: only, .. } | Stage::Diverting { leg: only, .. }
                if only == leg && is_end(&event) =>
            {
                facts.outcome_if_none("completed", "hung up by the caller");
                Stage::Over
            }
            stage => stage,
        };
        out.append(&mut left);
        Ok(())
    }

    fn command(
        &mut self,
        now: Timestamp,
        command: CallCommand,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let facts = &mut self.facts;
        match (&mut self.stage, command) {
            (Stage::Over, _) => Err(Refused::Over),
            (stage, CallCommand::HangUp) => {
                match std::mem::replace(stage, Stage::Over) {
                    Stage::Queued(passage) => passage.abort(facts, now, out),
                    Stage::Bridged(bridge) => bridge.abort(facts, now, out),
                    Stage::Meeting(meeting) => meeting.abort(now, out),
                    Stage::Parked(parked) => parked.abort(out),
                    Stage::Scripted(running) => running.abort(out),
                    Stage::Returning(returning) => returning.abort(facts, now, out),
                    Stage::Hunting(hunt) => hunt.purpose.abort(facts, now, out),
                    _ => {}
                }
                facts.end_all(HangUp::NORMAL, out);
                facts.outcome_if_none("cancelled", "hung up by command");
                Ok(())
            }
            (stage, CallCommand::Redirect { to, by }) => {
                queued::redirect(stage, facts, now, to, &by, out)
            }
            (stage, CallCommand::Park(wish)) => park::park(stage, facts, now, wish, out),
            (Stage::Bridged(bridge), command) => bridge.command(facts, now, command, out),
            (Stage::Meeting(meeting), command) => meeting.command(facts, now, command, out),
            (
                _,
                CallCommand::Hold
                | CallCommand::Resume
                | CallCommand::Transfer { .. }
                | CallCommand::Monitor(_),
            ) => Err(Refused::NotConnected),
        }
    }
}

fn is_end(event: &LegEvent) -> bool {
    matches!(event, LegEvent::Ended(_))
}

impl Facts {
    /// The first leg is the caller's; it is not answered yet.
    fn begin(
        &mut self,
        now: Timestamp,
        caller: Party,
        dialled: String,
        route: &Route,
        out: &mut Vec<Effect>,
    ) -> LegIndex {
        self.start(now, direction(&caller, route), &caller, dialled, out);
        let leg = self.add_leg(now, caller);
        self.enter(leg, out);
        leg
    }
}

#[cfg(test)]
mod tests;
