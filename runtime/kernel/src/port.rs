//! Ports: senders that know how much is waiting behind them and say no in time.
//!
//! An actor's mailbox has no bound of its own, so a sender that could flood it goes through an
//! [`ActorPort`]; what is not an actor reads an [`Inbox`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use ractor::{ActorRef, Message};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Why a message was not sent. It gives no message back: the sender counts and goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The port holds as many messages as it may.
    #[error("too many messages are waiting")]
    Full,
    /// Nobody reads any more.
    #[error("the receiver is gone")]
    Gone,
}

/// What a full port does with the next message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Refuses it.
    Refuse,
    /// Takes it and drops the one that waits longest.
    DropOldest,
}

/// A port's figures, readable from anywhere.
#[derive(Clone, Debug)]
pub struct Gauge(Arc<Figures>);

#[derive(Debug)]
struct Figures {
    capacity: usize,
    depth: AtomicUsize,
    lost: AtomicU64,
}

impl Gauge {
    fn new(capacity: usize) -> Self {
        Self(Arc::new(Figures { capacity, depth: AtomicUsize::new(0), lost: AtomicU64::new(0) }))
    }

    /// Messages that wait or are being handled.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.depth.load(Ordering::Relaxed)
    }

    /// Messages that may wait.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.0.capacity
    }

    /// Messages refused or dropped since the start.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    fn enter(&self) {
        self.0.depth.fetch_add(1, Ordering::Relaxed);
    }

    fn leave(&self) {
        self.0.depth.fetch_sub(1, Ordering::Relaxed);
    }

    fn lose(&self) {
        self.0.lost.fetch_add(1, Ordering::Relaxed);
    }
}

/// A message's place in an actor's mailbox. It travels in the message and frees the place when
/// the actor drops it.
#[derive(Debug)]
pub struct Slot {
    gauge: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.gauge.leave();
    }
}

/// A bounded way into an actor's mailbox.
#[derive(Debug)]
pub struct ActorPort<M> {
    actor: ActorRef<M>,
    places: Arc<Semaphore>,
    gauge: Gauge,
}

impl<M> Clone for ActorPort<M> {
    fn clone(&self) -> Self {
        Self {
            actor: self.actor.clone(),
            places: Arc::clone(&self.places),
            gauge: self.gauge.clone(),
        }
    }
}

impl<M: Message> ActorPort<M> {
    /// A way for at most `capacity` messages at once; clones share it.
    #[must_use]
    pub fn new(actor: ActorRef<M>, capacity: usize) -> Self {
        let places = Arc::new(Semaphore::new(capacity));
        Self { actor, places, gauge: Gauge::new(capacity) }
    }

    /// Sends now or refuses. The message must keep the slot until it has been handled.
    ///
    /// # Errors
    ///
    /// When the port is full or the actor has stopped.
    pub fn send(&self, message: impl FnOnce(Slot) -> M) -> Result<(), SendError> {
        let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() else {
            self.gauge.lose();
            return Err(SendError::Full);
        };
        self.deliver(permit, message)
    }

    /// Sends as soon as there is a place, for at most `patience`.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_within(
        &self,
        patience: Duration,
        message: impl FnOnce(Slot) -> M,
    ) -> Result<(), SendError> {
        let place = tokio::time::timeout(patience, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(permit)) = place else {
            self.gauge.lose();
            return Err(SendError::Full);
        };
        self.deliver(permit, message)
    }

    /// The figures of the port.
    #[must_use]
    pub const fn gauge(&self) -> &Gauge {
        &self.gauge
    }

    fn deliver(
        &self,
        permit: OwnedSemaphorePermit,
        message: impl FnOnce(Slot) -> M,
    ) -> Result<(), SendError> {
        self.gauge.enter();
        let slot = Slot { gauge: self.gauge.clone(), _permit: permit };
        self.actor.send_message(message(slot)).map_err(|_| SendError::Gone)
    }
}

/// A bounded queue: its sending end.
#[derive(Debug)]
pub struct Port<T> {
    queue: Arc<Queue<T>>,
}

/// A bounded queue: its receiving end.
#[derive(Debug)]
pub struct Inbox<T> {
    queue: Arc<Queue<T>>,
}

#[derive(Debug)]
struct Queue<T> {
    // `None` once the inbox is gone.
    waiting: Mutex<Option<VecDeque<T>>>,
    overflow: Overflow,
    senders: AtomicUsize,
    arrived: Notify,
    gauge: Gauge,
}

/// A bounded queue for at most `capacity` messages.
#[must_use]
pub fn bounded<T>(capacity: usize, overflow: Overflow) -> (Port<T>, Inbox<T>) {
    let queue = Arc::new(Queue {
        waiting: Mutex::new(Some(VecDeque::new())),
        overflow,
        senders: AtomicUsize::new(1),
        arrived: Notify::new(),
        gauge: Gauge::new(capacity),
    });
    (Port { queue: Arc::clone(&queue) }, Inbox { queue })
}

impl<T> Port<T> {
    /// Queues a message; never waits.
    ///
    /// # Errors
    ///
    /// When the queue is full and refuses, or the inbox is gone.
    pub fn send(&self, message: T) -> Result<(), SendError> {
        let queue = &*self.queue;
        let mut guard = queue.waiting.lock();
        let Some(waiting) = guard.as_mut() else { return Err(SendError::Gone) };
        // The oldest message is dropped after the lock is released: its drop may send.
        let mut dropped = None;
        if waiting.len() >= queue.gauge.capacity() {
            queue.gauge.lose();
            match queue.overflow {
                Overflow::Refuse => return Err(SendError::Full),
                Overflow::DropOldest => {
                    dropped = waiting.pop_front();
                    queue.gauge.leave();
                }
            }
        }
        waiting.push_back(message);
        queue.gauge.enter();
        drop(guard);
        drop(dropped);
        queue.arrived.notify_one();
        Ok(())
    }

    /// The figures of the port.
    #[must_use]
    pub fn gauge(&self) -> &Gauge {
        &self.queue.gauge
    }
}

impl<T> Clone for Port<T> {
    fn clone(&self) -> Self {
        self.queue.senders.fetch_add(1, Ordering::Relaxed);
        Self { queue: Arc::clone(&self.queue) }
    }
}

impl<T> Drop for Port<T> {
    fn drop(&mut self) {
        if self.queue.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.queue.arrived.notify_one();
        }
    }
}

impl<T> Inbox<T> {
    /// The next message; `None` when all ports are gone and nothing waits.
    pub async fn next(&mut self) -> Option<T> {
        loop {
            if let Some(message) = self.try_next() {
                return Some(message);
            }
            if self.queue.senders.load(Ordering::Acquire) == 0 {
                // A message may have come between the two looks.
                return self.try_next();
            }
            self.queue.arrived.notified().await;
        }
    }

    /// The next message if one waits.
    pub fn try_next(&mut self) -> Option<T> {
        let message = self.queue.waiting.lock().as_mut().and_then(VecDeque::pop_front);
        if message.is_some() {
            self.queue.gauge.leave();
        }
        message
    }

    /// The figures of the port.
    #[must_use]
    pub fn gauge(&self) -> &Gauge {
        &self.queue.gauge
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        let unread = self.queue.waiting.lock().take();
        for _ in unread.iter().flatten() {
            self.queue.gauge.leave();
        }
    }
}
