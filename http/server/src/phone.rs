//! The phone in a browser, over a WebSocket: commands in, replies and the phone's state out.
//!
//! | Concern                                  | Owner               |
//! |------------------------------------------|---------------------|
//! | Messages, who may speak, when it ends    | this module         |
//! | The phone and its calls                  | `actors::softphone` |
//!
//! The socket holds nothing: a page that comes back within half a minute finds its calls.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::http::Method;
use tandem_actors::office::{Originate, Principal};
use tandem_actors::softphone::{CallState, Connection, Link, PhoneView, Press};
use tandem_api::event::close;
use tandem_api::phone::{
    PhoneCall, PhoneCallState, PhoneCommand, PhoneLink, PhoneMessage, PhoneRequest, PhoneState,
};
use tandem_kernel::Timestamp;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::edge::Edge;
use crate::events::{drained, socket};
use crate::identity::{self, Credential};
use crate::operation::{Answer, Call, Operation, Reply, handler, read};
use crate::problem::{Code, Problem};
use crate::rights::{Permission, Scope, authorize};

/// Messages of a page between two pings.
const MESSAGES: u32 = 200;
/// Pings without a sign of life from the page before it counts as gone.
const SILENT_PINGS: u32 = 2;
/// How long a close frame may take.
const CLOSING: Duration = Duration::from_secs(1);
/// RFC 6455 section 7.4.1: policy violation.
const POLICY: u16 = 1008;

/// Why a conversation ends: with a close code, or without a word.
enum End {
    Close(u16, &'static str),
    Gone,
}

/// What happens next in a conversation.
enum Step {
    Heard(Option<Result<Message, axum::Error>>),
    Shown(bool),
    Look,
    Drain,
}

struct Conversation {
    edge: Edge,
    principal: Principal,
    credential: Credential,
    extension: String,
    socket: WebSocket,
    phone: Option<Connection>,
    silent: u32,
    heard: u32,
}

async fn open(mut call: Call) -> Result<Reply, Problem> {
    let caller = call.caller()?.clone();
    let missing = || Problem::new(Code::Forbidden, "the principal has no extension");
    let extension = caller.principal.extension.clone().ok_or_else(missing)?;
    let upgrade = socket::upgrade(&mut call).await?;
    let edge = call.edge.clone();
    Ok(Reply::Raw(upgrade.on_upgrade(move |socket| {
        let (principal, credential) = (caller.principal, caller.credential);
        let conversation = Conversation {
            edge,
            principal,
            credential,
            extension,
            socket,
            phone: None,
            silent: 0,
            heard: 0,
        };
        conversation.run()
    })))
}

impl Conversation {
    async fn run(mut self) {
        let Err(end) = self.talk().await else { return };
        if let End::Close(code, reason) = end {
            let frame = CloseFrame { code, reason: reason.into() };
            let closing = self.socket.send(Message::Close(Some(frame)));
            // Who does not take it in time is cut off.
            let _untold = timeout(CLOSING, closing).await;
        }
    }

    async fn talk(&mut self) -> Result<(), End> {
        let extension = self.extension.clone();
        let ice_servers = self.edge.ice_servers(&extension);
        self.say(&PhoneMessage::Hello { extension, ice_servers }).await?;
        let mut draining = self.edge.draining();
        let mut ping = interval(self.edge.limits.ping_interval);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                heard = self.socket.recv() => Step::Heard(heard),
                goes_on = shown(&mut self.phone) => Step::Shown(goes_on),
                _ = ping.tick() => Step::Look,
                () = drained(&mut draining) => Step::Drain,
            };
            match step {
                Step::Heard(heard) => self.hear(heard).await?,
                Step::Shown(true) => self.show().await?,
                Step::Shown(false) => {
                    return Err(End::Close(close::REPLACED, "another page has the phone"));
                }
                Step::Look => self.look().await?,
                Step::Drain => return Err(End::Close(close::DRAINING, "draining")),
            }
        }
    }

    async fn hear(&mut self, heard: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let Some(Ok(message)) = heard else { return Err(End::Gone) };
        self.silent = 0;
        self.heard += 1;
        if self.heard > MESSAGES {
            return Err(End::Close(POLICY, "too many messages"));
        }
        match message {
            Message::Text(text) => {
                let reply = match understood(text.as_str()) {
                    Ok((id, command)) => self.answer(id, command).await,
                    Err(problem) => PhoneMessage::Problem { problem: problem.outward("") },
                };
                self.say(&reply).await
            }
            Message::Binary(_) => Err(End::Close(POLICY, "text messages only")),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => Err(End::Gone),
        }
    }

    async fn answer(&mut self, id: u64, command: PhoneCommand) -> PhoneMessage {
        let (answer, call, problem) = match self.carry_out(command).await {
            Ok(Done::Connected(answer)) => (Some(answer), None, None),
            Ok(Done::Dialled(call)) => (None, Some(call), None),
            Ok(Done::Pressed) => (None, None, None),
            Err(problem) => (None, None, Some(problem.outward(""))),
        };
        PhoneMessage::Reply { id, answer, call, problem }
    }

    async fn carry_out(&mut self, command: PhoneCommand) -> Result<Done, Problem> {
        let press = match command {
            PhoneCommand::Connect { offer } => return self.connect(offer).await,
            PhoneCommand::Dial { to } => return self.dial(to).await,
            PhoneCommand::Answer { line } => Press::Answer { line },
            PhoneCommand::Decline { line } => Press::Decline { line },
            PhoneCommand::HangUp { line } => Press::HangUp { line },
            PhoneCommand::Hold { line } => Press::Hold { line },
            PhoneCommand::Resume { line } => Press::Resume { line },
            PhoneCommand::Transfer { line, to } => Press::Transfer { line, to },
            PhoneCommand::Join { line, with } => Press::Join { line, with },
            PhoneCommand::Merge { line, with } => Press::Merge { line, with },
        };
        connected(&self.phone)?.press(press).await?;
        Ok(Done::Pressed)
    }

    async fn connect(&mut self, offer: String) -> Result<Done, Problem> {
        let office = &self.edge.office;
        let mut phone = office.connect_phone(&self.principal, &self.extension, offer).await?;
        let answer = std::mem::take(&mut phone.answer);
        phone.view.mark_changed();
        self.phone = Some(phone);
        Ok(Done::Connected(answer))
    }

    // By `&mut`: a socket must not be looked at by two threads.
    async fn dial(&mut self, to: String) -> Result<Done, Problem> {
        let wish = Originate::plain(self.extension.clone(), to);
        let (office, phone) = (&self.edge.office, connected(&self.phone)?);
        let call = office.dial_on_phone(&self.principal, phone, wish).await?;
        Ok(Done::Dialled(call.to_string()))
    }

    async fn show(&mut self) -> Result<(), End> {
        let Some(phone) = &mut self.phone else { return Ok(()) };
        let view = phone.view.borrow_and_update().clone();
        let state = outward(self.edge.now(), view);
        self.say(&PhoneMessage::Phone(state)).await
    }

    async fn look(&mut self) -> Result<(), End> {
        let unauthenticated = End::Close(close::UNAUTHENTICATED, "not signed in any more");
        let principal = identity::again(&self.edge, &self.credential).ok_or(unauthenticated)?;
        let is_allowed = authorize(principal.role, Permission::CallsControl) != Scope::Nothing;
        if !is_allowed || principal.extension.as_ref() != Some(&self.extension) {
            return Err(End::Close(close::FORBIDDEN, "not allowed any more"));
        }
        self.silent += 1;
        self.heard = 0;
        if self.silent > SILENT_PINGS {
            return Err(End::Gone);
        }
        self.send(Message::Ping(Vec::new().into())).await
    }

    async fn say(&mut self, message: &PhoneMessage) -> Result<(), End> {
        let text = serde_json::to_string(message).map_err(|_| End::Gone)?;
        self.send(Message::Text(text.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.edge.limits.event_patience, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Close(close::TOO_SLOW, "too slow")),
        }
    }
}

/// What a command came to.
enum Done {
    Connected(String),
    Dialled(String),
    Pressed,
}

/// Waits until the phone has changed; false when another page has it.
async fn shown(phone: &mut Option<Connection>) -> bool {
    match phone {
        Some(phone) => phone.view.changed().await.is_ok(),
        None => std::future::pending().await,
    }
}

fn connected(phone: &Option<Connection>) -> Result<&Connection, Problem> {
    let not_connected = || Problem::new(Code::Conflict, "the page has not connected its audio");
    phone.as_ref().ok_or_else(not_connected)
}

fn understood(text: &str) -> Result<(u64, PhoneCommand), Problem> {
    let value = serde_json::from_str(text)
        .map_err(|error| Problem::new(Code::MalformedJson, error.to_string()))?;
    let PhoneRequest::Command { id, command } = read(value)?;
    Ok((id, command))
}

fn outward(now: Timestamp, view: PhoneView) -> PhoneState {
    let calls = view.calls.into_iter().map(|call| PhoneCall {
        line: call.line,
        call: call.call.to_string(),
        state: match call.state {
            CallState::Ringing => PhoneCallState::Ringing,
            CallState::Up => PhoneCallState::Up,
            CallState::Held => PhoneCallState::Held,
        },
        outgoing: call.outgoing,
        number: call.number,
        caller_name: call.name,
        since: call.since.rfc3339(),
    });
    PhoneState {
        now: now.rfc3339(),
        link: match view.link {
            Link::Connecting => PhoneLink::Connecting,
            Link::Up => PhoneLink::Up,
            Link::Down => PhoneLink::Down,
            Link::Failed => PhoneLink::Failed,
        },
        calls: calls.collect(),
        transfer_failed: view.transfer_failed,
    }
}

/// The operations of this module.
pub(crate) fn operations() -> Vec<Operation> {
    let what = "Be the phone of one's extension; messages are PhoneRequest and PhoneMessage";
    vec![
        Operation::new("openPhone", Method::GET, "/api/v1/phone", what, handler!(open))
            .needs(Permission::CallsControl)
            .tag("phone")
            .answers(Answer::WebSocket),
    ]
}
