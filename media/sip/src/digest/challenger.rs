//! The server's side: challenge, and judge the answer.

use std::net::IpAddr;
use std::time::Duration;

use subtle::ConstantTimeEq;
use tandem_kernel::Timestamp;

use super::algorithm::{Algorithm, Form, Secrets};
use super::nonce::{Maker, NonceId};
use super::proof::{Proof, Protection};
use super::window::{Count, Windows};
use crate::message::{Message, Method, Name};
use crate::value::{Authorization, Challenge, Uri};

/// What a challenger asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// For whom passwords are.
    pub realm: String,
    /// Offered in this order, one challenge each; nothing else is taken (RFC 8760 2.3).
    pub algorithms: Vec<Algorithm>,
    /// How long a nonce is taken. A late proof is answered with a fresh one (`stale`).
    pub nonce_lifetime: Duration,
    /// How many nonces in use are remembered at most.
    pub nonces: usize,
}

impl Policy {
    /// SHA-256 first, then MD5 for phones that know nothing else; a nonce lasts a minute.
    #[must_use]
    pub fn new(realm: impl Into<String>) -> Self {
        Self {
            realm: realm.into(),
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            nonce_lifetime: Duration::from_secs(60),
            nonces: 100_000,
        }
    }
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No proof of ours to judge: challenge.
    #[error("no credentials for this realm")]
    Missing,
    /// The proof may be right, the nonce is not: challenge with `stale`.
    #[error("the nonce is too old")]
    Stale,
    /// The same proof came before: challenge with `stale`, and take note.
    #[error("the proof has been used before")]
    Replayed,
    /// A wrong password or an unknown user: challenge, and take note.
    #[error("the proof is wrong")]
    Wrong,
}

impl Denied {
    /// Whether the next challenge says that only the nonce was at fault.
    #[must_use]
    pub const fn is_stale(self) -> bool {
        matches!(self, Self::Stale | Self::Replayed)
    }
}

/// A proof to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The credentials.
    pub authorization: &'a Authorization,
    /// The method of the request.
    pub method: &'a Method,
    /// The request URI as it came.
    pub uri: &'a str,
    /// The address that the request came from.
    pub source: IpAddr,
}

/// The credentials in a request for a realm: of Authorization for a server, of
/// Proxy-Authorization for a proxy. Other schemes and malformed ones are passed over.
#[must_use]
pub fn presented(request: &Message, header: Name, realm: &str) -> Option<Authorization> {
    let mut read = request.headers(header).filter_map(|value| Authorization::parse(value).ok());
    read.find(|authorization| authorization.realm == realm)
}

/// Makes challenges and judges their answers. One per realm; whoever owns it gives it the time.
pub struct Challenger {
    policy: Policy,
    maker: Maker,
    count: u16,
    windows: Windows,
}

impl Challenger {
    /// A challenger with the secret of its nonces. Nodes that share secret and epoch take each
    /// other's nonces; a new epoch makes all old ones stale.
    #[must_use]
    pub fn new(policy: Policy, key: [u8; 32], epoch: u64) -> Self {
        Self { policy, maker: Maker { key, epoch }, count: 0, windows: Windows::default() }
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.policy.realm
    }

    /// How many nonces are in use.
    #[must_use]
    pub fn nonces(&self) -> usize {
        self.windows.len()
    }

    /// The values of WWW-Authenticate or Proxy-Authenticate, the best algorithm first.
    #[must_use]
    pub fn challenge(&mut self, now: Timestamp, source: IpAddr, denied: Denied) -> Vec<Challenge> {
        self.count = self.count.wrapping_add(1);
        let id = NonceId::new(now, self.count);
        let nonce = self.maker.make(id, source, &self.policy.realm);
        let challenge = |algorithm: &Algorithm| Challenge {
            realm: self.policy.realm.clone(),
            nonce: nonce.clone(),
            opaque: None,
            algorithm: Some(algorithm.as_str().to_owned()),
            qop: vec!["auth".to_owned()],
            stale: denied.is_stale(),
        };
        self.policy.algorithms.iter().map(challenge).collect()
    }

    /// Judges a proof against the secrets of its user. Without secrets (nobody has that name)
    /// it takes as long and says the same as for a wrong password.
    ///
    /// # Errors
    /// Why the user is not let in.
    pub fn verify(
        &mut self,
        now: Timestamp,
        presented: &Presented<'_>,
        secrets: Option<&Secrets>,
    ) -> Result<(), Denied> {
        let given = presented.authorization;
        let Some((algorithm, form)) = Algorithm::parse(given.algorithm.as_deref()) else {
            return Err(Denied::Missing);
        };
        let is_auth = given.qop.as_deref().is_some_and(|qop| qop.eq_ignore_ascii_case("auth"));
        let (Some(nc), Some(cnonce), true) = (given.nc, &given.cnonce, is_auth) else {
            return Err(Denied::Missing);
        };
        let is_offered = self.policy.algorithms.contains(&algorithm) && form == Form::Plain;
        if !is_offered || given.realm != self.policy.realm {
            return Err(Denied::Missing);
        }
        let read = self.maker.read(&given.nonce, presented.source, &self.policy.realm);
        let lifetime = self.policy.nonce_lifetime;
        let is_over = |id: NonceId| id.age(now) > lifetime;
        self.windows.expire(is_over);
        let usable = |id: &NonceId| !is_over(*id) && !id.is_of_future(now);
        let Some(id) = read.filter(usable).filter(|id| !self.windows.is_forgotten(*id)) else {
            return Err(Denied::Stale);
        };
        let proof = Proof {
            algorithm,
            form,
            ha1: secrets.map_or(NOBODY, |secrets| secrets.ha1(algorithm)),
            method: presented.method.as_str(),
            uri: &given.uri,
            nonce: &given.nonce,
            protection: Protection::Request { nc, cnonce },
        };
        let expected = proof.compute();
        let response = given.response.to_ascii_lowercase();
        let is_right = bool::from(expected.as_bytes().ct_eq(response.as_bytes()));
        if !is_right || secrets.is_none() || !is_meant(&given.uri, presented.uri) {
            return Err(Denied::Wrong);
        }
        match self.windows.take(id, nc, self.policy.nonces) {
            Count::Fresh => Ok(()),
            Count::Seen => Err(Denied::Replayed),
            Count::Unknown => Err(Denied::Stale),
        }
    }
}

/// Hashed in place of the secret of a user that does not exist.
const NOBODY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// RFC 7616 3.4.6: the proof must be for this request. Some phones leave the URI's parameters
/// out, so that user and host decide.
fn is_meant(proven: &str, requested: &str) -> bool {
    if proven == requested {
        return true;
    }
    match (Uri::parse(proven), Uri::parse(requested)) {
        (Ok(proven), Ok(requested)) => {
            proven.user == requested.user
                && proven.host == requested.host
                && proven.is_sip() == requested.is_sip()
        }
        _ => false,
    }
}
