//! Hash algorithms and what is kept of a password.

use std::fmt;

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256, Sha512_256};

/// A hash algorithm of RFC 7616 and RFC 8760.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// `SHA-256`.
    Sha256,
    /// `SHA-512-256`.
    Sha512Slash256,
    /// `MD5`: for phones that know no better.
    Md5,
}

impl Algorithm {
    /// As it stands in a challenge.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha512Slash256 => "SHA-512-256",
            Self::Md5 => "MD5",
        }
    }

    /// An algorithm by its name, and whether it is the session form. None given means MD5.
    pub(super) fn parse(name: Option<&str>) -> Option<(Self, Form)> {
        let name = name.unwrap_or("MD5").to_ascii_uppercase();
        let (base, form) = match name.strip_suffix("-SESS") {
            Some(base) => (base, Form::Session),
            None => (name.as_str(), Form::Plain),
        };
        let known = [Self::Sha256, Self::Sha512Slash256, Self::Md5];
        known.into_iter().find(|algorithm| algorithm.as_str() == base).map(|found| (found, form))
    }

    /// The hash of parts with colons between, in lower-case hexadecimal.
    pub(super) fn hash(self, parts: &[&[u8]]) -> String {
        match self {
            Self::Sha256 => hash::<Sha256>(parts),
            Self::Sha512Slash256 => hash::<Sha512_256>(parts),
            Self::Md5 => hash::<Md5>(parts),
        }
    }
}

/// Whether the secret is mixed with the nonces (the `-sess` algorithms).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Session,
}

fn hash<D: Digest>(parts: &[&[u8]]) -> String {
    let mut digest = D::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            digest.update(b":");
        }
        digest.update(part);
    }
    hex(&digest.finalize())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// What is kept instead of a password: its HA1 for each algorithm (RFC 7616 3.4.2), in
/// hexadecimal. As good as the password within its realm, so it is never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    sha256: String,
    sha512_256: String,
    md5: String,
}

impl Secrets {
    /// The secrets of a user in a realm.
    #[must_use]
    pub fn of(username: &str, realm: &str, password: &str) -> Self {
        let parts = [username.as_bytes(), realm.as_bytes(), password.as_bytes()];
        Self {
            sha256: Algorithm::Sha256.hash(&parts),
            sha512_256: Algorithm::Sha512Slash256.hash(&parts),
            md5: Algorithm::Md5.hash(&parts),
        }
    }

    pub(super) fn ha1(&self, algorithm: Algorithm) -> &str {
        match algorithm {
            Algorithm::Sha256 => &self.sha256,
            Algorithm::Sha512Slash256 => &self.sha512_256,
            Algorithm::Md5 => &self.md5,
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}
