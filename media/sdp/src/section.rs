//! Audio sections as we write them: offered, answered and refused.

use crate::agreement::{Agreement, Direction, Suite};
use crate::audio;
use crate::codec::Codec;
use crate::crypto;
use crate::description::{Attribute, Media};
use crate::negotiation::{Capabilities, CryptoPolicy, Local};

const EVENT_8K: u8 = 101;
const EVENT_48K: u8 = 110;

/// A stream that is not wanted, in its place (RFC 3264 6).
pub(crate) fn refused(media: &Media) -> Media {
    Media {
        kind: media.kind.clone(),
        port: 0,
        protocol: media.protocol.clone(),
        formats: media.formats.clone(),
        connection: None,
        direction: None,
        attributes: Vec::new(),
    }
}

/// Our section of an offer, after our previous one in the session.
pub(crate) fn offered_audio(caps: &Capabilities, local: &Local, previous: Option<&Media>) -> Media {
    // Without a key the section has no crypto line and is refused, rather than sent in clear.
    let is_secure = matches!(caps.crypto, CryptoPolicy::Required | CryptoPolicy::Preferred);
    let mut types = PayloadTypes::after(previous);
    let mut audio = Section::default();
    for codec in &caps.codecs {
        audio.codec(types.of_codec(*codec), *codec);
    }
    if caps.dtmf {
        let has = |clock| caps.codecs.iter().any(|codec| codec.clock_rate() == clock);
        for clock in [48_000, 8_000].into_iter().filter(|clock| has(*clock)) {
            audio.event(types.of_event(clock), clock);
        }
    }
    if let (true, Some(key)) = (is_secure, local.key) {
        audio.key(1, Suite::AesCm128HmacSha1_80, key);
    }
    if previous.is_some_and(|previous| previous.has("rtcp-mux")) {
        audio.attributes.push(Attribute::flag("rtcp-mux"));
    }
    let protocol = if is_secure { "RTP/SAVP" } else { "RTP/AVP" };
    audio.finish(protocol, local.port, caps.ptime_ms, local.direction)
}

/// Our section of an answer.
pub(crate) fn answered_audio(
    caps: &Capabilities,
    local: &Local,
    offered: &Media,
    agreement: &Agreement,
    key_tag: u32,
) -> Media {
    let mut audio = Section::default();
    audio.codec(agreement.payload_type, agreement.codec);
    if let Some(payload_type) = agreement.dtmf_receive {
        audio.event(payload_type, agreement.dtmf_clock);
    }
    if let Some(pair) = &agreement.crypto {
        audio.key(key_tag, pair.suite, pair.send);
    }
    if agreement.rtcp_mux {
        audio.attributes.push(Attribute::flag("rtcp-mux"));
    }
    audio.finish(&offered.protocol, local.port, caps.ptime_ms, agreement.direction)
}

/// Hands out payload types, those of the previous description first (RFC 3264 8.3.2).
struct PayloadTypes {
    codecs: Vec<(u8, Codec)>,
    events: Vec<(u8, u32)>,
}

impl PayloadTypes {
    fn after(previous: Option<&Media>) -> Self {
        Self {
            codecs: previous.map(audio::codecs).unwrap_or_default(),
            events: previous.map(audio::events).unwrap_or_default(),
        }
    }

    fn of_codec(&mut self, codec: Codec) -> u8 {
        if let Some((payload_type, _)) = self.codecs.iter().find(|(_, known)| *known == codec) {
            return *payload_type;
        }
        let payload_type = self.free(codec.payload_type());
        self.codecs.push((payload_type, codec));
        payload_type
    }

    fn of_event(&mut self, clock: u32) -> u8 {
        if let Some((payload_type, _)) = self.events.iter().find(|(_, known)| *known == clock) {
            return *payload_type;
        }
        let usual = if clock == 48_000 { EVENT_48K } else { EVENT_8K };
        let payload_type = self.free(usual);
        self.events.push((payload_type, clock));
        payload_type
    }

    /// The usual number, or the first dynamic one that the peer did not take for another.
    fn free(&self, usual: u8) -> u8 {
        let is_free = |number: &u8| {
            self.codecs.iter().all(|(taken, _)| taken != number)
                && self.events.iter().all(|(taken, _)| taken != number)
        };
        std::iter::once(usual).chain(96..=127).find(is_free).unwrap_or(usual)
    }
}

/// An audio section being written.
#[derive(Default)]
struct Section {
    formats: Vec<String>,
    attributes: Vec<Attribute>,
}

impl Section {
    fn codec(&mut self, payload_type: u8, codec: Codec) {
        self.formats.push(payload_type.to_string());
        self.map("rtpmap", payload_type, codec.rtpmap());
        if codec == Codec::Opus {
            self.map("fmtp", payload_type, "useinbandfec=1");
        }
    }

    fn event(&mut self, payload_type: u8, clock: u32) {
        self.formats.push(payload_type.to_string());
        self.map("rtpmap", payload_type, &format!("telephone-event/{clock}"));
        self.map("fmtp", payload_type, "0-15");
    }

    fn key(&mut self, tag: u32, suite: Suite, key: [u8; 30]) {
        let line = crypto::Line { tag, suite, key };
        self.attributes.push(Attribute::with("crypto", crypto::write(&line)));
    }

    fn map(&mut self, name: &str, payload_type: u8, value: &str) {
        self.attributes.push(Attribute::with(name, format!("{payload_type} {value}")));
    }

    fn finish(mut self, protocol: &str, port: u16, ptime_ms: u8, direction: Direction) -> Media {
        self.attributes.push(Attribute::with("ptime", ptime_ms.to_string()));
        Media {
            kind: "audio".to_owned(),
            port,
            protocol: protocol.to_owned(),
            formats: self.formats,
            connection: None,
            direction: Some(direction),
            attributes: self.attributes,
        }
    }
}
