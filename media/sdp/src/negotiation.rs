//! Offers and answers for one audio stream (RFC 3264).
//!
//! One codec is answered, so that both ways agree and calls can be relayed as they are. Other
//! streams are refused with port 0 in their places. BUNDLE, ICE and unknown attributes are
//! ignored, which RFC 8866 allows and which makes the peer fall back.

use std::net::IpAddr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::agreement::{Agreement, CryptoPair, Direction};
use crate::audio;
use crate::codec::Codec;
use crate::crypto;
use crate::description::{Connection, Description, Media, Origin};
use crate::section::{answered_audio, offered_audio, refused};

/// What our side can do, by configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// The codecs we speak, best first.
    pub codecs: Vec<Codec>,
    /// Whose order of codecs counts when we answer.
    pub prefer: Preference,
    /// Telephone events (RFC 4733) are offered and taken.
    pub dtmf: bool,
    /// Whether the audio is encrypted.
    pub crypto: CryptoPolicy,
    /// Our packet time, in ms.
    pub ptime_ms: u8,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            codecs: Codec::ALL.to_vec(),
            prefer: Preference::Theirs,
            dtmf: true,
            crypto: CryptoPolicy::Off,
            ptime_ms: 20,
        }
    }
}

impl Capabilities {
    /// The same capabilities for the next round of an established session.
    ///
    /// What is encrypted stays encrypted: a re-INVITE cannot take it away. What was agreed in
    /// clear is offered in clear again.
    #[must_use]
    pub fn keeping(mut self, agreed: &Agreement) -> Self {
        self.crypto = match (&agreed.crypto, self.crypto) {
            (Some(_), _) => CryptoPolicy::Required,
            (None, CryptoPolicy::Preferred) => CryptoPolicy::Optional,
            (None, policy) => policy,
        };
        self
    }
}

/// Whose order of codecs counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preference {
    /// The offerer's: its first codec that we speak.
    #[default]
    Theirs,
    /// Ours: our first codec that it speaks.
    Ours,
}

/// Whether audio is encrypted with SDES SRTP.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CryptoPolicy {
    /// Never; an `RTP/SAVP` offer is refused.
    #[default]
    Off,
    /// When the peer offers it; our own offers are plain.
    Optional,
    /// Our own offers are encrypted; a plain one of the peer's is taken too.
    Preferred,
    /// Always; a plain offer is refused.
    Required,
}

/// Our end of the stream.
#[derive(Clone, PartialEq, Eq)]
pub struct Local {
    /// The address where media is to come.
    pub addr: IpAddr,
    /// The RTP port there; RTCP is the next one.
    pub port: u16,
    /// The `o=` session number, the same for the whole session.
    pub session_id: u64,
    /// The `o=` version; see [`renew`].
    pub version: u64,
    /// What we want to do with the stream.
    pub direction: Direction,
    /// Our SRTP master key and salt.
    pub key: Option<[u8; 30]>,
}

/// Why no stream can be agreed; answered with 488 (RFC 3261 21.4.26).
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Unacceptable {
    /// No audio section, or only ones with port 0.
    #[error("no audio stream is offered")]
    NoAudio,
    /// The peer answered our audio with port 0, or left it out.
    #[error("the audio stream is refused")]
    Refused,
    /// No codec that both speak.
    #[error("no common codec")]
    NoCommonCodec,
    /// A transport that is not RTP by SDES or plain.
    #[error("transport {0} is not supported")]
    Transport(String),
    /// The policy on encryption is not met.
    #[error("encryption does not match the policy")]
    Encryption,
    /// The stream is encrypted, but no key line can be used.
    #[error("no usable crypto line")]
    NoCryptoLine,
    /// The stream is encrypted, but we were given no key of our own.
    #[error("no key for an encrypted stream")]
    NoKey,
    /// The media address is missing, a name, of another family or not for one host.
    #[error("the media address cannot be used")]
    Address,
}

/// Writes the first offer of a session.
#[must_use]
pub fn offer(caps: &Capabilities, local: &Local) -> Bytes {
    write(&Description { media: vec![offered_audio(caps, local, None)], ..skeleton(local) })
}

/// Writes a later offer of a session, after our last description in it.
///
/// The places of the streams and the payload types stay (RFC 3264 8).
#[must_use]
pub fn offer_again(caps: &Capabilities, local: &Local, previous: &Description) -> Bytes {
    let Some(place) = live_audio(previous) else { return offer(caps, local) };
    let media = previous.media.iter().enumerate().map(|(index, media)| {
        if index == place { offered_audio(caps, local, Some(media)) } else { refused(media) }
    });
    write(&Description { media: media.collect(), ..skeleton(local) })
}

/// Answers an offer.
///
/// # Errors
///
/// Says why it cannot be answered; the request is refused with 488.
pub fn answer(
    caps: &Capabilities,
    local: &Local,
    offer: &Description,
) -> Result<(Bytes, Agreement), Unacceptable> {
    let (place, agreement, key_tag) = choose(caps, local, offer)?;
    let media = offer.media.iter().enumerate().map(|(index, media)| {
        if index == place {
            answered_audio(caps, local, media, &agreement, key_tag)
        } else {
            refused(media)
        }
    });
    Ok((write(&Description { media: media.collect(), ..skeleton(local) }), agreement))
}

/// Answers a later offer, after what was agreed before. To a peer that encrypts by another key now
/// it gives us another key, too: some peers then count the rollovers of both ways anew, some only
/// those of theirs (RFC 3711 3.3.1), and so they do the same.
///
/// # Errors
///
/// As [`answer`].
pub fn answer_again(
    caps: &Capabilities,
    local: &mut Local,
    offer: &Description,
    before: Option<&Agreement>,
    fresh_key: impl FnOnce() -> [u8; 30],
) -> Result<(Bytes, Agreement), Unacceptable> {
    let first = answer(caps, local, offer)?;
    if !first.1.has_other_key(before) {
        return Ok(first);
    }
    local.key = Some(fresh_key());
    answer(caps, local, offer)
}

/// Takes the answer to our offer.
///
/// # Errors
///
/// Says why the answer does not fit the offer; the session is then ended.
pub fn accept(
    caps: &Capabilities,
    local: &Local,
    sent: &Description,
    answer: &Description,
) -> Result<Agreement, Unacceptable> {
    let place = live_audio(sent).ok_or(Unacceptable::NoAudio)?;
    let ours = &sent.media[place];
    let theirs = answer.media.get(place).ok_or(Unacceptable::Refused)?;
    if theirs.kind != "audio" || theirs.port == 0 {
        return Err(Unacceptable::Refused);
    }
    let is_secure = audio::is_secure(ours)?;
    if audio::is_secure(theirs)? != is_secure {
        return Err(Unacceptable::Encryption);
    }
    check_policy(caps.crypto, is_secure)?;
    let crypto = if is_secure { Some(accepted_keys(local, ours, theirs)?) } else { None };

    let offered = audio::codecs(ours);
    let answered = audio::codecs(theirs);
    let is_answered = |codec| answered.iter().any(|(_, theirs)| *theirs == codec);
    let accepts: Vec<_> =
        offered.iter().copied().filter(|(_, codec)| is_answered(*codec)).collect();
    let (payload_type, codec) = answered
        .into_iter()
        .find(|(_, codec)| accepts.iter().any(|(_, ours)| ours == codec))
        .ok_or(Unacceptable::NoCommonCodec)?;

    let mut events = audio::events(theirs);
    let our_events = audio::events(ours);
    events.retain(|(_, clock)| our_events.iter().any(|(_, ours)| ours == clock));
    let event = audio::event_for(&events, codec).filter(|_| caps.dtmf);
    let receive = event.and_then(|(_, clock)| {
        our_events.iter().find(|(_, ours)| *ours == clock).map(|(payload_type, _)| *payload_type)
    });
    let (remote, remote_rtcp, rtcp_mux) =
        addresses(answer, theirs, local.addr, ours.has("rtcp-mux"))?;
    let said = audio::direction(answer, theirs);
    Ok(Agreement {
        remote,
        remote_rtcp,
        rtcp_mux,
        codec,
        payload_type,
        accepts,
        dtmf: event.map(|(payload_type, _)| payload_type),
        dtmf_receive: receive,
        dtmf_clock: event.map_or(8_000, |(_, clock)| clock),
        direction: local.direction.and(said.reversed()),
        ptime_ms: audio::ptime(theirs, caps.ptime_ms),
        crypto,
        held_by_remote: local.direction.sends() && !said.receives(),
    })
}

/// Gives a description the version that RFC 3264 section 8 asks for.
///
/// That is the previous one's when nothing but the version differs, else one more.
#[must_use]
pub fn renew(previous: &Description, mut next: Description) -> Bytes {
    next.origin.version.clone_from(&previous.origin.version);
    if next != *previous {
        let version: u64 = previous.origin.version.parse().unwrap_or(0);
        next.origin.version = version.wrapping_add(1).to_string();
    }
    write(&next)
}

fn write(description: &Description) -> Bytes {
    Bytes::from(description.to_string())
}

fn skeleton(local: &Local) -> Description {
    let connection = Connection::of(local.addr);
    Description {
        origin: Origin {
            username: "-".to_owned(),
            session_id: local.session_id.to_string(),
            version: local.version.to_string(),
            connection: connection.clone(),
        },
        name: "-".to_owned(),
        connection: Some(connection),
        direction: None,
        attributes: Vec::new(),
        media: Vec::new(),
    }
}

fn live_audio(description: &Description) -> Option<usize> {
    description.media.iter().position(|media| media.kind == "audio" && media.port != 0)
}

/// The audio section to answer, what it comes to, and the tag of its key line.
///
/// Phones that would like encryption offer the stream twice; the encrypted one is taken.
fn choose(
    caps: &Capabilities,
    local: &Local,
    offer: &Description,
) -> Result<(usize, Agreement, u32), Unacceptable> {
    let mut plain = None;
    let mut fault = None;
    for (index, media) in offer.media.iter().enumerate() {
        if media.kind != "audio" || media.port == 0 {
            continue;
        }
        match consider(caps, local, offer, media) {
            Ok((agreement, tag)) if agreement.crypto.is_some() => {
                return Ok((index, agreement, tag));
            }
            Ok((agreement, tag)) => plain = plain.or(Some((index, agreement, tag))),
            Err(why) => fault = fault.or(Some(why)),
        }
    }
    plain.ok_or(fault.unwrap_or(Unacceptable::NoAudio))
}

fn consider(
    caps: &Capabilities,
    local: &Local,
    offer: &Description,
    media: &Media,
) -> Result<(Agreement, u32), Unacceptable> {
    let is_secure = audio::is_secure(media)?;
    check_policy(caps.crypto, is_secure)?;
    let line = match is_secure {
        true => Some(crypto::lines(media).next().ok_or(Unacceptable::NoCryptoLine)?),
        false => None,
    };
    let crypto = match &line {
        Some(line) => Some(key_pair(local, line)?),
        None => None,
    };
    let offered = audio::codecs(media);
    let (payload_type, codec) = match caps.prefer {
        Preference::Theirs => offered.iter().find(|(_, codec)| caps.codecs.contains(codec)),
        Preference::Ours => {
            let of = |codec: &Codec| offered.iter().find(|(_, theirs)| theirs == codec);
            caps.codecs.iter().find_map(of)
        }
    }
    .copied()
    .ok_or(Unacceptable::NoCommonCodec)?;
    let event = audio::event_for(&audio::events(media), codec).filter(|_| caps.dtmf);
    let event_type = event.map(|(payload_type, _)| payload_type);
    let (remote, remote_rtcp, rtcp_mux) = addresses(offer, media, local.addr, true)?;
    let said = audio::direction(offer, media);
    let agreement = Agreement {
        remote,
        remote_rtcp,
        rtcp_mux,
        codec,
        payload_type,
        accepts: vec![(payload_type, codec)],
        dtmf: event_type,
        dtmf_receive: event_type,
        dtmf_clock: event.map_or(8_000, |(_, clock)| clock),
        direction: local.direction.and(said.reversed()),
        ptime_ms: audio::ptime(media, caps.ptime_ms),
        crypto,
        held_by_remote: !said.receives(),
    };
    Ok((agreement, line.map_or(0, |line| line.tag)))
}

fn check_policy(policy: CryptoPolicy, is_secure: bool) -> Result<(), Unacceptable> {
    match (policy, is_secure) {
        (CryptoPolicy::Off, true) | (CryptoPolicy::Required, false) => {
            Err(Unacceptable::Encryption)
        }
        (CryptoPolicy::Optional | CryptoPolicy::Preferred, _)
        | (CryptoPolicy::Off, false)
        | (CryptoPolicy::Required, true) => Ok(()),
    }
}

/// RFC 4568 7.1.3: the answer's line repeats the tag and suite of one that was offered.
fn accepted_keys(local: &Local, ours: &Media, theirs: &Media) -> Result<CryptoPair, Unacceptable> {
    let line = crypto::lines(theirs)
        .find(|line| {
            crypto::lines(ours).any(|sent| (sent.tag, sent.suite) == (line.tag, line.suite))
        })
        .ok_or(Unacceptable::NoCryptoLine)?;
    key_pair(local, &line)
}

fn key_pair(local: &Local, theirs: &crypto::Line) -> Result<CryptoPair, Unacceptable> {
    let send = local.key.ok_or(Unacceptable::NoKey)?;
    // RFC 4568 6.1: each side has its own key; an echo of ours would repeat the key stream.
    if send == theirs.key {
        return Err(Unacceptable::NoCryptoLine);
    }
    Ok(CryptoPair { send, receive: theirs.key, suite: theirs.suite })
}

fn addresses(
    description: &Description,
    media: &Media,
    local: IpAddr,
    mux_allowed: bool,
) -> Result<(std::net::SocketAddr, std::net::SocketAddr, bool), Unacceptable> {
    let rtp = audio::address(description, media, local)?;
    if mux_allowed && media.has("rtcp-mux") {
        return Ok((rtp, rtp, true));
    }
    Ok((rtp, audio::rtcp_address(media, rtp), false))
}
