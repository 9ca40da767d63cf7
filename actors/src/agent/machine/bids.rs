//! Bids: when an agent becomes ready, all queues that the agent is ready for are asked, and the
//! highest bid is granted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tandem_kernel::{CallId, Timestamp};

use super::{Agent, Effect, Held, TimerId};
use crate::agent::{Bid, Denial, FromAgent, Round};
use crate::queue::OfferId;

/// How long a queue may take to bid. Bids come within microseconds unless a queue is down.
pub(super) const BID_WITHIN: Duration = Duration::from_millis(300);

/// A queue's wish for the agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) offer: OfferId,
    pub(super) call: CallId,
    pub(super) bid: Bid,
    pub(super) lease: Duration,
}

/// A round of bids.
#[derive(Clone, Debug)]
pub(super) struct Bidding {
    round: Round,
    /// Who has not answered yet.
    waiting: BTreeSet<String>,
    bids: BTreeMap<String, Wish>,
    pub(super) timer: TimerId,
    /// When it is over, whoever has answered.
    pub(super) until: Timestamp,
}

impl Agent {
    /// Takes a wish: a bid while a round runs, else granted or denied at once.
    pub(super) fn reserve(&mut self, queue: String, wish: Wish, out: &mut Vec<Effect>) {
        if !self.is_ready(&queue) {
            let why = if self.held.is_some() { Denial::Reserved } else { Denial::NotReady };
            deny(queue, wish.offer, why, out);
            return;
        }
        let Some(bidding) = &mut self.bidding else {
            self.grant(queue, wish, out);
            return;
        };
        bidding.waiting.remove(&queue);
        if let Some(older) = bidding.bids.insert(queue.clone(), wish) {
            deny(queue, older.offer, Denial::NotReady, out);
        }
    }

    pub(super) fn passed(&mut self, queue: &str, round: Round) {
        if let Some(bidding) = &mut self.bidding
            && bidding.round == round
        {
            bidding.waiting.remove(queue);
        }
    }

    /// Takes a bid back; says whether there was one. Without a name: whatever the bid is.
    pub(super) fn withdraw_bid(&mut self, queue: &str, offer: Option<OfferId>) -> bool {
        let Some(bidding) = &mut self.bidding else { return false };
        let own = |wish: &Wish| offer.is_none_or(|offer| wish.offer == offer);
        if !bidding.bids.get(queue).is_some_and(own) {
            return false;
        }
        bidding.bids.remove(queue).is_some()
    }

    /// Waits no longer for those who have not answered.
    pub(super) fn close_bids(&mut self) {
        if let Some(bidding) = &mut self.bidding {
            bidding.waiting.clear();
        }
    }

    /// After every step: opens or settles a round and tells the queues what changed.
    pub(super) fn refresh(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.track_activity(now);
        self.drop_stale_bids(out);
        self.open_round(out);
        self.publish(out);
        if self.settle(out) {
            self.track_activity(now);
            self.publish(out);
        }
    }

    fn track_activity(&mut self, now: Timestamp) {
        let resting = self.facts.seats.values().any(|seat| seat.rest.is_some());
        let activity = self.activity_of(resting);
        if activity != self.activity {
            self.activity = activity;
            self.since = now;
        }
    }

    fn drop_stale_bids(&mut self, out: &mut Vec<Effect>) {
        let Some(mut bidding) = self.bidding.take() else { return };
        bidding.waiting.retain(|queue| self.is_ready(queue));
        for (queue, wish) in std::mem::take(&mut bidding.bids) {
            if self.is_ready(&queue) {
                bidding.bids.insert(queue, wish);
            } else {
                deny(queue, wish.offer, Denial::NotReady, out);
            }
        }
        self.bidding = Some(bidding);
    }

    /// A queue for which the agent was not ready before: all queues are asked, so that the
    /// heaviest call wins. Bids that are there already stand.
    fn open_round(&mut self, out: &mut Vec<Effect>) {
        let was_ready = |queue: &String| self.published.get(queue).is_some_and(|it| it.ready);
        let ready: BTreeSet<String> =
            self.facts.seats.keys().filter(|queue| self.is_ready(queue)).cloned().collect();
        if ready.iter().all(was_ready) {
            return;
        }
        let bids = self.bidding.take().map(|bidding| bidding.bids).unwrap_or_default();
        self.next_round += 1;
        let round = Round(self.next_round);
        let waiting: BTreeSet<String> =
            ready.into_iter().filter(|queue| !bids.contains_key(queue)).collect();
        for queue in &waiting {
            self.published.remove(queue);
        }
        let timer = self.arm(BID_WITHIN, out);
        self.bidding = Some(Bidding { round, waiting, bids, timer, until: self.now + BID_WITHIN });
    }

    /// Tells each queue how the agent stands, if that is news.
    fn publish(&mut self, out: &mut Vec<Effect>) {
        for (queue, seat) in &self.facts.seats {
            let standing = self.standing(queue, seat);
            if self.published.get(queue) == Some(&standing) {
                continue;
            }
            self.published.insert(queue.clone(), standing.clone());
            let bidding = self.bidding.as_ref();
            let round = bidding.filter(|it| it.waiting.contains(queue)).map(|it| it.round);
            let fresh = self.untold.remove(queue);
            let message = FromAgent::Standing { standing, round, fresh };
            out.push(Effect::Tell { queue: queue.clone(), message });
        }
    }

    /// Ends the round when everybody has answered; says whether a bid was granted.
    fn settle(&mut self, out: &mut Vec<Effect>) -> bool {
        let Some(bidding) = self.bidding.take_if(|bidding| bidding.waiting.is_empty()) else {
            return false;
        };
        let mut bids = bidding.bids;
        let best = bids.iter().reduce(|best, other| {
            let (queue, wish) = other;
            if wish.bid.beats(queue, best.1.bid, best.0) { other } else { best }
        });
        let Some(winner) = best.map(|(queue, _)| queue.clone()) else { return false };
        let won = bids.remove(&winner);
        for (queue, lost) in bids {
            deny(queue, lost.offer, Denial::Outbid, out);
        }
        if let Some(wish) = won {
            self.grant(winner, wish, out);
        }
        true
    }

    fn grant(&mut self, queue: String, wish: Wish, out: &mut Vec<Effect>) {
        debug_assert!(self.held.is_none(), "an agent holds two reservations");
        let Wish { offer, call, lease, .. } = wish;
        let message = FromAgent::Granted { offer };
        out.push(Effect::Tell { queue: queue.clone(), message });
        self.seize(queue, offer, call, lease, out);
    }

    /// Holds a reservation, unless there is one.
    pub(super) fn seize(
        &mut self,
        queue: String,
        offer: OfferId,
        call: CallId,
        lease: Duration,
        out: &mut Vec<Effect>,
    ) {
        if self.held.is_some() {
            return;
        }
        let timer = self.arm(lease, out);
        let until = self.now + lease;
        self.held = Some(Held { queue, offer, call, timer, until });
    }
}

impl Agent {
    /// the reservation outlives the ring for as long as the announcement may take.
    pub(super) fn prolong(
        &mut self,
        now: Timestamp,
        queue: &str,
        offer: OfferId,
        lease: Duration,
        out: &mut Vec<Effect>,
    ) {
        let is_meant = |held: &Held| held.queue == queue && held.offer == offer;
        if !self.held.as_ref().is_some_and(is_meant) {
            return;
        }
        let timer = self.arm(lease, out);
        if let Some(held) = &mut self.held {
            (held.timer, held.until) = (timer, now + lease);
        }
    }
}

fn deny(queue: String, offer: OfferId, why: Denial, out: &mut Vec<Effect>) {
    out.push(Effect::Tell { queue, message: FromAgent::Denied { offer, why } });
}
