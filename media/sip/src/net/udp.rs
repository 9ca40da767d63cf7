//! Datagram sockets.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::config::Transport;
use super::endpoint::Endpoint;
use super::links::UdpLink;
use super::receive::Arrived;
use super::stun;
use crate::transaction::FlowId;

/// The largest datagram there is; a shorter buffer would cut messages silently.
const DATAGRAM: usize = 65_536;

/// Room in the kernel for bursts, in bytes: about a second of 4 000 calls a second.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;

/// Opens a socket with large buffers, for reading and for sending.
pub(super) fn bind(addr: SocketAddr) -> io::Result<(UdpSocket, UdpLink)> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // The system may grant less; that is no reason not to start.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    let socket = std::net::UdpSocket::from(socket);
    let link = UdpLink { socket: socket.try_clone()?, local: socket.local_addr()? };
    Ok((UdpSocket::from_std(socket)?, link))
}

/// Reads a socket until the endpoint stops.
pub(super) async fn read(endpoint: Arc<Endpoint>, socket: UdpSocket, listener: u32) {
    let mut buffer = vec![0; DATAGRAM];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, source)) => endpoint.datagram(&buffer[..length], source, listener),
            // An ICMP error of an earlier send; the socket goes on.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

impl Endpoint {
    fn datagram(self: &Arc<Self>, datagram: &[u8], source: SocketAddr, listener: u32) {
        if self.is_banned(source.ip()) {
            self.counters.banned.add();
            return;
        }
        // RFC 5626 3.5.1 and older phones: blank datagrams hold a NAT binding open.
        if datagram.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0 | b' ')) {
            return;
        }
        let flow = FlowId::datagram(listener, source);
        if stun::is_stun(datagram) {
            self.keep_alive(datagram, flow);
            return;
        }
        let Some(path) = self.links.path(flow) else { return };
        let at = Arrived { flow, transport: Transport::Udp, local: path.local };
        self.receive(Bytes::copy_from_slice(datagram), at);
    }

    /// The answer is longer than the request, so only peers who have proved themselves get it.
    fn keep_alive(&self, datagram: &[u8], flow: FlowId) {
        let source = flow.remote();
        let is_known = {
            let guard = self.guard.lock();
            guard.is_allowed(source.ip()) || guard.is_proven(source.ip(), super::endpoint::now())
        };
        match stun::answer(datagram, source) {
            Some(answer) if is_known => {
                // A lost keep-alive answer is repeated by the peer.
                let _ = self.links.send(flow, answer.into());
            }
            _ => self.counters.dropped.add(),
        }
    }
}
