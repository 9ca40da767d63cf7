//! Answering challenges.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::algorithm::{Algorithm, Form, Secrets};
use super::proof::{Proof, Protection};
use crate::message::{Message, Method, Name};
use crate::value::{Authorization, Challenge};

/// A name and password of ours at somebody else's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
    /// If given, the only realm that is ever answered, so that the proof cannot be drawn out by
    /// somebody else (S14).
    pub realm: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { username, realm, .. } = self;
        f.debug_struct("Credentials")
            .field("username", username)
            .field("realm", realm)
            .finish_non_exhaustive()
    }
}

/// Why no answer can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswerable {
    /// None of the challenges is for our realm, or no scheme is Digest.
    #[error("no challenge is meant for these credentials")]
    OtherRealm,
    /// No algorithm or quality of protection that we know.
    #[error("no challenge has an algorithm that is known")]
    Unsupported,
}

/// The challenges of a 401 or 407, with the header that answers them.
#[must_use]
pub fn challenges(response: &Message) -> Option<(Name, Vec<Challenge>)> {
    let (asked, answered) = match response.status() {
        Some(401) => (Name::WwwAuthenticate, Name::Authorization),
        Some(407) => (Name::ProxyAuthenticate, Name::ProxyAuthorization),
        _ => return None,
    };
    let read = response.headers(asked).filter_map(|value| Challenge::parse(value).ok());
    Some((answered, read.collect()))
}

/// Answers the first challenge that can be answered (RFC 8760 2.4): the value of Authorization
/// or Proxy-Authorization. `nc` counts the uses of the nonce from 1; `cnonce` is fresh chance.
/// `auth` is preferred; `auth-int` is used if nothing else is offered.
///
/// # Errors
/// No challenge can be answered.
pub fn answer(
    challenges: &[Challenge],
    credentials: &Credentials,
    method: &Method,
    uri: &str,
    body: &[u8],
    nc: u32,
    cnonce: &str,
) -> Result<Authorization, Unanswerable> {
    let is_ours = |challenge: &&Challenge| {
        credentials.realm.as_ref().is_none_or(|realm| *realm == challenge.realm)
    };
    let mut ours = challenges.iter().filter(is_ours).peekable();
    if ours.peek().is_none() {
        return Err(Unanswerable::OtherRealm);
    }
    let known = |challenge: &'_ Challenge| {
        let (algorithm, form) = Algorithm::parse(challenge.algorithm.as_deref())?;
        let offers = |qop: &str| challenge.qop.iter().any(|offered| offered == qop);
        let protection = match () {
            () if offers("auth") => Protection::Request { nc, cnonce },
            () if offers("auth-int") => Protection::Body { nc, cnonce, body },
            () if challenge.qop.is_empty() && form == Form::Plain => Protection::None,
            () => return None,
        };
        Some((algorithm, form, protection))
    };
    let found = ours.find_map(|challenge| Some((challenge, known(challenge)?)));
    let (challenge, (algorithm, form, protection)) = found.ok_or(Unanswerable::Unsupported)?;
    let secrets = Secrets::of(&credentials.username, &challenge.realm, &credentials.password);
    let ha1 = secrets.ha1(algorithm);
    let (method, nonce) = (method.as_str(), challenge.nonce.as_str());
    let proof = Proof { algorithm, form, ha1, method, uri, nonce, protection };
    let (qop, nc) = match protection {
        Protection::None => (None, None),
        Protection::Request { .. } => (Some("auth"), Some(nc)),
        Protection::Body { .. } => (Some("auth-int"), Some(nc)),
    };
    Ok(Authorization {
        username: credentials.username.clone(),
        realm: challenge.realm.clone(),
        nonce: challenge.nonce.clone(),
        uri: uri.to_owned(),
        response: proof.compute(),
        algorithm: challenge.algorithm.clone(),
        opaque: challenge.opaque.clone(),
        qop: qop.map(str::to_owned),
        nc,
        cnonce: nc.map(|_| cnonce.to_owned()),
    })
}
