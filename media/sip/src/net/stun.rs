//! STUN keep-alives on a SIP socket (RFC 5626 4.4.2): a binding request gets its answer.

use std::net::{IpAddr, SocketAddr};

const HEADER: usize = 20;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0x00, 0x20];

/// Whether a datagram is STUN and not SIP: no SIP message begins with such a byte.
pub(super) fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= HEADER && datagram[0] < 4 && datagram[4..8] == COOKIE
}

/// The answer to a binding request; `None` for anything else.
pub(super) fn answer(datagram: &[u8], source: SocketAddr) -> Option<Vec<u8>> {
    let wellformed = is_stun(datagram)
        && datagram[..2] == BINDING_REQUEST
        && usize::from(u16::from_be_bytes([datagram[2], datagram[3]])) + HEADER == datagram.len();
    if !wellformed {
        return None;
    }
    let mut value = vec![0, if source.is_ipv4() { 1 } else { 2 }];
    value.extend((source.port() ^ 0x2112).to_be_bytes());
    match source.ip() {
        IpAddr::V4(ip) => {
            value.extend(ip.octets().iter().zip(COOKIE).map(|(byte, mask)| byte ^ mask));
        }
        IpAddr::V6(ip) => {
            let masks = datagram[4..HEADER].iter();
            value.extend(ip.octets().iter().zip(masks).map(|(byte, mask)| byte ^ mask));
        }
    }
    let length = u16::try_from(value.len()).expect("an address has at most 20 bytes");
    let mut message = Vec::with_capacity(HEADER + 4 + value.len());
    message.extend(BINDING_SUCCESS);
    message.extend((length + 4).to_be_bytes());
    message.extend(&datagram[4..HEADER]);
    message.extend(XOR_MAPPED_ADDRESS);
    message.extend(length.to_be_bytes());
    message.extend(value);
    Some(message)
}
