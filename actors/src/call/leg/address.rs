//! Where a leg is told what the wire brings: what is under way when a leg moves to another call, or
//! to another number, finds it there.

use std::sync::Arc;

use parking_lot::Mutex;
use ractor::ActorRef;
use tandem_kernel::port::ActorPort;
use tandem_sip::net::Sink;

use crate::call::machine::LegIndex;
use crate::call::message::CallMsg;

/// Events of one leg that may wait.
const INBOX: usize = 64;

/// A leg's place of now; clones share it.
#[derive(Clone)]
pub(super) struct Address(Arc<Mutex<Place>>);

struct Place {
    call: ActorPort<CallMsg>,
    leg: LegIndex,
}

impl Place {
    fn new(call: &ActorRef<CallMsg>, leg: LegIndex) -> Self {
        Self { call: ActorPort::new(call.clone(), INBOX), leg }
    }
}

impl Address {
    pub(super) fn new(call: &ActorRef<CallMsg>, leg: LegIndex) -> Self {
        Self(Arc::new(Mutex::new(Place::new(call, leg))))
    }

    /// The leg is there from now on.
    pub(super) fn turn_to(&self, call: &ActorRef<CallMsg>, leg: LegIndex) {
        *self.0.lock() = Place::new(call, leg);
    }

    /// Where the endpoint's events of the leg go. A peer that sends more than the call can handle
    /// is not heard; it sends again.
    pub(super) fn sink(&self) -> Sink {
        let address = self.clone();
        Arc::new(move |event| {
            let place = address.0.lock();
            let leg = place.leg;
            if let Err(error) = place.call.send(|slot| CallMsg::Sip { leg, event, slot }) {
                tracing::debug!(%error, "an event of a leg was not delivered");
            }
        })
    }
}
