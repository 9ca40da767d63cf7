//! Nonces that prove themselves: nothing is kept of a challenge that nobody answers.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tandem_kernel::Timestamp;

/// Milliseconds since the epoch (48 bits) and a count (16 bits): one nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct NonceId(u64);

impl NonceId {
    pub(super) const fn new(now: Timestamp, count: u16) -> Self {
        Self(now.as_millis() << 16 | count as u64)
    }

    pub(super) fn age(self, now: Timestamp) -> Duration {
        Duration::from_millis(now.as_millis().saturating_sub(self.0 >> 16))
    }

    pub(super) const fn is_of_future(self, now: Timestamp) -> bool {
        self.0 >> 16 > now.as_millis()
    }
}

/// The secret behind the nonces of a node or a cluster.
#[derive(Clone)]
pub(super) struct Maker {
    pub(super) key: [u8; 32],
    pub(super) epoch: u64,
}

/// Bytes of the proof in a nonce: 128 bits.
const PROOF: usize = 16;

impl Maker {
    pub(super) fn make(&self, id: NonceId, source: IpAddr, realm: &str) -> String {
        let mut bytes = id.0.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.proof(id, source, realm));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The id of a nonce that we made for this source and realm.
    pub(super) fn read(&self, nonce: &str, source: IpAddr, realm: &str) -> Option<NonceId> {
        let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
        let (id, proof) = bytes.split_first_chunk::<8>()?;
        let id = NonceId(u64::from_be_bytes(*id));
        bool::from(self.proof(id, source, realm).ct_eq(proof)).then_some(id)
    }

    fn proof(&self, id: NonceId, source: IpAddr, realm: &str) -> [u8; PROOF] {
        let address = match source.to_canonical() {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        };
        let parts: [&[u8]; 4] =
            [&id.0.to_be_bytes(), &self.epoch.to_be_bytes(), &address, realm.as_bytes()];
        let full = hmac_sha256(&self.key, &parts);
        let mut proof = [0; PROOF];
        proof.copy_from_slice(&full[..PROOF]);
        proof
    }
}

/// RFC 2104 over SHA-256 with a key of at most one block.
pub(super) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    const BLOCK: usize = 64;
    let padded = |pad: u8| {
        let mut block = [pad; BLOCK];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let mut inner = Sha256::new();
    inner.update(padded(0x36));
    for part in parts {
        inner.update(part);
    }
    let mut outer = Sha256::new();
    outer.update(padded(0x5c));
    outer.update(inner.finalize());
    outer.finalize().into()
}
