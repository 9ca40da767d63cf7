//! The pool of RTP and RTCP port pairs.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Arc;

use parking_lot::Mutex;
use rand::seq::SliceRandom;
use socket2::SockRef;

use crate::types::EngineError;

/// How many pairs are tried before the pool gives up: a port may be another process's.
const TRIES: usize = 64;
/// Expedited forwarding (RFC 3246), the class of voice.
const EXPEDITED: u32 = 46 << 2;

/// Free even ports in random order, so that an outsider can not guess where the next call will
/// be; a port that came back waits behind all others, so that late packets meet no new call.
pub(crate) struct PortPool {
    bind: IpAddr,
    free: Option<Mutex<VecDeque<u16>>>,
}

/// Two bound sockets; the ports go back to the pool when it is dropped.
pub(crate) struct PortPair {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    pub(crate) lease: Lease,
}

/// The right to a pair of ports.
pub(crate) struct Lease {
    pub(crate) port: u16,
    pool: Arc<PortPool>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(free) = &self.pool.free {
            free.lock().push_back(self.port);
        }
    }
}

impl PortPool {
    pub(crate) fn new(bind: IpAddr, ports: &RangeInclusive<u16>) -> Result<Self, EngineError> {
        let (first, last) = (*ports.start(), *ports.end());
        if first == 0 {
            return Ok(Self { bind, free: None });
        }
        let mut even: Vec<u16> = ports.clone().filter(|p| p % 2 == 0 && *p < last).collect();
        if even.is_empty() {
            return Err(EngineError::NoPairInRange { first, last });
        }
        even.shuffle(&mut rand::rng());
        Ok(Self { bind, free: Some(Mutex::new(even.into())) })
    }

    /// Takes a pair and binds it.
    pub(crate) fn reserve(self: &Arc<Self>) -> Result<PortPair, EngineError> {
        for _ in 0..TRIES {
            let bound = match &self.free {
                Some(free) => {
                    let port = free.lock().pop_front().ok_or(EngineError::NoPort)?;
                    // Given back if it can not be bound.
                    let lease = Lease { port, pool: Arc::clone(self) };
                    self.pair(port).map(|(rtp, rtcp)| PortPair { rtp, rtcp, lease })
                }
                None => self.chosen_by_the_system(),
            };
            match bound {
                Ok(pair) => return Ok(pair),
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => {}
                Err(source) => {
                    return Err(EngineError::Io { doing: "bind an RTP socket", source });
                }
            }
        }
        Err(EngineError::NoPort)
    }

    fn pair(&self, port: u16) -> io::Result<(UdpSocket, UdpSocket)> {
        Ok((self.bind_socket(port)?, self.bind_socket(port + 1)?))
    }

    /// One of the two is the system's choice, the other its neighbour.
    fn chosen_by_the_system(self: &Arc<Self>) -> io::Result<PortPair> {
        let chosen = self.bind_socket(0)?;
        let port = chosen.local_addr()?.port();
        let neighbour = self.bind_socket(port ^ 1)?;
        let (rtp, rtcp) =
            if port.is_multiple_of(2) { (chosen, neighbour) } else { (neighbour, chosen) };
        let lease = Lease { port: port & !1, pool: Arc::clone(self) };
        Ok(PortPair { rtp, rtcp, lease })
    }

    fn bind_socket(&self, port: u16) -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind(SocketAddr::new(self.bind, port))?;
        socket.set_nonblocking(true)?;
        if self.bind.is_ipv4() {
            // A mark that the system refuses costs quality of service, not the call.
            let _ = SockRef::from(&socket).set_tos_v4(EXPEDITED);
        }
        Ok(socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_an_even_port_and_the_next_one() {
        let pool = Arc::new(PortPool::new(IpAddr::from([127, 0, 0, 1]), &(0..=0)).unwrap());

        let pair = pool.reserve().unwrap();

        let rtp = pair.rtp.local_addr().unwrap().port();
        assert_eq!(rtp % 2, 0);
        assert_eq!(pair.rtcp.local_addr().unwrap().port(), rtp + 1);
        assert_eq!(pair.lease.port, rtp);
    }

    #[test]
    fn the_system_chooses_other_pairs_as_long_as_there_are_some() {
        let pool = Arc::new(PortPool::new(IpAddr::from([127, 0, 0, 1]), &(0..=0)).unwrap());

        let pairs: Vec<_> = (0..200).map(|_| pool.reserve().unwrap()).collect();

        let ports: std::collections::BTreeSet<u16> = pairs.iter().map(|p| p.lease.port).collect();
        assert_eq!(ports.len(), pairs.len());
    }

    #[test]
    fn a_dropped_pair_goes_back_to_the_pool() {
        let probe = Arc::new(PortPool::new(IpAddr::from([127, 0, 0, 1]), &(0..=0)).unwrap());
        let port = probe.reserve().unwrap().lease.port;
        let pool =
            Arc::new(PortPool::new(IpAddr::from([127, 0, 0, 1]), &(port..=port + 1)).unwrap());

        let pair = pool.reserve().unwrap();
        assert!(matches!(pool.reserve(), Err(EngineError::NoPort)));
        drop(pair);

        assert!(pool.reserve().is_ok());
    }

    #[test]
    fn a_range_without_a_pair_is_refused() {
        let refused = PortPool::new(IpAddr::from([127, 0, 0, 1]), &(10_001..=10_002));

        assert!(matches!(refused, Err(EngineError::NoPairInRange { .. })));
    }
}
