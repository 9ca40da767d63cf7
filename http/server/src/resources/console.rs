//! What the user who asks has arranged for themselves in the panel. It is
//! there, as usual, before it was ever written.

use axum::http::Method;
use serde_json::{Value, json};
use tandem_actors::office::Stored;
use tandem_api::resource as api;
use tandem_config::resource::Console;
use tandem_config::{Kind, Resource};

use super::{form, reply, revision};
use crate::operation::{Call, Operation, Reply, Shape, handler};
use crate::problem::Problem;
use crate::rights::Permission;

/// The user who asks; a token is nobody's.
fn user(call: &Call) -> Result<String, Problem> {
    let name = &call.caller()?.principal.name;
    let user = name.strip_prefix("user:").map(str::to_owned);
    user.ok_or_else(|| Problem::not_found("console", name))
}

fn own(call: &Call) -> Result<Stored, Problem> {
    let name = user(call)?;
    let directory = call.edge.office.provisioning().directory();
    if let Some(stored) = directory.find(Kind::Console, &name) {
        return Ok(Stored::clone(stored));
    }
    let resource = Resource::Console(Console::usual(name));
    Ok(Stored { resource, revision: 0, changed_at: tandem_kernel::Timestamp::default() })
}

async fn show(call: Call) -> Result<Reply, Problem> {
    let stored = own(&call)?;
    Ok(reply(Reply::ok(form::outward(&stored.resource)?), stored.revision))
}

async fn replace(mut call: Call) -> Result<Reply, Problem> {
    let stored = own(&call)?;
    let expected = revision::expected(&call.headers, stored.revision)?;
    let body = call.body.take().unwrap_or_default();
    let resource = form::inward(&call.edge, Kind::Console, body, Some(&stored.resource)).await?;
    if resource.key() != stored.resource.key() {
        return Err(Problem::field("/name", "read-only", "the name is the user's"));
    }
    let by = call.caller()?.principal.clone();
    let stored = call.edge.office.provisioning().replace(&by, expected, resource).await?;
    Ok(reply(Reply::ok(form::outward(&stored.resource)?), stored.revision))
}

pub(super) fn example() -> Value {
    let tile = json!({
        "figure": "waiting", "column": 0, "row": 0, "width": 3, "height": 2, "locked": false,
        "description": "",
    });
    let group = json!({
        "name": "Front office", "queues": ["6400", "6401"], "alarm_threshold_percent": 80,
    });
    json!({
        "name": "alice", "groups": [group], "alarm_threshold_percent": 80, "all": [tile],
        "single": [], "rotation_secs": 30,
    })
}

/// The operations on the own arrangement.
pub(super) fn operations() -> Vec<Operation> {
    let path = "/api/v1/session/console";
    let (showing, writing) = (
        "Show how the user who asks has arranged the panel",
        "Arrange the panel for the user who asks",
    );
    let shape = Shape::of::<api::Console>(example());
    vec![
        Operation::new("getOwnConsole", Method::GET, path, showing, handler!(show))
            .needs(Permission::Session)
            .ok(shape.clone()),
        Operation::new("replaceOwnConsole", Method::PUT, path, writing, handler!(replace))
            .needs(Permission::Session)
            .conditional()
            .body(shape.clone())
            .ok(shape),
    ]
    .into_iter()
    .map(|operation| operation.tag("session"))
    .collect()
}
