//! Sign-in and sessions. A session is an opaque token; only its BLAKE3 is kept, in memory, so
//! that a restart of the node signs everybody out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use parking_lot::Mutex;
use serde_json::json;
use tandem_actors::office::Principal;
use tandem_api::session::{Principal as Outward, Session, SignIn};
use tandem_config::resource::{Role, User};
use tandem_kernel::Timestamp;

use crate::convert;
use crate::edge::Edge;
use crate::identity::Credential;
use crate::limits::{Backoff, network};
use crate::operation::{Answer, Call, Operation, Reply, Shape, handler};
use crate::problem::{Code, Problem};
use crate::rights::Permission;
use crate::tokens;

const PREFIX: &str = "session_";
/// Sessions at once; the one that was quiet longest ends.
const MOST: usize = 10_000;
/// How long a session lasts.
const LIFE: Duration = Duration::from_secs(12 * 3_600);
/// How long an administrator's session lasts without a request.
const ADMIN_IDLE: Duration = Duration::from_secs(15 * 60);

/// What a session is found by.
pub(crate) type SessionKey = [u8; 32];

struct Open {
    user: String,
    /// Of the password hash at the sign-in: a new password ends the sessions.
    password: blake3::Hash,
    opened: Timestamp,
    used: Timestamp,
}

/// The open sessions.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<SessionKey, Open>>);

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

impl Sessions {
    fn open(&self, now: Timestamp, user: &User) -> Result<String, Problem> {
        let secret = tokens::secret()
            .map_err(|error| Problem::unavailable(Code::Unavailable, error.to_string()))?;
        let open = Open {
            user: user.name.clone(),
            password: tokens::hash(&user.password_hash),
            opened: now,
            used: now,
        };
        let mut sessions = self.0.lock();
        if sessions.len() >= MOST {
            let quiet = sessions.iter().min_by_key(|(_, open)| open.used).map(|(key, _)| *key);
            quiet.map(|key| sessions.remove(&key));
        }
        sessions.insert(*tokens::hash(&secret).as_bytes(), open);
        Ok(format!("{PREFIX}{secret}"))
    }

    fn close(&self, key: &SessionKey) {
        self.0.lock().remove(key);
    }

    /// Whom a session stands for. Using it keeps it open.
    pub(crate) fn principal(&self, edge: &Edge, key: &SessionKey) -> Option<Principal> {
        let now = edge.now();
        let directory = edge.office.provisioning().directory();
        let mut sessions = self.0.lock();
        let open = sessions.get_mut(key)?;
        let user = directory.user(&open.user).filter(|user| {
            let idle = if user.role == Role::Admin { ADMIN_IDLE } else { LIFE };
            !user.disabled
                && open.password == tokens::hash(&user.password_hash)
                && now.since(open.opened) < LIFE
                && now.since(open.used) < idle
        });
        let Some(user) = user else {
            sessions.remove(key);
            return None;
        };
        open.used = now;
        Some(principal(user))
    }
}

fn principal(user: &User) -> Principal {
    Principal {
        name: format!("user:{}", user.name),
        role: user.role,
        extension: user.extension.clone(),
    }
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
    let token = edge.sessions.open(now, user)?;
    let session =
        Session { token, expires_at: (now + LIFE).rfc3339(), principal: outward(&principal(user)) };
    Ok(Reply::created(convert::value(&session)?))
}

async fn who(call: Call) -> Result<Reply, Problem> {
    Ok(Reply::ok(convert::value(&outward(&call.caller()?.principal))?))
}

async fn sign_out(call: Call) -> Result<Reply, Problem> {
    if let Credential::Session(key) = &call.caller()?.credential {
        call.edge.sessions.close(key);
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
