//! 20 ms of a scene: decode what is heard, play, mix for each listener, encode.

use tandem_kernel::Timestamp;
use tandem_sdp::Codec;

use super::leg::Leg;
use super::plan::Feed;
use super::player::{Played, Player};
use super::{Scene, Tools};
use crate::codec::rate_of;
use crate::mix::Mix;
use crate::outbox::Outbox;
use crate::resample::{Frame, Rate};
use crate::types::{DtmfBy, MediaEvent, PlayerId, Source};

impl Scene {
    /// Does one frame. Called once in 20 ms while the scene is active.
    pub(crate) fn frame(&mut self, now: Timestamp, tools: &mut Tools, out: &mut Outbox) {
        let mut frames = std::mem::take(&mut tools.frames);
        frames.resize_with(self.legs.len() + self.players.len(), Frame::default);
        self.listen(now, &mut frames);
        let finished = self.play(&mut frames);
        for place in 0..self.legs.len() {
            let feed = self.legs[place].feed;
            self.legs[place].dial_events(now, out);
            match feed {
                Feed::Nothing => {}
                Feed::Relay(_) if self.legs[place].is_filled => {
                    self.legs[place].encode(now, None, tools, out);
                }
                Feed::Relay(_) => {}
                Feed::Mix => self.mix(now, place, &frames, tools, out),
            }
        }
        tools.frames = frames;
        self.end_players(&finished);
        if self.legs.iter_mut().any(Leg::has_dialled) {
            self.plan();
        }
    }

    /// Fills the frames of the legs that somebody hears in the mix.
    fn listen(&mut self, now: Timestamp, frames: &mut [Frame]) {
        for (leg, frame) in self.legs.iter_mut().zip(frames) {
            frame.clear();
            let Some(decoding) = leg.decoding.as_deref_mut() else { continue };
            decoding.play(now, leg.wanted, frame);
            if let Some(tape) = &mut leg.tape {
                tape.run(frame.at(Rate::Narrow));
            }
            let is_g711 = matches!(leg.receiving, Codec::Pcmu | Codec::Pcma);
            if !is_g711 && !leg.takes_events() {
                let digits = leg.keys.listen(frame.at(Rate::Narrow));
                leg.tell(&digits, DtmfBy::InBand);
            }
        }
    }

    /// Fills the frames of the players; gives those that are at their end.
    fn play(&mut self, frames: &mut [Frame]) -> Vec<PlayerId> {
        let call = self.call;
        let frames = &mut frames[self.legs.len()..];
        let mut finished = Vec::new();
        for (player, frame) in self.players.iter_mut().zip(frames) {
            if player.play(call, frame) == Played::Finished {
                finished.push(player.id);
            }
        }
        finished
    }

    fn end_players(&mut self, finished: &[PlayerId]) {
        if finished.is_empty() {
            return;
        }
        let call = self.call;
        self.players.retain(|player: &Player| {
            let is_over = finished.contains(&player.id);
            if is_over {
                (player.sink)(MediaEvent::Finished { call, player: player.id });
            }
            !is_over
        });
        self.plan();
    }

    /// Sends a leg the sum of what it hears.
    fn mix(
        &mut self,
        now: Timestamp,
        place: usize,
        frames: &[Frame],
        tools: &mut Tools,
        out: &mut Outbox,
    ) {
        let rate = rate_of(self.legs[place].codec());
        let mut mix = std::mem::take(&mut tools.mix);
        mix.clear();
        for source in &self.legs[place].hears {
            if let Some(heard) = self.frame_of(*source, place) {
                mix.add(frames[heard].at(rate));
            }
        }
        let mut samples = std::mem::take(&mut tools.samples);
        samples.clear();
        if self.legs[place].dial_tones(rate, &mut samples) {
            mix.add(&samples);
        }
        tools.samples = samples;
        self.legs[place].encode(now, Some(&mix), tools, out);
        tools.mix = mix;
    }

    /// Which frame a source is, for a listener.
    fn frame_of(&self, source: Source, listener: usize) -> Option<usize> {
        match source {
            Source::Leg(id) => self.place(id),
            Source::Player(id) => {
                let player = self.players.iter().position(|player| player.id == id)?;
                let is_echo = self.players[player].is_echo;
                Some(if is_echo { listener } else { self.legs.len() + player })
            }
        }
    }
}

impl Leg {
    /// Encodes 20 ms and sends what is full; silence if there is nothing to hear.
    fn encode(&mut self, now: Timestamp, heard: Option<&Mix>, tools: &mut Tools, out: &mut Outbox) {
        let Some(mut encoding) = self.encoding.take() else { return };
        let rate = rate_of(self.codec());
        let samples = &mut tools.samples;
        match heard {
            Some(mix) => mix.write(rate.frame(), samples),
            None => Mix::default().write(rate.frame(), samples),
        }
        let payload_type = self.agreement.as_deref().map_or(0, |a| a.payload_type);
        encoding.run(samples, &mut tools.payload, |units, payload| {
            let stamp = self.outgoing.local(now, units);
            self.send(stamp, payload_type, payload, out);
        });
        self.encoding = Some(encoding);
    }
}
