//! Ports for peers that must be told theirs before they start.

use std::net::{TcpListener, UdpSocket};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Above the ports of services, and below those which Linux gives to connections of its own
/// accord (from 32,768, `net.ipv4.ip_local_port_range`): one of these can be taken by any socket
/// between our look and the peer's bind.
const FIRST: u32 = 10_240;
const PORTS: u32 = 32_000 - FIRST;

/// How many ports were looked at. Each process of tests begins elsewhere.
static LOOKED: AtomicU32 = AtomicU32::new(0);

/// A port of an address that is free now for UDP and TCP, and given to nobody else by this
/// process.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port(ip: &str) -> u16 {
    free_ports(ip, 1)
}

/// The first of some ports in a row, an even one, as RTP wants it (RFC 3550 section 11).
///
/// # Panics
/// When there are none.
pub(crate) fn free_ports(ip: &str, count: u16) -> u16 {
    let width = u32::from(count.next_multiple_of(2));
    let begin = process::id().wrapping_mul(514);
    for _ in 0..PORTS / width {
        let looked = LOOKED.fetch_add(width, Ordering::Relaxed);
        let first = FIRST + begin.wrapping_add(looked) % PORTS / 2 * 2;
        let first = u16::try_from(first).expect("below 32,000");
        if (first..first + count).all(|port| is_free(ip, port)) {
            return first;
        }
    }
    panic!("no {count} ports of {ip} are free");
}

fn is_free(ip: &str, port: u16) -> bool {
    UdpSocket::bind((ip, port)).is_ok() && TcpListener::bind((ip, port)).is_ok()
}
