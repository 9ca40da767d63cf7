//! SRTP and SRTCP for SDES keys (RFC 3711), around the `rtc-srtp` crate.
//!
//! Two things are done here because the crate leaves them open. It keeps state for each SSRC
//! that it is shown, forged or not: here a source is only kept once a packet of it has been
//! authenticated. And its rollover counters are private: here they are counted along, and
//! restored by leading a fresh context through the rollovers.

use bytes::BytesMut;
use rtc_srtp::context::Context;
use rtc_srtp::crypto::providers::RingCrypto;
use rtc_srtp::protection_profile::ProtectionProfile;
use thiserror::Error;

use crate::packet::{HEADER_LEN, Header, Packet};

/// The most sources of one leg that are kept; phones use one, and another after a transfer.
const MAX_SOURCES: usize = 4;
/// After so many failures with unknown sources their scratch state is thrown away.
const MAX_FAILURES: u32 = 64;
/// The most rollovers that can be restored: 4 096 are 62 days of 20 ms packets.
const MAX_ROLLOVERS: u32 = 4_096;
/// How far is looked for the rollover counter of a stream that began unheard: a day of 20 ms
/// packets.
const MAX_UNHEARD: u32 = 66;
/// Between two packets by which a context is led.
const STEP: usize = 0x4000;
const INDEX_BITS: u32 = 0x7fff_ffff;

/// The crypto suite (RFC 4568 6.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Suite {
    /// `AES_CM_128_HMAC_SHA1_80`.
    AesCm128HmacSha1_80,
    /// `AES_CM_128_HMAC_SHA1_32`; RTCP keeps its 80-bit tag.
    AesCm128HmacSha1_32,
}

impl Suite {
    const fn profile(self) -> ProtectionProfile {
        match self {
            Self::AesCm128HmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
            Self::AesCm128HmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
        }
    }
}

/// Why a packet was not protected or not believed.
#[derive(Debug, Error)]
pub enum SrtpError {
    /// Not RTP or RTCP at all.
    #[error("packet is not RTP or RTCP")]
    Malformed,
    /// The authentication tag does not fit: forged, damaged or of another key.
    #[error("authentication tag does not fit")]
    Forged,
    /// The packet was seen before, or is too old to tell.
    #[error("packet was seen before or is too old")]
    Replayed,
    /// The cryptography refused the key or the packet.
    #[error("failed to protect packet")]
    Cipher(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A rollover counter beyond what can be restored.
    #[error("rollover counter {0} is too high to restore")]
    Rollover(u32),
}

fn context(key: &[u8; 30], suite: Suite) -> Result<Context, SrtpError> {
    let (key, salt) = key.split_at(16);
    Context::new(key, salt, suite.profile(), None, None, &RingCrypto).map_err(cipher)
}

fn cipher(error: impl std::error::Error + Send + Sync + 'static) -> SrtpError {
    SrtpError::Cipher(Box::new(error))
}

/// How far a source has come: what another node needs to go on with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// The source.
    pub ssrc: u32,
    /// The rollover counter (RFC 3711 3.3.1).
    pub roc: u32,
    /// The highest sequence number.
    pub sequence: u16,
    /// The newest SRTCP index.
    pub rtcp_index: u32,
}

/// Protects what we send.
pub struct Protect {
    context: Context,
    sources: Vec<Progress>,
}

impl Protect {
    /// A context for our master key and salt.
    ///
    /// # Errors
    ///
    /// Fails when the cryptography refuses the key.
    pub fn new(key: &[u8; 30], suite: Suite) -> Result<Self, SrtpError> {
        Ok(Self { context: context(key, suite)?, sources: Vec::new() })
    }

    /// Protects an RTP packet; sequence numbers must not repeat within a source.
    ///
    /// # Errors
    ///
    /// Fails on what is not RTP, and when a key is used up.
    pub fn rtp(&mut self, packet: &[u8]) -> Result<BytesMut, SrtpError> {
        let header = Packet::parse(packet).map_err(|_| SrtpError::Malformed)?.header();
        let protected = self.context.encrypt_rtp(packet).map_err(cipher)?;
        let source = source_of(&mut self.sources, header.ssrc, header.sequence);
        let index = estimate((source.roc, source.sequence), header.sequence);
        if index > join(source.roc, source.sequence) {
            (source.roc, source.sequence) = ((index >> 16) as u32, index as u16);
        }
        Ok(protected)
    }

    /// Protects an RTCP compound packet.
    ///
    /// # Errors
    ///
    /// Fails on what is not RTCP.
    pub fn rtcp(&mut self, packet: &[u8]) -> Result<BytesMut, SrtpError> {
        let ssrc = rtcp_ssrc(packet)?;
        let protected = self.context.encrypt_rtcp(packet).map_err(cipher)?;
        let source = source_of(&mut self.sources, ssrc, 0);
        source.rtcp_index = source.rtcp_index.wrapping_add(1) & INDEX_BITS;
        Ok(protected)
    }

    /// How far each source has come.
    #[must_use]
    pub fn progress(&self) -> &[Progress] {
        &self.sources
    }

    /// Goes on where another context with the same key stopped.
    ///
    /// # Errors
    ///
    /// Fails when the counters are too high to be restored; then a new key must be agreed.
    pub fn restore(&mut self, progress: Progress) -> Result<(), SrtpError> {
        for packet in leading_packets(&progress)? {
            self.rtp(&packet)?;
        }
        let report = report_of(progress.ssrc);
        for _ in 0..progress.rtcp_index {
            self.rtcp(&report)?;
        }
        Ok(())
    }
}

/// Checks and decrypts what we receive.
pub struct Unprotect {
    key: [u8; 30],
    suite: Suite,
    sources: Vec<Source>,
    /// Tries packets of sources that were not authenticated yet.
    scratch: Option<Context>,
    failures: u32,
    /// Sources that are known may count their rollovers from 0 again.
    may_begin_anew: bool,
}

struct Source {
    ssrc: u32,
    context: Context,
    rtp: Window,
    rtcp: Window,
}

impl Unprotect {
    /// A context for the peer's master key and salt.
    ///
    /// # Errors
    ///
    /// Fails when the cryptography refuses the key.
    pub fn new(key: &[u8; 30], suite: Suite) -> Result<Self, SrtpError> {
        let scratch = Some(context(key, suite)?);
        let (sources, failures, may_begin_anew) = (Vec::new(), 0, false);
        Ok(Self { key: *key, suite, sources, scratch, failures, may_begin_anew })
    }

    /// The other way has another key now. Some peers then count the rollovers of both ways from 0,
    /// though this one's key is the same.
    pub fn may_begin_anew(&mut self) {
        self.may_begin_anew = true;
    }

    /// Checks and decrypts an SRTP packet.
    ///
    /// # Errors
    ///
    /// Says why it is not believed; it is then dropped and counted, and nothing else changes.
    pub fn rtp(&mut self, packet: &[u8]) -> Result<BytesMut, SrtpError> {
        let (ssrc, sequence) = rtp_numbers(packet)?;
        let known = self.sources.iter_mut().find(|source| source.ssrc == ssrc);
        // Of one that has only reported it is not known how far it is.
        if let Some(source) = known.filter(|source| source.rtp.highest.is_some()) {
            let index = source.rtp.estimate(sequence);
            source.rtp.check(index)?;
            if let Ok(plain) = source.context.decrypt_rtp(packet) {
                source.rtp.note(index);
                return Ok(plain);
            }
            if !self.may_begin_anew {
                return Err(SrtpError::Forged);
            }
        }
        let mut context = self.scratch()?;
        if let Ok(plain) = context.decrypt_rtp(packet) {
            self.keep(ssrc, context).rtp.note(u64::from(sequence));
            return Ok(plain);
        }
        // Seldom, because it takes as long as some hundred packets.
        let is_turn = self.failures == 0;
        self.fail(context);
        let found = if is_turn { self.find(packet, (ssrc, sequence))? } else { None };
        let (plain, context, index) = found.ok_or(SrtpError::Forged)?;
        self.keep(ssrc, context).rtp.note(index);
        Ok(plain)
    }

    /// Looks for the rollover counter of a stream whose beginning was not heard, such as that of a
    /// call that is taken over.
    fn find(
        &self,
        packet: &[u8],
        (ssrc, sequence): (u32, u16),
    ) -> Result<Option<(BytesMut, Context, u64)>, SrtpError> {
        let mut context = context(&self.key, self.suite)?;
        let mut leader = Protect::new(&self.key, self.suite)?;
        let mut led = 0;
        for roc in 1..=MAX_UNHEARD {
            let index = join(roc, sequence);
            for packet in (led..index).step_by(STEP).map(|index| leading_packet(ssrc, index)) {
                context.decrypt_rtp(&leader.rtp(&packet)?).map_err(cipher)?;
            }
            if let Ok(plain) = context.decrypt_rtp(packet) {
                return Ok(Some((plain, context, index)));
            }
            led = index;
        }
        Ok(None)
    }

    /// Checks and decrypts an SRTCP packet.
    ///
    /// # Errors
    ///
    /// Says why it is not believed; it is then dropped and counted, and nothing else changes.
    pub fn rtcp(&mut self, packet: &[u8]) -> Result<BytesMut, SrtpError> {
        let ssrc = rtcp_ssrc(packet)?;
        let index = rtcp_index(packet)?;
        if let Some(source) = self.sources.iter_mut().find(|source| source.ssrc == ssrc) {
            source.rtcp.check(index)?;
            let plain = source.context.decrypt_rtcp(packet).map_err(|_| SrtpError::Forged)?;
            source.rtcp.note(index);
            return Ok(plain);
        }
        let mut context = self.scratch()?;
        let Ok(plain) = context.decrypt_rtcp(packet) else {
            self.fail(context);
            return Err(SrtpError::Forged);
        };
        self.keep(ssrc, context).rtcp.note(index);
        Ok(plain)
    }

    /// How far each authenticated source has come.
    pub fn progress(&self) -> impl Iterator<Item = Progress> {
        self.sources.iter().map(|source| {
            let index = source.rtp.highest.unwrap_or(0);
            Progress {
                ssrc: source.ssrc,
                roc: (index >> 16) as u32,
                sequence: index as u16,
                rtcp_index: source.rtcp.highest.unwrap_or(0) as u32,
            }
        })
    }

    /// Goes on where another context with the same key stopped.
    ///
    /// # Errors
    ///
    /// Fails when the counters are too high to be restored; then a new key must be agreed.
    pub fn restore(&mut self, progress: Progress) -> Result<(), SrtpError> {
        let mut leader = Protect::new(&self.key, self.suite)?;
        for packet in leading_packets(&progress)? {
            let protected = leader.rtp(&packet)?;
            self.rtp(&protected)?;
        }
        let source = self.sources.iter_mut().find(|source| source.ssrc == progress.ssrc);
        if let (Some(source), true) = (source, progress.rtcp_index > 0) {
            source.rtcp.note(u64::from(progress.rtcp_index));
        }
        Ok(())
    }

    fn scratch(&mut self) -> Result<Context, SrtpError> {
        match self.scratch.take() {
            Some(context) => Ok(context),
            None => context(&self.key, self.suite),
        }
    }

    fn fail(&mut self, context: Context) {
        self.failures = (self.failures + 1) % MAX_FAILURES;
        if self.failures > 0 {
            self.scratch = Some(context);
        }
    }

    fn keep(&mut self, ssrc: u32, context: Context) -> &mut Source {
        self.failures = 0;
        let before = self.sources.iter().position(|source| source.ssrc == ssrc);
        let before = before.map(|at| self.sources.remove(at)).filter(|_| !self.may_begin_anew);
        let rtcp = before.map_or_else(Window::default, |source| source.rtcp);
        self.may_begin_anew = false;
        if self.sources.len() >= MAX_SOURCES {
            self.sources.remove(0);
        }
        self.sources.push(Source { ssrc, context, rtp: Window::default(), rtcp });
        let last = self.sources.len() - 1;
        &mut self.sources[last]
    }
}

/// The replay window over full packet indices (RFC 3711 3.3.2).
#[derive(Clone, Copy, Default)]
struct Window {
    highest: Option<u64>,
    /// Bit n: `highest - n` was seen.
    seen: u128,
}

impl Window {
    fn estimate(&self, sequence: u16) -> u64 {
        match self.highest {
            Some(highest) => estimate(((highest >> 16) as u32, highest as u16), sequence),
            None => u64::from(sequence),
        }
    }

    fn check(&self, index: u64) -> Result<(), SrtpError> {
        let Some(highest) = self.highest.filter(|highest| index <= *highest) else {
            return Ok(());
        };
        let behind = highest - index;
        let is_new = behind < 128 && self.seen & (1 << behind) == 0;
        if is_new { Ok(()) } else { Err(SrtpError::Replayed) }
    }

    fn note(&mut self, index: u64) {
        match self.highest {
            Some(highest) if index <= highest => {
                let behind = highest - index;
                if behind < 128 {
                    self.seen |= 1 << behind;
                }
            }
            Some(highest) => {
                let ahead = u32::try_from(index - highest).unwrap_or(u32::MAX);
                self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
                self.highest = Some(index);
            }
            None => {
                self.highest = Some(index);
                self.seen = 1;
            }
        }
    }
}

const fn join(roc: u32, sequence: u16) -> u64 {
    ((roc as u64) << 16) | sequence as u64
}

/// The packet index that a sequence number most likely means (RFC 3711 3.3.1).
fn estimate((roc, highest): (u32, u16), sequence: u16) -> u64 {
    let step = i64::from(sequence.wrapping_sub(highest) as i16);
    let index = join(roc, highest) as i64 + step;
    u64::try_from(index).unwrap_or(u64::from(sequence))
}

fn source_of(sources: &mut Vec<Progress>, ssrc: u32, sequence: u16) -> &mut Progress {
    let place = sources.iter().position(|source| source.ssrc == ssrc).unwrap_or_else(|| {
        sources.push(Progress { ssrc, roc: 0, sequence, rtcp_index: 0 });
        sources.len() - 1
    });
    &mut sources[place]
}

/// Empty packets, never sent, that lead a context to a rollover counter and sequence number.
fn leading_packets(progress: &Progress) -> Result<impl Iterator<Item = Vec<u8>>, SrtpError> {
    if progress.roc > MAX_ROLLOVERS {
        return Err(SrtpError::Rollover(progress.roc));
    }
    let last = join(progress.roc, progress.sequence);
    let ssrc = progress.ssrc;
    // A first index of 0 lets even a context with no rollover see where the stream is.
    let indices = (0..last).step_by(STEP).chain(std::iter::once(last));
    Ok(indices.map(move |index| leading_packet(ssrc, index)))
}

fn leading_packet(ssrc: u32, index: u64) -> Vec<u8> {
    let header =
        Header { payload_type: 0, marker: false, sequence: index as u16, timestamp: 0, ssrc };
    header.to_bytes().to_vec()
}

fn report_of(ssrc: u32) -> [u8; 8] {
    let [a, b, c, d] = ssrc.to_be_bytes();
    [0x80, 201, 0, 1, a, b, c, d]
}

fn rtp_numbers(packet: &[u8]) -> Result<(u32, u16), SrtpError> {
    // The payload is encrypted, so only the fixed header is looked at.
    let fixed: &[u8; HEADER_LEN] = packet.first_chunk().ok_or(SrtpError::Malformed)?;
    if fixed[0] >> 6 != 2 {
        return Err(SrtpError::Malformed);
    }
    let ssrc = u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]);
    Ok((ssrc, u16::from_be_bytes([fixed[2], fixed[3]])))
}

fn rtcp_ssrc(packet: &[u8]) -> Result<u32, SrtpError> {
    let fixed: &[u8; 8] = packet.first_chunk().ok_or(SrtpError::Malformed)?;
    if fixed[0] >> 6 != 2 {
        return Err(SrtpError::Malformed);
    }
    Ok(u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]))
}

/// The SRTCP index before the tag (RFC 3711 3.4); a packet that is not encrypted is refused.
fn rtcp_index(packet: &[u8]) -> Result<u64, SrtpError> {
    const TAG_LEN: usize = 10;
    let at = packet.len().checked_sub(TAG_LEN + 4).filter(|at| *at >= 8);
    let bytes = at.and_then(|at| packet[at..].first_chunk()).ok_or(SrtpError::Malformed)?;
    let word = u32::from_be_bytes(*bytes);
    if word >> 31 == 0 {
        return Err(SrtpError::Forged);
    }
    Ok(u64::from(word & INDEX_BITS))
}
