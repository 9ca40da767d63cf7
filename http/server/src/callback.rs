//! Callback routing: its policy, what is known of a number, and forgetting it.

use axum::http::Method;
use serde_json::{Value, json};
use tandem_actors::callback::Entry;
use tandem_api::callback as api;
use tandem_api::resource::CallbackPolicy;
use tandem_config::{Kind, Resource};

use crate::convert;
use crate::operation::{Call, Operation, Parameter, Reply, Shape, handler, read};
use crate::problem::Problem;
use crate::rights::Permission;

const NUMBER: &[Parameter] = &[Parameter { name: "number", what: "The customer's number." }];
const POLICY: &str = "/api/v1/routing/callback";

async fn show(call: Call) -> Result<Reply, Problem> {
    let directory = call.edge.office.provisioning().directory();
    let policy: CallbackPolicy = read(convert::value(&directory.settings().callback)?)?;
    Ok(Reply::ok(convert::value(&policy)?))
}

async fn replace(mut call: Call) -> Result<Reply, Problem> {
    let policy: CallbackPolicy = call.read()?;
    let by = call.caller()?.principal.clone();
    let provisioning = call.edge.office.provisioning();
    let directory = provisioning.directory();
    let mut settings = directory.settings().clone();
    settings.callback = read(convert::value(&policy)?)?;
    // What somebody else has written in the meantime is not lost.
    let known = directory.find(Kind::Settings, "system").map(|stored| stored.revision);
    provisioning.replace(&by, known, Resource::Settings(settings)).await?;
    Ok(Reply::ok(convert::value(&policy)?))
}

async fn look_up(call: Call) -> Result<Reply, Problem> {
    let number = call.query("number").unwrap_or_default();
    if number.is_empty() {
        return Err(Problem::parameter("number", "is needed"));
    }
    let shown = |entry: Entry| api::LastCall {
        call: entry.call.to_string(),
        at: entry.at.rfc3339(),
        placed_by: entry.placed_by,
        talked: entry.talked,
        shown: entry.shown,
        trunk: entry.trunk,
        category: entry.category,
    };
    let last_call = call.edge.office.last_call_to(number)?.map(shown);
    Ok(Reply::ok(convert::value(&api::CallbackLookup { last_call })?))
}

async fn forget(call: Call) -> Result<Reply, Problem> {
    let by = call.caller()?.principal.clone();
    call.edge.office.forget_number(&by, call.path("number")).await?;
    Ok(Reply::nothing())
}

async fn dead_ends(call: Call) -> Result<Reply, Problem> {
    let numbers = call.edge.office.dead_ends();
    Ok(Reply::ok(convert::value(&api::DeadEnds { numbers })?))
}

fn lookup_example() -> Value {
    json!({ "last_call": {
        "call": "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a10", "at": "2026-01-05T09:00:00.000Z",
        "placed_by": "1001", "talked": null, "shown": "0225550102", "trunk": "carrier",
        "category": "sales",
    } })
}

/// The operations of this module.
pub(crate) fn operations() -> Vec<Operation> {
    let example = serde_json::to_value(CallbackPolicy::default()).unwrap_or_default();
    let policy = Shape::of::<CallbackPolicy>(example);
    let dead = Shape::of::<api::DeadEnds>(json!({ "numbers": ["0800000000"] }));
    let lookup = Shape::of::<api::CallbackLookup>(lookup_example());
    let (looking, ends) = (format!("{POLICY}/lookup"), format!("{POLICY}/dead-ends"));
    let forgetting = format!("{POLICY}/numbers/{{number}}");
    vec![
        Operation::new("showCallbackPolicy", Method::GET, POLICY, SHOWS, handler!(show))
            .needs(Permission::ConfigRead)
            .ok(policy.clone()),
        Operation::new("replaceCallbackPolicy", Method::PUT, POLICY, WRITES, handler!(replace))
            .needs(Permission::ConfigWrite)
            .body(policy.clone())
            .ok(policy),
        Operation::new("lookUpCallback", Method::GET, looking, LOOKS, handler!(look_up))
            .needs(Permission::RecordsRead)
            .query(NUMBER)
            .ok(lookup),
        Operation::new("forgetCallback", Method::DELETE, forgetting, FORGETS, handler!(forget))
            .needs(Permission::ConfigWrite),
        Operation::new("listDeadEnds", Method::GET, ends, ENDS, handler!(dead_ends))
            .needs(Permission::ConfigRead)
            .ok(dead),
    ]
    .into_iter()
    .map(|operation| operation.tag("configuration"))
    .collect()
}

const SHOWS: &str = "Show how customers who call back are routed";
const WRITES: &str = "Write anew how customers who call back are routed";
const LOOKS: &str = "Show which agent called a number last";
const FORGETS: &str = "Forget who called a number";
const ENDS: &str = "List caller IDs that no inbound route takes";
