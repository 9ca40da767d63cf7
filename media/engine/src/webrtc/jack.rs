//! RTP between a browser and one leg of a call: plain over loopback, encrypted as was agreed over
//! the network to another member of a cluster.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::Instant;

use bytes::Bytes;
use parking_lot::Mutex;
use tandem_rtp::{Header, Packet};
use tandem_sdp::Agreement;
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

use super::connection::Shared;
use crate::ports::{Lease, PortPool};
use crate::scene::crypto::Crypto;
use crate::types::EngineError;

/// The longest datagram of the engine: 20 ms of any codec, and room.
const DATAGRAM: usize = 2_048;

/// The end of one leg at a browser. It outlives the browser's connection, so that a page that is
/// loaded again goes on with its calls; its port is free again when it is dropped.
pub struct Jack {
    plug: Arc<Plug>,
    reader: AbortHandle,
}

/// What a jack shares with its browser.
pub(super) struct Plug {
    pub(super) number: u64,
    browser: Mutex<Weak<Shared>>,
    socket: UdpSocket,
    /// Bound so that the engine's reports are not refused; nothing is read from it.
    _rtcp: std::net::UdpSocket,
    _lease: Lease,
    agreed: Mutex<Option<Agreed>>,
    local: SocketAddr,
    /// The node of the leg.
    peer: IpAddr,
}

/// What was agreed with the leg.
struct Agreed {
    agreement: Agreement,
    crypto: Option<Box<Crypto>>,
}

impl Drop for Jack {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Jack {
    /// A jack at a free port of this host, for a leg of this node. Must be made on the runtime
    /// that it lives on.
    pub(crate) fn open(host: IpAddr, number: u64) -> Result<Self, EngineError> {
        let pool = Arc::new(PortPool::new(host, &(0..=0))?);
        Self::at(&pool, (host, host), number)
    }

    /// A jack at a port of the pool, which `own` reaches, for a leg at the node `peer`.
    pub(crate) fn at(
        pool: &Arc<PortPool>,
        (own, peer): (IpAddr, IpAddr),
        number: u64,
    ) -> Result<Self, EngineError> {
        let pair = pool.reserve()?;
        let failed = |source| EngineError::Io { doing: "open a browser's jack", source };
        let port = pair.rtp.local_addr().map_err(failed)?.port();
        let local = SocketAddr::new(own, port);
        let socket = UdpSocket::from_std(pair.rtp).map_err(failed)?;
        let plug = Arc::new(Plug {
            number,
            browser: Mutex::new(Weak::new()),
            socket,
            _rtcp: pair.rtcp,
            _lease: pair.lease,
            agreed: Mutex::new(None),
            local,
            peer,
        });
        let reader = tokio::spawn(read(Arc::clone(&plug))).abort_handle();
        Ok(Self { plug, reader })
    }

    /// Where the leg sends to: what goes into the browser's side of its SDP.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.plug.local
    }

    /// Sets what was agreed with the leg, as the browser's side sees it. The host of its address
    /// is its node, whatever the leg tells the world.
    pub fn connect(&self, agreement: Agreement) {
        let remote = SocketAddr::new(self.plug.peer, agreement.remote.port());
        let mut agreed = self.plug.agreed.lock();
        let mut crypto = agreed.take().and_then(|before| before.crypto);
        if let Err(error) = Crypto::agree(&mut crypto, agreement.crypto.as_ref()) {
            tracing::warn!(%error, "no encryption towards a leg: it hears nothing");
            return;
        }
        *agreed = Some(Agreed { agreement: Agreement { remote, ..agreement }, crypto });
    }

    pub(super) const fn plug(&self) -> &Arc<Plug> {
        &self.plug
    }
}

impl Plug {
    /// Takes its place at a browser.
    pub(super) fn join(&self, browser: &Arc<Shared>) {
        *self.browser.lock() = Arc::downgrade(browser);
    }

    /// Passes a packet of the browser on to the leg.
    pub(super) fn send(&self, header: Header, payload: &[u8], is_event: bool) {
        let datagram =
            self.agreed.lock().as_mut().and_then(|it| it.packet(header, payload, is_event));
        let Some((datagram, remote)) = datagram else { return };
        // A packet that the system has no room for is lost like any other.
        let _lost = self.socket.try_send_to(&datagram, remote);
    }

    /// What came from the leg; none for what was not agreed.
    fn take(&self, datagram: &mut [u8], from: SocketAddr) -> Option<(Header, Bytes)> {
        let mut agreed = self.agreed.lock();
        let Agreed { agreement, crypto } = agreed.as_mut().filter(|it| it.is_from(from))?;
        let length = match crypto {
            Some(crypto) => crypto.unprotect_rtp(datagram)?,
            None => datagram.len(),
        };
        let packet = Packet::parse(&datagram[..length]).ok()?;
        let accepts = &agreement.accepts;
        let is_audio = accepts.iter().any(|(accepted, _)| *accepted == packet.payload_type());
        is_audio.then(|| (packet.header(), Bytes::copy_from_slice(packet.payload())))
    }
}

impl Agreed {
    fn is_from(&self, from: SocketAddr) -> bool {
        self.agreement.remote == from
    }

    /// The datagram of a packet for the leg, and where it is to go; none where nothing is sent.
    fn packet(
        &mut self,
        header: Header,
        payload: &[u8],
        is_event: bool,
    ) -> Option<(Vec<u8>, SocketAddr)> {
        let agreed = Some(&self.agreement).filter(|agreed| agreed.direction.sends())?;
        let payload_type = if is_event { agreed.dtmf } else { Some(agreed.payload_type) }?;
        let mut datagram = Vec::with_capacity(tandem_rtp::packet::HEADER_LEN + payload.len());
        Header { payload_type, ..header }.write(payload, &mut datagram);
        if let Some(crypto) = &mut self.crypto {
            crypto.protect_rtp(&mut datagram, 0)?;
        }
        Some((datagram, self.agreement.remote))
    }
}

/// Passes packets of the leg on to the browser while it listens to this jack.
async fn read(plug: Arc<Plug>) {
    let mut buffer = vec![0; DATAGRAM];
    loop {
        let (length, from) = match plug.socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            // The leg's port was closed before ours; another description may name a new one.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
            Err(error) => {
                tracing::warn!(%error, "a browser's jack can not be read");
                return;
            }
        };
        let Some(browser) = plug.browser.lock().upgrade() else { continue };
        if let Some((header, payload)) = plug.take(&mut buffer[..length], from) {
            browser.to_browser(Instant::now(), plug.number, header, payload).await;
        }
    }
}

#[cfg(test)]
mod tests;
