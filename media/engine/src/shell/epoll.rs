//! A thread with a readiness loop of its own: the least cost per packet.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use tandem_kernel::Clock;

use super::{DATAGRAM, note_late, note_sent};
use crate::mailbox::{Mailbox, count};
use crate::outbox::{Channel, Outbox};
use crate::ports::{Lease, PortPair};
use crate::scene::Arrival;
use crate::worker::{Change, Worker};

/// Events taken at once: few enough that a time slice is never late by more than a millisecond
/// or two.
const EVENTS: usize = 256;
const WAKE: Token = Token(usize::MAX);

struct Sockets {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    /// Last, so that the sockets are closed before the ports are free.
    _lease: Lease,
}

pub(super) struct Shell {
    poll: Poll,
    clock: Clock,
    mailbox: Arc<Mailbox>,
    worker: Worker,
    outbox: Outbox,
    sockets: Vec<Option<Sockets>>,
    buffer: Box<[u8; DATAGRAM]>,
}

impl Shell {
    pub(super) fn new() -> io::Result<(Arc<Mailbox>, Self)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let mailbox = Mailbox::new(Box::new(move || {
            // The only failure is a closed event queue: then nobody is left to wake.
            let _ = waker.wake();
        }));
        let shell = Self {
            poll,
            clock: Clock::start(),
            mailbox: Arc::clone(&mailbox),
            worker: Worker::default(),
            outbox: Outbox::default(),
            sockets: Vec::new(),
            buffer: Box::new([0; DATAGRAM]),
        };
        Ok((mailbox, shell))
    }

    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        while !self.mailbox.is_stopped() {
            let next = self.worker.next_slice();
            let is_asked = self.mailbox.rest(next.is_some());
            let wait = next.map(|at| at.since(self.clock.now()));
            let wait = if is_asked { Some(Duration::ZERO) } else { wait };
            if let Err(error) = self.poll.poll(&mut events, wait)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "media worker cannot wait for packets");
                std::thread::sleep(Duration::from_millis(1));
            }
            for event in &events {
                if event.token() != WAKE {
                    self.receive(event.token().0);
                }
            }
            // Before a command can open a leg in the slot of one that is lost.
            self.close_lost();
            self.obey();
            self.slice();
            self.close_lost();
        }
    }

    /// Takes all datagrams of a socket: readiness is told only once.
    fn receive(&mut self, token: usize) {
        let (slot, channel) = of(token);
        loop {
            let Some(Some(sockets)) = self.sockets.get(slot as usize) else { return };
            let received = match channel {
                Channel::Rtp => sockets.rtp.recv_from(&mut self.buffer[..]),
                Channel::Rtcp => sockets.rtcp.recv_from(&mut self.buffer[..]),
            };
            let (length, source) = match received {
                Ok(received) => received,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => continue,
            };
            count(&self.mailbox.counts.packets_in, 1);
            let bytes = &mut self.buffer[..length];
            let now = self.clock.now();
            self.worker.packet_in(&Arrival { now, slot, channel, source }, bytes, &mut self.outbox);
            self.flush();
        }
    }

    fn obey(&mut self) {
        for command in self.mailbox.take() {
            let now = self.clock.now();
            match self.worker.command(now, command, &mut self.outbox) {
                Change::None => {}
                Change::Opened(slot, ports) => self.opened(slot, ports),
                Change::Closed(slots) => {
                    self.flush();
                    slots.into_iter().for_each(|slot| self.closed(slot));
                }
            }
            self.flush();
        }
        let legs = self.worker.legs();
        self.mailbox.counts.legs.store(legs, std::sync::atomic::Ordering::Relaxed);
    }

    fn opened(&mut self, slot: u32, ports: PortPair) {
        let mut sockets = Sockets {
            rtp: UdpSocket::from_std(ports.rtp),
            rtcp: UdpSocket::from_std(ports.rtcp),
            _lease: ports.lease,
        };
        let (registry, first) = (self.poll.registry(), slot as usize * 2);
        let registered =
            registry.register(&mut sockets.rtp, Token(first), Interest::READABLE).and_then(|()| {
                registry.register(&mut sockets.rtcp, Token(first + 1), Interest::READABLE)
            });
        if let Err(error) = registered {
            self.worker.fail(slot, &format!("no events for its sockets: {error}"));
        }
        let index = slot as usize;
        if self.sockets.len() <= index {
            self.sockets.resize_with(index + 1, || None);
        }
        self.sockets[index] = Some(sockets);
    }

    fn closed(&mut self, slot: u32) {
        let Some(mut sockets) = self.sockets.get_mut(slot as usize).and_then(Option::take) else {
            return;
        };
        note_late(&self.mailbox.counts, |buffer| sockets.rtp.recv_from(buffer));
        // Closing a socket takes it out of the queue anyway; a failure here changes nothing.
        let _ = self.poll.registry().deregister(&mut sockets.rtp);
        let _ = self.poll.registry().deregister(&mut sockets.rtcp);
    }

    fn close_lost(&mut self) {
        for slot in self.worker.take_lost() {
            self.closed(slot);
        }
    }

    fn slice(&mut self) {
        let skipped = self.worker.slices(self.clock.now(), &mut self.outbox);
        count(&self.mailbox.counts.skipped_slices, skipped);
        self.flush();
    }

    fn flush(&mut self) {
        if self.outbox.is_empty() {
            return;
        }
        for parcel in self.outbox.parcels() {
            let Some(Some(sockets)) = self.sockets.get(parcel.slot as usize) else { continue };
            let sent = match parcel.channel {
                Channel::Rtp => sockets.rtp.send_to(parcel.bytes, parcel.to),
                Channel::Rtcp => sockets.rtcp.send_to(parcel.bytes, parcel.to),
            };
            note_sent(&self.mailbox.counts, &sent);
        }
        self.outbox.clear();
    }
}

fn of(token: usize) -> (u32, Channel) {
    let channel = if token.is_multiple_of(2) { Channel::Rtp } else { Channel::Rtcp };
    ((token / 2) as u32, channel)
}
