//! Sign-in and sign-out. A session is an opaque token; only its BLAKE3 is kept, by
//! `actors::sessions`.

use std::net::IpAddr;

use axum::http::{Method, StatusCode};
use serde_json::json;
use tandem_actors::office::Principal;
use tandem_actors::sessions::{LIFE, SessionKey};
use tandem_api::session::{Principal as Outward, Session, SignIn};

use crate::convert;
use crate::identity::Credential;
use crate::limits::{Backoff, network};
use crate::operation::{Answer, Call, Operation, Reply, Shape, handler};
use crate::problem::{Code, Problem};
use crate::rights::Permission;
use crate::tokens;

const PREFIX: &str = "session_";
/// Back-off of sign-ins by account and by address.
#[derive(Default)]
pub(crate) struct SignIns {
    accounts: Backoff<String>,
    addresses: Backoff<IpAddr>,
}

/// What a bearer is found by, if it is a session's.
pub(crate) fn key_of(bearer: &str) -> Option<SessionKey> {
    bearer.strip_prefix(PREFIX).map(|secret| *tokens::hash(secret).as_bytes())
}

fn outward(principal: &Principal) -> Outward {
    Outward {
        name: principal.name.clone(),
        role: convert::role(principal.role),
        extension: principal.extension.clone(),
    }
}

async fn sign_in(mut call: Call) -> Result<Reply, Problem> {
    let SignIn { name, password } = call.read()?;
    let edge = call.edge.clone();
    let now = edge.now();
    let account = name.chars().take(64).collect::<String>();
    let by_account = edge.sign_ins.accounts.wait_secs(now, &account);
    let from = call.peer.map(network);
    let by_address = from.and_then(|from| edge.sign_ins.addresses.wait_secs(now, &from));
    if let Some(wait) = by_account.max(by_address) {
        return Err(Problem::too_many("too many wrong passwords", wait));
    }
    if password.len() > 1_024 {
        return Err(Problem::field("/password", "too-long", "at most 1024 bytes"));
    }
    let directory = edge.office.provisioning().directory();
    let user = directory.user(&name).filter(|user| !user.disabled);
    let kept = user.map(|user| user.password_hash.clone());
    let fits = edge.passwords.verify(password, kept).await?;
    let Some(user) = user.filter(|_| fits) else {
        edge.sign_ins.accounts.failed(now, &account);
        if let Some(from) = from {
            edge.sign_ins.addresses.failed(now, &from);
        }
        let mut problem = Problem::unauthenticated("the name or the password is wrong");
        problem.code = Code::WrongPassword;
        return Err(problem);
    };
    edge.sign_ins.accounts.succeeded(&account);
    let secret = tokens::secret()
        .map_err(|error| Problem::unavailable(Code::Unavailable, error.to_string()))?;
    let key = *tokens::hash(&secret).as_bytes();
    let from = call.peer.map(|peer| peer.to_string()).unwrap_or_default();
    let sessions = edge.office.sessions();
    sessions.open(key, user, from).await?;
    let gone = || Problem::unauthenticated("the user was changed in the meantime");
    let principal = outward(&sessions.principal(&key).ok_or_else(gone)?);
    let token = format!("{PREFIX}{secret}");
    let session = Session { token, expires_at: (now + LIFE).rfc3339(), principal };
    Ok(Reply::created(convert::value(&session)?))
}

async fn who(call: Call) -> Result<Reply, Problem> {
    Ok(Reply::ok(convert::value(&outward(&call.caller()?.principal))?))
}

async fn sign_out(call: Call) -> Result<Reply, Problem> {
    if let Credential::Session(key) = &call.caller()?.credential {
        call.edge.office.sessions().close(*key).await?;
    }
    Ok(Reply::nothing())
}

/// The operations of this module.
pub(crate) fn operations() -> Vec<Operation> {
    let path = "/api/v1/session";
    let principal = json!({ "name": "user:alice", "role": "manager", "extension": "1000" });
    let session = json!({
        "token": "session_0f1e2d", "expires_at": "2026-01-05T21:00:00.000Z",
        "principal": principal,
    });
    let wish = json!({ "name": "alice", "password": "correct horse battery" });
    vec![
        Operation::new("signIn", Method::POST, path, "Sign in", handler!(sign_in))
            .tag("session")
            .body(Shape::of::<SignIn>(wish))
            .answers(Answer::Json(StatusCode::CREATED, Shape::of::<Session>(session))),
        Operation::new("getSession", Method::GET, path, "Say who asks", handler!(who))
            .tag("session")
            .needs(Permission::Session)
            .ok(Shape::of::<Outward>(principal)),
        Operation::new("signOut", Method::DELETE, path, "Sign out", handler!(sign_out))
            .tag("session")
            .needs(Permission::Session),
    ]
}
