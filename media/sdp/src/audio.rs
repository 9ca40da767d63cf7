//! What one audio section says: its transport, address, codecs, events and packet time.

use std::net::{IpAddr, SocketAddr};

use crate::agreement::Direction;
use crate::codec::Codec;
use crate::description::{Connection, Description, Media};
use crate::negotiation::Unacceptable;

/// The payload type and clock rate of a telephone-event format (RFC 4733 7.1.1).
pub(crate) type Event = (u8, u32);

/// Whether the section is encrypted by SDES, if its transport is one that we speak.
pub(crate) fn is_secure(media: &Media) -> Result<bool, Unacceptable> {
    match media.protocol.as_str() {
        "RTP/AVP" | "RTP/AVPF" => Ok(false),
        "RTP/SAVP" | "RTP/SAVPF" => Ok(true),
        other => Err(Unacceptable::Transport(other.to_owned())),
    }
}

/// Our codecs among the section's formats, in its order.
pub(crate) fn codecs(media: &Media) -> Vec<(u8, Codec)> {
    let mut found: Vec<(u8, Codec)> = Vec::new();
    for payload_type in payload_types(media) {
        let codec = match media.mapped("rtpmap", payload_type) {
            Some(rtpmap) => Codec::of_rtpmap(rtpmap),
            None => Codec::of_static(payload_type),
        };
        let is_new = found.iter().all(|(known, _)| *known != payload_type);
        if let (Some(codec), true) = (codec, is_new) {
            found.push((payload_type, codec));
        }
    }
    found
}

/// The telephone-event formats of the section, in its order.
pub(crate) fn events(media: &Media) -> Vec<Event> {
    let clock_of = |payload_type| {
        let (name, clock) = media.mapped("rtpmap", payload_type)?.split_once('/')?;
        let clock = clock.split('/').next()?.trim().parse().ok()?;
        name.eq_ignore_ascii_case("telephone-event").then_some(clock)
    };
    payload_types(media)
        .filter_map(|payload_type| Some((payload_type, clock_of(payload_type)?)))
        .filter(|(_, clock)| matches!(clock, 8_000 | 48_000))
        .collect()
}

/// The event format that goes with a codec: the codec's own clock, else 8 kHz, which many
/// phones use with every codec.
pub(crate) fn event_for(events: &[Event], codec: Codec) -> Option<Event> {
    let of = |clock| events.iter().copied().find(|(_, event_clock)| *event_clock == clock);
    of(codec.clock_rate()).or_else(|| of(8_000))
}

fn payload_types(media: &Media) -> impl Iterator<Item = u8> {
    media.formats.iter().filter_map(|format| format.parse().ok()).filter(|number| *number < 128)
}

/// Where the section's RTP goes.
pub(crate) fn address(
    description: &Description,
    media: &Media,
    local: IpAddr,
) -> Result<SocketAddr, Unacceptable> {
    let connection = description.connection_of(media).ok_or(Unacceptable::Address)?;
    let ip = connection.ip().ok_or(Unacceptable::Address)?;
    let is_ours = ip.is_unspecified() || ip.is_ipv4() == local.is_ipv4();
    // Media for many is a way to make us flood others (RFC 3264 5.2 has no use for it here).
    let is_many = ip.is_multicast() || ip == IpAddr::V4(std::net::Ipv4Addr::BROADCAST);
    if !is_ours || is_many {
        return Err(Unacceptable::Address);
    }
    Ok(SocketAddr::new(ip, media.port))
}

/// Where the section's RTCP goes: `a=rtcp` (RFC 3605), else the next port.
pub(crate) fn rtcp_address(media: &Media, rtp: SocketAddr) -> SocketAddr {
    let next = SocketAddr::new(rtp.ip(), rtp.port().saturating_add(1));
    let Some(value) = media.values("rtcp").next() else { return next };
    let (port, rest) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
    let Ok(port) = port.parse() else { return next };
    let ip = rest.rsplit(' ').next().and_then(|host| host.parse::<IpAddr>().ok());
    // Only the same host may be named, so that reports cannot be aimed at a third party.
    match ip {
        Some(ip) if ip != rtp.ip() => next,
        _ => SocketAddr::new(rtp.ip(), port),
    }
}

/// What the writer of the section does with it; 0.0.0.0 is the hold of RFC 2543.
pub(crate) fn direction(description: &Description, media: &Media) -> Direction {
    let said = description.direction_of(media);
    let ip = description.connection_of(media).and_then(Connection::ip);
    if ip.is_some_and(|ip| ip.is_unspecified()) {
        return Direction::of(said.sends(), false);
    }
    said
}

/// The packet time to send with: the peer's wish in steps of ours, within its maximum.
pub(crate) fn ptime(media: &Media, ours: u8) -> u8 {
    const LONGEST_MS: u16 = 60;
    let number = |name| {
        media.values(name).next().and_then(|value| value.trim().parse::<f32>().ok()).map(|ms| {
            // A float cast saturates, and a NaN becomes 0.
            ms as u16
        })
    };
    let step = u16::from(ours.max(10));
    let wish = number("ptime").unwrap_or(step);
    let most = number("maxptime").unwrap_or(LONGEST_MS).clamp(step, LONGEST_MS.max(step));
    let wish = wish.clamp(step, most);
    u8::try_from(wish - wish % step).unwrap_or(ours)
}
