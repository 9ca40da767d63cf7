//! Which nonce counts have been seen: every proof is taken once.

use std::collections::{HashMap, VecDeque};

use super::nonce::NonceId;

/// Requests that overtake each other on the way are still taken within this many.
const SPAN: u32 = 64;

/// The counts of one nonce.
#[derive(Clone, Copy, Debug)]
struct Window {
    highest: u32,
    /// Bit n: `highest - n` has been seen.
    seen: u64,
}

impl Window {
    /// Takes a count; false if it has been seen or is too old to tell.
    fn take(&mut self, nc: u32) -> bool {
        if nc > self.highest {
            let step = nc - self.highest;
            self.seen = if step >= SPAN { 0 } else { self.seen << step };
            self.seen |= 1;
            self.highest = nc;
            return true;
        }
        let behind = self.highest - nc;
        if behind >= SPAN || self.seen & (1 << behind) != 0 {
            return false;
        }
        self.seen |= 1 << behind;
        true
    }
}

/// The windows of all nonces in use, the oldest dropped first.
#[derive(Debug, Default)]
pub(super) struct Windows {
    of: HashMap<NonceId, Window>,
    order: VecDeque<NonceId>,
    /// Nothing is known any more of nonces up to this one.
    forgotten: Option<NonceId>,
}

/// What a count is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Fresh,
    Seen,
    /// The nonce has been forgotten: it must be made anew.
    Unknown,
}

impl Windows {
    pub(super) fn is_forgotten(&self, id: NonceId) -> bool {
        !self.of.contains_key(&id) && self.forgotten.is_some_and(|forgotten| id <= forgotten)
    }

    /// Takes a proven count of a nonce; at most `capacity` nonces are remembered.
    pub(super) fn take(&mut self, id: NonceId, nc: u32, capacity: usize) -> Count {
        if let Some(window) = self.of.get_mut(&id) {
            return if window.take(nc) { Count::Fresh } else { Count::Seen };
        }
        if self.is_forgotten(id) {
            return Count::Unknown;
        }
        while self.of.len() >= capacity.max(1) {
            let Some(oldest) = self.order.pop_front() else { break };
            self.drop_nonce(oldest);
        }
        self.of.insert(id, Window { highest: nc, seen: 1 });
        self.order.push_back(id);
        Count::Fresh
    }

    /// Drops nonces that are too old to be taken anyway.
    pub(super) fn expire(&mut self, is_over: impl Fn(NonceId) -> bool) {
        while self.order.front().is_some_and(|oldest| is_over(*oldest)) {
            if let Some(oldest) = self.order.pop_front() {
                self.of.remove(&oldest);
            }
        }
    }

    fn drop_nonce(&mut self, id: NonceId) {
        self.of.remove(&id);
        self.forgotten = self.forgotten.max(Some(id));
    }

    pub(super) fn len(&self) -> usize {
        self.of.len()
    }
}
