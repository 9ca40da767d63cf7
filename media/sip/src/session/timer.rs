//! The timers of one session, told apart by numbers that never come back.

use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::effect::{Effect, ReferId, TimerId};
use super::{Party, Session};

/// RFC 3261 17.1.1.1: the estimate of the round trip.
pub(super) const T1: Duration = Duration::from_millis(500);
/// The longest interval between repeated answers.
pub(super) const T2: Duration = Duration::from_secs(4);
/// 64 times T1.
pub(super) const LONG: Duration = Duration::from_secs(32);

/// What a timer is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Timer {
    /// Nobody answered our INVITE in the time that the owner gave.
    GiveUp,
    /// The flow of our INVITE has said nothing.
    Silence,
    /// Whatever the wire still owes us, it is late: close.
    Guard,
    /// Send the 2xx again, or give up its ACK.
    RepeatAnswer,
    /// Send the reliable provisional answer again, or give up its PRACK.
    RepeatReliable,
    /// RFC 3261 13.3.1.1: keep proxies from giving the call up.
    RepeatRinging,
    /// RFC 3261 14.1: offer again after a collision.
    Glare,
    /// Our offer waits too long for an answer.
    OfferGuard,
    /// Refresh the session.
    Refresh,
    /// The session was not refreshed.
    Expire,
    /// The ACK of this CSeq number need not be sent again any more.
    ForgetAck(u32),
    /// Nothing was heard of a transfer that we asked for, or that we were asked for.
    Transfer(ReferId),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Timers {
    last: u32,
    armed: SmallVec<[Armed; 4]>,
}

#[derive(Clone, Copy, Debug)]
struct Armed {
    id: TimerId,
    timer: Timer,
    at: Instant,
}

impl Timers {
    fn take(&mut self, id: TimerId) -> Option<Timer> {
        let at = self.armed.iter().position(|armed| armed.id == id)?;
        Some(self.armed.swap_remove(at).timer)
    }

    fn cancel(&mut self, timer: Timer) {
        self.armed.retain(|armed| armed.timer != timer);
    }
}

impl Session {
    /// Arms a timer in place of an earlier one of the same kind.
    pub(super) fn arm(&mut self, timer: Timer, after: Duration) {
        self.timers.cancel(timer);
        self.timers.last += 1;
        let id = TimerId(self.timers.last);
        self.timers.armed.push(Armed { id, timer, at: self.now + after });
        self.out.push(Effect::Arm { timer: id, after });
    }

    pub(super) fn disarm(&mut self, timer: Timer) {
        self.timers.cancel(timer);
    }

    pub(super) fn is_armed(&self, timer: Timer) -> bool {
        self.timers.armed.iter().any(|armed| armed.timer == timer)
    }

    pub(super) fn disarm_all(&mut self) {
        self.timers.armed.clear();
    }

    /// Asks for all timers again that are armed, for an owner who has lost them: it goes on with
    /// the session elsewhere.
    pub fn rearm(&self, now: Instant) -> Vec<Effect> {
        let armed = self.timers.armed.iter();
        let again = armed
            .map(|it| Effect::Arm { timer: it.id, after: it.at.saturating_duration_since(now) });
        again.collect()
    }

    pub(super) fn timer(&mut self, id: TimerId) {
        let Some(timer) = self.timers.take(id) else { return };
        match timer {
            Timer::GiveUp => self.give_up(),
            Timer::Silence => self.flow_is_silent(),
            Timer::Guard => self.close(Party::Timeout),
            Timer::RepeatAnswer => self.repeat_answer(),
            Timer::RepeatReliable => self.repeat_reliable(),
            Timer::RepeatRinging => self.repeat_ringing(),
            Timer::Glare => self.offer_waiting(),
            Timer::OfferGuard => self.offer_overdue(),
            Timer::Refresh => self.send_refresh(),
            Timer::Expire => self.expired(),
            Timer::ForgetAck(cseq) => self.acks.retain(|ack| ack.cseq != cseq),
            Timer::Transfer(id) => self.transfer_overdue(id),
        }
    }
}

/// A message that is repeated until it is acknowledged: T1, doubled up to a bound, for 64 T1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repeat {
    interval: Duration,
    bound: Duration,
    deadline: Instant,
}

impl Repeat {
    pub(super) fn new(now: Instant, bound: Duration) -> Self {
        Self { interval: T1, bound, deadline: now + LONG }
    }

    /// How long to wait for the first time.
    pub(super) const fn first() -> Duration {
        T1
    }

    /// The time has come: how long to wait for the next one, or `None` to give up.
    pub(super) fn next(&mut self, now: Instant) -> Option<Duration> {
        let left = self.deadline.saturating_duration_since(now);
        if left.is_zero() {
            return None;
        }
        self.interval = (self.interval * 2).min(self.bound);
        Some(self.interval.min(left))
    }
}
