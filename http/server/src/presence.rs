//! What people are doing, by themselves and by managers.

use axum::http::Method;
use serde_json::json;
use tandem_actors::office::Principal;
use tandem_actors::records::status::{Action, Presence, Status};
use tandem_api::presence as api;
use tandem_config::resource::Role;

use crate::convert;
use crate::operation::{Call, Operation, Reply, Shape, handler};
use crate::problem::{Code, Problem};
use crate::rights::Permission;

/// The extension of the path, if the caller may see it.
fn seen(call: &Call) -> Result<String, Problem> {
    let extension = call.path("extension").to_owned();
    if call.bound_to()?.is_some_and(|own| own != extension) {
        return Err(Problem::new(Code::Forbidden, "agents see the own presence only"));
    }
    Ok(extension)
}

/// The extension of the path, if it is the caller's: nobody else says what somebody is doing, but
/// for administrators.
fn own(call: &Call) -> Result<String, Problem> {
    let extension = call.path("extension").to_owned();
    let Principal { role, extension: own, .. } = &call.caller()?.principal;
    if *role == Role::Admin || own.as_ref() == Some(&extension) {
        return Ok(extension);
    }
    Err(Problem::new(Code::Forbidden, "the presence of others is theirs to set"))
}

fn reply(extension: String, presence: Presence) -> Result<Reply, Problem> {
    let actions = presence.actions.into_iter();
    let shown = api::Presence {
        extension,
        status: status_out(presence.status),
        since: presence.since.map(|at| at.rfc3339()),
        actions: actions.map(|(on, does)| (status_out(on), action_out(does))).collect(),
    };
    Ok(Reply::ok(convert::value(&shown)?))
}

async fn show(call: Call) -> Result<Reply, Problem> {
    let extension = seen(&call)?;
    let presence = call.edge.office.presence(&extension).await?;
    reply(extension, presence)
}

async fn set(mut call: Call) -> Result<Reply, Problem> {
    let extension = own(&call)?;
    let api::PresenceWish { status } = call.read()?;
    let by = call.caller()?.principal.clone();
    let presence = call.edge.office.set_presence(&by, &extension, status_in(status)).await?;
    reply(extension, presence)
}

async fn set_actions(mut call: Call) -> Result<Reply, Problem> {
    let extension = own(&call)?;
    let api::PresenceActions { actions } = call.read()?;
    let actions = actions.into_iter().map(|(on, does)| (status_in(on), action_in(does))).collect();
    let by = call.caller()?.principal.clone();
    let presence = call.edge.office.set_presence_actions(&by, &extension, actions).await?;
    reply(extension, presence)
}

const fn status_in(status: api::PresenceStatus) -> Status {
    match status {
        api::PresenceStatus::Available => Status::Available,
        api::PresenceStatus::Away => Status::Away,
        api::PresenceStatus::BusinessTrip => Status::BusinessTrip,
        api::PresenceStatus::DoNotDisturb => Status::DoNotDisturb,
        api::PresenceStatus::LunchBreak => Status::LunchBreak,
        api::PresenceStatus::OffWork => Status::OffWork,
    }
}

const fn status_out(status: Status) -> api::PresenceStatus {
    match status {
        Status::Available => api::PresenceStatus::Available,
        Status::Away => api::PresenceStatus::Away,
        Status::BusinessTrip => api::PresenceStatus::BusinessTrip,
        Status::DoNotDisturb => api::PresenceStatus::DoNotDisturb,
        Status::LunchBreak => api::PresenceStatus::LunchBreak,
        Status::OffWork => api::PresenceStatus::OffWork,
    }
}

fn action_in(action: api::PresenceAction) -> Action {
    match action {
        api::PresenceAction::Nothing => Action::Nothing,
        api::PresenceAction::LogIn => Action::LogIn,
        api::PresenceAction::LogInLast => Action::LogInLast,
        api::PresenceAction::LogOut => Action::LogOut,
        api::PresenceAction::Pause { reason } => Action::Pause(reason),
    }
}

fn action_out(action: Action) -> api::PresenceAction {
    match action {
        Action::Nothing => api::PresenceAction::Nothing,
        Action::LogIn => api::PresenceAction::LogIn,
        Action::LogInLast => api::PresenceAction::LogInLast,
        Action::LogOut => api::PresenceAction::LogOut,
        Action::Pause(reason) => api::PresenceAction::Pause { reason },
    }
}

/// The operations on presence.
pub(crate) fn operations() -> Vec<Operation> {
    let path = "/api/v1/agents/{extension}/presence";
    let actions_path = "/api/v1/agents/{extension}/presence-actions";
    let actions = json!({
        "available": { "action": "log_in_last" },
        "lunch_break": { "action": "pause", "reason": "*01" },
        "off_work": { "action": "log_out" },
    });
    let shown = json!({
        "extension": "1001", "status": "lunch_break", "since": "2026-01-05T12:00:00.000Z",
        "actions": actions,
    });
    let shape = || Shape::of::<api::Presence>(shown.clone());
    let op = |id: &str, method, path: &str, summary: &str, handler| {
        Operation::new(id, method, path, summary, handler).tag("agents").ok(shape())
    };
    let (shows, sets) = ("Show what somebody is doing", "Say what somebody is doing");
    let rules = "Say what a change of presence does to the agent";
    vec![
        op("getPresence", Method::GET, path, shows, handler!(show)).needs(Permission::AgentsRead),
        op("setPresence", Method::PUT, path, sets, handler!(set))
            .needs(Permission::AgentsControl)
            .body(Shape::of::<api::PresenceWish>(json!({ "status": "lunch_break" }))),
        op("setPresenceActions", Method::PUT, actions_path, rules, handler!(set_actions))
            .needs(Permission::AgentsControl)
            .body(Shape::of::<api::PresenceActions>(json!({ "actions": actions }))),
    ]
}
