//! Agents and queues at work.

use axum::http::Method;
use serde_json::{Value, json};
use tandem_actors::office::AgentCommand;
use tandem_api::floor as api;
use tandem_config::resource::{ManagerRight, Queue};

use crate::convert;
use crate::cursor::{self, Page};
use crate::grants;
use crate::operation::{Call, Operation, Reply, Shape, handler};
use crate::problem::{Code, Problem};
use crate::rights::Permission;

async fn list(call: Call) -> Result<Reply, Problem> {
    let bound = call.bound_to()?;
    let page = Page::live(&call)?;
    let mut agents = call.edge.office.agents().await;
    agents.retain(|agent| bound.is_none_or(|extension| agent.extension == extension));
    let agents =
        page.cut(agents.into_iter().map(|agent| (agent.extension.clone(), agent)).collect());
    let item = |(key, agent)| Ok((key, convert::value(&convert::agent(agent))?));
    Ok(Reply::ok(page.body(agents.into_iter().map(item).collect::<Result<_, Problem>>()?)))
}

async fn command(call: Call, command: AgentCommand) -> Result<Reply, Problem> {
    let extension = call.path("extension").to_owned();
    if call.caller()?.principal.extension.as_ref() != Some(&extension) {
        may_set(&call, &extension, &command)?;
    }
    let by = call.caller()?.principal.clone();
    let agent = call.edge.office.agent_command(&by, &extension, command).await?;
    Ok(Reply::ok(convert::value(&convert::agent(agent))?))
}

/// the own state needs no right; another agent's needs it in each queue that it is about
///
fn may_set(call: &Call, extension: &str, command: &AgentCommand) -> Result<(), Problem> {
    let directory = call.edge.office.provisioning().directory();
    let is_member = |queue: &&Queue| queue.members.iter().any(|it| it.extension == extension);
    let queues: Vec<String> = match command.queue() {
        Some(queue) => directory.queue(queue).map(|it| it.number.clone()).into_iter().collect(),
        None => directory.queues().filter(is_member).map(|it| it.number.clone()).collect(),
    };
    if queues.is_empty() && call.bound_to()?.is_some() {
        return Err(Problem::new(Code::Forbidden, "an agent acts for the own extension only"));
    }
    for queue in queues {
        let grants = grants::in_queue(call, &queue)?.unwrap_or_default();
        if !grants.may(ManagerRight::AgentState) {
            let detail = format!("queue {queue} does not let you change its agents' state");
            return Err(Problem::new(Code::Forbidden, detail));
        }
    }
    Ok(())
}

async fn log_in(mut call: Call) -> Result<Reply, Problem> {
    let api::QueueChoice { queue } = call.read()?;
    command(call, AgentCommand::LogIn { queue }).await
}

async fn log_out(mut call: Call) -> Result<Reply, Problem> {
    let api::QueueChoice { queue } = call.read()?;
    command(call, AgentCommand::LogOut { queue }).await
}

async fn pause(mut call: Call) -> Result<Reply, Problem> {
    let api::Pause { queue, reason } = call.read()?;
    let directory = call.edge.office.provisioning().directory();
    let unknown = |code: &String| !directory.settings().pause_reasons.contains_key(code);
    if reason.as_ref().is_some_and(unknown) {
        let detail = "no such pause reason in the settings";
        return Err(Problem::field("/reason", "unknown-reason", detail));
    }
    command(call, AgentCommand::Pause { queue, reason }).await
}

async fn resume(mut call: Call) -> Result<Reply, Problem> {
    let api::QueueChoice { queue } = call.read()?;
    command(call, AgentCommand::Resume { queue }).await
}

fn may_see(call: &Call, number: &str) -> Result<(), Problem> {
    let directory = call.edge.office.provisioning().directory();
    let queue = directory.queue(number).ok_or_else(|| Problem::not_found("queue", number))?;
    if grants::sees(&call.caller()?.principal, queue) {
        return Ok(());
    }
    Err(Problem::new(Code::Forbidden, format!("queue {number} does not let you look at it")))
}

fn not_running(number: &str) -> Problem {
    Problem::unavailable(Code::Unavailable, format!("queue {number} is not running"))
}

async fn status(call: Call) -> Result<Reply, Problem> {
    let number = call.path("number");
    may_see(&call, number)?;
    let status = call.edge.office.queue_status(number).await.ok_or_else(|| not_running(number))?;
    Ok(Reply::ok(convert::value(&convert::queue(status))?))
}

/// All queues that the caller may see: a screen that may not read the configuration learns here
/// which there are.
async fn statuses(call: Call) -> Result<Reply, Problem> {
    let principal = &call.caller()?.principal;
    let directory = call.edge.office.provisioning().directory();
    let is_seen = |queue: &&Queue| grants::sees(principal, queue);
    let numbers: Vec<String> =
        directory.queues().filter(is_seen).map(|queue| queue.number.clone()).collect();
    let mut items = Vec::new();
    for number in numbers {
        items.extend(call.edge.office.queue_status(&number).await.map(convert::queue));
    }
    Ok(Reply::ok(convert::value(&api::QueueStatuses { items })?))
}

/// The open requests of a queue, for those who see the queue.
async fn callbacks(call: Call) -> Result<Reply, Problem> {
    let number = call.path("number");
    may_see(&call, number)?;
    let found = call.edge.office.callbacks(number).await.ok_or_else(|| not_running(number))?;
    let items = found.into_iter().map(convert::callback_request).collect();
    Ok(Reply::ok(convert::value(&api::CallbackRequests { items })?))
}

async fn cancel_callback(call: Call) -> Result<Reply, Problem> {
    let number = call.path("number");
    may_see(&call, number)?;
    let grants = grants::in_queue(&call, number)?.unwrap_or_default();
    if !grants.may(ManagerRight::Distribution) {
        let detail = format!("queue {number} does not let you move its callers");
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let id = call.path("id");
    let unknown = || Problem::not_found("callback", id);
    let place = id.parse().map_err(|_| unknown())?;
    call.edge.office.cancel_callback(number, place).await?;
    Ok(Reply::nothing())
}

async fn pause_reasons(call: Call) -> Result<Reply, Problem> {
    let directory = call.edge.office.provisioning().directory();
    Ok(Reply::ok(convert::value(&api::PauseReasons(directory.settings().pause_reasons.clone()))?))
}

fn agent_example() -> Value {
    json!({
        "extension": "1001", "activity": "idle", "since": "2026-01-05T09:00:00.000Z",
        "registered": true,
        "memberships": [{
            "queue": "6400", "membership": "dynamic", "logged_in": true,
            "login_changed_at": "2026-01-05T08:55:00.000Z", "paused": true, "pause_reason": "*02",
        }],
    })
}

fn status_example() -> Value {
    let call = "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a10";
    json!({
        "number": "6400", "name": "Sales",
        "waiting": [{
            "call": call, "caller": "0912000111", "position": 1,
            "joined_at": "2026-01-05T09:00:02.000Z", "ringing": ["1001"], "is_callback": false,
        }],
        "active": [{
            "call": call, "agent": "1002", "since": "2026-01-05T08:59:30.000Z",
            "is_callback": false,
        }],
        "agents": [agent_example()], "total": 12, "answered": 10, "missed": 1, "abandoned": 1,
        "service_level": {
            "percent": 75.0, "in_time": 9, "total": 12, "within_secs": 60,
            "threshold_percent": 80,
        },
    })
}

fn callbacks_example() -> Value {
    json!({
        "items": [{
            "call": "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a10", "caller": "0912000111",
            "number": "0912000111", "position": 1, "joined_at": "2026-01-05T09:00:02.000Z",
            "registered_at": "2026-01-05T09:00:31.000Z",
            "expires_at": "2026-01-05T09:05:02.000Z", "state": "waiting", "agents": [],
        }],
    })
}

///
async fn proposal(call: Call) -> Result<Reply, Problem> {
    let number = call.edge.office.provisioning().directory().free_queue_number();
    Ok(Reply::ok(convert::value(&api::QueueNumber { number })?))
}

/// The operations on requests for a callback and on the numbers of queues.
fn beside_the_floor() -> [Operation; 3] {
    let (next, proposes) = ("/api/v1/next-queue-number", "Propose the number of a new queue");
    let path = "/api/v1/queues/{number}/callbacks";
    let one = "/api/v1/queues/{number}/callbacks/{id}";
    let (lists, cancels) = ("List the open callbacks of a queue", "Take a callback back");
    let list = handler!(callbacks);
    [
        Operation::new("proposeQueueNumber", Method::GET, next, proposes, handler!(proposal))
            .needs(Permission::ConfigRead)
            .tag("queues")
            .ok(Shape::of::<api::QueueNumber>(json!({ "number": "6401" }))),
        Operation::new("listQueueCallbacks", Method::GET, path, lists, list)
            .needs(Permission::QueuesRead)
            .tag("queues")
            .ok(Shape::of::<api::CallbackRequests>(callbacks_example())),
        Operation::new(
            "cancelQueueCallback",
            Method::DELETE,
            one,
            cancels,
            handler!(cancel_callback),
        )
        .needs(Permission::QueuesControl)
        .tag("queues"),
    ]
}

/// The operations on agents and queues at work.
pub(crate) fn operations() -> Vec<Operation> {
    let page = json!({ "items": [agent_example()], "next_cursor": null });
    let act = |id: &str, verb: &str, summary: &str, handler| {
        let path = format!("/api/v1/agents/{{extension}}/{verb}");
        Operation::new(id, Method::POST, path, summary, handler)
            .needs(Permission::AgentsControl)
            .tag("agents")
            .ok(Shape::of::<api::Agent>(agent_example()))
    };
    let queue = || Shape::of::<api::QueueChoice>(json!({ "queue": "6400" })).optional();
    let rest = Shape::of::<api::Pause>(json!({ "queue": "6400", "reason": "*02" })).optional();
    let status_path = "/api/v1/queues/{number}/status";
    let mut operations = vec![
        Operation::new("listAgents", Method::GET, "/api/v1/agents", "List agents", handler!(list))
            .needs(Permission::AgentsRead)
            .query(cursor::LIVE)
            .tag("agents")
            .ok(Shape::page::<api::Agent>(page)),
        act("logInAgent", "login", "Log an agent in", handler!(log_in)).body(queue()),
        act("logOutAgent", "logout", "Log an agent out", handler!(log_out)).body(queue()),
        act("pauseAgent", "pause", "Pause an agent", handler!(pause)).body(rest),
        act("resumeAgent", "resume", "End an agent's pause", handler!(resume)).body(queue()),
        Operation::new(
            "listPauseReasons",
            Method::GET,
            "/api/v1/pause-reasons",
            "List the reasons for a pause, by code",
            handler!(pause_reasons),
        )
        .needs(Permission::AgentsRead)
        .tag("agents")
        .ok(Shape::of::<api::PauseReasons>(json!({ "*01": "Lunch", "*02": "Break" }))),
        Operation::new(
            "getQueueStatus",
            Method::GET,
            status_path,
            "Show a queue as it is now",
            handler!(status),
        )
        .needs(Permission::QueuesRead)
        .tag("queues")
        .ok(Shape::of::<api::QueueStatus>(status_example())),
        Operation::new(
            "listQueueStatuses",
            Method::GET,
            "/api/v1/queue-statuses",
            "Show all queues as they are now",
            handler!(statuses),
        )
        .needs(Permission::QueuesRead)
        .tag("queues")
        .ok(Shape::of::<api::QueueStatuses>(json!({ "items": [status_example()] }))),
    ];
    operations.extend(beside_the_floor());
    operations
}
