//! The audit log.

use axum::http::Method;
use serde_json::json;
use tandem_actors::audit::{Entry, Filter};
use tandem_api::audit as api;
use tandem_kernel::Position;

use crate::convert;
use crate::cursor::Page;
use crate::operation::{Call, Operation, Parameter, Reply, Shape, handler};
use crate::problem::Problem;
use crate::records::moment;
use crate::rights::Permission;

const QUERY: &[Parameter] = &[
    Parameter { name: "since", what: "At or after this moment (RFC 3339)." },
    Parameter { name: "until", what: "Before this moment (RFC 3339)." },
    Parameter { name: "by", what: "Who: `user:alice`, `token:` and its id, `system`." },
    Parameter { name: "action", what: "`created`, `changed`, `removed`, `signed-in` …" },
    Parameter { name: "kind", what: "A kind of resource, `session`, `prompt` or `call`." },
    Parameter { name: "key", what: "The key of what it was done to." },
    Parameter { name: "limit", what: "How many items at most, 1 to 500; 50 if left out." },
    Parameter { name: "cursor", what: "`next_cursor` of the page before." },
];

async fn list(call: Call) -> Result<Reply, Problem> {
    let page = Page::of(&call)?;
    let text = |name| call.query(name).map(str::to_owned);
    let filter = Filter {
        since: moment(&call, "since")?,
        until: moment(&call, "until")?,
        by: text("by"),
        action: text("action"),
        kind: text("kind"),
        key: text("key"),
    };
    let before = page.after.as_deref().map(str::parse::<Position>).transpose();
    let before = before.map_err(|_| Problem::parameter("cursor", "not a cursor of this list"))?;
    let found = call.edge.office.audit(&filter, before, page.limit + 1).await;
    let item = |entry: Entry| {
        let key = entry.position.to_string();
        Ok((key, convert::value(&outward(entry))?))
    };
    let items = found.into_iter().map(item).collect::<Result<Vec<_>, Problem>>()?;
    Ok(Reply::ok(page.body(items)))
}

fn outward(entry: Entry) -> api::AuditEntry {
    let Entry { position, at, by, action, kind, key, fields, from } = entry;
    let (position, at) = (position.to_string(), at.rfc3339());
    let from = (!from.is_empty()).then_some(from);
    api::AuditEntry { position, at, by, action, kind, key, fields, from }
}

/// The operation on the audit log.
pub(crate) fn operations() -> Vec<Operation> {
    let entry = json!({
        "position": "0:4711", "at": "2026-01-05T09:00:00.000Z", "by": "user:alice",
        "action": "changed", "kind": "extension", "key": "1001", "fields": ["name"], "from": null,
    });
    let page = json!({ "items": [entry], "next_cursor": "MDo0NzEx" });
    let summary = "List who has changed what, newest first";
    vec![
        Operation::new("listAudit", Method::GET, "/api/v1/audit", summary, handler!(list))
            .needs(Permission::AuditRead)
            .tag("audit")
            .query(QUERY)
            .ok(Shape::page::<api::AuditEntry>(page)),
    ]
}
