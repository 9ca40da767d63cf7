//! Who may be heard: a token bucket for each source, bans that double, a bounded table (S18).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::config::Limits;

/// A range of addresses, written `192.0.2.0/24`; without a length it is one address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Prefix {
    addr: IpAddr,
    length: u8,
}

/// A text that is no address range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address or address range")]
pub struct ParsePrefixError;

impl Prefix {
    /// Whether an address lies in the range. A mapped IPv4 address counts as IPv4.
    #[must_use]
    pub fn contains(&self, addr: IpAddr) -> bool {
        match (self.addr, addr.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.length);
                let differing = own.to_bits() ^ other.to_bits();
                differing.checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.length);
                let differing = own.to_bits() ^ other.to_bits();
                differing.checked_shr(shift).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl From<IpAddr> for Prefix {
    fn from(addr: IpAddr) -> Self {
        let addr = addr.to_canonical();
        Self { addr, length: if addr.is_ipv4() { 32 } else { 128 } }
    }
}

impl FromStr for Prefix {
    type Err = ParsePrefixError;

    fn from_str(text: &str) -> Result<Self, ParsePrefixError> {
        let Some((addr, length)) = text.split_once('/') else {
            return text.parse::<IpAddr>().map(Self::from).map_err(|_| ParsePrefixError);
        };
        let whole = Self::from(addr.parse::<IpAddr>().map_err(|_| ParsePrefixError)?);
        let length = length.parse().map_err(|_| ParsePrefixError)?;
        if length > whole.length {
            return Err(ParsePrefixError);
        }
        Ok(Self { addr: whole.addr, length })
    }
}

/// What a source did, as the user of the endpoint saw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offence {
    /// A wrong password or an unknown user.
    BadCredentials,
    /// A message that cannot be read.
    Malformed,
    /// A request for a number or service that only a scanner asks for.
    Scan,
}

impl Offence {
    /// How many requests it counts as.
    const fn cost(self) -> f64 {
        match self {
            Self::BadCredentials => 3.0,
            Self::Malformed => 2.0,
            Self::Scan => 10.0,
        }
    }
}

/// A source that is not heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// An IPv4 address or the first address of an IPv6 /64.
    pub source: IpAddr,
    /// How much longer.
    pub remaining: Duration,
    /// How many bans it has had.
    pub times: u32,
}

/// What becomes of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// It is dealt with.
    Heard,
    /// It is dropped: too many from a source that is known to be good.
    Shed,
    /// It is dropped, and so is all that follows.
    Banned,
}

/// How much more a source may send in which somebody has proved who they are: a site behind
/// one address starts all its phones at once.
const PROVEN_FACTOR: f64 = 20.0;

/// For how long a proof holds: as long as the longest registration, after which it is renewed.
const PROOF: Duration = Duration::from_secs(2 * 60 * 60);

/// A source that behaved for so long after a ban starts afresh.
const FORGIVEN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

struct Source {
    key: IpAddr,
    tokens: f64,
    counted: Instant,
    proven_until: Option<Instant>,
    banned_until: Option<Instant>,
    bans: u32,
    newer: usize,
    older: usize,
}

/// No neighbour in the list of sources.
const NONE: usize = usize::MAX;

/// The table of sources, in order of when they were last seen.
pub(crate) struct Guard {
    limits: Limits,
    index: HashMap<IpAddr, usize>,
    sources: Vec<Source>,
    newest: usize,
    oldest: usize,
}

impl Guard {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, index: HashMap::new(), sources: Vec::new(), newest: NONE, oldest: NONE }
    }

    pub(crate) fn set_allowed(&mut self, allowed: Vec<Prefix>) {
        self.limits.allowed = allowed;
    }

    /// Whether a source is never limited.
    pub(crate) fn is_allowed(&self, addr: IpAddr) -> bool {
        let addr = addr.to_canonical();
        (self.limits.exempt_loopback && addr.is_loopback())
            || self.limits.allowed.iter().any(|prefix| prefix.contains(addr))
    }

    /// Whether a source is banned now.
    pub(crate) fn is_banned(&self, addr: IpAddr, now: Instant) -> bool {
        let Some(at) = self.index.get(&source_key(addr)) else { return false };
        self.sources[*at].banned_until.is_some_and(|until| until > now)
    }

    /// Counts one request of somebody unknown.
    pub(crate) fn count(&mut self, addr: IpAddr, now: Instant) -> Verdict {
        self.charge(addr, 1.0, now)
    }

    /// Counts an offence.
    pub(crate) fn report(&mut self, addr: IpAddr, offence: Offence, now: Instant) -> Verdict {
        self.charge(addr, offence.cost(), now)
    }

    fn charge(&mut self, addr: IpAddr, cost: f64, now: Instant) -> Verdict {
        if self.is_allowed(addr) {
            return Verdict::Heard;
        }
        let (requests, window) = (f64::from(self.limits.requests), self.limits.window);
        let at = self.touch(addr, now);
        let source = &mut self.sources[at];
        if source.banned_until.is_some_and(|until| until > now) {
            return Verdict::Banned;
        }
        let proven = source.proven_until.is_some_and(|until| until > now);
        let full = if proven { requests * PROVEN_FACTOR } else { requests };
        let elapsed = now.saturating_duration_since(source.counted).as_secs_f64();
        source.counted = now;
        source.tokens = (source.tokens + elapsed * full / window.as_secs_f64()).min(full);
        if source.tokens >= cost {
            source.tokens -= cost;
            return Verdict::Heard;
        }
        if proven {
            return Verdict::Shed;
        }
        self.ban_at(at, now);
        Verdict::Banned
    }

    /// Somebody behind this address has proved who they are.
    pub(crate) fn prove(&mut self, addr: IpAddr, now: Instant) {
        let full = f64::from(self.limits.requests) * PROVEN_FACTOR;
        let at = self.touch(addr, now);
        let source = &mut self.sources[at];
        if source.proven_until.is_none_or(|until| until <= now) {
            source.tokens = full;
        }
        source.proven_until = Some(now + PROOF);
    }

    /// Whether somebody behind this address has proved who they are.
    pub(crate) fn is_proven(&self, addr: IpAddr, now: Instant) -> bool {
        let Some(at) = self.index.get(&source_key(addr)) else { return false };
        self.sources[*at].proven_until.is_some_and(|until| until > now)
    }

    /// Bans a source, twice as long as the last time.
    pub(crate) fn ban(&mut self, addr: IpAddr, now: Instant) {
        let at = self.touch(addr, now);
        self.ban_at(at, now);
    }

    fn ban_at(&mut self, at: usize, now: Instant) {
        let (first, longest) = (self.limits.ban, self.limits.longest_ban);
        let full = f64::from(self.limits.requests);
        let source = &mut self.sources[at];
        let forgiven = source.banned_until.is_some_and(|until| now > until + FORGIVEN_AFTER);
        if forgiven {
            source.bans = 0;
        }
        let length = first.saturating_mul(1 << source.bans.min(20)).min(longest);
        source.bans += 1;
        source.tokens = full;
        source.proven_until = None;
        source.banned_until = Some(now + length);
    }

    /// Ends a ban and forgets earlier ones.
    pub(crate) fn pardon(&mut self, addr: IpAddr) {
        if let Some(at) = self.index.get(&source_key(addr)) {
            self.sources[*at].banned_until = None;
            self.sources[*at].bans = 0;
        }
    }

    /// Who is banned.
    pub(crate) fn bans(&self, now: Instant) -> Vec<Ban> {
        let banned = self.sources.iter().filter_map(|source| {
            let remaining = source.banned_until?.checked_duration_since(now)?;
            Some(Ban { source: source.key, remaining, times: source.bans })
        });
        banned.collect()
    }

    /// Finds or makes the entry of a source and makes it the newest.
    fn touch(&mut self, addr: IpAddr, now: Instant) -> usize {
        let key = source_key(addr);
        if let Some(at) = self.index.get(&key).copied() {
            self.unlink(at);
            self.link(at);
            return at;
        }
        let source = Source {
            key,
            tokens: f64::from(self.limits.requests),
            counted: now,
            proven_until: None,
            banned_until: None,
            bans: 0,
            newer: NONE,
            older: NONE,
        };
        let at = if self.sources.len() < self.limits.sources.max(1) {
            self.sources.push(source);
            self.sources.len() - 1
        } else {
            let at = self.oldest;
            self.unlink(at);
            self.index.remove(&self.sources[at].key);
            self.sources[at] = source;
            at
        };
        self.index.insert(key, at);
        self.link(at);
        at
    }

    fn unlink(&mut self, at: usize) {
        let (newer, older) = (self.sources[at].newer, self.sources[at].older);
        match newer {
            NONE => self.newest = older,
            newer => self.sources[newer].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.sources[older].newer = newer,
        }
    }

    fn link(&mut self, at: usize) {
        self.sources[at].newer = NONE;
        self.sources[at].older = self.newest;
        match self.newest {
            NONE => self.oldest = at,
            newest => self.sources[newest].newer = at,
        }
        self.newest = at;
    }
}

/// One source: an IPv4 address, or an IPv6 /64, since a host can have all of that.
pub(crate) fn source_key(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V6(addr) if !addr.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(addr.to_bits() & !u128::from(u64::MAX)))
        }
        other => other,
    }
}
