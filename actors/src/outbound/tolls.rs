//! What outside calls may cost and how often they may begin: per extension and per trunk.
//!
//! A call takes its place before it is dialled, in one step, so that a thousand attempts at the
//! same moment can not pass a limit together. What a call will cost at least, one minute, is
//! taken at the same time and set right when it ends.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tandem_config::resource::{OutboundPolicy, Trunk};
use tandem_journal::Record;
use tandem_kernel::Timestamp;

use super::history::History;
use super::{Barred, Outgoing, Rule};

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// What was begun and spent on one account. Times are in order.
#[derive(Clone, Debug, Default, PartialEq)]
struct Account {
    begun: VecDeque<Timestamp>,
    spent: VecDeque<(Timestamp, u64)>,
    spent_sum: u64,
}

/// The limits of an account; 0: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Calls that begin in a second.
    pub per_second: u32,
    /// Calls that begin in a minute.
    pub per_minute: u32,
    /// Money in a day, in thousandths of the currency unit.
    pub per_day: u64,
}

impl Limits {
    /// Those of an extension.
    #[must_use]
    pub const fn of_extension(policy: &OutboundPolicy) -> Self {
        let (per_minute, per_day) =
            (policy.extension_calls_per_minute, policy.extension_spend_per_day);
        Self { per_second: 0, per_minute, per_day }
    }

    /// Those of a trunk.
    #[must_use]
    pub const fn of_trunk(trunk: &Trunk) -> Self {
        Self {
            per_second: trunk.calls_per_second,
            per_minute: trunk.calls_per_minute,
            per_day: trunk.spend_per_day,
        }
    }
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reached {
    /// Too many calls in a second.
    #[error("takes no more calls in this second")]
    PerSecond,
    /// Too many calls in a minute.
    #[error("takes no more calls in this minute")]
    PerMinute,
    /// Too much money in a day.
    #[error("has spent what it may in a day")]
    PerDay,
}

impl Account {
    fn forget(&mut self, now: Timestamp) {
        while self.begun.front().is_some_and(|at| now.since(*at) >= MINUTE) {
            self.begun.pop_front();
        }
        while let Some((at, amount)) = self.spent.front().copied()
            && now.since(at) >= DAY
        {
            self.spent.pop_front();
            self.spent_sum = self.spent_sum.saturating_sub(amount);
        }
    }

    fn take(&mut self, now: Timestamp, limits: Limits, price: u64) -> Result<(), Reached> {
        self.forget(now);
        let in_second = self.begun.iter().rev().take_while(|at| now.since(**at) < SECOND).count();
        if limits.per_second > 0 && in_second >= limits.per_second as usize {
            return Err(Reached::PerSecond);
        }
        if limits.per_minute > 0 && self.begun.len() >= limits.per_minute as usize {
            return Err(Reached::PerMinute);
        }
        let wanted = self.spent_sum.saturating_add(price);
        if limits.per_day > 0 && wanted > limits.per_day {
            return Err(Reached::PerDay);
        }
        // Without limits nothing is counted, so that a busy trunk costs no memory.
        if limits.per_second > 0 || limits.per_minute > 0 {
            self.begun.push_back(now);
        }
        self.spend(now, price);
        Ok(())
    }

    fn spend(&mut self, now: Timestamp, amount: u64) {
        if amount == 0 {
            return;
        }
        self.spent_sum = self.spent_sum.saturating_add(amount);
        // One entry a minute is exact enough for a day.
        match self.spent.back_mut() {
            Some((at, sum)) if now.since(*at) < MINUTE => *sum = sum.saturating_add(amount),
            _ => self.spent.push_back((now, amount)),
        }
    }

    fn set_right(&mut self, now: Timestamp, taken: u64, cost: u64) {
        if cost > taken {
            self.spend(now, cost - taken);
        } else {
            self.give_back(taken - cost);
        }
    }

    fn give_back(&mut self, amount: u64) {
        let mut left = amount;
        while left > 0
            && let Some((_, sum)) = self.spent.back_mut()
        {
            let part = left.min(*sum);
            *sum -= part;
            self.spent_sum -= part;
            left -= part;
            if *sum == 0 {
                self.spent.pop_back();
            }
        }
    }
}

/// The accounts of extensions and trunks, as a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    extensions: Accounts<String>,
    trunks: Accounts<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Accounts<K: Hash + Eq>(HashMap<K, Account>);

impl<K: Hash + Eq> Default for Accounts<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl Ledger {
    /// An extension begins a call.
    ///
    /// # Errors
    /// The limit that it would pass; nothing is taken then.
    pub fn extension(
        &mut self,
        now: Timestamp,
        extension: &str,
        limits: Limits,
        price: u64,
    ) -> Result<(), Reached> {
        self.extensions.0.entry(extension.to_owned()).or_default().take(now, limits, price)
    }

    /// A call is sent over a trunk.
    ///
    /// # Errors
    /// The limit that it would pass; nothing is taken then.
    pub fn trunk(
        &mut self,
        now: Timestamp,
        trunk: &str,
        limits: Limits,
        price: u64,
    ) -> Result<(), Reached> {
        self.trunks.0.entry(trunk.to_owned()).or_default().take(now, limits, price)
    }

    /// A call ended: what it cost in the place of what was taken for it. A trunk that only
    /// tried gets everything back.
    pub fn settle(&mut self, now: Timestamp, used: &UsedToll, carried_by: Option<&str>, cost: u64) {
        let own = used.extension.as_ref().and_then(|it| self.extensions.0.get_mut(it));
        if let Some(account) = own {
            account.set_right(now, used.taken, cost);
        }
        for trunk in &used.trunks {
            let cost = if carried_by == Some(trunk) { cost } else { 0 };
            if let Some(account) = self.trunks.0.get_mut(trunk) {
                account.set_right(now, used.taken, cost);
            }
        }
    }

    /// A call of before the restart.
    pub fn remember(&mut self, at: Timestamp, extension: &str, trunk: Option<&str>, cost: u64) {
        if !extension.is_empty() {
            self.extensions.0.entry(extension.to_owned()).or_default().spend(at, cost);
        }
        if let Some(trunk) = trunk {
            self.trunks.0.entry(trunk.to_owned()).or_default().spend(at, cost);
        }
    }

    /// What an extension has spent in the last day.
    #[must_use]
    pub fn spent_by(&mut self, now: Timestamp, extension: &str) -> u64 {
        self.extensions.0.get_mut(extension).map_or(0, |account| {
            account.forget(now);
            account.spent_sum
        })
    }
}

/// What a call has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedToll {
    /// The extension that pays; none: the system's own call.
    pub extension: Option<String>,
    /// The trunks that tried it.
    pub trunks: Vec<String>,
    /// What was taken when it began, of each.
    pub taken: u64,
}

/// What begun minutes cost.
#[must_use]
pub fn cost(price_per_minute: u32, talk: Duration) -> u64 {
    let minutes = talk.as_secs().div_ceil(60);
    let minutes = if talk.is_zero() { 0 } else { minutes.max(1) };
    u64::from(price_per_minute).saturating_mul(minutes)
}

/// The ledger that the calls of a node share. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tolls {
    ledger: Arc<Mutex<Ledger>>,
    history: Arc<Mutex<History>>,
}

impl Tolls {
    /// Lets an extension's call begin, or not. The system's own call belongs to none.
    ///
    /// # Errors
    /// Which rule keeps it in. Emergency calls always begin.
    pub fn begin(
        &self,
        now: Timestamp,
        extension: Option<&str>,
        policy: &OutboundPolicy,
        outgoing: &Outgoing,
    ) -> Result<UsedToll, Barred> {
        let taken = u64::from(outgoing.price_per_minute);
        let owner = extension.map(str::to_owned);
        let used = UsedToll { extension: owner, trunks: Vec::new(), taken };
        let Some(extension) = extension else { return Ok(used) };
        let limits =
            if outgoing.is_emergency { Limits::default() } else { Limits::of_extension(policy) };
        let begun = self.ledger.lock().extension(now, extension, limits, taken);
        begun.map(|()| used).map_err(|reached| match reached {
            Reached::PerSecond | Reached::PerMinute => {
                Barred::new(Rule::CallsPerMinute, "too many outside calls of this extension")
            }
            Reached::PerDay => Barred::new(Rule::Spend, "the extension's daily limit is reached"),
        })
    }

    /// Lets a call onto a trunk, or not.
    ///
    /// # Errors
    /// Which limit the trunk has reached.
    pub fn enter(&self, now: Timestamp, trunk: &Trunk, price: u64) -> Result<(), Reached> {
        self.ledger.lock().trunk(now, &trunk.name, Limits::of_trunk(trunk), price)
    }

    /// Sets right what a call has taken.
    pub fn settle(&self, now: Timestamp, used: &UsedToll, carried_by: Option<&str>, cost: u64) {
        self.ledger.lock().settle(now, used, carried_by, cost);
    }

    /// Takes a journal record of before the restart in.
    pub fn replay(&self, record: &Record) {
        self.history.lock().apply(record, self);
    }

    /// Takes a call of before the restart in.
    pub fn remember(&self, at: Timestamp, extension: &str, trunk: Option<&str>, cost: u64) {
        self.ledger.lock().remember(at, extension, trunk, cost);
    }

    /// What an extension has spent in the last day, in thousandths of the currency unit.
    #[must_use]
    pub fn spent_by(&self, now: Timestamp, extension: &str) -> u64 {
        self.ledger.lock().spent_by(now, extension)
    }
}
