//! SRTP of one leg, both ways (RFC 3711, keys by SDES).

use tandem_rtp::{Protect, SrtpError, Unprotect};
use tandem_sdp::{CryptoPair, Suite};

/// The two contexts of a leg.
pub(crate) struct Crypto {
    protect: Protect,
    unprotect: Unprotect,
}

impl Crypto {
    pub(crate) fn new(keys: &CryptoPair) -> Result<Self, SrtpError> {
        let suite = match keys.suite {
            Suite::AesCm128HmacSha1_80 => tandem_rtp::Suite::AesCm128HmacSha1_80,
            Suite::AesCm128HmacSha1_32 => tandem_rtp::Suite::AesCm128HmacSha1_32,
        };
        Ok(Self {
            protect: Protect::new(&keys.send, suite)?,
            unprotect: Unprotect::new(&keys.receive, suite)?,
        })
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
