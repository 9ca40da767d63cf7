//! Notes on calls, by those who had a part in them and by managers.

use axum::http::Method;
use serde_json::json;
use tandem_actors::office::{CallRecord, CallView};
use tandem_actors::records;
use tandem_api::note as api;
use tandem_kernel::CallId;

use crate::convert;
use crate::operation::{Call, Operation, Reply, Shape, handler};
use crate::problem::Problem;
use crate::rights::Permission;

/// The call, if the caller may see it: live or ended, and, for an agent, one of the own.
async fn visible(call: &Call) -> Result<CallId, Problem> {
    let text = call.path("id");
    let missing = || Problem::not_found("call", &text.chars().take(64).collect::<String>());
    let id: CallId = text.parse().map_err(|_| missing())?;
    let own = call.bound_to()?;
    let office = &call.edge.office;
    if let Some(view) = office.call(id).await {
        // Who has handed the call on writes the note of it while the others talk.
        let may = own.is_none_or(|own| is_in(&view, own) || office.had_part(id, own));
        return if may { Ok(id) } else { Err(missing()) };
    }
    let record = office.call_record(id).await.ok_or_else(missing)?;
    if own.is_none_or(|own| was_in(&record, own)) { Ok(id) } else { Err(missing()) }
}

fn is_in(view: &CallView, extension: &str) -> bool {
    view.legs.iter().any(|leg| leg.party.strip_prefix("extension:") == Some(extension))
}

/// Who has handed a call of the queue on has had a part in it, too.
pub(crate) fn was_in(record: &CallRecord, extension: &str) -> bool {
    let agent = record.queue.as_ref().and_then(|passage| passage.agent.as_deref());
    record.from == extension
        || record.to == extension
        || record.answered_by.as_deref() == Some(extension)
        || agent == Some(extension)
}

fn writing(note: records::Note) -> api::NoteWriting {
    let records::Note { at, by, text, tags, .. } = note;
    api::NoteWriting { at: at.rfc3339(), by, text, tags }
}

/// The outward form of a note.
pub(crate) fn outward(mut writings: records::Writings) -> api::Note {
    let newest = writings.pop().map(writing);
    api::Note { newest, earlier: writings.into_iter().map(writing).collect() }
}

async fn show(call: Call) -> Result<Reply, Problem> {
    let id = visible(&call).await?;
    let writings = call.edge.office.notes(vec![id]).await.pop().unwrap_or_default();
    Ok(Reply::ok(convert::value(&outward(writings))?))
}

async fn write(mut call: Call) -> Result<Reply, Problem> {
    let api::NoteWish { text, tags } = call.read()?;
    let id = visible(&call).await?;
    let by = call.caller()?.principal.clone();
    call.edge.office.write_note(&by, id, text, tags).await?;
    show(call).await
}

async fn tags(call: Call) -> Result<Reply, Problem> {
    let directory = call.edge.office.provisioning().directory();
    Ok(Reply::ok(convert::value(&api::CallTags(directory.settings().call_tags.clone()))?))
}

/// The operations on notes.
pub(crate) fn operations() -> Vec<Operation> {
    let path = "/api/v1/calls/{id}/note";
    let wish = json!({ "text": "Wants an offer by Friday", "tags": ["offer"] });
    let shown = json!({
        "newest": {
            "at": "2026-01-05T09:04:00.000Z", "by": "user:chen",
            "text": "Wants an offer by Friday", "tags": ["offer"],
        },
        "earlier": [],
    });
    let shape = || Shape::of::<api::Note>(shown.clone());
    let op = |id: &str, method, path: &str, summary: &str, handler| {
        Operation::new(id, method, path, summary, handler).tag("records")
    };
    let (reads, writes) = ("Show the note on a call", "Write the note on a call");
    let lists = "List the tags of notes, by id";
    vec![
        op("getCallNote", Method::GET, path, reads, handler!(show))
            .needs(Permission::NotesRead)
            .ok(shape()),
        op("writeCallNote", Method::PUT, path, writes, handler!(write))
            .needs(Permission::NotesWrite)
            .body(Shape::of::<api::NoteWish>(wish))
            .ok(shape()),
        op("listCallTags", Method::GET, "/api/v1/call-tags", lists, handler!(tags))
            .needs(Permission::NotesRead)
            .ok(Shape::of::<api::CallTags>(json!({ "offer": "Offer", "complaint": "Complaint" }))),
    ]
}
