//! A call as the audio plane sees it: legs, players, and who hears whom.
//!
//! | Concern                                              | Owner        |
//! |------------------------------------------------------|--------------|
//! | One party: what was agreed, its streams and figures  | [`leg`]      |
//! | Who is relayed, who is mixed, what must be decoded   | [`plan`]     |
//! | A datagram from a party                              | [`receive`]  |
//! | 20 ms of decoding, mixing and encoding               | [`frame`]    |
//! | Programmes of files and tones                        | [`player`]   |
//! | Digits to and from a party                           | [`digits`]   |
//! | RTCP, silence of a party, figures                    | [`report`]   |
//!
//! Invariant: sans-IO. Datagrams, time and chance come in; datagrams and events go out.

pub(crate) mod crypto;
mod decoding;
mod digits;
mod encoding;
mod frame;
mod leg;
mod outgoing;
mod plan;
mod player;
mod police;
mod receive;
mod report;

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::rngs::StdRng;
use tandem_kernel::{CallId, LegId, Timestamp};
use tandem_rtp::Digit;

use crate::mailbox::Command;
use crate::mix::Mix;
use crate::outbox::Outbox;
use crate::resample::Frame;
use crate::types::{DtmfBy, MediaEvent, MediaSink, Source};

use leg::Leg;
use player::Player;

pub(crate) use receive::Arrival;

/// What the scenes of a worker share, so that a call at rest holds no buffers.
pub(crate) struct Tools {
    rng: StdRng,
    /// One per leg, then one per player of the scene that is mixed.
    frames: Vec<Frame>,
    mix: Mix,
    samples: Vec<i16>,
    payload: Vec<u8>,
}

impl Tools {
    pub(crate) fn new(rng: StdRng) -> Self {
        let (samples, payload) = (Vec::new(), Vec::new());
        Self { rng, frames: Vec::new(), mix: Mix::default(), samples, payload }
    }
}

/// One call.
pub(crate) struct Scene {
    pub(crate) call: CallId,
    legs: Vec<Leg>,
    players: Vec<Player>,
    is_active: bool,
}

impl Scene {
    pub(crate) fn new(call: CallId) -> Self {
        Self { call, legs: Vec::new(), players: Vec::new(), is_active: false }
    }

    /// Whether there is something to do in each frame.
    pub(crate) fn is_active(&self) -> bool {
        self.is_active
    }

    /// Whether the call is over here: nobody is left to hear its players.
    pub(crate) fn is_empty(&self) -> bool {
        self.legs.is_empty()
    }

    /// Tells the owners of all legs that they can not be served; gives their slots.
    pub(crate) fn give_up(&mut self) -> Vec<u32> {
        let slots = self.legs.iter().map(|leg| leg.slot).collect();
        for leg in self.legs.drain(..) {
            let why = "the media of the call failed".into();
            let failed = MediaEvent::Failed { leg: leg.id, why };
            // The sink itself may be what panics; then there is nobody to tell.
            let _ = catch_unwind(AssertUnwindSafe(|| (leg.sink)(failed)));
        }
        slots
    }

    /// Takes a leg in; false when there is one of this name.
    pub(crate) fn open(
        &mut self,
        now: Timestamp,
        id: LegId,
        slot: u32,
        sink: MediaSink,
        tools: &mut Tools,
    ) -> bool {
        if self.place(id).is_some() {
            sink(MediaEvent::Failed { leg: id, why: "the leg is open already".into() });
            return false;
        }
        self.legs.push(Leg::new(now, id, slot, sink, &mut tools.rng));
        self.plan();
        true
    }

    /// Does what it is told; gives the slots of legs that are closed by it.
    pub(crate) fn command(
        &mut self,
        now: Timestamp,
        command: Command,
        tools: &mut Tools,
        out: &mut Outbox,
    ) -> Vec<u32> {
        let mut closed = Vec::new();
        match command {
            // The worker opens legs, because it owns the slots.
            Command::Open { .. } => {}
            Command::Connect { leg, agreement } => {
                if let Some(leg) = self.leg(leg) {
                    leg.connect(now, agreement, &mut tools.rng);
                }
            }
            Command::Hear { leg, sources } => {
                if let Some(leg) = self.leg(leg) {
                    leg.hears = sources;
                }
            }
            Command::Play { call: _, player, track, sink } => {
                self.players.retain(|p| p.id != player);
                self.players.push(Player::new(player, track, sink));
            }
            Command::Stop { call: _, player } => self.players.retain(|p| p.id != player),
            Command::SendDtmf { leg, digits } => {
                if let Some(leg) = self.leg(leg) {
                    leg.dial(&digits);
                }
            }
            Command::Record { leg, tape } => {
                if let Some(leg) = self.leg(leg) {
                    leg.tape = Some(Box::new(tape));
                }
            }
            Command::EndRecording { leg } => {
                if let Some(leg) = self.leg(leg) {
                    leg.tape = None;
                }
            }
            Command::Stats { leg, reply } => {
                if let Some(leg) = self.leg(leg) {
                    // Who asked may have gone away.
                    let _ = reply.send(leg.stats());
                }
                return closed;
            }
            Command::Rename { leg, to } => {
                if let Some(leg) = self.leg(leg) {
                    leg.id.index = to;
                }
            }
            Command::Close { leg, told } => {
                if let Some(place) = self.place(leg) {
                    if let Some(told) = told {
                        told(self.legs[place].stats());
                    }
                    closed.push(self.close(now, place, out));
                }
            }
            Command::CloseCall { call: _ } => {
                self.players.clear();
                while !self.legs.is_empty() {
                    closed.push(self.close(now, 0, out));
                }
            }
        }
        self.plan();
        closed
    }

    fn close(&mut self, now: Timestamp, place: usize, out: &mut Outbox) -> u32 {
        let mut leg = self.legs.remove(place);
        leg.say_goodbye(now, out);
        leg.slot
    }

    /// Reports digits of a leg; those who hear it and know no events get event digits as tones.
    fn pressed(&mut self, place: usize, digits: &[Digit], by: DtmfBy) {
        let leg = &self.legs[place];
        leg.tell(digits, by);
        if by == DtmfBy::InBand || digits.is_empty() {
            return;
        }
        let id = leg.id;
        for listener in &mut self.legs {
            let hears = listener.id != id && listener.hears.contains(&Source::Leg(id));
            let takes_events = listener.agreement.as_deref().is_some_and(|a| a.dtmf.is_some());
            if hears && !takes_events {
                digits.iter().for_each(|d| listener.dial(d.digit.encode_utf8(&mut [0; 4])));
            }
        }
        self.plan();
    }

    /// Tells the owner of a leg that it can not be served.
    pub(crate) fn fail(&mut self, slot: u32, why: &str) {
        for leg in self.legs.iter().filter(|leg| leg.slot == slot) {
            (leg.sink)(MediaEvent::Failed { leg: leg.id, why: why.into() });
        }
    }

    fn leg(&mut self, id: LegId) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.id == id)
    }

    fn place(&self, id: LegId) -> Option<usize> {
        self.legs.iter().position(|leg| leg.id == id)
    }
}
