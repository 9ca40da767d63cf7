//! Timers that end with who set them.
//!
//! One task keeps all of them: a call sets about ten, and most of them never ring. A timer holds
//! its actor's mailbox, so that one that outlived the actor would keep kilobytes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ractor::{ActorRef, Message};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// When, and a number that never comes back.
type Key = (Instant, u64);
/// Later than any node runs, for what is later than can be counted.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);

type Ring = Box<dyn FnOnce() + Send>;

/// The timers of a node. Clones share it.
#[derive(Clone)]
pub struct AlarmClock(Arc<Clockwork>);

struct Clockwork {
    waiting: Mutex<Waiting>,
    sooner: Notify,
}

#[derive(Default)]
struct Waiting {
    alarms: BTreeMap<Key, Ring>,
    last: u64,
}

impl AlarmClock {
    /// A clock that runs as long as the runtime on which it is started.
    #[must_use]
    pub fn start() -> Self {
        let clock = Self(Arc::new(Clockwork { waiting: Mutex::default(), sooner: Notify::new() }));
        drop(crate::spawn("alarms", clock.clone().run()));
        clock
    }

    /// The timers of one owner.
    #[must_use]
    pub fn alarms(&self) -> Alarms {
        Alarms { clock: self.clone(), set: Vec::new() }
    }

    fn set(&self, after: Duration, ring: Ring) -> Key {
        let now = Instant::now();
        let at = now.checked_add(after).unwrap_or(now + FAR);
        let mut waiting = self.0.waiting.lock();
        waiting.last += 1;
        let key = (at, waiting.last);
        let is_first = waiting.alarms.first_key_value().is_none_or(|(first, _)| key < *first);
        waiting.alarms.insert(key, ring);
        drop(waiting);
        if is_first {
            self.0.sooner.notify_one();
        }
        key
    }

    fn cancel(&self, keys: &mut Vec<Key>) {
        if keys.is_empty() {
            return;
        }
        let mut waiting = self.0.waiting.lock();
        let ended: Vec<_> = keys.drain(..).map(|key| waiting.alarms.remove(&key)).collect();
        drop(waiting);
        // What they hold may set others as it goes.
        drop(ended);
    }

    async fn run(self) {
        loop {
            let sooner = self.0.sooner.notified();
            while let Some(ring) = self.due() {
                ring();
            }
            let next = self.0.waiting.lock().alarms.first_key_value().map(|((at, _), _)| *at);
            match next {
                None => sooner.await,
                Some(at) => drop(timeout_at(at, sooner).await),
            }
        }
    }

    fn due(&self) -> Option<Ring> {
        let mut waiting = self.0.waiting.lock();
        let first = waiting.alarms.first_entry()?;
        (first.key().0 <= Instant::now()).then(|| first.remove())
    }
}

impl fmt::Debug for AlarmClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlarmClock").finish_non_exhaustive()
    }
}

/// The timers of one owner; they end with it.
#[derive(Debug)]
pub struct Alarms {
    clock: AlarmClock,
    set: Vec<Key>,
}

impl Alarms {
    /// Sends a message after a while, unless the alarms are dropped before.
    pub fn set<M: Message>(
        &mut self,
        actor: &ActorRef<M>,
        after: Duration,
        message: impl FnOnce() -> M + Send + 'static,
    ) {
        if self.set.len() == self.set.capacity() {
            let now = Instant::now();
            self.set.retain(|(at, _)| *at > now);
        }
        let actor = actor.clone();
        let ring = move || {
            // An actor that has stopped needs no timer.
            let _gone = actor.cast(message());
        };
        self.set.push(self.clock.set(after, Box::new(ring)));
    }

    /// Ends all of them.
    pub fn clear(&mut self) {
        self.clock.cancel(&mut self.set);
    }
}

impl Drop for Alarms {
    fn drop(&mut self) {
        self.clear();
    }
}
