//! From the hearing matrix to work: who is relayed, who is mixed, what must be decoded.

use tandem_sdp::Codec;

use super::Scene;
use super::leg::Leg;
use crate::codec::rate_of;
use crate::resample::{Rate, RateSet};
use crate::types::Source;

/// How a leg gets what it hears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Feed {
    /// Not at all: it is not connected, or its direction forbids to send.
    #[default]
    Nothing,
    /// The packets of the leg of this index, as they are.
    Relay(u16),
    /// Encoded by us in each frame; silence if it hears nobody.
    Mix,
}

impl Scene {
    /// Works out anew what every leg needs. Called after each change of the scene.
    pub(super) fn plan(&mut self) {
        for place in 0..self.legs.len() {
            let feed = self.feed_of(place);
            let leg = &mut self.legs[place];
            if leg.feed != feed {
                leg.feed = feed;
                leg.outgoing.change_source();
                // Until the first packet to relay comes, so that there is never a gap.
                leg.is_filled = true;
            }
        }
        for place in 0..self.legs.len() {
            let source = Feed::Relay(self.legs[place].id.index);
            let relays = self.legs.iter().enumerate().filter(|(_, leg)| leg.feed == source);
            let relays = relays.map(|(listener, _)| listener as u16).collect();
            self.legs[place].relays = relays;
        }
        self.plan_decoding();
        for leg in &mut self.legs {
            leg.hold_what_is_needed();
        }
        self.note_activity();
    }

    /// Works out whether there is work in each frame.
    pub(super) fn note_activity(&mut self) {
        self.is_active = !self.players.is_empty() || self.legs.iter().any(Leg::needs_frames);
    }

    fn feed_of(&self, place: usize) -> Feed {
        let leg = &self.legs[place];
        let Some(agreement) = leg.agreement.as_deref().filter(|a| a.direction.sends()) else {
            return Feed::Nothing;
        };
        if leg.dials_tones() {
            return Feed::Mix;
        }
        let [Source::Leg(source)] = leg.hears[..] else { return Feed::Mix };
        let Some(from) = self.place(source).filter(|&from| self.legs[from].is_heard()) else {
            return Feed::Mix;
        };
        let source = &self.legs[from];
        let events = source.takes_events();
        if source.receiving == agreement.codec && events == agreement.dtmf.is_some() {
            return Feed::Relay(source.id.index);
        }
        Feed::Mix
    }

    /// Notes at which rates each leg and player is wanted.
    fn plan_decoding(&mut self) {
        for leg in &mut self.legs {
            leg.wanted = RateSet::default();
            // Tones are looked for in the audio where no telephone-event can come. G.711 is
            // looked through as it arrives.
            let is_g711 = matches!(leg.receiving, Codec::Pcmu | Codec::Pcma);
            let is_listened_to = !leg.takes_events() && !is_g711;
            if leg.is_heard() && (is_listened_to || leg.tape.is_some()) {
                leg.wanted.add(Rate::Narrow);
            }
        }
        for player in &mut self.players {
            player.wanted = RateSet::default();
        }
        for place in 0..self.legs.len() {
            if self.legs[place].feed != Feed::Mix {
                continue;
            }
            let rate = rate_of(self.legs[place].codec());
            for source in self.legs[place].hears.clone() {
                self.want(place, source, rate);
            }
        }
    }

    fn want(&mut self, listener: usize, source: Source, rate: Rate) {
        let from = match source {
            Source::Leg(id) => self.place(id),
            Source::Player(id) => {
                let Some(player) = self.players.iter_mut().find(|p| p.id == id) else { return };
                player.wanted.add(rate);
                player.has_echo().then_some(listener)
            }
        };
        if let Some(from) = from.filter(|&from| self.legs[from].is_heard()) {
            self.legs[from].wanted.add(rate);
        }
    }
}
