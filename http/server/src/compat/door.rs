//! Who is let in: log-in, tokens and their life, lock-out, rate, and answers that are given again.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;
use rand::RngCore;
use tandem_kernel::Timestamp;

use super::Account;
use super::errno::Errno;
use super::form::{Fields, Value, text};
use crate::limits::{Buckets, Rate};

/// A token without a request lives so long (D-045).
const IDLE: Duration = Duration::from_secs(30 * 60);
/// And no longer than this in all.
const LIFE: Duration = Duration::from_secs(24 * 3_600);
/// Tokens of one account (D-048).
const TOKENS: usize = 10;
/// Wrong passwords in a row that lock an address out (D-044).
const WRONG: u32 = 5;
/// How long.
const LOCKED: Duration = Duration::from_secs(600);
/// Requests of one account (D-057).
const RATE: Rate = Rate { burst: 40, per_sec: 20 };
/// How long an answer is given again (D-058).
const AGAIN: Duration = Duration::from_secs(600);
/// Addresses and answers that are remembered.
const ENTRIES: usize = 10_000;

struct Open {
    account: usize,
    opened: Timestamp,
    used: Timestamp,
}

struct Failures {
    count: u32,
    at: Timestamp,
}

/// By account and key: when, of which body, what.
type Answers = HashMap<(String, String), (Timestamp, blake3::Hash, String)>;

/// The door's book.
pub(crate) struct Door {
    accounts: Vec<Account>,
    tokens: Mutex<HashMap<[u8; 32], Open>>,
    failures: Mutex<HashMap<IpAddr, Failures>>,
    answers: Mutex<Answers>,
    rate: Buckets<String>,
}

impl Door {
    pub(super) fn new(accounts: Vec<Account>) -> Self {
        Self {
            accounts,
            tokens: Mutex::default(),
            failures: Mutex::default(),
            answers: Mutex::default(),
            rate: Buckets::new(RATE),
        }
    }

    /// Gives a token for name and password (D-040, D-041).
    pub(super) fn log_in(
        &self,
        now: Timestamp,
        from: Option<IpAddr>,
        fields: &Fields,
    ) -> Result<Vec<(String, Value)>, Errno> {
        let [Some(name), Some(password), Some(_port)] =
            ["username", "password", "port"].map(|field| fields.text(field))
        else {
            return Err(Errno::FieldEmpty);
        };
        if from.is_some_and(|from| self.is_locked(now, from)) {
            return Err(Errno::LockedOut);
        }
        let given = blake3::hash(password.to_ascii_lowercase().as_bytes());
        // The comparison of two hashes takes the same time whatever they are.
        let fits = |account: &Account| {
            account.username == name && blake3::hash(account.password_md5.as_bytes()) == given
        };
        let Some(account) = self.accounts.iter().position(fits) else {
            if let Some(from) = from {
                self.failed(now, from);
            }
            return Err(Errno::LogInFailed);
        };
        if let Some(from) = from {
            self.failures.lock().remove(&from);
        }
        Ok(vec![text("token", self.open(now, account))])
    }

    fn open(&self, now: Timestamp, account: usize) -> String {
        let mut bits = [0; 16];
        rand::rng().fill_bytes(&mut bits);
        let token: String = bits.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut tokens = self.tokens.lock();
        tokens.retain(|_, open| lives(now, open));
        let own = tokens.iter().filter(|(_, open)| open.account == account);
        if own.clone().count() >= TOKENS {
            let oldest = own.min_by_key(|(_, open)| open.opened).map(|(key, _)| *key);
            if let Some(key) = oldest {
                tokens.remove(&key);
            }
        }
        tokens.insert(key_of(&token), Open { account, opened: now, used: now });
        token
    }

    /// Whose a token is; using it keeps it alive.
    pub(super) fn account(&self, now: Timestamp, token: &str) -> Option<Account> {
        let mut tokens = self.tokens.lock();
        let key = key_of(token);
        let open = tokens.get_mut(&key)?;
        if !lives(now, open) {
            tokens.remove(&key);
            return None;
        }
        open.used = now;
        self.accounts.get(open.account).cloned()
    }

    /// Ends a token (D-047).
    pub(super) fn log_out(&self, token: &str) {
        self.tokens.lock().remove(&key_of(token));
    }

    /// Takes one request of an account; else the seconds to wait.
    pub(super) fn take(&self, now: Timestamp, account: &str) -> Result<(), u64> {
        self.rate.take(now, &account.to_owned()).map(|_left| ())
    }

    fn is_locked(&self, now: Timestamp, from: IpAddr) -> bool {
        let failures = self.failures.lock();
        failures.get(&from).is_some_and(|it| it.count >= WRONG && now.since(it.at) < LOCKED)
    }

    fn failed(&self, now: Timestamp, from: IpAddr) {
        let mut failures = self.failures.lock();
        if failures.len() >= ENTRIES {
            failures.retain(|_, failure| now.since(failure.at) < LOCKED);
        }
        let entry = failures.entry(from).or_insert(Failures { count: 0, at: now });
        // A lock that is over begins from nothing.
        if entry.count >= WRONG {
            entry.count = 0;
        }
        entry.count += 1;
        entry.at = now;
    }

    /// The answer that was given under a key, and the hash of what was asked.
    pub(super) fn repeated(
        &self,
        now: Timestamp,
        key: &(String, String),
    ) -> Option<(blake3::Hash, String)> {
        let answers = self.answers.lock();
        let (at, hash, body) = answers.get(key)?;
        (now.since(*at) < AGAIN).then(|| (*hash, body.clone()))
    }

    pub(super) fn remember(
        &self,
        now: Timestamp,
        key: (String, String),
        hash: blake3::Hash,
        body: String,
    ) {
        let mut answers = self.answers.lock();
        answers.retain(|_, (at, _, _)| now.since(*at) < AGAIN);
        if answers.len() < ENTRIES {
            answers.insert(key, (now, hash, body));
        }
    }
}

fn lives(now: Timestamp, open: &Open) -> bool {
    now.since(open.used) < IDLE && now.since(open.opened) < LIFE
}

/// Only the hash of a token is kept.
fn key_of(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}
