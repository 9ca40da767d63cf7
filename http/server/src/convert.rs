//! From the office's views to the outward types.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tandem_actors::figures::Share;
use tandem_actors::office;
use tandem_actors::outbound::Outgoing;
use tandem_actors::outbound::tolls::cost;
use tandem_actors::voicemail::Message;
use tandem_api::{call, event, floor, prompt, record, resource, voicemail};
use tandem_kernel::Timestamp;

use crate::problem::{Code, Problem};

/// An outward value as JSON.
pub(crate) fn value(of: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(of).map_err(|error| Problem::new(Code::Internal, error.to_string()))
}

pub(crate) const fn role(role: tandem_config::resource::Role) -> resource::Role {
    match role {
        tandem_config::resource::Role::Admin => resource::Role::Admin,
        tandem_config::resource::Role::Manager => resource::Role::Manager,
        tandem_config::resource::Role::Agent => resource::Role::Agent,
        tandem_config::resource::Role::Wallboard => resource::Role::Wallboard,
    }
}

const fn direction(direction: office::Direction) -> call::Direction {
    match direction {
        office::Direction::Internal => call::Direction::Internal,
        office::Direction::Inbound => call::Direction::Inbound,
        office::Direction::Outbound => call::Direction::Outbound,
    }
}

/// Seconds with milliseconds.
pub(crate) fn secs(span: Duration) -> f64 {
    (span.as_secs_f64() * 1_000.0).round() / 1_000.0
}

fn moment(at: Option<Timestamp>) -> Option<String> {
    at.map(Timestamp::rfc3339)
}

fn leg(view: office::LegView) -> call::Leg {
    let state = match view.state {
        office::LegState::Dialling => call::LegState::Dialling,
        office::LegState::Ringing => call::LegState::Ringing,
        office::LegState::Up => call::LegState::Up,
        office::LegState::Held => call::LegState::Held,
        office::LegState::Ended => call::LegState::Ended,
    };
    call::Leg {
        index: view.index,
        party: view.party,
        number: view.number,
        state,
        since: view.since.rfc3339(),
        supervises: view.supervises.map(supervision),
    }
}

const fn supervision(mode: office::Supervision) -> call::Supervision {
    match mode {
        office::Supervision::Listen => call::Supervision::Listen,
        office::Supervision::Whisper => call::Supervision::Whisper,
        office::Supervision::Barge => call::Supervision::Barge,
    }
}

pub(crate) fn call(view: office::CallView, member: u64) -> call::Call {
    call::Call {
        id: view.id.to_string(),
        member,
        direction: direction(view.direction),
        from: view.from,
        to: view.to,
        started_at: view.started_at.rfc3339(),
        answered_at: moment(view.answered_at),
        queue: view.queue,
        legs: view.legs.into_iter().map(leg).collect(),
    }
}

pub(crate) fn trace(item: office::TraceItem) -> call::TraceItem {
    match item {
        office::TraceItem::Sip { at, received, peer, summary, text } => {
            call::TraceItem::Sip { at: at.rfc3339(), received, peer, summary, text }
        }
        office::TraceItem::Decision { at, code, detail } => {
            call::TraceItem::Decision { at: at.rfc3339(), code, detail }
        }
        office::TraceItem::Media { at, leg, values } => {
            let figure = |(name, value)| call::Figure { name, value };
            let figures = values.into_iter().map(figure).collect();
            call::TraceItem::Media { at: at.rfc3339(), leg, figures }
        }
    }
}

fn membership(view: office::MembershipView) -> floor::AgentMembership {
    let membership = match view.membership {
        tandem_config::resource::Membership::Static => resource::Membership::Static,
        tandem_config::resource::Membership::Dynamic => resource::Membership::Dynamic,
    };
    floor::AgentMembership {
        queue: view.queue,
        membership,
        logged_in: view.logged_in,
        login_changed_at: moment(view.login_changed_at),
        paused: view.paused.is_some(),
        pause_reason: view.paused.flatten(),
    }
}

pub(crate) fn agent(view: office::AgentView) -> floor::Agent {
    let activity = match view.activity {
        office::Activity::Idle => floor::Activity::Idle,
        office::Activity::Ringing => floor::Activity::Ringing,
        office::Activity::Talking => floor::Activity::Talking,
        office::Activity::WrapUp => floor::Activity::WrapUp,
    };
    floor::Agent {
        extension: view.extension,
        activity,
        since: view.since.rfc3339(),
        registered: view.registered,
        memberships: view.memberships.into_iter().map(membership).collect(),
    }
}

pub(crate) fn queue(status: office::QueueStatus) -> floor::QueueStatus {
    let waiting = |view: office::WaitingView| floor::WaitingCaller {
        call: view.call.to_string(),
        caller: view.caller,
        position: view.position,
        joined_at: view.joined_at.rfc3339(),
        ringing: view.ringing,
        is_callback: view.is_callback,
    };
    let active = |view: office::ActiveView| floor::ActiveCall {
        call: view.call.to_string(),
        agent: view.agent,
        since: view.since.rfc3339(),
        is_callback: view.is_callback,
    };
    floor::QueueStatus {
        number: status.number,
        name: status.name,
        waiting: status.waiting.into_iter().map(waiting).collect(),
        active: status.active.into_iter().map(active).collect(),
        agents: status.agents.into_iter().map(agent).collect(),
        total: status.total,
        answered: status.answered,
        missed: status.missed,
        abandoned: status.abandoned,
        service_level: service_level(status.level),
    }
}

fn service_level(view: office::LevelView) -> floor::ServiceLevel {
    let office::LevelView { in_time, total, within_secs, threshold_percent } = view;
    let percent = Share::of(in_time, total).percent();
    floor::ServiceLevel { percent, in_time, total, within_secs, threshold_percent }
}

pub(crate) fn callback_request(view: office::CallbackView) -> floor::CallbackRequest {
    let state = match view.state {
        office::CallbackState::Waiting => floor::CallbackRequestState::Waiting,
        office::CallbackState::Ringing => floor::CallbackRequestState::Ringing,
        office::CallbackState::Dialling => floor::CallbackRequestState::Dialling,
        office::CallbackState::Online => floor::CallbackRequestState::Online,
    };
    floor::CallbackRequest {
        call: view.call.to_string(),
        caller: view.caller,
        number: view.number,
        position: view.position,
        joined_at: view.joined_at.rfc3339(),
        registered_at: view.registered_at.rfc3339(),
        expires_at: view.expires_at.map(|at| at.rfc3339()),
        state,
        agents: view.agents,
    }
}

pub(crate) fn record(record: office::CallRecord) -> record::CallRecord {
    let passage = |passage: office::QueuePassage| record::QueuePassage {
        queue: passage.queue,
        exit: passage.exit,
        wait_secs: secs(passage.wait),
        agent: passage.agent,
    };
    let step = |step: office::CallStep| record::CallStep {
        at: step.at.rfc3339(),
        kind: step.kind,
        key: step.key,
        detail: step.detail,
    };
    let talk = if record.answered_at.is_some() { record.talk } else { Duration::ZERO };
    let outgoing = |outgoing: Outgoing| record::Outgoing {
        dialled: outgoing.dialled,
        number: outgoing.number,
        outbound_code: outgoing.code.map(|code| record::UsedCode {
            id: code.id,
            name: code.name,
            code: code.code,
        }),
        outbound_code_applied: outgoing.is_code_applied,
        category: outgoing.category,
        route: outgoing.route,
        caller_id: outgoing.caller_id,
        is_emergency: outgoing.is_emergency,
        cost: cost(outgoing.price_per_minute, talk),
    };
    record::CallRecord {
        id: record.id.to_string(),
        position: record.position.to_string(),
        direction: direction(record.direction),
        from: record.from,
        to: record.to,
        trunk: record.trunk,
        started_at: record.started_at.rfc3339(),
        answered_at: moment(record.answered_at),
        ended_at: record.ended_at.rfc3339(),
        outcome: record.outcome,
        cause: record.cause,
        answered_by: record.answered_by,
        queue: record.queue.map(passage),
        steps: record.steps.into_iter().map(step).collect(),
        talk_secs: secs(record.talk),
        hold_secs: secs(record.hold),
        outgoing: record.outgoing.map(outgoing),
        requested_by: record.requested_by,
        correlation_id: record.correlation_id,
        callback: record.callback.map(|note| record::Callback {
            agent: note.agent,
            agent_only: note.is_agent_only,
            outbound_call: note.outbound_call.to_string(),
            outbound_at: note.outbound_at.rfc3339(),
            result: note.outcome.as_str().to_owned(),
            fell_back: note.fell_back,
        }),
        rating: record.rating.map(|rating| record::Rating {
            queue: rating.queue,
            agent: rating.agent,
            key: rating.key.to_string(),
            score: rating.score,
        }),
        note: None,
    }
}

pub(crate) fn message(mailbox: &str, message: Message) -> voicemail::Message {
    voicemail::Message {
        id: message.id,
        mailbox: mailbox.to_owned(),
        at: message.at.rfc3339(),
        call: message.call,
        from: message.from,
        length_secs: secs(Duration::from_millis(message.length_ms)),
        bytes: message.bytes,
        checksum: message.checksum,
        heard_at: moment(message.heard_at),
    }
}

pub(crate) fn prompt(of: tandem_actors::prompts::Prompt) -> prompt::Prompt {
    let (name, bytes, checksum) = (of.name, of.bytes, of.checksum);
    prompt::Prompt { name, bytes, length_secs: secs(of.length), checksum }
}

pub(crate) fn event(item: office::FeedItem) -> event::Event {
    event::Event {
        position: item.position.to_string(),
        at: item.at.rfc3339(),
        kind: item.kind,
        key: item.key,
        name: item.name,
        data: item.data,
    }
}
