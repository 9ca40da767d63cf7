//! A leg that outlives its node: what is kept of it, and how another node goes on with it.

use std::time::Instant;

use ractor::ActorRef;
use serde::{Deserialize, Serialize};
use tandem_kernel::LegId;
use tandem_sdp::Capabilities;
use tandem_sip::digest::Credentials;
use tandem_sip::session::{Command, Session, Snapshot};

use super::address::Address;
use super::audio::Audio;
use super::forwards::MaxForwards;
use super::peer::Peer;
use super::signalling::Signalling;
use super::way::Way;
use super::{Happening, SipLeg};
use crate::call::machine::Party;
use crate::call::message::CallMsg;
use crate::exchange::Exchange;

/// What is kept of an answered leg.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptLeg {
    session: Snapshot,
    is_proxied: bool,
}

impl SipLeg {
    /// What another node needs to go on with the leg; none while something is under way, and for
    /// a phone in a browser.
    pub(crate) fn kept(&self) -> Option<KeptLeg> {
        let session = self.session.snapshot()?;
        Some(KeptLeg { session, is_proxied: self.peer.is_proxied() })
    }

    /// Goes on with a leg of another node: its dialog from here, its audio at a port of ours. The
    /// far end hears of it by [`Self::offer_again`].
    ///
    /// # Errors
    /// 503 when no media ports are free.
    pub(crate) fn revive(
        exchange: &Exchange,
        id: LegId,
        kept: KeptLeg,
        (who, caps, credentials): (Party, Capabilities, Option<Credentials>),
        myself: &ActorRef<CallMsg>,
    ) -> Result<Self, u16> {
        let audio = Audio::revive(exchange, id, caps, kept.session.local(), myself)?;
        let peer = kept.session.peer().map(|peer| peer.ip());
        let identity = exchange.identity_towards(None, peer);
        let mut way = Way::of_kept(&who, &kept.session);
        way.watch(exchange, id, myself);
        let call_id = kept.session.call_id().to_owned();
        let (session, effects) =
            Session::restore(Instant::now(), kept.session, &identity, credentials);
        let mut leg = Self {
            id,
            session: Signalling::Sip(Box::new(session)),
            address: Address::new(myself, id.index),
            attachments: Vec::new(),
            peer: Peer::called(who, kept.is_proxied),
            way,
            call_id,
            audio,
            // What it had is not kept: who dies and is taken over goes in no circle.
            forwards: MaxForwards::FIRST,
            closed: false,
            ended: false,
            heard: false,
            alarms: exchange.alarms.alarms(),
        };
        // A session at rest emits nothing.
        leg.run(exchange, myself, effects);
        Ok(leg)
    }

    /// Whether the far end has answered anything that this node asked.
    pub(crate) const fn is_heard(&self) -> bool {
        self.heard
    }

    /// Whether the far end is a phone that has to register before anything leads to it.
    pub(crate) fn is_awaited(&mut self, exchange: &Exchange) -> bool {
        self.browser_of().is_some() || self.way.is_awaited(exchange)
    }

    /// The phone is registered by another path than before, or its member is back. One that has
    /// not answered here is asked there; every other one is told by which Contact it finds us.
    pub(crate) fn phone_moved(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
    ) -> Vec<Happening> {
        let Some(flow) = self.way.flow(exchange) else { return Vec::new() };
        if self.heard && self.session.flow() == Some(flow) {
            return Vec::new();
        }
        let now = Instant::now();
        let asked = self.session.ask_anew(now);
        if !asked.is_empty() || self.ended {
            return self.run(exchange, myself, asked);
        }
        if !self.heard {
            return self.offer_again(exchange, myself);
        }
        let told = self.session.refresh_contact(now);
        self.run(exchange, myself, told)
    }

    /// A re-INVITE with our address of now.
    pub(crate) fn offer_again(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
    ) -> Vec<Happening> {
        let sdp = self.audio.offer();
        self.command(exchange, myself, Command::Offer { sdp })
    }
}
