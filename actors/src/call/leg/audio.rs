//! What a leg's two sides said about audio, and what the engine was told of it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use ractor::ActorRef;
use tandem_config::resource::{DtmfMode, Encryption};
use tandem_engine::{LocalMedia, fresh_key};
use tandem_kernel::LegId;
use tandem_sdp::{
    Agreement, Capabilities, Codec, CryptoPolicy, Description, Direction, Local, Preference,
};

use crate::call::message::CallMsg;
use crate::exchange::Exchange;

/// Not Acceptable Here: no media that both sides can do (RFC 3261 21.4.26).
const NOT_ACCEPTABLE: u16 = 488;

/// The audio of one leg.
pub(super) struct Audio {
    caps: Capabilities,
    local: Local,
    /// Our last description; the next one is numbered after it.
    sent: Option<Description>,
    /// What takes the first offer's place if the peer refuses that.
    second: Option<(CryptoPolicy, Bytes)>,
    /// The offer that is not answered yet.
    offered: Option<Description>,
    /// Our answer to the INVITE, to be said again in the 200 after a 183.
    answered: Option<Bytes>,
    agreement: Option<Agreement>,
    held: bool,
}

/// What a resource's settings come to.
#[must_use]
pub(crate) fn capabilities(
    codecs: &[String],
    dtmf: DtmfMode,
    encryption: Encryption,
) -> Capabilities {
    let named = |name: &String| match name.as_str() {
        "pcmu" => Some(Codec::Pcmu),
        "pcma" => Some(Codec::Pcma),
        "g722" => Some(Codec::G722),
        "opus" => Some(Codec::Opus),
        _ => None,
    };
    Capabilities {
        codecs: codecs.iter().filter_map(named).collect(),
        prefer: Preference::Theirs,
        dtmf: matches!(dtmf, DtmfMode::Auto | DtmfMode::Rfc4733),
        crypto: match encryption {
            Encryption::Off => CryptoPolicy::Off,
            Encryption::Optional => CryptoPolicy::Optional,
            Encryption::Required => CryptoPolicy::Required,
        },
        ptime_ms: 20,
    }
}

impl Audio {
    /// Reserves a port pair.
    ///
    /// # Errors
    /// 503 when there is none.
    pub(super) fn open(
        exchange: &Exchange,
        id: LegId,
        caps: Capabilities,
        myself: &ActorRef<CallMsg>,
    ) -> Result<Self, u16> {
        let media = reserve(exchange, id, myself)?;
        let local = Local {
            addr: media.addr,
            port: media.port,
            session_id: exchange.clock.now().as_micros(),
            version: 1,
            direction: Direction::SendRecv,
            key: Some(media.key),
        };
        Ok(Self {
            caps,
            local,
            sent: None,
            second: None,
            offered: None,
            answered: None,
            agreement: None,
            held: false,
        })
    }

    /// Whether an INVITE's offer can be answered; one without an offer can.
    ///
    /// # Errors
    /// 488 when it can not.
    pub(super) fn can_answer(caps: &Capabilities, body: &Bytes) -> Result<(), u16> {
        if body.is_empty() {
            return Ok(());
        }
        let offer = tandem_sdp::parse(body).map_err(|_| NOT_ACCEPTABLE)?;
        let nowhere = Local {
            addr: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: 0,
            session_id: 0,
            version: 1,
            direction: Direction::SendRecv,
            key: Some([0; 30]),
        };
        tandem_sdp::answer(caps, &nowhere, &offer).map_err(|_| NOT_ACCEPTABLE)?;
        Ok(())
    }

    /// The audio of a leg of which only our last description is known.
    ///
    /// # Errors
    /// 503 when there is no port pair.
    pub(super) fn revive(
        exchange: &Exchange,
        id: LegId,
        mut caps: Capabilities,
        said: Option<&[u8]>,
        myself: &ActorRef<CallMsg>,
    ) -> Result<Self, u16> {
        let sent = said.and_then(|said| tandem_sdp::parse(said).ok());
        if let Some(sent) = &sent {
            let is_encrypted = sent.media.iter().any(|media| media.protocol.contains("SAVP"));
            // What is encrypted stays so, and what is not was agreed in clear.
            caps.crypto = if is_encrypted { CryptoPolicy::Required } else { CryptoPolicy::Off };
        }
        let mut audio = Self::open(exchange, id, caps, myself)?;
        let number = |text: &str| text.parse().ok();
        if let Some(origin) = sent.as_ref().map(|sent| &sent.origin) {
            audio.local.session_id = number(&origin.session_id).unwrap_or(audio.local.session_id);
            audio.local.version = number(&origin.version).unwrap_or(1);
        }
        audio.sent = sent;
        Ok(audio)
    }

    /// The same audio at another port pair, for a leg that moves to another call.
    pub(super) fn reopen(
        &self,
        exchange: &Exchange,
        id: LegId,
        myself: &ActorRef<CallMsg>,
    ) -> Result<Self, u16> {
        let media = reserve(exchange, id, myself)?;
        let local = Local {
            addr: media.addr,
            port: media.port,
            key: Some(media.key),
            version: self.local.version + 1,
            ..self.local.clone()
        };
        let (caps, sent) = (self.standing(), self.sent.clone());
        let (second, offered, answered) = (None, None, None);
        Ok(Self { caps, local, sent, second, offered, answered, agreement: None, held: false })
    }

    /// Keeps the INVITE's offer; an empty body asks for ours.
    pub(super) fn with_offer(mut self, body: &Bytes) -> Result<Self, u16> {
        if !body.is_empty() {
            self.offered = Some(tandem_sdp::parse(body).map_err(|_| NOT_ACCEPTABLE)?);
        }
        Ok(self)
    }

    /// The way to the phone is another one now: whether what is said from now on is encrypted.
    pub(super) fn encrypt(&mut self, policy: CryptoPolicy) {
        self.caps.crypto = policy;
        if policy == CryptoPolicy::Off
            && let Some(agreement) = &mut self.agreement
        {
            agreement.crypto = None;
        }
    }

    /// What we can do from here on: what was agreed on encryption stays.
    fn standing(&self) -> Capabilities {
        match &self.agreement {
            Some(agreement) => self.caps.clone().keeping(agreement),
            None => self.caps.clone(),
        }
    }

    /// Our offer, with the codec of the other leg first.
    pub(super) fn offer(&mut self) -> Bytes {
        let caps = self.standing();
        let next = match &self.sent {
            Some(previous) => {
                self.local.version += 1;
                tandem_sdp::offer_again(&caps, &self.local, previous)
            }
            None => tandem_sdp::offer(&caps, &self.local),
        };
        self.keep(&next);
        next
    }

    /// The offer of an INVITE, and what is offered if the peer refuses it. Where encryption is
    /// optional the peer decides: it is offered first where the keys travel encrypted
    /// (RFC 4568 8), else in the second place, to a phone that refuses plain media.
    pub(super) fn first_offer(&mut self, is_private: bool) -> (Bytes, Option<Bytes>) {
        if self.caps.crypto != CryptoPolicy::Optional {
            return (self.offer(), None);
        }
        let (first, second) = if is_private {
            (CryptoPolicy::Preferred, CryptoPolicy::Optional)
        } else {
            (CryptoPolicy::Optional, CryptoPolicy::Preferred)
        };
        self.caps.crypto = first;
        let offer = self.offer();
        self.local.version += 1;
        let caps = Capabilities { crypto: second, ..self.caps.clone() };
        let other = tandem_sdp::offer(&caps, &self.local);
        self.second = Some((second, other.clone()));
        (offer, Some(other))
    }

    /// The peer refused the first offer and is given the second.
    pub(super) fn offered_again(&mut self) {
        if let Some((policy, offer)) = self.second.take() {
            self.caps.crypto = policy;
            self.keep(&offer);
        }
    }

    /// Puts a codec first, so that nothing need be transcoded.
    pub(super) fn prefer(&mut self, codec: Option<Codec>) {
        let Some(codec) = codec else { return };
        if let Some(at) = self.caps.codecs.iter().position(|own| *own == codec) {
            let first = self.caps.codecs.remove(at);
            self.caps.codecs.insert(0, first);
            self.caps.prefer = Preference::Ours;
        }
    }

    /// The answer to the INVITE's offer, the same each time; or our offer if it had none.
    pub(super) fn first_answer(
        &mut self,
        exchange: &Exchange,
        id: LegId,
        prefer: Option<Codec>,
    ) -> Result<Bytes, u16> {
        if let Some(answered) = &self.answered {
            return Ok(answered.clone());
        }
        self.prefer(prefer);
        let answer = match self.offered.take() {
            Some(offer) => {
                let (answer, agreement) = tandem_sdp::answer(&self.caps, &self.local, &offer)
                    .map_err(|_| NOT_ACCEPTABLE)?;
                self.keep(&answer);
                self.agree(exchange, id, agreement);
                answer
            }
            None => self.offer(),
        };
        self.answered = Some(answer.clone());
        Ok(answer)
    }

    /// The answer to a later offer, and whether the party began or ended a hold.
    pub(super) fn answer_again(
        &mut self,
        exchange: &Exchange,
        id: LegId,
        offer: &[u8],
    ) -> Result<(Bytes, Option<bool>), u16> {
        let offer = tandem_sdp::parse(offer).map_err(|_| NOT_ACCEPTABLE)?;
        let caps = self.standing();
        self.local.version += 1;
        let before = self.agreement.as_ref();
        let (answer, agreement) =
            tandem_sdp::answer_again(&caps, &mut self.local, &offer, before, fresh_key)
                .map_err(|_| NOT_ACCEPTABLE)?;
        self.keep(&answer);
        Ok((answer, self.agree(exchange, id, agreement)))
    }

    /// Takes the answer to our offer, and says whether the party began or ended a hold.
    pub(super) fn accept(
        &mut self,
        exchange: &Exchange,
        id: LegId,
        answer: &[u8],
    ) -> Result<Option<bool>, u16> {
        let answer = tandem_sdp::parse(answer).map_err(|_| NOT_ACCEPTABLE)?;
        let sent = self.sent.as_ref().ok_or(NOT_ACCEPTABLE)?;
        let agreement = tandem_sdp::accept(&self.caps, &self.local, sent, &answer)
            .map_err(|_| NOT_ACCEPTABLE)?;
        Ok(self.agree(exchange, id, agreement))
    }

    fn agree(&mut self, exchange: &Exchange, id: LegId, agreement: Agreement) -> Option<bool> {
        let held = agreement.held_by_remote;
        if self.agreement.as_ref() != Some(&agreement) {
            exchange.engine.connect(id, agreement.clone());
            self.agreement = Some(agreement);
        }
        (std::mem::replace(&mut self.held, held) != held).then_some(held)
    }

    fn keep(&mut self, said: &Bytes) {
        // What we wrote ourselves can be read; if not, the next description begins anew.
        self.sent = tandem_sdp::parse(said).ok();
    }

    /// The codec that was agreed, or the first of the offer that we speak.
    pub(super) fn codec(&self) -> Option<Codec> {
        if let Some(agreement) = &self.agreement {
            return Some(agreement.codec);
        }
        let offer = self.offered.as_ref()?;
        let agreed = tandem_sdp::answer(&self.caps, &self.local, offer).ok()?;
        Some(agreed.1.codec)
    }
}

fn reserve(exchange: &Exchange, id: LegId, myself: &ActorRef<CallMsg>) -> Result<LocalMedia, u16> {
    let call = myself.clone();
    let sink = Arc::new(move |event| {
        // A call that is gone needs no more events.
        let _gone = call.cast(CallMsg::Media(event));
    });
    exchange.engine.open(id, sink).map_err(|error| {
        tracing::warn!(leg = %id, %error, "no media for a leg");
        503
    })
}
