//! Chance for a pure machine: drawn once by the owner in our tag, spread here.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A small generator. Not for secrets.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn of(call_id: &str, tag: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (call_id, tag).hash(&mut hasher);
        Self(hasher.finish())
    }

    /// The next number (SplitMix64).
    pub(super) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound that is not 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }

    /// A client nonce for digest.
    pub(super) fn cnonce(&mut self) -> String {
        format!("{:016x}", self.draw())
    }
}

/// A fingerprint of a description, to tell a repeated one.
pub(super) fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
