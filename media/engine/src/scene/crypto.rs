//! SRTP of one leg, both ways (RFC 3711, keys by SDES).

use tandem_rtp::{Protect, SrtpError, Unprotect};
use tandem_sdp::{CryptoPair, Suite};

/// The two contexts of a leg.
pub(crate) struct Crypto {
    keys: CryptoPair,
    protect: Protect,
    unprotect: Unprotect,
}

impl Crypto {
    pub(crate) fn new(keys: &CryptoPair) -> Result<Self, SrtpError> {
        let suite = suite(keys);
        Ok(Self {
            keys: keys.clone(),
            protect: Protect::new(&keys.send, suite)?,
            unprotect: Unprotect::new(&keys.receive, suite)?,
        })
    }

    /// What was agreed on encryption takes the place of what was agreed before.
    pub(crate) fn agree(
        before: &mut Option<Box<Self>>,
        keys: Option<&CryptoPair>,
    ) -> Result<(), SrtpError> {
        match (before, keys) {
            (Some(crypto), Some(keys)) if crypto.keys == *keys => {}
            (Some(crypto), Some(keys)) => crypto.rekey(keys)?,
            (before, keys) => *before = keys.map(Self::new).transpose()?.map(Box::new),
        }
        Ok(())
    }

    /// Goes on with other keys. The way whose key stays goes on counting its rollovers, which
    /// belong to the key (RFC 3711 3.3.1): the peer does not begin anew either.
    fn rekey(&mut self, keys: &CryptoPair) -> Result<(), SrtpError> {
        let before = std::mem::replace(&mut self.keys, keys.clone());
        let is_other_suite = keys.suite != before.suite;
        if is_other_suite || keys.send != before.send {
            self.protect = Protect::new(&keys.send, suite(keys))?;
        }
        if is_other_suite || keys.receive != before.receive {
            self.unprotect = Unprotect::new(&keys.receive, suite(keys))?;
        } else {
            self.unprotect.may_begin_anew();
        }
        Ok(())
    }

    /// Protects the packet that begins at `start`.
    pub(crate) fn protect_rtp(&mut self, bytes: &mut Vec<u8>, start: usize) -> Option<()> {
        let protected = self.protect.rtp(&bytes[start..]).ok()?;
        bytes.truncate(start);
        bytes.extend_from_slice(&protected);
        Some(())
    }

    /// Protects the report that begins at `start`.
    pub(crate) fn protect_rtcp(&mut self, bytes: &mut Vec<u8>, start: usize) -> Option<()> {
        let protected = self.protect.rtcp(&bytes[start..]).ok()?;
        bytes.truncate(start);
        bytes.extend_from_slice(&protected);
        Some(())
    }

    /// Decrypts a packet in place; gives its length, if it is authentic.
    pub(crate) fn unprotect_rtp(&mut self, bytes: &mut [u8]) -> Option<usize> {
        let plain = self.unprotect.rtp(bytes).ok()?;
        bytes.get_mut(..plain.len())?.copy_from_slice(&plain);
        Some(plain.len())
    }

    /// Decrypts a report in place; gives its length, if it is authentic.
    pub(crate) fn unprotect_rtcp(&mut self, bytes: &mut [u8]) -> Option<usize> {
        let plain = self.unprotect.rtcp(bytes).ok()?;
        bytes.get_mut(..plain.len())?.copy_from_slice(&plain);
        Some(plain.len())
    }
}

const fn suite(keys: &CryptoPair) -> tandem_rtp::Suite {
    match keys.suite {
        Suite::AesCm128HmacSha1_80 => tandem_rtp::Suite::AesCm128HmacSha1_80,
        Suite::AesCm128HmacSha1_32 => tandem_rtp::Suite::AesCm128HmacSha1_32,
    }
}

#[cfg(test)]
mod tests;
