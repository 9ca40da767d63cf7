//! RTCP compound packets: sender and receiver reports, CNAME and BYE (RFC 3550 6).

use tandem_kernel::Timestamp;
use thiserror::Error;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const CNAME: u8 = 1;
/// The most packets that are read of one compound.
const MAX_PACKETS: usize = 16;
/// Seconds from the NTP epoch (1900) to the Unix epoch.
const NTP_OFFSET_SECS: u64 = 2_208_988_800;

/// Why bytes are not an RTCP compound packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum RtcpError {
    /// A length that points past the end.
    #[error("compound packet is shorter than it says")]
    Short,
    /// A version other than 2.
    #[error("version is not 2")]
    Version,
}

/// One packet of a compound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rtcp {
    /// What a sender sent, and what it received.
    SenderReport {
        /// Who reports.
        ssrc: u32,
        /// What it sent.
        sender: SenderInfo,
        /// What it received, per source.
        reports: Vec<ReportBlock>,
    },
    /// What one who sends nothing received.
    ReceiverReport {
        /// Who reports.
        ssrc: u32,
        /// What it received, per source.
        reports: Vec<ReportBlock>,
    },
    /// The canonical name of a source.
    Cname {
        /// The source.
        ssrc: u32,
        /// Its name.
        cname: String,
    },
    /// Sources that end.
    Bye {
        /// The sources.
        sources: Vec<u32>,
    },
    /// A type that is not read, such as feedback or extended reports.
    Other {
        /// The packet type.
        packet_type: u8,
    },
}

/// What a sender says of itself (RFC 3550 6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SenderInfo {
    /// The moment of the report, as an NTP timestamp of 32.32 bits.
    pub ntp: u64,
    /// The same moment in RTP units.
    pub rtp_timestamp: u32,
    /// Packets sent since the start.
    pub packets: u32,
    /// Payload octets sent since the start.
    pub octets: u32,
}

/// What was received of one source (RFC 3550 6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReportBlock {
    /// The source reported on.
    pub ssrc: u32,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Lost since the start; negative with duplicates (24 bits signed).
    pub cumulative_lost: i32,
    /// The highest sequence number with its cycles.
    pub highest_sequence: u32,
    /// Interarrival jitter, in RTP units.
    pub jitter: u32,
    /// The middle 32 bits of the last sender report's NTP time; 0 for none.
    pub last_report: u32,
    /// Since that report, in 1/65536 s.
    pub delay_since: u32,
}

/// The NTP time, 32.32 bits, of a moment.
#[must_use]
pub fn ntp(at: Timestamp) -> u64 {
    let micros = at.as_micros();
    let secs = micros / 1_000_000 + NTP_OFFSET_SECS;
    let fraction = ((micros % 1_000_000) << 32) / 1_000_000;
    (secs << 32) | fraction
}

/// The middle 32 bits of an NTP time, as report blocks use them.
#[must_use]
pub const fn ntp_middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// Whose report it is, and what goes with it.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Our source.
    pub ssrc: u32,
    /// Our canonical name; at most 255 bytes are sent.
    pub cname: &'a str,
    /// What we sent; none makes a receiver report.
    pub sender: Option<SenderInfo>,
    /// What we received; at most 31 blocks are sent.
    pub blocks: &'a [ReportBlock],
    /// We end.
    pub goodbye: bool,
}

/// Writes a compound packet: SR or RR, then CNAME, then BYE (RFC 3550 6.1).
#[must_use]
pub fn compose(report: &Report<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    let blocks = &report.blocks[..report.blocks.len().min(31)];
    let kind = if report.sender.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
    packet(&mut out, kind, blocks.len() as u8, |out| {
        put(out, report.ssrc);
        if let Some(sender) = &report.sender {
            out.extend_from_slice(&sender.ntp.to_be_bytes());
            put(out, sender.rtp_timestamp);
            put(out, sender.packets);
            put(out, sender.octets);
        }
        for block in blocks {
            write_block(out, block);
        }
    });
    packet(&mut out, SOURCE_DESCRIPTION, 1, |out| {
        let name = &report.cname.as_bytes()[..report.cname.len().min(255)];
        put(out, report.ssrc);
        out.extend_from_slice(&[CNAME, name.len() as u8]);
        out.extend_from_slice(name);
        // The item list ends with a zero and goes on with zeros to a full word (6.5).
        out.push(0);
    });
    if report.goodbye {
        packet(&mut out, GOODBYE, 1, |out| put(out, report.ssrc));
    }
    out
}

fn packet(out: &mut Vec<u8>, kind: u8, count: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0x80 | count, kind, 0, 0]);
    body(out);
    while !(out.len() - start).is_multiple_of(4) {
        out.push(0);
    }
    let words = ((out.len() - start) / 4 - 1) as u16;
    out[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
}

fn put(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn write_block(out: &mut Vec<u8>, block: &ReportBlock) {
    put(out, block.ssrc);
    let lost = block.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
    put(out, (u32::from(block.fraction_lost) << 24) | lost);
    put(out, block.highest_sequence);
    put(out, block.jitter);
    put(out, block.last_report);
    put(out, block.delay_since);
}

/// Reads a compound packet.
///
/// # Errors
///
/// Says why it cannot be read; the datagram is then counted and dropped.
pub fn parse(raw: &[u8]) -> Result<Vec<Rtcp>, RtcpError> {
    let mut packets = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() && packets.len() < MAX_PACKETS {
        let head: &[u8; 4] = rest.first_chunk().ok_or(RtcpError::Short)?;
        if head[0] >> 6 != 2 {
            return Err(RtcpError::Version);
        }
        let len = 4 + 4 * usize::from(u16::from_be_bytes([head[2], head[3]]));
        let body = rest.get(4..len).ok_or(RtcpError::Short)?;
        packets.push(read(head[1], head[0] & 0x1f, body)?);
        rest = &rest[len..];
    }
    if packets.is_empty() {
        return Err(RtcpError::Short);
    }
    Ok(packets)
}

fn read(packet_type: u8, count: u8, body: &[u8]) -> Result<Rtcp, RtcpError> {
    match packet_type {
        SENDER_REPORT => {
            let ntp = (u64::from(word(body, 1)?) << 32) | u64::from(word(body, 2)?);
            let sender = SenderInfo {
                ntp,
                rtp_timestamp: word(body, 3)?,
                packets: word(body, 4)?,
                octets: word(body, 5)?,
            };
            let reports = read_blocks(body, 6, count)?;
            Ok(Rtcp::SenderReport { ssrc: word(body, 0)?, sender, reports })
        }
        RECEIVER_REPORT => {
            Ok(Rtcp::ReceiverReport { ssrc: word(body, 0)?, reports: read_blocks(body, 1, count)? })
        }
        SOURCE_DESCRIPTION => Ok(read_cname(body).unwrap_or(Rtcp::Other { packet_type })),
        GOODBYE => {
            let sources: Result<_, _> = (0..usize::from(count)).map(|n| word(body, n)).collect();
            Ok(Rtcp::Bye { sources: sources? })
        }
        packet_type => Ok(Rtcp::Other { packet_type }),
    }
}

fn read_blocks(body: &[u8], first: usize, count: u8) -> Result<Vec<ReportBlock>, RtcpError> {
    (0..usize::from(count)).map(|n| read_block(body, first + 6 * n)).collect()
}

fn read_block(body: &[u8], at: usize) -> Result<ReportBlock, RtcpError> {
    let loss = word(body, at + 1)?;
    Ok(ReportBlock {
        ssrc: word(body, at)?,
        fraction_lost: (loss >> 24) as u8,
        // Shifted up and down again to keep the sign of 24 bits.
        cumulative_lost: ((loss << 8) as i32) >> 8,
        highest_sequence: word(body, at + 2)?,
        jitter: word(body, at + 3)?,
        last_report: word(body, at + 4)?,
        delay_since: word(body, at + 5)?,
    })
}

/// The CNAME of the first chunk, the only one that a phone sends.
fn read_cname(body: &[u8]) -> Option<Rtcp> {
    let ssrc = word(body, 0).ok()?;
    let mut items = body.get(4..)?;
    while let [kind, len, rest @ ..] = items {
        if *kind == 0 {
            return None;
        }
        let text = rest.get(..usize::from(*len))?;
        if *kind == CNAME {
            return Some(Rtcp::Cname { ssrc, cname: String::from_utf8_lossy(text).into_owned() });
        }
        items = &rest[usize::from(*len)..];
    }
    None
}

fn word(body: &[u8], index: usize) -> Result<u32, RtcpError> {
    let bytes =
        body.get(4 * index..).and_then(|rest| rest.first_chunk()).ok_or(RtcpError::Short)?;
    Ok(u32::from_be_bytes(*bytes))
}
