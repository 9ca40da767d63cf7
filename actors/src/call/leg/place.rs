//! A leg that changes its place: to another call, or out of the way of who takes its own.

use std::time::Instant;

use ractor::ActorRef;
use tandem_kernel::LegId;
use tandem_sdp::Capabilities;
use tandem_sip::message::Draft;
use tandem_sip::net::Inbound;
use tandem_sip::session::{Command, Session};
use tandem_sip::value::Replaces;

use super::audio::Audio;
use super::{SipLeg, refusal};
use crate::call::message::CallMsg;
use crate::exchange::Exchange;

impl SipLeg {
    /// Whether a leg could be had of this INVITE. Nothing is answered.
    ///
    /// # Errors
    /// The final response that refuses it.
    pub(crate) fn can_come(
        exchange: &Exchange,
        inbound: &Inbound,
        caps: &Capabilities,
    ) -> Result<(), Box<Draft>> {
        let identity = exchange.identity(inbound.transport, inbound.source.ip());
        Session::incoming(Instant::now(), inbound, &identity, exchange.fresh_tag())?;
        Audio::can_answer(caps, inbound.request.body())
            .map_err(|status| Box::new(refusal(inbound, status)))
    }

    /// Whether it is the leg of this dialog (RFC 3891 3).
    pub(crate) fn is_dialog(&self, dialog: &Replaces) -> bool {
        self.call_id == dialog.call_id && self.session.is_dialog(dialog)
    }

    /// Whether it is answered and not over.
    pub(crate) fn is_up(&self) -> bool {
        self.session.is_up()
    }

    /// Moves the leg into another call: a new number, new media, a re-INVITE with it.
    ///
    /// # Errors
    /// The leg as it was, when there are no ports for its media.
    pub(crate) fn move_to(
        mut self,
        exchange: &Exchange,
        id: LegId,
        myself: &ActorRef<CallMsg>,
    ) -> Result<Self, Box<Self>> {
        let Ok(moved) = self.audio.reopen(exchange, id, myself) else {
            return Err(Box::new(self));
        };
        exchange.engine.close(self.id);
        self.audio = moved;
        self.go_by(exchange, id, myself);
        let sdp = self.audio.offer();
        self.command(exchange, myself, Command::Offer { sdp });
        Ok(self)
    }

    /// Takes another number, under which it has no media.
    pub(crate) fn go_by(&mut self, exchange: &Exchange, id: LegId, myself: &ActorRef<CallMsg>) {
        self.id = id;
        self.address.turn_to(myself, id.index);
        self.session.moved(id, myself);
        self.way.watch(exchange, id, myself);
        // Timers say by which number they ring.
        self.alarms.clear();
        let timers = self.session.rearm(Instant::now());
        self.run(exchange, myself, timers);
        self.await_page(myself);
    }
}
