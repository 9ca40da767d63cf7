//! Live calls: seeing, beginning, steering and tracing them.

use axum::http::{Method, header};
use serde_json::{Value, json};
use tandem_actors::office::{
    Attendance, CallCommand, CallView, Originate as Wish, Place, Supervision,
};
use tandem_actors::outbound::{self, numbers};
use tandem_api::call as api;
use tandem_config::resource::ManagerRight;
use tandem_kernel::CallId;

use crate::convert;
use crate::cursor::{self, Page};
use crate::grants;
use crate::operation::{Call, Operation, Reply, Shape, handler};
use crate::problem::{Code, Problem};
use crate::rights::Permission;

fn id(call: &Call) -> Result<CallId, Problem> {
    let text = call.path("id");
    text.parse().map_err(|_| Problem::not_found("call", &text.chars().take(64).collect::<String>()))
}

/// Whether an extension is a party of a call.
fn is_party(view: &CallView, extension: &str) -> bool {
    view.legs.iter().any(|leg| leg.party.strip_prefix("extension:") == Some(extension))
}

/// Whether who asks may do this with a call: with an own one always, with a queue's by what the
/// queue grants, with another by the role.
fn may(call: &Call, view: &CallView, right: ManagerRight) -> Result<bool, Problem> {
    let by_role = call.bound_to()?.is_none();
    let own = call.caller()?.principal.extension.as_deref();
    if own.is_some_and(|own| is_party(view, own)) {
        return Ok(true);
    }
    let Some(queue) = view.queue.as_deref() else { return Ok(by_role) };
    Ok(grants::in_queue(call, queue)?.map_or(by_role, |grants| grants.may(right)))
}

/// Who is bound to an extension sees its calls, others see those of the queues that let them.
fn sees(call: &Call, view: &CallView) -> Result<bool, Problem> {
    match call.bound_to()? {
        Some(extension) => Ok(is_party(view, extension)),
        None => may(call, view, ManagerRight::Panel),
    }
}

async fn find(call: &Call, id: CallId) -> Result<CallView, Problem> {
    let missing = || Problem::not_found("call", &id.to_string());
    call.edge.office.call(id).await.ok_or_else(missing)
}

/// A call as who asks sees it: an agent without the manager who attends it.
async fn visible(call: &Call, id: CallId) -> Result<CallView, Problem> {
    let view = find(call, id).await?;
    if !sees(call, &view)? {
        return Err(Problem::not_found("call", &id.to_string()));
    }
    Ok(match call.bound_to()? {
        Some(extension) => unattended(view, extension),
        None => view,
    })
}

fn unattended(mut view: CallView, extension: &str) -> CallView {
    view.legs.retain(|leg| leg.supervises.is_none() || leg.number == extension);
    view
}

/// A call with which who asks may do this.
async fn steered(call: &Call, id: CallId, right: ManagerRight) -> Result<CallView, Problem> {
    let view = find(call, id).await?;
    if may(call, &view, right)? {
        return Ok(view);
    }
    if !sees(call, &view)? {
        return Err(Problem::not_found("call", &view.id.to_string()));
    }
    let queue = view.queue.unwrap_or_default();
    let detail = format!("queue {queue} does not let you do this with its calls");
    Err(Problem::new(Code::Forbidden, detail))
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let page = Page::live(&call)?;
    let bound = call.bound_to()?;
    let mut seen = Vec::new();
    for view in call.edge.office.calls().await {
        if sees(&call, &view)? {
            seen.push(match bound {
                Some(extension) => unattended(view, extension),
                None => view,
            });
        }
    }
    // The ids are in the order in which the calls began.
    let views = page.cut(seen.into_iter().map(|view| (view.id.to_string(), view)).collect());
    let office = &call.edge.office;
    let item = |(key, view): (String, CallView)| {
        let member = office.member_of(view.id);
        Ok((key, convert::value(&convert::call(view, member))?))
    };
    Ok(Reply::ok(page.body(views.into_iter().map(item).collect::<Result<_, Problem>>()?)))
}

async fn show(call: Call) -> Result<Reply, Problem> {
    let view = visible(&call, id(&call)?).await?;
    let member = call.edge.office.member_of(view.id);
    Ok(Reply::ok(convert::value(&convert::call(view, member))?))
}

async fn originate(mut call: Call) -> Result<Reply, Problem> {
    let wish: api::Originate = call.read()?;
    let (from, to) = (wish.from, wish.to);
    if call.bound_to()?.is_some_and(|extension| extension != from) {
        return Err(Problem::new(Code::Forbidden, "calls begin at the own extension only"));
    }
    let cleaned = numbers::cleaned(&to).filter(|to| (1..=32).contains(&to.len()));
    let Some(to) = cleaned else {
        return Err(Problem::field("/to", "not-a-number", "1 to 32 digits, +, * and #"));
    };
    let plain = |id: &String| id.chars().count() <= 128 && !id.chars().any(char::is_control);
    if !wish.correlation_id.as_ref().is_none_or(plain) {
        return Err(Problem::field("/correlation_id", "bad-text", "at most 128 characters"));
    }
    let by = call.caller()?.principal.clone();
    let wish = Wish {
        from,
        to,
        wish: outbound::Wish {
            code: wish.code_id,
            is_typed: wish.is_typed,
            caller_id: wish.caller_id,
            inherited: None,
        },
        correlation_id: wish.correlation_id,
        auto_answer: wish.auto_answer,
        ring_for: None,
        needs_idle: false,
    };
    let id = call.edge.office.originate(&by, wish).await?;
    let body = convert::value(&api::Originated { id: id.to_string() })?;
    Ok(Reply::created(body).with(header::LOCATION, &format!("/api/v1/calls/{id}")))
}

async fn steer(call: Call, right: ManagerRight, command: CallCommand) -> Result<Reply, Problem> {
    let id = steered(&call, id(&call)?, right).await?.id;
    let by = call.caller()?.principal.clone();
    call.edge.office.command(&by, id, command).await?;
    Ok(Reply::nothing())
}

async fn hang_up(call: Call) -> Result<Reply, Problem> {
    steer(call, ManagerRight::PickUp, CallCommand::HangUp).await
}

async fn hold(call: Call) -> Result<Reply, Problem> {
    steer(call, ManagerRight::PickUp, CallCommand::Hold).await
}

async fn resume(call: Call) -> Result<Reply, Problem> {
    steer(call, ManagerRight::PickUp, CallCommand::Resume).await
}

async fn transfer(mut call: Call) -> Result<Reply, Problem> {
    let api::Transfer { to } = call.read()?;
    steer(call, ManagerRight::Distribution, CallCommand::Transfer { to }).await
}

async fn redirect(mut call: Call) -> Result<Reply, Problem> {
    let api::Redirect { to, to_voicemail } = call.read()?;
    let place = if to_voicemail { Place::Mailbox(to) } else { Place::Number(to) };
    let id = steered(&call, id(&call)?, ManagerRight::Distribution).await?.id;
    let by = call.caller()?.principal.clone();
    call.edge.office.redirect(&by, id, place).await?;
    Ok(Reply::nothing())
}

async fn merge(mut call: Call) -> Result<Reply, Problem> {
    let api::Merge { with } = call.read()?;
    let with =
        with.parse().map_err(|_| Problem::field("/with", "not-an-id", "the id of a call"))?;
    let base = steered(&call, id(&call)?, ManagerRight::Distribution).await?.id;
    let with = steered(&call, with, ManagerRight::Distribution).await?.id;
    let by = call.caller()?.principal.clone();
    let own = call.bound_to()?;
    call.edge.office.merge(&by, (base, with), own).await?;
    Ok(Reply::nothing())
}

async fn pick_up(mut call: Call) -> Result<Reply, Problem> {
    let wish: api::PickUp = call.read()?;
    let id = steered(&call, id(&call)?, ManagerRight::PickUp).await?.id;
    let by = call.caller()?.principal.clone();
    let needed = || Problem::field("/extension", "missing", "the caller has no extension");
    let extension = wish.extension.or_else(|| by.extension.clone()).ok_or_else(needed)?;
    if call.bound_to()?.is_some_and(|own| own != extension) {
        return Err(Problem::new(Code::Forbidden, "calls are picked up at the own extension only"));
    }
    call.edge.office.pick_up(&by, id, &extension).await?;
    Ok(Reply::nothing())
}

async fn park(mut call: Call) -> Result<Reply, Problem> {
    let api::Park { party } = call.read()?;
    let id = steered(&call, id(&call)?, ManagerRight::Park).await?.id;
    let by = call.caller()?.principal.clone();
    let slot = call.edge.office.park(&by, id, party).await?.to_string();
    Ok(Reply::ok(convert::value(&api::ParkedAt { slot })?))
}

async fn monitor(mut call: Call) -> Result<Reply, Problem> {
    let wish: api::Monitor = call.read()?;
    let id = steered(&call, id(&call)?, ManagerRight::Monitor).await?.id;
    let by = call.caller()?.principal.clone();
    let needed = || Problem::field("/extension", "missing", "the caller has no extension");
    let extension = wish.extension.or_else(|| by.extension.clone()).ok_or_else(needed)?;
    let mode = match wish.mode {
        api::Supervision::Listen => Supervision::Listen,
        api::Supervision::Whisper => Supervision::Whisper,
        api::Supervision::Barge => Supervision::Barge,
    };
    let attendance = Attendance { extension, agent: wish.agent, mode };
    call.edge.office.monitor(&by, id, attendance).await?;
    Ok(Reply::nothing())
}

async fn trace(call: Call) -> Result<Reply, Problem> {
    let id = id(&call)?;
    let missing = || Problem::not_found("trace of call", &id.to_string());
    let items = call.edge.office.trace(id).await.ok_or_else(missing)?;
    let items = items.into_iter().map(convert::trace).collect();
    Ok(Reply::ok(convert::value(&api::Trace { id: id.to_string(), items })?))
}

fn example() -> Value {
    json!({
        "id": "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a10", "member": 1, "direction": "inbound",
        "from": "0912000111", "to": "6400", "started_at": "2026-01-05T09:00:00.000Z",
        "answered_at": null, "queue": "6400",
        "legs": [{
            "index": 0, "party": "trunk:carrier", "number": "0912000111", "state": "up",
            "since": "2026-01-05T09:00:01.000Z",
        }],
    })
}

fn trace_example() -> Value {
    json!({
        "id": "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a10",
        "items": [
            {
                "type": "sip", "at": "2026-01-05T09:00:00.000Z", "received": true,
                "peer": "udp 192.0.2.7:5060", "summary": "INVITE sip:6400@example.com SIP/2.0",
                "text": "INVITE sip:6400@example.com SIP/2.0\r\n",
            },
            {
                "type": "decision", "at": "2026-01-05T09:00:02.000Z", "code": "agent-paused",
                "detail": "1001 does not ring: paused",
            },
            {
                "type": "media", "at": "2026-01-05T09:00:30.000Z", "leg": 0,
                "figures": [{ "name": "lost", "value": "0" }],
            },
        ],
    })
}

/// The operations on live calls.
pub(crate) fn operations() -> Vec<Operation> {
    let (whole, single) = ("/api/v1/calls", "/api/v1/calls/{id}");
    let shape = Shape::of::<api::Call>(example());
    let page = Shape::page::<api::Call>(json!({ "items": [example()], "next_cursor": null }));
    let wish = Shape::of::<api::Originate>(json!({
        "from": "1000", "to": "0912000111", "code_id": "sales", "correlation_id": "lead-7",
    }));
    let made = json!({ "id": "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a10" });
    let place = Shape::of::<api::Transfer>(json!({ "to": "1002" }));
    let act = |id: &str, verb: &str, summary: &str, handler| {
        Operation::new(id, Method::POST, format!("{single}/{verb}"), summary, handler)
            .needs(Permission::CallsControl)
    };
    let elsewhere = Shape::of::<api::Redirect>(json!({ "to": "1002", "to_voicemail": false }));
    let other = json!({ "with": "019b2f6e-9b21-7d10-8a44-0c1d2e3f4a5b" });
    let attendance = json!({ "mode": "listen", "extension": "1009", "agent": null });
    let attend = "Let a manager listen to a call, whisper to the agent or barge in";
    let waiting = "Send a caller who waits in a queue to a number or a mailbox";
    let taken = "Let a call that rings for a queue ring at an operator's phones instead";
    let begin = "Ring an extension and, when it answers, dial for it";
    let ladder = "Show the SIP ladder, the decisions and the media statistics of a call";
    let trace_path = format!("{single}/trace");
    vec![
        Operation::new("listCalls", Method::GET, whole, "List the live calls", handler!(list))
            .needs(Permission::CallsRead)
            .query(cursor::LIVE)
            .ok(page),
        Operation::new("createCall", Method::POST, whole, begin, handler!(originate))
            .needs(Permission::CallsOriginate)
            .body(wish)
            .created(Shape::of::<api::Originated>(made)),
        Operation::new("getCall", Method::GET, single, "Show a live call", handler!(show))
            .needs(Permission::CallsRead)
            .ok(shape),
        act("hangUpCall", "hangup", "End a call for all", handler!(hang_up)),
        act("holdCall", "hold", "Put the other party on hold", handler!(hold)),
        act("resumeCall", "resume", "Take the other party back from hold", handler!(resume)),
        act("transferCall", "transfer", "Send the other party to a number", handler!(transfer))
            .body(place),
        act("redirectCall", "redirect", waiting, handler!(redirect)).body(elsewhere),
        act("mergeCall", "merge", "Make one call of two: all hear each other", handler!(merge))
            .body(Shape::of::<api::Merge>(other)),
        act("pickUpCall", "pickup", taken, handler!(pick_up))
            .body(Shape::of::<api::PickUp>(json!({ "extension": "1009" }))),
        act("parkCall", "park", "Let a party wait on a slot", handler!(park))
            .body(Shape::of::<api::Park>(json!({ "party": "0912000111" })))
            .ok(Shape::of::<api::ParkedAt>(json!({ "slot": "6000" }))),
        act("monitorCall", "monitor", attend, handler!(monitor))
            .needs(Permission::CallsMonitor)
            .body(Shape::of::<api::Monitor>(attendance)),
        Operation::new("getCallTrace", Method::GET, trace_path, ladder, handler!(trace))
            .needs(Permission::CallsTrace)
            .ok(Shape::of::<api::Trace>(trace_example())),
    ]
    .into_iter()
    .map(|operation| operation.tag("calls"))
    .collect()
}
