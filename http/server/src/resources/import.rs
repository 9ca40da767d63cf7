//! Many resources in one request, so that an import of a thousand is not a thousand requests.

use axum::http::Method;
use serde_json::{Value, json};
use tandem_api::import::{Import, ImportItem, ImportRefusal, Imported};
use tandem_config::Kind;

use super::form;
use crate::convert;
use crate::operation::{Call, Operation, Reply, Shape, handler};
use crate::problem::Problem;
use crate::rights::Permission;

/// Resources in one import.
const MOST: usize = 1_000;
/// The kinds that an import takes: neither accounts, which have rights of their own, nor the
/// settings, of which there is one.
const KINDS: [Kind; 9] = [
    Kind::Extension,
    Kind::Trunk,
    Kind::Queue,
    Kind::RingGroup,
    Kind::Ivr,
    Kind::CallFlow,
    Kind::GroupVoicemail,
    Kind::InboundRoute,
    Kind::OutboundRoute,
];

async fn import(mut call: Call) -> Result<Reply, Problem> {
    let Import { items, overwrite } = call.read()?;
    if items.len() > MOST {
        let detail = format!("at most {MOST} in one import");
        return Err(Problem::field("/items", "too-many", detail));
    }
    let mut done = Imported { created: 0, replaced: 0, refused: Vec::new() };
    for (index, item) in (0..).zip(items) {
        match write(&call, item, overwrite).await {
            Ok(true) => done.created += 1,
            Ok(false) => done.replaced += 1,
            Err(problem) => {
                done.refused.push(ImportRefusal { index, problem: problem.outward("") });
            }
        }
    }
    Ok(Reply::ok(convert::value(&done)?))
}

/// Whether the resource is new.
async fn write(call: &Call, item: ImportItem, overwrite: bool) -> Result<bool, Problem> {
    let kind = KINDS.into_iter().find(|kind| kind.as_str() == item.kind);
    let unknown = || Problem::field("/kind", "wrong-value", "an import takes no such kind");
    let kind = kind.ok_or_else(unknown)?;
    let by = call.caller()?.principal.clone();
    let provisioning = call.edge.office.provisioning();
    let directory = provisioning.directory();
    let key = item.resource.get(super::catalogue::parameter_of(kind)).and_then(Value::as_str);
    let before = key.and_then(|key| directory.find(kind, key)).filter(|_| overwrite);
    let old = before.map(|stored| &stored.resource);
    let resource = form::inward(&call.edge, kind, item.resource.clone(), old).await?;
    match before {
        Some(stored) => {
            provisioning.replace(&by, Some(stored.revision), resource).await?;
            Ok(false)
        }
        None => {
            provisioning.create(&by, resource).await?;
            Ok(true)
        }
    }
}

pub(super) fn operation() -> Operation {
    let extension =
        json!({ "number": "1001", "name": "Chen", "password": "correct horse battery" });
    let wish = json!({ "items": [{ "kind": "extension", "resource": extension }] });
    let done = json!({ "created": 1, "replaced": 0, "refused": [] });
    let summary = "Write many resources; each is taken or refused by itself";
    Operation::new("import", Method::POST, "/api/v1/import", summary, handler!(import))
        .needs(Permission::ConfigWrite)
        .tag("configuration")
        .bulk()
        .body(Shape::of::<Import>(wish))
        .ok(Shape::of::<Imported>(done))
}
