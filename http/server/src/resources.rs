//! CRUD of the provisioned resources: the same few functions for every kind.
//!
//! | Concern                                  | Owner      |
//! |------------------------------------------|------------|
//! | Between outward and kept form, secrets   | `form`     |
//! | What is documented of each kind          | `catalogue`|
//! | What users arrange for themselves        | `console`  |
//! | Many in one request                      | `import`   |
//! | What is worth a second look              | `warnings` |
//! | Reading and writing at a revision        | this module|

mod catalogue;
mod console;
pub(crate) mod form;
mod import;
mod revision;
mod warnings;

use axum::http::header;
use serde_json::Value;
use tandem_actors::office::Stored;
use tandem_api::resource::{ApiToken, ApiTokenCreated, Member, Members};
use tandem_config::{Kind, Resource};

use crate::convert;
use crate::cursor::Page;
use crate::operation::{Call, Reply, read};
use crate::problem::{Code, Problem};
use crate::tokens;

pub(crate) use catalogue::operations;

/// The key of the one object of settings.
const SYSTEM: &str = "system";

fn kind(call: &Call) -> Result<Kind, Problem> {
    let missing = || Problem::new(Code::Internal, "the operation has no kind");
    call.operation.kind.ok_or_else(missing)
}

fn key(call: &Call, kind: Kind) -> String {
    match kind {
        Kind::Settings => SYSTEM.to_owned(),
        _ => call.path(catalogue::parameter_of(kind)).to_owned(),
    }
}

/// A resource as it is now; settings that were never written are at revision 0.
fn find(call: &Call, kind: Kind, key: &str) -> Result<Stored, Problem> {
    let directory = call.edge.office.provisioning().directory();
    if let Some(stored) = directory.find(kind, key) {
        return Ok(Stored::clone(stored));
    }
    if kind == Kind::Settings {
        let resource = Resource::Settings(directory.settings().clone());
        let changed_at = tandem_kernel::Timestamp::default();
        return Ok(Stored { resource, revision: 0, changed_at });
    }
    Err(Problem::not_found(kind.as_str(), key))
}

fn reply(reply: Reply, revision: u64) -> Reply {
    reply.with(header::ETAG, &revision::tag(revision))
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let kind = kind(&call)?;
    let page = Page::of(&call)?;
    let directory = call.edge.office.provisioning().directory();
    let found = directory.page(kind, page.after.as_deref(), page.limit + 1);
    let item = |stored: &std::sync::Arc<Stored>| {
        Ok((stored.resource.key().to_owned(), form::outward(&stored.resource)?))
    };
    let items = found.iter().map(item).collect::<Result<Vec<_>, Problem>>()?;
    Ok(Reply::ok(page.body(items)))
}

async fn show(call: Call) -> Result<Reply, Problem> {
    let kind = kind(&call)?;
    let stored = find(&call, kind, &key(&call, kind))?;
    if revision::is_known(&call.headers, stored.revision) {
        return Ok(reply(Reply::not_modified(), stored.revision));
    }
    Ok(reply(Reply::ok(form::outward(&stored.resource)?), stored.revision))
}

async fn create(mut call: Call) -> Result<Reply, Problem> {
    let kind = kind(&call)?;
    let body = call.body.take().unwrap_or_default();
    let resource = form::inward(&call.edge, kind, body, None).await?;
    let by = call.caller()?.principal.clone();
    let stored = call.edge.office.provisioning().create(&by, resource).await?;
    made(&call, &stored, saved(&call, &stored)?)
}

fn made(call: &Call, stored: &Stored, body: Value) -> Result<Reply, Problem> {
    let key = form::escape(stored.resource.key());
    let place = format!("{}/{key}", call.operation.path);
    Ok(reply(Reply::created(body), stored.revision).with(header::LOCATION, &place))
}

/// A token's text is made here, told once, and only its hash is kept.
async fn create_token(mut call: Call) -> Result<Reply, Problem> {
    let wish: ApiToken = call.read()?;
    if !wish.id.is_empty() {
        return Err(Problem::field("/id", "read-only", "the server gives the id"));
    }
    let (mut kept, text) = tokens::fresh(&wish.name, form::role(wish.role))
        .map_err(|error| Problem::unavailable(Code::Unavailable, error.to_string()))?;
    kept.extension = wish.extension;
    kept.expires_at = form::moment("/expires_at", wish.expires_at.as_deref())?;
    let by = call.caller()?.principal.clone();
    let provisioning = call.edge.office.provisioning();
    let stored = provisioning.create(&by, Resource::ApiToken(kept)).await?;
    let ApiToken { id, name, role, extension, expires_at } =
        read(form::outward(&stored.resource)?)?;
    let created = ApiTokenCreated { id, name, role, extension, expires_at, token: text };
    made(&call, &stored, convert::value(&created)?)
}

async fn replace(mut call: Call) -> Result<Reply, Problem> {
    let body = call.body.take().unwrap_or_default();
    write(&call, |_| Ok(body)).await
}

/// JSON merge patch (RFC 7396) of the outward form.
async fn patch(mut call: Call) -> Result<Reply, Problem> {
    let patch = call.body.take().unwrap_or_default();
    if !patch.is_object() {
        return Err(Problem::field("", "wrong-value", "a merge patch is an object"));
    }
    write(&call, |stored| {
        let mut body = form::outward(&stored.resource)?;
        form::merge(&mut body, patch);
        Ok(body)
    })
    .await
}

async fn write(
    call: &Call,
    body: impl FnOnce(&Stored) -> Result<Value, Problem>,
) -> Result<Reply, Problem> {
    let kind = kind(call)?;
    let key = key(call, kind);
    let stored = find(call, kind, &key)?;
    let expected = revision::expected(&call.headers, stored.revision)?;
    let body = body(&stored)?;
    let resource = form::inward(&call.edge, kind, body, Some(&stored.resource)).await?;
    if resource.key() != key {
        let pointer = format!("/{}", catalogue::parameter_of(kind));
        return Err(Problem::field(&pointer, "read-only", "a key never changes"));
    }
    let by = call.caller()?.principal.clone();
    let stored = call.edge.office.provisioning().replace(&by, expected, resource).await?;
    Ok(reply(Reply::ok(saved(call, &stored)?), stored.revision))
}

/// What was written, with what is worth a second look.
fn saved(call: &Call, stored: &Stored) -> Result<Value, Problem> {
    let directory = call.edge.office.provisioning().directory();
    warnings::add(&directory, &stored.resource, form::outward(&stored.resource)?)
}

async fn remove(call: Call) -> Result<Reply, Problem> {
    let kind = kind(&call)?;
    let key = key(&call, kind);
    let stored = find(&call, kind, &key)?;
    let expected = revision::expected(&call.headers, stored.revision)?;
    let by = call.caller()?.principal.clone();
    call.edge.office.provisioning().remove(&by, kind, &key, expected).await?;
    Ok(Reply::nothing())
}

async fn show_members(call: Call) -> Result<Reply, Problem> {
    let stored = find(&call, Kind::Queue, call.path("number"))?;
    Ok(reply(Reply::ok(convert::value(&members(&stored)?)?), stored.revision))
}

async fn replace_members(mut call: Call) -> Result<Reply, Problem> {
    let wish: Members = call.read()?;
    let list = convert::value(&wish.members)?;
    write(&call, |stored| {
        let mut body = form::outward(&stored.resource)?;
        body["members"] = list;
        Ok(body)
    })
    .await?;
    show_members(call).await
}

fn members(stored: &Stored) -> Result<Members, Problem> {
    let body = form::outward(&stored.resource)?;
    let members: Vec<Member> = read(body.get("members").cloned().unwrap_or_default())?;
    Ok(Members { members })
}
