//! What the actions do: the dial-out call, the token's calls, and those siblings whose things we
//! have. Each is one call of the office.

use std::time::Duration;

use tandem_actors::numbering::Target;
use tandem_actors::office::{
    AgentCommand, CallCommand, CallView, LegState, Originate, Principal, Refusal,
};
use tandem_actors::outbound::{Rule, Wish, numbers};
use tandem_config::resource::Role;

use super::errno::Errno;
use super::form::{Value, text};
use super::{Account, Asked};

/// How long the extension rings (D-025).
const RINGS_FOR: Duration = Duration::from_secs(30);
/// The longest number (D-005).
const LONGEST: usize = 32;

const ACTIONS: [&str; 20] = [
    "login",
    "heartbeat",
    "logout",
    "extension/dial_outbound",
    "extension/dial_extension",
    "extension/hangup",
    "extension/hold",
    "extension/unhold",
    "extensionlist/query",
    "calltransfer",
    "inbound/query",
    "outbound/query",
    "inbound/hangup",
    "outbound/hangup",
    "queuestatus/query",
    "queue/add_dynamicagent",
    "queue/del_dynamicagent",
    "queue/pause_agent",
    "queue/unpause_agent",
    "queue/query",
];

type Outcome = Result<Vec<(String, Value)>, Errno>;

pub(super) fn is_known(action: &str) -> bool {
    ACTIONS.contains(&action)
}

/// Does an action for an account that was let in.
pub(super) async fn perform(asked: &Asked<'_>, account: &Account) -> Outcome {
    match asked.action {
        "heartbeat" => heartbeat(asked),
        "logout" => {
            if let Some(token) = asked.token() {
                asked.compat.door.log_out(token);
            }
            Ok(Vec::new())
        }
        "extension/dial_outbound" => dial_outbound(asked, account).await,
        "extension/dial_extension" => dial_extension(asked, account).await,
        "extension/hangup" => steer(asked, account, CallCommand::HangUp).await,
        "extension/hold" => steer(asked, account, CallCommand::Hold).await,
        "extension/unhold" => steer(asked, account, CallCommand::Resume).await,
        "extensionlist/query" => extensions(asked, account).await,
        "calltransfer" => transfer(asked, account).await,
        "inbound/query" => trunk_calls(asked, account, "inbound").await,
        "outbound/query" => trunk_calls(asked, account, "outbound").await,
        "inbound/hangup" => hang_up_trunk_call(asked, account, "inboundid").await,
        "outbound/hangup" => hang_up_trunk_call(asked, account, "outboundid").await,
        "queue/query" => queues(asked),
        "queuestatus/query" => queue_status(asked).await,
        "queue/add_dynamicagent" => agent(asked, account, Seat::In).await,
        "queue/del_dynamicagent" => agent(asked, account, Seat::Out).await,
        "queue/pause_agent" => agent(asked, account, Seat::Paused).await,
        "queue/unpause_agent" => agent(asked, account, Seat::Resumed).await,
        _ => Err(Errno::NotSupported),
    }
}

fn by(account: &Account) -> Principal {
    let name = format!("api:{}", account.username);
    Principal { name, role: Role::Admin, extension: None }
}

/// D-046: the token lives on; using it has seen to that.
fn heartbeat(asked: &Asked<'_>) -> Outcome {
    match ["ipaddr", "port"].map(|field| asked.fields.text(field)) {
        [Some(_), Some(_)] => Ok(Vec::new()),
        _ => Err(Errno::FieldEmpty),
    }
}

/// An extension that exists and that the account may use (D-039).
fn extension<'a>(asked: &'a Asked<'_>, account: &Account, field: &str) -> Result<&'a str, Errno> {
    let number = asked.fields.text(field).ok_or(Errno::FieldEmpty)?;
    let may = account.extensions.is_empty() || account.extensions.iter().any(|it| it == number);
    let directory = asked.edge.office.provisioning().directory();
    match directory.extension(number) {
        Some(found) if may && found.enabled => Ok(number),
        _ => Err(Errno::NoExtension),
    }
}

/// D-006: read without regard to case.
fn is_auto_answer(asked: &Asked<'_>) -> bool {
    let wish = asked.fields.text("autoanswer").map(str::to_ascii_lowercase);
    wish.is_some_and(|wish| ["yes", "1", "true"].contains(&wish.as_str()))
}

async fn dial_outbound(asked: &Asked<'_>, account: &Account) -> Outcome {
    let from = extension(asked, account, "extid")?.to_owned();
    let wanted = asked.fields.text("outto").ok_or(Errno::NumberEmpty)?;
    let number = numbers::cleaned(wanted).filter(|it| (1..=LONGEST).contains(&it.len()));
    let to = number.ok_or(Errno::NumberNotTaken)?;
    // D-036: a call that could not go out rings nobody.
    let office = &asked.edge.office;
    let reading =
        office.read_digits(&from, &to, &Wish::default()).map_err(|_| Errno::NoExtension)?;
    match reading.target {
        Target::Outside(plan) if office.has_line(&plan) => {}
        Target::Barred(barred) => return Err(errno_of(barred.rule)),
        _ => return Err(Errno::NumberNotTaken),
    }
    dial(asked, account, from, to).await
}

/// What a rule that keeps a call in is called here.
const fn errno_of(rule: Rule) -> Errno {
    match rule {
        Rule::CodeNotPermitted
        | Rule::CallerIdNotAllowed
        | Rule::RouteNotPermitted
        | Rule::Country
        | Rule::Hours
        | Rule::Flow
        | Rule::CallsPerMinute
        | Rule::Spend => Errno::NotPermitted,
        Rule::NumberMissing
        | Rule::NotANumber
        | Rule::CodeUnknown
        | Rule::CodeUnrouted
        | Rule::NumberNotTaken => Errno::NumberNotTaken,
    }
}

async fn dial_extension(asked: &Asked<'_>, account: &Account) -> Outcome {
    let from = extension(asked, account, "caller")?.to_owned();
    let to = asked.fields.text("callee").ok_or(Errno::FieldEmpty)?.to_owned();
    let directory = asked.edge.office.provisioning().directory();
    if directory.extension(&to).is_none() && directory.queue(&to).is_none() {
        return Err(Errno::NoCallee);
    }
    dial(asked, account, from, to).await
}

/// D-023: done when the extension's leg has been made.
async fn dial(asked: &Asked<'_>, account: &Account, from: String, to: String) -> Outcome {
    let wish = Originate {
        from,
        to,
        wish: Wish::default(),
        correlation_id: None,
        auto_answer: is_auto_answer(asked),
        ring_for: Some(RINGS_FOR),
        needs_idle: true,
    };
    let call = asked.edge.office.originate(&by(account), wish).await.map_err(|no| refused(&no))?;
    // D-012: clients of the original know no further field.
    let wants_id = asked.query("callid") == Some("1");
    Ok(if wants_id { vec![text("callid", call.to_string())] } else { Vec::new() })
}

fn refused(refusal: &Refusal) -> Errno {
    match refusal {
        Refusal::NotFound { kind: "call", .. } => Errno::NoCall,
        Refusal::NotFound { kind: "queue", .. } => Errno::NoQueue,
        Refusal::NotFound { .. } => Errno::NoExtension,
        Refusal::Conflict { code: "extension-busy" | "extension-not-registered", .. } => {
            Errno::NotIdle
        }
        Refusal::Conflict { .. } | Refusal::Stale { .. } => Errno::NoCall,
        Refusal::Invalid(_) => Errno::NumberNotTaken,
        Refusal::Forbidden { .. } => Errno::NotPermitted,
        Refusal::Unavailable { .. } => Errno::Unavailable,
    }
}

fn is_party(view: &CallView, extension: &str) -> bool {
    view.legs.iter().any(|leg| leg.party.strip_prefix("extension:") == Some(extension))
}

/// The newest live call of an extension.
async fn call_of(asked: &Asked<'_>, extension: &str) -> Result<CallView, Errno> {
    let calls = asked.edge.office.calls().await;
    calls.into_iter().rfind(|view| is_party(view, extension)).ok_or(Errno::NoCall)
}

async fn steer(asked: &Asked<'_>, account: &Account, command: CallCommand) -> Outcome {
    let extension = extension(asked, account, "extid")?;
    let call = call_of(asked, extension).await?;
    let done = asked.edge.office.command(&by(account), call.id, command).await;
    done.map(|()| Vec::new()).map_err(|no| refused(&no))
}

async fn transfer(asked: &Asked<'_>, account: &Account) -> Outcome {
    let transferor = extension(asked, account, "transferor")?;
    let to = asked.fields.text("transferto").ok_or(Errno::NumberEmpty)?.to_owned();
    let call = match asked.fields.text("callid") {
        Some(id) => {
            let id = id.parse().map_err(|_| Errno::NoCall)?;
            let view = asked.edge.office.call(id).await.ok_or(Errno::NoCall)?;
            Some(view).filter(|view| is_party(view, transferor)).ok_or(Errno::NoCall)?
        }
        None => call_of(asked, transferor).await?,
    };
    let command = CallCommand::Transfer { to };
    let done = asked.edge.office.command(&by(account), call.id, command).await;
    done.map(|()| Vec::new()).map_err(|no| refused(&no))
}

async fn extensions(asked: &Asked<'_>, account: &Account) -> Outcome {
    let calls = asked.edge.office.calls().await;
    let directory = asked.edge.office.provisioning().directory();
    let mine = |number: &str| {
        account.extensions.is_empty() || account.extensions.iter().any(|it| it == number)
    };
    let state = |number: &str| {
        let leg = |leg: &&tandem_actors::office::LegView| {
            leg.party.strip_prefix("extension:") == Some(number)
        };
        match calls.iter().flat_map(|view| &view.legs).find(leg).map(|leg| leg.state) {
            Some(LegState::Held) => "Hold",
            Some(LegState::Up) => "Busy",
            Some(_) => "Ringing",
            None if asked.edge.office.is_registered(number) => "Idle",
            None => "Unavailable",
        }
    };
    let list = directory.extensions().filter(|it| mine(&it.number)).map(|it| {
        vec![
            text("extnumber", &it.number),
            text("status", state(&it.number)),
            text("type", "pjsip"),
            text("username", &it.name),
            text("agentid", ""),
        ]
    });
    Ok(vec![("extlist".to_owned(), Value::List(list.collect()))])
}

/// The outside leg of a call, and the other one.
fn outside(view: &CallView) -> Option<(&str, &str)> {
    let leg = view.legs.iter().find(|leg| leg.party.starts_with("trunk:"))?;
    Some((leg.party.strip_prefix("trunk:")?, &leg.number))
}

async fn trunk_calls(asked: &Asked<'_>, account: &Account, way: &str) -> Outcome {
    use tandem_actors::office::Direction;
    let inbound = way == "inbound";
    let wanted = asked.fields.text(if inbound { "inboundid" } else { "outboundid" });
    let calls = asked.edge.office.calls().await;
    let fits = |view: &&CallView| {
        let is_way = (view.direction == Direction::Inbound) == inbound;
        let mine = account.extensions.is_empty()
            || account.extensions.iter().any(|extension| is_party(view, extension));
        is_way && mine && wanted.is_none_or(|id| id == view.id.to_string())
    };
    let list = calls.iter().filter(fits).filter_map(|view| {
        let (trunk, number) = outside(view)?;
        let to = if inbound { view.to.as_str() } else { number };
        let talking = if view.answered_at.is_some() { "Talking" } else { "Ringing" };
        Some(vec![
            text(if inbound { "inboundid" } else { "outboundid" }, view.id.to_string()),
            text("from", &view.from),
            text("to", to),
            text("trunk", trunk),
            text("status", talking),
        ])
    });
    Ok(vec![(way.to_owned(), Value::List(list.collect()))])
}

async fn hang_up_trunk_call(asked: &Asked<'_>, account: &Account, field: &str) -> Outcome {
    let id = asked.fields.text(field).ok_or(Errno::FieldEmpty)?;
    let id = id.parse().map_err(|_| Errno::NoCall)?;
    let view = asked.edge.office.call(id).await.ok_or(Errno::NoCall)?;
    let mine = account.extensions.is_empty()
        || account.extensions.iter().any(|extension| is_party(&view, extension));
    if !mine || outside(&view).is_none() {
        return Err(Errno::NoCall);
    }
    let done = asked.edge.office.command(&by(account), id, CallCommand::HangUp).await;
    done.map(|()| Vec::new()).map_err(|no| refused(&no))
}

fn queues(asked: &Asked<'_>) -> Outcome {
    let directory = asked.edge.office.provisioning().directory();
    let wanted = asked.fields.text("queueid");
    if wanted.is_some_and(|queue| directory.queue(queue).is_none()) {
        return Err(Errno::NoQueue);
    }
    let members = |queue: &tandem_config::resource::Queue, dynamic: bool| {
        use tandem_config::resource::Membership;
        let kind = if dynamic { Membership::Dynamic } else { Membership::Static };
        let of_kind = queue.members.iter().filter(|member| member.membership == kind);
        of_kind.map(|member| member.extension.as_str()).collect::<Vec<_>>().join(",")
    };
    let fits = |queue: &&tandem_config::resource::Queue| wanted.is_none_or(|it| it == queue.number);
    let list = directory.queues().filter(fits).map(|queue| {
        vec![
            text("queuenumber", &queue.number),
            text("queuename", &queue.name),
            text("agents", members(queue, false)),
            text("dynamicagents", members(queue, true)),
            text("agenttimeout", queue.agent.ring_timeout_secs.to_string()),
            text("wrapuptime", queue.agent.wrap_up_secs.to_string()),
            text("retry", queue.agent.retry_interval_secs.to_string()),
            text("maxwaittime", queue.max_wait_secs.to_string()),
        ]
    });
    Ok(vec![("queues".to_owned(), Value::List(list.collect()))])
}

async fn queue_status(asked: &Asked<'_>) -> Outcome {
    use tandem_actors::office::Activity;
    let number = asked.fields.text("queueid").ok_or(Errno::FieldEmpty)?;
    let status = asked.edge.office.queue_status(number).await.ok_or(Errno::NoQueue)?;
    let members = status.agents.iter().map(|agent| {
        let seat = agent.memberships.iter().find(|seat| seat.queue == number);
        let paused = seat.is_some_and(|seat| seat.paused.is_some());
        let state = match agent.activity {
            _ if !agent.registered => "5",
            Activity::Talking => "2",
            Activity::Ringing => "6",
            Activity::WrapUp => "10",
            Activity::Idle if paused => "9",
            Activity::Idle => "1",
        };
        vec![text("agent", &agent.extension), text("agentstatus", state)]
    });
    let waiting = status.waiting.len().to_string();
    let inside =
        vec![("members".to_owned(), Value::List(members.collect())), text("callercount", waiting)];
    let queue =
        vec![text("queuenumber", number), ("queuestatus".to_owned(), Value::Object(inside))];
    Ok(vec![("queue".to_owned(), Value::Object(queue))])
}

/// What an agent's action does.
#[derive(Clone, Copy)]
enum Seat {
    In,
    Out,
    Paused,
    Resumed,
}

async fn agent(asked: &Asked<'_>, account: &Account, seat: Seat) -> Outcome {
    let number = asked.fields.text("queueid").ok_or(Errno::FieldEmpty)?;
    if asked.edge.office.provisioning().directory().queue(number).is_none() {
        return Err(Errno::NoQueue);
    }
    let extension = extension(asked, account, "extid")?;
    let queue = Some(number.to_owned());
    let command = match seat {
        Seat::In => AgentCommand::LogIn { queue },
        Seat::Out => AgentCommand::LogOut { queue },
        Seat::Paused => AgentCommand::Pause { queue, reason: None },
        Seat::Resumed => AgentCommand::Resume { queue },
    };
    let done = asked.edge.office.agent_command(&by(account), extension, command).await;
    done.map(|_| Vec::new()).map_err(|no| refused(&no))
}
