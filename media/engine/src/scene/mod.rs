//! A call as the audio plane sees it: legs, players, and who hears whom.

mod outgoing;
mod player;
mod police;

use std::net::SocketAddr;

use rand::rngs::StdRng;
use tandem_kernel::{CallId, LegId, Timestamp};

use crate::mailbox::Command;
use crate::outbox::{Channel, Outbox};
use crate::types::{MediaEvent, MediaSink};

/// What the scenes of a worker share.
pub(crate) struct Tools {
    pub(crate) rng: StdRng,
}

impl Tools {
    pub(crate) fn new(rng: StdRng) -> Self {
        Self { rng }
    }
}

/// One call.
pub(crate) struct Scene {
    pub(crate) call: CallId,
    legs: Vec<Leg>,
}

struct Leg {
    id: LegId,
    slot: u32,
    sink: MediaSink,
}

impl Scene {
    pub(crate) fn new(call: CallId) -> Self {
        Self { call, legs: Vec::new() }
    }
    pub(crate) fn is_active(&self) -> bool {
        false
    }
    pub(crate) fn is_empty(&self) -> bool {
        self.legs.is_empty()
    }
    pub(crate) fn open(
        &mut self,
        _now: Timestamp,
        id: LegId,
        slot: u32,
        sink: MediaSink,
        _tools: &mut Tools,
    ) -> bool {
        self.legs.push(Leg { id, slot, sink });
        true
    }
    pub(crate) fn command(
        &mut self,
        _now: Timestamp,
        command: Command,
        _tools: &mut Tools,
        _out: &mut Outbox,
    ) -> Vec<u32> {
        let mut closed = Vec::new();
        match command {
            Command::Close { leg } => {
                self.legs.retain(|l| {
                    l.id != leg || {
                        closed.push(l.slot);
                        false
                    }
                });
            }
            Command::CloseCall { .. } => closed.extend(self.legs.drain(..).map(|l| l.slot)),
            _ => {}
        }
        closed
    }
    pub(crate) fn fail(&mut self, _now: Timestamp, slot: u32, why: &str) {
        for leg in self.legs.iter().filter(|l| l.slot == slot) {
            (leg.sink)(MediaEvent::Failed { leg: leg.id, why: why.into() });
        }
    }
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn packet_in(
        &mut self,
        _now: Timestamp,
        _slot: u32,
        _channel: Channel,
        _source: SocketAddr,
        _bytes: &mut [u8],
        _tools: &mut Tools,
        _out: &mut Outbox,
    ) {
    }
    pub(crate) fn frame(&mut self, _now: Timestamp, _tools: &mut Tools, _out: &mut Outbox) {}
    pub(crate) fn look_after(&mut self, _n: Timestamp, _s: u32, _t: &mut Tools, _o: &mut Outbox) {}
}
