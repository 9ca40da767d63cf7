//! Join tokens: short-lived, for one join, for one name if so wished.
//!
//! A token carries the authority's fingerprint, so that the joiner knows whom it talks to before
//! it has a certificate. Issued tokens are files beside the authority's key: they survive a
//! restart, and a rename spends them, which happens once even when two joiners race.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tandem_kernel::Timestamp;

use crate::{MeshError, Refusal, files};

const PREFIX: &str = "tandem-join-";

/// What an operator carries to the joining machine.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// SHA-256 of the authority's certificate.
    pub(crate) authority: [u8; 32],
    pub(crate) id: [u8; 8],
    pub(crate) secret: [u8; 16],
}

/// The secret is not for logs.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({:016x})", u64::from_be_bytes(self.id))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.authority[..], &self.id, &self.secret].concat();
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// The text is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a join token, `tandem cluster token` prints one")]
pub struct NotAToken;

impl FromStr for Token {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let text = text.trim().strip_prefix(PREFIX).ok_or(NotAToken)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotAToken)?;
        let (authority, rest) = bytes.split_first_chunk::<32>().ok_or(NotAToken)?;
        let (id, rest) = rest.split_first_chunk::<8>().ok_or(NotAToken)?;
        let secret = rest.try_into().map_err(|_| NotAToken)?;
        Ok(Self { authority: *authority, id: *id, secret })
    }
}

/// What a token lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The one name it is good for; `None`: any free one.
    pub name: Option<String>,
    /// How long it is good.
    pub lifetime: Duration,
}

/// What the issuer keeps: no secret can be read from it.
#[derive(Debug, Serialize, Deserialize)]
struct Issued {
    hash: String,
    expires_secs: u64,
    name: Option<String>,
}

/// The issuer's tokens.
#[derive(Debug)]
pub struct Tokens<'a> {
    dir: &'a Path,
}

impl<'a> Tokens<'a> {
    /// Those of the member whose files are in `dir`.
    #[must_use]
    pub const fn new(dir: &'a Path) -> Self {
        Self { dir }
    }

    /// Issues one. `chance` is 24 random bytes.
    ///
    /// # Errors
    /// When this node does not hold the authority's key or the file can not be written.
    pub fn issue(
        &self,
        scope: &Scope,
        now: Timestamp,
        chance: [u8; 24],
    ) -> Result<Token, MeshError> {
        if !self.dir.join(files::AUTHORITY_KEY).exists() {
            return Err(Refusal::NotTheAuthority.into());
        }
        self.forget_old(now)?;
        let authority = crate::identity::Credentials::load(self.dir)?.authority;
        let token = Token {
            authority: fingerprint(&authority),
            id: std::array::from_fn(|place| chance[place]),
            secret: std::array::from_fn(|place| chance[8 + place]),
        };
        let issued = Issued {
            hash: hash(&token.secret),
            expires_secs: secs(now + scope.lifetime),
            name: scope.name.clone(),
        };
        fs::create_dir_all(self.dir.join(files::TOKENS))?;
        files::write(&self.path(token.id, "json"), serde_json::to_string(&issued)?.as_bytes())?;
        Ok(token)
    }

    /// Whether a token would let `name` in now.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check(
        &self,
        id: [u8; 8],
        secret: &[u8; 16],
        name: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let spent = self.path(id, "used");
        let (path, fresh) =
            if spent.exists() { (spent, false) } else { (self.path(id, "json"), true) };
        let text = fs::read(path).map_err(|_| Refusal::TokenUnknown)?;
        let issued: Issued = serde_json::from_slice(&text).map_err(|_| Refusal::TokenUnknown)?;
        if !bool::from(issued.hash.as_bytes().ct_eq(hash(secret).as_bytes())) {
            return Err(Refusal::TokenUnknown);
        }
        if !fresh {
            return Err(Refusal::TokenUsed);
        }
        if secs(now) >= issued.expires_secs {
            return Err(Refusal::TokenExpired);
        }
        if issued.name.is_some_and(|wanted| wanted != name) {
            return Err(Refusal::TokenScope);
        }
        Ok(())
    }

    /// Spends a token that was checked. It succeeds once.
    ///
    /// # Errors
    /// [`Refusal::TokenUsed`] for everybody but the first.
    pub fn spend(&self, id: [u8; 8]) -> Result<(), Refusal> {
        let (fresh, used) = (self.path(id, "json"), self.path(id, "used"));
        fs::rename(&fresh, &used).map_err(|_| Refusal::TokenUsed)?;
        // A spent token that comes back after a power cut would let a second node in.
        files::sync_folder(&used).map_err(|_| Refusal::TokenUsed)
    }

    fn path(&self, id: [u8; 8], ending: &str) -> std::path::PathBuf {
        self.dir.join(files::TOKENS).join(format!("{:016x}.{ending}", u64::from_be_bytes(id)))
    }

    /// A day after its end nobody asks any more why a token is refused.
    fn forget_old(&self, now: Timestamp) -> Result<(), MeshError> {
        const KEPT_SECS: u64 = 86_400;
        let Ok(entries) = fs::read_dir(self.dir.join(files::TOKENS)) else { return Ok(()) };
        for entry in entries {
            let path = entry?.path();
            let old = fs::read(&path)
                .ok()
                .and_then(|text| serde_json::from_slice::<Issued>(&text).ok())
                .is_some_and(|issued| issued.expires_secs + KEPT_SECS < secs(now));
            if old {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

/// By which the joiner knows the authority.
pub(crate) fn fingerprint(certificate: &[u8]) -> [u8; 32] {
    Sha256::digest(certificate).into()
}

fn hash(secret: &[u8; 16]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}

const fn secs(at: Timestamp) -> u64 {
    at.as_micros() / 1_000_000
}
