//! Compact keys: a transaction is found by 128 bits, not by a copy of its strings.

use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

use rand::RngCore;
use siphasher::sip128::{Hasher128, SipHasher13};

use super::via::ViaView;
use crate::message::{Message, Method, Name};

/// A keyed hash of what identifies a transaction. 128 bits of one pass under a secret make a
/// forged or accidental collision as unlikely as a guessed branch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key(u64, u64);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// Hands the already hashed key through.
#[derive(Default)]
pub(crate) struct Through(u64);

impl Hasher for Through {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

pub(crate) type Index<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Through>>;

/// The secrets of the hashes, one set for all shards of an endpoint.
#[derive(Clone)]
pub struct Keys {
    /// For numbers of 64 bits.
    table: RandomState,
    /// For keys of 128 bits, with its secret in.
    wide: SipHasher13,
}

/// The branch prefix of RFC 3261 8.1.1.7.
const COOKIE: &str = "z9hG4bK";

impl Keys {
    /// Secrets that nobody else has.
    #[must_use]
    pub fn fresh() -> Self {
        let mut chance = rand::rng();
        let wide = SipHasher13::new_with_keys(chance.next_u64(), chance.next_u64());
        Self { table: RandomState::new(), wide }
    }

    /// The transaction that a request belongs to (RFC 3261 17.2.3); none for a request whose
    /// Via or CSeq can not be read.
    #[must_use]
    pub fn of_request(&self, request: &Message) -> Option<Key> {
        let via = request.header(Name::Via).and_then(ViaView::read)?;
        let (cseq, _) = request.cseq().ok()?;
        let method = request.method_ref()?;
        Some(self.server(request, &via, cseq, method))
    }

    fn key(&self, parts: impl Hash) -> Key {
        let mut hasher = self.wide;
        parts.hash(&mut hasher);
        let hash = hasher.finish128();
        Key(hash.h1, hash.h2)
    }

    /// The number by which everything of one Call-ID is found.
    pub(crate) fn call(&self, call_id: &str) -> u64 {
        self.table.hash_one(call_id)
    }

    /// The number of a tag, compared only within one call.
    pub(crate) fn tag(&self, tag: &str) -> u64 {
        self.table.hash_one(("tag", tag))
    }

    /// A branch that cannot be guessed from others (RFC 3261 8.1.1.7, 26.1).
    pub(crate) fn branch(&self, shard: u8, count: u64) -> String {
        let Key(first, second) = self.key(("branch", shard, count));
        format!("{COOKIE}{first:016x}{:08x}", second as u32)
    }

    /// A tag that is the same for the same seed: stateless answers to one request must agree
    /// (RFC 3261 8.2.7).
    pub(crate) fn stable_tag(&self, seed: &[u8]) -> String {
        format!("{:016x}", self.key(("stateless", seed)).0)
    }

    /// RFC 3261 17.1.3: the branch and the CSeq method.
    pub(crate) fn client(&self, branch: &str, method: &Method) -> Key {
        self.key(("client", branch, method.as_str()))
    }

    /// The INVITE that a CANCEL of our own means.
    pub(crate) fn cancelled(&self, call_id: &str, cseq: u32) -> Key {
        self.key(("cancel", call_id, cseq))
    }

    /// RFC 3261 17.2.3. `method` is the method to look under: INVITE for an ACK and for the
    /// INVITE that a CANCEL means.
    pub(crate) fn server(
        &self,
        request: &Message,
        via: &ViaView<'_>,
        cseq: u32,
        method: &Method,
    ) -> Key {
        let method = method.as_str();
        if let Some(branch) = via.branch.filter(|b| b.len() > COOKIE.len() && is_cookied(b)) {
            return self.key(("server", branch, Folded(via.host), via.port, method));
        }
        // RFC 2543 peers: no unique branch. The To tag is left out, because an ACK carries
        // the one that we gave.
        let from = request.from_tag();
        let uri = request.uri();
        self.key(("old", uri, from, request.call_id(), cseq, request.header(Name::Via), method))
    }

    /// RFC 3261 8.2.2.2: the same request that came along another path.
    pub(crate) fn merge(&self, request: &Message, cseq: u32, method: &Method) -> Key {
        self.key(("merge", request.from_tag(), request.call_id(), cseq, method.as_str()))
    }
}

/// A text whose case does not matter, hashed without a copy of it.
struct Folded<'a>(&'a str);

impl Hash for Folded<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut small = [0; 32];
        for piece in self.0.as_bytes().chunks(small.len()) {
            let small = &mut small[..piece.len()];
            small.copy_from_slice(piece);
            small.make_ascii_lowercase();
            state.write(small);
        }
        state.write_u8(0xff);
    }
}

fn is_cookied(branch: &str) -> bool {
    branch.get(..COOKIE.len()).is_some_and(|start| start.eq_ignore_ascii_case(COOKIE))
}
