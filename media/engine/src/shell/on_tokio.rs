//! A current-thread tokio runtime per worker, with a task per socket.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tandem_kernel::Clock;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, LocalSet, spawn_local};
use tokio::time::sleep;

use super::{DATAGRAM, note_late, note_sent};
use crate::mailbox::{Mailbox, count};
use crate::outbox::{Channel, Outbox};
use crate::ports::{Lease, PortPair};
use crate::scene::Arrival;
use crate::worker::{Change, Worker};

/// What the thread is started with.
pub(super) struct Post {
    pub(super) mailbox: Arc<Mailbox>,
    woken: Arc<Notify>,
}

pub(super) fn prepare() -> io::Result<(Post, Runtime)> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let woken = Arc::new(Notify::new());
    let wakes = Arc::clone(&woken);
    let mailbox = Mailbox::new(Box::new(move || wakes.notify_one()));
    Ok((Post { mailbox, woken }, runtime))
}

pub(super) fn run(runtime: &Runtime, post: &Post) {
    let shell = Rc::new(Shell {
        clock: Clock::start(),
        mailbox: Arc::clone(&post.mailbox),
        core: RefCell::new(Core {
            worker: Worker::default(),
            outbox: Outbox::default(),
            buffer: Box::new([0; DATAGRAM]),
            open: Vec::new(),
        }),
    });
    let tasks = LocalSet::new();
    runtime.block_on(tasks.run_until(shell.serve(&post.woken)));
}

/// Tasks of one thread share it; no borrow is held over an await.
struct Shell {
    clock: Clock,
    mailbox: Arc<Mailbox>,
    core: RefCell<Core>,
}

struct Core {
    worker: Worker,
    outbox: Outbox,
    buffer: Box<[u8; DATAGRAM]>,
    open: Vec<Option<Open>>,
}

struct Open {
    sockets: Rc<Sockets>,
    receivers: [AbortHandle; 2],
}

struct Sockets {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    /// Last, so that the sockets are closed before the ports are free.
    _lease: Lease,
}

impl Sockets {
    fn of(&self, channel: Channel) -> &UdpSocket {
        match channel {
            Channel::Rtp => &self.rtp,
            Channel::Rtcp => &self.rtcp,
        }
    }
}

impl Shell {
    async fn serve(self: Rc<Self>, woken: &Notify) {
        while !self.mailbox.is_stopped() {
            let next = self.core.borrow().worker.next_slice();
            let is_asked = self.mailbox.rest(next.is_some());
            match next.map(|at| at.since(self.clock.now())) {
                None if is_asked => tokio::task::yield_now().await,
                None => woken.notified().await,
                Some(Duration::ZERO) => tokio::task::yield_now().await,
                Some(wait) => tokio::select! {
                    () = woken.notified() => {}
                    () = sleep(wait) => {}
                },
            }
            self.obey();
            let core = &mut *self.core.borrow_mut();
            let skipped = core.worker.slices(self.clock.now(), &mut core.outbox);
            count(&self.mailbox.counts.skipped_slices, skipped);
            self.flush(core);
            self.close_lost(core);
        }
    }

    fn close_lost(&self, core: &mut Core) {
        for slot in core.worker.take_lost() {
            if let Some(open) = core.open.get_mut(slot as usize).and_then(Option::take) {
                self.closed(&open);
            }
        }
    }

    fn obey(self: &Rc<Self>) {
        // Before a command can open a leg in the slot of one that is lost.
        self.close_lost(&mut self.core.borrow_mut());
        for command in self.mailbox.take() {
            let now = self.clock.now();
            let core = &mut *self.core.borrow_mut();
            match core.worker.command(now, command, &mut core.outbox) {
                Change::None => {}
                Change::Opened(slot, ports) => match self.opened(slot, ports) {
                    Ok(open) => {
                        let index = slot as usize;
                        if core.open.len() <= index {
                            core.open.resize_with(index + 1, || None);
                        }
                        core.open[index] = Some(open);
                    }
                    Err(error) => {
                        core.worker.fail(slot, &format!("no events for its sockets: {error}"));
                    }
                },
                Change::Closed(slots) => {
                    self.flush(core);
                    for slot in slots {
                        if let Some(open) = core.open.get_mut(slot as usize).and_then(Option::take)
                        {
                            self.closed(&open);
                        }
                    }
                }
            }
            self.flush(core);
        }
        let legs = self.core.borrow().worker.legs();
        self.mailbox.counts.legs.store(legs, Ordering::Relaxed);
    }

    fn opened(self: &Rc<Self>, slot: u32, ports: PortPair) -> io::Result<Open> {
        let sockets = Rc::new(Sockets {
            rtp: UdpSocket::from_std(ports.rtp)?,
            rtcp: UdpSocket::from_std(ports.rtcp)?,
            _lease: ports.lease,
        });
        let receiver = |channel| {
            let (shell, sockets) = (Rc::clone(self), Rc::clone(&sockets));
            spawn_local(shell.receive(sockets, slot, channel)).abort_handle()
        };
        let receivers = [receiver(Channel::Rtp), receiver(Channel::Rtcp)];
        Ok(Open { sockets, receivers })
    }

    fn closed(&self, open: &Open) {
        open.receivers.iter().for_each(AbortHandle::abort);
        note_late(&self.mailbox.counts, |buffer| open.sockets.rtp.try_recv_from(buffer));
    }

    async fn receive(self: Rc<Self>, sockets: Rc<Sockets>, slot: u32, channel: Channel) {
        loop {
            poll_fn(|context| self.poll_receive(context, &sockets, slot, channel)).await;
        }
    }

    /// Takes one datagram into the buffer that all sockets of the worker share.
    fn poll_receive(
        &self,
        context: &mut Context<'_>,
        sockets: &Sockets,
        slot: u32,
        channel: Channel,
    ) -> Poll<()> {
        let core = &mut *self.core.borrow_mut();
        let mut read = ReadBuf::new(&mut core.buffer[..]);
        // An error of one datagram (ICMP) is no error of the socket.
        let Ok(source) = ready!(sockets.of(channel).poll_recv_from(context, &mut read)) else {
            return Poll::Ready(());
        };
        count(&self.mailbox.counts.packets_in, 1);
        let now = self.clock.now();
        let bytes = read.filled_mut();
        let arrival = Arrival { now, slot, channel, source };
        core.worker.packet_in(&arrival, bytes, &mut core.outbox);
        self.flush(core);
        Poll::Ready(())
    }

    fn flush(&self, core: &mut Core) {
        if core.outbox.is_empty() {
            return;
        }
        for parcel in core.outbox.parcels() {
            let Some(Some(open)) = core.open.get(parcel.slot as usize) else { continue };
            // Past tokio's readiness: it calls a new socket full until its first event.
            let socket = SockRef::from(open.sockets.of(parcel.channel));
            let sent = socket.send_to(parcel.bytes, &parcel.to.into());
            note_sent(&self.mailbox.counts, &sent);
        }
        core.outbox.clear();
    }
}
