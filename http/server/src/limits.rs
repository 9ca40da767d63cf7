//! How often someone may ask: token buckets for requests, back-off for wrong passwords. Both
//! tables are bounded: the entry that was quiet longest makes room.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use parking_lot::Mutex;
use tandem_kernel::Timestamp;

/// Entries of one table.
const ENTRIES: usize = 10_000;

/// So many requests at once, and so many again each second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At once.
    pub burst: u32,
    /// Each second.
    pub per_sec: u32,
}

impl Rate {
    /// In how many seconds an empty bucket is full again.
    pub(crate) fn window_secs(self) -> u32 {
        self.burst.div_ceil(self.per_sec.max(1))
    }
}

/// What is left of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Requests that may be made now.
    pub(crate) requests: u64,
    /// Seconds until the bucket is full again.
    pub(crate) full_in_secs: u64,
}

struct Bucket {
    /// Millionths of a request that are left.
    left: u64,
    at: Timestamp,
}

/// Token buckets by key.
pub(crate) struct Buckets<K> {
    rate: Rate,
    buckets: Mutex<HashMap<K, Bucket>>,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::default() }
    }

    /// Takes one and says what is left; else the seconds until there is one again.
    pub(crate) fn take(&self, now: Timestamp, key: &K) -> Result<Left, u64> {
        let full = u64::from(self.rate.burst) * 1_000_000;
        let mut buckets = self.buckets.lock();
        make_room(&mut buckets, key, |bucket| bucket.at);
        let bucket = buckets.entry(key.clone()).or_insert(Bucket { left: full, at: now });
        let micros = u64::try_from(now.since(bucket.at).as_micros()).unwrap_or(u64::MAX);
        let grown = micros.saturating_mul(u64::from(self.rate.per_sec));
        bucket.left = bucket.left.saturating_add(grown).min(full);
        bucket.at = now;
        let a_second = u64::from(self.rate.per_sec.max(1)) * 1_000_000;
        let missing = 1_000_000_u64.saturating_sub(bucket.left);
        if missing > 0 {
            return Err(missing.div_ceil(a_second));
        }
        bucket.left -= 1_000_000;
        let full_in_secs = (full - bucket.left).div_ceil(a_second);
        Ok(Left { requests: bucket.left / 1_000_000, full_in_secs })
    }
}

/// Wrong passwords that cost nothing but the time of a hash.
const FREE: u32 = 4;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(900);

struct Failures {
    count: u32,
    at: Timestamp,
}

/// Back-off after wrong passwords: none for the first few, then doubling from a second.
pub(crate) struct Backoff<K>(Mutex<HashMap<K, Failures>>);

impl<K> Default for Backoff<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq + Clone> Backoff<K> {
    /// The seconds to wait, if there is a wait.
    pub(crate) fn wait_secs(&self, now: Timestamp, key: &K) -> Option<u64> {
        let failures = self.0.lock();
        let found = failures.get(key)?;
        let doublings = found.count.checked_sub(FREE + 1)?.min(20);
        let wait = Duration::from_secs(1 << doublings).min(LONGEST);
        let left = wait.checked_sub(now.since(found.at))?;
        (!left.is_zero()).then(|| left.as_secs() + 1)
    }

    /// Counts a wrong password.
    pub(crate) fn failed(&self, now: Timestamp, key: &K) {
        let mut failures = self.0.lock();
        make_room(&mut failures, key, |failures| failures.at);
        let entry = failures.entry(key.clone()).or_insert(Failures { count: 0, at: now });
        // A day without a failure forgives.
        if now.since(entry.at) > Duration::from_secs(86_400) {
            entry.count = 0;
        }
        entry.count = entry.count.saturating_add(1);
        entry.at = now;
    }

    /// Forgets the failures of who signed in.
    pub(crate) fn succeeded(&self, key: &K) {
        self.0.lock().remove(key);
    }
}

/// Whom an address is counted as: an IPv6 host has all of a /64 to choose from.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(host) => {
            let prefix = host.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(prefix))
        }
        host @ IpAddr::V4(_) => host,
    }
}

fn make_room<K: Hash + Eq + Clone, V>(
    table: &mut HashMap<K, V>,
    key: &K,
    at: impl Fn(&V) -> Timestamp,
) {
    if table.len() < ENTRIES || table.contains_key(key) {
        return;
    }
    let oldest = table.iter().min_by_key(|(_, value)| at(value)).map(|(key, _)| key.clone());
    if let Some(oldest) = oldest {
        table.remove(&oldest);
    }
}
