//! Who asks: an API token or a session, as a bearer. Pages can not set the header of a WebSocket;
//! they name the bearer beside the subprotocol that they speak.

use std::fmt;

use axum::http::{HeaderMap, header};
use tandem_actors::office::Principal;
use tandem_actors::sessions::SessionKey;

use crate::edge::Edge;
use crate::problem::Problem;
use crate::sessions;
use crate::tokens;

/// The WebSocket subprotocol that we speak.
pub(crate) const SUBPROTOCOL: &str = "tandem";

/// What proves the identity.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// An API token's text.
    Token(String),
    /// A session.
    Session(SessionKey),
}

impl fmt::Debug for Credential {
    /// Without the secret (S1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(***)",
            Self::Session(_) => "Session(***)",
        })
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) credential: Credential,
}

/// The caller of a request.
pub(crate) fn of(edge: &Edge, headers: &HeaderMap) -> Result<Caller, Problem> {
    let bearer = match headers.get(header::AUTHORIZATION) {
        Some(value) => {
            let text = value.to_str().unwrap_or_default();
            match text.split_once(' ') {
                Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
                _ => return Err(Problem::unauthenticated("only bearer tokens are understood")),
            }
        }
        None => beside_the_subprotocol(headers)
            .ok_or_else(|| Problem::unauthenticated("the request has no token"))?,
    };
    let credential = match sessions::key_of(bearer) {
        Some(key) => Credential::Session(key),
        None => Credential::Token(bearer.to_owned()),
    };
    let principal = again(edge, &credential)
        .ok_or_else(|| Problem::unauthenticated("the token is not valid"))?;
    Ok(Caller { principal, credential })
}

/// The caller behind a ticket, which is used up by that.
pub(crate) fn by_ticket(edge: &Edge, ticket: &str) -> Result<Caller, Problem> {
    let wrong = || Problem::unauthenticated("the ticket is not valid, or was used");
    let credential = edge.tickets.redeem(edge.now(), ticket).ok_or_else(wrong)?;
    let principal = again(edge, &credential).ok_or_else(wrong)?;
    Ok(Caller { principal, credential })
}

/// `Sec-WebSocket-Protocol: tandem, bearer.<token>`: a header, so that the token is in no log of
/// addresses. The answer names the first only.
fn beside_the_subprotocol(headers: &HeaderMap) -> Option<&str> {
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    offered.split(',').find_map(|offer| offer.trim().strip_prefix("bearer."))
}

/// Whom a credential stands for now; none when it does not hold any more.
pub(crate) fn again(edge: &Edge, credential: &Credential) -> Option<Principal> {
    match credential {
        Credential::Token(text) => token(edge, text),
        Credential::Session(key) => edge.office.sessions().principal(key),
    }
}

fn token(edge: &Edge, text: &str) -> Option<Principal> {
    let (id, secret) = tokens::split(text)?;
    let directory = edge.office.provisioning().directory();
    let token = directory.api_token(id)?;
    if !tokens::fits(token, secret) {
        return None;
    }
    if let Some(end) = token.expires_at
        && u64::try_from(end.as_microsecond()).unwrap_or(0) <= edge.now().as_micros()
    {
        return None;
    }
    Some(Principal {
        name: format!("token:{id}"),
        role: token.role,
        extension: token.extension.clone(),
    })
}
