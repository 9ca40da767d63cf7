//! The queue call log, by what each queue lets its managers and agents see of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};
use tandem_actors::office::{LogView, Principal};
use tandem_actors::queue::Class;
use tandem_actors::records::Writings;
use tandem_actors::records::queue_log::{
    Asked, LogFilter, Logged, Operation as Change, Processing,
};
use tandem_api::queue_log as api;
use tandem_config::resource::{CallLogScope, Grants, ManagerRight, Role};
use tandem_kernel::Position;

use crate::convert;
use crate::cursor::Page;
use crate::grants;
use crate::notes;
use crate::operation::{Call, Operation, Parameter, Reply, Shape, handler};
use crate::problem::{Code, Problem};
use crate::records::moment;
use crate::rights::Permission;

const QUERY: &[Parameter] = &[
    Parameter { name: "queue", what: "Of this queue." },
    Parameter { name: "kind", what: "`inbound`: answered, or `missed`: by whatever exit." },
    Parameter { name: "state", what: "`unprocessed`, `processing` or `processed`." },
    Parameter { name: "search", what: "A part of the caller's name or number." },
    Parameter { name: "since", what: "Joined at or after this moment (RFC 3339)." },
    Parameter { name: "until", what: "Joined before this moment (RFC 3339)." },
    Parameter { name: "limit", what: "How many items at most, 1 to 500; 50 if left out." },
    Parameter { name: "cursor", what: "`next_cursor` of the page before." },
];

/// What somebody may see of the log.
#[derive(Clone, Debug)]
pub(crate) struct Eyes {
    is_admin: bool,
    extension: Option<String>,
    grants: BTreeMap<String, Grants>,
}

impl Eyes {
    fn of(call: &Call) -> Result<Self, Problem> {
        let Principal { role, extension, .. } = &call.caller()?.principal;
        let directory = call.edge.office.provisioning().directory();
        let principal = &call.caller()?.principal;
        let grants = |queue: &tandem_config::resource::Queue| {
            (queue.number.clone(), grants::of(principal, queue))
        };
        let grants = directory.queues().map(grants).collect();
        Ok(Self { is_admin: *role == Role::Admin, extension: extension.clone(), grants })
    }

    fn granted(&self, queue: &str) -> Grants {
        self.grants.get(queue).cloned().unwrap_or_default()
    }

    /// Agents see what they answered themselves, unless they have deleted it.
    fn see(&self, logged: &Logged) -> bool {
        let grants = self.granted(&logged.entry.queue);
        let of_log = |scopes: [CallLogScope; 2]| {
            grants.call_log.is_some_and(|scope| scopes.contains(&scope))
        };
        match logged.entry.class() {
            _ if self.is_admin => true,
            Class::Answered => {
                let is_own = self.extension.is_some() && logged.entry.agent == self.extension;
                let is_kept = |own| !logged.marks.hidden_from.contains(own);
                is_own
                    && self.extension.as_ref().is_some_and(is_kept)
                    && of_log([CallLogScope::All, CallLogScope::Inbound])
            }
            Class::Missed | Class::Abandoned => {
                grants.may(ManagerRight::MissedCalls)
                    || of_log([CallLogScope::All, CallLogScope::Missed])
            }
        }
    }

    /// From whose view an entry that they see is deleted; none: from everybody's.
    fn delete(&self, logged: &Logged) -> Result<Option<String>, Problem> {
        let is_answered = logged.entry.class() == Class::Answered;
        if is_answered && logged.entry.agent == self.extension {
            return Ok(self.extension.clone());
        }
        let grants = self.granted(&logged.entry.queue);
        let may = self.is_admin || grants.may(ManagerRight::DeleteMissedCalls);
        if may && !is_answered {
            return Ok(None);
        }
        let detail = match is_answered {
            true => "an answered call is deleted by the agent who answered it only",
            false => "missed calls are deleted by managers who may",
        };
        Err(Problem::new(Code::Forbidden, detail))
    }

    fn view(&self) -> LogView {
        let eyes = self.clone();
        Arc::new(move |logged| eyes.see(logged))
    }
}

fn state(call: &Call) -> Result<Option<Processing>, Problem> {
    let Some(text) = call.query("state") else { return Ok(None) };
    let found = Processing::ALL.into_iter().find(|state| state.as_str() == text);
    let wrong = || Problem::parameter("state", "unprocessed, processing or processed");
    found.map(Some).ok_or_else(wrong)
}

fn filter(call: &Call) -> Result<LogFilter, Problem> {
    let text = |name| call.query(name).map(str::to_owned);
    let is_answered = match call.query("kind") {
        None => None,
        Some("inbound") => Some(true),
        Some("missed") => Some(false),
        Some(_) => return Err(Problem::parameter("kind", "inbound or missed")),
    };
    Ok(LogFilter {
        queue: text("queue"),
        is_answered,
        state: state(call)?,
        search: text("search"),
        since: moment(call, "since")?,
        until: moment(call, "until")?,
    })
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let page = Page::of(&call)?;
    let filter = filter(&call)?;
    let before = page.after.as_deref().map(str::parse::<Position>).transpose();
    let before = before.map_err(|_| Problem::parameter("cursor", "not a cursor of this list"))?;
    let view = Eyes::of(&call)?.view();
    let office = &call.edge.office;
    let found = office.queue_log(filter, view, before, page.limit + 1).await;
    let notes = office.notes(found.iter().map(|it| it.entry.call).collect()).await;
    let item = |(logged, note): (Logged, Writings)| {
        let key = logged.entry.position.to_string();
        Ok((key, convert::value(&outward(&call, logged, note))?))
    };
    let items = found.into_iter().zip(notes).map(item).collect::<Result<Vec<_>, Problem>>()?;
    Ok(Reply::ok(page.body(items)))
}

fn outward(call: &Call, logged: Logged, note: Writings) -> api::QueueLogEntry {
    let state = logged.state().map(state_out);
    let Logged { entry, marks } = logged;
    let directory = call.edge.office.provisioning().directory();
    let queue_name = directory.queue(&entry.queue).map(|it| it.name.clone()).unwrap_or_default();
    let outcome = match entry.class() {
        Class::Answered => api::QueueOutcome::Answered,
        Class::Missed => api::QueueOutcome::Missed,
        Class::Abandoned => api::QueueOutcome::Abandoned,
    };
    api::QueueLogEntry {
        id: entry.position.to_string(),
        call: entry.call.to_string(),
        queue: entry.queue,
        queue_name,
        caller: entry.caller,
        caller_name: entry.caller_name,
        outcome,
        exit: entry.exit.as_str().into(),
        callback_failure: entry.failure.map(|why| why.as_str().to_owned()),
        callback: entry.callback.map(|it| it.to_string()),
        joined_at: entry.joined_at.rfc3339(),
        left_at: entry.left_at.rfc3339(),
        wait_secs: entry.wait.as_secs_f64(),
        agent: entry.agent,
        talk_secs: entry.talk.map(|talk| talk.as_secs_f64()),
        state,
        changes: marks.operations.into_iter().rev().map(change_out).collect(),
        note: notes::outward(note).newest,
    }
}

const fn state_out(state: Processing) -> api::ProcessingState {
    match state {
        Processing::Unprocessed => api::ProcessingState::Unprocessed,
        Processing::Processing => api::ProcessingState::Processing,
        Processing::Processed => api::ProcessingState::Processed,
    }
}

const fn state_in(state: api::ProcessingState) -> Processing {
    match state {
        api::ProcessingState::Unprocessed => Processing::Unprocessed,
        api::ProcessingState::Processing => Processing::Processing,
        api::ProcessingState::Processed => Processing::Processed,
    }
}

fn change_out(change: Change) -> api::ProcessingChange {
    let Change { at, by, from, to, is_auto, .. } = change;
    api::ProcessingChange {
        at: at.rfc3339(),
        by: by.name,
        extension: by.extension,
        from: state_out(from),
        to: state_out(to),
        auto_sync: is_auto,
    }
}

/// The entry of the path, if the caller may see it.
async fn visible(call: &Call, eyes: &Eyes) -> Result<Logged, Problem> {
    let text = call.path("id");
    let missing = || Problem::not_found("entry", &text.chars().take(64).collect::<String>());
    let position = text.parse().map_err(|_| missing())?;
    let found = call.edge.office.queue_log_entry(position).await.ok_or_else(missing)?;
    if eyes.see(&found) { Ok(found) } else { Err(missing()) }
}

async fn reply(call: &Call, logged: Logged) -> Result<Reply, Problem> {
    let note = call.edge.office.notes(vec![logged.entry.call]).await.pop().unwrap_or_default();
    Ok(Reply::ok(convert::value(&outward(call, logged, note))?))
}

async fn show(call: Call) -> Result<Reply, Problem> {
    let logged = visible(&call, &Eyes::of(&call)?).await?;
    reply(&call, logged).await
}

/// whoever may see it may change it.
async fn mark(mut call: Call) -> Result<Reply, Problem> {
    let api::ProcessingWish { state, from } = call.read()?;
    let found = visible(&call, &Eyes::of(&call)?).await?;
    if found.state().is_none() {
        let mut problem = Problem::new(Code::Conflict, "an answered call has no such state");
        problem.narrower = Some("was-answered");
        return Err(problem);
    }
    let by = call.caller()?.principal.clone();
    let asked = Asked { to: state_in(state), seen: from.map(state_in) };
    let marked = call.edge.office.mark_missed(&by, found.entry.position, asked).await?;
    reply(&call, marked).await
}

async fn remove(call: Call) -> Result<Reply, Problem> {
    let eyes = Eyes::of(&call)?;
    let found = visible(&call, &eyes).await?;
    let only_from = eyes.delete(&found)?;
    let by = call.caller()?.principal.clone();
    call.edge.office.remove_logged(&by, found.entry.position, only_from).await?;
    Ok(Reply::nothing())
}

fn example() -> Value {
    json!({
        "id": "0:4711", "call": "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a10",
        "queue": "6400", "queue_name": "Sales", "caller": "0912000111", "caller_name": "",
        "outcome": "missed", "exit": "max_wait", "callback_failure": null, "callback": null,
        "joined_at": "2026-01-05T09:00:00.000Z", "left_at": "2026-01-05T09:01:00.000Z",
        "wait_secs": 60.0, "agent": null, "talk_secs": null, "state": "processing",
        "changes": [{
            "at": "2026-01-05T09:04:00.000Z", "by": "user:chen", "extension": "1001",
            "from": "unprocessed", "to": "processing", "auto_sync": false,
        }],
        "note": null,
    })
}

/// The operations on the queue call log.
pub(crate) fn operations() -> Vec<Operation> {
    let (all, one) = ("/api/v1/queue-log", "/api/v1/queue-log/{id}");
    let page = json!({ "items": [example()], "next_cursor": "MDo0NzEx" });
    let op = |id: &str, method, path: &str, summary: &str, handler| {
        Operation::new(id, method, path, summary, handler).tag("queues")
    };
    let shape = || Shape::of::<api::QueueLogEntry>(example());
    let wish = json!({ "state": "processing", "from": "unprocessed" });
    let (lists, shows) = ("List who has left a queue, newest first", "Show who has left a queue");
    let (marks, removes) = ("Say how far a missed call is processed", "Delete from the call log");
    vec![
        op("listQueueLog", Method::GET, all, lists, handler!(list))
            .needs(Permission::QueueLogRead)
            .query(QUERY)
            .ok(Shape::page::<api::QueueLogEntry>(page)),
        op("getQueueLogEntry", Method::GET, one, shows, handler!(show))
            .needs(Permission::QueueLogRead)
            .ok(shape()),
        op("markQueueLogEntry", Method::PATCH, one, marks, handler!(mark))
            .needs(Permission::QueueLogWrite)
            .body(Shape::of::<api::ProcessingWish>(wish))
            .ok(shape()),
        op("deleteQueueLogEntry", Method::DELETE, one, removes, handler!(remove))
            .needs(Permission::QueueLogWrite),
    ]
}
