//! Records of calls that are over.

use axum::http::Method;
use serde_json::{Value, json};
use tandem_actors::office::{CallRecord, Direction, RecordFilter};
use tandem_actors::records::Writings;
use tandem_api::record as api;
use tandem_kernel::{Position, Timestamp};

use crate::convert;
use crate::cursor::Page;
use crate::notes;
use crate::operation::{Call, Operation, Parameter, Reply, Shape, handler};
use crate::problem::{Code, Problem};
use crate::rights::Permission;

const QUERY: &[Parameter] = &[
    Parameter { name: "since", what: "Begun at or after this moment (RFC 3339)." },
    Parameter { name: "until", what: "Begun before this moment (RFC 3339)." },
    Parameter { name: "direction", what: "`internal`, `inbound` or `outbound`." },
    Parameter { name: "number", what: "From, to, or who answered." },
    Parameter { name: "queue", what: "Went through this queue." },
    Parameter { name: "outcome", what: "Outcome code." },
    Parameter { name: "limit", what: "How many items at most, 1 to 500; 50 if left out." },
    Parameter { name: "cursor", what: "`next_cursor` of the page before." },
];

/// A parameter that is a moment.
pub(crate) fn moment(call: &Call, name: &str) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = call.query(name) else { return Ok(None) };
    let parsed: Option<jiff::Timestamp> = text.parse().ok();
    let micros = parsed.and_then(|moment| u64::try_from(moment.as_microsecond()).ok());
    let wrong = || Problem::parameter(name, "a moment in RFC 3339");
    Ok(Some(Timestamp::from_micros(micros.ok_or_else(wrong)?)))
}

fn direction(call: &Call) -> Result<Option<Direction>, Problem> {
    match call.query("direction") {
        None => Ok(None),
        Some("internal") => Ok(Some(Direction::Internal)),
        Some("inbound") => Ok(Some(Direction::Inbound)),
        Some("outbound") => Ok(Some(Direction::Outbound)),
        Some(_) => Err(Problem::parameter("direction", "internal, inbound or outbound")),
    }
}

fn filter(call: &Call) -> Result<RecordFilter, Problem> {
    let text = |name| call.query(name).map(str::to_owned);
    let mut filter = RecordFilter {
        since: moment(call, "since")?,
        until: moment(call, "until")?,
        direction: direction(call)?,
        number: text("number"),
        queue: text("queue"),
        outcome: text("outcome"),
    };
    if let Some(own) = call.bound_to()? {
        if filter.number.as_deref().is_some_and(|number| number != own) {
            let detail = "agents see the records of the own extension only";
            return Err(Problem::new(Code::Forbidden, detail));
        }
        filter.number = Some(own.to_owned());
    }
    Ok(filter)
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let page = Page::of(&call)?;
    let filter = filter(&call)?;
    let before = page.after.as_deref().map(str::parse::<Position>).transpose();
    let before = before.map_err(|_| Problem::parameter("cursor", "not a cursor of this list"))?;
    let found = call.edge.office.call_records(&filter, before, page.limit + 1).await;
    let notes = call.edge.office.notes(found.iter().map(|record| record.id).collect()).await;
    let bound = call.bound_to()?.is_some();
    let item = |(record, note): (CallRecord, Writings)| {
        let record = if bound { unattended(record) } else { record };
        let key = record.position.to_string();
        Ok((key, convert::value(&with_note(record, note))?))
    };
    let items = found.into_iter().zip(notes).map(item).collect::<Result<Vec<_>, Problem>>()?;
    Ok(Reply::ok(page.body(items)))
}

/// A record as agents see it: they do not notice who attended their talk.
fn unattended(mut record: CallRecord) -> CallRecord {
    record.steps.retain(|step| step.kind != "monitor");
    record
}

fn with_note(record: CallRecord, note: Writings) -> api::CallRecord {
    let note = notes::outward(note).newest;
    api::CallRecord { note, ..convert::record(record) }
}

async fn show(call: Call) -> Result<Reply, Problem> {
    let text = call.path("id");
    let missing = || Problem::not_found("call record", &text.chars().take(64).collect::<String>());
    let id = text.parse().map_err(|_| missing())?;
    let record = call.edge.office.call_record(id).await.ok_or_else(missing)?;
    let record = match call.bound_to()? {
        Some(own) if !notes::was_in(&record, own) => return Err(missing()),
        Some(_) => unattended(record),
        None => record,
    };
    let note = call.edge.office.notes(vec![id]).await.pop().unwrap_or_default();
    Ok(Reply::ok(convert::value(&with_note(record, note))?))
}

fn example() -> Value {
    json!({
        "id": "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a10", "position": "0:4711",
        "direction": "inbound", "from": "0912000111", "to": "6400", "trunk": "carrier",
        "started_at": "2026-01-05T09:00:00.000Z", "answered_at": "2026-01-05T09:00:12.500Z",
        "ended_at": "2026-01-05T09:03:12.500Z", "outcome": "answered",
        "cause": "normal call clearing", "answered_by": "1001",
        "queue": { "queue": "6400", "exit": "answered", "wait_secs": 12.5, "agent": "1001" },
        "steps": [{
            "at": "2026-01-05T09:00:00.000Z", "kind": "ivr", "key": "6500",
            "detail": "pressed 1: to queue 6400",
        }],
        "talk_secs": 180.0, "hold_secs": 0.0, "outgoing": null, "requested_by": null,
        "correlation_id": null, "callback": null,
        "note": {
            "at": "2026-01-05T09:04:00.000Z", "by": "user:chen",
            "text": "Wants an offer by Friday", "tags": ["offer"],
        },
    })
}

/// The operations on call records.
pub(crate) fn operations() -> Vec<Operation> {
    let page = json!({ "items": [example()], "next_cursor": "MDo0NzEx" });
    let summary = "List the records of ended calls, newest first";
    vec![
        Operation::new(
            "listCallRecords",
            Method::GET,
            "/api/v1/call-records",
            summary,
            handler!(list),
        )
        .needs(Permission::RecordsRead)
        .tag("records")
        .query(QUERY)
        .ok(Shape::page::<api::CallRecord>(page)),
        Operation::new(
            "getCallRecord",
            Method::GET,
            "/api/v1/call-records/{id}",
            "Show the record of an ended call",
            handler!(show),
        )
        .needs(Permission::RecordsRead)
        .tag("records")
        .ok(Shape::of::<api::CallRecord>(example())),
    ]
}
