//! A member's way to the journal: one batch at a time goes to whoever leads, again and again
//! until it is known what became of it; and each entity's appends go one after the other.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use tandem_journal::{Append, AppendError};
use tandem_kernel::{CallId, Timestamp};

use super::Outcome;
use super::actors::Who;
use super::group::{Entry, Proposal};
use super::world::{Packet, Told, World};

/// How long one attempt may take before the leader is looked for again.
const ATTEMPT: Duration = Duration::from_secs(1);

/// Appends of one batch.
const TOGETHER: usize = 64;

/// Who wants to know what became of an append.
#[derive(Clone, Debug)]
pub(super) enum Then {
    Nothing,
    Recorder(Who),
    Change,
    TakeOver { call: CallId, of_before: u64 },
    Picture(CallId),
    Writer(usize, u64),
    Begun,
}

#[derive(Clone, Debug)]
struct Wish {
    proposal: Proposal,
    until: Option<Timestamp>,
    then: Then,
}

#[derive(Debug)]
struct Flight {
    serial: u64,
    wishes: Vec<Wish>,
    /// When, and of whom it was asked last.
    tried: Option<(Timestamp, u64)>,
    done: Option<Vec<Told>>,
}

/// What waits for the journal.
#[derive(Debug, Default)]
pub(super) struct Desk {
    waiting: VecDeque<Wish>,
    flight: Option<Flight>,
}

/// A batch on its way to the leader.
#[derive(Clone, Debug)]
pub(super) struct Forward {
    serial: u64,
    proposals: Rc<[Proposal]>,
}

impl World {
    /// Appends; without a time to give up it waits for as long as the member lives.
    pub(super) fn propose(
        &mut self,
        id: u64,
        append: Append,
        within: Option<Duration>,
        then: Then,
    ) {
        let number = u128::from(self.number());
        // As in the real one: what is asked for again is known by its name.
        let append = Append { op_id: append.op_id.or(Some(number | 1 << 100)), ..append };
        let (now, until) = (self.now, within.map(|within| self.now + within));
        let at = self.of_mut(id);
        let proposal = Proposal { append, at: at.clock(now), by: id };
        at.desk.waiting.push_back(Wish { proposal, until, then });
        // It is looked at when the step is over.
        self.later_at(id, Duration::from_micros(50), super::member::Inner::Pump);
    }

    /// Looks after the desk.
    pub(super) fn pump(&mut self, id: u64) -> Outcome<()> {
        self.give_up(id)?;
        let serial = self.number();
        let now = self.now;
        let at = self.of_mut(id);
        if at.desk.flight.is_none() && !at.desk.waiting.is_empty() {
            let many = at.desk.waiting.len().min(TOGETHER);
            let wishes = at.desk.waiting.drain(..many).collect();
            at.desk.flight = Some(Flight { serial, wishes, tried: None, done: None });
        }
        let Some(leader) = at.group.leader else { return Ok(()) };
        let is_followed = at.group.contact_age(now).is_some_and(|age| age < ATTEMPT);
        let Some(flight) = at.desk.flight.as_mut().filter(|it| it.done.is_none()) else {
            return Ok(());
        };
        let is_under_way =
            flight.tried.is_some_and(|(at, of)| of == leader && now.since(at) < ATTEMPT);
        if is_under_way || (leader == id && !is_followed) {
            return Ok(());
        }
        flight.tried = Some((now, leader));
        let proposals = flight.wishes.iter().map(|wish| wish.proposal.clone()).collect();
        let forward = Forward { serial: flight.serial, proposals };
        if leader == id {
            return self.forwarded(id, id, forward);
        }
        self.send(id, leader, Packet::Forward(forward));
        Ok(())
    }

    /// Those whose time is over are told that nobody knows.
    fn give_up(&mut self, id: u64) -> Outcome<()> {
        let now = self.now;
        let desk = &mut self.of_mut(id).desk;
        let is_late = |wish: &Wish| wish.until.is_some_and(|until| until <= now);
        let mut late: Vec<Then> = Vec::new();
        desk.waiting.retain(|wish| {
            let is_late = is_late(wish);
            if is_late {
                late.push(wish.then.clone());
            }
            !is_late
        });
        if let Some(flight) = &mut desk.flight {
            let overdue = flight.wishes.iter_mut().filter(|wish| is_late(wish));
            for wish in overdue {
                wish.until = None;
                late.push(std::mem::replace(&mut wish.then, Then::Nothing));
            }
        }
        for then in late {
            self.known(id, then, Err(AppendError::Unavailable))?;
        }
        Ok(())
    }

    /// At whoever is taken for the leader.
    pub(super) fn forwarded(&mut self, from: u64, id: u64, forward: Forward) -> Outcome<()> {
        let (now, mut out) = (self.now, Vec::new());
        let Forward { serial, proposals } = forward;
        let entry = Entry { term: 0, proposals, asked: (from, serial) };
        if !self.of_mut(id).group.propose(now, entry, &mut out) {
            self.send(id, from, Packet::Forwarded(serial, None));
        }
        self.carry_out(id, out)
    }

    /// What the leader says became of a batch.
    pub(super) fn answered(
        &mut self,
        id: u64,
        serial: u64,
        told: Option<Vec<Told>>,
    ) -> Outcome<()> {
        let flight = self.of_mut(id).desk.flight.as_mut();
        let Some(flight) = flight.filter(|it| it.serial == serial && it.done.is_none()) else {
            return Ok(());
        };
        match told {
            None => flight.tried = None,
            Some(told) => flight.done = Some(told),
        }
        self.settle_desk(id)
    }

    /// A batch is done when what it wrote is applied here.
    pub(super) fn settle_desk(&mut self, id: u64) -> Outcome<()> {
        let at = self.of_mut(id);
        let head = at.head;
        let is_here = |told: &Told| match told {
            Ok(appended) => appended.position.index <= head,
            Err(_) => true,
        };
        let done = at.desk.flight.as_ref().and_then(|it| it.done.as_ref());
        if !done.is_some_and(|told| told.iter().all(is_here)) {
            return Ok(());
        }
        let flight = at.desk.flight.take().unwrap();
        for (wish, told) in flight.wishes.into_iter().zip(flight.done.unwrap()) {
            self.known(id, wish.then, told)?;
        }
        self.pump(id)
    }

    fn known(&mut self, id: u64, then: Then, told: Told) -> Outcome<()> {
        match then {
            Then::Nothing => {}
            Then::Recorder(who) => return self.recorded(id, who, told),
            Then::Change => self.change_proposed(id),
            Then::TakeOver { call, of_before } => self.took_over(id, call, of_before, &told),
            Then::Picture(call) => self.pictured(id, call, &told),
            Then::Writer(writer, attempt) => self.written(writer, attempt, &told),
            Then::Begun => self.go_on(id),
        }
        Ok(())
    }
}
