//! RTP packets: a view over received bytes, and a writer (RFC 3550 5.1).

use thiserror::Error;

/// The length of an RTP header without CSRCs and extension.
pub const HEADER_LEN: usize = 12;

/// Why bytes are not an RTP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum PacketError {
    /// Fewer bytes than the header, its lists or its padding say.
    #[error("packet is shorter than its header says")]
    Short,
    /// A version other than 2.
    #[error("version is not 2")]
    Version,
    /// More padding than payload.
    #[error("padding is longer than the payload")]
    Padding,
}

/// A received RTP packet, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    header: Header,
    header_len: usize,
    payload: &'a [u8],
}

/// The fields of an RTP header that we read and write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// What the payload is, 0–127.
    pub payload_type: u8,
    /// The first packet after silence, or of an event.
    pub marker: bool,
    /// Rises by one with every packet.
    pub sequence: u16,
    /// When the payload was sampled, in units of the clock rate.
    pub timestamp: u32,
    /// The source.
    pub ssrc: u32,
}

impl<'a> Packet<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    ///
    /// Says why it is not RTP; the datagram is then counted and dropped.
    pub fn parse(raw: &'a [u8]) -> Result<Self, PacketError> {
        let fixed: &[u8; HEADER_LEN] = raw.first_chunk().ok_or(PacketError::Short)?;
        if fixed[0] >> 6 != 2 {
            return Err(PacketError::Version);
        }
        let mut header_len = HEADER_LEN + 4 * usize::from(fixed[0] & 0x0f);
        if fixed[0] & 0x10 != 0 {
            let extension = raw.get(header_len..header_len + 4).ok_or(PacketError::Short)?;
            let words = u16::from_be_bytes([extension[2], extension[3]]);
            header_len += 4 + 4 * usize::from(words);
        }
        let body = raw.get(header_len..).ok_or(PacketError::Short)?;
        let padding = match (fixed[0] & 0x20 != 0, body.last()) {
            (false, _) => 0,
            (true, None) => return Err(PacketError::Padding),
            (true, Some(count)) => usize::from(*count),
        };
        if padding > body.len() || (padding == 0 && fixed[0] & 0x20 != 0) {
            return Err(PacketError::Padding);
        }
        Ok(Self {
            header: Header {
                payload_type: fixed[1] & 0x7f,
                marker: fixed[1] & 0x80 != 0,
                sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
                timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
                ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            },
            header_len,
            payload: &body[..body.len() - padding],
        })
    }

    /// The header's fields.
    #[must_use]
    pub const fn header(&self) -> Header {
        self.header
    }

    /// What the payload is.
    #[must_use]
    pub const fn payload_type(&self) -> u8 {
        self.header.payload_type
    }

    /// The marker bit.
    #[must_use]
    pub const fn marker(&self) -> bool {
        self.header.marker
    }

    /// The sequence number.
    #[must_use]
    pub const fn sequence(&self) -> u16 {
        self.header.sequence
    }

    /// The timestamp, in units of the clock rate.
    #[must_use]
    pub const fn timestamp(&self) -> u32 {
        self.header.timestamp
    }

    /// The source.
    #[must_use]
    pub const fn ssrc(&self) -> u32 {
        self.header.ssrc
    }

    /// The length of the header with its lists.
    #[must_use]
    pub const fn header_len(&self) -> usize {
        self.header_len
    }

    /// The payload without padding.
    #[must_use]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }
}

impl Header {
    /// The twelve bytes of the header, without CSRCs, extension and padding.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = 0x80;
        bytes[1] = (self.payload_type & 0x7f) | (u8::from(self.marker) << 7);
        bytes[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes
    }

    /// Appends a packet to a buffer.
    pub fn write(&self, payload: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
        out.extend_from_slice(payload);
    }

    /// Puts these fields into a received packet, whose lists and payload stay; for relays.
    ///
    /// Bytes that are shorter than a header are left alone.
    pub fn stamp(&self, raw: &mut [u8]) {
        if let Some(fixed) = raw.first_chunk_mut::<HEADER_LEN>() {
            let flags = fixed[0];
            *fixed = self.to_bytes();
            fixed[0] = flags;
        }
    }
}

/// Whether a datagram on a multiplexed port is RTCP (RFC 5761 4: packet types 192–223).
#[must_use]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.len() >= 2 && datagram[0] >> 6 == 2 && (192..=223).contains(&datagram[1])
}
